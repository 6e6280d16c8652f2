// Package source reads HCL as it stands in an editor: half a line, without its closing quote or brace. It tells what
// each word is and what stands at a place, where the parser only says that something is wrong. It knows HCL, and none
// of the words that are written in it.
package source

import (
	"sort"
	"strings"
	"unicode/utf8"
)

// Position is a place in a text as editors count: lines and units from 0. What a unit is, the Encoding says.
type Position struct {
	Line      int `json:"line"`
	Character int `json:"character"`
}

// Encoding is what positions count within a line.
type Encoding string

// The encodings. An editor that says nothing counts in UTF-16.
const (
	UTF8  Encoding = "utf-8"
	UTF16 Encoding = "utf-16"
	UTF32 Encoding = "utf-32"
)

// units is how long a character is. What is not UTF-8 was one replacement character for each byte when the editor read
// it.
func (e Encoding) units(r rune, size int) int {
	switch {
	case e == UTF8:
		return size
	case e != UTF32 && r >= 0x10000:
		return 2
	}
	return 1
}

// Span is a part of a text, in bytes.
type Span struct{ From, To int }

// Has tells whether an offset is in the span, or at its end, as a cursor is behind a word.
func (s Span) Has(offset int) bool { return s.From <= offset && offset <= s.To }

// Text is the source of one file.
type Text struct {
	Source string

	starts []int  // of lines
	marks  []mark // in long lines, in their order
}

// mark is a character in a long line, from which places behind it are counted: a file may be a single line.
type mark struct {
	at    int
	runes int // characters before it on its line
	wide  int // of these, those that are two units of UTF-16
}

// apart is how many bytes are between marks.
const apart = 256

// NewText takes in a source.
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

// Lines is how many lines there are, at least one.
func (t *Text) Lines() int { return len(t.starts) }

// line is a line's span without what ends it.
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

// Offset is the byte at a position. A position behind the end of a line or of the text means that end; one inside of a
// character means its beginning.
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

// Position is where a byte is.
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
		if at+size > to { // inside of a character
			break
		}
		p.Character += e.units(r, size)
		at += size
	}
	return p
}

// Slice is a part of the text; what lies outside of it is left out.
func (t *Text) Slice(s Span) string {
	from := min(max(s.From, 0), len(t.Source))
	return t.Source[from:max(from, min(s.To, len(t.Source)))]
}

// Indent is the blanks that a line begins with.
func (t *Text) Indent(n int) string {
	line := t.Slice(t.line(n))
	return line[:len(line)-len(strings.TrimLeft(line, " \t"))]
}
