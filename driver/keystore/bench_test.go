package keystore

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/drivertest"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	password = "open-sesame-4711"
	previous = "old-sesame-4711"
	file     = "/keys/server.p12"
)

// today is the time of the tests. It is after the keystores of pfx's test data were made.
var today = time.Date(2027, 6, 1, 12, 0, 0, 0, time.UTC)

// party is a certificate with its key.
type party struct {
	Certificate

	key    crypto.Signer
	issuer *party
}

// template changes a certificate before it is signed.
type template func(*x509.Certificate)

func expires(at time.Time) template { return func(c *x509.Certificate) { c.NotAfter = at } }

func dns(names ...string) template { return func(c *x509.Certificate) { c.DNSNames = names } }

// authority makes the certificate that of a CA.
func authority(c *x509.Certificate) {
	c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
}

func newKey(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// issue makes a certificate that by signs, or that signs itself if by is nil.
func issue(t testing.TB, name string, by *party, change ...template) *party {
	t.Helper()
	return issueFor(t, newKey(t), name, by, change...)
}

var serial atomic.Int64 // of the last certificate, less 1000

func issueFor(t testing.TB, key crypto.Signer, name string, by *party, change ...template) *party {
	t.Helper()
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1000 + serial.Add(1)), Subject: pkix.Name{CommonName: name, Organization: []string{"Test"}},
		NotBefore: today.AddDate(0, 0, -30), NotAfter: today.AddDate(1, 0, 0),
	}
	for _, f := range change {
		f(c)
	}
	parent, signer := c, key
	if by != nil {
		parent, signer = by.parsed, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	return &party{NewCertificate(der), key, by}
}

func (p *party) pem() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.DER}))
}

func (p *party) keyPEM(t testing.TB) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(p.key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// entry returns an Entry of a party with its whole chain.
func (p *party) entry(t testing.TB, alias string) Entry {
	t.Helper()
	e := Entry{Alias: alias}
	for q := p; q != nil; q = q.issuer {
		e.Chain = append(e.Chain, q.Certificate)
	}
	der, err := x509.MarshalPKCS8PrivateKey(p.key)
	if err != nil {
		t.Fatal(err)
	}
	e.setKey(der)
	return e
}

// family is a root, an intermediate and a server's certificate.
type family struct{ root, inter, server *party }

func newFamily(t testing.TB) family {
	t.Helper()
	return newFamilyAt(t, today)
}

func newFamilyAt(t testing.TB, now time.Time) family {
	t.Helper()
	at := func(c *x509.Certificate) { c.NotBefore, c.NotAfter = now.AddDate(0, 0, -30), now.AddDate(1, 0, 0) }
	root := issue(t, "Test Root", nil, authority, at)
	inter := issue(t, "Test Intermediate", root, authority, at)
	server := issue(t, "server.test.example", inter, at, dns("server.test.example", "www.test.example"),
		func(c *x509.Certificate) {
			c.IPAddresses = []net.IP{net.IPv4(192, 0, 2, 7)}
		})
	return family{root, inter, server}
}

// bench is a folder with a configuration, and the files next to it.
type bench struct {
	t     testing.TB
	fs    afero.Fs
	now   time.Time
	env   map[string]string
	body  string
	log   strings.Builder
	store *executor.Store
}

func newBench(t testing.TB) *bench {
	t.Helper()
	b := &bench{t: t, fs: afero.NewMemMapFs(), now: today,
		env: map[string]string{"PASSWORD": password, "PREVIOUS_PASSWORD": previous}}
	for _, dir := range []string{"/conf", "/keys"} {
		if err := b.fs.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	b.store = &executor.Store{Fs: b.fs, Dir: "/conf/.syncctl/runs", Now: func() time.Time { return b.now }}
	return b
}

// declare writes the configuration: a keystore "server" with the given format and body. PEM goes into files next to
// it.
func (b *bench) declare(format Format, body string, files map[string]string) *bench {
	b.t.Helper()
	b.body = fmt.Sprintf("keystore %q \"server\" {\n  path = %q\n  password = env(\"PASSWORD\")\n%s\n}\n",
		string(format), file, body)
	b.put("/conf/main.sync.hcl", b.body)
	for name, text := range files {
		b.put("/conf/"+name, text)
	}
	return b
}

func (b *bench) put(name, text string) {
	b.t.Helper()
	if err := afero.WriteFile(b.fs, name, []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) read(name string) []byte {
	b.t.Helper()
	content, err := afero.ReadFile(b.fs, name)
	if err != nil {
		b.t.Fatal(err)
	}
	return content
}

// full returns a declaration with an entry with all its certificates, and the trusted root.
func (f family) full(t testing.TB) (body string, files map[string]string) {
	t.Helper()
	return `
  entry "server" {
    certificate = file("server.pem")
    chain       = file("chain.pem")
    key         = file("server.key")
  }
  trust "ca" { certificate = file("root.pem") }
`, map[string]string{
			"server.pem": f.server.pem(), "server.key": f.server.keyPEM(t), "chain.pem": f.inter.pem() +
				f.root.pem(), "root.pem": f.root.pem(),
		}
}

// load loads the configuration and makes a driver on a file system, as a new process would.
func (b *bench) load(fsys afero.Fs) (*schema.Config, *Driver, hcl.Diagnostics) {
	b.t.Helper()
	d, ok := New(driver.Env{
		Fs: fsys, Version: "test", Now: func() time.Time { return b.now },
		Log: hclog.New(&hclog.LoggerOptions{Output: &b.log, Level: hclog.Trace}),
	}).(*Driver)
	if !ok {
		b.t.Fatal("it is no Driver")
	}
	cfg, diags := schema.Load(context.Background(), schema.Options{
		Fs: b.fs, Dir: "/conf", Catalog: d.Types(), Env: func(name string) (string, bool) {
			v,
				ok := b.env[name]
			return v, ok
		},
	})
	return cfg, d, diags
}

func (b *bench) config() (*schema.Config, *Driver) {
	b.t.Helper()
	cfg, d, diags := b.load(b.fs)
	if diags.HasErrors() {
		b.t.Fatal(diags)
	}
	return cfg, d
}

// plan makes a plan, which must not show a secret.
func (b *bench) plan() *planner.Plan {
	b.t.Helper()
	cfg, d := b.config()
	p, diags := planner.Make(context.Background(), planner.Input{Config: cfg,
		Drivers: func(schema.Addr) planner.Driver { return d }, Version: "test"})
	if diags.HasErrors() {
		b.t.Fatal(diags)
	}
	for _, x := range drivertest.Unexplained(p, d.Rules()) {
		b.t.Error(x)
	}
	var text strings.Builder
	if err := p.Encode(&text); err != nil {
		b.t.Fatal(err)
	}
	b.clean(cfg, text.String())
	return p
}

func (b *bench) clean(cfg *schema.Config, text string) {
	b.t.Helper()
	if shown := cfg.Redactor().String(text); shown != text {
		b.t.Errorf("a secret shows: %s", shown)
	}
}

type clock struct{}

func (clock) Now() time.Time                         { return time.Now() }
func (clock) After(d time.Duration) <-chan time.Time { return time.After(d) }

// carry carries out a plan in a run, with a new driver on a file system.
func (b *bench) carry(r *executor.Run, fsys afero.Fs) *executor.Report {
	b.t.Helper()
	cfg, d, diags := b.load(fsys)
	if diags.HasErrors() {
		b.t.Fatal(diags)
	}
	j, err := b.store.Journal(r, journal.Options{Now: time.Now})
	if err != nil {
		b.t.Fatal(err)
	}
	rep, err := executor.Carry(context.Background(), executor.Options{
		Plan: r.Plan, Config: cfg, Drivers: func(schema.Addr) executor.Driver { return d },
		Files: b.store.Files(r), Journal: j, Clock: clock{},
		Poll: executor.Poll{First: time.Millisecond, Most: time.Millisecond, Within: 3 * time.Millisecond},
	})
	if err != nil {
		b.t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		b.t.Fatal(err)
	}
	for _, e := range j.Entries() {
		b.clean(cfg, fmt.Sprint(e))
	}
	b.clean(cfg, b.log.String())
	return rep
}

func (b *bench) run(p *planner.Plan) *executor.Run {
	b.t.Helper()
	r, err := b.store.Create(p, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

// apply plans, carries out, and checks that nothing is left to do. It returns the plan and the resulting keystore.
func (b *bench) apply() (*planner.Plan, *Store) {
	b.t.Helper()
	p := b.plan()
	if len(p.Refusals()) > 0 || len(p.Steps) != 1 {
		b.t.Fatalf("%d steps, refused: %+v", len(p.Steps), p.Refusals())
	}
	b.now = b.now.Add(time.Second)
	rep := b.carry(b.run(p), b.fs)
	if !rep.Finished {
		b.t.Fatalf("not carried out: %+v", rep.Steps)
	}
	b.settled()
	s, err := Open(context.Background(), b.read(file), password)
	if err != nil {
		b.t.Fatal(err)
	}
	return p, s
}

// settled checks that the second plan is empty.
func (b *bench) settled() *planner.Plan {
	b.t.Helper()
	p := b.plan()
	if len(p.Steps) > 0 || len(p.Refusals()) > 0 {
		b.t.Errorf("the second plan is not empty: %+v %+v", p.Steps, p.Refusals())
	}
	return p
}

// rules returns the findings of a plan in the form "refuse expired", sorted.
func rules(p *planner.Plan) []string {
	var out []string
	for _, f := range p.Findings {
		out = append(out, string(f.Severity)+" "+strings.TrimPrefix(f.Rule, product+"/"))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// listing returns the names of the files next to the keystore.
func (b *bench) listing() []string {
	b.t.Helper()
	infos, err := afero.ReadDir(b.fs, "/keys")
	if err != nil {
		b.t.Fatal(err)
	}
	var out []string
	for _, i := range infos {
		out = append(out, i.Name())
	}
	return out
}

// recorded returns a keystore of pfx's test data.
func recorded(t testing.TB, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("pfx", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}
