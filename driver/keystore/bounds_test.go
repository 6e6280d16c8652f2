package keystore

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/syncctl/syncctl/driver/keystore/pfx"
)

// jksOf returns a JKS keystore with this many trusted certificates.
func jksOf(t *testing.T, entries int, der []byte) []byte {
	t.Helper()
	out := []byte(jksMagic)
	out = binary.BigEndian.AppendUint32(out, 2)
	out = binary.BigEndian.AppendUint32(out, uint32(entries))
	text := func(s string) { out = append(binary.BigEndian.AppendUint16(out, uint16(len(s))), s...) }
	for i := range entries {
		out = binary.BigEndian.AppendUint32(out, jksTrusted)
		text(fmt.Sprintf("ca-%d", i))
		out = binary.BigEndian.AppendUint64(out, 0)
		text("X.509")
		out = append(binary.BigEndian.AppendUint32(out, uint32(len(der))), der...)
	}
	secret, err := jksPassword(password)
	if err != nil {
		t.Fatal(err)
	}
	return append(out, digestJKS(secret, out)...)
}

func TestKeystoresBeyondABound(t *testing.T) {
	costs := func(err error) bool {
		var e *Error
		return errors.As(err, &e) && e.Rule == RuleCostly && e.Help != ""
	}
	if s, err := Open(context.Background(), jksOf(t, maxEntries, nil),
		password); err != nil || len(s.Trusted) != maxEntries {
		t.Errorf("as many as are read: %v", err)
	}
	if _, err := Open(context.Background(), jksOf(t, maxEntries+1, nil), password); !costs(err) {
		t.Errorf("one more: %v", err)
	}
	// what a file says of itself counts, before anything is read of it
	if _, err := Open(context.Background(), slices.Concat([]byte(jksMagic), []byte{0, 0, 0, 2, 0xff, 0xff, 0xff, 0xff}),
		password); !costs(err) {
		t.Errorf("four billion: %v", err)
	}
	chain := slices.Concat([]byte(jksMagic), []byte{0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 'a'}, make([]byte, 8),
		[]byte{0, 0, 0, 0, 0, 0, 0x4e, 0x20}, make([]byte, 200_000))
	if _, err := Open(context.Background(), chain, password); !costs(err) {
		t.Errorf("a chain of 20,000: %v", err)
	}
	bags := make([]pfx.Bag, maxEntries+1)
	if _, err := fromBags(&pfx.File{Bags: bags}); !costs(err) {
		t.Errorf("a PKCS#12 file of as many bags: %v", err)
	}
}

// TestGiantKindOfBag: of an identifier of any length, a line is said.
func TestGiantKindOfBag(t *testing.T) {
	s, err := fromBags(&pfx.File{Bags: []pfx.Bag{{Kind: pfx.Other, Type: make(asn1.ObjectIdentifier, 100_000)}}})
	if err != nil || len(s.Unknown) != 1 || len(s.Unknown[0]) > 200 || !strings.HasSuffix(s.Unknown[0], "…") {
		t.Errorf("%d characters, %v", len(s.Unknown[0]), err)
	}
}

// TestManyKeysFindTheirCertificates checks that thousands of keys find their certificates by an index, without being
// compared with each.
func TestManyKeysFindTheirCertificates(t *testing.T) {
	ca := issue(t, "CA", nil, authority)
	var bags []pfx.Bag
	for i := range maxEntries / 2 {
		id := []byte(fmt.Sprint(i))
		bags = append(bags, pfx.Bag{Kind: pfx.Key, Sealed: []byte{1}, KeyID: id, Name: "k" + string(id), Named: true},
			pfx.Bag{Kind: pfx.Certificate, DER: ca.DER, KeyID: id})
	}
	s, err := fromBags(&pfx.File{Bags: bags})
	if err != nil || len(s.Entries) != maxEntries/2 || len(s.Loose) != 0 {
		t.Fatalf("%v, %v", s, err)
	}
	for _, e := range s.Entries {
		if len(e.Chain) != 1 {
			t.Fatalf("%s has %d certificates", e, len(e.Chain))
		}
	}
}

// TestGiantKeys checks that certificates and keys whose calculations would take minutes are kept, but not used.
func TestGiantKeys(t *testing.T) {
	modulus := func(bits int) *big.Int {
		return new(big.Int).SetBit(new(big.Int).Lsh(big.NewInt(1), uint(bits-1)), 0, 1)
	}
	rough := func(bits, padding int) []byte {
		spki, err := x509.MarshalPKIXPublicKey(&rsa.PublicKey{N: modulus(bits), E: 65537})
		if err != nil {
			t.Fatal(err)
		}
		c, err := x509.ParseCertificate(issue(t, "CA", nil, authority).DER)
		if err != nil {
			t.Fatal(err)
		}
		var sealed struct {
			TBS       asn1.RawValue
			Algorithm asn1.RawValue
			Signature asn1.BitString
		}
		if _, err := asn1.Unmarshal(c.Raw, &sealed); err != nil {
			t.Fatal(err)
		}
		inner, err := asn1.Marshal(asn1.RawValue{Class: 0, Tag: 16, IsCompound: true, Bytes: contentOf(t, c, spki)})
		if err != nil {
			t.Fatal(err)
		}
		sealed.TBS = asn1.RawValue{FullBytes: inner}
		sealed.Signature = asn1.BitString{Bytes: make([]byte, padding), BitLength: 8 * padding}
		der, err := asn1.Marshal(sealed)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	for name, c := range map[string]struct {
		bits, padding int
		fine          bool
	}{
		"large": {maxModulus, 64, true}, "larger": {maxModulus + 8, 64, false}, "giant": {400_000, 64, false},
		"with much around it": {2048, maxCertificate, false},
	} {
		der := rough(c.bits, c.padding)
		_, err := NewCertificate(der).X509()
		if (err == nil) != c.fine {
			t.Errorf("%s: %v", name, err)
		}
		text := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
		if _, err := ParseCertificates(text); (err == nil) != c.fine {
			t.Errorf("%s in PEM: %v", name, err)
		}
	}
	e := Entry{Alias: "a"}
	e.setKey(make([]byte, maxKey+1))
	if _, err := e.Signer(); err == nil || e.Key != "" || !strings.Contains(err.Error(), "at most") {
		t.Errorf("a giant private key: %v", err)
	}
}

// contentOf returns the signed content of a certificate, with another key.
func contentOf(t *testing.T, c *x509.Certificate, spki []byte) []byte {
	t.Helper()
	var whole asn1.RawValue
	if _, err := asn1.Unmarshal(c.RawTBSCertificate, &whole); err != nil {
		t.Fatal(err)
	}
	return bytes.Replace(whole.Bytes, c.RawSubjectPublicKeyInfo, spki, 1)
}

// TestOpeningEndsWithItsContext: in both formats, and what ended it is not taken for a wrong password.
func TestOpeningEndsWithItsContext(t *testing.T) {
	errGone := errors.New("nobody waits")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errGone)
	file, err := pfx.Write([]pfx.Bag{{Kind: pfx.Certificate, DER: issue(t, "CA", nil, authority).DER}}, password,
		pfx.Options{Level: pfx.Modern, Random: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	for _, content := range [][]byte{file, jksOf(t, 2, nil)} {
		var unusable *Error
		if _, err := Open(ctx, content, password); !errors.Is(err, errGone) || errors.As(err, &unusable) {
			t.Error(err)
		}
		if _, err := AddTrust(ctx, content, password, nil, time.Now(), rand.Reader); !errors.Is(err, errGone) {
			t.Error(err)
		}
	}
}

// TestManyOfOneName checks that of many certificates with the name of an issuer only some are tried: checking one
// signature may take milliseconds, and a file has room for thousands.
func TestManyOfOneName(t *testing.T) {
	ca := issue(t, "CA", nil, authority)
	leaf := issue(t, "leaf", ca).Certificate
	others := make([]Certificate, mostNamesakes)
	for i := range others {
		others[i] = issue(t, "CA", nil, authority).Certificate
	}
	if at := issuerOf(leaf, slices.Concat(others[1:], []Certificate{ca.Certificate})); at != mostNamesakes-1 {
		t.Errorf("the last one that is tried: %d", at)
	}
	if at := issuerOf(leaf, slices.Concat(others, []Certificate{ca.Certificate})); at != 0 {
		t.Errorf("one more: %d", at)
	}
}

// TestChainBeyondItsBound checks that a key of a JKS keystore has no more certificates than one of PKCS#12.
func TestChainBeyondItsBound(t *testing.T) {
	der := issue(t, "CA", nil, authority).DER
	for n, fine := range map[int]bool{maxChain: true, maxChain + 1: false} {
		e := jksEntry{tag: jksKey, alias: "key", sealed: []byte("sealed"), chain: slices.Repeat([][]byte{der}, n)}
		_, err := Open(t.Context(), entriesJKS(t, e), password)
		var costly *Error
		if fine != (err == nil) || !fine && !(errors.As(err, &costly) && costly.Rule == RuleCostly) {
			t.Errorf("%d certificates: %v", n, err)
		}
	}
}

// TestGiantNames checks that a name is put into words in bounded time, wherever it is shown: the time that the library
// takes grows with the square of a name's parts.
func TestGiantNames(t *testing.T) {
	for parts, shown := range map[int]string{200: "OU=u", 4000: "(a name of "} {
		var rdn pkix.RDNSequence
		for range parts {
			rdn = append(rdn, pkix.RelativeDistinguishedNameSET{{Type: []int{2, 5, 4, 11}, Value: "u"}})
		}
		raw, err := asn1.Marshal(rdn)
		if err != nil {
			t.Fatal(err)
		}
		c := &x509.Certificate{RawSubject: raw}
		c.Subject.FillFromRDNSequence(&rdn)
		for _, got := range []string{nameOf(string(raw)), subjectOf(c)} {
			if !strings.HasPrefix(got, shown) {
				t.Errorf("%d parts: %s", parts, got)
			}
		}
	}
}
