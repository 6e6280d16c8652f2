package pfx

import (
	"bytes"
	"crypto/aes"
	"crypto/des"  //nolint:gosec // what Java before 8u301 reads
	"crypto/sha1" //nolint:gosec // what Java before 8u301 reads
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
)

// Options says how a file is protected.
type Options struct {
	Level  Level     // Legacy: triple DES and SHA-1; else PBES2 with AES-256 and SHA-256, and a MAC with SHA-256
	Random io.Reader // for salts and initialization vectors

	// Open leaves the certificates unencrypted, so that Java sees them even without the password.
	Open bool
	// NoMAC omits the MAC. With Open, a file without keys and secrets then does not depend on the password.
	NoMAC bool
}

const (
	iterations = 10_000 // as Java 17 writes
	saltSize   = 20
)

// Write returns a file with the bags: keys and secrets each encrypted, certificates encrypted together, and a MAC. A
// sealed key is written as it is. A bag of the kind Other is an error. Keys and secrets come first. Certificates stay
// in order.
func Write(bags []Bag, password string, o Options) ([]byte, error) {
	w := &writer{o: o, password: newSecret(password), budget: &budget{left: math.MaxInt}}
	var keys, certificates [][]byte
	for i := range bags {
		b := &bags[i]
		content, id, err := w.content(b)
		if err != nil {
			return nil, err
		}
		bag := sequence(mustDER(id), explicit(content), b.attributes())
		if b.Kind == Certificate {
			certificates = append(certificates, bag)
		} else {
			keys = append(keys, bag)
		}
	}
	var parts [][]byte
	if len(keys) > 0 || len(certificates) == 0 {
		parts = append(parts, sequence(mustDER(oidData), explicit(octets(sequence(keys...)))))
	}
	switch {
	case len(certificates) > 0 && o.Open:
		parts = append(parts, sequence(mustDER(oidData), explicit(octets(sequence(certificates...)))))
	case len(certificates) > 0:
		a, sealed, err := w.encrypt(sequence(certificates...))
		if err != nil {
			return nil, err
		}
		info := sequence(mustDER(oidData), a, tlv([]byte{0x80}, sealed))
		parts = append(parts, sequence(mustDER(oidEncryptedData), explicit(sequence(mustDER(0), info))))
	}
	safe := sequence(parts...)
	var mac []byte
	if !o.NoMAC {
		var err error
		if mac, err = w.mac(safe); err != nil {
			return nil, err
		}
	}
	return sequence(mustDER(3), sequence(mustDER(oidData), explicit(octets(safe))), mac), nil
}

type writer struct {
	o        Options
	password secret
	budget   *budget
}

// content returns the content of a bag, and its identifier.
func (w *writer) content(b *Bag) (content []byte, id asn1.ObjectIdentifier, err error) {
	switch b.Kind {
	case Certificate:
		return sequence(mustDER(oidX509Certificate), explicit(octets(b.DER))), oidCertBag, nil
	case Key, Secret:
		content = b.Sealed
		if content == nil {
			a, sealed, err := w.encrypt(b.DER)
			if err != nil {
				return nil, nil, err
			}
			content = sequence(a, octets(sealed))
		}
		if b.Kind == Key {
			return content, oidShroudedKeyBag, nil
		}
		return sequence(mustDER(b.Type), explicit(octets(content))), oidSecretBag, nil
	case Other:
	}
	return nil, nil, fmt.Errorf("writing a bag of the kind %s: it is not known here", b.Type)
}

// attributes returns the attributes as a SET OF, which DER requires to be sorted.
func (b *Bag) attributes() []byte {
	all := slices.Clone(b.Attributes)
	if b.Named {
		all = append(all, attribute(oidFriendlyName, tlv([]byte{asn1.TagBMPString}, bmp(b.Name))))
	}
	if b.KeyID != nil {
		all = append(all, attribute(oidLocalKeyID, octets(b.KeyID)))
	}
	trusted := attribute(oidTrustedKeyUsage, mustDER(oidAnyKeyUsage))
	if b.Trusted && !slices.ContainsFunc(all,
		func(a []byte) bool { return bytes.Contains(a, mustDER(oidTrustedKeyUsage)) }) {
		all = append(all, trusted)
	}
	if len(all) == 0 {
		return nil
	}
	slices.SortFunc(all, bytes.Compare)
	return tlv([]byte{0x31}, bytes.Join(all, nil))
}

func attribute(id asn1.ObjectIdentifier, value []byte) []byte {
	return sequence(mustDER(id), tlv([]byte{0x31}, value))
}

func (w *writer) random(n int) ([]byte, error) {
	b := make([]byte, n)
	if w.o.Random == nil {
		return nil, errors.New("writing a PKCS#12 file: there is no randomness")
	}
	if _, err := io.ReadFull(w.o.Random, b); err != nil {
		return nil, fmt.Errorf("making a salt: %w", err)
	}
	return b, nil
}

// encrypt returns the algorithm, in DER, and the encrypted data.
func (w *writer) encrypt(plain []byte) (algorithm, sealed []byte, err error) {
	salt, err := w.random(saltSize)
	if err != nil {
		return nil, nil, err
	}
	if w.o.Level == Legacy {
		key, err := w.budget.derive(sha1.New, w.password.bmp, salt, iterations, forKey, 24)
		if err != nil {
			return nil, nil, err
		}
		iv, err := w.budget.derive(sha1.New, w.password.bmp, salt, iterations, forIV, des.BlockSize)
		if err != nil {
			return nil, nil, err
		}
		block, err := des.NewTripleDESCipher(key) //nolint:gosec // what Java before 8u301 reads
		if err != nil {
			return nil, nil, fmt.Errorf("making the cipher: %w", err)
		}
		return sequence(mustDER(oidSHA13DES), sequence(octets(salt), mustDER(iterations))), pad(block, iv, plain), nil
	}
	iv, err := w.random(aes.BlockSize)
	if err != nil {
		return nil, nil, err
	}
	kdf := w.kdf(salt)
	var id pkix.AlgorithmIdentifier
	if err := unmarshal(kdf, &id); err != nil {
		return nil, nil, fmt.Errorf("writing how a key is derived: %w", err)
	}
	key, err := w.budget.pbkdf2(id, w.password.utf8, 32)
	if err != nil {
		return nil, nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, nil, fmt.Errorf("making the cipher: %w", err)
	}
	params := sequence(kdf, sequence(mustDER(oidAES256), octets(iv)))
	return sequence(mustDER(oidPBES2), params), pad(block, iv, plain), nil
}

// kdf returns the identifier of PBKDF2 with HMAC-SHA-256.
func (w *writer) kdf(salt []byte) []byte {
	null := []byte{5, 0}
	return sequence(mustDER(oidPBKDF2), sequence(octets(salt), mustDER(iterations),
		sequence(mustDER(oidHMACSHA256), null)))
}

func (w *writer) mac(safe []byte) ([]byte, error) {
	salt, err := w.random(saltSize)
	if err != nil {
		return nil, err
	}
	m := &macData{Salt: salt, Iterations: iterations}
	m.MAC.Algorithm = pkix.AlgorithmIdentifier{Algorithm: oidSHA256, Parameters: asn1.NullRawValue}
	if w.o.Level == Legacy {
		m.MAC.Algorithm.Algorithm = oidSHA1
	}
	if m.MAC.Digest, err = w.budget.mac(m, w.password, safe); err != nil {
		return nil, err
	}
	der, err := asn1.Marshal(*m)
	if err != nil {
		return nil, fmt.Errorf("writing the MAC: %w", err)
	}
	return der, nil
}

func sequence(parts ...[]byte) []byte { return tlv([]byte{0x30}, bytes.Join(parts, nil)) }

func explicit(content []byte) []byte { return tlv([]byte{0xa0}, content) }

func octets(content []byte) []byte { return tlv([]byte{tagOctets}, content) }

// mustDER encodes identifiers and small numbers, which cannot fail. Any other value would show in every test.
func mustDER(v any) []byte {
	b, err := asn1.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}
