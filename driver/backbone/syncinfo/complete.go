package syncinfo

import (
	"bytes"
	"context"
)

// complete writes the entries of from, with the missing half of comment and attachment pairs filled in from the mirror
// entries of other. Both have been read and checked before.
func (m *merge) complete(ctx context.Context, from, other *side) error {
	var c completer
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
			return changed(other.name())
		}
		raw, n := c.complete(e.Raw, from.reading.entryPairs(), mirror.Raw, again.s.pairs)
		from.report.Completed += n
		return m.out.entry(raw)
	})
}

// mirrorOf gives the offset of an entry's mirror in the other file.
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

// completer fills halves in. It keeps its buffers from entry to entry.
type completer struct {
	out []byte
	ids map[idKey]idPair
}

// idKey is an id that both sides know: this side's half, as the mirror entry writes it.
type idKey struct {
	list   member
	remote bool // the mirror's remoteId (our localId), or its localId (our remoteId)
	id     string
}

type idPair struct {
	value     span
	ambiguous bool
}

// complete returns raw with the halves that the mirror entry knows filled in, and how many. Ids are compared as they are
// written: Backbone writes them as strings of digits. Where the mirror has one id in two pairs, nothing is filled in.
func (c *completer) complete(raw []byte, mine []pairSpan, mirror []byte, its []pairSpan) ([]byte, int) {
	if c.ids == nil {
		c.ids = map[idKey]idPair{}
	}
	clear(c.ids)
	for _, p := range its {
		if p.local.to == 0 || p.remote.to == 0 {
			continue
		}
		for _, k := range [...]struct {
			key   idKey
			value span
		}{
			{idKey{p.list, true, string(p.remote.of(mirror))}, p.local},
			{idKey{p.list, false, string(p.local.of(mirror))}, p.remote},
		} {
			_, twice := c.ids[k.key]
			c.ids[k.key] = idPair{k.value, twice}
		}
	}
	if len(c.ids) == 0 {
		return raw, 0
	}
	c.out = c.out[:0]
	n, done := 0, 0
	for i := range mine {
		p := &mine[i]
		if !p.half() {
			continue
		}
		have, null, name := p.local, p.remoteNull, `"remoteId"`
		if p.local.to == 0 {
			have, null, name = p.remote, p.localNull, `"localId"`
		}
		hit, ok := c.ids[idKey{p.list, p.local.to != 0, string(have.of(raw))}]
		if !ok || hit.ambiguous {
			continue
		}
		if null.to != 0 {
			c.out = append(append(c.out, raw[done:null.from]...), hit.value.of(mirror)...)
			done = null.to
		} else {
			// Written like the member that is there: same line breaks and blanks.
			c.out = append(append(c.out, raw[done:p.last]...), ',')
			c.out = append(append(append(c.out, p.gap.of(raw)...), name...), p.colon.of(raw)...)
			c.out = append(c.out, hit.value.of(mirror)...)
			done = p.last
		}
		n++
	}
	if n == 0 {
		return raw, 0
	}
	c.out = append(c.out, raw[done:]...)
	return c.out, n
}
