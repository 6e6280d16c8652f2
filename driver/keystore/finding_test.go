package keystore

import (
	"bytes"
	"crypto/dsa" //nolint:staticcheck // to see it refused
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/syncctl/syncctl/driver/keystore/pfx"
)

// TestFindings: what would fail is found before anything is written.
func TestFindings(t *testing.T) {
	f := newFamily(t)
	stranger := issue(t, "Stranger", nil, authority)
	twin := issue(t, "Test Intermediate", f.root, authority) // the same name, another key
	nobody := issue(t, "nobody.test.example", f.root)        // is not a CA
	of := func(by *party, change ...template) *party {
		return issue(t, "server.test.example", by, append([]template{dns("server.test.example")}, change...)...)
	}
	good := f.server.pem() + f.inter.pem() + f.root.pem()
	for name, c := range map[string]struct {
		certificate, chain string // certificate "": all that is right
		key                *party // nil: the right one
		body               string
		rules              []string
		says               string // in a summary or a detail
	}{
		"all right": {rules: []string{"note private-ca"},
			says: `entry "server": every client must trust CN=Test Root`},
		"root left out": {certificate: f.server.pem() + f.inter.pem(), rules: []string{"note private-ca"},
			says: "every client must trust CN=Test Root, which signed CN=Test Intermediate"},
		"root trusted": {certificate: f.server.pem() + f.inter.pem(),
			body: `trust "ca" { certificate = file("root.pem") }`, rules: []string{"note private-ca"},
			says: "SHA-256 " + f.root.Fingerprint()},
		"swapped key": {key: stranger, rules: []string{"refuse key-mismatch"},
			says: "the key (EC P-256) does not belong to the certificate CN=server.test.example"},
		"no intermediate": {certificate: f.server.pem(), rules: []string{"refuse chain-incomplete"},
			says: "CN=server.test.example was signed by CN=Test Intermediate, which is missing"},
		"hole in the chain": {certificate: f.server.pem(), chain: f.root.pem(),
			rules: []string{"refuse chain-incomplete"}, says: "Add the certificate of CN=Test Intermediate to chain"},
		"out of order": {certificate: f.server.pem(), chain: f.root.pem() + f.inter.pem(),
			rules: []string{"refuse chain-order"},
			says:  "CN=server.test.example, then CN=Test Intermediate, then CN=Test Root"},
		"root first": {certificate: f.root.pem() + f.inter.pem() + f.server.pem(),
			rules: []string{"refuse chain-order"}, says: "the key belongs to certificate 3"},
		"too much": {certificate: good, chain: stranger.pem(), rules: []string{"refuse chain-order"},
			says: "CN=Test Root is the end of the chain, and CN=Stranger follows it"},
		"namesake": {certificate: f.server.pem(), chain: twin.pem() + f.root.pem(),
			rules: []string{"note private-ca", "refuse chain-signature"}, says: "was not signed with the key"},
		"issued by no one": {certificate: of(nobody).pem(), chain: nobody.pem() + f.root.pem(),
			rules: []string{"refuse key-mismatch"}},
		"not covered": {body: `names = ["elsewhere.test.example"]`,
			rules: []string{"note private-ca", "refuse name-not-covered"},
			says:  "they cover 192.0.2.7, server.test.example, www.test.example"},
		"address not covered": {body: `names = ["192.0.2.8"]`, rules: []string{"note private-ca",
			"refuse name-not-covered"}},
		"address covered": {body: `names = ["192.0.2.7", "WWW.test.example"]`, rules: []string{"note private-ca"}},
		"trusted expired": {body: `trust "old" { certificate = file("old.pem") }`,
			rules: []string{"note private-ca", "warn expired"},
			says:  `trusted certificate "old": CN=Old Root expired on 2027-05-31`},
		"trusted is weak": {body: `trust "weak" { certificate = file("weak.pem") }`,
			rules: []string{"note private-ca", "warn weak-key"}, says: "RSA of 1024 bits"},
		"server is trusted": {certificate: f.server.pem(), body: `trust "it" { certificate = file("server.pem") }`,
			rules: nil},
		"an authority is mine": {certificate: f.server.pem(), body: `trust "i" { certificate = file("inter.pem") }`,
			rules: []string{"note private-ca"}, says: "every client must trust CN=Test Intermediate"},
	} {
		t.Run(name, func(t *testing.T) {
			key := c.key
			if key == nil {
				key = f.server
			}
			certificate := c.certificate
			if certificate == "" {
				certificate = good
			}
			weak, err := rsa.GenerateKey(rand.Reader, 1024)
			if err != nil {
				t.Fatal(err)
			}
			b := newBench(t).declare(PKCS12, fmt.Sprintf("entry \"server\" {\n certificate = file(\"cert.pem\")\n key = "+
				"file(\"key.pem\")\n%s}\n%s\n",
				map[bool]string{true: "chain = file(\"chain.pem\")\n"}[c.chain != ""], c.body), map[string]string{
				"cert.pem": certificate, "chain.pem": c.chain, "key.pem": key.keyPEM(t),
				"root.pem": f.root.pem(), "server.pem": f.server.pem(), "inter.pem": f.inter.pem(),
				"old.pem":  issue(t, "Old Root", nil, authority, expires(today.AddDate(0, 0, -1))).pem(),
				"weak.pem": issueFor(t, weak, "Weak Root", nil, authority).pem(),
			})
			p := b.plan()
			if diff := cmp.Diff(c.rules, rules(p)); diff != "" {
				t.Errorf("%s\n%+v", diff, p.Findings)
			}
			if text := fmt.Sprintf("%+v", p.Findings); !strings.Contains(text, c.says) {
				t.Errorf("it does not say %q: %s", c.says, text)
			}
			for _, x := range p.Findings {
				if x.Detail == "" || strings.Contains(x.Summary, "\n") {
					t.Errorf("%+v", x)
				}
			}
			if len(p.Refusals()) == 0 {
				b.apply()
			}
		})
	}
}

// checked are the problems of entries, at the time of the tests.
func checked(entries []Entry, names ...string) []Problem {
	k := &checker{now: today, warnDays: 30, names: names}
	for i := range entries {
		k.entry(&entries[i])
	}
	k.covered(entries, nil)
	return k.out
}

// TestCheck: dates, keys, algorithms, names, of one entry.
func TestCheck(t *testing.T) {
	root := issue(t, "Test Root", nil, authority)
	rsaKey := func(bits int) *rsa.PrivateKey {
		key, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	small, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaRoot := issueFor(t, rsaKey(2048), "RSA Root", nil, authority)
	signedWith := func(a x509.SignatureAlgorithm) template {
		return func(c *x509.Certificate) { c.SignatureAlgorithm = a }
	}
	soon := today.AddDate(0, 0, 7)
	for name, c := range map[string]struct {
		entry *party
		names []string
		rules []string
		says  string
	}{
		"good": {entry: issue(t, "a", root)},
		"expired": {entry: issue(t, "a", root, expires(today.Add(-time.Second))),
			rules: []string{"refuse expired"}, says: "CN=a expired on 2027-06-01"},
		"expires next week": {entry: issue(t, "a", root, expires(soon)), rules: []string{"warn expires-soon"},
			says: "CN=a expires on 2027-06-08"},
		"expires in a month": {entry: issue(t, "a", root, expires(today.AddDate(0, 0, 30).Add(time.Second)))},
		"not yet valid": {entry: issue(t, "a", root, func(c *x509.Certificate) { c.NotBefore = soon }),
			rules: []string{"refuse not-yet-valid"}, says: "not valid before 2027-06-08 12:00 UTC"},
		"authority expired": {entry: issue(t, "a", issue(t, "Inter", root, authority, expires(today.Add(-time.Hour)))),
			rules: []string{"refuse expired"}, says: "CN=Inter expired"},
		"root expired": {entry: issue(t, "a", issue(t, "Root", nil, authority, expires(today.Add(-time.Hour)))),
			rules: []string{"warn expired"}},
		"RSA of 1024 bits": {entry: issueFor(t, rsaKey(1024), "a", root), rules: []string{"refuse weak-key"},
			says: "RSA of 1024 bits"},
		"RSA of 2048 bits": {entry: issueFor(t, rsaKey(2048), "a", root)},
		"small curve": {entry: issueFor(t, small, "a", root), rules: []string{"refuse weak-key"},
			says: "a curve of 224 bits"},
		"SHA-1": {entry: issue(t, "a", rsaRoot, signedWith(x509.SHA1WithRSA)),
			rules: []string{"refuse weak-signature"}, says: "SHA1-RSA"},
		"SHA-1 of one's own": {entry: issueFor(t, rsaKey(2048), "a", nil, signedWith(x509.SHA1WithRSA)),
			rules: []string{"note self-signed", "warn weak-signature"}},
		"self-signed": {entry: issue(t, "a", nil), rules: []string{"note self-signed"},
			says: "must trust this very certificate"},
		"no authority": {entry: issue(t, "a", issue(t, "server", root,
			func(c *x509.Certificate) { c.BasicConstraintsValid = true })), rules: []string{"refuse chain-signature"},
			says: "CN=server, which is not a CA"},
		"common name alone": {entry: issue(t, "server.example", root), names: []string{"server.example"},
			rules: []string{"refuse name-not-covered"}, says: "The common name of the subject is not enough"},
		"wildcard": {entry: issue(t, "a", root, dns("*.example")), names: []string{"server.example"}},
		"wildcard, one deeper": {entry: issue(t, "a", root, dns("*.example")), names: []string{"a.server.example"},
			rules: []string{"refuse name-not-covered"}, says: "they cover *.example"},
		"address as a name": {entry: issue(t, "a", root, dns("192.0.2.1")), names: []string{"192.0.2.1"},
			rules: []string{"refuse name-not-covered"}},
		"address, version 6": {entry: issue(t, "a", root,
			func(c *x509.Certificate) { c.IPAddresses = ipsOf("2001:db8::1") }), names: []string{"2001:0db8::0001"}},
	} {
		t.Run(name, func(t *testing.T) {
			found := checked([]Entry{c.entry.entry(t, "a")}, c.names...)
			var got, text []string
			for _, p := range found {
				if p.Rule != "private-ca" {
					got = append(got, string(p.Severity)+" "+p.Rule)
				}
				text = append(text, p.Summary, p.Detail)
			}
			slices.Sort(got)
			if diff := cmp.Diff(c.rules, got); diff != "" {
				t.Errorf("%s%v", diff, text)
			}
			if !strings.Contains(strings.Join(text, "\n"), c.says) {
				t.Errorf("it does not say %q: %v", c.says, text)
			}
		})
	}
	if found := checked([]Entry{{Alias: "bare"}}); len(found) != 1 || found[0].Rule != "no-certificate" {
		t.Errorf("%+v", found)
	}
	if why := weakKey(&x509.Certificate{PublicKey: &dsa.PublicKey{}}); !strings.Contains(why, "DSA") {
		t.Errorf("DSA: %q", why)
	}
}

// TestUnreadableCertificate: what Go cannot read is kept, and said.
func TestUnreadableCertificate(t *testing.T) {
	f := newFamily(t)
	odd := bytes.Replace(f.server.DER, []byte{6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7},
		[]byte{6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 6}, 1) // another curve
	c := NewCertificate(odd)
	if _, err := c.X509(); err == nil {
		t.Fatal("it can be read")
	}
	if c.Name() != "CN=server.test.example" || c.Issuer() != "CN=Test Intermediate" || !c.until.Equal(f.server.until) {
		t.Errorf("%s", c)
	}
	b := newBench(t)
	b.written(&Store{Format: PKCS12, Trusted: []Trusted{{Alias: "odd", Certificate: c}},
		Entries: []Entry{{Alias: "mine", Chain: []Certificate{c}, key: f.server.entry(t, "").key}}}, password)
	body, files := f.full(t)
	b.declare(PKCS12, body, files)
	p, s := b.apply()
	if got := rules(p); !slices.Contains(got,
		"warn unreadable-certificate") || s.Trust("odd") == nil || !s.Trust("odd").Certificate.Equal(c) ||
		len(s.Entry("mine").Chain) != 3 {
		t.Errorf("%v %v", got, content(s))
	}
}

// TestWhatLiesThere: findings about the file itself. None of them writes anything.
func TestWhatLiesThere(t *testing.T) {
	f := newFamily(t)
	body, files := f.full(t)
	legacy := recorded(t, "openssllegacy.p12")
	for name, c := range map[string]struct {
		there []byte
		body  string
		rules []string
		says  string
	}{
		"other password": {there: legacy, rules: []string{"refuse wrong-password"},
			says: "/keys/server.p12 on this machine: the password does not open it"},
		"other passwords": {there: legacy, body: `previous_password = "neither-nor"`,
			rules: []string{"refuse wrong-password"}},
		"cut off":             {there: legacy[:1000], rules: []string{"refuse truncated"}, says: "1000 bytes of 1983"},
		"JKS cut off":         {there: recorded(t, "keytool17.jks")[:1500], rules: []string{"refuse truncated"}},
		"JKS, other password": {there: recorded(t, "keytool17.jks"), rules: []string{"refuse wrong-password"}},
		"empty":               {there: []byte{}, rules: []string{"refuse not-a-keystore"}, says: "the file is empty"},
		"PEM":                 {there: []byte(f.root.pem()), rules: []string{"refuse not-a-keystore"}, says: "text in PEM"},
		"certificate":         {there: f.root.DER, rules: []string{"refuse not-a-keystore"}, says: "a single certificate"},
		"key": {there: f.server.entry(t, "").key, rules: []string{"refuse not-a-keystore"},
			says: "a private key"},
		"JCEKS": {there: recorded(t, "keytool17.jceks"), rules: []string{"refuse not-a-keystore"},
			says: "keytool -importkeystore -srcstoretype jceks"},
		"anything": {there: []byte("hello"), rules: []string{"refuse not-a-keystore"},
			says: "neither PKCS#12 nor JKS"},
		"damaged": {there: append([]byte{0x30, 0x82, 0, 9, 2, 1, 3}, make([]byte, 6)...),
			rules: []string{"refuse not-a-keystore"}, says: "is damaged"},
		"damaged JKS": {there: []byte("\xfe\xed\xfe\xed\x00\x00\x00\x09\x00\x00\x00\x00"),
			rules: []string{"refuse not-a-keystore"}, says: "is damaged"},
		"huge": {there: make([]byte, mostBytes+1), rules: []string{"refuse not-a-keystore"},
			says: "too many for a keystore"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.put(file, string(c.there))
			p := b.declare(PKCS12, body+c.body, files).plan()
			if diff := cmp.Diff(c.rules, rules(p)); diff != "" || len(p.Steps) > 0 {
				t.Errorf("%s%+v", diff, p)
			}
			if text := fmt.Sprintf("%+v", p.Findings); !strings.Contains(text, c.says) || p.Findings[0].Detail == "" {
				t.Errorf("it does not say %q: %s", c.says, text)
			}
			if !bytes.Equal(b.read(file), c.there) || len(b.listing()) != 1 {
				t.Error("it was touched")
			}
		})
	}
	b := newBench(t).declare(PKCS12, body, files)
	if err := b.fs.Remove("/keys"); err != nil {
		t.Fatal(err)
	}
	if got := rules(b.plan()); !slices.Equal(got, []string{"refuse no-folder"}) {
		t.Errorf("without a folder: %v", got)
	}
	if got := rules(newBench(t).declare(PKCS12, "", nil).plan()); !slices.Equal(got, []string{"refuse empty"}) {
		t.Errorf("with nothing declared: %v", got)
	}
}

// TestObstacles: a file that cannot be written without a loss is not written; as long as nothing is to be written,
// it is used.
func TestObstacles(t *testing.T) {
	f := newFamily(t)
	server, root := f.server.entry(t, "server"), f.root.Certificate
	st := &Store{Format: PKCS12, Entries: []Entry{server, f.root.entry(t, "SERVER")},
		Trusted: []Trusted{{Alias: "ca", Certificate: root}}}
	st.Entries[0], st.Entries[1] = st.Entries[1], st.Entries[0]
	secret := pfx.Bag{Kind: pfx.Secret, Type: []int{1, 2, 3}, DER: []byte{4, 1, 7}, Name: "aes", Named: true,
		KeyID: []byte("Time 9")}
	withSecret := &Store{Format: PKCS12, Entries: []Entry{server}, Trusted: st.Trusted, secrets: []pfx.Bag{secret}}
	sealed := server
	sealed.Alias, sealed.id = "sealed", []byte("Time 5")
	var err error
	if sealed.sealed, err = sealedKey(); err != nil {
		t.Fatal(err)
	}
	withSealed := &Store{Format: PKCS12, Entries: []Entry{server, sealed}, Trusted: st.Trusted}
	body, files := f.full(t)
	less := `trust "ca" { certificate = file("root.pem") }`
	more := body + `trust "more" { certificate = file("server.pem") }`
	for name, c := range map[string]struct {
		there  *Store
		format Format
		body   string
		rules  []string
		has    []string // after it was carried out; nil: it is refused, or there is nothing to do
	}{
		"alias twice, nothing to do": {st, PKCS12, body, []string{"note private-ca", "warn duplicate-alias"}, nil},
		"alias twice": {st, PKCS12, more, []string{"note private-ca", "refuse duplicate-alias",
			"warn duplicate-alias"}, nil},
		"alias twice, others go": {st, PKCS12, more + "\nkeep_others = false",
			[]string{"note private-ca", "warn duplicate-alias", "warn unknown-alias"},
			[]string{"ca trusts CN=Test Root", "more trusts CN=server.test.example", serverChain}},
		"secret stays": {withSecret, PKCS12, more, []string{"note private-ca", "note unknown-alias"},
			[]string{"ca trusts CN=Test Root", "more trusts CN=server.test.example", "secret aes", serverChain}},
		"secret to JKS": {withSecret, JKS, body, []string{"note private-ca", "note unknown-alias",
			"refuse unsupported-entry", "warn other-format"}, nil},
		"secret goes": {withSecret, JKS, body + "\nkeep_others = false",
			[]string{"note private-ca", "warn other-format", "warn unknown-alias"},
			[]string{"ca trusts CN=Test Root", serverChain}},
		"sealed key stays": {withSealed, PKCS12, more, []string{"note private-ca", "note unknown-alias",
			"warn other-key-password"}, []string{
			"ca trusts CN=Test Root", "more trusts CN=server.test.example", strings.Replace(serverChain, "server", "sealed",
				1), serverChain,
		}},
		"sealed key to JKS": {withSealed, JKS, body, []string{"note private-ca", "note unknown-alias",
			"refuse unsupported-entry", "warn other-format", "warn other-key-password"}, nil},
		"only trust": {withSecret, PKCS12, less, []string{"note unknown-alias"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			before := b.written(c.there, password)
			p := b.declare(c.format, c.body, files).plan()
			if diff := cmp.Diff(c.rules, rules(p)); diff != "" {
				t.Errorf("%s%+v", diff, p.Findings)
			}
			if c.has == nil {
				if len(p.Refusals()) == 0 {
					b.settled()
				}
				if !bytes.Equal(b.read(file), before) {
					t.Error("it was touched")
				}
				return
			}
			_, s := b.apply()
			if diff := cmp.Diff(c.has, content(s)); diff != "" {
				t.Error(diff)
			}
			if e := s.Entry("sealed"); e != nil && !e.Sealed {
				t.Error("the key was opened")
			}
		})
	}
}

// sealedKey is a key that no password opens.
func sealedKey() ([]byte, error) {
	return asn1.Marshal(struct {
		Algorithm pkix.AlgorithmIdentifier
		Sealed    []byte
	}{pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 3}}, []byte("sealed")})
}

// TestAmbiguousChain: two authorities of one name cannot both be in a PKCS#12 file, where Java tells them apart by
// nothing else.
func TestAmbiguousChain(t *testing.T) {
	f, g := newFamily(t), newFamily(t)
	both := map[string]string{"a.pem": f.server.pem() + f.inter.pem() + f.root.pem(), "a.key": f.server.keyPEM(t),
		"b.pem": g.server.pem() + g.inter.pem() + g.root.pem(), "b.key": g.server.keyPEM(t)}
	body := `
  entry "a" {
    certificate = file("a.pem")
    key         = file("a.key")
  }
  entry "b" {
    certificate = file("b.pem")
    key         = file("b.key")
  }
`
	p := newBench(t).declare(PKCS12, body, both).plan()
	if got := rules(p); !slices.Equal(got, []string{"note private-ca", "refuse ambiguous-chain"}) {
		t.Errorf("%v", got)
	}
	newBench(t).declare(JKS, body, both).apply()

	// What is not declared may get the renewed certificate of its authority, and no other.
	renewed := issueFor(t, g.inter.key, "Test Intermediate", g.root, authority)
	for name, c := range map[string]struct {
		chain string
		rules []string
	}{
		"renewed": {renewed.pem() + g.root.pem(), []string{"note private-ca", "note unknown-alias", "warn ambiguous-chain"}},
		"another": {f.inter.pem() + f.root.pem(), []string{"note private-ca", "note unknown-alias",
			"refuse ambiguous-chain"}},
	} {
		b := newBench(t)
		b.written(&Store{Format: PKCS12, Entries: []Entry{g.server.entry(t, "b")}}, password)
		mine := issue(t, "mine", renewed)
		if name == "another" {
			mine = issue(t, "mine", f.inter)
		}
		b.declare(PKCS12, `
  entry "a" {
    certificate = file("a.pem")
    key         = file("a.key")
  }
`, map[string]string{"a.pem": mine.pem() + c.chain, "a.key": mine.keyPEM(t)})
		p := b.plan()
		if diff := cmp.Diff(c.rules, rules(p)); diff != "" {
			t.Errorf("%s: %s%+v", name, diff, p.Findings)
		}
		if len(p.Refusals()) > 0 {
			continue
		}
		if _, s := b.apply(); !s.Entry("b").Chain[1].Equal(renewed.Certificate) {
			t.Errorf("%v", content(s))
		}
	}
}

func ipsOf(texts ...string) []net.IP {
	var out []net.IP
	for _, text := range texts {
		out = append(out, net.ParseIP(text))
	}
	return out
}
