package keystore

import (
	"bytes"
	"context"
	"crypto/hmac"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	jksMagic  = "\xfe\xed\xfe\xed"
	jksDigest = 20 // bytes of SHA-1 at the end

	// The tags of entries.
	jksKey     = 1
	jksTrusted = 2
)

func isJKS(data []byte) bool { return bytes.HasPrefix(data, []byte(jksMagic)) }

// openJKS reads a JKS keystore. The existing library uses one byte per character of a password, and trusts the
// lengths in the file. The format is small, so this package reads it itself.
func openJKS(ctx context.Context, data []byte, password string) (*Store, error) {
	scan := &jksScan{rest: data[len(jksMagic):]}
	if err := scan.all(); err != nil {
		return nil, err
	}
	secret, err := jksPassword(password)
	if err != nil {
		return nil, err
	}
	content := data[:len(data)-len(scan.rest)-jksDigest]
	if !hmac.Equal(digestJKS(secret, content), data[len(content):len(content)+jksDigest]) {
		return nil, &Error{RuleWrongPassword, "the password does not open it, or the file was damaged", helpPassword}
	}
	s := &Store{Format: JKS, source: bytes.Clone(data), password: password}
	found, doubled := scan.found()
	s.Doubles = slices.Sorted(maps.Keys(doubled))
	for i, in := range scan.entries {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("opening a keystore: %w", context.Cause(ctx))
		}
		if found[fold(in.alias)] != i {
			continue
		}
		if in.tag == jksTrusted {
			s.Trusted = append(s.Trusted, Trusted{Alias: in.alias, Certificate: NewCertificate(in.chain[0]),
				Created: likely(in.created)})
			continue
		}
		e := Entry{Alias: in.alias, Sealed: true}
		for _, der := range in.chain {
			e.Chain = append(e.Chain, NewCertificate(der))
		}
		if key, ok := unsealJKS(in.sealed, secret); ok {
			e.Sealed, e.Created = false, likely(in.created)
			e.setKey(key)
		}
		s.Entries = append(s.Entries, e)
	}
	return s, nil
}

// encodeJKS returns a JKS keystore, sorted by alias. Sealed keys are copied from the file that they came from.
func (s *Store) encodeJKS(password string, random io.Reader, now time.Time) ([]byte, error) {
	secret, err := jksPassword(password)
	if err != nil {
		return nil, err
	}
	kept := map[string]jksEntry{} // entries of that file
	if slices.ContainsFunc(s.Entries, func(e Entry) bool { return e.Sealed }) {
		if !isJKS(s.source) {
			return nil, errors.New("writing a keystore: a key with its own password cannot be moved to another format")
		}
		before := &jksScan{rest: s.source[len(jksMagic):]}
		if err := before.all(); err != nil {
			return nil, fmt.Errorf("writing a keystore: keeping keys that have their own password: %w", err)
		}
		for _, e := range before.entries {
			kept[e.alias] = e
		}
	}
	var entries []jksEntry
	for i := range s.Entries {
		e := &s.Entries[i]
		if e.Sealed {
			entries = append(entries, kept[e.Alias])
			continue
		}
		sealed, err := sealJKS(random, e.key, secret)
		if err != nil {
			return nil, fmt.Errorf("writing %s: %w", e, err)
		}
		out := jksEntry{tag: jksKey, alias: e.Alias, created: orNow(e.Created, now), sealed: sealed}
		for _, c := range e.Chain {
			out.chain = append(out.chain, c.DER)
		}
		entries = append(entries, out)
	}
	for i := range s.Trusted {
		t := &s.Trusted[i]
		entries = append(entries, jksEntry{tag: jksTrusted, alias: t.Alias, created: orNow(t.Created, now),
			chain: [][]byte{t.Certificate.DER}})
	}
	slices.SortStableFunc(entries, func(a, b jksEntry) int { return strings.Compare(a.alias, b.alias) })
	const version = 2
	out := binary.BigEndian.AppendUint32([]byte(jksMagic), version)
	out = binary.BigEndian.AppendUint32(out, uint32(len(entries)))
	for i := range entries {
		if out, err = entries[i].appendTo(out, version); err != nil {
			return nil, err
		}
	}
	return append(out, digestJKS(secret, out)...), nil
}

// appendJKS adds trusted certificates at the end of a JKS keystore. All entries before them stay byte for byte.
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
	for _, t := range add {
		e := jksEntry{tag: jksTrusted, alias: t.Alias, created: orNow(t.Created, now), chain: [][]byte{t.Certificate.DER}}
		if out, err = e.appendTo(out, scan.version); err != nil {
			return nil, err
		}
	}
	return append(out, digestJKS(secret, out)...), nil
}

func orNow(t, now time.Time) time.Time {
	if t.IsZero() {
		return now
	}
	return t
}

// jksEntry is an entry as it is in a file.
type jksEntry struct {
	tag     uint32
	alias   string
	created time.Time
	sealed  []byte   // the encrypted key, if it is a key
	chain   [][]byte // the certificates of a key, or the trusted certificate alone
}

// appendTo appends the entry to a file of that version.
func (e *jksEntry) appendTo(out []byte, version uint32) ([]byte, error) {
	alias := javaText(e.alias)
	if len(alias) > math.MaxUint16 {
		return nil, errors.New("writing a keystore: an alias is longer than the format allows")
	}
	block := func(b []byte) { out = append(binary.BigEndian.AppendUint32(out, uint32(len(b))), b...) }
	text := func(s string) { out = append(binary.BigEndian.AppendUint16(out, uint16(len(s))), s...) }
	out = binary.BigEndian.AppendUint32(out, e.tag)
	text(alias)
	out = binary.BigEndian.AppendUint64(out, uint64(e.created.UnixMilli()))
	if e.tag == jksKey {
		block(e.sealed)
		out = binary.BigEndian.AppendUint32(out, uint32(len(e.chain)))
	}
	for _, der := range e.chain {
		if version == 2 {
			text("X.509")
		}
		block(der)
	}
	return out, nil
}

// javaText returns a text in the form in which Java writes it to a file (DataOutput.writeUTF). That is UTF-8, except
// that a character above U+FFFF is written as its two UTF-16 halves, each in three bytes, and NUL in two bytes. Java
// cannot read a JKS with another form.
func javaText(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		high, low := utf16.EncodeRune(r)
		switch {
		case r == 0:
			b.WriteString(javaNUL)
		case high != utf8.RuneError:
			for _, half := range []rune{high, low} {
				b.Write([]byte{0xe0 | byte(half>>12), 0x80 | byte(half>>6&0x3f), 0x80 | byte(half&0x3f)})
			}
		default:
			b.WriteString(s[:size]) // other bytes stay as they are
		}
		s = s[size:]
	}
	return b.String()
}

// fromJavaText decodes a text that Java has written. Bytes in another form stay as they are.
func fromJavaText(b []byte) string {
	var out strings.Builder
	for len(b) > 0 {
		if bytes.HasPrefix(b, []byte(javaNUL)) {
			out.WriteByte(0)
			b = b[len(javaNUL):]
			continue
		}
		r := utf16.DecodeRune(javaHalf(b), javaHalf(b[min(javaHalfSize, len(b)):]))
		if r != utf8.RuneError {
			out.WriteRune(r)
			b = b[2*javaHalfSize:]
			continue
		}
		_, size := utf8.DecodeRune(b)
		out.Write(b[:size])
		b = b[size:]
	}
	return out.String()
}

const (
	javaNUL      = "\xc0\x80"
	javaHalfSize = 3
)

// javaHalf returns the half of a character at the beginning of b, or 0 if there is none.
func javaHalf(b []byte) rune {
	if len(b) < javaHalfSize || b[0] != 0xed || b[1]&0xe0 != 0xa0 || b[2]&0xc0 != 0x80 {
		return 0
	}
	return 0xd000 | rune(b[1]&0x3f)<<6 | rune(b[2]&0x3f)
}

// jksScan reads the entries of a JKS file. It checks that the file has all data that its lengths announce.
type jksScan struct {
	rest    []byte
	version uint32
	entries []jksEntry
	chained int64 // number of certificates of keys
}

var (
	errTruncated = &Error{RuleTruncated, "the file is cut off: it ends in the middle of an entry", helpTruncated}
	errDamaged   = &Error{RuleNotAKeystore, "it begins like a JKS keystore and is damaged",
		"Get it again from its source."}
)

// all reads everything including the digest.
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
	s.version = version
	for range count {
		e, err := s.entry()
		if err != nil {
			return err
		}
		s.entries = append(s.entries, e)
	}
	if len(s.rest) < jksDigest {
		return errTruncated
	}
	s.rest = s.rest[jksDigest:]
	return nil
}

// found returns the index of the entry that Java finds by each alias, and the aliases that the file has more than
// once. Java keeps entries by their spelling; of the same spelling it keeps the last, whether it is a key or a
// certificate. Then it looks for lower case. If no spelling of an alias is in lower case, Java finds none; the result
// has the last one.
func (s *jksScan) found() (at map[string]int, doubled map[string]bool) {
	at, doubled = map[string]int{}, map[string]bool{}
	for i := range s.entries {
		spelled := s.entries[i].alias
		alias := fold(spelled)
		had, again := at[alias]
		if again {
			doubled[alias] = true
		}
		if !again || spelled == alias || s.entries[had].alias != alias {
			at[alias] = i
		}
	}
	return at, doubled
}

func (s *jksScan) entry() (e jksEntry, err error) {
	if e.tag, err = s.number(); err != nil {
		return e, err
	}
	name, err := s.text()
	if err != nil {
		return e, err
	}
	e.alias = fromJavaText(name)
	made, err := s.bytes(8)
	if err != nil {
		return e, err
	}
	e.created = time.UnixMilli(int64(binary.BigEndian.Uint64(made)))
	count := uint32(1)
	switch e.tag {
	case jksKey:
		if e.sealed, err = s.block(); err != nil {
			return e, err
		}
		if count, err = s.number(); err != nil {
			return e, err
		}
		if s.chained += int64(count); s.chained > maxEntries {
			return e, tooMany(int(s.chained))
		}
		if count > maxChain {
			return e, &Error{RuleCostly, fmt.Sprintf("the chain of a key has %d certificates, and at most %d are read", count,
				maxChain), "Find out where the file comes from: no program uses a chain of that length."}
		}
	case jksTrusted:
	default:
		return e, errDamaged
	}
	for range count {
		if s.version == 2 {
			if _, err := s.text(); err != nil {
				return e, err
			}
		}
		der, err := s.block()
		if err != nil {
			return e, err
		}
		e.chain = append(e.chain, der)
	}
	return e, nil
}

func (s *jksScan) text() ([]byte, error) {
	b, err := s.bytes(2)
	if err != nil {
		return nil, err
	}
	return s.bytes(uint32(binary.BigEndian.Uint16(b)))
}

func (s *jksScan) block() ([]byte, error) {
	n, err := s.number()
	if err != nil {
		return nil, err
	}
	return s.bytes(n)
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
