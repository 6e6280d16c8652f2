package syncinfo

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"math/bits"
)

// distinct shows that texts are all different, such as the keys of issues. Of those that begin like the first one, up
// to its last dash, the numbers after it are kept at one bit for each number in between, and of others, or if these lie
// too far apart, hashes.
type distinct struct {
	seed    maphash.Seed
	begun   bool
	prefix  []byte
	numbers numbers
	hashes  *hashes // nil if no memory may be taken for them
	doubt   bool    // two seem to be equal
}

// newDistinct returns an empty one for a file. Completing comments leaves no memory for hashes beside that of the set.
func (m *merge) newDistinct(of *side) distinct {
	d := distinct{seed: m.set.seed, numbers: newNumbers(sizeOf(of.info))}
	if !m.o.CompleteComments {
		d.hashes = &hashes{spare: &m.spare}
	}
	return d
}

func (d *distinct) add(text []byte) {
	if !d.begun {
		d.begun, d.prefix = true, bytes.Clone(text[:bytes.LastIndexByte(text, '-')+1])
	}
	if digits, in := bytes.CutPrefix(text, d.prefix); in {
		if n, ok := numberIn(digits); ok {
			if isNew, fits := d.numbers.add(n); fits {
				d.doubt = d.doubt || !isNew
				return
			}
		}
	}
	if d.hashes == nil {
		d.doubt = true
	} else if !d.doubt {
		d.hashes.add(maphash.Bytes(d.seed, text))
	}
}

// end reports whether all texts were different, and lets them go. If it returns false, nothing is known.
func (d *distinct) end() bool {
	ok := !d.doubt
	if d.hashes != nil {
		ok = d.hashes.end() && ok
	}
	*d = distinct{}
	return ok
}

// spare holds memory that one user has given back for the next one.
type spare struct{ chunks []*chunk }

func (s *spare) take() *chunk {
	if s == nil || len(s.chunks) == 0 {
		return new(chunk)
	}
	last := len(s.chunks) - 1
	c := s.chunks[last]
	s.chunks = s.chunks[:last]
	return c
}

// hashes holds random numbers of which 56 bits are looked at. Their first eight bits say in which list one is, the
// others take six bytes.
type hashes struct {
	spare  *spare
	chunks []*chunk
	blocks int // in use
	lists  [1 << 8]hashList
}

type hashList struct {
	blocks []uint32
	room   []byte // at the end of the last block
}

const (
	hashBytes   = 6
	hashBlock   = 1 << 10 // 170 hashes
	chunkBlocks = chunkLen * recordSize / hashBlock
)

func (h *hashes) block(n uint32) []byte {
	from := int(n%chunkBlocks) * hashBlock
	return h.chunks[n/chunkBlocks][from : from+hashBlock]
}

func (h *hashes) add(hash uint64) {
	l := &h.lists[hash>>56]
	if len(l.room) < hashBytes {
		if h.blocks%chunkBlocks == 0 {
			h.chunks = append(h.chunks, h.spare.take())
		}
		l.blocks, l.room = append(l.blocks, uint32(h.blocks)), h.block(uint32(h.blocks))
		h.blocks++
	}
	binary.LittleEndian.PutUint32(l.room, uint32(hash))
	binary.LittleEndian.PutUint16(l.room[4:], uint16(hash>>32))
	l.room = l.room[hashBytes:]
}

// end reports whether all were different, and gives the memory back.
func (h *hashes) end() bool {
	ok := true
	var table []uint64 // of one list: a hash and 1 stands at the place that its upper bits say, or at the next free one
	for i := range h.lists {
		l := &h.lists[i]
		if ok && len(l.blocks) > 0 {
			size := 2 * len(l.blocks) * (hashBlock / hashBytes)
			if size = 1 << bits.Len(uint(size)); size > cap(table) {
				table = make([]uint64, size)
			}
			table = table[:size]
			clear(table)
			ok = h.differ(l, table)
		}
	}
	h.spare.chunks = append(h.spare.chunks, h.chunks...)
	*h = hashes{spare: h.spare}
	return ok
}

// differ puts the hashes of a list into an empty table, and reports whether all are different.
func (h *hashes) differ(l *hashList, table []uint64) bool {
	shift := 8*hashBytes - bits.Len(uint(len(table)-1))
	for k, n := range l.blocks {
		block := h.block(n)
		if k == len(l.blocks)-1 {
			block = block[:hashBlock-len(l.room)]
		}
		for ; len(block) >= hashBytes; block = block[hashBytes:] {
			hash := uint64(binary.LittleEndian.Uint32(block)) | uint64(binary.LittleEndian.Uint16(block[4:]))<<32
			if !addTo(table, int(hash>>shift), hash+1) {
				return false
			}
		}
	}
	return true
}
