package twcsim

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

// Certificates are made with real randomness and last by the real clock, for whoever connects looks at that one. So they are
// other ones in each world, and nothing that tells them apart may show in State.

const (
	keyEC  = "ec"
	keyRSA = "rsa"
)

// keyPair is a key and its certificate, with those of who issued it up to but not including the root.
type keyPair struct {
	key   crypto.Signer
	chain []*x509.Certificate
}

// authority issues certificates.
type authority struct {
	name, env string
	root      keyPair
	between   *keyPair // the intermediate that issues in its place, if there is one
}

// newAuthority makes one with a key of its own.
func newAuthority(name, env string, intermediate bool) (*authority, error) {
	a := &authority{name: name, env: env}
	root, err := issue(nil, caTemplate(name), keyEC)
	if err != nil {
		return nil, err
	}
	a.root = *root
	if intermediate {
		a.between, err = issue(&a.root, caTemplate(name+" Intermediate"), keyEC)
	}
	return a, err
}

func caTemplate(name string) *x509.Certificate {
	return &x509.Certificate{
		Subject: pkix.Name{CommonName: name, Organization: []string{"syncctl sandbox"}}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().AddDate(10, 0, 0), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
}

// forServer issues a server's certificate; without an authority (nil) it is self-signed. With negative days it has expired.
func (a *authority) forServer(names []string, days int, keyType string) (*keyPair, error) {
	begin := time.Now().Add(-time.Hour)
	end := begin.AddDate(0, 0, days)
	if days < 0 {
		begin, end = end.AddDate(0, 0, -30), time.Now().AddDate(0, 0, days)
	}
	c := &x509.Certificate{
		Subject: pkix.Name{CommonName: names[0]}, NotBefore: begin, NotAfter: end, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
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
		return issue(&a.root, c, keyType)
	}
	p, err := issue(a.between, c, keyType)
	if err == nil {
		p.chain = append(p.chain, a.between.chain[0])
	}
	return p, err
}

// issue makes a key and signs a certificate for it; without an issuer the key signs itself.
func issue(by *keyPair, template *x509.Certificate, keyType string) (*keyPair, error) {
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
		parent, with = by.chain[0], by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), with)
	if err != nil {
		return nil, fmt.Errorf("making the certificate of %s: %w", template.Subject.CommonName, err)
	}
	c, err := x509.ParseCertificate(der)
	return &keyPair{key: key, chain: []*x509.Certificate{c}}, err
}

func newKey(kind string) (crypto.Signer, error) {
	if kind == keyRSA {
		return rsa.GenerateKey(rand.Reader, 2048)
	}
	return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
}

// inPEM writes down certificates one after the other.
func inPEM(chain []*x509.Certificate) string {
	var out bytes.Buffer
	for _, c := range chain {
		_ = pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}) // a buffer takes it
	}
	return out.String()
}

func (p *keyPair) keyInPEM() string {
	der, err := x509.MarshalPKCS8PrivateKey(p.key)
	if err != nil {
		return "" // both kinds of keys can be written down
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// firstInPEM reads a certificate in PEM or DER, as keytool does.
func firstInPEM(data []byte) (*x509.Certificate, error) {
	if b, _ := pem.Decode(data); b != nil {
		if b.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("a PEM block %q is no certificate", b.Type)
		}
		data = b.Bytes
	}
	return x509.ParseCertificate(data)
}

// shipped is what every installation comes with, made once for all worlds of the process, so that opening one stays cheap.
type shipped struct {
	public   *authority // that every Java trusts; ASSUMED: one stands for the hundred and more that there are
	jks      []byte     // cacerts up to Java 17
	p12      []byte     // cacerts since Java 18
	keystore []byte     // the server's own, self-signed
}

// Of what is shipped (facts 5.1, 5.4): passwords and alias of the server's keystore, and the password of Java's trust stores.
const (
	shippedPassword = "nomagic"
	shippedAlias    = "teamworkcloud"
	cacertsPassword = "changeit"
	publicAlias     = "examplepublicca"
)

var asShipped = sync.OnceValues(func() (*shipped, error) {
	public, err := newAuthority("Example Public CA", "", false)
	if err != nil {
		return nil, err
	}
	root := public.root.chain[0]
	out := &shipped{public: public}
	ks := jks.New(jks.WithOrderedAliases())
	one := jks.TrustedCertificateEntry{CreationTime: root.NotBefore, Certificate: jks.Certificate{Type: "X.509", Content: root.Raw}}
	if err := ks.SetTrustedCertificateEntry(publicAlias, one); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := ks.Store(&b, []byte(cacertsPassword)); err != nil {
		return nil, err
	}
	out.jks = b.Bytes()
	if out.p12, err = pkcs12.Passwordless.EncodeTrustStoreEntries([]pkcs12.TrustStoreEntry{{Cert: root, FriendlyName: publicAlias}}, ""); err != nil {
		return nil, err
	}
	var none *authority
	own, err := none.forServer([]string{"localhost"}, 3650, keyEC)
	if err != nil {
		return nil, err
	}
	out.keystore, err = writeP12(shippedAlias, shippedPassword, own.key, own.chain)
	return out, err
})
