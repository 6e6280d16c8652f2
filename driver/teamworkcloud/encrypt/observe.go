package encrypt

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/driver/keystore"
	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/machine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// What is observed about a server's encryption, with the type of the observation's body. None contains a secret.
const (
	AboutPort       = "client_tls"  // Port
	AboutProperties = "properties"  // Settings, by the path of a file of Java properties
	AboutHOCON      = "hocon"       // Settings, by the path of a HOCON file
	AboutStore      = "trust_store" // Store, by the path of a file
	AboutServices   = "services"    // Services, by the server's release
	AboutHandshake  = "handshake"   // Handshake, by the address to connect to from the server's machine
)

// Observes reports whether an observation is one of this package.
func Observes(what string) bool {
	ours := []string{AboutPort, AboutProperties, AboutHOCON, AboutStore, AboutServices, AboutHandshake}
	return slices.Contains(ours, what)
}

// Port is the state of the encrypted port for clients, according to the server.
type Port struct {
	Known    bool // false: the server does not say
	Enabled  bool
	Port     int
	Uploaded []string // fingerprints of the certificates in the uploaded keystore, if the server shows them
}

// Settings is a settings file.
type Settings struct {
	File
	Values []Value // values of the keys that matter for encryption
}

// File is a file on a machine.
type File struct {
	Machine  string    // name for people
	Sum      string    // SHA-256; "": the file could not be read
	Modified time.Time // zero: unknown
	Exposed  bool      // every user of the machine may read it
	Problem  string    // why the file cannot be used, "" if it can
}

// Value is what a settings file contains for a key. It never holds a password.
type Value struct {
	Key    string
	Line   int    // line of the key; 0: the key is missing
	Set    bool   // the value is set to a known text
	Have   string // "" for a password
	Sealed bool   // ENC(...): only the server can read it

	// Keystores holds the addresses of the declared keystores with this password.
	Keystores []string
}

// Store is a trust store.
type Store struct {
	File
	Store *keystore.Store // nil: it could not be opened
}

// Services says since when the services of a server run.
type Services struct {
	Machine string
	Since   time.Time // zero: unknown
}

// Observe makes one observation about a server's encryption.
func (e *Encryption) Observe(ctx context.Context, r *schema.Resource, n planner.Need) (any, error) {
	body, err := e.observe(ctx, r, n)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", n, err)
	}
	return body, nil
}

func (e *Encryption) observe(ctx context.Context, r *schema.Resource, n planner.Need) (any, error) {
	switch n.What {
	case AboutPort:
		return e.readPort(ctx, connect.Declared(r))
	case AboutHandshake:
		address, name, _ := strings.Cut(n.Of, as)
		return e.shakeHands(ctx, r, address, name)
	}
	h, err := e.Servers.Machine(r)
	switch {
	case err != nil:
		return nil, err
	case h == nil:
		return nil, errNoMachine
	}
	switch n.What {
	case AboutProperties, AboutHOCON:
		return readSettings(ctx, h, connect.Declared(r), n.Of, n.What == AboutHOCON)
	case AboutStore:
		return readStore(ctx, h, connect.Declared(r), n.Of)
	case AboutServices:
		release, _ := osmc.ParseRelease(n.Of) // an unknown release counts as a new one
		since, err := machine.New(h, machine.CommandsFor(connect.Declared(r), release)).Since(ctx)
		return &Services{Machine: h.Name(), Since: since}, err
	}
	return nil, fmt.Errorf("Teamwork Cloud has no observation %q", n.What)
}

// readPort reads the state of the port from the server, with the fingerprints in the keystore that it was given.
func (e *Encryption) readPort(ctx context.Context, server *connect.Server) (*Port, error) {
	c, err := e.Servers.Reader(server.Resource())
	if err != nil {
		return nil, err
	}
	state, err := c.ClientTLS(ctx)
	switch {
	case osmc.NotAllowed(err) || osmc.IsGone(err):
		return &Port{}, nil
	case err != nil:
		return nil, err
	}
	p := &Port{Known: true, Enabled: state.Enabled, Port: state.Port}
	if len(state.Keystore) == 0 || server.SyncTLS == nil || server.SyncTLS.Keystore == nil {
		return p, nil
	}
	s, err := keystore.Open(ctx, state.Keystore, keystore.Password(server.SyncTLS.Keystore).Reveal())
	var unusable *keystore.Error
	switch {
	case errors.As(err, &unusable):
		return p, nil // for example with another password: unknown, but the handshake shows what the port presents
	case err != nil:
		return nil, err
	}
	for _, entry := range s.Entries {
		if len(entry.Chain) > 0 {
			p.Uploaded = append(p.Uploaded, entry.Chain[0].Fingerprint())
		}
	}
	return p, nil
}

// Limits for the size of files, in bytes. The vendor's settings files have some ten thousand; a trust store with a
// hundred and fifty CAs has two hundred thousand.
const (
	mostSettings = 4 << 20
	mostStore    = 16 << 20
)

var errNotRegular = errors.New("it is not a regular file of that kind")

// readWhole reads a small file with its metadata.
func readWhole(files host.Files, name string, most int64) ([]byte, fs.FileInfo, error) {
	info, err := files.Stat(name)
	if err != nil {
		return nil, nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > most {
		return nil, nil, errNotRegular
	}
	content, err := host.ReadFile(files, name, most)
	return content, info, err
}

// fileProblem returns what is wrong with a file. It returns "" if there is no error, or if the error is about the
// machine.
func fileProblem(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "there is no such file"
	case errors.Is(err, fs.ErrPermission):
		return "the login may not read it"
	case errors.Is(err, errNotRegular):
		return errNotRegular.Error()
	}
	return ""
}

// readFile reads a file on a machine. If the file itself is wrong, Problem says so.
func readFile(ctx context.Context, h host.Host, name string, most int64) (File, []byte, error) {
	f := File{Machine: h.Name()}
	content, info, err := readWhole(h.Files(ctx), name, most)
	if f.Problem = fileProblem(err); f.Problem != "" {
		return f, nil, nil
	}
	if err != nil {
		return f, nil, fmt.Errorf("reading %s on %s: %w", name, h.Name(), err)
	}
	f.Sum, f.Modified, f.Exposed = host.Sum(content), info.ModTime().UTC(), host.ForEverybody(info)
	return f, content, nil
}

// readSettings reads a settings file. If the server declares sync_tls, it also tries whether the file can be edited.
func readSettings(
	ctx context.Context, h host.Host, server *connect.Server, name string, hocon bool,
) (*Settings, error) {
	f, content, err := readFile(ctx, h, name, mostSettings)
	s := &Settings{File: f}
	if err != nil || f.Problem != "" {
		return s, err
	}
	edited := settingsFile{path: name, hocon: hocon}
	if server.SyncTLS != nil {
		edited.want = wantOf(server, server.EncryptedPort(0), hocon)
	}
	if s.Values, _, _, err = edited.parse(content, passwordsOf(server)); err == nil {
		_, err = edited.edit(content)
	}
	if err != nil {
		s.Problem = wording.OneLine(err.Error())
	}
	return s, nil
}

// passwordsOf returns the passwords of the keystores of all declared servers, by the keystore's address.
func passwordsOf(server *connect.Server) map[string]string {
	out := map[string]string{}
	for _, r := range slices.AppendSeq([]*schema.Resource{server.Resource()}, server.Resource().Peers()) {
		if s := connect.Declared(r); s.SyncTLS != nil && s.SyncTLS.Keystore != nil {
			out[s.SyncTLS.Keystore.Addr.String()] = keystore.Password(s.SyncTLS.Keystore).Reveal()
		}
	}
	return out
}

// readStore reads a trust store. If it cannot be opened, Problem says why.
func readStore(ctx context.Context, h host.Host, server *connect.Server, name string) (*Store, error) {
	f, content, err := readFile(ctx, h, name, mostStore)
	s := &Store{File: f}
	if err != nil || f.Problem != "" {
		return s, err
	}
	opened, err := keystore.Open(ctx, content, storePassword(server, name))
	var unusable *keystore.Error
	switch {
	case errors.As(err, &unusable):
		s.Problem = unusable.Message
		return s, nil
	case err != nil:
		return nil, err
	}
	s.Store = opened.Public()
	return s, nil
}
