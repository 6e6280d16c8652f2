package keystore

import (
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/syncctl/syncctl/driver/drivertest"
	"github.com/syncctl/syncctl/schema"
)

const ownEntry = `
  entry "own" {
    self_signed {
      subject  = "CN=own.test.example, OU=Sync, O=ACME\\, Inc., C=DE"
      dns      = ["own.test.example", "own"]
      ip       = ["192.0.2.7", "2001:db8::1"]
      days     = 400
      key_type = "ecdsa-p256"
    }
  }
`

// TestSelfSigned checks that a certificate is generated once, and again if it differs from the declaration or ends
// soon.
func TestSelfSigned(t *testing.T) {
	for _, format := range []Format{PKCS12, JKS} {
		b := newBench(t).declare(format, ownEntry+`names = ["own", "2001:db8::1"]`, nil)
		p, s := b.apply()
		if got := rules(p); !slices.Equal(got, []string{"note self-signed"}) {
			t.Errorf("%v", got)
		}
		first := s.Entry("own")
		c, err := first.Chain[0].X509()
		if err != nil {
			t.Fatal(err)
		}
		if c.Subject.String() != `CN=own.test.example,OU=Sync,O=ACME\, Inc.,C=DE` ||
			c.NotAfter.Sub(today).Hours() < 399*24 || c.IsCA || c.SignatureAlgorithm != x509.ECDSAWithSHA256 {
			t.Errorf("%s until %s", c.Subject, c.NotAfter)
		}
		for _, name := range []string{"own", "own.test.example", "192.0.2.7", "[2001:db8::1]"} {
			if err := c.VerifyHostname(name); err != nil {
				t.Error(err)
			}
		}
		for _, year := range []int{0, 1} { // kept until 30 days before its end
			b.now = today.AddDate(year, 0, 0)
			if p := b.settled(); !slices.Equal(rules(p), []string{"note self-signed"}) {
				t.Errorf("%v", rules(p))
			}
		}
		b.now = today.AddDate(0, 0, 371)
		p, s = b.apply()
		if why := p.Steps[0].Because; !strings.Contains(why, "it expires on "+day(today.AddDate(0, 0, 400))+", within "+
			"30 days") {
			t.Error(why)
		}
		if again := s.Entry("own"); again.Public == first.Public || again.Chain[0].Equal(first.Chain[0]) {
			t.Error("it was not made again")
		}
	}
}

func TestRenew(t *testing.T) {
	declared := func() *selfSigned {
		return &selfSigned{subject: "CN=own, O=ACME", dns: []string{"own", "www"}, ips: ipsOf("192.0.2.7"), days: 100,
			keyType: "ecdsa-p256"}
	}
	made, err := declared().make("own", today, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	f := newFamily(t)
	for name, c := range map[string]struct {
		change func(d *selfSigned, e *Entry)
		days   int
		want   string
	}{
		"as it is":               {func(*selfSigned, *Entry) {}, 0, ""},
		"names in another order": {func(d *selfSigned, _ *Entry) { d.dns = []string{"WWW", "own"} }, 0, ""},
		"days":                   {func(d *selfSigned, _ *Entry) { d.days = 4000 }, 0, ""},
		"subject": {func(d *selfSigned, _ *Entry) { d.subject = "CN=other" }, 0,
			"its subject is CN=own,O=ACME, declared is CN=other"},
		"name more": {func(d *selfSigned, _ *Entry) { d.dns = append(d.dns, "more") }, 0,
			"declared are 192.0.2.7, more, own, www"},
		"address less": {func(d *selfSigned, _ *Entry) { d.ips = nil }, 0,
			"its alternative names are 192.0.2.7, own, www, declared are own, www"},
		"kind of key": {func(d *selfSigned, _ *Entry) { d.keyType = "rsa-3072" }, 0,
			"its key is EC P-256, declared is RSA 3072"},
		"the day before": {func(*selfSigned, *Entry) {}, 69, ""},
		"30 days before": {func(*selfSigned, *Entry) {}, 71,
			"it expires on " + day(today.AddDate(0, 0, 100)) + ", within 30 days"},
		"expired": {func(*selfSigned, *Entry) {}, 101,
			"it expired on " + day(today.AddDate(0, 0, 100))},
		"not yet valid": {func(*selfSigned, *Entry) {}, -1, "it is not valid before " + day(today)},
		"of another key": {func(_ *selfSigned, e *Entry) { e.Public = "x" }, 0,
			"its key does not belong to its certificate"},
		"sealed":      {func(_ *selfSigned, e *Entry) { e.Sealed = true }, 0, "its own password"},
		"unencrypted": {func(_ *selfSigned, e *Entry) { e.Plain = true }, 0, "is not encrypted"},
		"issued by an authority": {func(_ *selfSigned, e *Entry) { *e = f.server.entry(t, "own") }, 0,
			"its certificate was signed by CN=Test Intermediate"},
		"without a certificate": {func(_ *selfSigned, e *Entry) { e.Chain = nil }, 0, "it has no certificate"},
		"certificate not readable": {func(_ *selfSigned, e *Entry) {
			e.Chain = []Certificate{NewCertificate([]byte("x"))}
		}, 0, "cannot be read"},
	} {
		d, e := declared(), made
		c.change(d, &e)
		got := d.renew(&e, today.AddDate(0, 0, c.days), 30)
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	for keyType, kind := range keyTypes {
		if strings.HasPrefix(keyType, "rsa-4") && !drivertest.TestsAll() { // which takes seconds
			continue
		}
		d := declared()
		d.keyType = keyType
		e, err := d.make("own", today, rand.Reader)
		if err != nil || e.Key != kind || d.renew(&e, today, 30) != "" {
			t.Errorf("%s: %s, %v, %q", keyType, e.Key, err, d.renew(&e, today, 30))
		}
	}
}

func TestName(t *testing.T) {
	for text, want := range map[string]string{
		"CN=server":                              "CN=server",
		"cn=a, ou=b, O=c d , L=e,ST=f,C=DE":      "CN=a,OU=b,O=c d,L=e,ST=f,C=DE",
		`CN=a, O="ACME, Inc."`:                   `CN=a,O=ACME\, Inc.`,
		`O=ACME\, Inc.; CN=a`:                    `CN=a,O=ACME\, Inc.`,
		`CN=M\C3\BCller`:                         "CN=Müller",
		"CN=Jürgen, EMAILADDRESS=a@test.example": `CN=Jürgen,1.2.840.113549.1.9.1=#0c0e6140746573742e6578616d706c65`,
		"":                "!is not part of a name",
		"server":          "!is not part of a name",
		"XY=server":       "!is not part of a name",
		"CN=":             "!has no value",
		"CN=a,":           "!is not part of a name",
		"CN=a, C=Germany": "!two letters",
		"CN=a+O=b":        "!not supported",
		`CN="a`:           "!not closed",
	} {
		der, parts, err := parseName(text)
		if want, bad := strings.CutPrefix(want, "!"); bad {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", text, err, want)
			}
			continue
		}
		d := &selfSigned{subject: text, keyType: "ecdsa-p256", days: 10}
		e, made := d.make("x", today, rand.Reader)
		if err != nil || made != nil {
			t.Errorf("%s: %v %v", text, err, made)
			continue
		}
		c, err := e.Chain[0].X509()
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if c.Subject.String() != want || string(c.RawSubject) != string(der) {
			t.Errorf("%s: %s, want %s", text, c.Subject, want)
		}
		if diff := cmp.Diff(parts, nameParts(c.RawSubject)); diff != "" || parts == nil {
			t.Errorf("%s: %s", text, diff)
		}
	}
}

// FuzzName: a subject is written as a certificate has it, or refused.
func FuzzName(f *testing.F) {
	for _, text := range []string{"CN=a, O=b", `CN="a,b"`, `CN=a\,b`, "CN=\xff", "C=DE", "E=ü@x"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		der, parts, err := parseName(text)
		if err != nil {
			return
		}
		if len(der) == 0 || parts == nil {
			t.Errorf("%q: %x %v", text, der, parts)
		}
		if fmt.Sprint(nameParts(der)) != fmt.Sprint(parts) {
			t.Errorf("%q compares as %v and %v", text, nameParts(der), parts)
		}
	})
}

// TestIrreplaceable checks which keystores count as irreplaceable: those with given content only, which cannot be
// generated again, and those that others use.
func TestIrreplaceable(t *testing.T) {
	body, files := newFamily(t).full(t)
	user := []schema.Addr{{Kind: schema.Server, Type: "x", Name: "y"}}
	for name, c := range map[string]struct {
		body  string
		users []schema.Addr
		want  string
	}{
		"made here": {ownEntry, nil, ""}, "made here, and used": {ownEntry, user, "server.x.y"},
		"given": {body, nil, "self_signed"}, "one of two": {body + ownEntry, nil, ""},
	} {
		cfg, d := newBench(t).declare(PKCS12, c.body, files).config()
		why := d.Irreplaceable(cfg.Resources[0], c.users)
		if (why == "") != (c.want == "") || !strings.Contains(why, c.want) {
			t.Errorf("%s: %q", name, why)
		}
	}
}
