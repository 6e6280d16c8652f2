package keystore

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"sync"
	"time"

	jks "github.com/pavlo-v-chernykh/keystore-go/v4"
	"software.sslmate.com/src/go-pkcs12"
)

// Certificates are made with real randomness, and their dates follow the real clock, since that is the one that
// clients use. So they differ in each world, and State must not show anything that distinguishes them.

// The types of keys that a seed may use.
const (
	KeyEC  = "ec"
	KeyRSA = "rsa"
)

// KeyPair is a key and its certificate, with those of its issuers up to but not including the root.
type KeyPair struct {
	Key   crypto.Signer
	Chain []*x509.Certificate
}

// Authority issues certificates.
type Authority struct {
	name, Env string
	Root      KeyPair
	between   *KeyPair // the intermediate that issues instead, if there is one
}

// NewAuthority returns an authority with a new key.
func NewAuthority(name, env string, intermediate bool) (*Authority, error) {
	a := &Authority{name: name, Env: env}
	root, err := issue(nil, caTemplate(name), KeyEC)
	if err != nil {
		return nil, err
	}
	a.Root = *root
	if intermediate {
		a.between, err = issue(&a.Root, caTemplate(name+" Intermediate"), KeyEC)
	}
	return a, err
}

func caTemplate(name string) *x509.Certificate {
	return &x509.Certificate{
		Subject:   pkix.Name{CommonName: name, Organization: []string{"syncctl sandbox"}},
		NotBefore: time.Now().Add(-time.Hour),
		NotAfter:  time.Now().AddDate(10, 0, 0), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
}

// ForServer issues a certificate for a server. Without an authority (nil) it is self-signed. With negative days it has
// expired.
func (a *Authority) ForServer(names []string, days int, keyType string) (*KeyPair, error) {
	begin := time.Now().Add(-time.Hour)
	end := begin.AddDate(0, 0, days)
	if days < 0 {
		begin, end = end.AddDate(0, 0, -30), time.Now().AddDate(0, 0, days)
	}
	c := &x509.Certificate{
		Subject: pkix.Name{CommonName: names[0]}, NotBefore: begin, NotAfter: end, BasicConstraintsValid: true,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			c.IPAddresses = append(c.IPAddresses, ip)
		} else {
			c.DNSNames = append(c.DNSNames, name)
		}
	}
	switch {
	case a == nil:
		return issue(nil, c, keyType)
	case a.between == nil:
		return issue(&a.Root, c, keyType)
	}
	p, err := issue(a.between, c, keyType)
	if err == nil {
		p.Chain = append(p.Chain, a.between.Chain[0])
	}
	return p, err
}

// issue makes a key and signs a certificate for it. Without an issuer it is self-signed.
func issue(by *KeyPair, template *x509.Certificate, keyType string) (*KeyPair, error) {
	key, err := newKey(keyType)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	template.SerialNumber = serial
	parent, with := template, key
	if by != nil {
		parent, with = by.Chain[0], by.Key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), with)
	if err != nil {
		return nil, fmt.Errorf("making the certificate of %s: %w", template.Subject.CommonName, err)
	}
	c, err := x509.ParseCertificate(der)
	return &KeyPair{Key: key, Chain: []*x509.Certificate{c}}, err
}

func newKey(kind string) (crypto.Signer, error) {
	if kind == KeyRSA {
		return rsa.GenerateKey(rand.Reader, 2048)
	}
	return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
}

// InPEM returns certificates as PEM blocks, one after the other.
func InPEM(chain []*x509.Certificate) string {
	var out bytes.Buffer
	for _, c := range chain {
		_ = pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}) // cannot fail with a buffer
	}
	return out.String()
}

// KeyInPEM returns the private key as PKCS #8 in PEM.
func (p *KeyPair) KeyInPEM() string {
	der, err := x509.MarshalPKCS8PrivateKey(p.Key)
	if err != nil {
		return "" // cannot happen: both kinds of keys can be encoded
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// FirstInPEM reads a certificate in PEM or DER, as keytool does.
func FirstInPEM(data []byte) (*x509.Certificate, error) {
	if b, _ := pem.Decode(data); b != nil {
		if b.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("a PEM block %q is not a certificate", b.Type)
		}
		data = b.Bytes
	}
	return x509.ParseCertificate(data)
}

// Shipped is what every installation contains. It is made once for all worlds of the process, so that opening a world
// stays cheap.
type Shipped struct {
	Public   *Authority // trusted by every Java; ASSUMED: one stands for the hundred or more that exist
	Jks      []byte     // cacerts up to Java 17
	P12      []byte     // cacerts since Java 18
	Keystore []byte     // the server's own, self-signed
}

// Passwords and aliases of what is shipped (facts 5.1, 5.4): those of the server's keystore, and of Java's trust
// stores.
const (
	ShippedPassword = "nomagic"
	ShippedAlias    = "teamworkcloud"
	cacertsPassword = "changeit"
	PublicAlias     = "examplepublicca"
)

// AsShipped returns what the vendor and Java ship, the same for all worlds of a process.
var AsShipped = sync.OnceValues(func() (*Shipped, error) {
	public, err := NewAuthority("Example Public CA", "", false)
	if err != nil {
		return nil, err
	}
	root := public.Root.Chain[0]
	out := &Shipped{Public: public}
	ks := jks.New(jks.WithOrderedAliases())
	one := jks.TrustedCertificateEntry{CreationTime: root.NotBefore,
		Certificate: jks.Certificate{Type: "X.509", Content: root.Raw}}
	if err := ks.SetTrustedCertificateEntry(PublicAlias, one); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := ks.Store(&b, []byte(cacertsPassword)); err != nil {
		return nil, err
	}
	out.Jks = b.Bytes()
	if out.P12, err = pkcs12.Passwordless.EncodeTrustStoreEntries([]pkcs12.TrustStoreEntry{{Cert: root,
		FriendlyName: PublicAlias}}, ""); err != nil {
		return nil, err
	}
	var none *Authority
	own, err := none.ForServer([]string{"localhost"}, 3650, KeyEC)
	if err != nil {
		return nil, err
	}
	out.Keystore, err = Write(ShippedAlias, ShippedPassword, own.Key, own.Chain)
	return out, err
})
