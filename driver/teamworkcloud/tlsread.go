package teamworkcloud

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/driver/keystore"
	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/machine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/schema"
)

// readEncryption reads all that a plan of encryption at a server is made from.
func (d *Driver) readEncryption(ctx context.Context, server *schema.Resource) (*encryptionFacts, error) {
	c, err := d.reader(server)
	if err != nil {
		return nil, err
	}
	f := &encryptionFacts{Now: d.env.Now().UTC().Truncate(time.Second)}
	about, err := survey.ReadServer(ctx, c, connect.Declared(server))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", server.Addr, err)
	}
	f.Server = *about
	var r recipe
	r, f.Why = recipeFor(server, f.Server.Release)
	f.Recipe = r.Name
	if f.In, err = machine.ReadLoggedIn(ctx, c, f.Server.Addr, f.Server.User); err != nil {
		return nil, err
	}
	if err := d.readKeystore(ctx, server, f); err != nil {
		return nil, err
	}
	if err := d.readPort(ctx, c, server, f); err != nil {
		return nil, err
	}
	for _, t := range trusted(server) {
		f.Trust = append(f.Trust, t.Alias)
	}
	h, err := d.machine(server)
	if err != nil || h == nil {
		return f, err
	}
	f.Machine = h.Name()
	if err := readFiles(ctx, server, h, r, f); err != nil {
		return nil, fmt.Errorf("reading the machine of %s: %w", server.Addr, err)
	}
	if f.Since, err = machine.New(h, commandsOf(server, f.Server.Release)).Since(ctx); err != nil {
		return nil, err
	}
	return f, nil
}

// keystoreOf is the declaration of a server's keystore.
func keystoreOf(server *schema.Resource) *schema.Resource { return server.Ref("sync_tls", "keystore") }

// keystorePath is the keystore's file as the server finds it.
func keystorePath(server *schema.Resource) string {
	if text := server.Text("sync_tls", "keystore_path"); text != "" {
		return text
	}
	file, _ := keystore.Location(keystoreOf(server))
	return file
}

// readKeystore reads the file and what will become of it. What keeps the file from being opened, the keystore's own plan says.
func (d *Driver) readKeystore(ctx context.Context, server *schema.Resource, f *encryptionFacts) error {
	decl := keystoreOf(server)
	name, _ := connect.Declared(server).Peer()
	f.Keystore = keystoreFacts{Addr: decl.Addr.String(), Path: keystorePath(server), Type: keystore.Format(decl.Addr.Type).Java()}
	have, _, err := keystore.ReadFile(ctx, d.env, decl)
	var unusable *keystore.Error
	switch {
	case errors.Is(err, keystore.ErrNoFile), errors.As(err, &unusable):
	case err != nil:
		return err
	}
	s, pending, err := keystore.Effective(decl, have, d.env.Now())
	if err != nil {
		return err
	}
	if unusable != nil {
		pending = append(pending, "it cannot be opened: "+unusable.Message)
	}
	f.Keystore.Pending = pending
	for _, e := range s.Entries {
		if len(e.Chain) > 0 {
			one := entryFacts{leafFacts: *leafOf(e.Chain[0]), Alias: e.Alias, Chain: e.Chain}
			_, unreadable := e.Chain[0].X509()
			one.Covers = unreadable != nil || e.Chain[0].Covers(name) == nil // what cannot be read nobody here can tell
			f.Keystore.Entries = append(f.Keystore.Entries, one)
		}
	}
	return nil
}

// readPort reads how the encrypted port stands, by the server's word and by a handshake.
func (d *Driver) readPort(ctx context.Context, c osmc.Reader, server *schema.Resource, f *encryptionFacts) error {
	p := &f.Port
	state, err := c.ClientTLS(ctx)
	switch {
	case osmc.NotAllowed(err) || osmc.IsGone(err):
		p.Port, p.Enabled = f.Server.TLSPort, f.Server.TLSPort != 0
	case err != nil:
		return fmt.Errorf("reading the encrypted port of %s: %w", server.Addr, err)
	default:
		p.Known, p.Enabled, p.Port = true, state.Enabled, state.Port
		if s, err := keystore.Open(state.Keystore, keystore.Password(keystoreOf(server)).Reveal()); err == nil && len(state.Keystore) > 0 {
			for _, e := range s.Entries {
				if len(e.Chain) > 0 {
					p.Uploaded = append(p.Uploaded, e.Chain[0].Fingerprint())
				}
			}
		}
	}
	if p.Enabled {
		p.Want = connect.Declared(server).EncryptedPort(p.Port)
	} else {
		p.Want = connect.Declared(server).EncryptedPort(0)
	}
	if !p.Enabled {
		return nil
	}
	if p.Shown, err = d.shakeOwnHands(ctx, server, p.Port); err != nil || p.Shown.leaf() == nil {
		return err
	}
	for _, e := range f.Keystore.Entries {
		if e.Print == p.Shown.Leaf.Print {
			p.Lacks = p.Shown.lacks(e.Chain)
		}
	}
	return nil
}

// shakeOwnHands looks at a server's port from its own machine, else from this one.
func (d *Driver) shakeOwnHands(ctx context.Context, server *schema.Resource, port int) (*presented, error) {
	name, given := connect.Declared(server).Peer()
	if !server.Get("host").IsNull() {
		return d.shakeHands(ctx, server, net.JoinHostPort("localhost", strconv.Itoa(port)), name)
	}
	if given == "" || given == strconv.Itoa(connect.PlainPort) {
		given = strconv.Itoa(port)
	}
	return d.shakeHands(ctx, nil, net.JoinHostPort(name, given), name)
}

// trusted are the certificates that a server declares to trust, by alias.
func trusted(server *schema.Resource) []keystore.Trusted {
	tls := connect.Declared(server).SyncTLS
	if tls == nil {
		return nil
	}
	var out []keystore.Trusted
	for alias, t := range tls.Trust {
		all, err := keystore.ParseCertificates(t.Certificate.Reveal())
		if err == nil && len(all) > 0 { // what cannot be read was refused when the files were
			out = append(out, keystore.Trusted{Alias: alias, Certificate: all[0]})
		}
	}
	slices.SortFunc(out, func(a, b keystore.Trusted) int { return strings.Compare(a.Alias, b.Alias) })
	return out
}

// readFiles reads the settings files and the trust stores that the recipe is about.
func readFiles(ctx context.Context, server *schema.Resource, h host.Host, r recipe, f *encryptionFacts) error {
	places := filesOf(server, f.Server.Release)
	for _, want := range settingsOf(server, r, f.Server.Release, f.Port.Want) {
		file, err := readSettings(ctx, h, &want)
		if err != nil {
			return err
		}
		f.Files = append(f.Files, file)
	}
	for _, s := range storesOf(server, r, places) {
		file, err := readStore(ctx, server, h, s)
		if err != nil {
			return err
		}
		f.Stores = append(f.Stores, file)
	}
	return nil
}

// mostSettings is how large a settings file may be; the vendor's have some ten thousand bytes.
const mostSettings = 4 << 20

// readSettings reads a settings file beside what it is to say.
func readSettings(ctx context.Context, h host.Host, want *settingsFile) (fileFacts, error) {
	file := fileFacts{Path: want.path}
	content, modified, err := readWhole(h.Files(ctx), want.path, mostSettings)
	switch {
	case isNoFile(err):
		file.Problem = wordsOf(err)
		return file, nil
	case err != nil:
		return file, fmt.Errorf("reading %s: %w", want.path, err)
	}
	file.Sum, file.Modified = host.Sum(content), modified
	if _, file.Values, err = want.edit(content); err != nil {
		file.Problem = wording.OneLine(err.Error())
	}
	return file, nil
}

// isNoFile: it is the file that is wrong, not the way to it.
func isNoFile(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || errors.Is(err, errNoFile)
}

func wordsOf(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "there is no such file"
	case errors.Is(err, fs.ErrPermission):
		return "the login may not read it"
	}
	return errNoFile.Error()
}

var errNoFile = errors.New("it is no ordinary file of that kind")

// readWhole reads a small file and when it was changed.
func readWhole(files host.Files, name string, most int64) ([]byte, time.Time, error) {
	info, err := files.Stat(name)
	if err != nil {
		return nil, time.Time{}, err
	}
	if !info.Mode().IsRegular() || info.Size() > most {
		return nil, time.Time{}, errNoFile
	}
	content, err := host.ReadFile(files, name)
	return content, info.ModTime().UTC(), err
}

// trustStore is a file that others' certificates are trusted by.
type trustStore struct{ path, password string }

// What Java and the vendor protect these files with, where nobody has changed it (MCS 247048049).
const (
	javaPassword   = "changeit"
	vendorPassword = "nomagic"
)

// storesOf are the files that get what is to be trusted, as the recipe has it.
func storesOf(server *schema.Resource, r recipe, places settingsFiles) []trustStore {
	tls := connect.Declared(server).SyncTLS
	if tls == nil {
		return nil
	}
	var out []trustStore
	if r.Keystore && places.keystore != keystorePath(server) { // the keystore's own declaration says whom that file trusts
		out = append(out, trustStore{places.keystore, cmp.Or(tls.ServerKeystorePassword.Reveal(), vendorPassword)})
	}
	for _, name := range tls.TrustStores {
		out = append(out, trustStore{name, cmp.Or(tls.TrustStoresPassword.Reveal(), javaPassword)})
	}
	return out
}

// mostStore is how large a trust store may be: a hundred and fifty authorities have two hundred thousand bytes.
const mostStore = 16 << 20

func readStore(ctx context.Context, server *schema.Resource, h host.Host, s trustStore) (storeFacts, error) {
	f := storeFacts{Path: s.path}
	store, content, modified, err := openStore(ctx, h, s)
	var unusable *keystore.Error
	switch {
	case errors.As(err, &unusable):
		f.Problem = unusable.Message
	case isNoFile(err):
		f.Problem = wordsOf(err)
		return f, nil
	case err != nil:
		return f, err
	}
	f.Sum, f.Modified = host.Sum(content), modified
	if store == nil {
		return f, nil
	}
	declared := trusted(server)
	for _, t := range declared {
		if !store.Trusts(t.Certificate) {
			f.Missing = append(f.Missing, t.Alias)
		}
	}
	f.Hindrances = store.Hindrances(declared)
	return f, nil
}

// openStore reads a trust store. One that cannot be opened is a *keystore.Error, with its content beside it.
func openStore(
	ctx context.Context, h host.Host, s trustStore,
) (*keystore.Store, []byte, time.Time, error) {
	content, modified, err := readWhole(h.Files(ctx), s.path, mostStore)
	if err != nil {
		return nil, nil, modified, fmt.Errorf("reading %s on %s: %w", s.path, h.Name(), err)
	}
	store, err := keystore.Open(content, s.password)
	if err != nil {
		return nil, content, modified, fmt.Errorf("reading %s on %s: %w", s.path, h.Name(), err)
	}
	return store, content, modified, nil
}
