// Package output holds the writers between the program and its output streams.
package output

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"sync"
	"syscall"

	"github.com/syncctl/syncctl/lazyregexp"
	"github.com/syncctl/syncctl/printable"
	"github.com/syncctl/syncctl/redact"
)

// Guarded removes secrets from every write and makes the rest printable. Of the characters that are not printable, it
// passes only line feeds, tabs, and the escape sequences that package view draws with. Each write is filtered by
// itself, so text that belongs together must be written in one piece. If the reader goes away, as head does, the rest
// is dropped without an error: a run must not stop half-way because nobody reads its output.
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

func (g *Guarded) Write(p []byte) (int, error) { return g.write(p, plain(g.without(string(p)))) }

// without returns a text without secrets.
func (g *Guarded) without(text string) string {
	if known := g.redactor(); known != nil {
		return known.String(text)
	}
	return text
}

// WriteExact writes p unfiltered, for another program that needs it byte for byte.
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

// Unread reports whether the reader has gone away.
func (g *Guarded) Unread() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.gone
}

// The escape sequences that may pass. A sequence that moves the cursor passes only at the beginning of a write, where
// there is never foreign text.
var (
	ownLook  = lazyregexp.New("\x1b\\[(?:[0124]|3[1236]|1;3[13])m")
	ownErase = lazyregexp.New("^\x1b\\[[0-9]{1,4}A\x1b\\[J")
)

// plain makes text printable, and keeps our own escape sequences.
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

// JSON returns a writer of JSON that replaces characters that are not printable with JSON escapes. Each write must be
// a whole document or line. What is no JSON any more without its secrets, such as a text that was taken out whole, is
// written as one JSON string.
func JSON(g *Guarded) io.Writer { return jsonWriter{g} }

type jsonWriter struct{ g *Guarded }

func (j jsonWriter) Write(p []byte) (int, error) {
	before := string(printable.JSON(p))
	text := j.g.without(before)
	if text != before && !json.Valid([]byte(text)) {
		whole, err := json.Marshal(text)
		if err != nil {
			return 0, err
		}
		text = string(whole) + "\n"
	}
	return j.g.write(p, plain(text))
}

// Plain returns a writer of text that syncctl does not draw in, such as a log. It escapes all characters that are not
// printable, also the escape sequences that Guarded passes.
func Plain(w io.Writer) io.Writer { return plainWriter{w} }

type plainWriter struct{ w io.Writer }

func (p plainWriter) Write(text []byte) (int, error) {
	if _, err := io.WriteString(p.w, printable.Text(string(text))); err != nil {
		return 0, err
	}
	return len(text), nil
}

// Buffer collects writes until Flush.
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

// Flush writes the collected bytes with one write.
func (b *Buffer) Flush() error {
	_, err := b.w.Write(b.buf)
	b.buf = nil
	return err
}
