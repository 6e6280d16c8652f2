package syncinfo

import (
	"bytes"
	"math/bits"
	"math/rand/v2"
	"slices"
)

// ascends reports whether b comes after a in the order of numbers: longer texts come after shorter ones. A sequence
// of texts that ascend has no duplicates.
func ascends(a, b []byte) bool {
	return len(a) < len(b) || len(a) == len(b) && bytes.Compare(a, b) < 0
}

// pairOrder records whether the ids of a list of comments or attachments ascend, as far as it has been read.
type pairOrder struct {
	last   [2][]byte // localId, remoteId
	order  [2]uint64 // of them, or 0: see orderOf
	broken bool      // they do not, or it would be costly to tell
}

func (o *pairOrder) add(b []byte, p *pairSpan) {
	if o.broken {
		return
	}
	o.broken = p.twice
	for i, id := range [2]span{p.local, p.remote} {
		if id.to == 0 {
			continue
		}
		if last := o.order[i]; last != 0 && p.order[i] != 0 {
			o.broken = o.broken || p.order[i] <= last
			o.last[i] = b[id.from+1 : id.to-1]
		} else {
			text, escaped := idText(id.of(b))
			o.broken = o.broken || escaped || o.last[i] != nil && !ascends(o.last[i], text)
			o.last[i] = text
		}
		o.order[i] = p.order[i]
	}
}

// idText returns an id without its quotes, and whether it has escapes. It does not matter whether an id is written as
// a number or as a string.
func idText(value []byte) (text []byte, escaped bool) {
	if value[0] != '"' {
		return value, false
	}
	value = value[1 : len(value)-1]
	return value, bytes.IndexByte(value, '\\') >= 0
}

// allDiffer reports whether all ids of the objects at the places are short numbers, no two of which are equal. It puts
// them into two tables that are at most two thirds full.
func (s *scanner) allDiffer(places []int) bool {
	size := 1 << bits.Len(uint(3*len(places)/2))
	if 2*size > cap(s.table) {
		s.table, s.spread = make([]uint64, 2*size), rand.Uint64()|1
	}
	clear(s.table[:2*size])
	tables := [2][]uint64{s.table[:size], s.table[size : 2*size]}
	shift := 64 - bits.Len(uint(size-1))
	for _, at := range places {
		var p pairSpan
		if s.likePair(at, &p) < 0 {
			s.pair(at, &p)
		}
		if p.twice {
			return false
		}
		for i, id := range [2]span{p.local, p.remote} {
			if id.to == 0 {
				continue
			}
			number := p.order[i]
			if number == 0 {
				number = packNumber(s.b, id)
			}
			if number == 0 || !addTo(tables[i], int(number*s.spread>>shift), number) {
				return false
			}
		}
	}
	return true
}

// mostDigits is how long a number may be to be packed into 60 bits: its digits' value and their number.
const mostDigits = 15

// packNumber returns another value for each number, whether it is a text or not, and 0 for what is not a short one.
func packNumber(b []byte, id span) (packed uint64) {
	if b[id.from] == '"' {
		id = span{id.from + 1, id.to - 1}
	}
	n := id.to - id.from
	switch {
	case n > mostDigits || digits(b, id.from) != id.to:
		return 0
	case n <= 8:
		return orderOf(b, id.from, id.to) // which has more than 60 bits
	}
	for _, c := range id.of(b) {
		packed = packed*10 + uint64(c-'0')
	}
	return packed | uint64(n)<<56
}

// addTo adds a number, which is not 0, to a table, at a place or the next free one, unless it is there already.
func addTo(table []uint64, at int, number uint64) (isNew bool) {
	for table[at] != 0 {
		if table[at] == number {
			return false
		}
		at = (at + 1) & (len(table) - 1)
	}
	table[at] = number
	return true
}

// repeatedID names an id that two of the objects at the places share, as "localId 10019 twice", or returns "" if
// there is none.
func (s *scanner) repeatedID(places []int) string {
	if s.allDiffer(places) {
		return ""
	}
	texts := [2][][]byte{make([][]byte, 0, len(places)), make([][]byte, 0, len(places))}
	for _, at := range places {
		var p pairSpan
		s.pair(at, &p)
		if p.twice {
			return "localId or remoteId twice in one object"
		}
		for i, id := range [2]span{p.local, p.remote} {
			if id.to == 0 {
				continue
			}
			text, escaped := idText(id.of(s.b))
			if escaped {
				text, _ = unescape(nil, text)
			}
			texts[i] = append(texts[i], text)
		}
	}
	for i, name := range [2]string{"localId", "remoteId"} {
		slices.SortFunc(texts[i], bytes.Compare)
		for k := 1; k < len(texts[i]); k++ {
			if bytes.Equal(texts[i][k-1], texts[i][k]) {
				return name + " " + clip(string(texts[i][k])) + " twice"
			}
		}
	}
	return ""
}
