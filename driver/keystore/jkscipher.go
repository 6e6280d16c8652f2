package keystore

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the format has no other
	"crypto/subtle"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"unicode/utf16"
	"unicode/utf8"
)

// jksPassword returns a password in the form that the format uses: two bytes per UTF-16 code unit.
func jksPassword(password string) ([]byte, error) {
	if !utf8.ValidString(password) {
		return nil, &Error{RuleUnsupported, "the password is not UTF-8 text, and a JKS keystore has no other",
			"Store the password as UTF-8."}
	}
	var out []byte
	for _, c := range utf16.Encode([]rune(password)) {
		out = binary.BigEndian.AppendUint16(out, c)
	}
	return out, nil
}

// sumJKS returns the SHA-1 of all parts.
func sumJKS(parts ...[]byte) []byte {
	h := sha1.New() //nolint:gosec // the format has no other
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

// digestJKS returns the digest at the end of a JKS keystore.
func digestJKS(secret, content []byte) []byte {
	return sumJKS(secret, []byte("Mighty Aphrodite"), content)
}

// protectedKey is an encrypted key of a JKS keystore: a salt, the key, and a digest that shows whether the password
// is right.
type protectedKey struct {
	Algorithm pkix.AlgorithmIdentifier
	Key       []byte
}

// keyProtector is the only algorithm that encrypts keys in a JKS.
var keyProtector = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 42, 2, 17, 1, 1}

const jksSalt = 20 // bytes

// mask returns n bytes of the key stream.
func mask(secret, salt []byte, n int) []byte {
	var out []byte
	for link := salt; len(out) < n; out = append(out, link...) {
		link = sumJKS(secret, link)
	}
	return out[:n]
}

// unsealJKS decrypts a key. ok is false if the password is wrong, or if the key is encrypted in another way.
func unsealJKS(sealed, secret []byte) (key []byte, ok bool) {
	var in protectedKey
	rest, err := asn1.Unmarshal(sealed, &in)
	n := len(in.Key) - jksSalt - jksDigest
	if err != nil || len(rest) > 0 || !in.Algorithm.Algorithm.Equal(keyProtector) || n < 0 {
		return nil, false
	}
	key = make([]byte, n)
	subtle.XORBytes(key, in.Key[jksSalt:jksSalt+n], mask(secret, in.Key[:jksSalt], n))
	return key, hmac.Equal(sumJKS(secret, key), in.Key[jksSalt+n:])
}

// sealJKS encrypts a key.
func sealJKS(random io.Reader, key, secret []byte) ([]byte, error) {
	salt := make([]byte, jksSalt)
	if _, err := io.ReadFull(random, salt); err != nil {
		return nil, fmt.Errorf("reading random bytes: %w", err)
	}
	masked := make([]byte, len(key))
	subtle.XORBytes(masked, key, mask(secret, salt, len(key)))
	algorithm := pkix.AlgorithmIdentifier{Algorithm: keyProtector, Parameters: asn1.NullRawValue}
	return asn1.Marshal(protectedKey{algorithm, slices.Concat(salt, masked, sumJKS(secret, key))})
}
