package keystore

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/syncctl/syncctl/driver/declare"
)

// content describes a keystore in words.
func content(s *Store) []string {
	var out []string
	for _, e := range s.Entries {
		out = append(out, fmt.Sprintf("%s: %s", e.Alias, chainNames(e.Chain)))
	}
	for _, t := range s.Trusted {
		out = append(out, fmt.Sprintf("%s trusts %s", t.Alias, t.Certificate.Name()))
	}
	for _, l := range s.Loose {
		out = append(out, "loose "+l.Certificate.Name())
	}
	for _, alias := range s.Secrets {
		out = append(out, "secret "+alias)
	}
	slices.Sort(out)
	return out
}

const serverChain = "server: CN=server.test.example > CN=Test Intermediate > CN=Test Root"

func TestMakes(t *testing.T) {
	f := newFamily(t)
	for _, format := range []Format{PKCS12, JKS} {
		t.Run(string(format), func(t *testing.T) {
			body, files := f.full(t)
			b := newBench(t).declare(format, body+`names = ["www.test.example", "192.0.2.7"]`, files)
			p, s := b.apply()
			if diff := cmp.Diff([]string{"ca trusts CN=Test Root", serverChain}, content(s)); diff != "" {
				t.Error(diff)
			}
			if s.Format != format {
				t.Errorf("it is %s", s.Format)
			}
			want := "+ make the " + format.String() +
				` keystore /keys/server.p12 on this machine for Java 17: entry "server" is added, ` +
				`trusted certificate "ca" is added`
			if got := string(p.Steps[0].Mark) + " " + p.Steps[0].Summary; got != want {
				t.Errorf("%s", got)
			}
			if got := rules(p); !slices.Equal(got, []string{"note private-ca"}) {
				t.Errorf("findings %v", got)
			}
			if info, err := b.fs.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("mode %v, %v", info.Mode(), err)
			}
			if got := b.listing(); !slices.Equal(got, []string{"server.p12"}) {
				t.Errorf("the folder has %v", got)
			}
			signer, err := s.Entries[0].Signer()
			if err != nil {
				t.Fatal(err)
			}
			if _, public := describe(signer.Public()); public != f.server.public() {
				t.Error("the key is another one")
			}
			leaf, err := s.Entries[0].Chain[0].X509()
			if err != nil {
				t.Fatal(err)
			}
			inter := x509.NewCertPool()
			inter.AddCert(f.inter.parsed)
			if _, err := leaf.Verify(x509.VerifyOptions{Roots: s.Pool(), Intermediates: inter,
				CurrentTime: today}); err != nil {
				t.Errorf("what it trusts does not verify it: %v", err)
			}
		})
	}
}

// TestChanges checks that differences from the declaration are reported and changed, and that undeclared entries
// stay.
func TestChanges(t *testing.T) {
	f := newFamily(t)
	other := issue(t, "other.test.example", f.root)
	renewed := issueFor(t, f.server.key, "server.test.example", f.inter, dns("server.test.example"))
	body, files := f.full(t)
	for _, format := range []Format{PKCS12, JKS} {
		for _, c := range []struct {
			name   string
			before func(s *Store)           // what the file was otherwise
			files  map[string]string        // what is declared otherwise
			body   func(body string) string // and how
			says   []string                 // of the summary and the reasons
			has    []string                 // beside what is declared
		}{
			{
				name:   "missing entry",
				before: func(s *Store) { s.Entries = []Entry{other.entry(t, "other")} },
				says:   []string{`entry "server" is added`}, has: []string{"other: CN=other.test.example > CN=Test Root"},
			},
			{
				name:   "missing trust",
				before: func(s *Store) { s.Trusted = nil },
				says:   []string{`trusted certificate "ca" is added`},
			},
			{
				name:  "new certificate",
				files: map[string]string{"server.pem": renewed.pem()},
				says: []string{`entry "server" changes`, "its certificate is CN=server.test.example, SHA-256 " +
					f.server.short(), "declared is CN=server.test.example, SHA-256 " + renewed.short()},
			},
			{
				name:   "another key",
				before: func(s *Store) { s.Entries[0].setKey(other.entry(t, "").key) },
				says:   []string{`entry "server" changes`, "its key (EC P-256) is not the declared one (EC P-256)"},
			},
			{
				name:   "incomplete chain",
				before: func(s *Store) { s.Entries[0].Chain, s.Trusted = s.Entries[0].Chain[:1], nil },
				says: []string{`entry "server" changes`,
					"its chain is CN=server.test.example; declared is CN=server.test.example > CN=Test Intermediate > CN=Test Root"},
			},
			{
				name:   "another trusted one",
				before: func(s *Store) { s.Trusted[0].Certificate = other.Certificate },
				says:   []string{`trusted certificate "ca" changes`, "it is CN=other.test.example", "declared is CN=Test Root"},
			},
			{
				name:   "trusted, and a key is declared",
				before: func(s *Store) { s.Entries, s.Trusted[0].Alias = nil, "server" },
				says:   []string{`entry "server" changes`, "the alias is that of a trusted certificate"},
			},
			{
				name: "others stay",
				before: func(s *Store) {
					s.Entries[0] = other.entry(t, "server")
					s.Entries = append(s.Entries, other.entry(t, "other"))
				},
				says: []string{`entry "server" changes`}, has: []string{"other: CN=other.test.example > CN=Test Root"},
			},
			{
				name: "others go",
				before: func(s *Store) {
					s.Entries = append(s.Entries, other.entry(t, "other"))
					s.Trusted = append(s.Trusted, Trusted{Alias: "old", Certificate: other.Certificate})
				},
				body: func(body string) string { return body + "\nkeep_others = false" },
				says: []string{`entry "other" is removed`, `trusted certificate "old" is removed`, "keep_others is false"},
			},
		} {
			t.Run(string(format)+" "+c.name, func(t *testing.T) {
				s := &Store{Format: format, Entries: []Entry{f.server.entry(t, "server")},
					Trusted: []Trusted{{Alias: "ca", Certificate: f.root.Certificate}}}
				if c.before != nil {
					c.before(s)
				}
				b := newBench(t)
				before := b.written(s, password)
				declared := body
				if c.body != nil {
					declared = c.body(body)
				}
				all := map[string]string{}
				for name, text := range files {
					all[name] = text
				}
				for name, text := range c.files {
					all[name] = text
				}
				b.declare(format, declared, all)
				p, now := b.apply()
				text := p.Steps[0].Summary + " " + p.Steps[0].Because
				for _, want := range c.says {
					if !strings.Contains(text, want) {
						t.Errorf("it does not say %q: %s", want, text)
					}
				}
				want := append([]string{"ca trusts CN=Test Root", serverChain}, c.has...)
				slices.Sort(want)
				if diff := cmp.Diff(want, content(now)); diff != "" {
					t.Error(diff)
				}
				if got := b.listing(); len(got) != 2 || !strings.HasPrefix(got[1],
					"server.p12.20270601T1200") || !bytes.Equal(b.read("/keys/"+got[1]), before) {
					t.Errorf("the folder has %v; the backup is not what was there", got)
				}
			})
		}
	}
}

// written writes a keystore that the test has made.
func (b *bench) written(s *Store, password string) []byte {
	b.t.Helper()
	w := &wanted{declaration: &declaration{Password: declare.Plain(password), Java: 17}, format: s.Format}
	st := &standing{wanted: w, now: b.now, target: s, made: map[string]bool{}}
	content, _, err := st.encode(rand.Reader)
	if err != nil {
		b.t.Fatal(err)
	}
	b.put(file, string(content))
	return content
}
