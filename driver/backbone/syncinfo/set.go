package syncinfo

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"math"
	"math/bits"
)

// Set remembers pairs in at most 24 bytes each, so that files of gigabytes can be compared.
//
// A pair is a record of 21 bytes:
//
//	 0..7   64-bit hash of the two keys (hash/maphash, with a new seed for each Set: no file can provoke collisions)
//	 8..12  38 bits: offset of the entry in its file (256 GiB); 1 bit: met on the other side; 1 bit: a duplicate
//	13..20  32 bits each: outgoing and incoming message sequence id; once the pair is met, the other entry's offset
//
// Records are appended to chunks of 8192 (168 KiB), which never move, so growing copies nothing and leaves no
// garbage. Seal sorts them in place by hash and adds a directory of at most one byte per pair. The rest is constant:
// one chunk that is not yet full. (A pair with a sequence id beyond 4 billion, which no issue reaches, takes 16 bytes
// more.)
//
// Two different pairs have the same hash with a probability of 1 in 2^64. If the source can be read again (see
// rereader), suspected duplicates are confirmed by comparing their keys. A set by key can find the pairs that share
// an issue (see sharedKeys). In such a set, two pairs that share an issue have the same hash with a probability of 1
// in 2^32.
type Set struct {
	seed      maphash.Seed
	byKey     bool   // the upper half of the hash is that of the local key, the lower half that of the remote key
	weaken    uint64 // bits of the hash that tests clear to get collisions
	chunks    []*chunk
	spare     *spare       // chunks to be used first; may be nil
	n         int          // records that can be found; once sealed, the duplicates follow them
	wide      []*wideChunk // ids that do not fit into a record
	nWide     int
	sealed    bool
	dir       []uint32 // dir[k]: index of the first record whose hash>>shift is >= k
	shift     uint
	matched   int
	doubled   int // duplicates
	confirmed *rereader
}

// Duplicate is an entry that repeats the pair of an earlier entry of the same set.
type Duplicate struct{ Offset, First int64 }

const (
	recordSize  = 21
	chunkLen    = 1 << 13
	offsetBits  = 38
	maxOffset   = 1<<offsetBits - 1
	matchedBit  = 1 << offsetBits
	doubledBit  = 1 << (offsetBits + 1)
	placeMask   = 1<<40 - 1
	seqAbsent   = 0
	wideOut     = 1  // in out, if one of the ids does not fit: there is an outgoing id
	wideIn      = 2  // likewise: there is an incoming id; in holds an index into wide
	seqBias     = 16 // room for the values above and for small negative numbers
	maxPairs    = 1<<32 - 1
	bucketPairs = 8 // records per directory entry, about
)

type record [recordSize]byte

type chunk [chunkLen * recordSize]byte

// wideChunk holds pairs of ids that do not fit into records.
type wideChunk [1 << 10]struct{ out, in int64 }

func (r *record) hash() uint64  { return binary.LittleEndian.Uint64(r[0:8]) }
func (r *record) place() uint64 { return binary.LittleEndian.Uint64(r[8:16]) & placeMask }
func (r *record) offset() int64 { return int64(r.place() & maxOffset) }

func (r *record) mark(bit uint64) { r[12] |= byte(bit >> 32) }

func (r *record) set(hash uint64, offset int64, out, in uint32) {
	binary.LittleEndian.PutUint64(r[0:8], hash)
	binary.LittleEndian.PutUint64(r[8:16], uint64(offset)) // the upper bytes are overwritten below
	binary.LittleEndian.PutUint32(r[13:17], out)
	binary.LittleEndian.PutUint32(r[17:21], in)
}

func (r *record) sequence() (out, in uint32) {
	return binary.LittleEndian.Uint32(r[13:17]), binary.LittleEndian.Uint32(r[17:21])
}

// mirror returns the offset of the entry that met this one. It is stored in place of the sequence ids.
func (r *record) mirror() int64 { return int64(binary.LittleEndian.Uint64(r[13:21])) }

func (r *record) setMirror(offset int64) { binary.LittleEndian.PutUint64(r[13:21], uint64(offset)) }

// NewSet returns an empty set.
func NewSet() *Set { return &Set{seed: maphash.MakeSeed()} }

func (s *Set) at(i int) *record {
	return (*record)(s.chunks[i/chunkLen][i%chunkLen*recordSize:])
}

func (s *Set) hash(local, remote []byte) uint64 {
	// The two hashes are combined asymmetrically, so that a pair and its mirror have different hashes.
	l, r := maphash.Bytes(s.seed, local), maphash.Bytes(s.seed, remote)
	if s.byKey {
		return (l>>32<<32 | r>>32) &^ s.weaken
	}
	hi, lo := bits.Mul64(l^bits.RotateLeft64(r, 29), 0x9e3779b97f4a7c15)
	return (hi ^ lo ^ r) &^ s.weaken
}

// Len returns the number of entries that have been added, duplicates included.
func (s *Set) Len() int { return s.n + s.doubled }

// Pairs returns the number of different pairs. Seal must be called first.
func (s *Set) Pairs() int { return s.n }

// Unmatched returns the number of different pairs that have not been matched yet. Seal must be called first.
func (s *Set) Unmatched() int { return s.n - s.matched }

// Add adds an entry's pair to the set. It keeps no reference to e. After Seal nothing can be added.
func (s *Set) Add(e *Entry) error {
	switch {
	case s.sealed:
		return errors.New("adding to a sealed set of pairs")
	case e.Offset > maxOffset:
		return fmt.Errorf("a file of more than %d GiB cannot be checked; split the synchronization", (maxOffset+1)>>30)
	case s.n == maxPairs:
		return fmt.Errorf("more than %d pairs cannot be checked; split the synchronization", s.n)
	}
	if s.n%chunkLen == 0 {
		s.chunks = append(s.chunks, s.spare.take())
	}
	out, in := s.pack(e.Sequence)
	s.n++
	s.at(s.n-1).set(s.hash(e.LocalKey, e.RemoteKey), e.Offset, out, in)
	return nil
}

// pack returns the sequence ids in the form that a record holds.
func (s *Set) pack(q Sequence) (out, in uint32) {
	out, outFits := packOne(q.Outgoing, q.HasOutgoing)
	in, inFits := packOne(q.Incoming, q.HasIncoming)
	if outFits && inFits {
		return out, in
	}
	out = 0
	if q.HasOutgoing {
		out |= wideOut
	}
	if q.HasIncoming {
		out |= wideIn
	}
	i := s.nWide % len(wideChunk{})
	if i == 0 {
		s.wide = append(s.wide, new(wideChunk))
	}
	s.wide[len(s.wide)-1][i].out, s.wide[len(s.wide)-1][i].in = q.Outgoing, q.Incoming
	s.nWide++
	return out, uint32(s.nWide - 1)
}

func packOne(v int64, has bool) (packed uint32, fits bool) {
	switch {
	case !has:
		return seqAbsent, true
	case v <= wideOut+wideIn-seqBias || v > math.MaxUint32-seqBias:
		return 0, false
	}
	return uint32(v + seqBias), true
}

func (s *Set) sequenceOf(r *record) Sequence {
	out, in := r.sequence()
	var q Sequence
	if 0 < out && out <= wideOut+wideIn {
		w := s.wide[int(in)/len(wideChunk{})][int(in)%len(wideChunk{})]
		return Sequence{w.out, w.in, out&wideOut != 0, out&wideIn != 0}
	}
	if q.HasOutgoing = out != seqAbsent; q.HasOutgoing {
		q.Outgoing = int64(out) - seqBias
	}
	if q.HasIncoming = in != seqAbsent; q.HasIncoming {
		q.Incoming = int64(in) - seqBias
	}
	return q
}

// Seal makes the set ready to be searched; nothing can be added afterwards. Every later entry of the same pair is a
// duplicate. Seal returns the first ten duplicates in the order of the file, and their number. A second call returns
// only the number.
func (s *Set) Seal() (first []Duplicate, count int, err error) {
	if s.sealed {
		return nil, s.doubled, nil
	}
	s.sealed = true
	s.sort(0, s.n, 56)
	if first, err = s.findDuplicates(); err != nil {
		return nil, 0, err
	}
	s.setAside()
	s.index()
	return first, s.doubled, nil
}

// setAside moves the duplicates behind the records that can be found. Then repeating a pair does not make it slower
// to find.
func (s *Set) setAside() {
	if s.doubled == 0 {
		return
	}
	n := 0
	for i := range s.n {
		if r := s.at(i); r.place()&doubledBit == 0 {
			if to := s.at(n); to != r {
				*to, *r = *r, *to
			}
			n++
		}
	}
	s.n = n
}

// duplicates calls do for every entry that repeats an earlier pair. Seal must be called first.
func (s *Set) duplicates(do func(r *record) error) error {
	for i := range s.doubled {
		if err := do(s.at(s.n + i)); err != nil {
			return err
		}
	}
	return nil
}

// index builds the directory.
func (s *Set) index() {
	k := max(bits.Len(uint(s.n/bucketPairs)), 1)
	s.shift = uint(64 - k)
	s.dir = make([]uint32, 1<<k+1)
	next := 0
	for i := range s.n {
		for top := int(s.at(i).hash() >> s.shift); next <= top; next++ {
			s.dir[next] = uint32(i)
		}
	}
	for ; next < len(s.dir); next++ {
		s.dir[next] = uint32(s.n)
	}
}

// find returns the records [lo, hi) that have the hash.
func (s *Set) find(hash uint64) (lo, hi int) {
	if s.n == 0 {
		return 0, 0
	}
	top := hash >> s.shift
	lo, end := int(s.dir[top]), int(s.dir[top+1])
	for end-lo > 24 { // avoids walking through many equal hashes, of a hostile file or of a test
		if mid := int(uint(lo+end) / 2); s.at(mid).hash() < hash {
			lo = mid + 1
		} else {
			end = mid
		}
	}
	for lo < s.n && s.at(lo).hash() < hash {
		lo++
	}
	for hi = lo; hi < s.n && s.at(hi).hash() == hash; hi++ {
	}
	return lo, hi
}
