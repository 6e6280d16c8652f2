package keystore

import (
	"bytes"
	"crypto/x509"
	"errors"
	"slices"
	"testing"
	"time"

	"software.sslmate.com/src/go-pkcs12"
)

// issueFor returns a server's certificate from a new authority.
func issueFor(t testing.TB, intermediate bool, names ...string) (*Authority, *KeyPair) {
	t.Helper()
	a, err := NewAuthority("Acme CA", "", intermediate)
	if err != nil {
		t.Fatal(err)
	}
	p, err := a.ForServer(names, 30, KeyEC)
	if err != nil {
		t.Fatal(err)
	}
	return a, p
}

// TestKeystoresOfServers checks that the library also reads what is written, with key, chain and alias.
func TestKeystoresOfServers(t *testing.T) {
	_, p := issueFor(t, true, "a.example")
	for _, alias := range []string{"", "teamworkcloud", "schlüssel"} {
		data, err := Write(alias, "secret", p.Key, p.Chain)
		if err != nil {
			t.Fatal(err)
		}
		entries, err := Open(data, "secret")
		if err != nil || len(entries) != 1 || entries[0].alias != alias || len(entries[0].Chain) != 2 {
			t.Fatalf("%q: %+v %v", alias, entries, err)
		}
		if _, leaf, others, err := pkcs12.DecodeChain(data, "secret"); err != nil || !leaf.Equal(p.Chain[0]) ||
			len(others) != 1 {
			t.Errorf("%q: the library: %v", alias, err)
		}
		if c, err := FirstKey(entries); err != nil || len(c.Certificate) != 2 {
			t.Errorf("%q: %v", alias, err)
		}
		for _, wrong := range []string{"", "Secret", "secret "} {
			if _, err := Open(data, wrong); !errors.Is(err, ErrPassword) {
				t.Errorf("%q opens it: %v", wrong, err)
			}
		}
	}
}

// TestKeystoresOfOldServers checks that keystores written by Java up to 17 and openssl before 3 are read as well.
func TestKeystoresOfOldServers(t *testing.T) {
	_, p := issueFor(t, true, "a.example")
	for name, e := range map[string]*pkcs12.Encoder{"RC2": pkcs12.LegacyRC2, "DES": pkcs12.LegacyDES,
		"2023": pkcs12.Modern2023, "2026": pkcs12.Modern2026} {
		data, err := e.Encode(p.Key, p.Chain[0], p.Chain[1:], "secret")
		if err != nil {
			t.Fatal(err)
		}
		entries, err := Open(data, "secret")
		if err != nil || len(entries) != 1 || len(entries[0].Chain) != 2 {
			t.Errorf("%s: %+v %v", name, entries, err)
		}
		if _, err := Open(data, "wrong"); !errors.Is(err, ErrPassword) {
			t.Errorf("%s: a wrong password: %v", name, err)
		}
	}
	trust, err := pkcs12.LegacyDES.EncodeTrustStore(p.Chain, "secret")
	if err != nil {
		t.Fatal(err)
	}
	entries, err := Open(trust, "secret")
	if _, none := FirstKey(entries); err != nil || len(entries) != 2 || none == nil {
		t.Errorf("a trust store: %d %v", len(entries), err)
	}
}

func TestTrustStores(t *testing.T) {
	ship, err := AsShipped()
	if err != nil {
		t.Fatal(err)
	}
	a, _ := issueFor(t, false, "a.example")
	b, _ := issueFor(t, false, "b.example")
	now := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		store      []byte
		password   string
		wrong, own bool // another password is refused; the keystore has a key
	}{
		"JKS": {ship.Jks, cacertsPassword, true, false}, "without a password": {ship.P12, "whatever", false, false},
		"the server's": {ship.Keystore, ShippedPassword, true, true},
	} {
		data, err := WithTrusted(tt.store, tt.password, "Acme", a.Root.Chain[0], false, now)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := WithTrusted(tt.store, "nonsense", "acme", a.Root.Chain[0], false, now); errors.Is(err,
			ErrPassword) != tt.wrong {
			t.Errorf("%s: with a wrong password: %v", name, err)
		}
		for _, alias := range []string{"acme", "ACME"} {
			if _, err := WithTrusted(data, tt.password, alias, b.Root.Chain[0], false, now); !errors.Is(err, ErrTaken) {
				t.Errorf("%s: %s was not taken: %v", name, alias, err)
			}
		}
		replaced, err := WithTrusted(data, tt.password, "acme", b.Root.Chain[0], true, now)
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range []struct {
			data []byte
			want *x509.Certificate
		}{{data, a.Root.Chain[0]}, {replaced, b.Root.Chain[0]}} {
			var list []*x509.Certificate
			if tt.own {
				entries, err := Open(one.data, tt.password)
				if _, key := FirstKey(entries); err != nil || key != nil {
					t.Errorf("%s: the key is gone: %v %v", name, err, key)
				}
				list = CertificatesOf(entries)
			} else if list, err = TrustedIn(one.data); err != nil {
				t.Fatal(err)
			}
			if len(list) != 2 || !slices.ContainsFunc(list, one.want.Equal) {
				t.Errorf("%s: it has %d certificates", name, len(list))
			}
		}
		aliases, readable := AliasesIn(data)
		if readable == tt.own || !tt.own && !slices.Equal(aliases, []string{"acme", PublicAlias}) {
			t.Errorf("%s: %v %t", name, aliases, readable)
		}
	}
	if data, _ := WithTrusted(ship.P12, "", "acme", a.Root.Chain[0], false, now); true {
		if list, err := pkcs12.DecodeTrustStore(data, ""); err != nil || len(list) != 2 {
			t.Errorf("the library: %d %v", len(list), err)
		}
	}
}

// TestEncryptedTrustStoreTrustsNobody checks that certificates which Java sees only with a password are not trusted
// without one.
func TestEncryptedTrustStoreTrustsNobody(t *testing.T) {
	a, _ := issueFor(t, false, "a.example")
	data, err := pkcs12.Modern2023.EncodeTrustStore(a.Root.Chain, cacertsPassword)
	if err != nil {
		t.Fatal(err)
	}
	if list, err := TrustedIn(data); len(list) != 0 || err != nil {
		t.Errorf("%d %v", len(list), err)
	}
}

func FuzzKeystore(f *testing.F) {
	ship, err := AsShipped()
	if err != nil {
		f.Fatal(err)
	}
	for _, data := range [][]byte{ship.Jks[:64], ship.P12, ship.Keystore, jksMagic, nil} {
		f.Add(data, ShippedPassword)
	}
	f.Fuzz(func(t *testing.T, data []byte, password string) {
		if IsJKS(data) && len(data) > 1<<12 || bytes.Count(data, []byte{0x02, 0x03}) > 8 {
			return // the duration of a derivation is not tested here
		}
		if entries, err := Open(data, password); err == nil {
			_, _ = FirstKey(entries)
		}
		_, _ = AliasesIn(data)
		_, _ = TrustedIn(data)
	})
}
