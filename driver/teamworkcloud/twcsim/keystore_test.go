package twcsim

import (
	"bytes"
	"crypto/x509"
	"errors"
	"slices"
	"testing"
	"time"

	"software.sslmate.com/src/go-pkcs12"
)

// issueFor is a server's certificate of a new authority.
func issueFor(t testing.TB, intermediate bool, names ...string) (*authority, *keyPair) {
	t.Helper()
	a, err := newAuthority("Acme CA", "", intermediate)
	if err != nil {
		t.Fatal(err)
	}
	p, err := a.forServer(names, 30, keyEC)
	if err != nil {
		t.Fatal(err)
	}
	return a, p
}

// What is written is read by the library, too, and keeps key, chain and alias.
func TestKeystoresOfServers(t *testing.T) {
	_, p := issueFor(t, true, "a.example")
	for _, alias := range []string{"", "teamworkcloud", "schlüssel"} {
		data, err := writeP12(alias, "secret", p.key, p.chain)
		if err != nil {
			t.Fatal(err)
		}
		entries, err := openKeystore(data, "secret")
		if err != nil || len(entries) != 1 || entries[0].alias != alias || len(entries[0].chain) != 2 {
			t.Fatalf("%q: %+v %v", alias, entries, err)
		}
		if _, leaf, others, err := pkcs12.DecodeChain(data, "secret"); err != nil || !leaf.Equal(p.chain[0]) || len(others) != 1 {
			t.Errorf("%q: the library: %v", alias, err)
		}
		if c, err := firstKey(entries); err != nil || len(c.Certificate) != 2 {
			t.Errorf("%q: %v", alias, err)
		}
		for _, wrong := range []string{"", "Secret", "secret "} {
			if _, err := openKeystore(data, wrong); !errors.Is(err, errPassword) {
				t.Errorf("%q opens it: %v", wrong, err)
			}
		}
	}
}

// Whatever Java up to 17 and openssl before 3 wrote is read as well.
func TestKeystoresOfOldServers(t *testing.T) {
	_, p := issueFor(t, true, "a.example")
	for name, e := range map[string]*pkcs12.Encoder{"RC2": pkcs12.LegacyRC2, "DES": pkcs12.LegacyDES, "2023": pkcs12.Modern2023, "2026": pkcs12.Modern2026} {
		data, err := e.Encode(p.key, p.chain[0], p.chain[1:], "secret")
		if err != nil {
			t.Fatal(err)
		}
		entries, err := openKeystore(data, "secret")
		if err != nil || len(entries) != 1 || len(entries[0].chain) != 2 {
			t.Errorf("%s: %+v %v", name, entries, err)
		}
		if _, err := openKeystore(data, "wrong"); !errors.Is(err, errPassword) {
			t.Errorf("%s: a wrong password: %v", name, err)
		}
	}
	trust, err := pkcs12.LegacyDES.EncodeTrustStore(p.chain, "secret")
	if err != nil {
		t.Fatal(err)
	}
	entries, err := openKeystore(trust, "secret")
	if _, none := firstKey(entries); err != nil || len(entries) != 2 || none == nil {
		t.Errorf("a trust store: %d %v", len(entries), err)
	}
}

func TestTrustStores(t *testing.T) {
	ship, err := asShipped()
	if err != nil {
		t.Fatal(err)
	}
	a, _ := issueFor(t, false, "a.example")
	b, _ := issueFor(t, false, "b.example")
	now := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		store      []byte
		password   string
		wrong, own bool // another password is refused; it has a key
	}{
		"JKS": {ship.jks, cacertsPassword, true, false}, "without a password": {ship.p12, "whatever", false, false},
		"the server's": {ship.keystore, shippedPassword, true, true},
	} {
		data, err := withTrusted(tt.store, tt.password, "Acme", a.root.chain[0], false, now)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := withTrusted(tt.store, "nonsense", "acme", a.root.chain[0], false, now); errors.Is(err, errPassword) != tt.wrong {
			t.Errorf("%s: with a wrong password: %v", name, err)
		}
		for _, alias := range []string{"acme", "ACME"} {
			if _, err := withTrusted(data, tt.password, alias, b.root.chain[0], false, now); !errors.Is(err, errTaken) {
				t.Errorf("%s: %s was not taken: %v", name, alias, err)
			}
		}
		replaced, err := withTrusted(data, tt.password, "acme", b.root.chain[0], true, now)
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range []struct {
			data []byte
			want *x509.Certificate
		}{{data, a.root.chain[0]}, {replaced, b.root.chain[0]}} {
			var list []*x509.Certificate
			if tt.own {
				entries, err := openKeystore(one.data, tt.password)
				if _, key := firstKey(entries); err != nil || key != nil {
					t.Errorf("%s: the key is gone: %v %v", name, err, key)
				}
				list = certificatesOf(entries)
			} else if list, err = trustedIn(one.data); err != nil {
				t.Fatal(err)
			}
			if len(list) != 2 || !slices.ContainsFunc(list, one.want.Equal) {
				t.Errorf("%s: it has %d certificates", name, len(list))
			}
		}
		aliases, readable := aliasesIn(data)
		if readable == tt.own || !tt.own && !slices.Equal(aliases, []string{"acme", publicAlias}) {
			t.Errorf("%s: %v %t", name, aliases, readable)
		}
	}
	if data, _ := withTrusted(ship.p12, "", "acme", a.root.chain[0], false, now); true {
		if list, err := pkcs12.DecodeTrustStore(data, ""); err != nil || len(list) != 2 {
			t.Errorf("the library: %d %v", len(list), err)
		}
	}
}

// Certificates that a Java sees only with a password are trusted by nobody who has none.
func TestEncryptedTrustStoreTrustsNobody(t *testing.T) {
	a, _ := issueFor(t, false, "a.example")
	data, err := pkcs12.Modern2023.EncodeTrustStore(a.root.chain, cacertsPassword)
	if err != nil {
		t.Fatal(err)
	}
	if list, err := trustedIn(data); len(list) != 0 || err != nil {
		t.Errorf("%d %v", len(list), err)
	}
}

func FuzzKeystore(f *testing.F) {
	ship, err := asShipped()
	if err != nil {
		f.Fatal(err)
	}
	for _, data := range [][]byte{ship.jks[:64], ship.p12, ship.keystore, jksMagic, nil} {
		f.Add(data, shippedPassword)
	}
	f.Fuzz(func(t *testing.T, data []byte, password string) {
		if isJKS(data) && len(data) > 1<<12 || bytes.Count(data, []byte{0x02, 0x03}) > 8 {
			return // how long a derivation takes is not what is tried
		}
		if entries, err := openKeystore(data, password); err == nil {
			_, _ = firstKey(entries)
		}
		_, _ = aliasesIn(data)
		_, _ = trustedIn(data)
	})
}
