package redact

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"math/bits"
)

const (
	mostDeep    = 4 // encodings inside each other
	mostEscapes = 8 // how often escapes are decoded again
)

// mostWork is how many bytes are looked at for a text of so many: time stays in proportion to it, whatever is written
// there to take long. That is enough unless the text is made to decode to ever more. If it is not, the whole text is
// taken out.
func mostWork(length int) int { return 1<<20 + 256*length }

// mostCompared is how many bytes of a text of so many are compared with secrets. That is enough unless the text is
// made to look like the secrets everywhere. If it is not, the whole text is taken out.
func mostCompared(length int) int { return 8<<20 + 256*length }

// finder finds the secrets of a set in one text.
type finder struct {
	set     *Set
	text    string
	spans   []Span
	seen    map[uint64]int // layers that were looked through, by their sums: how deep
	work    int            // bytes that may still be looked at; below 0: secrets may be left
	compare int            // bytes that may still be compared; below 0: the same
	room    []byte         // for what is decoded
	words   []int32        // room for where words begin
	list    layer          // room for a list of numbers
}

var (
	seed = maphash.MakeSeed()
	key  = maphash.String(seed, "origins") | 1
)

// sum is the hash of a layer: of its bytes, and of where they come from. The same secret may stand in a text in two
// encodings, which decode to the same.
func (l *layer) sum() uint64 {
	sum := maphash.Bytes(seed, l.b)
	for _, at := range l.origin {
		high, low := bits.Mul64(sum^uint64(uint32(at.from))<<32^uint64(uint32(at.to)), key) // #nosec G115 -- bits
		sum = high ^ low
	}
	return sum
}

// find looks through a text and everything that it decodes to.
func (f *finder) find(text *layer) {
	for range mostEscapes + 1 {
		if text == nil {
			return
		}
		f.look(text, mostDeep+1)
		text = text.unescape(allEscapes)
	}
}

// look notes the secrets in a layer, and in what it decodes to, so deep.
func (f *finder) look(l *layer, deep int) {
	if f.work -= len(l.b); f.work < 0 || len(l.b) < MinLength {
		return
	}
	sum := l.sum()
	before := f.seen[sum]
	if before >= deep {
		return
	}
	f.seen[sum] = deep
	l.cuts = bytes.Contains(l.b, []byte(cutOff))
	if before == 0 {
		f.match(l)
		if l.cuts {
			f.matchCut(l)
		}
	}
	if deep > 1 && f.compare >= 0 {
		f.decode(l, deep-1)
	}
}

// decode looks through what a layer decodes to.
func (f *finder) decode(l *layer, deep int) {
	joined := l.joined
	try := func(next *layer) {
		if next != nil {
			next.joined = next.joined || joined && !next.binary
			f.look(next, deep)
		}
	}
	for at, zero := range l.zeros() {
		if zero {
			try(l.wide(1-at, binary.LittleEndian))
			try(l.wide(at, binary.BigEndian))
		}
	}
	if l.binary {
		if l = l.text(); l == nil {
			return
		}
	}
	has := l.escapes()
	for _, kind := range []escapes{percent, backslash, entity} {
		if has&kind != 0 {
			try(l.unescape(kind))
		}
	}
	if has&plus != 0 {
		try(l.unescape(percent | plus))
	}
	if has&(has-1)&allEscapes != 0 { // more than one kind
		try(l.unescape(allEscapes))
	}
	in64 := l.runs(&digits64, minEncoded)
	for begin := range 4 {
		try(l.base64(in64, begin, &f.room, f.set.mayHold))
	}
	in16 := l.runs16(in64)
	for begin := range 2 {
		try(l.hex(in16, begin))
	}
	f.words = l.words(f.words[:0])
	inTen, inSixteen := l.numbers(10, f.words, &f.list), l.numbers(16, f.words, &f.list)
	try(inTen) // which has words of its own
	try(inSixteen)
	try(l.unwrap())
}
