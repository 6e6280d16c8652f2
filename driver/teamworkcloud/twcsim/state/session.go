package state

import (
	"slices"
	"time"
)

// putOff moves what was and will be.
func (s *Server) putOff(by time.Duration) {
	v := s.Services
	if !v.ReadyAt.IsZero() {
		v.ReadyAt = v.ReadyAt.Add(by)
	}
	for unit, at := range v.Started {
		v.Started[unit] = at.Add(by)
	}
	v.Boot = v.Boot.Add(by).Truncate(time.Second)
	s.Desk.putOff(by, v.Boot)
}

// Expire ends the sessions whose time is over. A person's tool has no end of its own.
func (s *Server) Expire(now time.Time) {
	for id, one := range s.Sessions {
		if !one.Until.IsZero() && !now.Before(one.Until) {
			delete(s.Sessions, id)
		}
	}
}

// PutOff moves what ends or begins at some time.
func (w *World) PutOff(by time.Duration) {
	for _, s := range w.Named {
		for _, one := range s.Sessions {
			if !one.Until.IsZero() {
				one.Until = one.Until.Add(by)
			}
		}
		s.putOff(by)
	}
}

// OpenSession logs a user in; nil when no licence is free. Each session takes one: a REST call with Basic "opens
// a new session each time and does not close it", so that licences run out (DEVG/pages/303989493). ASSUMED: a
// modelling tool's or a web page's session takes one too, even beside another of the same user.
func (w *World) OpenSession(s *Server, u *User, person bool) *Session {
	s.Expire(w.Now)
	if len(s.Sessions) >= s.Licences {
		return nil
	}
	one := &Session{ID: w.NewID("session"), User: u.Name, Person: person}
	if !person {
		one.Until = w.Now.Add(s.SessionFor)
	}
	s.Sessions[one.ID] = one
	return one
}

// LoggedIn gives the names of users with a session, sorted.
func (s *Server) LoggedIn(now time.Time) []string {
	s.Expire(now)
	out := []string{}
	for _, one := range s.Sessions {
		out = append(out, one.User)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
