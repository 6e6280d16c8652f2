package keystore

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
	gopkcs12 "software.sslmate.com/src/go-pkcs12"
)

// storePassword is what Java protects its own trust store with, and what pfx's test data is protected with.
const storePassword = "changeit"

// passwordless is a trust store as Java has it since release 18: nothing of it is encrypted, and it has no MAC.
func passwordless(t testing.TB, authorities ...*x509.Certificate) []byte {
	t.Helper()
	var all []gopkcs12.TrustStoreEntry
	for i, c := range authorities {
		all = append(all, gopkcs12.TrustStoreEntry{Cert: c, FriendlyName: fmt.Sprintf("authority %d", i)})
	}
	out, err := gopkcs12.Passwordless.EncodeTrustStoreEntries(all, "")
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func jksTrustStore(t testing.TB, password string, authorities ...*x509.Certificate) []byte {
	t.Helper()
	s := &Store{Format: JKS}
	for i, c := range authorities {
		s.Trusted = append(s.Trusted, Trusted{Alias: fmt.Sprintf("authority %d", i), Certificate: NewCertificate(c.Raw), Created: today.Add(time.Duration(i) * time.Hour)})
	}
	out, err := s.encodeJKS(password, rand.Reader, today)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func trustedAs(alias string, c *x509.Certificate) Trusted {
	return Trusted{Alias: alias, Certificate: NewCertificate(c.Raw)}
}

// TestAddTrust: the certificate is there, all else stays, the form stays, and other programs read it.
func TestAddTrust(t *testing.T) {
	f := newFamily(t)
	one, two, added := issue(t, "One CA", nil, authority), issue(t, "Two CA", nil, authority), issue(t, "ACME CA", nil, authority)
	protected := func(e *gopkcs12.Encoder) []byte {
		out, err := e.EncodeTrustStoreEntries([]gopkcs12.TrustStoreEntry{{Cert: one.parsed, FriendlyName: "authority 0"}, {Cert: two.parsed, FriendlyName: "authority 1"}}, storePassword)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	pair, err := gopkcs12.Modern2023.Encode(f.server.key, f.server.parsed, []*x509.Certificate{f.inter.parsed}, storePassword)
	if err != nil {
		t.Fatal(err)
	}
	for name, src := range map[string][]byte{
		"JKS": jksTrustStore(t, storePassword, one.parsed, two.parsed), "without a password": passwordless(t, one.parsed, two.parsed),
		"modern": protected(gopkcs12.Modern2023), "legacy": protected(gopkcs12.LegacyDES), "with a key": pair,
		"empty": jksTrustStore(t, storePassword),
	} {
		t.Run(name, func(t *testing.T) {
			before, err := Open(src, storePassword)
			if err != nil {
				t.Fatal(err)
			}
			out, err := AddTrust(src, storePassword, []Trusted{trustedAs("Acme-CA", added.parsed)}, today, rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			after, err := Open(out, storePassword)
			if err != nil {
				t.Fatal(err)
			}
			if !after.Trusts(NewCertificate(added.parsed.Raw)) || before.Trusts(NewCertificate(added.parsed.Raw)) {
				t.Error("the certificate is not trusted, or was before")
			}
			if after.Format != before.Format || after.Level > before.Level || after.Unprotected != before.Unprotected || after.Unencrypted != before.Unencrypted {
				t.Errorf("another form: %+v", after)
			}
			want := append(asKeytool(before), asKeytool(&Store{Trusted: []Trusted{trustedAs("Acme-CA", added.parsed)}})...)
			slices.Sort(want)
			if diff := cmp.Diff(want, asKeytool(after)); diff != "" {
				t.Error(diff)
			}
			for release, program := range keytools() {
				if diff := cmp.Diff(want, keytoolSees(t, program, on(t, out), storePassword)); diff != "" {
					t.Errorf("keytool %s: %s", release, diff)
				}
			}
			again, err := AddTrust(out, storePassword, []Trusted{trustedAs("another-name", added.parsed)}, today, rand.Reader)
			if err != nil || !bytes.Equal(again, out) {
				t.Errorf("what is trusted already was added again: %v", err)
			}
			if before.Unprotected {
				checkPasswordless(t, out, one.parsed, two.parsed, added.parsed)
			}
		})
	}
}

// checkPasswordless: another reader sees all of it with no password, as Java's default trust manager has none.
func checkPasswordless(t *testing.T, content []byte, want ...*x509.Certificate) {
	t.Helper()
	got, err := gopkcs12.DecodeTrustStore(content, "")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.EqualFunc(got, want, (*x509.Certificate).Equal) {
		t.Errorf("%d certificates are seen without a password, want %d", len(got), len(want))
	}
}

// TestAddTrustRefuses: what would lose something, or could not be found again, is refused, and the reason names both.
func TestAddTrustRefuses(t *testing.T) {
	one, other := issue(t, "One CA", nil, authority), issue(t, "ACME CA", nil, authority)
	src := jksTrustStore(t, storePassword, one.parsed)
	for name, c := range map[string]struct {
		src      []byte
		password string
		add      []Trusted
		want     []string
	}{
		"a taken alias":       {src, storePassword, []Trusted{trustedAs("AUTHORITY 0", other.parsed)}, []string{"CN=One CA", "CN=ACME CA", `"authority 0"`}},
		"one alias twice":     {src, storePassword, []Trusted{trustedAs("a", other.parsed), trustedAs("A", issue(t, "Third CA", nil, authority).parsed)}, []string{"CN=ACME CA", "CN=Third CA"}},
		"no alias":            {src, storePassword, []Trusted{trustedAs("", other.parsed)}, []string{"an alias is not empty"}},
		"a control character": {src, storePassword, []Trusted{trustedAs("a\x1b[2J", other.parsed)}, []string{"control characters"}},
		"no certificate":      {src, storePassword, []Trusted{{Alias: "a", Certificate: NewCertificate([]byte("none"))}}, []string{"it is no certificate"}},
		"another password":    {src, "other", []Trusted{trustedAs("a", other.parsed)}, []string{"the password"}},
		"cut off":             {src[:len(src)/2], storePassword, []Trusted{trustedAs("a", other.parsed)}, []string{"cut off"}},
		"no keystore":         {[]byte("no keystore"), storePassword, []Trusted{trustedAs("a", other.parsed)}, []string{"neither PKCS#12 nor JKS"}},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := AddTrust(c.src, c.password, c.add, today, rand.Reader)
			if err == nil || out != nil {
				t.Fatalf("%d bytes, %v", len(out), err)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v: says nothing of %s", err, want)
				}
			}
		})
	}
}

// TestAddTrustKeepsAll: whatever programs have written stays as it is under additions, or is refused.
func TestAddTrustKeepsAll(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("pfx", "testdata", "*"))
	if err != nil {
		t.Fatal(err)
	}
	added := issue(t, "ACME CA", nil, authority)
	kept := 0
	for _, name := range files {
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		before, err := Open(src, storePassword)
		if err != nil {
			continue
		}
		out, err := AddTrust(src, storePassword, []Trusted{trustedAs("acme", added.parsed)}, today, rand.Reader)
		if err != nil {
			if len(before.Hindrances([]Trusted{trustedAs("acme", added.parsed)})) == 0 && !strings.Contains(err.Error(), "wrong chain") {
				t.Errorf("%s: refused without a hindrance: %v", name, err)
			}
			continue
		}
		kept++
		after, err := Open(out, storePassword)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(after.Trusted); got != len(before.Trusted)+1 || len(after.Entries) != len(before.Entries) || !slices.Equal(after.Secrets, before.Secrets) {
			t.Errorf("%s: %s became %s", name, before, after)
		}
	}
	if kept < 5 {
		t.Errorf("only %d of %d files were added to: this tests nothing", kept, len(files))
	}
}

// TestAddTrustProperty: what is added one after the other is all there, in order, in either format.
func TestAddTrustProperty(t *testing.T) {
	var pool []*x509.Certificate
	for i := range 8 {
		pool = append(pool, issue(t, fmt.Sprintf("CA %d", i), nil, authority).parsed)
	}
	first := issue(t, "First CA", nil, authority).parsed
	starts := [][]byte{jksTrustStore(t, storePassword, first), passwordless(t, first)}
	rapid.Check(t, func(t *rapid.T) {
		content := starts[rapid.IntRange(0, 1).Draw(t, "format")]
		want := []*x509.Certificate{first}
		for range rapid.IntRange(0, 5).Draw(t, "times") {
			at := rapid.IntRange(0, len(pool)-1).Draw(t, "which")
			out, err := AddTrust(content, storePassword, []Trusted{trustedAs(fmt.Sprintf("ca %d", at), pool[at])}, today, rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			if slices.ContainsFunc(want, pool[at].Equal) != bytes.Equal(out, content) {
				t.Fatalf("%d: written anew for nothing, or not at all", at)
			}
			if !slices.ContainsFunc(want, pool[at].Equal) {
				want = append(want, pool[at])
			}
			content = out
		}
		s, err := Open(content, storePassword)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.EqualFunc(s.Trusted, want, func(a Trusted, c *x509.Certificate) bool { return bytes.Equal(a.Certificate.DER, c.Raw) }) {
			t.Fatalf("%d are trusted, want %d", len(s.Trusted), len(want))
		}
	})
}

// FuzzAddTrust: foreign bytes are added to with all that is in them, or refused.
func FuzzAddTrust(f *testing.F) {
	added := trustedAs("acme", issue(f, "ACME CA", nil, authority).parsed)
	f.Add(jksTrustStore(f, storePassword, issue(f, "One CA", nil, authority).parsed))
	f.Add(passwordless(f, issue(f, "Two CA", nil, authority).parsed))
	f.Fuzz(func(t *testing.T, src []byte) {
		if len(src) > 1<<16 {
			return
		}
		out, err := AddTrust(src, storePassword, []Trusted{added}, today, rand.Reader)
		if err != nil {
			var unusable *Error
			if errors.As(err, &unusable) && unusable.Help == "" || out != nil {
				t.Errorf("%v", err)
			}
			return
		}
		s, err := Open(out, storePassword)
		if err != nil || !s.Trusts(added.Certificate) {
			t.Errorf("%v: not trusted", err)
		}
	})
}

// BenchmarkAddTrust adds to as many authorities as Java brings.
func BenchmarkAddTrust(b *testing.B) {
	var all []*x509.Certificate
	for i := range 150 {
		all = append(all, issue(b, fmt.Sprintf("CA %d", i), nil, authority).parsed)
	}
	added := []Trusted{trustedAs("acme", issue(b, "ACME CA", nil, authority).parsed)}
	for name, src := range map[string][]byte{"jks": jksTrustStore(b, storePassword, all...), "pkcs12": passwordless(b, all...)} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(src)))
			for b.Loop() {
				if _, err := AddTrust(src, storePassword, added, today, rand.Reader); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
