package syncinfo

// numbers is a set of numbers that lie close to each other, at one bit for each number in between.
type numbers struct {
	pages []*[pageNumbers / 64]uint64
	most  int // pages that may still be taken
}

const pageNumbers = 1 << 16 // 8 KiB

// newNumbers returns an empty set for what is in a file of that size. It takes at most 512 KiB and a half byte for each
// kilobyte of the file.
func newNumbers(size int64) numbers { return numbers{most: 64 + int(size>>24)} }

// add adds a number, unless the set has it already. It fits unless the set would become too large; if it does not, that
// number never will.
func (s *numbers) add(n uint32) (isNew, fits bool) {
	i := int(n / pageNumbers)
	if i >= len(s.pages) {
		s.pages = append(s.pages, make([]*[pageNumbers / 64]uint64, i+1-len(s.pages))...)
	}
	if s.pages[i] == nil {
		if s.most == 0 {
			return false, false
		}
		s.most--
		s.pages[i] = new([pageNumbers / 64]uint64)
	}
	word, bit := &s.pages[i][n%pageNumbers/64], uint64(1)<<(n%64)
	isNew = *word&bit == 0
	*word |= bit
	return isNew, true
}

// numberIn returns the number that a text consists of. A number has one text only, without a leading zero.
func numberIn(text []byte) (n uint32, ok bool) {
	if len(text) == 0 || len(text) > 9 || text[0] == '0' {
		return 0, false
	}
	for _, c := range text {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + uint32(c-'0')
	}
	return n, true
}
