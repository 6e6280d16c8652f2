package pfx

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"  //nolint:gosec // old files have it; nothing is written with it
	"crypto/sha1" //nolint:gosec // PKCS#12's own algorithms have no other
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"math/big"
	"unicode/utf16"
)

var (
	oidPBES2  = oid(1, 2, 840, 113549, 1, 5, 13)
	oidPBKDF2 = oid(1, 2, 840, 113549, 1, 5, 12)
	oidPBMAC1 = oid(1, 2, 840, 113549, 1, 5, 14)

	oidHMACSHA256 = oid(1, 2, 840, 113549, 2, 9)
	oidMD5        = oid(1, 2, 840, 113549, 2, 5)
	oidSHA1       = oid(1, 3, 14, 3, 2, 26)
	oidSHA256     = oid(2, 16, 840, 1, 101, 3, 4, 2, 1)
)

// hashes are the hash functions, by the identifiers of the digest and of the HMAC with it.
var hashes = map[string]func() hash.Hash{
	oidMD5.String():          md5.New,
	oidSHA1.String():         sha1.New,
	"1.2.840.113549.2.7":     sha1.New,
	"2.16.840.1.101.3.4.2.4": sha256.New224,
	"1.2.840.113549.2.8":     sha256.New224,
	oidSHA256.String():       sha256.New,
	oidHMACSHA256.String():   sha256.New,
	"2.16.840.1.101.3.4.2.2": sha512.New384,
	"1.2.840.113549.2.10":    sha512.New384,
	"2.16.840.1.101.3.4.2.3": sha512.New,
	"1.2.840.113549.2.11":    sha512.New,
}

// secret is a password in the two forms that keys are derived from.
type secret struct {
	bmp  []byte // RFC 7292, appendix B.1: UTF-16, ended by a zero
	utf8 string // the form for PBKDF2
}

func newSecret(password string) secret {
	return secret{bmp: append(bmp(password), 0, 0), utf8: password}
}

func bmp(text string) []byte {
	var out []byte
	for _, u := range utf16.Encode([]rune(text)) {
		out = append(out, byte(u>>8), byte(u))
	}
	return out
}

func fromBMP(b []byte) (string, error) {
	if len(b)%2 != 0 {
		return "", errors.New("a name of an odd number of bytes")
	}
	u := make([]uint16, 0, len(b)/2)
	for i := 0; i < len(b); i += 2 {
		u = append(u, uint16(b[i])<<8|uint16(b[i+1]))
	}
	if len(u) > 0 && u[len(u)-1] == 0 {
		u = u[:len(u)-1]
	}
	return string(utf16.Decode(u)), nil
}

// Limits on the work that a file may require. Java also refuses more iterations than maxIterations.
const (
	maxIterations = 5_000_000
	maxWork       = 20_000_000

	// maxValues is the maximum number of values outside of strings. encoding/asn1 needs a hundred bytes for a value that
	// has two in the file. Keys and certificates have up to thirty each.
	maxValues = 500_000

	// restAfter is the number of rounds between two checks whether opening was cancelled. They take about a
	// millisecond.
	restAfter = 1 << 12
)

// budget is the work that opening one file may take.
type budget struct {
	left   int          // rounds of a hash function
	values int          // values that were read
	ended  func() error // returns an error once opening was cancelled; nil if it cannot be
}

// round must be called before each round.
func (b *budget) round(n int) error {
	if n%restAfter != 0 || b.ended == nil {
		return nil
	}
	return b.ended()
}

func (b *budget) spend(iterations, blocks int) error {
	switch {
	case iterations < 1:
		return fmt.Errorf("%w: it wants a key derived in %d iterations", ErrFormat, iterations)
	case iterations > maxIterations || iterations*blocks > b.left:
		return fmt.Errorf("%w: it wants keys derived in %d iterations and more, which no program writes", ErrCostly,
			iterations)
	}
	b.left -= iterations * blocks
	return nil
}

// The purposes of a derived key (RFC 7292, appendix B.3).
const (
	forKey byte = 1 + iota
	forIV
	forMAC
)

// derive derives a key as PKCS#12 does (RFC 7292, appendix B.2).
func (b *budget) derive(h func() hash.Hash, password, salt []byte, iterations int, purpose byte, size int) ([]byte,
	error) {
	d := h()
	u, v := d.Size(), d.BlockSize()
	blocks := (size + u - 1) / u
	if err := b.spend(iterations, blocks); err != nil {
		return nil, err
	}
	diversifier := make([]byte, v)
	for i := range diversifier {
		diversifier[i] = purpose
	}
	block := append(repeat(salt, v), repeat(password, v)...)
	var out []byte
	for range blocks {
		d.Reset()
		d.Write(diversifier)
		d.Write(block)
		a := d.Sum(nil)
		for n := range iterations - 1 {
			if err := b.round(n); err != nil {
				return nil, err
			}
			d.Reset()
			d.Write(a)
			a = d.Sum(a[:0])
		}
		out = append(out, a...)
		add(block, repeat(a, v)[:v])
	}
	return out[:size], nil
}

// repeat fills whole blocks of v bytes with copies of b.
func repeat(b []byte, v int) []byte {
	if len(b) == 0 {
		return nil
	}
	size := (len(b) + v - 1) / v * v
	out := make([]byte, 0, size+len(b))
	for len(out) < size {
		out = append(out, b...)
	}
	return out[:size]
}

// add adds b+1, as a number, to each piece of block that is as long as b.
func add(block, b []byte) {
	one, n := big.NewInt(1), new(big.Int).SetBytes(b)
	n.Add(n, one)
	mask := new(big.Int).Sub(new(big.Int).Lsh(one, uint(8*len(b))), one)
	for i := 0; i < len(block); i += len(b) {
		piece := block[i : i+len(b)]
		sum := new(big.Int).SetBytes(piece)
		sum.Add(sum, n).And(sum, mask).FillBytes(piece)
	}
}

// mostKey is the maximum length of a key, in bytes. A program that takes the bits of SHA-512 for bytes writes 512.
const mostKey = 512

// pbkdf2Params are the parameters of PBKDF2 (RFC 8018, appendix A.2).
type pbkdf2Params struct {
	Salt       asn1.RawValue
	Iterations int
	KeyLength  int                      `asn1:"optional"`
	PRF        pkix.AlgorithmIdentifier `asn1:"optional"`
}

// pbkdf2 derives a key as an algorithm identifier says. If size is 0, the identifier gives the length.
func (b *budget) pbkdf2(kdf pkix.AlgorithmIdentifier, password string, size int) ([]byte, error) {
	if !kdf.Algorithm.Equal(oidPBKDF2) {
		return nil, fmt.Errorf("%w: its keys are derived with %s", ErrUnsupported, algorithm(kdf.Algorithm))
	}
	var p pbkdf2Params
	if err := unmarshal(kdf.Parameters.FullBytes, &p); err != nil {
		return nil, formatError("reading how a key is derived", err)
	}
	if p.Salt.Class != asn1.ClassUniversal || p.Salt.Tag != asn1.TagOctetString {
		return nil, fmt.Errorf("%w: the salt comes from elsewhere", ErrUnsupported)
	}
	h := sha1.New
	if len(p.PRF.Algorithm) > 0 {
		if h = hashes[p.PRF.Algorithm.String()]; h == nil {
			return nil, fmt.Errorf("%w: its keys are derived with %s", ErrUnsupported, p.PRF.Algorithm)
		}
	}
	if size == 0 {
		size = p.KeyLength
	}
	// RFC 9579, section 4, requires at least 20 bytes for a MAC, because a shorter key could be guessed. A key longer
	// than its hash is useless, but programs that take bits for bytes write it, and others read it.
	switch {
	case size != p.KeyLength && p.KeyLength != 0 || size < 8:
		return nil, fmt.Errorf("%w: it wants a key of %d bytes", ErrFormat, p.KeyLength)
	case size > mostKey:
		return nil, fmt.Errorf("%w: it wants a key of %d bytes", ErrUnsupported, p.KeyLength)
	}
	if err := b.spend(p.Iterations, (size+h().Size()-1)/h().Size()); err != nil {
		return nil, err
	}
	return b.stretch(h, password, p.Salt.Bytes, p.Iterations, size)
}

// stretch computes PBKDF2 (RFC 8018, section 5.2) like package crypto/pbkdf2, which cannot be interrupted.
func (b *budget) stretch(h func() hash.Hash, password string, salt []byte, iterations, size int) ([]byte, error) {
	prf := hmac.New(h, []byte(password))
	var out, u []byte
	for block := uint32(1); len(out) < size; block++ {
		prf.Reset()
		prf.Write(salt)
		prf.Write(binary.BigEndian.AppendUint32(nil, block))
		u = prf.Sum(u[:0])
		sum := bytes.Clone(u)
		for n := range iterations - 1 {
			if err := b.round(n); err != nil {
				return nil, err
			}
			prf.Reset()
			prf.Write(u)
			u = prf.Sum(u[:0])
			subtle.XORBytes(sum, sum, u)
		}
		out = append(out, sum...)
	}
	return out[:size], nil
}

type macData struct {
	MAC        digestInfo
	Salt       []byte
	Iterations int `asn1:"optional,default:1"`
}

type digestInfo struct {
	Algorithm pkix.AlgorithmIdentifier
	Digest    []byte
}

type pbmac1Params struct{ KDF, MAC pkix.AlgorithmIdentifier }

// mac computes the MAC that a file must have.
func (b *budget) mac(m *macData, password secret, content []byte) ([]byte, error) {
	var h func() hash.Hash
	var key []byte
	var err error
	if m.MAC.Algorithm.Algorithm.Equal(oidPBMAC1) {
		var p pbmac1Params
		if err := unmarshal(m.MAC.Algorithm.Parameters.FullBytes, &p); err != nil {
			return nil, formatError("reading its MAC", err)
		}
		if h = hashes[p.MAC.Algorithm.String()]; h == nil {
			return nil, fmt.Errorf("%w: its MAC is made with %s", ErrUnsupported, p.MAC.Algorithm)
		}
		key, err = b.pbkdf2(p.KDF, password.utf8, 0)
		if err == nil && len(key) < 20 {
			err = fmt.Errorf("%w: the key of its MAC is so short that it could be guessed", ErrFormat)
		}
	} else {
		if h = hashes[m.MAC.Algorithm.Algorithm.String()]; h == nil {
			return nil, fmt.Errorf("%w: its MAC is made with %s", ErrUnsupported, m.MAC.Algorithm.Algorithm)
		}
		key, err = b.derive(h, password.bmp, m.Salt, m.Iterations, forMAC, h().Size())
	}
	if err != nil {
		return nil, err
	}
	d := hmac.New(h, key)
	d.Write(content)
	return d.Sum(nil), nil
}
