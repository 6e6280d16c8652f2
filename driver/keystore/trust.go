package keystore

import (
	"bytes"
	"context"
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

// An undeclared trust store, such as Java's own cacerts, belongs to somebody else. Certificates are added to it in
// the form that it has, and nothing else about it changes. Until Java 17 cacerts is a JKS. Since 18 it is a PKCS#12
// file without a password, and must stay so: Java opens it without a password, and would not see an encrypted
// certificate.

// AddTrust adds trusted certificates to the bytes of a keystore, in the form that it has: its format, its password,
// its level of algorithms, whether certificates are encrypted, and whether it has a MAC. All its content stays.
// Certificates that are already trusted, under any alias, are skipped; if all are, it returns data itself. If the
// keystore cannot be opened, it returns the error of Open. Other errors say what prevents the addition; Hindrances
// says it in advance.
func AddTrust(
	ctx context.Context, data []byte, password string, add []Trusted, now time.Time, random io.Reader,
) ([]byte, error) {
	fail := func(err error) ([]byte, error) { return nil, fmt.Errorf("adding trusted certificates: %w", err) }
	have, err := Open(ctx, data, password)
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
		out, err = appendBags(ctx, data, password, missing, random)
	}
	if err != nil {
		return fail(err)
	}
	again, err := Open(ctx, out, password)
	if err != nil {
		return fail(fmt.Errorf("reading back the new content: %w", err))
	}
	if err := have.grown(again, missing); err != nil {
		return fail(err)
	}
	return out, nil
}

// missing returns the certificates that are not trusted yet, each once, in the form in which they are written.
func (s *Store) missing(add []Trusted) []Trusted {
	var out []Trusted
	for _, t := range add {
		same := func(other Trusted) bool { return other.Certificate.Equal(t.Certificate) }
		if s.Trusts(t.Certificate) || slices.ContainsFunc(out, same) {
			continue
		}
		t.Certificate = NewCertificate(t.Certificate.DER)
		if s.Format == JKS { // in which Java looks for lower case
			t.Alias = fold(t.Alias)
		}
		out = append(out, t)
	}
	return out
}

// Hindrances says what prevents adding trusted certificates (AddTrust): an alias that is taken, or content that the
// file would lose. It is empty if nothing does. It needs only the Store.
func (s *Store) Hindrances(add []Trusted) []Problem {
	var out []Problem
	refuse := func(rule, help, format string, args ...any) {
		out = append(out, Problem{rule, planner.Refuse, "", fmt.Sprintf(format, args...), help})
	}
	missing := s.missing(add)
	if len(missing) == 0 {
		return nil
	}
	out = s.unkept(repair + ".")
	for i := range s.Entries {
		if e := &s.Entries[i]; e.Plain {
			refuse(ruleUnsupportedEntry, repair+".", "the key of %s is not encrypted in the file, which cannot be kept so", e)
		}
	}
	if s.Mixed {
		refuse(ruleUnsupportedEntry, repair+".", "some certificates of the file are encrypted and some are not, which "+
			"cannot be kept")
	}
	seen := map[string]Certificate{}
	for _, t := range missing {
		const other = "Choose another alias."
		if why := s.unfit(&t); why != "" {
			refuse(notAnAlias, other, "the certificate %s cannot be added as %q: %s", t.Certificate, t.Alias, why)
			continue
		}
		if by := s.takenBy(t.Alias); by != "" {
			refuse(aliasTaken, other, "the alias %q belongs to %s, so %s cannot be added under it", t.Alias, by,
				t.Certificate)
		} else if first, ok := seen[fold(t.Alias)]; ok {
			refuse(aliasTaken, other, "the alias %q is declared for both %s and %s", t.Alias, first, t.Certificate)
		}
		seen[fold(t.Alias)] = t.Certificate
	}
	return out
}

// Rules that only Hindrances uses. No finding has them: a driver that shows one uses its own rule.
const (
	aliasTaken = "alias-taken"
	notAnAlias = "not-an-alias"
)

// takenBy says what has an alias, or returns "" if nothing does.
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
		return "a secret key"
	}
	return ""
}

// unfit says why a certificate cannot be added: Java could not read the whole file if it contained one that it cannot
// read.
func (s *Store) unfit(t *Trusted) string {
	switch {
	case t.Certificate.parsed == nil && t.Certificate.subject == "":
		return "it is not a certificate"
	case t.Alias == "":
		return "an alias is not empty"
	case !utf8.ValidString(t.Alias), strings.ContainsFunc(t.Alias, unicode.IsControl):
		return "an alias has no control characters"
	case len(t.Alias) > math.MaxInt16:
		return "it is too long"
	}
	return ""
}

// appendBags adds trusted certificates after all other bags of a PKCS#12 file. These are written as they were read.
func appendBags(
	ctx context.Context, data []byte, password string, add []Trusted, random io.Reader,
) ([]byte, error) {
	f, err := parsePFX(ctx, data, password)
	if err != nil {
		return nil, err
	}
	certificate := func(b pfx.Bag) bool { return b.Kind == pfx.Certificate }
	o := pfx.Options{
		// Newer levels cannot be written, and older ones are not needed: whatever reads newer algorithms reads this,
		// too.
		Level: min(f.Level, pfx.Modern), Random: random, NoMAC: !f.MAC,
		Open: f.Unencrypted || !f.MAC && !slices.ContainsFunc(f.Bags, certificate),
	}
	for _, t := range add {
		f.Bags = append(f.Bags, pfx.Bag{Kind: pfx.Certificate, DER: t.Certificate.DER, Name: t.Alias, Named: true,
			Trusted: true})
	}
	out, err := pfx.Write(f.Bags, password, o)
	if err != nil {
		return nil, err
	}
	again, err := parsePFX(ctx, out, password)
	if err != nil {
		return nil, fmt.Errorf("reading back the new content: %w", err)
	}
	slices.SortStableFunc(f.Bags,
		func(a, b pfx.Bag) int { return isCertificate(a) - isCertificate(b) }) // in the order of Write
	same := slices.EqualFunc(f.Bags, again.Bags, sameBag)
	if !same || again.MAC != f.MAC || again.Unencrypted != o.Open || again.Level > o.Level {
		return nil, errors.New("the new content differs from what was meant")
	}
	return out, nil
}

func isCertificate(b pfx.Bag) int {
	if b.Kind == pfx.Certificate {
		return 1
	}
	return 0
}

// sameBag reports whether two bags are equal. Attributes are a set, so their order does not matter.
func sameBag(a, b pfx.Bag) bool {
	sorted := func(all [][]byte) [][]byte { return slices.SortedFunc(slices.Values(all), bytes.Compare) }
	return a.Kind == b.Kind && bytes.Equal(a.DER, b.DER) && bytes.Equal(a.Sealed, b.Sealed) &&
		a.Name == b.Name && a.Named == b.Named && bytes.Equal(a.KeyID, b.KeyID) && a.Trusted == b.Trusted &&
		slices.EqualFunc(sorted(a.Attributes), sorted(b.Attributes), bytes.Equal)
}

// grown returns an error if again is not the keystore plus the added certificates.
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
		return errors.New("the new content has entries that the file does not have, or lacks some")
	case !slices.EqualFunc(again.Trusted[:len(s.Trusted)], s.Trusted, as):
		return errors.New("the new content has other trusted certificates, or another order of them")
	}
	for i := range s.Entries {
		e := &s.Entries[i]
		back := again.Entry(e.Alias)
		if !back.continues(e.Chain) || !back.Created.Equal(e.Created) {
			return fmt.Errorf("the new content has %s with another chain", e)
		}
		// A chain whose end is missing may be completed, as with keytool, but only with the right certificate.
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
