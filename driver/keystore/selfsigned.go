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

	"github.com/syncctl/syncctl/driver/wording"
	"github.com/zclconf/go-cty/cty"
)

// selfSigned is a certificate that syncctl makes.
type selfSigned struct {
	subject string // as it is written
	dns     []string
	ips     []net.IP
	days    int
	keyType string
}

// keyTypes are the kinds of keys that can be made: their names in the language, and in describe.
var keyTypes = map[string]string{
	"rsa-2048": "RSA 2048", "rsa-3072": "RSA 3072", "rsa-4096": "RSA 4096",
	"ecdsa-p256": "EC P-256", "ecdsa-p384": "EC P-384",
}

// renew says why an entry has to be made again. It returns "" if it is as declared and stays valid for more than
// warnDays.
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
		return "its certificate was signed by " + leaf.Issuer() + ", and a self-signed one is declared"
	case e.Sealed:
		return "its key has its own password"
	case e.Plain:
		return "its key is not encrypted in the file, so Java does not see it"
	case e.Public != leaf.public():
		return "its key does not belong to its certificate"
	case !slices.Equal(nameParts(c.RawSubject), want):
		return fmt.Sprintf("its subject is %s, declared is %s", subjectOf(c), d.subject)
	case !same(sans(c), d.names()):
		return fmt.Sprintf("its alternative names are %s, declared are %s", listed(sans(c)), listed(d.names()))
	case e.Key != keyTypes[d.keyType]:
		return fmt.Sprintf("its key is %s, declared is %s", e.Key, keyTypes[d.keyType])
	case c.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) != nil:
		return "its signature is weak or wrong (" + c.SignatureAlgorithm.String() + ")"
	case now.After(leaf.until):
		return "it expired on " + day(leaf.until)
	case now.Before(leaf.from):
		return "it is not valid before " + day(leaf.from)
	case now.AddDate(0, 0, warnDays).After(leaf.until):
		return fmt.Sprintf("it expires on %s, within %s", day(leaf.until), wording.Plural(warnDays, "day"))
	}
	return ""
}

func listed(words []string) string {
	if len(words) == 0 {
		return "none"
	}
	slices.Sort(words)
	return wording.List(words)
}

// same reports whether two lists have the same names, in any order and case.
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

// announced returns what is known of the certificate before it is made: its names.
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
	serial[0] = serial[0]&0x7f | 0x40 // positive, and always of the same length
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
	return nil, fmt.Errorf("unknown kind of key %q", d.keyType)
}

// actual returns an entry of the file in the shape of the block that declares it. What is as declared has the
// declaration's spelling. Days are not compared, because they count only when the certificate is made.
func (d *selfSigned) actual(old *Entry, block *selfSignedBlock) cty.Value {
	if len(old.Chain) == 0 {
		return cty.NullVal(cty.DynamicPseudoType)
	}
	leaf := old.Chain[0]
	c, err := leaf.X509()
	_, want, bad := parseName(d.subject)
	if err != nil || bad != nil {
		return cty.NullVal(cty.DynamicPseudoType)
	}
	out := map[string]cty.Value{
		"subject": cty.StringVal(subjectOf(c)), "dns": textList(c.DNSNames),
		"key_type": cty.StringVal(old.Key),
	}
	if slices.Equal(nameParts(c.RawSubject), want) {
		out["subject"] = cty.StringVal(block.Subject)
	}
	if same(c.DNSNames, d.dns) {
		out["dns"] = textList(block.DNS)
	}
	var ips, declared []string
	for _, ip := range c.IPAddresses {
		ips = append(ips, ip.String())
	}
	for _, ip := range d.ips {
		declared = append(declared, ip.String())
	}
	out["ip"] = textList(ips)
	if same(ips, declared) {
		out["ip"] = textList(block.IP)
	}
	if keyTypes[d.keyType] == old.Key {
		out["key_type"] = cty.StringVal(d.keyType)
	}
	return cty.ObjectVal(out)
}

func textList(words []string) cty.Value {
	if len(words) == 0 {
		return cty.ListValEmpty(cty.String)
	}
	out := make([]cty.Value, len(words))
	for i, w := range words {
		out[i] = cty.StringVal(clip(w))
	}
	return cty.ListVal(out)
}
