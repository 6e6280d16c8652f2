// Package source reads HCL as it is while somebody types it: with half a line, or without a closing quote or brace.
// The parser would only report an error. This package says what each word is and what can be typed at a place. It
// knows the syntax of HCL, but no block types and no arguments.
package source

import (
	"sort"
	"strings"
	"unicode/utf8"
)

// Position is a position in a text as editors count: lines, and units within a line, from 0. The Encoding says what a
// unit is.
type Position struct {
	Line      int `json:"line"`
	Character int `json:"character"`
}

// Encoding is the unit in which positions within a line are counted.
type Encoding string

// The encodings. UTF16 is the default of the protocol.
const (
	UTF8  Encoding = "utf-8"
	UTF16 Encoding = "utf-16"
	UTF32 Encoding = "utf-32"
)

// units returns the length of a character. Each byte that is not valid UTF-8 has the length of a replacement
// character, since the editor has replaced it by one.
func (e Encoding) units(r rune, size int) int {
	switch {
	case e == UTF8:
		return size
	case e != UTF32 && r >= 0x10000:
		return 2
	}
	return 1
}

// Span is a part of a text, as byte offsets. To is exclusive.
type Span struct{ From, To int }

// Has reports whether an offset is in the span or at its end, where a cursor is after typing a word.
func (s Span) Has(offset int) bool { return s.From <= offset && offset <= s.To }

// Text is the source of one file.
type Text struct {
	Source string

	starts []int  // offsets of the beginnings of lines
	marks  []mark // in long lines, in order
}

// mark is a character in a long line. Positions after it are counted from it, since a file may be a single long line.
type mark struct {
	at    int
	runes int // characters before it on its line
	wide  int // number of those characters that are two units in UTF-16
}

// apart is the minimum distance of marks, in bytes.
const apart = 256

// NewText returns a Text of a source.
func NewText(source string) *Text {
	t := &Text{Source: source, starts: []int{0}}
	from := mark{}
	last := 0
	for i := 0; i < len(source); {
		if i-last >= apart {
			from.at, last = i, i
			t.marks = append(t.marks, from)
		}
		size := 1
		switch c := source[i]; {
		case c == '\n' || c == '\r' && !strings.HasPrefix(source[i+1:], "\n"):
			t.starts = append(t.starts, i+1)
			i++
			from, last = mark{}, i
			continue
		case c >= utf8.RuneSelf:
			var r rune
			if r, size = utf8.DecodeRuneInString(source[i:]); UTF16.units(r, size) == 2 {
				from.wide++
			}
		}
		from.runes++
		i += size
	}
	return t
}

// Lines returns the number of lines, which is at least one.
func (t *Text) Lines() int { return len(t.starts) }

// line returns the span of a line without its line break.
func (t *Text) line(n int) Span {
	to := len(t.Source)
	if n+1 < len(t.starts) {
		to = t.starts[n+1] - 1
		if t.Source[to] == '\n' && to > t.starts[n] && t.Source[to-1] == '\r' {
			to--
		}
	}
	return Span{t.starts[n], to}
}

// Offset returns the byte offset of a position. A position after the end of a line or of the text means that end. A
// position inside a character means its beginning.
func (t *Text) Offset(p Position, e Encoding) int {
	switch {
	case p.Line < 0:
		return 0
	case p.Line >= len(t.starts):
		return len(t.Source)
	}
	line := t.line(p.Line)
	at := line.From
	for left := p.Character; at < line.To && left > 0; {
		r, size := utf8.DecodeRuneInString(t.Source[at:line.To])
		if left -= e.units(r, size); left < 0 {
			break
		}
		at += size
	}
	return at
}

// Position returns the position of a byte offset.
func (t *Text) Position(offset int, e Encoding) Position {
	offset = min(max(offset, 0), len(t.Source))
	n := sort.SearchInts(t.starts, offset+1) - 1
	p := Position{Line: n}
	to := min(offset, t.line(n).To)
	at := t.starts[n]
	if i := sort.Search(len(t.marks), func(i int) bool { return t.marks[i].at > to }) - 1; i >= 0 && t.marks[i].at > at {
		m := t.marks[i]
		switch e {
		case UTF8:
			p.Character = m.at - at
		case UTF32:
			p.Character = m.runes
		default:
			p.Character = m.runes + m.wide
		}
		at = m.at
	}
	for at < to {
		r, size := utf8.DecodeRuneInString(t.Source[at:])
		if at+size > to { // inside a character
			break
		}
		p.Character += e.units(r, size)
		at += size
	}
	return p
}

// Slice returns the part of the text that is in a span. A span that exceeds the text is cut off.
func (t *Text) Slice(s Span) string {
	from := min(max(s.From, 0), len(t.Source))
	return t.Source[from:max(from, min(s.To, len(t.Source)))]
}

// Indent returns the blanks and tabs at the beginning of a line.
func (t *Text) Indent(n int) string {
	line := t.Slice(t.line(n))
	return line[:len(line)-len(strings.TrimLeft(line, " \t"))]
}
