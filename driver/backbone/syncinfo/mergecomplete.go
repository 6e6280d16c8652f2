package syncinfo

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"hash/maphash"
	"slices"
)

// complete writes the entries of from. It fills in the missing halves of comment and attachment pairs from the mirror
// entries of other. Both have been read and checked before.
func (m *merge) complete(ctx context.Context, from, other *side) error {
	c := completer{seed: m.set.seed, write: m.out.write}
	return from.read(ctx, func(e *Entry) error {
		if e.HalfComments+e.HalfAttachments == 0 {
			return m.out.entry(e.Raw)
		}
		offset, ok := m.mirrorOf(from, e)
		if !ok {
			return m.out.entry(e.Raw)
		}
		again := other.rereader()
		again.s.keepPairs = true
		mirror, err := again.entryAt(offset)
		if err != nil {
			return err
		}
		if !bytes.Equal(mirror.LocalKey, e.RemoteKey) || !bytes.Equal(mirror.RemoteKey, e.LocalKey) {
			return changed(other.name)
		}
		if err := m.out.next(); err != nil {
			return err
		}
		start := int(e.Offset - from.reading.base)
		n, err := c.complete(&from.reading.s, span{start, start + len(e.Raw)}, &again.s)
		from.report.Completed += n
		return err
	})
}

// mirrorOf returns the offset of an entry's mirror in the other file.
func (m *merge) mirrorOf(from *side, e *Entry) (offset int64, ok bool) {
	local, remote := e.LocalKey, e.RemoteKey
	if from == m.move {
		local, remote = remote, local
	}
	lo, hi := m.set.find(m.set.hash(local, remote))
	for i := lo; i < hi; i++ {
		r := m.set.at(i)
		switch {
		case r.place()&matchedBit == 0:
		case from == m.stay && r.offset() == e.Offset:
			return r.mirror(), true
		case from == m.move && r.mirror() == e.Offset:
			return r.offset(), true
		}
	}
	return 0, false
}

// completer fills in missing halves. It reuses its buffers from entry to entry.
type completer struct {
	seed  maphash.Seed
	write func([]byte) error
	ids   []idPlace // sorted by key
	text  []byte    // the decoded text of an id with escapes
}

// idRole says where an id is.
type idRole uint64

const (
	mineLocal idRole = iota
	mineRemote
	itsRemote // the id of mineLocal in the mirror entry
	itsLocal
	roleBits = 2
)

// idPlace is one id of a list: 62 bits of the hash of its text, its role, and the offset of its {localId, remoteId}
// object.
type idPlace struct {
	key uint64
	at  int
}

// complete writes the entry at raw in mine's data, with the halves filled in that the mirror entry, which its has
// read last, knows. It returns their number. A half is filled in only if nothing can be mistaken: its id and the id
// to be filled in each occur once on the mirror's side, in one pair; its id occurs once in this entry, and the other
// one does not. Ids are compared by their text, whether written as a number or as a string.
func (c *completer) complete(mine *scanner, raw span, its *scanner) (n int, err error) {
	done := raw.from
	order := [2]int{0, 1}
	if len(mine.pairs[0]) > 0 && len(mine.pairs[1]) > 0 && mine.pairs[1][0] < mine.pairs[0][0] {
		order = [2]int{1, 0}
	}
	for _, list := range order {
		if len(mine.pairs[list]) == 0 || len(its.pairs[list]) == 0 {
			continue
		}
		c.ids = c.ids[:0]
		c.collect(mine, mine.pairs[list], mineLocal, mineRemote)
		c.collect(its, its.pairs[list], itsLocal, itsRemote)
		slices.SortFunc(c.ids, func(a, b idPlace) int { return cmp.Compare(a.key, b.key) })
		for _, at := range mine.pairs[list] {
			var p pairSpan
			mine.pair(at, &p)
			value, ok := c.other(mine, &p, its)
			if !ok {
				continue
			}
			if done, err = c.fill(mine, done, &p, value); err != nil {
				return n, err
			}
			n++
		}
	}
	return n, c.write(mine.b[done:raw.to])
}

// collect adds the ids of a list.
func (c *completer) collect(s *scanner, pairs []int, local, remote idRole) {
	c.ids = slices.Grow(c.ids, 2*len(pairs))
	for _, at := range pairs {
		var p pairSpan
		s.pair(at, &p)
		if p.local.to != 0 {
			c.ids = append(c.ids, idPlace{c.key(p.local.of(s.b)) | uint64(local), at})
		}
		if p.remote.to != 0 {
			c.ids = append(c.ids, idPlace{c.key(p.remote.of(s.b)) | uint64(remote), at})
		}
	}
}

// key hashes an id's text.
func (c *completer) key(value []byte) uint64 {
	if value[0] == '"' {
		if value = value[1 : len(value)-1]; bytes.IndexByte(value, '\\') >= 0 {
			c.text, _ = unescape(c.text[:0], value)
			value = c.text
		}
	}
	return maphash.Bytes(c.seed, value) << roleBits
}

// places returns how often an id occurs in a role, and where if it occurs once. n is 2 if it occurs more often than
// once.
func (c *completer) places(key uint64, r idRole) (at, n int) {
	i, _ := slices.BinarySearchFunc(c.ids, key|uint64(r), func(p idPlace, key uint64) int {
		return cmp.Compare(p.key, key)
	})
	if i == len(c.ids) || c.ids[i].key != key|uint64(r) {
		return 0, 0
	}
	if i+1 < len(c.ids) && c.ids[i+1].key == c.ids[i].key {
		return 0, 2 // or more
	}
	return c.ids[i].at, 1
}

// other returns the id that completes a half pair, as the mirror entry writes it.
func (c *completer) other(mine *scanner, p *pairSpan, its *scanner) (value []byte, ok bool) {
	if !p.half() || p.twice {
		return nil, false
	}
	have, here, there, want := p.local, mineLocal, itsRemote, itsLocal
	if p.local.to == 0 {
		have, here, there, want = p.remote, mineRemote, itsLocal, itsRemote
	}
	key := c.key(have.of(mine.b))
	if _, n := c.places(key, here); n != 1 {
		return nil, false
	}
	at, n := c.places(key, there)
	if n != 1 {
		return nil, false
	}
	var mirror pairSpan
	its.pair(at, &mirror)
	found := mirror.local
	if want == itsRemote {
		found = mirror.remote
	}
	if found.to == 0 || mirror.twice {
		return nil, false
	}
	value = found.of(its.b)
	key = c.key(value)
	if _, n := c.places(key, want); n != 1 {
		return nil, false
	}
	_, n = c.places(key, mineLocal+mineRemote-here)
	return value, n == 0
}

// fill writes the data from done up to the missing half, and the half. It returns the new value of done.
func (c *completer) fill(mine *scanner, done int, p *pairSpan, value []byte) (int, error) {
	null, name := p.remoteNull, `"remoteId"`
	if p.local.to == 0 {
		null, name = p.localNull, `"localId"`
	}
	if null.to != 0 {
		return null.to, errors.Join(c.write(mine.b[done:null.from]), c.write(value))
	}
	// Written like the existing member: same line breaks and blanks.
	c.text = append(append(append(append(c.text[:0], ','), p.gap.of(mine.b)...), name...), p.colon.of(mine.b)...)
	return p.last, errors.Join(c.write(mine.b[done:p.last]), c.write(c.text), c.write(value))
}
