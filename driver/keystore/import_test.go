package keystore

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/schema"
)

// importing imports the keystore of a bench as a new process would.
func (b *bench) importing() (*schema.Config, []schema.Draft) {
	b.t.Helper()
	cfg, d := b.config()
	found, err := d.Import(b.t.Context(), driver.ImportRequest{Server: cfg.Resources[0], Declared: cfg.Resources})
	if err != nil {
		b.t.Fatal(err)
	}
	return cfg, found
}

// selfMade makes an entry as a declaration with self_signed does.
func (b *bench) selfMade(alias string, days int) Entry {
	b.t.Helper()
	made := selfSigned{subject: `CN=own.example, O="ACME, Inc.", C=DE`, dns: []string{"own.example"},
		ips: []net.IP{net.ParseIP("10.0.0.1")}, days: days, keyType: "ecdsa-p256"}
	e, err := made.make(alias, b.now, rand.Reader)
	if err != nil {
		b.t.Fatal(err)
	}
	return e
}

// TestImport: what a file holds becomes blocks of its declaration, without a key, and a plan of them has no changes.
func TestImport(t *testing.T) {
	t.Parallel()
	f := newFamily(t)
	full, files := f.full(t)
	again := issue(t, "Test Root", nil, authority) // with another key
	for name, c := range map[string]struct {
		format  Format
		body    string
		store   func(b *bench) *Store
		added   []string // blocks
		doubts  []string // blocks that are comments
		remarks int
		steps   int // of the plan before and after
	}{
		"nothing": {format: PKCS12, store: func(*bench) *Store { return &Store{Format: PKCS12} }},
		"all of it is declared": {format: PKCS12, body: full, store: func(*bench) *Store {
			return &Store{Format: PKCS12, Entries: []Entry{f.server.entry(t, "server")},
				Trusted: []Trusted{{Alias: "ca", Certificate: f.root.Certificate}}}
		}},
		"some of it is declared": {format: PKCS12, body: full, store: func(b *bench) *Store {
			return &Store{Format: PKCS12, Entries: []Entry{f.server.entry(t, "server"), b.selfMade("own", 400)},
				Trusted: []Trusted{{Alias: "ca", Certificate: f.root.Certificate},
					{Alias: "for", Certificate: f.inter.Certificate}}}
		}, added: []string{"entry.own", "trust.for"}},
		"another's key": {format: PKCS12, store: func(*bench) *Store {
			return &Store{Format: PKCS12, Entries: []Entry{f.server.entry(t, "the server")}}
		}, doubts: []string{"entry.the server"}},
		"self-signed, about to expire": {format: PKCS12, store: func(b *bench) *Store {
			return &Store{Format: PKCS12, Entries: []Entry{b.selfMade("own", 10)}}
		}, doubts: []string{"entry.own"}},
		"self-signed, expired": {format: PKCS12, store: func(b *bench) *Store {
			return &Store{Format: PKCS12, Entries: []Entry{b.selfMade("own", -1)}}
		}, doubts: []string{"entry.own"}},
		"self-signed, for no longer than the plan warns": {format: PKCS12, store: func(b *bench) *Store {
			return &Store{Format: PKCS12, Entries: []Entry{b.selfMade("own", 30)}}
		}, doubts: []string{"entry.own"}},
		"trusted certificates of one subject": {format: PKCS12, store: func(*bench) *Store {
			return &Store{Format: PKCS12, Trusted: []Trusted{{Alias: "old", Certificate: again.Certificate},
				{Alias: "ca", Certificate: f.root.Certificate}}}
		}, added: []string{"trust.ca", "trust.old"}},
		"a key signed by one of two certificates of one subject": {format: JKS, store: func(*bench) *Store {
			e := f.server.entry(t, "server")
			e.Chain = e.Chain[:2]
			return &Store{Format: JKS, Entries: []Entry{e}, Trusted: []Trusted{
				{Alias: "a", Certificate: again.Certificate}, {Alias: "b", Certificate: f.root.Certificate}}}
		}, added: []string{"trust.a", "trust.b"}, doubts: []string{"entry.server"}},
		"odd aliases": {format: PKCS12, store: func(b *bench) *Store {
			return &Store{Format: PKCS12, Entries: []Entry{b.selfMade(`${a} "b" %{c}`, 400)},
				Trusted: []Trusted{{Alias: "a.b\u202e", Certificate: f.root.Certificate},
					{Alias: "\x1b[m", Certificate: f.inter.Certificate}}}
		}, added: []string{`entry.${a} "b" %{c}`, "trust.a.b\u202e"}, remarks: 1},
		"aliases that a configuration spells another way": {format: PKCS12, store: func(b *bench) *Store {
			return &Store{Format: PKCS12, Entries: []Entry{b.selfMade("cafe\u0301", 400), f.server.entry(t, "serve\u0301"),
				b.selfMade("\u3000 ", 400)}, Trusted: []Trusted{{Alias: "e\u0301", Certificate: f.inter.Certificate},
				{Alias: "\u00e9", Certificate: f.root.Certificate}}}
		}, added: []string{"trust.\u00e9"}, remarks: 4},
		"a subject that a configuration spells another way": {format: PKCS12, store: func(b *bench) *Store {
			e, err := (&selfSigned{subject: "CN=cafe\u0301", days: 400, keyType: "ecdsa-p256"}).make("own", b.now, rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			return &Store{Format: PKCS12, Entries: []Entry{e}}
		}, doubts: []string{"entry.own"}},
		"an alias like the path of another's block": {format: PKCS12, store: func(b *bench) *Store {
			return &Store{Format: PKCS12, Entries: []Entry{b.selfMade("x", 400), f.server.entry(t, "x.self_signed")}}
		}, added: []string{"entry.x"}, doubts: []string{"entry.x.self_signed"}},
		"jks": {format: JKS, store: func(b *bench) *Store {
			return &Store{Format: JKS, Entries: []Entry{b.selfMade("own", 400), f.server.entry(t, "server")},
				Trusted: []Trusted{{Alias: "ca", Certificate: f.root.Certificate}}}
		}, added: []string{"entry.own", "trust.ca"}, doubts: []string{"entry.server"}},
		"others are to go": {format: PKCS12, body: "keep_others = false\n", store: func(b *bench) *Store {
			return &Store{Format: PKCS12, Trusted: []Trusted{{Alias: "ca", Certificate: f.root.Certificate}}}
		}, added: []string{"trust.ca"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t).declare(c.format, c.body, files)
			b.written(c.store(b), password)
			cfg, found := b.importing()
			if len(c.added)+len(c.doubts)+c.remarks == 0 {
				if len(found) > 0 {
					t.Errorf("%+v", found)
				}
				return
			}
			if len(found) != 1 || !found[0].Completes || len(found[0].Comments) != c.remarks {
				t.Fatalf("%+v", found)
			}
			var added, doubts []string
			for _, kind := range []string{"entry", "trust"} {
				for it := schema.Get(found[0].Value, kind).ElementIterator(); it.Next(); {
					key, _ := it.Element()
					path := kind + "." + key.AsString()
					if found[0].Doubts[schema.BlockPath(kind, key.AsString())] {
						doubts = append(doubts, path)
					} else {
						added = append(added, path)
					}
				}
			}
			if !slices.Equal(added, c.added) || !slices.Equal(doubts, c.doubts) {
				t.Errorf("added %q, in doubt %q", added, doubts)
			}
			add := schema.AddingDraft(cfg, found[0], cfg.Redactor().String)
			text, err := add.To(b.read("/conf/main.sync.hcl"))
			if err != nil || add.Added != len(c.added) {
				t.Fatalf("%d added, %v", add.Added, err)
			}
			if formatted, diags := schema.Format("x", []byte(add.String())); diags.HasErrors() ||
				string(formatted) != add.String() {
				t.Errorf("not formatted: %v\n%s", diags, add)
			}
			if bytes.Contains(text, []byte("PRIVATE KEY")) || bytes.Contains(text, []byte("\u202e")) {
				t.Errorf("%s", text)
			}
			b.put("/conf/main.sync.hcl", string(text))
			b.settled()
			if cfg, found := b.importing(); len(found) > 0 && schema.AddingDraft(cfg, found[0], strings.ToUpper).Added > 0 {
				t.Errorf("imported once more: %+v", found)
			}
		})
	}
}

// TestImportOfMany: a trust store of a thousand certificates is imported whole.
func TestImportOfMany(t *testing.T) {
	t.Parallel()
	root := issue(t, "root", nil, authority)
	s := &Store{Format: PKCS12}
	for i := range 1000 {
		s.Trusted = append(s.Trusted, Trusted{Alias: fmt.Sprintf("ca %d", i), Certificate: root.Certificate})
	}
	b := newBench(t).declare(PKCS12, "", nil)
	b.written(s, password)
	cfg, found := b.importing()
	if add := schema.AddingDraft(cfg, found[0], strings.Clone); add.Added != len(s.Trusted) {
		t.Errorf("%d added", add.Added)
	}
}

// TestImportOfNothing: a file that is not there, or does not open, is an error and never an empty keystore.
func TestImportOfNothing(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{"missing": "", "wrong password": string(newBench(t).written(
		&Store{Format: PKCS12}, "another one")), "text": "text"} {
		b := newBench(t).declare(PKCS12, "", nil)
		if content != "" {
			b.put(file, content)
		}
		cfg, d := b.config()
		found, err := d.Import(t.Context(), driver.ImportRequest{Server: cfg.Resources[0], Declared: cfg.Resources})
		if err == nil || len(found) > 0 {
			t.Errorf("%s: %v", name, found)
		} else {
			b.clean(cfg, err.Error())
		}
	}
}
