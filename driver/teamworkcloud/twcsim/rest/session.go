package rest

import (
	"net/http"
	"strings"

	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/state"
)

// The cookies of a session, both with Path=/osmc (facts 2.1: DEVG/pages/303989506 and OMBEE-MMS's RestUtilsTest).
const (
	CookieUser    = "twc-rest-current-user"
	CookieSession = "twc-rest-session-id"
)

// authenticate finds the user and the session. It opens a session unless the cookies name one.
func (c *call) authenticate() *reply {
	s := c.server
	s.Expire(c.world.Now)
	if one := c.cookieSession(); one != nil {
		// The documentation says that the cookies expire 15 minutes after login, but the server's own setting is an
		// idle time. ASSUMED: every use restarts the time, and no new cookies are set.
		one.Until = c.world.Now.Add(s.SessionFor)
		c.session, c.user = one, s.User(one.User)
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
	c.session = c.world.OpenSession(s, c.user, false)
	if c.session == nil {
		// ASSUMED: status and text; pages only say that licences run out.
		out := c.refuse(http.StatusForbidden, "No licenses available")
		return &out
	}
	c.opened = true
	return nil
}

// cookieSession returns the session that both cookies name, or nil.
func (c *call) cookieSession() *state.Session {
	id, err := c.Cookie(CookieSession)
	if err != nil {
		return nil
	}
	name, err := c.Cookie(CookieUser)
	if err != nil {
		return nil
	}
	one := c.server.Sessions[id.Value]
	if one == nil || one.Person || one.User != name.Value {
		return nil
	}
	return one
}

// credentials returns the user for the Authorization header: Basic with name and password, "Token" with a personal
// access token, "Bearer" only with an OAuth 2.0 access token (facts 2.1: DEVG/pages/303989466, DEVG/pages/303989515).
// ID tokens are not simulated.
func (c *call) credentials() *state.User {
	name, password, basic := c.BasicAuth()
	kind, token, _ := strings.Cut(c.Header.Get("Authorization"), " ")
	for _, u := range c.server.Users {
		switch {
		case basic && name == u.Name && password != "" && password == u.Password,
			kind == "Token" && token != "" && token == u.Token,
			kind == "Bearer" && token != "" && token == u.Oauth:
			return u
		}
	}
	return nil
}

// cookies returns the cookies of a session that was opened. ASSUMED: a call with Basic or a token gets them as a login
// does.
func (c *call) cookies() []string {
	end := c.session.Until.UTC().Format(http.TimeFormat)
	var out []string
	for _, pair := range [][2]string{{CookieUser, c.session.User}, {CookieSession, c.session.ID}} {
		out = append(out, pair[0]+"="+pair[1]+"; Path=/osmc; Expires="+end)
	}
	return out
}

// login only answers 204 with the cookies: the session was already opened, as for any call with credentials.
func (c *call) login() reply {
	return reply{status: http.StatusNoContent, header: http.Header{}}
}

// logout ends the session that the cookies name. ASSUMED: with other credentials it ends the session that this call
// opened.
func (c *call) logout() reply {
	delete(c.server.Sessions, c.session.ID)
	c.opened = false
	return reply{status: http.StatusNoContent, header: http.Header{}}
}
