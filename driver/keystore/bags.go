package keystore

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver/keystore/pfx"
)

// A PKCS#12 file is an unordered set of bags. This file makes entries of them in the same way as Java (PKCS12KeyStore
// of the JDK): a key and its certificate have the same localKeyID; the chain continues by the names of issuers,
// through all certificates of the file; only Oracle's mark makes a certificate trusted; aliases ignore case, and the
// last of two equal ones counts.

// fromBags makes a Store from the bags of a PKCS#12 file.
func fromBags(f *pfx.File) (*Store, error) {
	if len(f.Bags) > maxEntries {
		return nil, tooMany(len(f.Bags))
	}
	s := &Store{Format: PKCS12, Level: f.Level, Weak: f.Weak, Unprotected: !f.MAC, Unencrypted: f.Unencrypted,
		Mixed: f.Mixed}
	h := newHeap()
	for i := range f.Bags {
		if b := &f.Bags[i]; b.Kind == pfx.Certificate {
			c := NewCertificate(b.DER)
			if _, ok := h.subjects[c.subject]; !ok && c.subject != "" {
				h.subjects[c.subject] = c
			}
			if !b.Trusted {
				h.add(heaped{c, b})
			}
		}
	}
	used := map[string]bool{}
	unnamed := 0
	alias := func(b *pfx.Bag) string {
		if b.Named {
			return b.Name
		}
		unnamed++
		return strconv.Itoa(unnamed)
	}
	for i := range f.Bags {
		b := &f.Bags[i]
		switch {
		case b.Kind == pfx.Key:
			e := h.entry(b, used)
			e.Alias = alias(b)
			s.Entries = append(s.Entries, e)
		case b.Kind == pfx.Secret:
			s.Secrets, s.secrets = append(s.Secrets, alias(b)), append(s.secrets, *b)
		case b.Kind == pfx.Certificate && b.Trusted:
			s.Trusted = append(s.Trusted, Trusted{Alias: alias(b), Certificate: NewCertificate(b.DER), noted: b.Attributes})
		case b.Kind == pfx.Other:
			first := b.Type[:min(len(b.Type), 64)] // of what may be millions of numbers
			s.Unknown = append(s.Unknown, "a bag of the kind "+clip(first.String()))
		}
	}
	for _, c := range h.certificates {
		if !used[string(c.DER)] {
			s.Loose = append(s.Loose, Trusted{Alias: c.bag.Name, Certificate: c.Certificate})
			s.loose = append(s.loose, *c.bag)
		}
	}
	s.dropDoubles()
	return s, nil
}

// heap holds the certificates of a file.
type heap struct {
	subjects     map[string]Certificate // the first one of each name
	certificates []heaped               // those that are not trusted

	ids, names map[string]int // the first one of each id, and of each id and name
	publics    map[string]int // the first one of each public key
}

func newHeap() *heap {
	return &heap{subjects: map[string]Certificate{}, ids: map[string]int{}, names: map[string]int{},
		publics: map[string]int{}}
}

// add adds a certificate that is not trusted.
func (h *heap) add(c heaped) {
	at := len(h.certificates)
	h.certificates = append(h.certificates, c)
	first := func(m map[string]int, key string) {
		if _, ok := m[key]; !ok {
			m[key] = at
		}
	}
	if c.bag.KeyID != nil {
		first(h.ids, string(c.bag.KeyID))
		first(h.names, named(c.bag))
	}
	if public := c.public(); public != "" {
		first(h.publics, public)
	}
}

// named returns a key made of a bag's id and name. It tells bags with the same id apart.
func named(b *pfx.Bag) string { return strconv.Itoa(len(b.KeyID)) + " " + string(b.KeyID) + b.Name }

type heaped struct {
	Certificate

	bag *pfx.Bag
}

// entry makes an entry of a key, with the chain that is found for it. It adds the certificates of the chain to used.
func (h *heap) entry(b *pfx.Bag, used map[string]bool) Entry {
	e := Entry{Sealed: b.Sealed != nil, Plain: b.Plain, sealed: b.Sealed, id: b.KeyID, Created: created(b.KeyID)}
	e.noted[0] = b.Attributes
	if b.DER != nil {
		e.setKey(b.DER)
	}
	leaf := h.leaf(b, e.Public)
	if leaf == nil {
		return e
	}
	e.noted[1] = leaf.bag.Attributes
	for c := leaf.Certificate; ; {
		if len(e.Chain) == maxChain || slices.ContainsFunc(e.Chain, c.Equal) {
			break // the chain is a circle, or too long
		}
		e.Chain = append(e.Chain, c)
		used[string(c.DER)] = true
		next, ok := h.subjects[c.issuer]
		if c.SelfIssued() || !ok {
			break
		}
		c = next
	}
	return e
}

// leaf returns the key's own certificate, or nil: the one with its id, and if there are several, the one with its
// name. If the file has no ids, as is allowed with a single key, it is the one with its public key.
func (h *heap) leaf(b *pfx.Bag, public string) *heaped {
	if b.KeyID != nil {
		if at, ok := h.names[named(b)]; ok {
			return &h.certificates[at]
		}
		if at, ok := h.ids[string(b.KeyID)]; ok {
			return &h.certificates[at]
		}
	}
	if at, ok := h.publics[public]; ok && public != "" {
		return &h.certificates[at]
	}
	return nil
}

// created returns the time that Java stores in the id.
func created(id []byte) time.Time {
	if text, ok := strings.CutPrefix(string(id), "Time "); ok {
		if ms, err := strconv.ParseInt(text, 10, 64); err == nil {
			return likely(time.UnixMilli(ms))
		}
	}
	return time.Time{}
}

// likely returns t if it is plausible, else the zero time.
func likely(t time.Time) time.Time {
	if t = t.UTC(); t.Year() < 1970 || t.Year() > 9999 {
		return time.Time{}
	}
	return t
}

// dropDoubles keeps the last of several entries with the same alias, and sets Doubles.
func (s *Store) dropDoubles() {
	seen := map[string]int{}
	for i := range s.Entries {
		seen[fold(s.Entries[i].Alias)]++
	}
	for i := range s.Trusted {
		seen[fold(s.Trusted[i].Alias)]++
	}
	for alias, n := range seen {
		if n > 1 {
			s.Doubles = append(s.Doubles, alias)
		}
	}
	slices.Sort(s.Doubles)
	again := func(alias string) bool {
		seen[fold(alias)]--
		return seen[fold(alias)] > 0
	}
	s.Entries = slices.DeleteFunc(s.Entries, func(e Entry) bool { return again(e.Alias) })
	s.Trusted = slices.DeleteFunc(s.Trusted, func(t Trusted) bool { return again(t.Alias) })
}

// bags returns the bags that a Store is written as. now is the time at which new entries are made.
func (s *Store) bags(now time.Time) ([]pfx.Bag, error) {
	if len(s.Unknown) > 0 {
		return nil, fmt.Errorf("writing a keystore: %s cannot be kept", s.Unknown[0])
	}
	var out []pfx.Bag
	ids := map[string]bool{}
	for i := range s.Entries {
		ids[string(s.Entries[i].id)] = true
	}
	there := map[string]bool{}
	for i := range s.Entries {
		e := &s.Entries[i]
		id := e.id
		for at := now; id == nil; at = at.Add(time.Millisecond) { // no two keys may have the same
			if fresh := fmt.Sprintf("Time %d", at.UnixMilli()); !ids[fresh] {
				id, ids[fresh] = []byte(fresh), true
			}
		}
		out = append(out, pfx.Bag{Kind: pfx.Key, DER: e.key, Sealed: e.sealed, Name: e.Alias, Named: true, KeyID: id,
			Attributes: e.noted[0]})
		if len(e.Chain) > 0 {
			leaf := e.Chain[0].DER
			there[string(leaf)] = true
			out = append(out, pfx.Bag{Kind: pfx.Certificate, DER: leaf, Name: e.Alias, Named: true, KeyID: id,
				Attributes: e.noted[1]})
		}
	}
	for i := range s.Entries {
		for _, c := range s.Entries[i].Chain[min(1, len(s.Entries[i].Chain)):] {
			if !there[string(c.DER)] {
				there[string(c.DER)] = true
				out = append(out, pfx.Bag{Kind: pfx.Certificate, DER: c.DER})
			}
		}
	}
	for i := range s.Trusted {
		t := &s.Trusted[i]
		out = append(out, pfx.Bag{Kind: pfx.Certificate, DER: t.Certificate.DER, Name: t.Alias, Named: true,
			Trusted: true, Attributes: t.noted})
	}
	loose := s.loose
	if loose == nil { // the Store was read from JSON
		for _, t := range s.Loose {
			loose = append(loose, pfx.Bag{Kind: pfx.Certificate, DER: t.Certificate.DER, Name: t.Alias, Named: t.Alias != ""})
		}
	}
	return append(append(out, loose...), s.secrets...), nil
}

// asRead returns what Java will read from the keystore once it is written. In a PKCS#12 file a chain is continued by
// any certificate of the file that has the name of its last issuer.
func (s *Store) asRead(now time.Time) (*Store, error) {
	if s.Format == JKS {
		return s, nil
	}
	bags, err := s.bags(now)
	if err != nil {
		return nil, err
	}
	out, err := fromBags(&pfx.File{Bags: bags, MAC: true})
	if err != nil {
		return nil, err
	}
	for i := range out.Entries { // a Store that was read from JSON has no keys
		if e := s.Entry(out.Entries[i].Alias); e != nil {
			out.Entries[i].Public, out.Entries[i].Key = e.Public, e.Key
		}
	}
	return out, nil
}
