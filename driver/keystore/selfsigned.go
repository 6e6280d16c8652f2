package keystore

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"net"
	"slices"
	"strings"
	"time"
)

// selfSigned is a certificate that is made here.
type selfSigned struct {
	subject string // as it is written
	dns     []string
	ips     []net.IP
	days    int
	keyType string
}

// keyTypes are the kinds of keys that can be made, as the language and as describe calls them.
var keyTypes = map[string]string{
	"rsa-2048": "RSA 2048", "rsa-3072": "RSA 3072", "rsa-4096": "RSA 4096", "ecdsa-p256": "EC P-256", "ecdsa-p384": "EC P-384",
}

// renew says why an entry has to be made anew, "" if it is what is declared and stays valid for more than warnDays.
func (d *selfSigned) renew(e *Entry, now time.Time, warnDays int) string {
	if len(e.Chain) == 0 {
		return "it has no certificate"
	}
	leaf := e.Chain[0]
	c, err := leaf.X509()
	_, want, bad := parseName(d.subject)
	switch {
	case err != nil || bad != nil:
		return "its certificate cannot be read"
	case !leaf.SelfIssued():
		return "its certificate was issued by " + leaf.Issuer() + ", and a self-signed one is declared"
	case e.Sealed:
		return "its key has a password of its own"
	case e.Plain:
		return "its key lies in the file unencrypted, where Java does not see it"
	case e.Public != leaf.public():
		return "its key is not that of its certificate"
	case !slices.Equal(nameParts(c.RawSubject), want):
		return fmt.Sprintf("its subject is %s, declared is %s", clip(c.Subject.String()), d.subject)
	case !same(sans(c), d.names()):
		return fmt.Sprintf("its alternative names are %s, declared are %s", listed(sans(c)), listed(d.names()))
	case e.Key != keyTypes[d.keyType]:
		return fmt.Sprintf("its key is %s, declared is %s", e.Key, keyTypes[d.keyType])
	case c.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) != nil:
		return "its signature is weak or wrong (" + c.SignatureAlgorithm.String() + ")"
	case now.After(leaf.until):
		return "it has expired on " + day(leaf.until)
	case now.Before(leaf.from):
		return "it is not valid before " + day(leaf.from)
	case now.AddDate(0, 0, warnDays).After(leaf.until):
		return fmt.Sprintf("it expires on %s, within %s", day(leaf.until), plural(warnDays, "day"))
	}
	return ""
}

func listed(words []string) string {
	if len(words) == 0 {
		return "none"
	}
	slices.Sort(words)
	return some(words)
}

// same compares names, which have no order and no capitals.
func same(a, b []string) bool {
	sorted := func(words []string) []string {
		return slices.Sorted(strings.FieldsSeq(strings.ToLower(strings.Join(words, " "))))
	}
	return slices.Equal(sorted(a), sorted(b))
}

func (d *selfSigned) names() []string {
	out := slices.Clone(d.dns)
	for _, ip := range d.ips {
		out = append(out, ip.String())
	}
	return out
}

// announced is the certificate as far as it is known before it is made.
func (d *selfSigned) announced() *x509.Certificate {
	return &x509.Certificate{DNSNames: d.dns, IPAddresses: d.ips}
}

// make makes a key and its certificate.
func (d *selfSigned) make(alias string, now time.Time, random io.Reader) (Entry, error) {
	e := Entry{Alias: alias}
	subject, _, err := parseName(d.subject)
	if err != nil {
		return e, fmt.Errorf("making the certificate of %s: %w", e, err)
	}
	serial := make([]byte, 16)
	if _, err := io.ReadFull(random, serial); err != nil {
		return e, fmt.Errorf("making the certificate of %s: %w", e, err)
	}
	serial[0] = serial[0]&0x7f | 0x40 // positive, and of one length
	key, err := d.newKey(random)
	if err != nil {
		return e, fmt.Errorf("making the key of %s: %w", e, err)
	}
	template := &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(serial), RawSubject: subject,
		NotBefore: now.Add(-5 * time.Minute), // clocks differ
		NotAfter:  now.AddDate(0, 0, d.days),
		DNSNames:  d.dns, IPAddresses: d.ips, BasicConstraintsValid: true,
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if _, ok := key.(*rsa.PrivateKey); ok {
		template.KeyUsage |= x509.KeyUsageKeyEncipherment // for ciphers without a key exchange of their own
	}
	der, err := x509.CreateCertificate(random, template, template, key.Public(), key)
	if err != nil {
		return e, fmt.Errorf("making the certificate of %s: %w", e, err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return e, fmt.Errorf("making the key of %s: %w", e, err)
	}
	e.Chain = []Certificate{NewCertificate(der)}
	e.setKey(pkcs8)
	return e, nil
}

func (d *selfSigned) newKey(random io.Reader) (crypto.Signer, error) {
	switch d.keyType {
	case "rsa-2048":
		return rsa.GenerateKey(random, 2048)
	case "rsa-3072":
		return rsa.GenerateKey(random, 3072)
	case "rsa-4096":
		return rsa.GenerateKey(random, 4096)
	case "ecdsa-p256":
		return ecdsa.GenerateKey(elliptic.P256(), random)
	case "ecdsa-p384":
		return ecdsa.GenerateKey(elliptic.P384(), random)
	}
	return nil, fmt.Errorf("there is no kind of key %q", d.keyType)
}
