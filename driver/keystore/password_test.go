package keystore

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	jks "github.com/pavlo-v-chernykh/keystore-go/v4"
	"github.com/spf13/afero"
	"golang.org/x/text/unicode/norm"
)

// newJKS makes a keystore of a library, with which our own reading and writing is compared.
func newJKS(random io.Reader) jks.KeyStore {
	options := []jks.Option{jks.WithOrderedAliases(), jks.WithCaseExactAliases()}
	if random != nil {
		options = append(options, jks.WithCustomRandomNumberGenerator(random))
	}
	return jks.New(options...)
}

// TestPasswordChange checks that a file that opens with the former password gets the new one, with all its content,
// whatever program wrote it.
func TestPasswordChange(t *testing.T) {
	f := newFamily(t)
	for _, c := range []struct {
		file   string
		format Format
	}{
		{"keytool8.p12", PKCS12},
		{"keytool17several.p12", PKCS12},
		{"keytool17trust.p12", PKCS12},
		{"openssllegacy.p12", PKCS12},
		{"opensslnoname.p12", PKCS12},
		{"opensslnomac.p12", PKCS12},
		{"opensslplain.p12", PKCS12},
		{"opensslcertificates.p12", PKCS12},
		{"keytool17.jks", JKS},
	} {
		for _, body := range []string{"", `trust "new" { certificate = file("root.pem") }`} {
			b := newBench(t)
			b.put(file, string(recorded(t, c.file)))
			b.env["PREVIOUS_PASSWORD"] = "changeit"
			b.declare(c.format, `previous_password = env("PREVIOUS_PASSWORD")`+"\n"+body,
				map[string]string{"root.pem": f.root.pem()})
			before, err := Open(context.Background(), recorded(t, c.file), "changeit")
			if err != nil {
				t.Fatal(err)
			}
			p, after := b.apply()
			want := "the password changes"
			// The password of a file without a MAC is that of its keys. If it has no keys either, every password
			// opens it.
			if !strings.Contains(p.Steps[0].Summary, want) || !strings.Contains(p.Steps[0].Because,
				"the file opens with previous_password") {
				t.Errorf("%s: %s because %s", c.file, p.Steps[0].Summary, p.Steps[0].Because)
			}
			if _, err := Open(context.Background(), b.read(file), "changeit"); err == nil {
				t.Errorf("%s: the former password still opens it", c.file)
			}
			expect := content(before)
			if body != "" {
				expect = append(expect, "new trusts CN=Test Root")
				slices.Sort(expect)
			}
			if diff := cmp.Diff(expect, content(after)); diff != "" {
				t.Errorf("%s: %s", c.file, diff)
			}
			for _, e := range before.Entries {
				now := after.Entry(e.Alias)
				if now == nil || now.Public != e.Public || e.Public == "" || now.Sealed || now.Plain ||
					!now.Created.Equal(e.Created) && !e.Created.IsZero() {
					t.Errorf("%s: %s was %+v and is %+v", c.file, e, e.Created, now)
				}
			}
		}
	}
}

// TestOpensWithEveryPassword checks that no password is wrong, and none is changed, if a file has neither a MAC nor
// anything encrypted.
func TestOpensWithEveryPassword(t *testing.T) {
	b := newBench(t)
	b.put(file, string(recorded(t, "keytool25open.p12")))
	b.declare(PKCS12, `previous_password = "changeit"`, nil)
	if p := b.settled(); !slices.Equal(rules(p), []string{"note unknown-alias", "note unprotected"}) {
		t.Errorf("%v", rules(p))
	}
}

// TestOtherKeyPassword: in a JKS each key may have a password of its own. Such a key stays as it is, also when the
// password of the keystore changes.
func TestOtherKeyPassword(t *testing.T) {
	f := newFamily(t)
	ks := newJKS(rand.Reader)
	key := f.server.entry(t, "")
	sealed := jks.PrivateKeyEntry{CreationTime: today, PrivateKey: key.key,
		CertificateChain: []jks.Certificate{{Type: "X.509", Content: f.server.DER}}}
	if err := ks.SetPrivateKeyEntry("sealed", sealed, []byte("its own")); err != nil {
		t.Fatal(err)
	}
	if err := ks.SetPrivateKeyEntry("open", sealed, []byte(previous)); err != nil {
		t.Fatal(err)
	}
	var src bytes.Buffer
	if err := ks.Store(&src, []byte(previous)); err != nil {
		t.Fatal(err)
	}
	b := newBench(t)
	b.put(file, src.String())
	b.declare(JKS, `previous_password = env("PREVIOUS_PASSWORD")`, nil)
	p, _ := b.apply()
	if got := rules(p); !slices.Equal(got, []string{"note unknown-alias", "warn other-key-password"}) {
		t.Errorf("%v", got)
	}
	after := newJKS(nil)
	if err := after.Load(bytes.NewReader(b.read(file)), []byte(password)); err != nil {
		t.Fatal(err)
	}
	for alias, with := range map[string]string{"sealed": "its own", "open": password} {
		if got, err := after.GetPrivateKeyEntry(alias, []byte(with)); err != nil || !bytes.Equal(got.PrivateKey, key.key) {
			t.Errorf("%s: %v", alias, err)
		}
	}
	// Declared, it gets the password of the keystore.
	body, files := f.full(t)
	b.declare(JKS, strings.ReplaceAll(body, `"server" {`, `"sealed" {`), files)
	p, s := b.apply()
	if why := p.Steps[0].Because; !strings.Contains(why, "the password of the keystore does not open its "+
		"key") || s.Entry("sealed").Sealed {
		t.Error(why)
	}
}

// TestCapitals checks aliases with capital letters. In a JKS, Java only finds small letters.
func TestCapitals(t *testing.T) {
	f := newFamily(t)
	body, files := f.full(t)
	b := newBench(t).declare(JKS, strings.ReplaceAll(body, `"server" {`, `"Server" {`), files)
	p, s := b.apply()
	if got := rules(p); !slices.Equal(got, []string{"note alias-case",
		"note private-ca"}) || s.Entries[0].Alias != "server" {
		t.Errorf("%v %v", got, content(s))
	}
	// Capitals in a file are corrected if the alias is declared.
	ks := newJKS(rand.Reader)
	if err := ks.SetTrustedCertificateEntry("CA", jks.TrustedCertificateEntry{CreationTime: today,
		Certificate: jks.Certificate{Type: "X.509", Content: f.root.DER}}); err != nil {
		t.Fatal(err)
	}
	var src bytes.Buffer
	if err := ks.Store(&src, []byte(password)); err != nil {
		t.Fatal(err)
	}
	b = newBench(t)
	b.put(file, src.String())
	p, s = b.declare(JKS, `trust "ca" { certificate = file("root.pem") }`, files).apply()
	if !strings.Contains(p.Steps[0].Because, `the file spells it "CA"`) || s.Trusted[0].Alias != "ca" {
		t.Errorf("%s %v", p.Steps[0].Because, content(s))
	}
	// In PKCS#12 openssl shows the capitals, and Java accepts them.
	b = newBench(t).declare(PKCS12, strings.ReplaceAll(body, `"server" {`, `"Server" {`), files)
	if _, s = b.apply(); s.Entries[0].Alias != "Server" {
		t.Errorf("%v", content(s))
	}
	b.declare(PKCS12, body, files).settled()
}

// TestFormat checks that a file's actual format is reported, and changed to the declared one.
func TestFormat(t *testing.T) {
	for _, c := range []struct {
		file     string
		declared Format
	}{{"openssl.p12", JKS}, {"keytool17.jks", PKCS12}} {
		b := newBench(t)
		b.env["PASSWORD"] = "changeit"
		b.put(file, string(recorded(t, c.file)))
		before, err := Open(context.Background(), recorded(t, c.file), "changeit")
		if err != nil {
			t.Fatal(err)
		}
		p := b.declare(c.declared, "", nil).plan()
		if got := rules(p); !slices.Equal(got, []string{"note unknown-alias",
			"warn other-format"}) || !strings.Contains(p.Steps[0].Summary, "the format changes") ||
			!strings.Contains(fmt.Sprint(p.Findings), `declare keystore "`+string(before.Format)+`"`) {
			t.Errorf("%s: %v %+v", c.file, got, p.Steps)
		}
		if rep := b.carry(b.run(p), b.fs); !rep.Finished {
			t.Fatalf("%+v", rep.Steps)
		}
		b.settled()
		after, err := Open(context.Background(), b.read(file), "changeit")
		if err != nil || after.Format != c.declared {
			t.Fatal(err, after)
		}
		if diff := cmp.Diff(content(before), content(after)); diff != "" {
			t.Error(diff)
		}
	}
}

// TestJava checks that the algorithms depend on the release of Java that must read the file.
func TestJava(t *testing.T) {
	for _, c := range []struct {
		file, java string
		says       string // "": nothing is to do
	}{
		{"keytool17.p12", "8", "Java 8 does not read the algorithms"},
		{"keytool17.p12", "10", "Java 10 does not read the algorithms"},
		{"keytool17.p12", "11", ""},
		{"keytool8.p12", "8", ""},
		{"keytool8.p12", "25", ""},
		{"opensslother.p12", "25", "no release of Java reads the algorithms"},
	} {
		b := newBench(t)
		b.env["PASSWORD"] = "changeit"
		b.put(file, string(recorded(t, c.file)))
		p := b.declare(PKCS12, "java = "+c.java, nil).plan()
		if c.says == "" {
			if len(p.Steps) > 0 {
				t.Errorf("%+v: %+v", c, p.Steps)
			}
			continue
		}
		if len(p.Steps) != 1 || !strings.Contains(p.Steps[0].Because, c.says) || !strings.Contains(p.Steps[0].Summary,
			"the protection changes") {
			t.Fatalf("%+v: %+v", c, p.Steps)
		}
		if rep := b.carry(b.run(p), b.fs); !rep.Finished {
			t.Fatalf("%+v", rep.Steps)
		}
		b.settled()
	}
}

// TestPasswordsThatJavaRefuses are said before they are written.
func TestPasswordsThatJavaRefuses(t *testing.T) {
	for _, c := range []struct {
		password string
		rules    []string
	}{{"kurz1", []string{"note self-signed", "warn short-password"}}, {"paßwort-4711",
		[]string{"note self-signed", "refuse password-characters"}}} {
		b := newBench(t).declare(PKCS12, ownEntry, nil)
		b.env["PASSWORD"] = c.password
		if got := rules(b.plan()); !slices.Equal(got, c.rules) {
			t.Errorf("%v, want %v", got, c.rules)
		}
	}
	for password, rule := range map[string]string{"密码": RuleWrongPassword, "\xff": RuleUnsupported} {
		if _, err := Open(context.Background(), recorded(t, "keytool17.jks"),
			password); err == nil || err.(*Error).Rule != rule { //nolint:errorlint // it is one
			t.Error(err)
		}
	}
}

// TestJKSPasswords: any text is a password of a JKS keystore, and only that text.
func TestJKSPasswords(t *testing.T) {
	f := newFamily(t)
	s := &Store{Format: JKS, Entries: []Entry{f.server.entry(t, "server")}}
	for _, password := range []string{"", "changeit", "cafe\u0301-4711", "caf\u00e9-4711", "密码", "\U0001f511"} {
		data, err := s.encodeJKS(password, rand.Reader, today)
		if err != nil {
			t.Fatal(err)
		}
		for _, other := range []string{password, password + "x", norm.NFC.String(password)} {
			back, err := Open(context.Background(), data, other)
			if (err == nil) != (other == password) || err == nil && back.Entries[0].Sealed {
				t.Errorf("%q written, %q read: %v", password, other, err)
			}
		}
		if len(password) > 0 && password[0] < 0x80 && !strings.ContainsRune(password, '\u0301') { // the library takes these
			var latin []byte
			for _, r := range password {
				latin = append(latin, byte(r))
			}
			ks := newJKS(nil)
			if err := ks.Load(bytes.NewReader(data), latin); err != nil {
				t.Error(err)
			}
			if _, err := ks.GetPrivateKeyEntry("server", latin); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestChangedInBetween checks that changes since the plan are not overwritten.
func TestChangedInBetween(t *testing.T) {
	f := newFamily(t)
	body, files := f.full(t)
	for name, change := range map[string]func(b *bench){
		"another content": func(b *bench) {
			b.written(&Store{Format: PKCS12, Entries: []Entry{f.server.entry(t, "new")}}, password)
		},
		"gone":      func(b *bench) { _ = b.fs.Remove(file) },
		"no longer": func(b *bench) { b.put(file, "text") },
	} {
		b := newBench(t)
		b.written(&Store{Format: PKCS12}, password)
		p := b.declare(PKCS12, body, files).plan()
		r := b.run(p)
		change(b)
		before, _ := afero.ReadFile(b.fs, file)
		rep := b.carry(r, b.fs)
		if rep.Finished || !rep.Steps[0].Moved {
			t.Errorf("%s: %+v", name, rep.Steps)
		}
		if after, _ := afero.ReadFile(b.fs, file); !bytes.Equal(before, after) || len(b.listing()) > 1 {
			t.Errorf("%s: it was touched: %v", name, b.listing())
		}
	}
}
