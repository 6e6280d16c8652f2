package keystore

import (
	"bytes"
	"context"
	"crypto/sha1" //nolint:gosec // the format has no other
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	jks "github.com/pavlo-v-chernykh/keystore-go/v4"
)

const (
	jksMagic  = "\xfe\xed\xfe\xed"
	jksDigest = 20 // bytes of SHA-1 at the end

	// What an entry begins with.
	jksKey     = 1
	jksTrusted = 2
)

func isJKS(data []byte) bool { return bytes.HasPrefix(data, []byte(jksMagic)) }

// jksPassword is a password as the library takes it: a byte for each character.
func jksPassword(password string) ([]byte, error) {
	var out []byte
	for _, r := range password {
		if r > 0xff {
			return nil, &Error{RuleUnsupported, "the password has characters that are not supported with JKS",
				"Use ASCII letters, digits and punctuation."}
		}
		out = append(out, byte(r))
	}
	return out, nil
}

// openJKS reads a JKS keystore. The library trusts the lengths that it finds, so they are checked first.
func openJKS(ctx context.Context, data []byte, password string) (*Store, error) {
	scan := &jksScan{rest: data[len(jksMagic):]}
	if err := scan.all(); err != nil {
		return nil, err
	}
	secret, err := jksPassword(password)
	if err != nil {
		return nil, err
	}
	ks := newJKS(nil)
	if err := ks.Load(bytes.NewReader(data), secret); err != nil {
		return nil, &Error{RuleWrongPassword, "the password does not open it, or the file was damaged", helpPassword}
	}
	s := &Store{Format: JKS, source: bytes.Clone(data), password: password, Doubles: scan.doubles}
	for _, alias := range scan.aliases {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("opening a keystore: %w", context.Cause(ctx))
		}
		if t, err := ks.GetTrustedCertificateEntry(alias); err == nil {
			s.Trusted = append(s.Trusted, Trusted{Alias: alias, Certificate: NewCertificate(t.Certificate.Content),
				Created: likely(t.CreationTime)})
			continue
		}
		e := Entry{Alias: alias, Sealed: true}
		chain, err := ks.GetPrivateKeyEntryCertificateChain(alias)
		if err != nil {
			continue
		}
		for _, c := range chain {
			e.Chain = append(e.Chain, NewCertificate(c.Content))
		}
		if !scan.short[alias] {
			if p, err := ks.GetPrivateKeyEntry(alias, secret); err == nil {
				e.Sealed, e.Created = false, likely(p.CreationTime)
				e.setKey(p.PrivateKey)
			}
		}
		s.Entries = append(s.Entries, e)
	}
	s.dropDoubles()
	return s, nil
}

func newJKS(random io.Reader) jks.KeyStore {
	options := []jks.Option{jks.WithOrderedAliases(), jks.WithCaseExactAliases()}
	if random != nil {
		options = append(options, jks.WithCustomRandomNumberGenerator(random))
	}
	return jks.New(options...)
}

// encodeJKS writes a JKS keystore. A sealed key is taken from the file that it came in.
func (s *Store) encodeJKS(password string, random io.Reader, now time.Time) ([]byte, error) {
	secret, err := jksPassword(password)
	if err != nil {
		return nil, err
	}
	ks := newJKS(random)
	sealed := map[string]bool{}
	for i := range s.Entries {
		if s.Entries[i].Sealed {
			sealed[s.Entries[i].Alias] = true
		}
	}
	if len(sealed) > 0 {
		if !isJKS(s.source) {
			return nil, errors.New("writing a keystore: a key with its own password cannot be moved to another format")
		}
		before, err := jksPassword(s.password)
		if err != nil {
			return nil, err
		}
		if err := ks.Load(bytes.NewReader(s.source), before); err != nil {
			return nil, fmt.Errorf("writing a keystore: keeping keys that have their own password: %w", err)
		}
		for _, alias := range ks.Aliases() {
			if !sealed[alias] {
				ks.DeleteEntry(alias)
			}
		}
	}
	for i := range s.Entries {
		e := &s.Entries[i]
		if e.Sealed {
			continue
		}
		p := jks.PrivateKeyEntry{CreationTime: orNow(e.Created, now), PrivateKey: e.key}
		for _, c := range e.Chain {
			p.CertificateChain = append(p.CertificateChain, jks.Certificate{Type: "X.509", Content: c.DER})
		}
		if err := ks.SetPrivateKeyEntry(e.Alias, p, secret); err != nil {
			return nil, fmt.Errorf("writing %s: %w", e, err)
		}
	}
	for i := range s.Trusted {
		t := &s.Trusted[i]
		c := jks.TrustedCertificateEntry{CreationTime: orNow(t.Created, now),
			Certificate: jks.Certificate{Type: "X.509", Content: t.Certificate.DER}}
		if err := ks.SetTrustedCertificateEntry(t.Alias, c); err != nil {
			return nil, fmt.Errorf("writing the trusted certificate %q: %w", t.Alias, err)
		}
	}
	var out bytes.Buffer
	if err := ks.Store(&out, secret); err != nil {
		return nil, fmt.Errorf("writing a keystore: %w", err)
	}
	return out.Bytes(), nil
}

// appendJKS adds trusted certificates at the end of a JKS keystore. Everything before them stays to the byte:
// the library would sort the aliases and encrypt the keys again.
func appendJKS(data []byte, password string, add []Trusted, now time.Time) ([]byte, error) {
	secret, err := jksPassword(password)
	if err != nil {
		return nil, err
	}
	scan := &jksScan{rest: data[len(jksMagic):]}
	if err := scan.all(); err != nil {
		return nil, err
	}
	out := bytes.Clone(data[:len(data)-len(scan.rest)-jksDigest])
	count := out[len(jksMagic)+4:]
	binary.BigEndian.PutUint32(count, binary.BigEndian.Uint32(count)+uint32(len(add)))
	text := func(s string) {
		out = append(binary.BigEndian.AppendUint16(out, uint16(len(s))), s...)
	}
	for _, t := range add {
		out = binary.BigEndian.AppendUint32(out, jksTrusted)
		text(t.Alias)
		out = binary.BigEndian.AppendUint64(out, uint64(orNow(t.Created, now).UnixMilli()))
		if scan.version == 2 {
			text("X.509")
		}
		out = append(binary.BigEndian.AppendUint32(out, uint32(len(t.Certificate.DER))), t.Certificate.DER...)
	}
	return append(out, digestJKS(secret, out)...), nil
}

// digestJKS is the digest at the end of a JKS keystore.
func digestJKS(secret, content []byte) []byte {
	h := sha1.New() //nolint:gosec // the format has no other
	for _, c := range secret {
		h.Write([]byte{0, c})
	}
	h.Write([]byte("Mighty Aphrodite"))
	h.Write(content)
	return h.Sum(nil)
}

func orNow(t, now time.Time) time.Time {
	if t.IsZero() {
		return now
	}
	return t
}

// jksScan goes through a JKS file and looks whether all is there that its lengths announce.
type jksScan struct {
	rest    []byte
	version uint32
	aliases []string // each once
	seen    map[string]bool
	chained int64 // certificates of keys
	doubles []string
	short   map[string]bool // keys that are too short to be one
}

var (
	errTruncated = &Error{RuleTruncated, "the file is cut off: it ends in the middle of an entry", helpTruncated}
	errDamaged   = &Error{RuleNotAKeystore, "it begins like a JKS keystore and is damaged",
		"Get it again from its source."}
)

func (s *jksScan) all() error {
	version, err := s.number()
	if err != nil {
		return err
	}
	count, err := s.number()
	if err != nil {
		return err
	}
	if version != 1 && version != 2 {
		return errDamaged
	}
	if count > maxEntries {
		return tooMany(int(count))
	}
	s.version, s.short, s.seen = version, map[string]bool{}, map[string]bool{}
	for range count {
		if err := s.entry(); err != nil {
			return err
		}
	}
	_, err = s.bytes(jksDigest)
	return err
}

func (s *jksScan) entry() error {
	tag, err := s.number()
	if err != nil {
		return err
	}
	name, err := s.text()
	if err != nil {
		return err
	}
	alias := string(name)
	if s.seen[alias] {
		s.doubles = append(s.doubles, alias)
	} else {
		s.seen[alias], s.aliases = true, append(s.aliases, alias)
	}
	if _, err := s.bytes(8); err != nil { // when it was made
		return err
	}
	switch tag {
	case jksKey:
		size, err := s.number()
		if err != nil {
			return err
		}
		sealed, err := s.bytes(size)
		if err != nil {
			return err
		}
		s.short[alias] = tooShort(sealed)
		count, err := s.number()
		if err != nil {
			return err
		}
		if int64(count) > int64(len(s.rest)) { // the library makes room for as many
			return errTruncated
		}
		if s.chained += int64(count); s.chained > maxEntries {
			return tooMany(int(s.chained))
		}
		for range count {
			if err := s.certificate(); err != nil {
				return err
			}
		}
		return nil
	case jksTrusted:
		return s.certificate()
	}
	return errDamaged
}

// tooShort: salt and digest alone are 40 bytes, and the library does not look.
func tooShort(sealed []byte) bool {
	var info struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       []byte
	}
	_, err := asn1.Unmarshal(sealed, &info)
	return err != nil || len(info.Key) < 40
}

func (s *jksScan) certificate() error {
	if s.version == 2 {
		if _, err := s.text(); err != nil {
			return err
		}
	}
	size, err := s.number()
	if err != nil {
		return err
	}
	_, err = s.bytes(size)
	return err
}

func (s *jksScan) text() ([]byte, error) {
	b, err := s.bytes(2)
	if err != nil {
		return nil, err
	}
	return s.bytes(uint32(binary.BigEndian.Uint16(b)))
}

func (s *jksScan) number() (uint32, error) {
	b, err := s.bytes(4)
	if err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint32(b), nil
}

func (s *jksScan) bytes(n uint32) ([]byte, error) {
	if int64(n) > int64(len(s.rest)) {
		return nil, errTruncated
	}
	b := s.rest[:n]
	s.rest = s.rest[n:]
	return b, nil
}
