package twcsim

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	jks "github.com/pavlo-v-chernykh/keystore-go/v4"
	"software.sslmate.com/src/go-pkcs12"
)

// entry is what a keystore has under an alias: a key with its chain, or a certificate.
type entry struct {
	alias string
	key   crypto.Signer
	chain []*x509.Certificate
}

// jksMagic is what a keystore of the old kind begins with.
var jksMagic = []byte{0xfe, 0xed, 0xfe, 0xed}

func isJKS(data []byte) bool { return bytes.HasPrefix(data, jksMagic) }

// openKeystore reads a keystore of either kind with its password, and checks it. ASSUMED: a key has the keystore's password,
// for nowhere is another one asked for.
func openKeystore(data []byte, password string) ([]entry, error) {
	if isJKS(data) {
		return openJKS(data, password)
	}
	f, err := readP12(data, password, true)
	if errors.Is(err, errOld) {
		return openOldP12(data, password)
	}
	if err != nil {
		return nil, err
	}
	return f.entries(password)
}

func openJKS(data []byte, password string) ([]entry, error) {
	ks := jks.New(jks.WithOrderedAliases())
	if err := ks.Load(bytes.NewReader(data), []byte(password)); err != nil {
		if strings.Contains(err.Error(), "digest") {
			err = errPassword
		}
		return nil, err
	}
	return entriesOfJKS(ks, password)
}

// entriesOfJKS are its entries by alias. ASSUMED: that is the order in which a server takes the first key.
func entriesOfJKS(ks jks.KeyStore, password string) ([]entry, error) {
	var out []entry
	for _, alias := range ks.Aliases() {
		e := entry{alias: alias}
		var chain []jks.Certificate
		if ks.IsPrivateKeyEntry(alias) {
			k, err := ks.GetPrivateKeyEntry(alias, []byte(password))
			if err != nil {
				return nil, fmt.Errorf("the key %s cannot be recovered: %w", alias, err)
			}
			if e.key, err = signer(k.PrivateKey); err != nil {
				return nil, err
			}
			chain = k.CertificateChain
		} else if c, err := ks.GetTrustedCertificateEntry(alias); err == nil {
			chain = []jks.Certificate{c.Certificate}
		}
		for _, c := range chain {
			parsed, err := x509.ParseCertificate(c.Content)
			if err != nil {
				return nil, err
			}
			e.chain = append(e.chain, parsed)
		}
		out = append(out, e)
	}
	return out, nil
}

func signer(pkcs8 []byte) (crypto.Signer, error) {
	key, err := x509.ParsePKCS8PrivateKey(pkcs8)
	if err != nil {
		return nil, err
	}
	s, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("a key of type %T cannot sign", key)
	}
	return s, nil
}

// entries are a file's in its order. A key's chain is found as Java does it: by issuers.
func (f *p12File) entries(password string) ([]entry, error) {
	var out []entry
	var all []*x509.Certificate
	for _, s := range f.safes {
		for _, b := range s.bags {
			e := entry{alias: b.name()}
			var err error
			switch {
			case b.ID.Equal(oidCertBag):
				c, err := b.certificate()
				if err != nil {
					return nil, err
				}
				all = append(all, c)
				if !b.has(oidTrusted) {
					continue
				}
				e.chain = []*x509.Certificate{c}
			case b.ID.Equal(oidKeyBag):
				e.key, err = signer(b.Value.Bytes)
			case b.ID.Equal(oidSealedBag):
				e.key, err = b.unsealKey(password)
			default:
				continue
			}
			if err != nil {
				return nil, err
			}
			out = append(out, e)
		}
	}
	for i := range out {
		if out[i].key != nil {
			out[i].chain = chainOf(out[i].key, all)
		}
	}
	return out, nil
}

func (b p12Bag) certificate() (*x509.Certificate, error) {
	var c p12Cert
	if err := unmarshal(b.Value.Bytes, &c); err != nil {
		return nil, err
	}
	return x509.ParseCertificate(c.Data)
}

func (b p12Bag) unsealKey(password string) (crypto.Signer, error) {
	var sealed p12Sealed
	if err := unmarshal(b.Value.Bytes, &sealed); err != nil {
		return nil, err
	}
	der, err := unseal(sealed.Algorithm, sealed.Content, password)
	if err != nil {
		return nil, err
	}
	return signer(der)
}

// chainOf begins with the certificate of a key and goes on with that of its issuer.
func chainOf(key crypto.Signer, all []*x509.Certificate) []*x509.Certificate {
	public, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok {
		return nil
	}
	var chain []*x509.Certificate
	next := slices.IndexFunc(all, func(c *x509.Certificate) bool { return public.Equal(c.PublicKey) })
	for next >= 0 && len(chain) < len(all) {
		c := all[next]
		chain = append(chain, c)
		if bytes.Equal(c.RawIssuer, c.RawSubject) {
			break
		}
		next = slices.IndexFunc(all, func(x *x509.Certificate) bool { return bytes.Equal(x.RawSubject, c.RawIssuer) && x != c })
	}
	return chain
}

// openOldP12 leaves a file to the library, which knows the algorithms of older Javas and no aliases.
func openOldP12(data []byte, password string) ([]entry, error) {
	key, first, others, err := pkcs12.DecodeChain(data, password)
	if err == nil {
		s, ok := key.(crypto.Signer)
		if !ok {
			return nil, fmt.Errorf("a key of type %T cannot sign", key)
		}
		return []entry{{key: s, chain: chainOf(s, append([]*x509.Certificate{first}, others...))}}, nil
	}
	if errors.Is(err, pkcs12.ErrIncorrectPassword) {
		return nil, errPassword
	}
	trusted, err := pkcs12.DecodeTrustStore(data, password)
	var out []entry
	for _, c := range trusted {
		out = append(out, entry{chain: []*x509.Certificate{c}})
	}
	return out, err
}

// firstKey is what a server presents.
func firstKey(entries []entry) (tls.Certificate, error) {
	for _, e := range entries {
		if e.key == nil || len(e.chain) == 0 {
			continue
		}
		out := tls.Certificate{PrivateKey: e.key, Leaf: e.chain[0]}
		for _, c := range e.chain {
			out.Certificate = append(out.Certificate, c.Raw)
		}
		return out, nil
	}
	return tls.Certificate{}, errors.New("there is no key with a certificate in it")
}

// trustedIn are the certificates of a trust store as Java opens it without a password: that of a JKS is not checked then, and
// what is encrypted in a PKCS#12 is not seen.
func trustedIn(data []byte) ([]*x509.Certificate, error) {
	var entries []entry
	if isJKS(data) {
		ks := jks.New(jks.WithOrderedAliases())
		if err := ks.Load(bytes.NewReader(data), nil); err != nil && !strings.Contains(err.Error(), "digest") {
			return nil, err
		}
		for _, alias := range ks.Aliases() {
			if c, err := ks.GetTrustedCertificateEntry(alias); err == nil {
				parsed, err := x509.ParseCertificate(c.Certificate.Content)
				if err != nil {
					return nil, err
				}
				entries = append(entries, entry{chain: []*x509.Certificate{parsed}})
			}
		}
		return certificatesOf(entries), nil
	}
	f, err := readP12(data, "", false)
	if errors.Is(err, errPassword) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	entries, err = f.entries("")
	return certificatesOf(entries), err
}

// certificatesOf are the certificates that entries trust. ASSUMED: that of a key counts as well, as in Java.
func certificatesOf(entries []entry) []*x509.Certificate {
	var out []*x509.Certificate
	for _, e := range entries {
		if len(e.chain) > 0 {
			out = append(out, e.chain[0])
		}
	}
	return out
}

// aliasesIn are the aliases of a keystore that can be read without its password, sorted; false: they cannot.
func aliasesIn(data []byte) ([]string, bool) {
	var out []string
	if isJKS(data) {
		ks := jks.New()
		if err := ks.Load(bytes.NewReader(data), nil); err != nil && !strings.Contains(err.Error(), "digest") {
			return nil, false
		}
		out = ks.Aliases()
	} else {
		f, err := readP12(data, "", false)
		if err != nil {
			return nil, false
		}
		out = f.aliases()
	}
	return sorted(out), true
}

// aliases are those of keys and trusted certificates.
func (f *p12File) aliases() []string {
	var out []string
	for _, s := range f.safes {
		for _, b := range s.bags {
			if b.ID.Equal(oidKeyBag) || b.ID.Equal(oidSealedBag) || b.has(oidTrusted) {
				out = append(out, b.name())
			}
		}
	}
	return out
}

var errTaken = errors.New("the alias is taken")

// withTrusted is a keystore with one more trusted certificate, as keytool writes it: a PKCS#12 without a password stays without
// one, whatever password is given. Aliases are in small letters in both kinds. A taken alias is errTaken unless the
// certificate is to be replaced.
func withTrusted(data []byte, password, alias string, c *x509.Certificate, replace bool, now time.Time) ([]byte, error) {
	alias = strings.ToLower(alias)
	if isJKS(data) {
		ks := jks.New(jks.WithOrderedAliases())
		if err := ks.Load(bytes.NewReader(data), []byte(password)); err != nil {
			return nil, errPassword
		}
		if slices.Contains(ks.Aliases(), alias) && !replace {
			return nil, errTaken
		}
		ks.DeleteEntry(alias)
		one := jks.TrustedCertificateEntry{CreationTime: now, Certificate: jks.Certificate{Type: "X.509", Content: c.Raw}}
		if err := ks.SetTrustedCertificateEntry(alias, one); err != nil {
			return nil, err
		}
		var out bytes.Buffer
		err := ks.Store(&out, []byte(password))
		return out.Bytes(), err
	}
	f, err := readP12(data, password, true)
	if err != nil {
		return nil, err
	}
	named := func(b p12Bag) bool { return strings.EqualFold(b.name(), alias) }
	if slices.ContainsFunc(f.aliases(), func(x string) bool { return strings.EqualFold(x, alias) }) {
		if !replace {
			return nil, errTaken
		}
		for i, s := range f.safes {
			f.safes[i].bags = slices.DeleteFunc(s.bags, func(b p12Bag) bool { return named(b) && b.has(oidTrusted) })
		}
	}
	b, err := trustedBag(alias, c.Raw)
	if err != nil {
		return nil, err
	}
	f.add(b)
	return f.bytes(password)
}

// add puts a certificate where the others are.
func (f *p12File) add(b p12Bag) {
	for i, s := range f.safes {
		if s.sealed == f.mac && (s.sealed || len(s.bags) == 0 || s.bags[0].ID.Equal(oidCertBag)) {
			f.safes[i].bags = append(s.bags, b)
			return
		}
	}
	f.safes = append(f.safes, p12Safe{sealed: f.mac, bags: []p12Bag{b}})
}

// writeP12 is a keystore with one key as the vendor's are: alias and all. Without an alias it has none.
func writeP12(alias, password string, key crypto.Signer, chain []*x509.Certificate) ([]byte, error) {
	data, err := pkcs12.Modern2023.Encode(key, chain[0], chain[1:], password)
	if err != nil || alias == "" {
		return data, err
	}
	f, err := readP12(data, password, true)
	if err != nil {
		return nil, err
	}
	for _, s := range f.safes {
		for i := range s.bags {
			if b := &s.bags[i]; b.has(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 21}) { // localKeyId: the key's and its certificate's
				if err := b.named(alias); err != nil {
					return nil, err
				}
			}
		}
	}
	return f.bytes(password)
}

// withTrustedKnown adds a certificate to a keystore whose password everybody knows, as shipped.
func withTrustedKnown(data []byte, alias string, c *x509.Certificate, replace bool, now time.Time) (out []byte, err error) {
	for _, password := range []string{cacertsPassword, shippedPassword} {
		if out, err = withTrusted(data, password, alias, c, replace, now); !errors.Is(err, errPassword) {
			return out, err
		}
	}
	return nil, err
}
