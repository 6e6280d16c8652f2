package pfx

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
	library "software.sslmate.com/src/go-pkcs12"
)

const password = "changeit"

func file(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// outline describes a file in words, one for each bag.
func outline(t testing.TB, f *File) []string {
	t.Helper()
	var out []string
	for _, b := range f.Bags {
		word := [...]string{"other", "key", "certificate", "secret"}[b.Kind]
		switch {
		case b.Kind == Certificate:
			c, err := x509.ParseCertificate(b.DER)
			if err != nil {
				t.Error(err)
				continue
			}
			word += " " + c.Subject.CommonName
		case b.Kind == Key && b.Sealed == nil:
			if _, err := x509.ParsePKCS8PrivateKey(b.DER); err != nil {
				t.Error(err)
			}
		}
		if b.Named {
			word += fmt.Sprintf(" %q", b.Name)
		}
		for _, is := range []struct {
			so   bool
			word string
		}{{b.Trusted, "trusted"}, {b.Sealed != nil, "sealed"}, {b.Plain, "plain"}, {b.KeyID != nil,
			"id"}, {len(b.Attributes) > 0, "more"}} {
			if is.so {
				word += " " + is.word
			}
		}
		out = append(out, word)
	}
	return out
}

func TestParse(t *testing.T) {
	server := []string{`certificate server.test.example "server" id`, `certificate Test Intermediate`,
		`certificate Test Root`, `key "server" id`}
	unnamed := []string{`certificate server.test.example id`, `certificate Test Intermediate`, `certificate Test Root`,
		`key id`}
	plain := append(slices.Clone(server[:3]), `key "server" plain id`)
	one := []string{`key "one" id`, `certificate one "one" id`}
	for _, c := range []struct {
		file string
		bags []string
		File
	}{
		{"keytool8.p12", one, File{MAC: true, Weak: true}},
		{"keytool17.p12", one, File{MAC: true, Level: Modern}},
		{"keytool25.p12", one, File{MAC: true, Level: Modern}},
		{"keytool17several.p12", []string{
			`key "three" id`, `secret "aes" id`, `key "two" id`, `certificate THREE "three" id`,
			`certificate Test Root "ca" trusted`,
			`certificate Two "two" id`,
		}, File{MAC: true, Level: Modern}},
		{"keytool17trust.p12", []string{`certificate Test Root "root" trusted`,
			`certificate Test Intermediate "inter" trusted`}, File{MAC: true, Level: Modern}},
		{"keytool25open.p12", []string{`certificate Test Root "root" trusted`}, File{Unencrypted: true}},
		{"openssl.p12", server, File{MAC: true, Level: Modern}},
		{"openssllegacy.p12", server, File{MAC: true, Weak: true}},
		{"opensslnoname.p12", unnamed, File{MAC: true, Level: Modern}},
		{"opensslnomac.p12", server, File{Level: Modern, Unencrypted: true}},
		{"opensslplain.p12", plain, File{MAC: true, Level: Modern, Unencrypted: true}},
		{"opensslold.p12", server, File{MAC: true, Level: Foreign, Weak: true}},
		{"opensslother.p12", server, File{MAC: true, Level: Foreign}},
		{"opensslcertificates.p12", []string{`certificate Test Root "root"`}, File{MAC: true, Level: Modern}},
	} {
		t.Run(c.file, func(t *testing.T) {
			src := file(t, c.file)
			f, err := Parse(context.Background(), src, password)
			if err != nil {
				t.Fatal(err)
			}
			got := outline(t, f)
			slices.Sort(got)
			slices.Sort(c.bags)
			if diff := cmp.Diff(c.bags, got); diff != "" {
				t.Error(diff)
			}
			f.Bags = nil
			if diff := cmp.Diff(c.File, *f); diff != "" {
				t.Error(diff)
			}
			open := c.file == "keytool25open.p12"
			if _, err := Parse(context.Background(), src, "changeit2"); !errors.Is(err,
				ErrPassword) && !open || open && err != nil {
				t.Errorf("with another password: %v", err)
			}
			for _, n := range []int{len(src) - 1, len(src) / 2, 12} {
				if _, err := Parse(context.Background(), src[:n], password); !errors.Is(err,
					ErrTruncated) || !strings.Contains(err.Error(),
					fmt.Sprintf("%d bytes of %d", n, len(src))) {
					t.Errorf("cut off after %d bytes: %v", n, err)
				}
			}
			if _, err := Parse(context.Background(), append(bytes.Clone(src), '\n'), password); err != nil {
				t.Errorf("with something after it: %v", err)
			}
			ber := inBER(t, src)
			again, err := Parse(context.Background(), ber, password)
			if err != nil {
				t.Fatalf("in BER: %v", err)
			}
			of := outline(t, again)
			slices.Sort(of)
			if diff := cmp.Diff(got, of); diff != "" {
				t.Error(diff)
			}
			if _, err := Parse(context.Background(), ber[:len(ber)-3], password); !errors.Is(err, ErrTruncated) {
				t.Errorf("BER, cut off: %v", err)
			}
		})
	}
}

// inBER converts a file to BER as some programs write it: all lengths are indefinite, and strings are in pieces.
func inBER(t testing.TB, der []byte) []byte {
	t.Helper()
	tag, n, content, err := header(der)
	if err != nil {
		t.Fatal(err)
	}
	rest := content[n:]
	content = content[:n]
	var inner []byte
	switch {
	case tag[0] == tagOctets && n > 40:
		tag = []byte{tagOctetPieces}
		for piece := range slices.Chunk(content, 100) {
			inner = append(inner, tlv([]byte{tagOctets}, piece)...)
		}
	case tag[0]&constructed != 0:
		for len(content) > 0 {
			_, n, c, err := header(content)
			if err != nil {
				t.Fatal(err)
			}
			size := len(content) - len(c) + n
			inner = append(inner, inBER(t, content[:size])...)
			content = content[size:]
		}
	default:
		return der
	}
	out := append(append(bytes.Clone(tag), 0x80), inner...)
	return append(append(out, 0, 0), rest...)
}

func TestParseRefuses(t *testing.T) {
	good := file(t, "keytool17.p12")
	for name, c := range map[string]struct {
		src  []byte
		work int
		want error
		says string
	}{
		"nothing":               {nil, maxWork, ErrFormat, "no PKCS#12"},
		"text":                  {[]byte("-----BEGIN CERTIFICATE-----"), maxWork, ErrFormat, "no PKCS#12"},
		"JKS":                   {file(t, "keytool17.jks"), maxWork, ErrFormat, "no PKCS#12"},
		"work beyond the bound": {good, 15_000, ErrCostly, "too long"},
		"damaged inside":        {damaged(good), maxWork, ErrPassword, "does not open"},
		"signed": {tlv([]byte{0x30}, append([]byte{2, 1, 3},
			sequence(mustDER(oid(1, 2, 840, 113549, 1, 7, 2)))...)), maxWork, ErrUnsupported, "signed"},
		"scrypt":              {foreign(oid(1, 3, 6, 1, 4, 1, 11591, 4, 11)), maxWork, ErrUnsupported, "scrypt"},
		"hours of iterations": {costly(1 << 30), maxWork, ErrCostly, "1073741824"},
		"no iterations":       {costly(0), maxWork, ErrFormat, "0 iterations"},
		"negative iterations": {costly(-1), maxWork, ErrFormat, "-1 iterations"},
		"deep": {append([]byte{0x30, 0x80, 2, 1, 3}, bytes.Repeat([]byte{0x30, 0x80}, 1000)...), maxWork,
			ErrFormat, "deep"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parse(c.src, password, &budget{left: c.work})
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want %v saying %q", err, c.want, c.says)
			}
		})
	}
}

// TestManyValues checks that a file with more values than fit in memory is refused before they are decoded, wherever
// they are. Ten thousand keys with their certificates are read.
func TestManyValues(t *testing.T) {
	inPart := func(bags []byte) []byte {
		safe := sequence(sequence(mustDER(oidData), explicit(octets(sequence(bags)))))
		return sequence(mustDER(3), sequence(mustDER(oidData), explicit(octets(safe))))
	}
	null := []byte{5, 0}
	bag := sequence(mustDER(oidKeyBag), explicit(null))
	many := bytes.Repeat(null, maxValues+1)
	part := sequence(mustDER(oidData), explicit(octets(sequence(bytes.Repeat(bag, 100)))))
	for name, src := range map[string][]byte{
		"bags":       inPart(bytes.Repeat(bag, maxValues/4+1)),
		"attributes": inPart(sequence(mustDER(oidKeyBag), explicit(null), tlv([]byte{0x31}, many))),
		"outside":    sequence(mustDER(3), many),
		"parts": sequence(mustDER(3), sequence(mustDER(oidData), explicit(octets(sequence(
			bytes.Repeat(part, maxValues/400)))))),
	} {
		_, err := parse(src, password, &budget{left: maxWork})
		if !errors.Is(err, ErrCostly) || errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var bags []Bag
	for i := range 100 {
		id := fmt.Append(nil, "Time ", i)
		bags = append(bags, Bag{Kind: Key, DER: sequence(null), Name: "a key", Named: true, KeyID: id},
			Bag{Kind: Certificate, DER: sequence(null), Name: "a key", Named: true, KeyID: id, Trusted: true})
	}
	src, err := Write(bags, password, Options{Level: Modern, Random: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	used := &budget{left: math.MaxInt}
	if _, err := parse(src, password, used); err != nil || 100*used.values > maxValues {
		t.Errorf("a hundredth of what is read: %d values, %v", used.values, err)
	}
}

func damaged(src []byte) []byte {
	out := bytes.Clone(src)
	out[len(out)/2] ^= 1
	return out
}

// foreign returns a file whose certificates are encrypted with an unknown algorithm.
func foreign(id []int) []byte {
	kdf := sequence(mustDER(oid(id...)), sequence())
	a := sequence(mustDER(oidPBES2), sequence(kdf, sequence(mustDER(oidAES256), octets(make([]byte, 16)))))
	return withPart(a)
}

func costly(iterations int) []byte {
	return withPart(sequence(mustDER(oidSHA13DES), sequence(octets([]byte("salt")), mustDER(iterations))))
}

func withPart(algorithm []byte) []byte {
	info := sequence(mustDER(oidData), algorithm, tlv([]byte{0x80}, make([]byte, 32)))
	safe := sequence(sequence(mustDER(oidEncryptedData), explicit(sequence(mustDER(0), info))))
	return sequence(mustDER(3), sequence(mustDER(oidData), explicit(octets(safe))))
}

// TestManyCostlyKeys checks that the limit of work also applies to many keys that are each below it.
func TestManyCostlyKeys(t *testing.T) {
	key := sequence(mustDER(oidShroudedKeyBag),
		explicit(sequence(sequence(mustDER(oidSHA13DES), sequence(octets([]byte("salt")), mustDER(4000))),
			octets(make([]byte, 32)))))
	safe := sequence(sequence(mustDER(oidData), explicit(octets(sequence(bytes.Repeat(key, 1000))))))
	src := sequence(mustDER(3), sequence(mustDER(oidData), explicit(octets(safe))))
	if _, err := parse(src, password, &budget{left: 100_000}); !errors.Is(err, ErrCostly) {
		t.Error(err)
	}
}

// bags returns a key with its certificate, and a trusted certificate.
func bags(t testing.TB) ([]Bag, *x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "written"},
		NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return []Bag{
		{Kind: Key, DER: pkcs8, Name: "käse", Named: true, KeyID: []byte("Time 1")},
		{Kind: Certificate, DER: der, Name: "käse", Named: true, KeyID: []byte("Time 1")},
		{Kind: Certificate, DER: der, Name: "ca", Named: true, Trusted: true},
		{Kind: Secret, DER: octets([]byte("0123456789abcdef")), Type: oidShroudedKeyBag, Name: "aes", Named: true,
			KeyID: []byte("Time 2")},
	}, c, key
}

func TestWriteIsRead(t *testing.T) {
	all, c, key := bags(t)
	for _, level := range []Level{Legacy, Modern} {
		src, err := Write(all, password, Options{Level: level, Random: rand.Reader})
		if err != nil {
			t.Fatal(err)
		}
		f, err := Parse(context.Background(), src, password)
		if err != nil {
			t.Fatal(err)
		}
		want := []Bag{all[0], all[3], all[1], all[2]}
		for i := range want {
			if want[i].Kind != Secret {
				want[i].Type = f.Bags[i].Type
			}
		}
		if diff := cmp.Diff(File{Bags: want, MAC: true, Level: level}, *f); diff != "" {
			t.Error(diff)
		}
		again, err := Write(f.Bags, "other", Options{Level: Modern, Random: rand.Reader})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(context.Background(), again, password); !errors.Is(err, ErrPassword) {
			t.Errorf("the old password: %v", err)
		}

		// The library, if it can read the file.
		src, err = Write(all[:2], password, Options{Level: level, Random: rand.Reader})
		if err != nil {
			t.Fatal(err)
		}
		gotKey, gotCertificate, _, err := library.DecodeChain(src, password)
		if err != nil || !key.Equal(gotKey) || !c.Equal(gotCertificate) {
			t.Errorf("the library reads %v %v: %v", gotKey, gotCertificate, err)
		}
		src, err = Write(all[2:3], password, Options{Level: level, Random: rand.Reader})
		if err != nil {
			t.Fatal(err)
		}
		trusted, err := library.DecodeTrustStore(src, password)
		if err != nil || len(trusted) != 1 || !c.Equal(trusted[0]) {
			t.Errorf("the library reads %v: %v", trusted, err)
		}
	}
}

// TestWriteOpen checks files with unencrypted certificates and without a MAC. Keys and secrets are encrypted
// nevertheless.
func TestWriteOpen(t *testing.T) {
	all, c, key := bags(t)
	trusted := all[2:3]
	for _, o := range []Options{{Open: true}, {NoMAC: true}, {Open: true, NoMAC: true}} {
		o.Level, o.Random = Modern, rand.Reader
		src, err := Write(all, password, o)
		if err != nil {
			t.Fatal(err)
		}
		f, err := Parse(context.Background(), src, password)
		if err != nil || len(f.Bags) != 4 || f.MAC == o.NoMAC || f.Unencrypted != o.Open || f.Mixed || f.Level != Modern {
			t.Errorf("%+v: %v %+v", o, err, f)
		}
		secret, err := key.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(src, c.Raw) != o.Open || bytes.Contains(src, secret) || f.Bags[0].Plain {
			t.Errorf("%+v: what is to be encrypted is not, or the other way round", o)
		}
		if _, err := Parse(context.Background(), src, "another"); !errors.Is(err, ErrPassword) {
			t.Errorf("%+v: with another password: %v", o, err)
		}
	}
	src, err := Write(trusted, "", Options{Open: true, NoMAC: true}) // no randomness is needed either
	if err != nil {
		t.Fatal(err)
	}
	if got, err := library.DecodeTrustStore(src, ""); err != nil || len(got) != 1 || !c.Equal(got[0]) {
		t.Errorf("the library reads %v: %v", got, err)
	}
	// Certificates in two parts, one of them encrypted.
	w := &writer{o: Options{Random: rand.Reader}, password: newSecret(password), budget: &budget{left: maxWork}}
	content, id, err := w.content(&trusted[0])
	if err != nil {
		t.Fatal(err)
	}
	bag := sequence(sequence(mustDER(id), explicit(content), trusted[0].attributes()))
	a, sealed, err := w.encrypt(bag)
	if err != nil {
		t.Fatal(err)
	}
	info := sequence(mustDER(oidData), a, tlv([]byte{0x80}, sealed))
	safe := sequence(
		sequence(mustDER(oidData), explicit(octets(bag))),
		sequence(mustDER(oidEncryptedData), explicit(sequence(mustDER(0), info))))
	f, err := Parse(context.Background(), sequence(mustDER(3), sequence(mustDER(oidData), explicit(octets(safe)))),
		password)
	if err != nil || !f.Mixed || f.Unencrypted || len(f.Bags) != 2 {
		t.Errorf("%v %+v", err, f)
	}
}

func TestReadsTheLibrary(t *testing.T) {
	_, c, key := bags(t)
	for name, e := range map[string]struct {
		*library.Encoder
		level Level
	}{
		"RC2": {library.LegacyRC2, Legacy}, "DES": {library.LegacyDES, Legacy}, "2023": {library.Modern2023, Modern},
		"2026": {library.Modern2026, Newest},
	} {
		src, err := e.Encode(key, c, []*x509.Certificate{c}, password)
		if err != nil {
			t.Fatal(err)
		}
		f, err := Parse(context.Background(), src, password)
		if err != nil || len(f.Bags) != 3 || f.Level != e.level || !f.MAC {
			t.Errorf("%s: %v %+v", name, err, f)
		}
		if _, err := Parse(context.Background(), src, ""); !errors.Is(err, ErrPassword) {
			t.Errorf("%s without a password: %v", name, err)
		}
	}
	src, err := library.Passwordless.Encode(key, c, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	if f, err := Parse(context.Background(), src, ""); err != nil || len(f.Bags) != 2 || f.MAC || !f.Bags[1].Plain {
		t.Errorf("%v %+v", err, f)
	}
}

// TestOtherPassword checks that a key with another password stays encrypted, and is written unchanged.
func TestOtherPassword(t *testing.T) {
	all, _, _ := bags(t)
	w := &writer{o: Options{Level: Modern, Random: rand.Reader}, password: newSecret("its own"),
		budget: &budget{left: maxWork}}
	sealed, _, err := w.content(&all[0])
	if err != nil {
		t.Fatal(err)
	}
	kept := all[0]
	kept.DER, kept.Sealed = nil, sealed
	src, err := Write([]Bag{kept, all[1]}, password, Options{Level: Modern, Random: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	f, err := Parse(context.Background(), src, password)
	if err != nil || !bytes.Equal(f.Bags[0].Sealed, sealed) || f.Bags[0].DER != nil {
		t.Errorf("%v %+v", err, f)
	}
}

// TestUnknownStays checks that unknown attributes are kept unchanged.
func TestUnknownStays(t *testing.T) {
	all, _, _ := bags(t)
	all[0].Attributes = [][]byte{attribute(oid(1, 3, 6, 1, 4, 1, 311, 17, 1), tlv([]byte{0x1e}, bmp("a provider")))}
	all[2].Attributes = [][]byte{attribute(oidTrustedKeyUsage, mustDER(oid(1, 3, 6, 1, 5, 5, 7, 3, 1)))}
	src, err := Write(all[:3], password, Options{Level: Modern, Random: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	f, err := Parse(context.Background(), src, password)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if diff := cmp.Diff(all[i].Attributes, f.Bags[i].Attributes); diff != "" {
			t.Error(diff)
		}
	}
	if !f.Bags[2].Trusted {
		t.Error("the mark is lost")
	}
	if _, err := Write([]Bag{{Kind: Other, Type: oid(1, 2, 3)}}, password, Options{Random: rand.Reader}); err == nil {
		t.Error("a bag of an unknown kind was written")
	}
}

func TestRC2(t *testing.T) {
	for _, v := range []struct {
		key       string
		effective int
		plain     string
		sealed    string
	}{ // RFC 2268, section 5
		{"0000000000000000", 63, "0000000000000000", "ebb773f993278eff"},
		{"ffffffffffffffff", 64, "ffffffffffffffff", "278b27e42e2f0d49"},
		{"3000000000000000", 64, "1000000000000001", "30649edf9be7d2c2"},
		{"88", 64, "0000000000000000", "61a8a244adacccf0"},
		{"88bca90e90875a", 64, "0000000000000000", "6ccf4308974c267f"},
		{"88bca90e90875a7f0f79c384627bafb2", 64, "0000000000000000", "1a807d272bbe5db1"},
		{"88bca90e90875a7f0f79c384627bafb2", 128, "0000000000000000", "2269552ab0f85ca6"},
		{"88bca90e90875a7f0f79c384627bafb216f80a6f85920584c42fceb0be255daf1e", 129, "0000000000000000", "5b78d3a43dfff1f1"},
	} {
		key, _ := hex.DecodeString(v.key)
		plain, _ := hex.DecodeString(v.plain)
		got := make([]byte, 8)
		c := newRC2(key, v.effective)
		c.Encrypt(got, plain)
		if hex.EncodeToString(got) != v.sealed {
			t.Errorf("%s with %s: %x, want %s", v.plain, v.key, got, v.sealed)
		}
		c.Decrypt(got, got)
		if !bytes.Equal(got, plain) {
			t.Errorf("%s with %s comes back as %x", v.plain, v.key, got)
		}
	}
}

// TestBER checks that DER stays unchanged, and that BER is read.
func TestBER(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var build func(depth int) []byte
		build = func(depth int) []byte {
			if depth == 0 || rapid.Bool().Draw(t, "leaf") {
				return octets(rapid.SliceOfN(rapid.Byte(), 0, 400).Draw(t, "bytes"))
			}
			var parts [][]byte
			for range rapid.IntRange(0, 4).Draw(t, "parts") {
				parts = append(parts, build(depth-1))
			}
			return tlv(rapid.SampledFrom([][]byte{{0x30}, {0x31}, {0xa0}, {0x7f, 0x21}}).Draw(t, "tag"), bytes.Join(parts, nil))
		}
		der := build(4)
		for _, src := range [][]byte{der, inBER(&testing.T{}, der)} {
			got, rest, err := new(budget).toDER(append(bytes.Clone(src), 1, 2))
			if err != nil || !bytes.Equal(got, der) || !bytes.Equal(rest, []byte{1, 2}) {
				t.Fatalf("%x: %x, %x, %v; want %x", src, got, rest, err, der)
			}
		}
	})
}

// TestLongMACKey checks MACs of RFC 9579 with a key of 256 bytes, which programs request that confuse bits with
// bytes.
func TestLongMACKey(t *testing.T) {
	safe, salt := sequence(), []byte("some salt")
	for size, want := range map[int]error{32: nil, 256: nil, 512: nil, 513: ErrUnsupported, 8: ErrFormat} {
		hmacID := sequence(mustDER(oidHMACSHA256))
		kdf := sequence(mustDER(oidPBKDF2), sequence(octets(salt), mustDER(1000), mustDER(size), hmacID))
		algorithm := sequence(mustDER(oidPBMAC1), sequence(kdf, hmacID))
		key, err := pbkdf2.Key(sha256.New, password, salt, 1000, size)
		if err != nil {
			t.Fatal(err)
		}
		d := hmac.New(sha256.New, key)
		d.Write(safe)
		mac := sequence(sequence(algorithm, octets(d.Sum(nil))), octets(salt), mustDER(1))
		_, err = Parse(context.Background(), sequence(mustDER(3), sequence(mustDER(oidData), explicit(octets(safe))), mac),
			password)
		if !errors.Is(err, want) {
			t.Errorf("a key of %d bytes: %v", size, err)
		}
	}
}
