package syncinfo

import (
	"bytes"
	"errors"
	"sort"
)

// examples is the number of cases of one kind that are named; the rest are only counted.
const examples = 10

// Outcome says what a set knows about a pair.
type Outcome uint8

// The outcomes.
const (
	Missing Outcome = iota // the pair is not in the set
	Matched                // it is, and was met for the first time
	Again                  // it was met before: the side that asks has it twice
)

// Match is the answer of a set to one entry.
type Match struct {
	Outcome  Outcome
	Offset   int64    // offset of the set's entry, unless Missing
	Earlier  int64    // with Again: the offset of the entry that met the pair first
	Sequence Sequence // the set's entry's message counters; with Again only if the source can be read again
}

// Match looks up the same pair, and marks it as met. Seal must be called first.
func (s *Set) Match(e *Entry) (Match, error) {
	return s.match(e.LocalKey, e.RemoteKey, e.Offset)
}

// MatchMirror looks up the pair as the other end of the synchronization has it, with local and remote key exchanged,
// and marks it as met. Seal must be called first.
func (s *Set) MatchMirror(e *Entry) (Match, error) {
	return s.match(e.RemoteKey, e.LocalKey, e.Offset)
}

func (s *Set) match(local, remote []byte, offset int64) (Match, error) {
	r, seen, err := s.lookup(local, remote)
	if r == nil || err != nil {
		return Match{}, err
	}
	if r.place()&matchedBit != 0 {
		return Match{Outcome: Again, Offset: r.offset(), Earlier: r.mirror(), Sequence: seen}, nil
	}
	m := Match{Outcome: Matched, Offset: r.offset(), Sequence: s.sequenceOf(r)}
	if offset > maxOffset {
		return m, errors.New("the file is too large to be checked; split the synchronization")
	}
	r.mark(matchedBit)
	r.setMirror(offset)
	s.matched++
	return m, nil
}

// lookup finds the record of a pair. If only one record has the hash and it was not met before, the hash alone
// decides. In any other case the keys are compared, if the source can be read again, and the counters that were read
// are returned.
func (s *Set) lookup(local, remote []byte) (*record, Sequence, error) {
	if !s.sealed {
		return nil, Sequence{}, errors.New("asking a set of pairs that is not sealed")
	}
	lo, hi := s.find(s.hash(local, remote))
	if hi-lo == 0 {
		return nil, Sequence{}, nil
	}
	if r := s.at(lo); s.confirmed == nil || hi-lo == 1 && r.place()&matchedBit == 0 {
		return r, Sequence{}, nil
	}
	for i := lo; i < hi; i++ {
		r := s.at(i)
		e, err := s.confirmed.entryAt(r.offset())
		if err != nil {
			return nil, Sequence{}, err
		}
		if bytes.Equal(e.LocalKey, local) && bytes.Equal(e.RemoteKey, remote) {
			return r, e.Sequence, nil
		}
	}
	return nil, Sequence{}, nil
}

// has reports whether a pair is in the set, by its hash alone. It marks nothing.
func (s *Set) has(local, remote []byte) bool {
	lo, hi := s.find(s.hash(local, remote))
	return hi > lo
}

// findDuplicates marks every record but the first of each pair, and returns the first ten in the order of the file.
func (s *Set) findDuplicates() ([]Duplicate, error) {
	var first lowest[Duplicate]
	for lo := 0; lo < s.n; {
		hi, hash := lo+1, s.at(lo).hash()
		for hi < s.n && s.at(hi).hash() == hash {
			hi++
		}
		if hi > lo+1 {
			if err := s.markDuplicates(lo, hi, &first); err != nil {
				return nil, err
			}
		}
		lo = hi
	}
	return first.sorted(), nil
}

// markDuplicates marks the duplicates among the records [lo, hi), whose hashes are equal.
func (s *Set) markDuplicates(lo, hi int, first *lowest[Duplicate]) error {
	var local, remote []byte
	for i := lo; i < hi; i++ {
		one := s.at(i)
		if one.place()&doubledBit != 0 {
			continue
		}
		if s.confirmed != nil {
			e, err := s.confirmed.entryAt(one.offset())
			if err != nil {
				return err
			}
			local, remote = append(local[:0], e.LocalKey...), append(remote[:0], e.RemoteKey...)
		}
		for k := i + 1; k < hi; k++ {
			other := s.at(k)
			if other.place()&doubledBit != 0 {
				continue
			}
			if s.confirmed != nil {
				e, err := s.confirmed.entryAt(other.offset())
				if err != nil {
					return err
				}
				if !bytes.Equal(e.LocalKey, local) || !bytes.Equal(e.RemoteKey, remote) {
					continue
				}
			}
			other.mark(doubledBit)
			s.doubled++
			first.add(other.offset(), Duplicate{Offset: other.offset(), First: one.offset()})
		}
	}
	return nil
}

// unmatched returns the offsets of the first ten pairs that were not met.
func (s *Set) unmatched() []int64 {
	var first lowest[int64]
	for i := range s.n {
		if r := s.at(i); r.place()&matchedBit == 0 {
			first.add(r.offset(), r.offset())
		}
	}
	return first.sorted()
}

// lowest keeps the ten items with the lowest offsets.
type lowest[T any] struct {
	at    []int64
	items []T
}

// wants reports whether an item with that offset would be kept.
func (l *lowest[T]) wants(at int64) bool { return len(l.at) < examples || at < l.at[examples-1] }

func (l *lowest[T]) add(at int64, item T) {
	if !l.wants(at) {
		return
	}
	i := sort.Search(len(l.at), func(i int) bool { return l.at[i] > at })
	l.at = append(l.at[:i], append([]int64{at}, l.at[i:]...)...)
	l.items = append(l.items[:i], append([]T{item}, l.items[i:]...)...)
	if len(l.at) > examples {
		l.at, l.items = l.at[:examples], l.items[:examples]
	}
}

func (l *lowest[T]) sorted() []T { return l.items }
