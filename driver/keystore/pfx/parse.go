package pfx

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
)

// reader opens one file.
type reader struct {
	password secret
	budget   *budget
	level    Level
	weak     bool
}

// unmarshal reads one value. It is an error if something follows it.
func unmarshal(der []byte, to any) error {
	rest, err := asn1.Unmarshal(der, to)
	if err == nil && len(rest) > 0 {
		err = errors.New("something follows it")
	}
	return err
}

type contentInfo struct {
	Type    asn1.ObjectIdentifier
	Content asn1.RawValue `asn1:"tag:0,explicit,optional"`
}

type encryptedData struct {
	Version int
	Info    struct {
		Type      asn1.ObjectIdentifier
		Algorithm pkix.AlgorithmIdentifier
		Content   asn1.RawValue `asn1:"tag:0,optional"`
	}
}

type encryptedKey struct {
	Algorithm pkix.AlgorithmIdentifier
	Sealed    []byte
}

// Looks reports whether data begins like a PKCS#12 file.
func Looks(data []byte) bool {
	tag, _, content, err := header(data)
	return err == nil && len(tag) == 1 && tag[0] == 0x30 && bytes.HasPrefix(content, []byte{2, 1, 3})
}

// Parse opens a file. Its errors are ErrFormat, ErrTruncated, ErrPassword, ErrUnsupported or ErrCostly, which contain
// nothing of the file's content, or why ctx ended. The time is bounded, whatever the file requires. A file without a
// MAC in which nothing is encrypted opens with any password.
func Parse(ctx context.Context, data []byte, password string) (*File, error) {
	ended := func() error { return context.Cause(ctx) }
	return parse(data, password, &budget{left: maxWork, ended: ended})
}

func parse(data []byte, password string, work *budget) (*File, error) {
	if !Looks(data) {
		return nil, ErrFormat
	}
	_, length, content, err := header(data)
	if err == nil && length > len(content) {
		return nil, fmt.Errorf("%w: %d bytes of %d are there", ErrTruncated, len(data), len(data)-len(content)+length)
	}
	der, _, err := work.toDER(data)
	switch {
	case err != nil && length == indefinite && errors.Is(err, errCutOff):
		return nil, fmt.Errorf("%w: %w", ErrTruncated, err)
	case err != nil:
		return nil, formatError("reading its outside", err)
	}
	var outside struct {
		Version int
		Safe    contentInfo
		MAC     macData `asn1:"optional"`
	}
	if err := unmarshal(der, &outside); err != nil {
		return nil, formatError("reading its outside", err)
	}
	if !outside.Safe.Type.Equal(oidData) {
		return nil, fmt.Errorf("%w: it is signed, or encrypted for a certificate", ErrUnsupported)
	}
	var safe []byte
	if err := unmarshal(outside.Safe.Content.Bytes, &safe); err != nil {
		return nil, formatError("reading its outside", err)
	}
	r := &reader{password: newSecret(password), budget: work}
	f := &File{MAC: len(outside.MAC.MAC.Algorithm.Algorithm) > 0}
	if f.MAC {
		if err := r.checkMAC(&outside.MAC, safe); err != nil {
			return nil, err
		}
	}
	if err := r.contents(f, safe); err != nil {
		return nil, err
	}
	f.Level, f.Weak = r.level, r.weak
	return f, nil
}

// checkMAC checks the password with the MAC. Some programs treat an empty password as no bytes at all, so both forms
// are tried.
func (r *reader) checkMAC(m *macData, content []byte) error {
	switch {
	case m.MAC.Algorithm.Algorithm.Equal(oidPBMAC1):
		r.level = Newest
	case m.MAC.Algorithm.Algorithm.Equal(oidMD5):
		r.level = Foreign
	case !m.MAC.Algorithm.Algorithm.Equal(oidSHA1):
		r.level = Modern
	}
	tries := []secret{r.password}
	if r.password.utf8 == "" {
		tries = append(tries, secret{})
	}
	for _, try := range tries {
		want, err := r.budget.mac(m, try, content)
		if err != nil {
			return err
		}
		if hmac.Equal(want, m.MAC.Digest) {
			r.password = try
			return nil
		}
	}
	return ErrPassword
}

// contents reads the bags.
func (r *reader) contents(f *File, safe []byte) error {
	var parts []contentInfo
	if err := r.list(safe, &parts); err != nil {
		return formatError("reading its parts", err)
	}
	plain, shut, opened, closed := 0, 0, 0, 0 // shut: certificates that are encrypted
	for _, part := range parts {
		content, encrypted, err := r.part(part)
		if errors.Is(err, errPadding) && !f.MAC {
			return ErrPassword
		}
		if err != nil {
			return err
		}
		var bags []safeBag
		err = r.list(content, &bags)
		switch {
		case errors.Is(err, ErrCostly):
			return err
		case err != nil && encrypted && !f.MAC: // the wrong password gave valid padding by chance
			return ErrPassword
		case err != nil:
			return formatError("reading its bags", err)
		}
		for i := range bags {
			b, err := r.bag(&bags[i])
			if err != nil {
				return err
			}
			switch {
			case b.Kind == Certificate && !encrypted:
				plain++
			case b.Kind == Certificate:
				shut++
				opened++
			case b.Sealed != nil:
				closed++
			case b.Kind != Other && !b.Plain:
				opened++
			}
			f.Bags = append(f.Bags, b)
		}
	}
	if !f.MAC && closed > 0 && opened == 0 {
		return ErrPassword
	}
	f.Unencrypted, f.Mixed = plain > 0 && shut == 0, plain > 0 && shut > 0
	return nil
}

// list reads a sequence that may be in BER.
func (r *reader) list(ber []byte, to any) error {
	der, _, err := r.budget.toDER(ber)
	if err != nil {
		return err
	}
	return unmarshal(der, to)
}

// part opens one part. The bags in it are either plain or encrypted together.
func (r *reader) part(part contentInfo) (content []byte, encrypted bool, err error) {
	switch {
	case part.Type.Equal(oidData):
		if err := unmarshal(part.Content.Bytes, &content); err != nil {
			return nil, false, formatError("reading a part", err)
		}
		return content, false, nil
	case part.Type.Equal(oidEncryptedData):
		var e encryptedData
		if err := unmarshal(part.Content.Bytes, &e); err != nil {
			return nil, false, formatError("reading an encrypted part", err)
		}
		sealed := e.Info.Content.Bytes
		if e.Info.Content.IsCompound { // in pieces, as BER permits
			if sealed, err = pieces(sealed); err != nil {
				return nil, false, formatError("reading an encrypted part", err)
			}
		}
		content, err := r.decrypt(e.Info.Algorithm, sealed)
		if err != nil {
			return nil, false, fmt.Errorf("opening an encrypted part: %w", err)
		}
		return content, true, nil
	}
	return nil, false, fmt.Errorf("%w: a part is encrypted for a certificate", ErrUnsupported)
}

func pieces(b []byte) ([]byte, error) {
	var out []byte
	for len(b) > 0 {
		var piece []byte
		var err error
		if b, err = asn1.Unmarshal(b, &piece); err != nil {
			return nil, err
		}
		out = append(out, piece...)
	}
	return out, nil
}

type safeBag struct {
	ID         asn1.ObjectIdentifier
	Value      asn1.RawValue   `asn1:"tag:0,explicit"`
	Attributes []asn1.RawValue `asn1:"set,optional"`
}

// typed is the content of the bag of a certificate or a secret.
type typed struct {
	ID    asn1.ObjectIdentifier
	Value []byte `asn1:"tag:0,explicit"`
}

func (r *reader) bag(raw *safeBag) (Bag, error) {
	b := Bag{Type: raw.ID}
	content := raw.Value.Bytes
	switch {
	case raw.ID.Equal(oidKeyBag):
		b.Kind, b.DER, b.Plain = Key, content, true
	case raw.ID.Equal(oidShroudedKeyBag):
		b.Kind = Key
		if err := r.open(&b, content); err != nil {
			return b, err
		}
	case raw.ID.Equal(oidCertBag):
		var t typed
		if err := unmarshal(content, &t); err != nil {
			return b, formatError("reading a certificate's bag", err)
		}
		if t.ID.Equal(oidX509Certificate) {
			b.Kind, b.DER = Certificate, t.Value
		}
	case raw.ID.Equal(oidSecretBag):
		var t typed
		if unmarshal(content, &t) == nil { // as Java writes it
			b.Kind, b.Type = Secret, t.ID
			if err := r.open(&b, t.Value); err != nil {
				return b, err
			}
		}
	}
	for _, a := range raw.Attributes {
		if err := b.attribute(a.FullBytes); err != nil {
			return b, err
		}
	}
	return b, nil
}

// open decrypts a key or a secret. If the password does not open it, it stays sealed.
func (r *reader) open(b *Bag, content []byte) error {
	var e encryptedKey
	if err := unmarshal(content, &e); err != nil {
		return formatError("reading a key's bag", err)
	}
	plain, err := r.decrypt(e.Algorithm, e.Sealed)
	switch {
	case err != nil && !errors.Is(err, errPadding) && !errors.Is(err, ErrUnsupported):
		return fmt.Errorf("opening a key: %w", err)
	case err == nil && unmarshal(plain, new(asn1.RawValue)) == nil:
		b.DER = plain
		return nil
	}
	b.Sealed = content
	return nil
}

// attribute adds an attribute to a bag. One that is not as expected is kept unchanged.
func (b *Bag) attribute(der []byte) error {
	var a struct {
		ID     asn1.ObjectIdentifier
		Values asn1.RawValue `asn1:"set"`
	}
	if err := unmarshal(der, &a); err != nil {
		return formatError("reading what is noted of a bag", err)
	}
	var first asn1.RawValue
	_, err := asn1.Unmarshal(a.Values.Bytes, &first)
	switch {
	case err != nil:
	case a.ID.Equal(oidFriendlyName) && !b.Named:
		if name, ok := text(first); ok {
			b.Name, b.Named = name, true
			return nil
		}
	case a.ID.Equal(oidLocalKeyID) && b.KeyID == nil && first.Tag == asn1.TagOctetString:
		b.KeyID = append([]byte{}, first.Bytes...)
		return nil
	case a.ID.Equal(oidTrustedKeyUsage):
		b.Trusted = true
		if len(a.Values.Bytes) == len(first.FullBytes) && bytes.Equal(first.FullBytes, mustDER(oidAnyKeyUsage)) {
			return nil // as it is rewritten
		}
	}
	b.Attributes = append(b.Attributes, bytes.Clone(der))
	return nil
}

func text(v asn1.RawValue) (string, bool) {
	switch {
	case v.Class != asn1.ClassUniversal || v.IsCompound:
	case v.Tag == asn1.TagBMPString:
		name, err := fromBMP(v.Bytes)
		return name, err == nil
	case v.Tag == asn1.TagUTF8String, v.Tag == asn1.TagPrintableString, v.Tag == asn1.TagIA5String:
		return string(v.Bytes), true
	}
	return "", false
}
