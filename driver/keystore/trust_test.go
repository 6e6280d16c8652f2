package keystore

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	jks "github.com/pavlo-v-chernykh/keystore-go/v4"
	"github.com/syncctl/syncctl/driver/keystore/pfx"
	"pgregory.net/rapid"
	library "software.sslmate.com/src/go-pkcs12"
)

// bagged returns a Store as a PKCS#12 file.
func bagged(t testing.TB, s *Store, password string, o pfx.Options) []byte {
	t.Helper()
	bags, err := s.bags(today)
	if err != nil {
		t.Fatal(err)
	}
	o.Random = rand.Reader
	src, err := pfx.Write(bags, password, o)
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// added returns the keystore that AddTrust makes of src, and the content before and after.
func added(t testing.TB, src []byte, password string, add ...Trusted) (out []byte, before, after *Store) {
	t.Helper()
	given := bytes.Clone(src)
	out, err := AddTrust(context.Background(), src, password, add, today, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(given, src) {
		t.Error("what was given was written over")
	}
	return out, opened(t, src, password), opened(t, out, password)
}

func opened(t testing.TB, src []byte, password string) *Store {
	t.Helper()
	s, err := Open(context.Background(), src, password)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// order returns the trusted certificates in the order of the file.
func order(s *Store) []string {
	var out []string
	for _, t := range s.Trusted {
		out = append(out, t.Alias+" "+t.Certificate.Fingerprint()+" "+t.Created.String())
	}
	return out
}

// TestAddTrust checks that the whole content of a keystore stays, whatever program wrote it, and that the requested
// certificates are added after it.
func TestAddTrust(t *testing.T) {
	first, second := issue(t, "First", nil, authority), issue(t, "Second", nil, authority)
	for name, level := range map[string]pfx.Level{
		"keytool8.p12": pfx.Legacy, "openssllegacy.p12": pfx.Legacy, "keytool17.p12": pfx.Modern,
		"keytool17several.p12": pfx.Modern,
		"keytool17trust.p12":   pfx.Modern, "keytool25.p12": pfx.Modern, "keytool25open.p12": pfx.Legacy,
		"openssl.p12":       pfx.Modern,
		"opensslnoname.p12": pfx.Modern, "opensslcertificates.p12": pfx.Modern, "opensslnomac.p12": pfx.Modern,
		"opensslold.p12": pfx.Modern, "opensslother.p12": pfx.Modern, // written as Modern, the newest that can be written
		"keytool17.jks": 0,
	} {
		t.Run(name, func(t *testing.T) {
			out, before, after := added(t, recorded(t, name), "changeit",
				Trusted{Alias: "Zz", Certificate: first.Certificate}, Trusted{Alias: "aa", Certificate: second.Certificate})
			want := append(content(before), "aa trusts CN=Second",
				map[Format]string{JKS: "zz", PKCS12: "Zz"}[before.Format]+" trusts CN=First")
			slices.Sort(want)
			if diff := cmp.Diff(want, content(after)); diff != "" {
				t.Error(diff)
			}
			n := len(before.Trusted)
			if diff := cmp.Diff(order(before), order(after)[:n]); diff != "" && n > 0 {
				t.Error(diff)
			}
			if !after.Trusts(first.Certificate) || !after.Trusts(second.Certificate) || before.Trusts(first.Certificate) ||
				after.Trusted[n+1].Alias != "aa" {
				t.Errorf("it trusts %v", order(after))
			}
			for _, e := range before.Entries {
				if now := after.Entry(e.Alias); now.Public != e.Public || e.Public == "" || now.Sealed ||
					!now.Created.Equal(e.Created) || now.Alias != e.Alias {
					t.Errorf("%s was changed", e)
				}
			}
			got := [...]any{after.Format, after.Level, after.Unprotected, after.Unencrypted, after.Weak}
			if want := [...]any{before.Format, level, before.Unprotected, before.Unencrypted, false}; got != want {
				t.Errorf("it is %v, want %v", got, want)
			}
			_, err := Open(context.Background(), out, "changeit2")
			if _, before := Open(context.Background(), recorded(t, name), "changeit2"); (err == nil) != (before == nil) {
				t.Errorf("with another password: %v", err)
			}
			again, err := AddTrust(context.Background(), out, "changeit", []Trusted{{Alias: "ZZ",
				Certificate: first.Certificate},
				{Alias: "other", Certificate: second.Certificate}}, today, nil)
			if err != nil || !bytes.Equal(again, out) {
				t.Errorf("what is there already was added again: %v", err)
			}
		})
	}
}

// TestAddTrustWithoutPassword checks that a trust store without a password stays one, also for another reader.
func TestAddTrustWithoutPassword(t *testing.T) {
	f := newFamily(t)
	src, err := library.Passwordless.EncodeTrustStoreEntries([]library.TrustStoreEntry{{Cert: f.root.parsed,
		FriendlyName: "root"}}, "")
	if err != nil {
		t.Fatal(err)
	}
	empty := bagged(t, &Store{}, "", pfx.Options{Open: true, NoMAC: true})
	for _, anyPassword := range []string{"", "changeit"} {
		for _, src := range [][]byte{src, empty} {
			out, before, after := added(t, src, anyPassword, Trusted{Alias: "inter", Certificate: f.inter.Certificate})
			if !after.Unprotected || !after.Unencrypted || after.Trust("inter") == nil ||
				len(after.Trusted) != len(before.Trusted)+1 {
				t.Errorf("%+v", after)
			}
			all, err := library.DecodeTrustStore(out, "")
			if err != nil || len(all) != len(before.Trusted)+1 || !all[len(all)-1].Equal(f.inter.parsed) {
				t.Errorf("the library reads %d certificates: %v", len(all), err)
			}
		}
	}
	// A trust store with a password stays one, too.
	src, err = library.Modern2023.EncodeTrustStore([]*x509.Certificate{f.root.parsed}, "changeit")
	if err != nil {
		t.Fatal(err)
	}
	out, _, _ := added(t, src, "changeit", Trusted{Alias: "inter", Certificate: f.inter.Certificate})
	if all, err := library.DecodeTrustStore(out, "changeit"); err != nil || len(all) != 2 {
		t.Errorf("the library reads %v: %v", all, err)
	}
	if _, err := Open(context.Background(), out, ""); err == nil {
		t.Error("it has lost its password")
	}
}

// TestAddTrustKeepsForm: encryption and MAC are kept each by itself.
func TestAddTrustKeepsForm(t *testing.T) {
	f := newFamily(t)
	s := &Store{Format: PKCS12, Entries: []Entry{f.server.entry(t, "server")},
		Trusted: []Trusted{{Alias: "root", Certificate: f.root.Certificate}}}
	other := issue(t, "Other", nil, authority)
	for _, o := range []pfx.Options{
		{Level: pfx.Legacy}, {Level: pfx.Modern}, {Level: pfx.Modern, Open: true}, {Level: pfx.Modern,
			NoMAC: true}, {Level: pfx.Legacy, Open: true, NoMAC: true},
	} {
		out, _, after := added(t, bagged(t, s, password, o), password,
			Trusted{Alias: "other", Certificate: other.Certificate})
		if after.Level != o.Level || after.Unencrypted != o.Open || after.Unprotected != o.NoMAC {
			t.Errorf("%+v becomes %+v", o, after)
		}
		if _, err := Open(context.Background(), out, "another"); err == nil {
			t.Errorf("%+v: every password opens it", o)
		}
	}
}

// TestAddTrustToJKS: every byte of what is there stays, also what this package could not write.
func TestAddTrustToJKS(t *testing.T) {
	f := newFamily(t)
	ks := newJKS(rand.Reader)
	key := jks.PrivateKeyEntry{CreationTime: today, PrivateKey: f.server.entry(t, "").key,
		CertificateChain: []jks.Certificate{{Type: "X.509", Content: f.server.DER}}}
	if err := ks.SetPrivateKeyEntry("sealed", key, []byte("its own")); err != nil {
		t.Fatal(err)
	}
	if err := ks.SetTrustedCertificateEntry("CA", jks.TrustedCertificateEntry{CreationTime: today,
		Certificate: key.CertificateChain[0]}); err != nil {
		t.Fatal(err)
	}
	var src bytes.Buffer
	if err := ks.Store(&src, []byte(password)); err != nil {
		t.Fatal(err)
	}
	out, _, after := added(t, src.Bytes(), password, Trusted{Alias: "Aa", Certificate: f.root.Certificate})
	kept := src.Bytes()[12 : src.Len()-jksDigest]
	if !bytes.Equal(out[12:12+len(kept)],
		kept) || after.Trusted[1].Alias != "aa" || !after.Trusted[1].Created.Equal(today) || !after.Entry("sealed").Sealed {
		t.Errorf("%v", content(after))
	}
	back := newJKS(nil)
	if err := back.Load(bytes.NewReader(out), []byte(password)); err != nil {
		t.Fatal(err)
	}
	if got, err := back.GetPrivateKeyEntry("sealed", []byte("its own")); err != nil || !bytes.Equal(got.PrivateKey,
		key.PrivateKey) {
		t.Error(err)
	}
}

func TestAddTrustRefuses(t *testing.T) {
	f := newFamily(t)
	one, other := issue(t, "One", nil, authority), issue(t, "Other", nil, authority)
	with := func(alias string, c Certificate) []Trusted { return []Trusted{{Alias: alias, Certificate: c}} }
	names := func(all ...Certificate) (out []string) {
		for _, c := range all {
			out = append(out, c.String())
		}
		return out
	}
	s := &Store{
		Format: PKCS12, Entries: []Entry{f.server.entry(t, "server")}, Trusted: with("ca", f.root.Certificate),
		secrets: []pfx.Bag{{Kind: pfx.Secret, Type: []int{1, 2, 3}, DER: []byte{4, 1, 7}, Name: "aes", Named: true}},
	}
	p12 := bagged(t, s, password, pfx.Options{Level: pfx.Modern})
	ks, err := (&Store{Format: JKS, Entries: s.Entries, Trusted: s.Trusted}).encodeJKS(password, rand.Reader, today)
	if err != nil {
		t.Fatal(err)
	}
	twice := bagged(t, &Store{Trusted: append(with("ca", f.root.Certificate), with("CA", f.inter.Certificate)...)},
		password, pfx.Options{Open: true})
	bare := bagged(t, &Store{Entries: []Entry{{Alias: "bare", key: f.server.entry(t, "").key}}}, password, pfx.Options{})
	long := strings.Repeat("a", 1<<15)
	for name, c := range map[string]struct {
		src  []byte
		add  []Trusted
		says []string
	}{
		"alias of another certificate": {p12, with("CA", one.Certificate),
			append(names(one.Certificate, f.root.Certificate), `the alias "CA"`)},
		"the same in a JKS": {ks, with("CA", one.Certificate), names(one.Certificate, f.root.Certificate)},
		"alias of a key": {p12, with("Server", one.Certificate),
			append(names(one.Certificate, f.server.Certificate), "belongs to a key")},
		"alias of its own key": {ks, with("server", f.server.Certificate), []string{"belongs to a key"}},
		"alias of a key alone": {bare, with("bare", one.Certificate), []string{"a key without a certificate"}},
		"alias of a secret":    {p12, with("AES", one.Certificate), []string{"a secret"}},
		"one alias for two": {p12, append(with("a", one.Certificate), with("A", other.Certificate)...),
			names(one.Certificate, other.Certificate)},
		"no alias":           {p12, with("", one.Certificate), []string{"not empty"}},
		"no text":            {p12, with("a\xff", one.Certificate), []string{"control characters"}},
		"control characters": {p12, with("a\nb", one.Certificate), []string{"control characters"}},
		"long":               {p12, with(long, one.Certificate), []string{"too long"}},
		"no certificate":     {p12, with("a", Certificate{DER: []byte("x")}), []string{"it is not a certificate"}},
		"aliases twice":      {twice, with("a", one.Certificate), []string{`the file has "ca" more than once`}},
		"key in the open": {recorded(t, "opensslplain.p12"), with("a", one.Certificate),
			[]string{"is not encrypted in the file"}},
	} {
		t.Run(name, func(t *testing.T) {
			c.add[0].Certificate = NewCertificate(c.add[0].Certificate.DER)
			out, err := AddTrust(context.Background(), c.src, map[bool]string{true: password,
				false: "changeit"}[name != "key in the open"], c.add,
				today, rand.Reader)
			if err == nil || out != nil {
				t.Fatal("it was added")
			}
			for _, words := range c.says {
				if !strings.Contains(err.Error(), words) {
					t.Errorf("it does not say %q: %v", words, err)
				}
			}
		})
	}
	beyond := with("a\U0001F512", one.Certificate) // two bytes, in a JKS
	if _, err := AddTrust(t.Context(), ks, password, beyond, today, rand.Reader); err != nil {
		t.Errorf("%q: %v", beyond[0].Alias, err)
	}
	// Certificates that are there already, or come twice, are not refused.
	for _, add := range [][]Trusted{with("server", f.root.Certificate), with("", f.root.Certificate), nil} {
		if out, err := AddTrust(context.Background(), p12, password, add, today, nil); err != nil || !bytes.Equal(out, p12) {
			t.Error(err)
		}
	}
	if _, _, after := added(t, p12, password, append(with("a", one.Certificate),
		with("b", one.Certificate)...)...); after.Trust("a") == nil || after.Trust("b") != nil {
		t.Errorf("%v", content(after))
	}
	for _, src := range [][]byte{p12, ks, bare, recorded(t, "keytool17.jceks"), nil, p12[:100]} {
		var unusable *Error
		if _, err := AddTrust(context.Background(), src, "another", with("a", one.Certificate), today,
			rand.Reader); !errors.As(err,
			&unusable) || unusable.Help == "" {
			t.Errorf("%v", err)
		}
	}
	if _, err := AddTrust(context.Background(), p12, password, with("a", one.Certificate), today,
		bytes.NewReader(nil)); err == nil {
		t.Error("it needs no randomness")
	}
}

// TestHindrancesThroughJSON checks that hindrances are the same after a store was encoded as JSON.
func TestHindrancesThroughJSON(t *testing.T) {
	one := issue(t, "One", nil, authority)
	for name, want := range map[string]string{"keytool17several.p12": "alias-taken",
		"opensslplain.p12": "unsupported-entry", "keytool17.jks": "alias-taken"} {
		s := opened(t, recorded(t, name), "changeit")
		alias := "ca"
		for _, st := range []*Store{s, throughJSON(t, s)} {
			found := st.Hindrances([]Trusted{{Alias: alias, Certificate: one.Certificate}})
			if len(found) != 1 || found[0].Rule != want || found[0].Detail == "" {
				t.Errorf("%s: %+v", name, found)
			}
		}
	}
}

// TestAddTrustAndChains: in a PKCS#12 file an added certificate may become the end of a key's chain, by its name.
// The right one may.
func TestAddTrustAndChains(t *testing.T) {
	f := newFamily(t)
	e := f.server.entry(t, "server")
	e.Chain = e.Chain[:2]
	src := bagged(t, &Store{Entries: []Entry{e}}, password, pfx.Options{Level: pfx.Modern})
	if _, _, after := added(t, src, password, Trusted{Alias: "ca",
		Certificate: f.root.Certificate}); len(after.Entries[0].Chain) != 3 {
		t.Errorf("%v", content(after))
	}
	namesake := issue(t, "Test Root", nil, authority)
	_, err := AddTrust(context.Background(), src, password, []Trusted{{Alias: "ca", Certificate: namesake.Certificate}},
		today, rand.Reader)
	if err == nil || !strings.Contains(err.Error(), `entry "server" would get a wrong chain`) {
		t.Error(err)
	}
}

// TestGrown checks that any loss or change of former content is noticed.
func TestGrown(t *testing.T) {
	f := newFamily(t)
	make := func() *Store {
		return &Store{
			Format: JKS, Entries: []Entry{f.server.entry(t, "server")}, Secrets: []string{"aes"},
			Trusted: []Trusted{{Alias: "a", Certificate: f.root.Certificate, Created: today},
				{Alias: "b", Certificate: f.inter.Certificate}},
		}
	}
	add := []Trusted{{Alias: "c", Certificate: f.server.Certificate}}
	for name, spoil := range map[string]func(s *Store){
		"":         func(*Store) {},
		"key":      func(s *Store) { s.Entries = nil },
		"entry":    func(s *Store) { s.Entries = append(s.Entries, f.root.entry(t, "more")) },
		"chain":    func(s *Store) { s.Entries[0].Chain = s.Entries[0].Chain[:1] },
		"date":     func(s *Store) { s.Trusted[0].Created = today.AddDate(0, 0, 1) },
		"key date": func(s *Store) { s.Entries[0].Created = today },
		"alias":    func(s *Store) { s.Trusted[1].Alias = "B" },
		"order":    func(s *Store) { s.Trusted[0], s.Trusted[1] = s.Trusted[1], s.Trusted[0] },
		"trust":    func(s *Store) { s.Trusted = s.Trusted[1:] },
		"added":    func(s *Store) { s.Trusted = s.Trusted[:2] },
		"secret":   func(s *Store) { s.Secrets[0] = "des" },
		"format":   func(s *Store) { s.Format = PKCS12 },
	} {
		again := make()
		again.Trusted = append(again.Trusted, add...)
		spoil(again)
		if err := make().grown(again, add); (err == nil) != (name == "") {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// TestAddTrustProperty: any keystore keeps all that it has, and gets what was asked for and nothing else.
func TestAddTrustProperty(t *testing.T) {
	f := newFamily(t)
	var parties []*party
	for i := range 6 {
		parties = append(parties, issue(t, fmt.Sprint("Authority ", i), nil, authority))
	}
	var sealed Entry
	var err error
	if sealed.sealed, err = sealedKey(); err != nil {
		t.Fatal(err)
	}
	sealed.Alias, sealed.id, sealed.Chain = "sealed", []byte("Time 77"), parties[0].entry(t, "").Chain
	rapid.Check(t, func(rt *rapid.T) {
		s := &Store{Format: rapid.SampledFrom([]Format{PKCS12, JKS}).Draw(rt, "format")}
		o := pfx.Options{Level: pfx.Level(rapid.IntRange(0, 1).Draw(rt, "level")), Open: rapid.Bool().Draw(rt, "open"),
			NoMAC: rapid.Bool().Draw(rt, "no MAC")}
		if rapid.Bool().Draw(rt, "key") {
			s.Entries = append(s.Entries, f.server.entry(t, "server"))
			if s.Format == PKCS12 && rapid.Bool().Draw(rt, "sealed") {
				s.Entries = append(s.Entries, sealed)
			}
		}
		attribute := [][]byte{{0x30, 0x0a, 6, 3, 0x2a, 3, 4, 0x31, 3, 4, 1, 7}}
		for _, i := range rapid.Permutation([]int{0, 1, 2, 3}).Draw(rt, "order")[:rapid.IntRange(0, 4).Draw(rt, "trusted")] {
			s.Trusted = append(s.Trusted, Trusted{Alias: fmt.Sprint("ca", i), Certificate: parties[i].Certificate,
				Created: today.AddDate(0, 0, -i), noted: attribute})
		}
		if s.Format == PKCS12 && rapid.Bool().Draw(rt, "loose") {
			s.loose = []pfx.Bag{{Kind: pfx.Certificate, DER: parties[5].DER, Name: "loose", Named: true, Attributes: attribute}}
		}
		if s.Format == PKCS12 && len(s.Entries) > 0 && rapid.Bool().Draw(rt, "secret") {
			s.secrets = []pfx.Bag{{Kind: pfx.Secret, Type: []int{1, 2, 3}, DER: []byte{4, 1, 7}, Name: "aes", Named: true}}
		}
		var src []byte
		if s.Format == JKS {
			if src, err = s.encodeJKS(password, rand.Reader, today); err != nil {
				rt.Fatal(err)
			}
		} else {
			src = bagged(t, s, password, o)
		}
		var add []Trusted
		for _, i := range rapid.SliceOfN(rapid.IntRange(0, 5), 0, 4).Draw(rt, "add") {
			add = append(add, Trusted{Alias: fmt.Sprint("CA", i), Certificate: parties[i].Certificate})
		}
		before := opened(t, src, password)
		out, err := AddTrust(context.Background(), src, password, add, today, rand.Reader)
		if err != nil {
			rt.Fatal(err)
		}
		after := opened(t, out, password)
		want := order(before)
		for _, a := range add {
			if before.Trusts(a.Certificate) {
				continue
			}
			before.Trusted = append(before.Trusted, a)
			if s.Format == JKS {
				a.Alias, a.Created = fold(a.Alias), today
			}
			want = append(want, order(&Store{Trusted: []Trusted{a}})...)
		}
		if !slices.Equal(want, order(after)) {
			rt.Errorf("it trusts %v, want %v", order(after), want)
		}
		if len(want) == len(s.Trusted) && !bytes.Equal(src, out) {
			rt.Error("it was written for nothing")
		}
		before.Trusted, after.Trusted = nil, nil
		if diff := cmp.Diff(content(before), content(after)); diff != "" {
			rt.Error(diff)
		}
		if before.Level != after.Level || before.Unprotected != after.Unprotected || before.Unencrypted &&
			!after.Unencrypted {
			rt.Errorf("%+v becomes %+v", before, after)
		}
	})
}

// safePart is an unencrypted part of a PKCS#12 file.
type safePart struct {
	Type    asn1.ObjectIdentifier
	Content []byte `asn1:"tag:0,explicit"`
}

// wrapped is a PKCS#12 file without a password, around the bags that are given in DER.
func wrapped(t testing.TB, bags []byte) []byte {
	t.Helper()
	data := asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	safe, err := asn1.Marshal([]safePart{{data, bags}})
	if err != nil {
		t.Fatal(err)
	}
	src, err := asn1.Marshal(struct {
		Version int
		Safe    safePart
	}{3, safePart{data, safe}})
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// unwrapped returns the bags of the last part of such a file.
func unwrapped(t testing.TB, src []byte) []byte {
	t.Helper()
	var outside struct {
		Version int
		Safe    safePart
	}
	var parts []safePart
	if _, err := asn1.Unmarshal(src, &outside); err != nil {
		t.Fatal(err)
	}
	if _, err := asn1.Unmarshal(outside.Safe.Content, &parts); err != nil {
		t.Fatal(err)
	}
	return parts[len(parts)-1].Content
}

// FuzzAddTrust: foreign bytes are added to or refused, and what comes back is a keystore that trusts what was
// added, and keeps the rest. The bytes are what is behind digest and encryption, which would keep the fuzzer out.
func FuzzAddTrust(f *testing.F) {
	ks := recorded(f, "keytool17.jks")
	f.Add(ks[:len(ks)-jksDigest], "new")
	f.Add([]byte("\xfe\xed\xfe\xed\x00\x00\x00\x01\x00\x00\x00\x00"), "new")
	f.Add(unwrapped(f, recorded(f, "keytool25open.p12")), "root")
	family := newFamily(f)
	c := family.root.Certificate
	s := &Store{Entries: []Entry{family.server.entry(f, "server")},
		Trusted: []Trusted{{Alias: "ca", Certificate: family.inter.Certificate}}}
	f.Add(unwrapped(f, bagged(f, s, "", pfx.Options{Open: true, NoMAC: true})), "new") // a chain without its key
	f.Fuzz(func(t *testing.T, src []byte, alias string) {
		if len(src) > 1<<13 {
			return
		}
		if isJKS(src) {
			src = append(bytes.Clone(src), digestJKS(nil, src)...)
		} else {
			src = wrapped(t, src)
		}
		out, err := AddTrust(context.Background(), src, "", []Trusted{{Alias: alias, Certificate: c}}, today, rand.Reader)
		if err != nil {
			return
		}
		before, after := opened(t, src, ""), opened(t, out, "")
		if !after.Trusts(c) || len(after.Trusted) < len(before.Trusted) || len(after.Entries) != len(before.Entries) ||
			after.Unprotected != before.Unprotected {
			t.Errorf("%v becomes %v", content(before), content(after))
		}
	})
}

// BenchmarkAddTrust: a trust store of as many authorities as Java's own.
func BenchmarkAddTrust(b *testing.B) {
	s := &Store{}
	for i := range 150 {
		s.Trusted = append(s.Trusted, Trusted{Alias: fmt.Sprint("ca", i),
			Certificate: issue(b, fmt.Sprint("Authority ", i), nil, authority).Certificate})
	}
	one := []Trusted{{Alias: "one", Certificate: issue(b, "One", nil, authority).Certificate}}
	ks, err := s.encodeJKS(password, rand.Reader, today)
	if err != nil {
		b.Fatal(err)
	}
	for name, src := range map[string][]byte{
		"JKS": ks, "PKCS12": bagged(b, s, password, pfx.Options{Level: pfx.Modern}), "open": bagged(b, s, "",
			pfx.Options{Open: true, NoMAC: true}),
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := AddTrust(context.Background(), src, password, one, today, rand.Reader); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
