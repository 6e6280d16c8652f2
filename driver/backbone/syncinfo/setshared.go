package syncinfo

import (
	"encoding/binary"
	"math/bits"
	"sort"
)

// turn sorts the records of a set by key by their remote keys; the second call sorts them by their local keys again.
// While a set is turned, no pair can be found in it.
func (s *Set) turn() {
	for i := range s.n {
		r := s.at(i)
		binary.LittleEndian.PutUint64(r[0:8], bits.RotateLeft64(r.hash(), 32))
	}
	s.sort(0, s.n, 56)
}

// sharedKeys calls do for the records of a and b that seem to share the key by which their set is sorted, because
// that half of their hashes is equal. The two runs together have at least two records, each in the order of their
// offsets.
func sharedKeys(a, b *Set, do func(ofA, ofB run) error) error {
	ofA, ofB := run{s: a}, run{s: b}
	for {
		half := min(ofA.next(), ofB.next())
		if half == pastEnd {
			return nil
		}
		ofA.take(half)
		ofB.take(half)
		if ofA.n+ofB.n < 2 {
			continue
		}
		ofA.inOrder()
		ofB.inOrder()
		if err := do(ofA, ofB); err != nil {
			return err
		}
	}
}

// run is a range of n records of a set.
type run struct {
	s       *Set
	from, n int
}

const pastEnd = 1 << 32 // greater than any half of a hash

// next returns the upper half of the hash of the record after the run.
func (r *run) next() uint64 {
	if r.from+r.n == r.s.n {
		return pastEnd
	}
	return r.s.at(r.from+r.n).hash() >> 32
}

// take moves the run forward to the following records with that half.
func (r *run) take(half uint64) {
	r.from, r.n = r.from+r.n, 0
	for r.next() == half {
		r.n++
	}
}

// inOrder sorts the run by offset.
func (r *run) inOrder() {
	if r.n > 1 {
		sort.Sort(byOffset{r.s, r.from, r.n})
	}
}
