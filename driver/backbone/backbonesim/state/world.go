// Package state holds the contents of a world: servers with their projects, issues, synchronizations, pairs and
// messages. The packages around it change them.
package state

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// World is a set of simulated Jiras. SetURL, Environment and State lock Mu, and Servers needs no lock. All other
// methods, and all other uses of the members, must be called with Mu held.
type World struct {
	Mu      sync.Mutex
	Now     time.Time
	Last    int64 // the newest stamp, epoch milliseconds
	Named   map[string]*Server
	Assumed bool
	Layout  string // layout of Backbone's dates
	Batch   int
}

// Servers returns the names of the simulated Jiras, sorted.
func (w *World) Servers() []string {
	return slices.Sorted(maps.Keys(w.Named))
}

// SetURL sets the base URL under which a server is served, without its context path. Unknown servers are ignored.
func (w *World) SetURL(name, url string) {
	w.Mu.Lock()
	defer w.Mu.Unlock()
	if s := w.Named[name]; s != nil {
		url = strings.TrimRight(url, "/")
		s.URL = strings.TrimSuffix(url, s.ContextPath) + s.ContextPath
	}
}

// Environment returns the environment variables that tell a configuration about a server's base URL and credentials,
// as the seed names them. It is the only method that returns secrets.
func (w *World) Environment(name string) map[string]string {
	w.Mu.Lock()
	defer w.Mu.Unlock()
	s := w.Named[name]
	out := map[string]string{}
	if s == nil || s.Env == nil {
		return out
	}
	u := s.User(s.Env.Account)
	login := u.Name
	if s.Cloud {
		login = u.Email
	}
	for variable, value := range map[string]string{
		s.Env.URL: s.URL, s.Env.User: login, s.Env.Password: u.Password, s.Env.Token: u.Token,
	} {
		if variable != "" {
			out[variable] = value
		}
	}
	return out
}

// Integrations lists every synchronization of every server in a fixed order.
func (w *World) Integrations() []*Integration {
	var out []*Integration
	for _, name := range w.Servers() {
		out = append(out, w.Named[name].Integrations...)
	}
	return out
}

// Stamp returns the time in epoch milliseconds, later at each call. So what has happened can be told apart from what
// has been sent by its time alone, as in Backbone's own pair data.
func (w *World) Stamp() int64 {
	w.Last = max(w.Now.UnixMilli(), w.Last+1)
	return w.Last
}
