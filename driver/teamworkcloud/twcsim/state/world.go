// Package state is what a world consists of: servers with their users, categories, resources, sessions and files,
// and what their releases can do. What happens to it is in the packages around it.
package state

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/keystore"
)

// The forms of ids and of hosts.
var (
	UUIDForm = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	HostForm = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$`)
)

// Env names the environment variables through which a configuration learns of a server.
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

// Servers gives the names of the simulated servers, sorted.
func (w *World) Servers() []string {
	return slices.Sorted(maps.Keys(w.Named))
}

// SetURL tells a server the base URL that its REST interface is served under, without /osmc. Unknown servers are
// ignored.
func (w *World) SetURL(name, url string) {
	w.Mu.Lock()
	defer w.Mu.Unlock()
	if s := w.Named[name]; s != nil {
		s.URL = strings.TrimSuffix(strings.TrimRight(url, "/"), "/osmc")
	}
}

// Environment gives the environment variables through which a configuration learns a server's address,
// credentials and the way to its machine, certificates and keys, as the seed names them. It is the only method
// that hands out secrets.
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

// Machines gives the names of the machines that can be reached over SSH, sorted. A machine is called like its server.
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

// Files is a machine's file system, nil when there is no such machine. It may be used while the World goes on.
func (w *World) Files(machine string) afero.Fs {
	w.Mu.Lock()
	defer w.Mu.Unlock()
	if s := w.Named[machine]; s != nil && s.Machine != nil {
		return s.Machine.FS
	}
	return nil
}

// SetSSH tells a machine how it is reached: "user@host:port", a private key in PEM, lines of a known_hosts file.
// Unknown machines are ignored.
func (w *World) SetSSH(machine, address string, privateKey, knownHosts []byte) {
	w.Mu.Lock()
	defer w.Mu.Unlock()
	if s := w.Named[machine]; s != nil && s.Machine != nil {
		s.Machine.address, s.Machine.key, s.Machine.known = address, slices.Clone(privateKey), slices.Clone(knownHosts)
	}
}

// SetNow lets the clock say something else.
func (w *World) SetNow(now time.Time) {
	w.Now = now
	w.Clock.set(now)
}

// Stamp is the time of what happens now, to the millisecond as the database keeps it. ASSUMED: finer than that no
// answer shows it.
func (w *World) Stamp() time.Time { return w.Now.UTC().Truncate(time.Millisecond) }

// NewID makes a UUID, each time another one and the same in each run. Kind tells tables apart: "category",
// "branch", ...
func (w *World) NewID(kind string) string {
	w.IDs[kind]++
	return UUIDOf(fmt.Sprintf("%s %d", kind, w.IDs[kind]))
}

// UUIDOf makes a UUID that depends on a text alone.
func UUIDOf(text string) string {
	h := sha256.Sum256([]byte("twcsim " + text))
	h[6], h[8] = h[6]&0x0f|0x40, h[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", h[0:4], h[4:6], h[6:8], h[8:10], h[10:16])
}
