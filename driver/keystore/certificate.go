package keystore

import (
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/syncctl/syncctl/lazyregexp"
	"github.com/syncctl/syncctl/schema"
)

// Certificate is a certificate as it is in a keystore. Go cannot parse some that Java accepts, such as those with a
// negative serial number or an unusual curve. They are kept and compared nevertheless.
type Certificate struct {
	DER []byte

	parsed          *x509.Certificate
	err             error
	issuer, subject string // raw names
	key             string // raw SubjectPublicKeyInfo
	from, until     time.Time
}

// NewCertificate makes a Certificate from DER.
func NewCertificate(der []byte) Certificate {
	c := Certificate{DER: der}
	if len(der) > maxCertificate {
		c.err = fmt.Errorf("it has %d bytes, and at most %d are read", len(der), maxCertificate)
		return c
	}
	if c.parsed, c.err = x509.ParseCertificate(der); c.err == nil {
		if k, ok := c.parsed.PublicKey.(*rsa.PublicKey); ok && k.N.BitLen() > maxModulus {
			return Certificate{DER: der, err: fmt.Errorf("its RSA key has %d bits, and at most %d are supported", k.N.BitLen(),
				maxModulus)}
		}
		c.issuer, c.subject = string(c.parsed.RawIssuer), string(c.parsed.RawSubject)
		c.key = string(c.parsed.RawSubjectPublicKeyInfo)
		c.from, c.until = c.parsed.NotBefore, c.parsed.NotAfter
		return c
	}
	var rough struct {
		TBS struct {
			Version   int `asn1:"optional,explicit,default:0,tag:0"`
			Serial    asn1.RawValue
			Algorithm asn1.RawValue
			Issuer    asn1.RawValue
			Validity  struct{ From, Until time.Time }
			Subject   asn1.RawValue
			Key       asn1.RawValue
		}
	}
	if _, err := asn1.Unmarshal(der, &rough); err == nil {
		c.issuer, c.subject = string(rough.TBS.Issuer.FullBytes), string(rough.TBS.Subject.FullBytes)
		c.key = string(rough.TBS.Key.FullBytes)
		c.from, c.until = rough.TBS.Validity.From, rough.TBS.Validity.Until
	}
	return c
}

// MarshalJSON writes the DER of the certificate.
func (c Certificate) MarshalJSON() ([]byte, error) { return json.Marshal(c.DER) }

// UnmarshalJSON reads the output of MarshalJSON.
func (c *Certificate) UnmarshalJSON(b []byte) error {
	var der []byte
	if err := json.Unmarshal(b, &der); err != nil {
		return fmt.Errorf("reading a certificate: %w", err)
	}
	*c = NewCertificate(der)
	return nil
}

// X509 returns the parsed certificate, or an error if it cannot be parsed.
func (c Certificate) X509() (*x509.Certificate, error) {
	if c.parsed == nil {
		return nil, fmt.Errorf("reading the certificate: %w", c.err)
	}
	return c.parsed, nil
}

// Equal reports whether both are the same certificate.
func (c Certificate) Equal(other Certificate) bool { return string(c.DER) == string(other.DER) }

// Fingerprint returns the SHA-256 of the certificate, as keytool and openssl write it: AB:CD:…
func (c Certificate) Fingerprint() string {
	text := strings.ToUpper(sum(c.DER))
	var b strings.Builder
	for i := 0; i < len(text); i += 2 {
		if i > 0 {
			b.WriteByte(':')
		}
		b.WriteString(text[i : i+2])
	}
	return b.String()
}

// short returns the beginning of the fingerprint, enough for people to tell certificates apart.
func (c Certificate) short() string { return c.Fingerprint()[:23] + "…" }

// Name returns the name for people: the common name, else the whole subject.
func (c Certificate) Name() string { return nameOf(c.subject) }

// Issuer returns the issuer's name for people.
func (c Certificate) Issuer() string { return nameOf(c.issuer) }

// longestName is the limit of a name that is put into words, in bytes of DER: the time that the library takes grows
// with the square of a name's parts, to a tenth of a second for one that fills a certificate.
const longestName = 4 << 10

// giant returns how a name is shown that is too long for words, or "" if it is not.
func giant[T string | []byte](raw T) string {
	if len(raw) > longestName {
		return fmt.Sprintf("(a name of %d bytes)", len(raw))
	}
	return ""
}

func nameOf(raw string) string {
	if words := giant(raw); words != "" {
		return words
	}
	var rdn pkix.RDNSequence
	if _, err := asn1.Unmarshal([]byte(raw), &rdn); err != nil {
		return "(unreadable name)"
	}
	var name pkix.Name
	name.FillFromRDNSequence(&rdn)
	text := rdn.String()
	if name.CommonName != "" {
		text = "CN=" + name.CommonName
	}
	if text == "" {
		text = "(no name)"
	}
	return clip(schema.SanitizeLine(text))
}

// subjectOf returns the whole subject.
func subjectOf(c *x509.Certificate) string {
	if words := giant(c.RawSubject); words != "" {
		return words
	}
	return clip(c.Subject.String())
}

func clip(text string) string {
	if r := []rune(text); len(r) > 120 {
		return string(r[:119]) + "…"
	}
	return text
}

// SelfIssued reports whether it names itself as its issuer, as roots and self-signed certificates do.
func (c Certificate) SelfIssued() bool { return c.subject != "" && c.issuer == c.subject }

// Until returns its last day: 2027-03-01.
func (c Certificate) Until() string { return day(c.until) }

// Names returns its alternative names (subjectAltName), ready to be shown; none if it cannot be parsed.
func (c Certificate) Names() []string {
	if c.parsed == nil {
		return nil
	}
	return sans(c.parsed)
}

// Covers returns an error if the certificate does not cover a host's name or address, or cannot be parsed.
func (c Certificate) Covers(name string) error {
	x, err := c.X509()
	if err != nil {
		return err
	}
	return x.VerifyHostname(bracketed(name))
}

// public returns the fingerprint of its public key, or "" if it cannot be read.
func (c Certificate) public() string {
	if c.key == "" {
		return ""
	}
	return sum([]byte(c.key))
}

func day(t time.Time) string { return t.UTC().Format("2006-01-02") }

func (c Certificate) String() string {
	return fmt.Sprintf("%s, SHA-256 %s, valid until %s", c.Name(), c.short(), day(c.until))
}

// Errors in PEM text.
var (
	errNoPEM    = errors.New("there is no certificate in it: a line -----BEGIN CERTIFICATE----- is missing")
	errKeyInPEM = errors.New(
		"it holds a private key, which would not be secret there: give it as key, and remove it here")
	errNoKey     = errors.New("there is no private key in it: a line -----BEGIN PRIVATE KEY----- is missing")
	errEncrypted = errors.New(`it is encrypted: "openssl pkey -in KEY" writes it without a passphrase`)
)

// beginCertificate is the first line of a certificate in PEM.
var beginCertificate = lazyregexp.New(`-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----`)

// unusable says why a certificate cannot be put into a keystore, or returns nil if it can. A certificate that Java
// reads and Go does not is usable: one with a negative serial number, or with a key on a curve that Go does not have.
// The rule unreadable-certificate reports it.
func (c Certificate) unusable() error {
	if c.parsed != nil {
		return nil
	}
	var rough struct {
		TBS struct {
			Version   int `asn1:"optional,explicit,default:0,tag:0"`
			Serial    *big.Int
			Algorithm asn1.RawValue
			Issuer    asn1.RawValue
			Validity  asn1.RawValue
			Subject   asn1.RawValue
			Key       struct {
				Algorithm pkix.AlgorithmIdentifier
				Key       asn1.BitString
			}
		}
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}
	rest, err := asn1.Unmarshal(c.DER, &rough)
	key := rough.TBS.Key.Algorithm
	elliptic := key.Algorithm.Equal(oidEC)
	switch {
	case err != nil || len(rest) > 0 || c.subject == "" || c.until.IsZero():
		return c.err
	case elliptic && key.Parameters.Tag != asn1.TagOID:
		return errors.New("its key spells out the parameters of its curve, which Java does not read: have a certificate " +
			"issued for a key on a named curve, such as P-256")
	case elliptic, rough.TBS.Serial.Sign() < 0:
		return nil
	}
	return c.err
}

// oidEC is id-ecPublicKey (RFC 5480).
var oidEC = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}

// withoutMarks returns text without byte order marks, which would hide PEM blocks.
func withoutMarks(text string) []byte { return []byte(strings.ReplaceAll(text, "\ufeff", "")) }

// ParseCertificates reads at least one certificate in PEM. It ignores text between them; a private key is an error.
func ParseCertificates(text string) ([]Certificate, error) {
	var out []Certificate
	rest := withoutMarks(text)
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		switch {
		case strings.Contains(block.Type, "PRIVATE KEY"):
			return nil, errKeyInPEM
		case block.Type == "CERTIFICATE", block.Type == "X509 CERTIFICATE", block.Type == "TRUSTED CERTIFICATE":
			c := NewCertificate(block.Bytes)
			if block.Type == "TRUSTED CERTIFICATE" { // openssl's: it appends its own data to the certificate
				var whole asn1.RawValue
				if _, err := asn1.Unmarshal(block.Bytes, &whole); err == nil {
					c = NewCertificate(whole.FullBytes)
				}
			}
			if err := c.unusable(); err != nil {
				return nil, fmt.Errorf("certificate %d cannot be read: %w", len(out)+1, err)
			}
			out = append(out, c)
		}
	}
	switch {
	case strings.Contains(text, "PRIVATE KEY-----"):
		return nil, errKeyInPEM
	case len(out) == 0:
		return nil, errNoPEM
	}
	if n := len(beginCertificate.FindAllString(text, -1)); n > len(out) {
		return nil, fmt.Errorf("only %d of the %d certificates in it can be read, the others are damaged: get them again",
			len(out), n)
	}
	return out, nil
}

// parseKey reads a private key in PEM, and returns it as PKCS #8. Its errors contain nothing of the key.
func parseKey(text string) ([]byte, error) {
	rest := withoutMarks(text)
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return nil, errNoKey
		}
		var key any
		var err error
		switch {
		case strings.HasSuffix(block.Type, "PRIVATE KEY") && len(block.Bytes) > maxKey:
			return nil, fmt.Errorf("the private key in it has %d bytes, and at most %d are read", len(block.Bytes), maxKey)
		case block.Type == "ENCRYPTED PRIVATE KEY", block.Headers["DEK-Info"] != "":
			return nil, errEncrypted
		case block.Type == "PRIVATE KEY":
			key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
		case block.Type == "RSA PRIVATE KEY":
			key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
		case block.Type == "EC PRIVATE KEY":
			key, err = x509.ParseECPrivateKey(block.Bytes)
		case block.Type == "DSA PRIVATE KEY":
			return nil, errors.New("it is a DSA key, which is no longer accepted: make an RSA or an EC key")
		case block.Type == "OPENSSH PRIVATE KEY":
			return nil, errors.New("it is a key for SSH, not for TLS")
		default:
			continue
		}
		if err != nil {
			return nil, errors.New("the private key in it is damaged, or of an unsupported kind (RSA, EC on P-256, P-384 " +
				"or P-521, and Ed25519 are supported; RSA for PSS alone, and EC on other curves or with parameters that are " +
				"spelled out, are not)")
		}
		pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			return nil, errors.New("the private key in it cannot be used")
		}
		return pkcs8, nil
	}
}
