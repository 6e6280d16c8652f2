// Package output has the writers between the program and its output streams.
package output

import (
	"errors"
	"io"
	"regexp"
	"strings"
	"sync"
	"syscall"

	"github.com/syncctl/syncctl/printable"
	"github.com/syncctl/syncctl/redact"
)

// Guarded takes secrets out of every write and makes the rest printable, whoever wrote it: of what is not printable it
// lets nothing pass but line feeds, tabs, and the sequences that package view draws with. So whatever is printed must
// be written in one piece. If the reader goes away, as head does, the rest is dropped: a run must not stop half-way
// because nobody looks.
type Guarded struct {
	mu       sync.Mutex
	w        io.Writer
	redactor func() *redact.Set
	gone     bool
}

// Guard makes a Guarded. redactor returns nil as long as no secret is known.
func Guard(w io.Writer, redactor func() *redact.Set) *Guarded {
	return &Guarded{w: w, redactor: redactor}
}

func (g *Guarded) Write(p []byte) (int, error) {
	text := string(p)
	if known := g.redactor(); known != nil {
		text = known.String(text)
	}
	return g.write(p, plain(text))
}

// WriteExact writes what another program is to read byte for byte.
func (g *Guarded) WriteExact(p []byte) (int, error) { return g.write(p, string(p)) }

func (g *Guarded) write(p []byte, text string) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.gone {
		return len(p), nil
	}
	if _, err := io.WriteString(g.w, text); errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe) {
		g.gone = true
	} else if err != nil {
		return 0, err
	}
	return len(p), nil
}

// Unread tells whether the reader has gone away.
func (g *Guarded) Unread() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.gone
}

// The sequences that may pass. One that moves the cursor begins a write: foreign text does not.
var (
	ownLook  = regexp.MustCompile("\x1b\\[(?:[0124]|3[1236]|1;3[13])m")
	ownErase = regexp.MustCompile("^\x1b\\[[0-9]{1,4}A\x1b\\[J")
)

// plain makes text printable, except for our own sequences.
func plain(text string) string {
	if printable.Safe(text) {
		return text
	}
	var b strings.Builder
	if at := ownErase.FindString(text); at != "" {
		b.WriteString(at)
		text = text[len(at):]
	}
	for {
		at := ownLook.FindStringIndex(text)
		if at == nil {
			b.WriteString(printable.Text(text))
			return b.String()
		}
		b.WriteString(printable.Text(text[:at[0]]) + text[at[0]:at[1]])
		text = text[at[1]:]
	}
}

// JSON is a writer of JSON, a whole document or line in each write: it escapes in JSON's way what is not printable.
func JSON(w io.Writer) io.Writer { return jsonWriter{w} }

type jsonWriter struct{ w io.Writer }

func (j jsonWriter) Write(p []byte) (int, error) {
	if _, err := j.w.Write(printable.JSON(p)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Plain is a writer of text in which nothing of ours is drawn, such as a log: what is not printable is escaped, the
// sequences that Guarded lets pass too.
func Plain(w io.Writer) io.Writer { return plainWriter{w} }

type plainWriter struct{ w io.Writer }

func (p plainWriter) Write(text []byte) (int, error) {
	if _, err := io.WriteString(p.w, printable.Text(string(text))); err != nil {
		return 0, err
	}
	return len(text), nil
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
