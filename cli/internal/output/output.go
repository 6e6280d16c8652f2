// Package output has the writers between the program and its output streams.
package output

import (
	"errors"
	"io"
	"sync"
	"syscall"

	"github.com/syncctl/syncctl/schema"
)

// Redacted takes secrets out of every write, so whatever is printed must be written in one piece. If the reader
// goes away, as head does, the rest is dropped: a run must not stop half-way because nobody looks.
type Redacted struct {
	mu       sync.Mutex
	w        io.Writer
	redactor func() *schema.Redactor
	gone     bool
}

// Redact makes a Redacted. redactor returns nil as long as no secret is known.
func Redact(w io.Writer, redactor func() *schema.Redactor) *Redacted {
	return &Redacted{w: w, redactor: redactor}
}

func (r *Redacted) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.gone {
		return len(p), nil
	}
	text := string(p)
	if known := r.redactor(); known != nil {
		text = known.String(text)
	}
	if _, err := io.WriteString(r.w, text); errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe) {
		r.gone = true
	} else if err != nil {
		return 0, err
	}
	return len(p), nil
}

// Unread tells whether the reader has gone away.
func (r *Redacted) Unread() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.gone
}

// Buffer collects writes that belong together, until Flush.
type Buffer struct {
	w   io.Writer
	buf []byte
}

// NewBuffer makes a Buffer in front of a writer.
func NewBuffer(w io.Writer) *Buffer { return &Buffer{w: w} }

func (b *Buffer) Write(p []byte) (int, error) {
	b.buf = append(b.buf, p...)
	return len(p), nil
}

// Flush writes what was collected, in one piece.
func (b *Buffer) Flush() error {
	_, err := b.w.Write(b.buf)
	b.buf = nil
	return err
}
