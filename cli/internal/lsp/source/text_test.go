package source

import (
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// sources generates texts with characters of every length, every kind of line break, and bytes that are not UTF-8.
func sources() *rapid.Generator[string] {
	piece := rapid.SampledFrom([]string{"a", "ß", "€", "😀", "é", "\n", "\r\n", "\r", "\xff", "\xe2\x82", "\t", "\u2028"})
	return rapid.Custom(func(t *rapid.T) string {
		out := ""
		for _, p := range rapid.SliceOfN(piece, 0, 20).Draw(t, "pieces") {
			out += p
		}
		return out
	})
}

// lengthIn returns the length of a line, according to the standard library.
func lengthIn(e Encoding, line string) int {
	switch e {
	case UTF8:
		return len(line)
	case UTF32:
		return len([]rune(line))
	}
	return len(utf16.Encode([]rune(line)))
}

// TestPositions checks that each character's position leads back to its offset, and counts as the standard
// library does.
func TestPositions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		src := sources().Draw(t, "source")
		text := NewText(src)
		for _, e := range []Encoding{UTF8, UTF16, UTF32} {
			from := 0
			for at := 0; at < len(src); {
				_, size := utf8.DecodeRuneInString(src[at:])
				p := text.Position(at, e)
				inEnd := at > 0 && src[at] == '\n' && src[at-1] == '\r'
				if back := text.Offset(p, e); back != at && !inEnd {
					t.Fatalf("%q: byte %d is at %v, which is byte %d", src, at, p, back)
				}
				if got, want := p.Character, lengthIn(e, src[from:at]); got != want && !inEnd {
					t.Fatalf("%q %s: byte %d is character %d, want %d", src, e, at, got, want)
				}
				if src[at] == '\n' || src[at] == '\r' && (at+1 == len(src) || src[at+1] != '\n') {
					from = at + 1
				}
				at += size
			}
			if end := text.Position(len(src), e); text.Offset(end, e) != len(src) {
				t.Fatalf("%q: the end is %v", src, end)
			}
		}
	})
}

// TestPositionsOutside checks that any position that a client sends leads to an offset in the text.
func TestPositionsOutside(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		src := sources().Draw(t, "source")
		text := NewText(src)
		p := Position{Line: rapid.IntRange(-3, 30).Draw(t, "line"), Character: rapid.IntRange(-3, 30).Draw(t, "character")}
		for _, e := range []Encoding{UTF8, UTF16, UTF32} {
			at := text.Offset(p, e)
			if at < 0 || at > len(src) {
				t.Fatalf("%q: %v is byte %d", src, p, at)
			}
			if back := text.Position(at, e); text.Offset(back, e) != at {
				t.Fatalf("%q: %v is byte %d, which is at %v", src, p, at, back)
			}
		}
	})
}

// TestPositionsInALongLine checks that positions in a long line are right in each encoding, although they are counted
// from a mark nearby.
func TestPositionsInALongLine(t *testing.T) {
	const piece = "aä€😀\xff\r"
	for _, end := range []string{"\n", "\r\n"} {
		src := strings.Repeat("x", 300) + end + strings.ReplaceAll(strings.Repeat(piece, 300), "\r", "") + end + "y"
		text := NewText(src)
		from := 300 + len(end)
		for at := from; at < len(src)-1-len(end); {
			_, size := utf8.DecodeRuneInString(src[at:])
			for _, e := range []Encoding{UTF8, UTF16, UTF32} {
				if got, want := text.Position(at, e), (Position{1, lengthIn(e, src[from:at])}); got != want {
					t.Fatalf("%s: byte %d is at %v, want %v", e, at, got, want)
				}
			}
			at += size
		}
	}
	text := NewText(strings.Repeat("word ", 200_000))
	for at := 0; at < len(text.Source); at += 5 { // 10^11 steps from the beginning of the line
		if got := text.Position(at, UTF16).Character; got != at {
			t.Fatalf("byte %d is character %d", at, got)
		}
	}
}
