package state

import (
	"slices"
	"time"
)

// putOff moves past and future times of a server.
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

// Expire ends the sessions whose time is over. Sessions of people do not expire.
func (s *Server) Expire(now time.Time) {
	for id, one := range s.Sessions {
		if !one.Until.IsZero() && !now.Before(one.Until) {
			delete(s.Sessions, id)
		}
	}
}

// PutOff moves everything that ends or begins at some time.
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

// OpenSession logs a user in. It returns nil if no licence is free. Each session takes one: a REST call with Basic
// "opens a new session each time and does not close it", so that licences run out (DEVG/pages/303989493). ASSUMED: a
// session of a modelling tool or web page takes one too, even if the same user has another.
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

// LoggedIn returns the names of users with a session, sorted.
func (s *Server) LoggedIn(now time.Time) []string {
	s.Expire(now)
	out := []string{}
	for _, one := range s.Sessions {
		out = append(out, one.User)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
