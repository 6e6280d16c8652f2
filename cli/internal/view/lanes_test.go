package view

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// TestLanes checks that each lane has its column, and that lines that are shown together begin in the same row.
// Without columns, the name is in front, and lines are not broken if the width is unknown.
func TestLanes(t *testing.T) {
	for name, row := range map[string]struct {
		width, room int
		want        string
	}{
		"side by side": {143, 70, strings.Join([]string{
			"a" + strings.Repeat(" ", 70) + "│ bb",
			strings.Repeat("x", 70) + " │",
			"xx" + strings.Repeat(" ", 69) + "│",
			strings.Repeat(" ", 71) + "│ hello",
			"one" + strings.Repeat(" ", 68) + "│ two",
			strings.Repeat(" ", 71) + "│ three", ""}, "\n")},
		"narrow": {70, 65, "a  │ " + strings.Repeat("x", 65) + "\na  │ " + strings.Repeat("x", 7) + "\nbb │ hello\na  │ one\nbb │ two\nbb │ three\n"},
		"a pipe": {0, 0, "a  │ " + strings.Repeat("x", 72) + "\nbb │ hello\na  │ one\nbb │ two\nbb │ three\n"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			l := NewLanes(&out, Style{Width: row.width}, []string{"a", "bb"})
			if err := l.Head(); err != nil || l.Room() != row.room {
				t.Errorf("%v, room %d, want %d", err, l.Room(), row.room)
			}
			a, b := l.Lane("a"), l.Lane("bb")
			fmt.Fprintln(a, strings.Repeat("x", 72))
			fmt.Fprint(b, "hel")
			fmt.Fprint(b, "lo\n")
			show := l.Together()
			fmt.Fprintln(a, "one")
			fmt.Fprint(b, "two\nthree")
			if err := b.Close(); err != nil {
				t.Fatal(err)
			}
			if err := show(); err != nil || out.String() != row.want {
				t.Errorf("%v\n%q\nwant\n%q", err, &out, row.want)
			}
		})
	}
}

// TestBroken checks that a line is broken at a blank, keeps its indent and its colour, and loses no text.
func TestBroken(t *testing.T) {
	for text, want := range map[string]string{
		"  one two three":                  "  one two|  three",
		"onetwothreefour":                  "onetwothre|efour",
		"\x1b[31mone two three\x1b[0m":     "\x1b[31mone two\x1b[0m|\x1b[31mthree\x1b[0m",
		"a \x1b[1mbb\x1b[0m ccccc ddd eee": "a \x1b[1mbb\x1b[0m ccccc|ddd eee",
		"exactlyten":                       "exactlyten",
		"":                                 "",
		"ein ü ä ö é î":                    "ein ü ä ö|é î",
		"                      far":        "          |          |far",
	} {
		if got := strings.Join(broken(text, 10), "|"); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
