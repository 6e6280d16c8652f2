package pfx

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"  //nolint:gosec // what Java before 8u301 reads
	"crypto/rc4"  //nolint:gosec // old files have it; nothing is written with it
	"crypto/sha1" //nolint:gosec // PKCS#12's own algorithms have no other
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
)

// ownAlgorithm is an algorithm that PKCS#12 itself defines (RFC 7292, appendix C).
type ownAlgorithm struct {
	name string
	key  int // bytes
	iv   int // bytes; 0 for a stream cipher
	weak bool
	make func(key []byte) (cipher.Block, error)
}

var oidSHA13DES = oid(1, 2, 840, 113549, 1, 12, 1, 3)

var ownAlgorithms = map[string]ownAlgorithm{
	"1.2.840.113549.1.12.1.1": {name: "RC4-128", key: 16, weak: true},
	"1.2.840.113549.1.12.1.2": {name: "RC4-40", key: 5, weak: true},
	oidSHA13DES.String():      {name: "3DES", key: 24, iv: des.BlockSize, make: des.NewTripleDESCipher},
	"1.2.840.113549.1.12.1.4": {name: "3DES with two keys", key: 16, iv: des.BlockSize,
		make: func(key []byte) (cipher.Block, error) {
			return des.NewTripleDESCipher(slices.Concat(key, key[:8])) //nolint:gosec // to read old files
		}},
	"1.2.840.113549.1.12.1.5": {name: "RC2-128", key: 16, iv: rc2Block, weak: true,
		make: func(key []byte) (cipher.Block, error) {
			return newRC2(key, 128), nil
		}},
	"1.2.840.113549.1.12.1.6": {name: "RC2-40", key: 5, iv: rc2Block, weak: true,
		make: func(key []byte) (cipher.Block, error) {
			return newRC2(key, 40), nil
		}},
}

// scheme is a cipher of PBES2.
type scheme struct {
	key   int
	make  func(key []byte) (cipher.Block, error)
	level Level
}

var oidAES256 = oid(2, 16, 840, 1, 101, 3, 4, 1, 42)

var schemes = map[string]scheme{
	"2.16.840.1.101.3.4.1.2":  {16, aes.NewCipher, Modern},
	"2.16.840.1.101.3.4.1.22": {24, aes.NewCipher, Foreign},
	oidAES256.String():        {32, aes.NewCipher, Modern},
	"1.2.840.113549.3.7":      {24, des.NewTripleDESCipher, Foreign},
}

// names are known algorithms that are not supported, for errors.
var names = map[string]string{
	"1.3.6.1.4.1.11591.4.11":  "scrypt (1.3.6.1.4.1.11591.4.11)",
	"1.2.840.113549.1.5.3":    "MD5 and DES (1.2.840.113549.1.5.3)",
	"1.2.840.113549.1.5.10":   "SHA-1 and DES (1.2.840.113549.1.5.10)",
	"2.16.840.1.101.3.4.1.46": "AES-256-GCM (2.16.840.1.101.3.4.1.46)",
	"2.16.840.1.101.3.4.1.6":  "AES-128-GCM (2.16.840.1.101.3.4.1.6)",
}

func algorithm(id asn1.ObjectIdentifier) string {
	if name := names[id.String()]; name != "" {
		return name
	}
	return id.String()
}

type pbeParams struct {
	Salt       []byte
	Iterations int
}

type pbes2Params struct{ KDF, Encryption pkix.AlgorithmIdentifier }

var errPadding = errors.New("what comes out is not plain text")

// decrypt decrypts data that is encrypted with a password. It records the level and weakness of the algorithm in r.
func (r *reader) decrypt(a pkix.AlgorithmIdentifier, sealed []byte) ([]byte, error) {
	var block cipher.Block
	var iv []byte
	var err error
	own, ok := ownAlgorithms[a.Algorithm.String()]
	switch {
	case ok:
		var p pbeParams
		if err := unmarshal(a.Parameters.FullBytes, &p); err != nil {
			return nil, formatError("reading how it is encrypted", err)
		}
		key, err := r.budget.derive(sha1.New, r.password.bmp, p.Salt, p.Iterations, forKey, own.key)
		if err != nil {
			return nil, err
		}
		r.weak = r.weak || own.weak
		if own.iv == 0 {
			return stream(key, sealed)
		}
		if iv, err = r.budget.derive(sha1.New, r.password.bmp, p.Salt, p.Iterations, forIV, own.iv); err != nil {
			return nil, err
		}
		if block, err = own.make(key); err != nil {
			return nil, fmt.Errorf("making the cipher: %w", err)
		}
	case a.Algorithm.Equal(oidPBES2):
		if block, iv, err = r.pbes2(a); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("%w: it is encrypted with %s", ErrUnsupported, algorithm(a.Algorithm))
	}
	return unpad(block, iv, sealed)
}

func stream(key, sealed []byte) ([]byte, error) {
	c, err := rc4.NewCipher(key) //nolint:gosec // to read old files
	if err != nil {
		return nil, fmt.Errorf("making the cipher: %w", err)
	}
	out := make([]byte, len(sealed))
	c.XORKeyStream(out, sealed)
	return out, nil
}

func (r *reader) pbes2(a pkix.AlgorithmIdentifier) (cipher.Block, []byte, error) {
	var p pbes2Params
	if err := unmarshal(a.Parameters.FullBytes, &p); err != nil {
		return nil, nil, formatError("reading how it is encrypted", err)
	}
	s, ok := schemes[p.Encryption.Algorithm.String()]
	if !ok {
		return nil, nil, fmt.Errorf("%w: it is encrypted with %s", ErrUnsupported, algorithm(p.Encryption.Algorithm))
	}
	r.level = max(r.level, s.level)
	var iv []byte
	if err := unmarshal(p.Encryption.Parameters.FullBytes, &iv); err != nil {
		return nil, nil, formatError("reading how it is encrypted", err)
	}
	key, err := r.budget.pbkdf2(p.KDF, r.password.utf8, s.key)
	if err != nil {
		return nil, nil, err
	}
	block, err := s.make(key)
	if err != nil {
		return nil, nil, fmt.Errorf("making the cipher: %w", err)
	}
	if len(iv) != block.BlockSize() {
		return nil, nil, fmt.Errorf("%w: the cipher's first block has %d bytes", ErrFormat, len(iv))
	}
	return block, iv, nil
}

// unpad decrypts in CBC mode and removes the padding.
func unpad(block cipher.Block, iv, sealed []byte) ([]byte, error) {
	size := block.BlockSize()
	if len(sealed) == 0 || len(sealed)%size != 0 {
		return nil, fmt.Errorf("%w: what is encrypted is not whole blocks", ErrFormat)
	}
	out := make([]byte, len(sealed))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(out, sealed)
	n := int(out[len(out)-1])
	if n == 0 || n > size || !bytes.Equal(out[len(out)-n:], bytes.Repeat([]byte{byte(n)}, n)) {
		return nil, errPadding
	}
	return out[:len(out)-n], nil
}

func pad(block cipher.Block, iv, plain []byte) []byte {
	n := block.BlockSize() - len(plain)%block.BlockSize()
	out := slices.Concat(plain, bytes.Repeat([]byte{byte(n)}, n))
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(out, out)
	return out
}
