package syncinfo

import (
	"errors"
	"fmt"
	"io"
)

// rereader reads single entries again, by their offset.
type rereader struct {
	name   string
	src    io.ReaderAt
	buf    []byte
	s      scanner
	parsed Entry
}

func newRereader(name string, src io.ReaderAt) *rereader {
	return &rereader{name: name, src: src, buf: make([]byte, 4096+pad)}
}

// entryAt returns the entry at an offset where one was read before; its Line and Column are not set. It holds until the
// next call.
func (r *rereader) entryAt(offset int64) (*Entry, error) {
	for {
		room := len(r.buf) - pad
		n, err := r.src.ReadAt(r.buf[:room], offset)
		ended := errors.Is(err, io.EOF)
		if err != nil && !ended {
			return nil, fmt.Errorf("reading %s again: %w", r.name, err)
		}
		clear(r.buf[n : n+pad])
		r.s.b, r.s.n = r.buf[:n+pad], n
		if r.s.entry(0, &r.parsed) >= 0 {
			r.parsed.Offset = offset
			return &r.parsed, nil
		}
		if ended || r.s.at+pad < n {
			return nil, changed(r.name)
		}
		r.buf = make([]byte, 2*room+pad)
	}
}

func changed(name string) error {
	return fmt.Errorf("%s changed while it was being read; keep it still and try again", name)
}
