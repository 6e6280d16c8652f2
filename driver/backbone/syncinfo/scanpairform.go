package syncinfo

import (
	"bytes"
	"math/bits"
)

// pairForm is how a {localId, remoteId} object is written whose ids are texts of digits: what stands before, between
// and behind them. Objects are written alike, so the next one is compared with it. Bytes that were right in one place
// are right in every other one.
type pairForm struct {
	before, between, behind []byte // between is empty if there is one id
	remoteFirst             bool   // or alone
}

const longestPairForm = 512

// likePair reads a pair that is written like an earlier one, or returns -1. Of p it sets nothing but the ids and their
// order.
func (s *scanner) likePair(i int, p *pairSpan) int {
	if end := s.pairForms[s.lastPair].read(s.b, i, p); end >= 0 {
		return end
	}
	for k := range s.pairForms {
		if end := s.pairForms[k].read(s.b, i, p); end >= 0 {
			s.lastPair = k
			return end
		}
	}
	return -1
}

func (f *pairForm) read(b []byte, i int, p *pairSpan) int {
	if len(f.before) == 0 || !bytes.HasPrefix(b[i:], f.before) {
		return -1
	}
	first := i + len(f.before)
	if i = digits(b, first); i == first {
		return -1
	}
	one, order := span{first - 1, i + 1}, [2]uint64{orderOf(b, first, i)}
	var two span
	if len(f.between) > 0 {
		if !bytes.HasPrefix(b[i:], f.between) {
			return -1
		}
		second := i + len(f.between)
		if i = digits(b, second); i == second {
			return -1
		}
		two, order[1] = span{second - 1, i + 1}, orderOf(b, second, i)
	}
	if !bytes.HasPrefix(b[i:], f.behind) {
		return -1
	}
	if f.remoteFirst {
		one, two = two, one
		order[0], order[1] = order[1], order[0]
	}
	p.local, p.remote, p.order = one, two, order
	return i + len(f.behind)
}

// orderOf returns a number that is greater the more digits there are, and of as many the greater their number is. It is
// 0 if there are more than eight.
func orderOf(b []byte, from, to int) uint64 {
	n := to - from
	if n > 8 {
		return 0
	}
	return uint64(n)<<60 | bits.ReverseBytes64(load(b, from)<<(64-8*n))&(ones*0x0f)
}

// rememberPair remembers how the pair at i is written, if it can be compared with.
func (s *scanner) rememberPair(i, end int, p *pairSpan) {
	one, two := p.local, p.remote
	remoteFirst := one.to == 0 || two.to != 0 && two.from < one.from
	if remoteFirst {
		one, two = two, one
	}
	if p.twice || end-i > longestPairForm || !isNumeral(s.b, one) || two.to != 0 && !isNumeral(s.b, two) {
		return
	}
	s.lastPair = (s.lastPair + 1) % len(s.pairForms)
	f := &s.pairForms[s.lastPair]
	f.before, f.between = append(f.before[:0], s.b[i:one.from+1]...), f.between[:0]
	if f.remoteFirst = remoteFirst; two.to != 0 {
		f.between = append(f.between, s.b[one.to-1:two.from+1]...)
		one = two
	}
	f.behind = append(f.behind[:0], s.b[one.to-1:end]...)
}

// isNumeral reports whether a value is a text of digits.
func isNumeral(b []byte, value span) bool {
	return value.to > value.from+2 && b[value.from] == '"' && digits(b, value.from+1) == value.to-1
}
