package redact

import (
	"bytes"
	"io"
	"sync"
)

// Writer returns a writer that hands on whole lines without the secrets, so that a secret that is written in pieces is
// found too. What follows the last line feed is kept until Flush, or until it is so long that a secret in it must have
// come to its end.
func (s *Set) Writer(w io.Writer) *Writer { return &Writer{set: s, out: w} }

// Writer takes secrets out of what is written. It may be used by several goroutines.
type Writer struct {
	set  *Set
	mu   sync.Mutex
	out  io.Writer
	rest []byte
}

const (
	longLine = 64 << 10 // what is kept of a line without an end
	growth   = 16       // how much longer an encoding may make a secret
)

// Write takes all of p, or reports the error of the writer behind it.
func (w *Writer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rest = append(w.rest, p...)
	if end := bytes.LastIndexByte(w.rest, '\n') + 1; end > 0 {
		if err := w.hand(end); err != nil {
			return 0, err
		}
	}
	keep := 0
	if w.set != nil {
		keep = growth * w.set.longest
	}
	if len(w.rest) > longLine+2*keep {
		cut := len(w.rest) - keep
		for _, span := range w.set.Spans(string(w.rest)) {
			if span.From < cut && span.To > cut {
				cut = span.From
			}
		}
		if err := w.hand(cut); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// Flush hands on a last line that has no line feed.
func (w *Writer) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.hand(len(w.rest))
}

// hand hands on so much of what is kept.
func (w *Writer) hand(n int) error {
	if n == 0 {
		return nil
	}
	text := string(w.rest[:n])
	w.rest = append(w.rest[:0], w.rest[n:]...)
	_, err := io.WriteString(w.out, w.set.String(text))
	return err
}
