package twcsim

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // files in the wild have a MAC or a PRF with it
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"unicode/utf16"
)

// The library that there is, go-pkcs12, loses aliases and adds nothing to a file. So the bags of a file are read and written
// here as far as Java 18 and later write them (RFC 7292 with PBES2, or without encryption); what is older is left to the library.

var (
	oidData       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidEncrypted  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 6}
	oidPBES2      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
	oidPBKDF2     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}
	oidHMACSHA1   = asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 7}
	oidHMACSHA256 = asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 9}
	oidHMACSHA512 = asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 11}
	oidAES128CBC  = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 2}
	oidAES256CBC  = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 42}
	oidSHA1       = asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}
	oidSHA256     = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	oidKeyBag     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 1}
	oidSealedBag  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 2}
	oidCertBag    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 3}
	oidX509       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 22, 1}
	oidName       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 20}
	oidTrusted    = asn1.ObjectIdentifier{2, 16, 840, 1, 113894, 746875, 1, 1} // Java's mark of a trusted certificate
	oidAnyUsage   = asn1.ObjectIdentifier{2, 5, 29, 37, 0}
)

// rounds of the derivation of keys, as openssl and go-pkcs12 have them; a file may have at most mostRounds.
const (
	rounds     = 2048
	mostRounds = 1_000_000
)

var (
	errPassword = errors.New("keystore password was incorrect")
	errOld      = errors.New("it is encrypted in a way that is not simulated")
)

type p12PDU struct {
	Version  int
	AuthSafe p12Content
	MAC      p12MAC `asn1:"optional"`
}

type p12Content struct {
	Type    asn1.ObjectIdentifier
	Content asn1.RawValue `asn1:"tag:0,explicit,optional"`
}

type p12MAC struct {
	Mac struct {
		Algorithm pkix.AlgorithmIdentifier
		Digest    []byte
	}
	Salt   []byte
	Rounds int `asn1:"optional,default:1"`
}

type p12EncryptedData struct {
	Version int
	Info    struct {
		Type      asn1.ObjectIdentifier
		Algorithm pkix.AlgorithmIdentifier
		Content   []byte `asn1:"tag:0,optional"`
	}
}

type p12Sealed struct {
	Algorithm pkix.AlgorithmIdentifier
	Content   []byte
}

type p12Bag struct {
	ID         asn1.ObjectIdentifier
	Value      asn1.RawValue  `asn1:"tag:0,explicit"`
	Attributes []p12Attribute `asn1:"set,optional"`
}

type p12Attribute struct {
	ID    asn1.ObjectIdentifier
	Value asn1.RawValue `asn1:"set"`
}

type p12Cert struct {
	ID   asn1.ObjectIdentifier
	Data []byte `asn1:"tag:0,explicit"`
}

type p12Scheme struct{ KDF, Cipher pkix.AlgorithmIdentifier }

type p12Derivation struct {
	Salt   []byte
	Rounds int
	Size   int                      `asn1:"optional"`
	PRF    pkix.AlgorithmIdentifier `asn1:"optional"`
}

// p12File is a PKCS#12 file as its bags.
type p12File struct {
	safes []p12Safe
	mac   bool
}

// p12Safe is one of the parts that a file has: encrypted or not, as a whole.
type p12Safe struct {
	bags   []p12Bag
	sealed bool
}

func unmarshal(der []byte, out any) error {
	rest, err := asn1.Unmarshal(der, out)
	if err == nil && len(rest) > 0 {
		err = errors.New("something follows the file's end")
	}
	return err
}

// readP12 opens a file. Without a password (open is false) only what is not encrypted is read, and the MAC is not looked at; an
// encrypted part is then an error.
func readP12(data []byte, password string, open bool) (*p12File, error) {
	var pdu p12PDU
	var safe []byte
	if err := unmarshal(data, &pdu); err != nil {
		return nil, fmt.Errorf("it is no PKCS#12 file: %w", err)
	}
	if pdu.Version != 3 || !pdu.AuthSafe.Type.Equal(oidData) {
		return nil, errOld
	}
	if err := unmarshal(pdu.AuthSafe.Content.Bytes, &safe); err != nil {
		return nil, fmt.Errorf("it is no PKCS#12 file: %w", err)
	}
	f := &p12File{mac: len(pdu.MAC.Mac.Algorithm.Algorithm) > 0}
	if f.mac && open {
		if err := pdu.MAC.check(safe, password); err != nil {
			return nil, err
		}
	}
	var parts []p12Content
	if err := unmarshal(safe, &parts); err != nil {
		return nil, fmt.Errorf("it is no PKCS#12 file: %w", err)
	}
	for _, part := range parts {
		s, err := readSafe(part, password, open)
		if err != nil {
			return nil, err
		}
		f.safes = append(f.safes, s)
	}
	return f, nil
}

func readSafe(part p12Content, password string, open bool) (out p12Safe, err error) {
	var der []byte
	switch {
	case part.Type.Equal(oidData):
		err = unmarshal(part.Content.Bytes, &der)
	case part.Type.Equal(oidEncrypted) && open:
		var e p12EncryptedData
		if err = unmarshal(part.Content.Bytes, &e); err == nil {
			out.sealed = true
			der, err = unseal(e.Info.Algorithm, e.Info.Content, password)
		}
	case part.Type.Equal(oidEncrypted):
		err = errPassword
	default:
		err = errOld
	}
	if err == nil {
		err = unmarshal(der, &out.bags)
	}
	return out, err
}

// bytes writes a file down: its encrypted parts and its MAC with the algorithms of today, and no MAC where there was none.
func (f *p12File) bytes(password string) ([]byte, error) {
	parts := []p12Content{}
	for _, s := range f.safes {
		der, err := asn1.Marshal(s.bags)
		if err != nil {
			return nil, err
		}
		part := p12Content{Type: oidData}
		if s.sealed {
			e := p12EncryptedData{}
			e.Info.Type = oidData
			if e.Info.Algorithm, e.Info.Content, err = seal(der, password); err != nil {
				return nil, err
			}
			part.Type = oidEncrypted
			der, err = asn1.Marshal(e)
		} else {
			der, err = asn1.Marshal(der)
		}
		if err != nil {
			return nil, err
		}
		part.Content = explicit(der)
		parts = append(parts, part)
	}
	safe, err := asn1.Marshal(parts)
	if err != nil {
		return nil, err
	}
	pdu := p12PDU{Version: 3, AuthSafe: p12Content{Type: oidData}}
	if f.mac {
		pdu.MAC.Mac.Algorithm = pkix.AlgorithmIdentifier{Algorithm: oidSHA256, Parameters: asn1.NullRawValue}
		pdu.MAC.Salt, pdu.MAC.Rounds = randomBytes(16), rounds
		if pdu.MAC.Mac.Digest, err = pdu.MAC.digest(safe, password); err != nil {
			return nil, err
		}
	}
	der, err := asn1.Marshal(safe)
	if err != nil {
		return nil, err
	}
	pdu.AuthSafe.Content = explicit(der)
	return asn1.Marshal(pdu)
}

func explicit(der []byte) asn1.RawValue {
	return asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: der}
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // it never fails
	return b
}

// check compares the MAC, which tells a wrong password.
func (m *p12MAC) check(safe []byte, password string) error {
	want, err := m.digest(safe, password)
	if err == nil && !hmac.Equal(want, m.Mac.Digest) {
		err = errPassword
	}
	return err
}

// digest is the MAC with a key of RFC 7292, appendix B.2. The key is as long as the hash, so that one turn makes it.
func (m *p12MAC) digest(safe []byte, password string) ([]byte, error) {
	var h func() hash.Hash
	switch id := m.Mac.Algorithm.Algorithm; {
	case id.Equal(oidSHA1):
		h = sha1.New
	case id.Equal(oidSHA256):
		h = sha256.New
	default:
		return nil, errOld
	}
	if m.Rounds > mostRounds {
		return nil, errOld
	}
	const block = 64
	fill := func(b []byte) []byte {
		if len(b) == 0 {
			return nil
		}
		size := (len(b) + block - 1) / block * block
		return bytes.Repeat(b, size/len(b)+1)[:size]
	}
	text := append(fromText(password), 0, 0)
	key := bytes.Repeat([]byte{3}, block)
	key = append(append(key, fill(m.Salt)...), fill(text)...)
	for range m.Rounds {
		sum := h()
		sum.Write(key)
		key = sum.Sum(nil)
	}
	mac := hmac.New(h, key)
	mac.Write(safe)
	return mac.Sum(nil), nil
}

// unseal decrypts with PBES2.
func unseal(a pkix.AlgorithmIdentifier, content []byte, password string) ([]byte, error) {
	var scheme p12Scheme
	var d p12Derivation
	var iv []byte
	if !a.Algorithm.Equal(oidPBES2) || unmarshal(a.Parameters.FullBytes, &scheme) != nil || !scheme.KDF.Algorithm.Equal(oidPBKDF2) ||
		unmarshal(scheme.KDF.Parameters.FullBytes, &d) != nil || unmarshal(scheme.Cipher.Parameters.FullBytes, &iv) != nil {
		return nil, errOld
	}
	h, size := sha1.New, 32
	switch id := d.PRF.Algorithm; {
	case id.Equal(oidHMACSHA256):
		h = sha256.New
	case id.Equal(oidHMACSHA512):
		h = sha512.New
	case len(id) > 0 && !id.Equal(oidHMACSHA1):
		return nil, errOld
	}
	if scheme.Cipher.Algorithm.Equal(oidAES128CBC) {
		size = 16
	} else if !scheme.Cipher.Algorithm.Equal(oidAES256CBC) {
		return nil, errOld
	}
	if d.Rounds < 1 || d.Rounds > mostRounds || len(iv) != aes.BlockSize || len(content) == 0 || len(content)%aes.BlockSize != 0 {
		return nil, errOld
	}
	key, err := pbkdf2.Key(h, password, d.Salt, d.Rounds, size)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	out := make([]byte, len(content))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(out, content)
	n := int(out[len(out)-1])
	if n == 0 || n > aes.BlockSize || !bytes.Equal(out[len(out)-n:], bytes.Repeat([]byte{byte(n)}, n)) {
		return nil, errPassword
	}
	return out[:len(out)-n], nil
}

// seal encrypts as openssl 3 does: PBKDF2 with HMAC-SHA-256, AES-256-CBC.
func seal(plain []byte, password string) (a pkix.AlgorithmIdentifier, content []byte, err error) {
	salt, iv := randomBytes(16), randomBytes(aes.BlockSize)
	key, err := pbkdf2.Key(sha256.New, password, salt, rounds, 32)
	if err != nil {
		return a, nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return a, nil, err
	}
	n := aes.BlockSize - len(plain)%aes.BlockSize
	content = append(bytes.Clone(plain), bytes.Repeat([]byte{byte(n)}, n)...)
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(content, content)
	prf := pkix.AlgorithmIdentifier{Algorithm: oidHMACSHA256, Parameters: asn1.NullRawValue}
	scheme := p12Scheme{KDF: pkix.AlgorithmIdentifier{Algorithm: oidPBKDF2}, Cipher: pkix.AlgorithmIdentifier{Algorithm: oidAES256CBC}}
	if scheme.KDF.Parameters.FullBytes, err = asn1.Marshal(p12Derivation{Salt: salt, Rounds: rounds, PRF: prf}); err != nil {
		return a, nil, err
	}
	if scheme.Cipher.Parameters.FullBytes, err = asn1.Marshal(iv); err != nil {
		return a, nil, err
	}
	a.Algorithm = oidPBES2
	a.Parameters.FullBytes, err = asn1.Marshal(scheme)
	return a, content, err
}

// name is a bag's alias.
func (b p12Bag) name() string {
	for _, a := range b.Attributes {
		var text asn1.RawValue
		if a.ID.Equal(oidName) && unmarshal(a.Value.Bytes, &text) == nil {
			return toText(text.Bytes)
		}
	}
	return ""
}

func (b p12Bag) has(attribute asn1.ObjectIdentifier) bool {
	for _, a := range b.Attributes {
		if a.ID.Equal(attribute) {
			return true
		}
	}
	return false
}

// named gives a bag an alias.
func (b *p12Bag) named(alias string) error {
	der, err := asn1.Marshal(asn1.RawValue{Tag: asn1.TagBMPString, Bytes: fromText(alias)})
	b.Attributes = append(b.Attributes, p12Attribute{oidName, asn1.RawValue{Tag: asn1.TagSet, IsCompound: true, Bytes: der}})
	return err
}

// trustedBag is a trusted certificate as Java writes it.
func trustedBag(alias string, certificate []byte) (p12Bag, error) {
	der, err := asn1.Marshal(p12Cert{oidX509, certificate})
	if err != nil {
		return p12Bag{}, err
	}
	usage, err := asn1.Marshal(oidAnyUsage)
	if err != nil {
		return p12Bag{}, err
	}
	b := p12Bag{ID: oidCertBag, Value: explicit(der)}
	b.Attributes = []p12Attribute{{oidTrusted, asn1.RawValue{Tag: asn1.TagSet, IsCompound: true, Bytes: usage}}}
	err = b.named(alias)
	return b, err
}

// fromText and toText are BMPString, two bytes a character.
func fromText(text string) []byte {
	var out []byte
	for _, c := range utf16.Encode([]rune(text)) {
		out = binary.BigEndian.AppendUint16(out, c)
	}
	return out
}

func toText(b []byte) string {
	var units []uint16
	for ; len(b) > 1; b = b[2:] {
		units = append(units, binary.BigEndian.Uint16(b))
	}
	return string(utf16.Decode(units))
}
