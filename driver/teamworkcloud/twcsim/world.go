package twcsim

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/afero"
)

// Servers gives the names of the simulated servers, sorted.
func (w *World) Servers() []string {
	return slices.Sorted(maps.Keys(w.servers))
}

// SetURL tells a server the base URL that its REST interface is served under, without /osmc. Unknown servers are ignored.
func (w *World) SetURL(name, url string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s := w.servers[name]; s != nil {
		s.url = strings.TrimSuffix(strings.TrimRight(url, "/"), "/osmc")
	}
}

// Environment gives the environment variables through which a configuration learns a server's address, credentials and
// the way to its machine, certificates and keys, as the seed names them. It is the only method that hands out secrets.
func (w *World) Environment(name string) map[string]string {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.servers[name]
	out, values := map[string]string{}, map[string]string{}
	if s == nil {
		return out
	}
	if s.env != nil {
		values[s.env.URL], values[s.env.PlainAddress], values[s.env.TLSAddress] = s.url, s.ports[portPlain], s.ports[portTLS]
		if u := s.user(s.env.Account); u != nil {
			values[s.env.User], values[s.env.Password], values[s.env.Token] = u.name, u.password, cmp.Or(u.token, u.oauth)
		}
		if m := s.machine; m != nil {
			values[s.env.SSH], values[s.env.SSHKey], values[s.env.KnownHosts] = m.address, string(m.key), string(m.known)
		}
	}
	for _, a := range w.authorities {
		values[a.env] = inPEM(a.root.chain)
	}
	if c := s.issued; c != nil {
		values[c.env], values[c.keyEnv], values[c.passwordEnv] = inPEM(c.chain), c.keyInPEM(), c.password
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
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []string
	for _, name := range w.Servers() {
		if w.servers[name].machine != nil {
			out = append(out, name)
		}
	}
	return out
}

// Files is a machine's file system, nil when there is no such machine. It may be used while the World goes on.
func (w *World) Files(machine string) afero.Fs {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s := w.servers[machine]; s != nil && s.machine != nil {
		return s.machine.fs
	}
	return nil
}

// SetSSH tells a machine how it is reached: "user@host:port", a private key in PEM, lines of a known_hosts file.
// Unknown machines are ignored.
func (w *World) SetSSH(machine, address string, privateKey, knownHosts []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s := w.servers[machine]; s != nil && s.machine != nil {
		s.machine.address, s.machine.key, s.machine.known = address, slices.Clone(privateKey), slices.Clone(knownHosts)
	}
}

// setNow lets the clock say something else.
func (w *World) setNow(now time.Time) {
	w.now = now
	w.clock.set(now)
}

// stamp is the time of what happens now, to the millisecond as the database keeps it. ASSUMED: finer than that no
// answer shows it.
func (w *World) stamp() time.Time { return w.now.UTC().Truncate(time.Millisecond) }

// newID makes a UUID, each time another one and the same in each run. Kind tells tables apart: "category", "branch", ...
func (w *World) newID(kind string) string {
	w.ids[kind]++
	return uuidOf(fmt.Sprintf("%s %d", kind, w.ids[kind]))
}

// uuidOf makes a UUID that depends on a text alone.
func uuidOf(text string) string {
	h := sha256.Sum256([]byte("twcsim " + text))
	h[6], h[8] = h[6]&0x0f|0x40, h[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", h[0:4], h[4:6], h[6:8], h[8:10], h[10:16])
}
