package syncinfo

import "sort"

// sort sorts the records [lo, hi), whose hashes are equal above bit shift+8, by hash and offset. It works in place,
// one byte of the hash at a time (American flag sort). Hashes are evenly distributed, so a few passes are enough.
func (s *Set) sort(lo, hi int, shift int) {
	if hi-lo <= 40 {
		s.insertionSort(lo, hi)
		return
	}
	if shift < 0 {
		sort.Sort(byOffset{s, lo, hi - lo})
		return
	}
	var end, next [256]int
	for i := lo; i < hi; i++ {
		end[byte(s.at(i).hash()>>shift)]++
	}
	at := lo
	for d := range end {
		next[d] = at
		at += end[d]
		end[d] = at
	}
	for d := range end {
		for next[d] < end[d] {
			r := s.at(next[d])
			to := byte(r.hash() >> shift)
			if other := s.at(next[to]); other != r {
				*other, *r = *r, *other
			}
			next[to]++
		}
	}
	for from, d := lo, 0; d < len(end); d++ {
		s.sort(from, end[d], shift-8)
		from = end[d]
	}
}

func (s *Set) insertionSort(lo, hi int) {
	for i := lo + 1; i < hi; i++ {
		r := *s.at(i)
		k := i
		for ; k > lo && less(&r, s.at(k-1)); k-- {
			*s.at(k) = *s.at(k - 1)
		}
		*s.at(k) = r
	}
}

func less(a, b *record) bool {
	x, y := a.hash(), b.hash()
	return x < y || x == y && a.offset() < b.offset()
}

// byOffset sorts records of equal hash.
type byOffset struct {
	s     *Set
	lo, n int
}

func (o byOffset) Len() int           { return o.n }
func (o byOffset) Less(i, k int) bool { return o.s.at(o.lo+i).offset() < o.s.at(o.lo+k).offset() }
func (o byOffset) Swap(i, k int) {
	a, b := o.s.at(o.lo+i), o.s.at(o.lo+k)
	*a, *b = *b, *a
}
