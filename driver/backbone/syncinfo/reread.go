package syncinfo

import (
	"errors"
	"fmt"
	"io"
)

// How many bytes a rereader reads at a time. It starts small, for entries here and there, and doubles while entries
// follow each other, as they do when two exports are in about the same order.
const (
	leastReread = 4 << 10
	mostReread  = 256 << 10
)

// rereader reads single entries again, by their offset.
type rereader struct {
	name   string
	src    io.ReaderAt
	max    int // maximum size of an entry
	buf    []byte
	base   int64 // offset of buf[0] in the file
	n      int   // length of the data in buf
	ended  bool  // the file ends with the data in buf
	s      scanner
	parsed Entry
}

func newRereader(name string, src io.ReaderAt, max int) *rereader {
	return &rereader{name: name, src: src, max: max}
}

// entryAt returns the entry at an offset where one was read before. Its Line and Column are not set. It is valid
// until the next call.
func (r *rereader) entryAt(offset int64) (*Entry, error) {
	size := leastReread
	if r.n > 0 && offset >= r.base && offset < r.base+int64(r.n) {
		if r.parse(offset) {
			return &r.parsed, nil
		}
		size = min(2*(len(r.buf)-pad), mostReread)
	}
	for {
		if err := r.load(offset, size); err != nil {
			return nil, err
		}
		if r.parse(offset) {
			return &r.parsed, nil
		}
		if r.ended || r.s.at+pad < r.s.n || size > r.max {
			return nil, changed(r.name)
		}
		size *= 2
	}
}

func (r *rereader) parse(offset int64) bool {
	from := int(offset - r.base)
	r.s.b, r.s.n = r.buf[from:r.n+pad], r.n-from
	if r.s.entry(0, &r.parsed) < 0 {
		return false
	}
	r.parsed.Offset = offset
	return true
}

func (r *rereader) load(offset int64, size int) error {
	if cap(r.buf) < size+pad {
		r.buf = make([]byte, size+pad)
	}
	r.buf = r.buf[:size+pad]
	n, err := r.src.ReadAt(r.buf[:size], offset)
	r.ended = errors.Is(err, io.EOF)
	if err != nil && !r.ended {
		r.n = 0
		return fmt.Errorf("reading %s again: %w", r.name, err)
	}
	r.base, r.n = offset, n
	clear(r.buf[n : n+pad])
	return nil
}

func changed(name string) error {
	return fmt.Errorf("%s changed while it was being read; keep it still and try again", name)
}
