// Package state holds the state of a world: servers with their users, categories, resources, sessions and files, and
// what their releases can do. The packages around it change it.
package state

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/keystore"
	"github.com/syncctl/syncctl/lazyregexp"
)

// The forms of IDs and host names.
var (
	UUIDForm = lazyregexp.New(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	HostForm = lazyregexp.New(`^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$`)
)

// Env holds the names of the environment variables with which a configuration accesses a server.
type Env struct {
	URL        string `json:"url"`
	User       string `json:"user"`
	Password   string `json:"password"`
	Token      string `json:"token"`
	SSH        string `json:"ssh"`
	SSHKey     string `json:"ssh_key"`
	KnownHosts string `json:"known_hosts"`
	Account    string `json:"account"`

	PlainAddress string `json:"plain_address"`
	TLSAddress   string `json:"tls_address"`
}

// Servers returns the names of the simulated servers, sorted.
func (w *World) Servers() []string {
	return slices.Sorted(maps.Keys(w.Named))
}

// SetURL sets the base URL under which a server's REST interface is served, without /osmc. Unknown servers are
// ignored.
func (w *World) SetURL(name, url string) {
	w.Mu.Lock()
	defer w.Mu.Unlock()
	if s := w.Named[name]; s != nil {
		s.URL = strings.TrimSuffix(strings.TrimRight(url, "/"), "/osmc")
	}
}

// Environment returns the environment variables with which a configuration accesses a server: its address,
// credentials, the way to its machine, certificates and keys. Their names come from the seed. It is the only method
// that returns secrets.
func (w *World) Environment(name string) map[string]string {
	w.Mu.Lock()
	defer w.Mu.Unlock()
	s := w.Named[name]
	out, values := map[string]string{}, map[string]string{}
	if s == nil {
		return out
	}
	if s.Env != nil {
		values[s.Env.URL], values[s.Env.PlainAddress], values[s.Env.TLSAddress] = s.URL, s.Ports[PortPlain],
			s.Ports[PortTLS]
		if u := s.User(s.Env.Account); u != nil {
			values[s.Env.User], values[s.Env.Password], values[s.Env.Token] = u.Name, u.Password, cmp.Or(u.Token, u.Oauth)
		}
		if m := s.Machine; m != nil {
			values[s.Env.SSH], values[s.Env.SSHKey], values[s.Env.KnownHosts] = m.address, string(m.key), string(m.known)
		}
	}
	for _, a := range w.Authorities {
		values[a.Env] = keystore.InPEM(a.Root.Chain)
	}
	if c := s.Issued; c != nil {
		values[c.Env], values[c.KeyEnv], values[c.PasswordEnv] = keystore.InPEM(c.Chain), c.KeyInPEM(), c.Password
	}
	for variable, value := range values {
		if variable != "" {
			out[variable] = value
		}
	}
	return out
}

// Machines returns the names of the machines that can be reached over SSH, sorted. A machine has the name of its
// server.
func (w *World) Machines() []string {
	w.Mu.Lock()
	defer w.Mu.Unlock()
	var out []string
	for _, name := range w.Servers() {
		if w.Named[name].Machine != nil {
			out = append(out, name)
		}
	}
	return out
}

// Files returns a machine's file system, or nil if there is no such machine. It may be used concurrently with the
// World's methods.
func (w *World) Files(machine string) afero.Fs {
	w.Mu.Lock()
	defer w.Mu.Unlock()
	if s := w.Named[machine]; s != nil && s.Machine != nil {
		return s.Machine.FS
	}
	return nil
}

// SetSSH sets how a machine is reached: "user@host:port", a private key in PEM, and lines of a known_hosts file.
// Unknown machines are ignored.
func (w *World) SetSSH(machine, address string, privateKey, knownHosts []byte) {
	w.Mu.Lock()
	defer w.Mu.Unlock()
	if s := w.Named[machine]; s != nil && s.Machine != nil {
		s.Machine.address, s.Machine.key, s.Machine.known = address, slices.Clone(privateKey), slices.Clone(knownHosts)
	}
}

// SetNow sets the clock.
func (w *World) SetNow(now time.Time) {
	w.Now = now
	w.Clock.set(now)
}

// Stamp returns the current time in milliseconds, the precision of the database. ASSUMED: no answer shows it more
// precisely.
func (w *World) Stamp() time.Time { return w.Now.UTC().Truncate(time.Millisecond) }

// NewID returns a new UUID, which is the same in each run. kind separates tables: "category", "branch", ...
func (w *World) NewID(kind string) string {
	w.IDs[kind]++
	return UUIDOf(fmt.Sprintf("%s %d", kind, w.IDs[kind]))
}

// UUIDOf returns a UUID that depends only on a text.
func UUIDOf(text string) string {
	h := sha256.Sum256([]byte("twcsim " + text))
	h[6], h[8] = h[6]&0x0f|0x40, h[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", h[0:4], h[4:6], h[6:8], h[8:10], h[10:16])
}
