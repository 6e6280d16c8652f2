// Package keystore does what Java does for a server: keystores and trust stores of both kinds, and their certificates.
package keystore

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	jks "github.com/pavlo-v-chernykh/keystore-go/v4"
	"github.com/syncctl/syncctl/driver/keystore/pfx"
)

// Entry is what a keystore has for an alias: a key with its chain, or a certificate.
type Entry struct {
	alias string
	key   crypto.Signer
	Chain []*x509.Certificate
}

// jksMagic is the beginning of a JKS keystore.
var jksMagic = []byte{0xfe, 0xed, 0xfe, 0xed}

// IsJKS reports whether data is a JKS keystore.
func IsJKS(data []byte) bool { return bytes.HasPrefix(data, jksMagic) }

// ErrPassword means that the password is wrong. It has Java's words.
var ErrPassword = errors.New("keystore password was incorrect")

// Open reads a keystore of either kind with its password, and checks it. ASSUMED: a key has the keystore's password,
// because no page asks for another one.
func Open(data []byte, password string) ([]Entry, error) {
	if IsJKS(data) {
		return openJKS(data, password)
	}
	f, err := OpenP12(data, password)
	if err != nil {
		return nil, err
	}
	return entriesOfP12(f)
}

// OpenP12 opens a PKCS#12 file. A wrong password is ErrPassword.
func OpenP12(data []byte, password string) (*pfx.File, error) {
	f, err := pfx.Parse(context.Background(), data, password)
	if errors.Is(err, pfx.ErrPassword) {
		err = ErrPassword
	}
	return f, err
}

func openJKS(data []byte, password string) ([]Entry, error) {
	ks := jks.New(jks.WithOrderedAliases())
	if err := ks.Load(bytes.NewReader(data), []byte(password)); err != nil {
		if strings.Contains(err.Error(), "digest") {
			err = ErrPassword
		}
		return nil, err
	}
	return entriesOfJKS(ks, password)
}

// entriesOfJKS returns the entries sorted by alias. ASSUMED: in this order a server looks for its first key.
func entriesOfJKS(ks jks.KeyStore, password string) ([]Entry, error) {
	var out []Entry
	for _, alias := range ks.Aliases() {
		e := Entry{alias: alias}
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
			e.Chain = append(e.Chain, parsed)
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

// entriesOfP12 returns the entries in the order of the file. It finds a key's chain as Java does: by issuers.
func entriesOfP12(f *pfx.File) ([]Entry, error) {
	var out []Entry
	var all []*x509.Certificate
	for _, b := range f.Bags {
		e := Entry{alias: b.Name}
		switch b.Kind {
		case pfx.Certificate:
			c, err := x509.ParseCertificate(b.DER)
			if err != nil {
				return nil, err
			}
			all = append(all, c)
			if !b.Trusted {
				continue
			}
			e.Chain = []*x509.Certificate{c}
		case pfx.Key:
			if b.Sealed != nil {
				return nil, fmt.Errorf("the key %s cannot be recovered", b.Name)
			}
			var err error
			if e.key, err = signer(b.DER); err != nil {
				return nil, err
			}
		default:
			continue
		}
		out = append(out, e)
	}
	for i := range out {
		if out[i].key != nil {
			out[i].Chain = chainOf(out[i].key, all)
		}
	}
	return out, nil
}

// chainOf returns the certificate of a key, followed by those of its issuers.
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
		next = slices.IndexFunc(all, func(x *x509.Certificate) bool {
			return bytes.Equal(x.RawSubject, c.RawIssuer) &&
				x != c
		})
	}
	return chain
}

// FirstKey returns what a server presents.
func FirstKey(entries []Entry) (tls.Certificate, error) {
	for _, e := range entries {
		if e.key == nil || len(e.Chain) == 0 {
			continue
		}
		out := tls.Certificate{PrivateKey: e.key, Leaf: e.Chain[0]}
		for _, c := range e.Chain {
			out.Certificate = append(out.Certificate, c.Raw)
		}
		return out, nil
	}
	return tls.Certificate{}, errors.New("there is no key with a certificate in it")
}

// TrustedIn returns the certificates of a trust store as Java opens it without a password: a JKS is then not checked,
// and encrypted parts of a PKCS#12 are not read. ASSUMED: a PKCS#12 with a MAC shows nothing, because everything is
// encrypted in those that Java and openssl write.
func TrustedIn(data []byte) ([]*x509.Certificate, error) {
	if IsJKS(data) {
		var entries []Entry
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
				entries = append(entries, Entry{Chain: []*x509.Certificate{parsed}})
			}
		}
		return CertificatesOf(entries), nil
	}
	entries, err := Open(data, "")
	if errors.Is(err, ErrPassword) {
		return nil, nil
	}
	return CertificatesOf(entries), err
}

// CertificatesOf returns the certificates that entries trust. ASSUMED: a key's certificate counts as well, as in Java.
func CertificatesOf(entries []Entry) []*x509.Certificate {
	var out []*x509.Certificate
	for _, e := range entries {
		if len(e.Chain) > 0 {
			out = append(out, e.Chain[0])
		}
	}
	return out
}

// AliasesIn returns the aliases of a keystore, sorted. It returns false if they cannot be read without its password.
func AliasesIn(data []byte) ([]string, bool) {
	var out []string
	if IsJKS(data) {
		ks := jks.New()
		if err := ks.Load(bytes.NewReader(data), nil); err != nil && !strings.Contains(err.Error(), "digest") {
			return nil, false
		}
		return slices.Sorted(slices.Values(ks.Aliases())), true
	}
	f, err := pfx.Parse(context.Background(), data, "")
	if err != nil {
		return nil, false
	}
	for _, b := range f.Bags {
		if b.Kind == pfx.Key || b.Trusted {
			out = append(out, b.Name)
		}
	}
	slices.Sort(out)
	return out, true
}

// ErrTaken means that the keystore already has the alias.
var ErrTaken = errors.New("the alias is taken")

// WithTrusted returns a keystore with one more trusted certificate, as keytool writes it: a PKCS#12 without a password
// stays without one, whatever password is given. Aliases are in lower case in both kinds. If the alias is taken, it
// returns ErrTaken, unless replace is set. A key in a PKCS#12 is never replaced.
func WithTrusted(data []byte, password, alias string, c *x509.Certificate, replace bool, now time.Time) ([]byte,
	error) {
	alias = strings.ToLower(alias)
	if IsJKS(data) {
		ks := jks.New(jks.WithOrderedAliases())
		if err := ks.Load(bytes.NewReader(data), []byte(password)); err != nil {
			return nil, ErrPassword
		}
		if slices.Contains(ks.Aliases(), alias) && !replace {
			return nil, ErrTaken
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
	f, err := OpenP12(data, password)
	if err != nil {
		return nil, err
	}
	var kept []pfx.Bag
	for _, b := range f.Bags {
		taken := (b.Kind == pfx.Key || b.Trusted) && strings.EqualFold(b.Name, alias)
		if taken && (b.Kind == pfx.Key || !replace) {
			return nil, ErrTaken
		}
		if !taken {
			kept = append(kept, b)
		}
	}
	kept = append(kept, pfx.Bag{Kind: pfx.Certificate, DER: c.Raw, Name: alias, Named: true, Trusted: true})
	return pfx.Write(kept, password, pfx.Options{Level: f.Level, Random: rand.Reader, Open: !f.MAC, NoMAC: !f.MAC})
}

// Empty returns a new keystore, as keytool makes it.
func Empty(password string) ([]byte, error) {
	return pfx.Write(nil, password, pfx.Options{Level: pfx.Modern, Random: rand.Reader})
}

// Write returns a keystore with one key, in the form of the vendor's. If alias is "", the key has none.
func Write(alias, password string, key crypto.Signer, chain []*x509.Certificate) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	id := []byte("1")
	bags := []pfx.Bag{{Kind: pfx.Key, DER: der, Name: alias, Named: alias != "", KeyID: id}}
	for i, c := range chain {
		b := pfx.Bag{Kind: pfx.Certificate, DER: c.Raw}
		if i == 0 {
			b.Name, b.Named, b.KeyID = alias, alias != "", id
		}
		bags = append(bags, b)
	}
	return pfx.Write(bags, password, pfx.Options{Level: pfx.Modern, Random: rand.Reader})
}

// WithTrustedKnown adds a certificate to a keystore that still has the password with which it was shipped.
func WithTrustedKnown(data []byte, alias string, c *x509.Certificate, replace bool, now time.Time) (out []byte,
	err error) {
	for _, password := range []string{cacertsPassword, ShippedPassword} {
		if out, err = WithTrusted(data, password, alias, c, replace, now); !errors.Is(err, ErrPassword) {
			return out, err
		}
	}
	return nil, err
}
