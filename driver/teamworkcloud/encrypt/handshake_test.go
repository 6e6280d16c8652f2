package encrypt

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/driver/keystore"
	"github.com/syncctl/syncctl/schema"
)

// issued is a certificate with its key and issuer.
type issued struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	by   *issued
}

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// issue returns a certificate issued by by, or self-signed if by is nil. change can modify it before that.
func issue(t *testing.T, by *issued, name string, change func(*x509.Certificate)) *issued {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, BasicConstraintsValid: true,
		NotBefore: noon.AddDate(0, -1, 0), NotAfter: noon.AddDate(1, 0, 0), DNSNames: []string{"twc.a.example"},
	}
	if change != nil {
		change(c)
	}
	parent, signer := c, key
	if by != nil {
		parent, signer = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &issued{cert, key, by}
}

func authority(c *x509.Certificate) {
	c.IsCA, c.KeyUsage, c.DNSNames = true, x509.KeyUsageCertSign, nil
}

func (i *issued) certificate() keystore.Certificate { return keystore.NewCertificate(i.cert.Raw) }

func all(list ...*issued) []keystore.Certificate {
	var out []keystore.Certificate
	for _, i := range list {
		out = append(out, i.certificate())
	}
	return out
}

// TestMistrust checks that each thing that can be wrong with a presented certificate has its own rule.
func TestMistrust(t *testing.T) {
	root := issue(t, nil, "ACME Root", authority)
	middle := issue(t, root, "ACME Issuing", authority)
	leaf := issue(t, middle, "a", nil)
	other := issue(t, nil, "Other Root", authority)
	alone := issue(t, nil, "alone", nil)
	old := issue(t, root, "old", func(c *x509.Certificate) { c.NotAfter = noon.AddDate(0, 0, -1) })
	early := issue(t, root, "early", func(c *x509.Certificate) { c.NotBefore = noon.AddDate(0, 0, 1) })
	elsewhere := issue(t, root, "elsewhere", func(c *x509.Certificate) { c.DNSNames = []string{"twc.b.example"} })
	nameless := issue(t, root, "twc.a.example", func(c *x509.Certificate) { c.DNSNames = nil })
	past := issue(t, middle, "past", func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = noon.AddDate(0, -5, 0),
			noon.AddDate(0, -4, 0)
	})
	ended := issue(t, nil, "ended root", func(c *x509.Certificate) { authority(c); c.NotAfter = noon.AddDate(0, 0, -1) })
	under := issue(t, ended, "under", nil)
	halfway := issue(t, root, "halfway", func(c *x509.Certificate) { authority(c); c.NotAfter = noon.AddDate(0, 0, -1) })
	below := issue(t, halfway, "below", nil)
	for name, c := range map[string]struct {
		chain, trusted, more []*issued
		want                 []string
	}{
		"all is well":                 {[]*issued{leaf, middle}, []*issued{root}, nil, nil},
		"the root comes with it":      {[]*issued{leaf, middle, root}, []*issued{root}, nil, nil},
		"the intermediate is trusted": {[]*issued{leaf}, []*issued{middle}, nil, nil},
		"the certificate itself is":   {[]*issued{leaf}, []*issued{leaf}, nil, nil},
		"self-signed and trusted":     {[]*issued{alone}, []*issued{alone}, nil, nil},
		"self-signed":                 {[]*issued{alone}, []*issued{root}, nil, []string{"tls-untrusted"}},
		"another authority": {[]*issued{leaf, middle}, []*issued{other}, []*issued{leaf, middle},
			[]string{"tls-untrusted"}},
		"an intermediate is missing": {[]*issued{leaf}, []*issued{root}, []*issued{leaf, middle},
			[]string{"tls-incomplete"}},
		"it has expired":           {[]*issued{old}, []*issued{root}, nil, []string{"tls-expired"}},
		"before its authority was": {[]*issued{past, middle}, []*issued{root}, nil, []string{"tls-expired"}},
		"before another authority was": {[]*issued{past, middle}, []*issued{other}, nil,
			[]string{"tls-expired", "tls-untrusted"}},
		"it is not valid yet":             {[]*issued{early}, []*issued{root}, nil, []string{"tls-not-yet-valid"}},
		"another name":                    {[]*issued{elsewhere}, []*issued{root}, nil, []string{"tls-name"}},
		"the common name alone":           {[]*issued{nameless}, []*issued{root}, nil, []string{"tls-name"}},
		"all at once":                     {[]*issued{old}, []*issued{other}, nil, []string{"tls-expired", "tls-untrusted"}},
		"an anchor's own end counts not":  {[]*issued{under}, []*issued{ended}, nil, nil},
		"nor where it comes with it":      {[]*issued{under, ended}, []*issued{ended}, nil, nil},
		"that of an intermediate does":    {[]*issued{below, halfway, root}, []*issued{root}, nil, []string{"tls-expired"}},
		"nothing is trusted":              {[]*issued{leaf, middle}, nil, nil, []string{"tls-untrusted"}},
		"of no use: more of another root": {[]*issued{leaf}, []*issued{other}, []*issued{middle}, []string{"tls-untrusted"}},
	} {
		t.Run(name, func(t *testing.T) {
			tr := trust{whose: "the trust store", roots: all(c.trusted...), known: true}
			var got []string
			for _, p := range tr.mistrust(all(c.chain...), "twc.a.example", noon, all(c.more...)) {
				got = append(got, p.Rule)
				if p.Detail == "" || strings.Contains(p.Summary, "\n") {
					t.Errorf("%s: %q, %q: says not what to do", p.Rule, p.Summary, p.Detail)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

// TestLacks checks that a port which does not send an issuer's certificate gets the keystore again. It may leave out
// the root.
func TestLacks(t *testing.T) {
	root := issue(t, nil, "ACME Root", authority)
	middle := issue(t, root, "ACME Issuing", authority)
	leaf := issue(t, middle, "a", nil)
	chain := all(leaf, middle, root)
	store := &keystore.Store{Entries: []keystore.Entry{{Alias: "teamworkcloud", Chain: chain}}}
	for name, c := range map[string]struct {
		sent []*issued
		want []string
		why  string
	}{
		"all of it":        {[]*issued{leaf, middle, root}, nil, ""},
		"without the root": {[]*issued{leaf, middle}, nil, ""},
		"the leaf alone":   {[]*issued{leaf}, []string{"CN=ACME Issuing"}, `without the certificate of "CN=ACME Issuing"`},
		"another":          {[]*issued{root}, []string{"CN=a", "CN=ACME Issuing"}, "not in the keystore"},
	} {
		t.Run(name, func(t *testing.T) {
			p := &Handshake{Chain: all(c.sent...)}
			if got := p.lacks(chain); !slices.Equal(got, c.want) {
				t.Errorf("lacks %v, want %v", got, c.want)
			}
			if got := p.otherThan(store); !strings.Contains(got, c.why) || (got == "") != (c.why == "") {
				t.Errorf("%q, want %q", got, c.why)
			}
			st := &state{
				keystore: keystoreState{entries: []keystore.Entry{{Chain: chain}}}, port: Port{Enabled: true, Port: 10002},
				want: 10002, shown: p, lacks: p.lacks(chain),
			}
			if got := st.uploads(); got != (c.why != "") {
				t.Errorf("uploads: %t", got)
			}
		})
	}
}

// listen serves connections on loopback until the test ends.
func listen(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = c.Close() }()
				serve(c)
			}()
		}
	}()
	return l.Addr().String()
}

// TestHandshake checks what a port shows, or why it shows nothing.
func TestHandshake(t *testing.T) {
	root := issue(t, nil, "ACME Root", authority)
	leaf := issue(t, root, "a", nil)
	done := make(chan struct{})
	t.Cleanup(func() { close(done) })
	encrypted := listen(t, func(c net.Conn) {
		s := tls.Server(c,
			&tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{leaf.cert.Raw, root.cert.Raw},
				PrivateKey: leaf.key}}, MinVersion: tls.VersionTLS12})
		if s.HandshakeContext(t.Context()) == nil {
			<-done
		}
	})
	plain := listen(t, func(c net.Conn) { _, _ = c.Write([]byte("AKKA\x00\x00\x00\x04 hello")) })
	ending := listen(t, func(net.Conn) {})
	silent := listen(t, func(net.Conn) { <-done })
	closed, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := closed.Addr().String()
	_ = closed.Close()
	e := &Encryption{Servers: nowhere{}}
	for name, c := range map[string]struct {
		address, rule string
	}{
		"encrypted": {encrypted, ""}, "another protocol": {plain, rulePortForeign}, "hangs up": {ending, rulePortForeign},
		"nobody": {nobody, rulePortClosed},
		"silent": {silent, rulePortSilent},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			if c.rule == rulePortSilent {
				ctx, cancel = context.WithTimeout(t.Context(), 300*time.Millisecond)
			}
			defer cancel()
			p, err := e.shakeHands(ctx, nil, c.address, "twc.a.example")
			if err != nil {
				t.Fatal(err)
			}
			if p.Rule != c.rule || (p.Rule == "") != (p.leaf() != nil) || p.Rule != "" && p.Why == "" {
				t.Errorf("%+v, want the rule %q", p, c.rule)
			}
			if c.rule == "" && (len(p.Chain) != 2 || !strings.Contains(p.seen(), p.leaf().Fingerprint())) {
				t.Errorf("%d certificates: %s", len(p.Chain), p.seen())
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := e.shakeHands(ctx, nil, silent, "twc.a.example"); err == nil {
		t.Error("given up, and it is not an error")
	}
}

// nowhere has no servers, and no machines.
type nowhere struct{ Servers }

func (nowhere) Machine(*schema.Resource) (host.Host, error) { return nil, nil }

// TestHandshakeWithoutForwarding checks where the port of a server is looked for whose machine forwards no connections:
// never on this machine, where anybody may listen.
func TestHandshakeWithoutForwarding(t *testing.T) {
	for _, c := range []struct{ address, name, want string }{
		{"localhost:10002", "twc.a.example", "twc.a.example:10002"},
		{"twc.b.example:3579", "twc.b.example", "twc.b.example:3579"},
		{"localhost:10002", "", ""},
	} {
		dialed := ""
		e := &Encryption{Servers: forbidding{}, Env: driver.Env{
			Dial: func(_ context.Context, _, address string) (net.Conn, error) {
				dialed = address
				return nil, syscall.ECONNREFUSED
			},
		}}
		p, err := e.shakeHands(t.Context(), nil, c.address, c.name)
		if dialed != c.want || c.want != "" && (err != nil || p.Address != c.want || p.Rule != rulePortClosed) {
			t.Errorf("%v: connected to %q: %+v, %v", c, dialed, p, err)
		}
	}
}

// forbidding has machines that forward no connections.
type forbidding struct{ Servers }

func (forbidding) Machine(*schema.Resource) (host.Host, error) { return forbiddingHost{}, nil }

type forbiddingHost struct{ host.Host }

func (forbiddingHost) Name() string { return "admin@a" }

func (forbiddingHost) Dial(context.Context, string) (net.Conn, error) { return nil, host.ErrForbidden }
