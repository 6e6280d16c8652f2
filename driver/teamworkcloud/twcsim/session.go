package twcsim

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// The cookies of a session, both with Path=/osmc (facts 2.1: DEVG/pages/303989506 and OMBEE-MMS's RestUtilsTest).
const (
	cookieUser    = "twc-rest-current-user"
	cookieSession = "twc-rest-session-id"
)

// expire ends the sessions whose time is over. A person's tool has no end of its own.
func (s *server) expire(now time.Time) {
	for id, one := range s.sessions {
		if !one.until.IsZero() && !now.Before(one.until) {
			delete(s.sessions, id)
		}
	}
}

// putOff moves what ends or begins at some time.
func (w *World) putOff(by time.Duration) {
	for _, s := range w.servers {
		for _, one := range s.sessions {
			if !one.until.IsZero() {
				one.until = one.until.Add(by)
			}
		}
		s.putOff(by)
	}
}

// openSession logs a user in; nil when no licence is free. Each session takes one: a REST call with Basic "opens a new
// session each time and does not close it", so that licences run out (DEVG/pages/303989493). ASSUMED: a modelling tool's
// or a web page's session takes one too, even beside another of the same user.
func (w *World) openSession(s *server, u *user, person bool) *session {
	s.expire(w.now)
	if len(s.sessions) >= s.licences {
		return nil
	}
	one := &session{id: w.newID("session"), user: u.name, person: person}
	if !person {
		one.until = w.now.Add(s.sessionFor)
	}
	s.sessions[one.id] = one
	return one
}

// loggedIn gives the names of users with a session, sorted.
func (s *server) loggedIn(now time.Time) []string {
	s.expire(now)
	out := []string{}
	for _, one := range s.sessions {
		out = append(out, one.user)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// authenticate finds the caller and the session, which it opens unless the cookies name one.
func (c *call) authenticate() *reply {
	s := c.server
	s.expire(c.world.now)
	if one := c.cookieSession(); one != nil {
		// The docs say that the cookies expire 15 minutes after login, and the server's own setting is a time of idleness;
		// ASSUMED: every use starts the time anew, and no new cookies come.
		one.until = c.world.now.Add(s.sessionFor)
		c.session, c.user = one, s.user(one.user)
		if c.user != nil && c.path != pathLogin {
			return nil
		}
	}
	c.user = c.credentials()
	if c.user == nil {
		out := c.refuse(http.StatusUnauthorized, "The request requires user authentication")
		out.header.Set("WWW-Authenticate", `Basic realm="Teamwork Cloud"`)
		return &out
	}
	c.session = c.world.openSession(s, c.user, false)
	if c.session == nil {
		// ASSUMED: status and words; pages only say that licences run out.
		out := c.refuse(http.StatusForbidden, "No licenses available")
		return &out
	}
	c.opened = true
	return nil
}

// cookieSession is the session that both cookies name.
func (c *call) cookieSession() *session {
	id, err := c.Cookie(cookieSession)
	if err != nil {
		return nil
	}
	name, err := c.Cookie(cookieUser)
	if err != nil {
		return nil
	}
	one := c.server.sessions[id.Value]
	if one == nil || one.person || one.user != name.Value {
		return nil
	}
	return one
}

// credentials: Basic with name and password; "Token" with a personal access token, "Bearer" for OAuth 2.0 access tokens
// only (facts 2.1: DEVG/pages/303989466, DEVG/pages/303989515). ID tokens are not simulated.
func (c *call) credentials() *user {
	name, password, basic := c.BasicAuth()
	kind, token, _ := strings.Cut(c.Header.Get("Authorization"), " ")
	for _, u := range c.server.users {
		switch {
		case basic && name == u.name && password != "" && password == u.password,
			kind == "Token" && token != "" && token == u.token,
			kind == "Bearer" && token != "" && token == u.oauth:
			return u
		}
	}
	return nil
}

// cookies of a session that was opened. ASSUMED: a call with Basic or a token gets them like a login does.
func (c *call) cookies() []string {
	end := c.session.until.UTC().Format(http.TimeFormat)
	var out []string
	for _, pair := range [][2]string{{cookieUser, c.session.user}, {cookieSession, c.session.id}} {
		out = append(out, pair[0]+"="+pair[1]+"; Path=/osmc; Expires="+end)
	}
	return out
}

// login has opened a session like any call with credentials does; all there is to say is in the cookies (204).
func (c *call) login() reply {
	return reply{status: http.StatusNoContent, header: http.Header{}}
}

// logout ends the session that the cookies name. ASSUMED: with other credentials it ends the one that it has opened itself.
func (c *call) logout() reply {
	delete(c.server.sessions, c.session.id)
	c.opened = false
	return reply{status: http.StatusNoContent, header: http.Header{}}
}
