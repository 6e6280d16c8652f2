package syncinfo

import (
	"bytes"
	"context"
	"fmt"
	"hash/maphash"
	"math/bits"
	"slices"
)

// repeat is an entry with something that only one entry may have, and that an earlier one already has.
type repeat struct {
	at, first int64  // offsets
	in        *side  // the side whose file has the first one
	what      string // what is repeated, if the keys do not show it
}

// repeats collects repeated entries, and keeps the first ten in the order of the file.
type repeats struct {
	count int
	first lowest[repeat]
}

func (r *repeats) add(one repeat) {
	r.count++
	r.first.add(one.at, one)
}

// finding makes a finding of the repeats, if there are any. text describes the two places.
func (r *repeats) finding(s *side, rule Rule, message string, text func(one repeat, here, first Example) string) {
	if r.count == 0 {
		return
	}
	t := tally{count: r.count}
	for _, one := range r.first.sorted() {
		here := s.places[one.at]
		here.Text = text(one, here, one.in.places[one.first])
		t.examples = append(t.examples, here)
	}
	s.m.found(t.finding(rule, fmt.Sprintf("%s has %s %s", s.name, entries(r.count), message)))
}

// addRepeated adds entries whose pair the file has already: count to the number, first to the examples.
func (s *side) addRepeated(first []Duplicate, count int) {
	s.repeated.count += count
	for _, d := range first {
		s.repeated.first.add(d.Offset, repeat{at: d.Offset, first: d.First, in: s})
	}
}

// checkRepeated makes findings of everything that is repeated.
func (s *side) checkRepeated() {
	s.repeated.finding(s, Doubled, "of a pair that it has already; remove the wrong entry",
		func(_ repeat, here, first Example) string { return here.Text + ", first at " + first.Where })
	for _, c := range []struct {
		cases  *repeats
		member string
	}{{&s.sharedLocal, memberNames[localKey]}, {&s.sharedRemote, memberNames[remoteKey]}} {
		c.cases.finding(s, SharedIssue, "whose "+c.member+" is in a different pair already, but an issue has one "+
			"partner; find out which pair is right, and remove the other one from both files",
			func(_ repeat, here, first Example) string {
				return here.Text + ", but " + first.Text + " at " + first.Where
			})
	}
	s.repeatedID.finding(s, RepeatedID, "whose id another one has already; download the file again",
		func(one repeat, here, first Example) string {
			return here.Text + " has id " + one.what + ", as has " + first.Text + " at " + first.Where
		})
	for _, c := range []struct {
		cases *tally
		rule  Rule
		what  string
	}{{&s.comments, RepeatedComment, "a comment"}, {&s.attachments, RepeatedAttachment, "an attachment"}} {
		if c.cases.count > 0 {
			s.m.found(c.cases.finding(c.rule, fmt.Sprintf("%s has %s with %s's id twice, but %s has one partner; "+
				"download the file again", s.name, entries(c.cases.count), c.what, c.what)))
		}
	}
}

// connectorSeen records to which connector the entries of a file belong.
type connectorSeen struct {
	key      []byte // of the first entry that names its connector
	at       string // position of that entry
	other    string // the first different one
	others   tally
	nameless tally // entries that name no connector
}

func (c *connectorSeen) add(file string, e *Entry) {
	switch {
	case len(e.ConnectorKey) == 0:
		c.nameless.add(file, e, func() string { return pairName(e.LocalKey, e.RemoteKey) })
	case c.key == nil:
		c.key, c.at = bytes.Clone(e.ConnectorKey), e.Where(file)
	case !bytes.Equal(c.key, e.ConnectorKey):
		if c.others.count == 0 {
			c.other = clip(string(e.ConnectorKey))
		}
		c.others.add(file, e, func() string {
			return pairName(e.LocalKey, e.RemoteKey) + " is of connector " + clip(string(e.ConnectorKey))
		})
	}
}

// checkConnector makes findings of entries that belong, or may belong, to another connector than the rest of the
// file. If no entry names its connector, nothing can be checked.
func (s *side) checkConnector() {
	c := &s.connector
	if c.key == nil {
		return
	}
	key := clip(string(c.key))
	if n := c.others.count; n > 0 {
		s.m.found(c.others.finding(Connectors, fmt.Sprintf("%s has entries of two connectors or more: %s (first at %s) "+
			"and %s; give the file of one synchronization as it was downloaded", s.name, key, c.at, c.other)))
	}
	if n := c.nameless.count; n > 0 {
		s.m.found(c.nameless.finding(Connectors, fmt.Sprintf("%s has %s without a connectorKey, while others are of "+
			"connector %s: whether the file is of one connector is unknown; give it as it was downloaded", s.name,
			entries(n), key)))
	}
}

// idsSeen records the ids of a file's entries. As long as they ascend, no two are equal.
type idsSeen struct {
	n          int
	last       []byte
	unordered  bool
	all        distinct
	repeated   bool   // two of them seem to be equal
	perReading int    // about how many are compared at a time; 0 for the default
	weaken     uint64 // bits of the hash that tests clear to get collisions
}

func (i *idsSeen) add(id []byte) {
	if len(id) == 0 {
		return
	}
	i.n++
	if i.unordered = i.unordered || !ascends(i.last, id); !i.unordered {
		i.last = append(i.last[:0], id...)
	}
	i.all.add(id)
}

// leastIDs is the minimum number of ids, 8 bytes each, that are compared at a time. For large files it is a quarter
// of them.
const leastIDs = 1 << 20

// findRepeatedIDs finds entries with the same id. If there may be some, it reads the file several times, to use no more
// than two bytes of memory per pair: each time it compares the ids whose hashes are in one part of the
// range. The list holds 26 bits of the hash and the offset. If those bits are equal, the ids themselves are compared.
func (s *side) findRepeatedIDs(ctx context.Context) error {
	if !s.ids.repeated {
		return nil
	}
	most := s.ids.perReading
	if most == 0 {
		most = max(leastIDs, s.ids.n/4+1)
	}
	parts := uint64((s.ids.n + most - 1) / most)
	list := s.m.idList
	if expected := s.ids.n/int(parts) + s.ids.n/int(parts)/64 + 64; cap(list) < expected {
		list = make([]uint64, 0, expected)
	}
	for part := range parts {
		list = list[:0]
		err := s.read(ctx, func(e *Entry) error {
			if len(e.ID) > 0 {
				hash := maphash.Bytes(s.m.set.seed, e.ID) &^ s.ids.weaken
				if in, rest := bits.Mul64(hash, parts); in == part {
					list = append(list, rest&^maxOffset|uint64(e.Offset))
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		slices.Sort(list)
		if err := s.compareIDs(ctx, list); err != nil {
			return err
		}
	}
	s.m.idList = list
	return nil
}

// compareIDs compares the ids of those entries in a sorted list that have the same hash in it.
func (s *side) compareIDs(ctx context.Context, list []uint64) error {
	seen := map[string]int64{}
	for len(list) > 0 {
		n := 1
		for n < len(list) && list[n]>>offsetBits == list[0]>>offsetBits {
			n++
		}
		same := list[:n]
		list = list[n:]
		if n == 1 {
			continue
		}
		clear(seen)
		for _, one := range same {
			if err := context.Cause(ctx); err != nil {
				return err
			}
			at := int64(one & maxOffset)
			e, err := s.rereader().entryAt(at)
			if err != nil {
				return err
			}
			if first, again := seen[string(e.ID)]; again {
				s.repeatedID.add(repeat{at: at, first: first, in: s, what: clip(string(e.ID))})
			} else {
				seen[string(e.ID)] = at
			}
		}
	}
	return nil
}
