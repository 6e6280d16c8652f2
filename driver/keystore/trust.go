package keystore

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/syncctl/syncctl/driver/keystore/pfx"
	"github.com/syncctl/syncctl/planner"
)

// A trust store that nobody declares, such as Java's own cacerts, is somebody else's file: it is added to, in the form that it
// has, and nothing else about it changes. Until Java 17 cacerts is a JKS. Since 18 it is a PKCS#12 file without any password, which
// has to stay one: Java opens it without, and of certificates that are encrypted it would then see nothing.

// AddTrust adds certificates that are trusted to a keystore, as it lies in a file, and writes it in the form that it has: its
// format, password and level of algorithms, certificates encrypted or not, a MAC or none. All that is in it stays. What is trusted
// already, be it under another alias, is left alone; where that is all, what comes back is data itself. An error is an *Error where
// the keystore cannot be opened, and otherwise says what is in the way; Hindrances says the same before.
func AddTrust(data []byte, password string, add []Trusted, now time.Time, random io.Reader) ([]byte, error) {
	fail := func(err error) ([]byte, error) { return nil, fmt.Errorf("adding trusted certificates: %w", err) }
	have, err := Open(data, password)
	if err != nil {
		return nil, err
	}
	if found := have.Hindrances(add); len(found) > 0 {
		return fail(errors.New(found[0].Summary))
	}
	missing := have.missing(add)
	if len(missing) == 0 {
		return data, nil
	}
	var out []byte
	if have.Format == JKS {
		out, err = appendJKS(data, password, missing, now)
	} else {
		out, err = appendBags(data, password, missing, random)
	}
	if err != nil {
		return fail(err)
	}
	again, err := Open(out, password)
	if err != nil {
		return fail(fmt.Errorf("what would be written cannot be read: %w", err))
	}
	if err := have.grown(again, missing); err != nil {
		return fail(err)
	}
	return out, nil
}

// missing are the certificates that are not trusted yet, each once, as they are to be written.
func (s *Store) missing(add []Trusted) []Trusted {
	var out []Trusted
	for _, t := range add {
		same := func(other Trusted) bool { return other.Certificate.Equal(t.Certificate) }
		if s.Trusts(t.Certificate) || slices.ContainsFunc(out, same) {
			continue
		}
		t.Certificate = NewCertificate(t.Certificate.DER)
		if s.Format == JKS { // where Java looks for small letters
			t.Alias = fold(t.Alias)
		}
		out = append(out, t)
	}
	return out
}

// Hindrances says what is in the way of adding trusted certificates (AddTrust), empty if nothing is: an alias that is taken, or
// what the file has and would lose. It needs nothing but the Store.
func (s *Store) Hindrances(add []Trusted) []Problem {
	var out []Problem
	refuse := func(rule, help, format string, args ...any) {
		out = append(out, Problem{rule, planner.Refuse, "", fmt.Sprintf(format, args...), help})
	}
	missing := s.missing(add)
	if len(missing) == 0 {
		return nil
	}
	out = s.unkept(mend + ".")
	for i := range s.Entries {
		if e := &s.Entries[i]; e.Plain {
			refuse("unsupported-entry", mend+".", "the key of %s lies in the file unencrypted, where Java does not see it, and cannot be kept so", e)
		}
	}
	if s.Mixed {
		refuse("unsupported-entry", mend+".", "some certificates of the file are encrypted and some are not, which cannot be kept")
	}
	seen := map[string]Certificate{}
	for _, t := range missing {
		const other = "Choose another alias."
		if why := s.unfit(&t); why != "" {
			refuse("not-an-alias", other, "the certificate %s cannot be added as %q: %s", t.Certificate, t.Alias, why)
			continue
		}
		if by := s.takenBy(t.Alias); by != "" {
			refuse("alias-taken", other, "the alias %q is that of %s, so that %s cannot be added with it", t.Alias, by, t.Certificate)
		} else if first, ok := seen[fold(t.Alias)]; ok {
			refuse("alias-taken", other, "the alias %q is to be that of %s and of %s", t.Alias, first, t.Certificate)
		}
		seen[fold(t.Alias)] = t.Certificate
	}
	return out
}

// takenBy says in words what has an alias, "" if nothing has.
func (s *Store) takenBy(alias string) string {
	if t := s.Trust(alias); t != nil {
		return t.Certificate.String()
	}
	if e := s.Entry(alias); e != nil && len(e.Chain) > 0 {
		return "a key with the certificate " + e.Chain[0].String()
	} else if e != nil {
		return "a key without a certificate"
	}
	if slices.ContainsFunc(s.Secrets, func(secret string) bool { return fold(secret) == fold(alias) }) {
		return "a secret"
	}
	return ""
}

// unfit says why something cannot be added: what Java could not read would cost it the whole file.
func (s *Store) unfit(t *Trusted) string {
	switch {
	case t.Certificate.parsed == nil && t.Certificate.subject == "":
		return "it is no certificate"
	case t.Alias == "":
		return "an alias is not empty"
	case !utf8.ValidString(t.Alias), strings.ContainsFunc(t.Alias, unicode.IsControl):
		return "an alias has no control characters"
	case s.Format == JKS && strings.ContainsFunc(t.Alias, func(r rune) bool { return r > math.MaxUint16 }):
		return "it has characters that cannot be written in a JKS here"
	case len(t.Alias) > math.MaxInt16:
		return "it is too long"
	}
	return ""
}

// appendBags adds trusted certificates behind all others of a PKCS#12 file, whose bags are written as they were read.
func appendBags(data []byte, password string, add []Trusted, random io.Reader) ([]byte, error) {
	f, err := parse(data, password)
	if err != nil {
		return nil, err
	}
	certificate := func(b pfx.Bag) bool { return b.Kind == pfx.Certificate }
	o := pfx.Options{
		// Nothing newer can be written, and nothing older is needed: who reads what is newer reads this too.
		Level: min(f.Level, pfx.Modern), Random: random, NoMAC: !f.MAC,
		Open: f.Unencrypted || !f.MAC && !slices.ContainsFunc(f.Bags, certificate),
	}
	for _, t := range add {
		f.Bags = append(f.Bags, pfx.Bag{Kind: pfx.Certificate, DER: t.Certificate.DER, Name: t.Alias, Named: true, Trusted: true})
	}
	out, err := pfx.Write(f.Bags, password, o)
	if err != nil {
		return nil, err
	}
	again, err := parse(out, password)
	if err != nil {
		return nil, fmt.Errorf("what would be written cannot be read: %w", err)
	}
	slices.SortStableFunc(f.Bags, func(a, b pfx.Bag) int { return isCertificate(a) - isCertificate(b) }) // as Write has them
	if !slices.EqualFunc(f.Bags, again.Bags, sameBag) || again.MAC != f.MAC || again.Unencrypted != o.Open || again.Level > o.Level {
		return nil, errors.New("what would be written is not what was read")
	}
	return out, nil
}

func isCertificate(b pfx.Bag) int {
	if b.Kind == pfx.Certificate {
		return 1
	}
	return 0
}

// sameBag: attributes are a set, which has no order.
func sameBag(a, b pfx.Bag) bool {
	sorted := func(all [][]byte) [][]byte { return slices.SortedFunc(slices.Values(all), bytes.Compare) }
	return a.Kind == b.Kind && bytes.Equal(a.DER, b.DER) && bytes.Equal(a.Sealed, b.Sealed) && a.Name == b.Name && a.Named == b.Named &&
		bytes.Equal(a.KeyID, b.KeyID) && a.Trusted == b.Trusted && slices.EqualFunc(sorted(a.Attributes), sorted(b.Attributes), bytes.Equal)
}

// grown says what of a keystore is missing, or is not as it was, in what was made of it by adding certificates.
func (s *Store) grown(again *Store, add []Trusted) error {
	want := *s
	want.Trusted = slices.Concat(s.Trusted, add)
	if err := want.lost(again); err != nil {
		return err
	}
	as := func(a, b Trusted) bool {
		return a.Alias == b.Alias && a.Certificate.Equal(b.Certificate) && a.Created.Equal(b.Created)
	}
	switch {
	case again.Format != s.Format, len(again.Entries) != len(s.Entries), len(again.Trusted) != len(want.Trusted),
		len(again.Unknown)+len(again.Doubles) > 0, !slices.Equal(again.Secrets, s.Secrets):
		return errors.New("what would be written has other things in it than what is there")
	case !slices.EqualFunc(again.Trusted[:len(s.Trusted)], s.Trusted, as):
		return errors.New("what would be written has other trusted certificates, or in another order")
	}
	for i := range s.Entries {
		e := &s.Entries[i]
		back := again.Entry(e.Alias)
		if len(back.Chain) < len(e.Chain) || !sameChain(back.Chain[:len(e.Chain)], e.Chain) || !back.Created.Equal(e.Created) {
			return fmt.Errorf("what would be written has %s with another chain", e)
		}
		// A chain whose end is missing gets it, as with keytool: the right one.
		k := &checker{}
		for at := max(1, len(e.Chain)); at < len(back.Chain); at++ {
			k.signed("", back.Chain[at-1], back.Chain[at])
		}
		if len(k.out) > 0 {
			return fmt.Errorf("%s would get a wrong chain: %s. %s", e, k.out[0].Summary, byName)
		}
	}
	return nil
}
