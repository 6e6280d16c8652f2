package syncinfo

import (
	"errors"
	"io"

	"github.com/syncctl/syncctl/fault"
)

// scanning reads entries before they are asked for, in a goroutine of its own. It hands them over in batches.
type scanning struct {
	r    *Reader
	now  *batch // being filled
	full chan *batch
	free chan *batch // closed to end the goroutine
	end  error       // why no more entries come
}

// batch is a number of entries, and what their slices point into.
type batch struct {
	entries *[batchEntries]Entry
	n       int // how many of them have been read
	buf     []byte
	decoded []byte
}

const batchEntries = 1 << 9 // as many as are in a buffer

// batches are those of one reading at a time. Their memory is taken when it is needed.
type batches [3]batch

// scanAhead has a goroutine read the entries of r, which shares the buffer of the first batch.
func scanAhead(r *Reader, all *batches) *scanning {
	s := &scanning{r: r, full: make(chan *batch, len(all)), free: make(chan *batch, len(all))}
	r.ahead, r.s.keepTexts = s, true
	s.use(&all[0])
	for i := range all[1:] {
		s.free <- &all[1+i]
	}
	go func() {
		defer close(s.full)
		defer fault.Catch(&s.end)
		for s.end == nil {
			_, s.end = r.Next()
		}
		s.full <- s.now
	}()
	return s
}

func (s *scanning) use(b *batch) {
	if b.entries == nil {
		b.entries = new([batchEntries]Entry)
	}
	s.now, b.n = b, 0
	s.r.shared, s.r.s.decoded = &b.buf, b.decoded[:0]
}

// place gives the reader a place for the next entry.
func (s *scanning) place() error {
	if s.now.n == batchEntries {
		was := s.now
		if err := s.change(); err != nil {
			return err
		}
		// The rest stays where it is. Batches come back in order, so the last one with entries in a buffer has it.
		was.buf, s.now.buf = s.now.buf, s.r.buf
	}
	s.r.entry = &s.now.entries[s.now.n]
	return nil
}

// change hands over the entries read so far, and takes another batch.
func (s *scanning) change() error {
	s.now.decoded = s.r.s.decoded
	s.full <- s.now
	b, more := <-s.free
	if !more {
		return errStop
	}
	s.use(b)
	return nil
}

// handOver hands over the entries read so far, and gives the reader a buffer in which nothing has to stay. It is not
// smaller than the last one.
func (s *scanning) handOver() error {
	if err := s.change(); err != nil {
		return err
	}
	b := s.now
	if size := len(s.r.buf) - pad; len(b.buf) < size+pad {
		s.r.take(size)
	} else {
		s.r.buf = b.buf
	}
	s.r.s.b = s.r.buf
	return nil
}

// each calls do for each entry, until do returns an error.
func (s *scanning) each(do func(e *Entry) error) error {
	for b := range s.full {
		for i := range b.n {
			if err := do(&b.entries[i]); err != nil {
				return err
			}
		}
		s.free <- b
	}
	fault.Raise(s.end)
	if errors.Is(s.end, io.EOF) {
		return nil
	}
	return s.end
}

// stop returns once the goroutine has ended.
func (s *scanning) stop() {
	close(s.free)
	for range s.full {
	}
}
