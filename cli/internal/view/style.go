// Package view renders what syncctl has to say: text from data. It does no work, asks nothing, and reads nothing.
//
// Whatever came from a server, a driver or a file is sanitized here, at the last moment before it is printed.
package view

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// Style is how text may look where it goes.
type Style struct {
	Color bool
	Width int // columns; 0: lines are not broken
}

// The few looks there are, as SGR parameters.
const (
	bold   = "1"
	dim    = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
	cyan   = "36"
)

func (s Style) paint(look, text string) string {
	if !s.Color || text == "" || look == "" {
		return text
	}
	return "\x1b[" + look + "m" + text + "\x1b[0m"
}

// Bold is for what the eye should find first.
func (s Style) Bold(text string) string { return s.paint(bold, text) }

// Dim is for what only some readers need.
func (s Style) Dim(text string) string { return s.paint(dim, text) }

// Good is for what went well.
func (s Style) Good(text string) string { return s.paint(green, text) }

// Bad is for what went wrong.
func (s Style) Bad(text string) string { return s.paint(red, text) }

func (s Style) mark(m planner.Mark) string {
	look := map[planner.Mark]string{
		planner.MarkAdd: green, planner.MarkChange: yellow, planner.MarkDelete: red,
		planner.MarkFinal: red, planner.MarkPerson: cyan, planner.MarkCheck: dim,
	}[m]
	return s.paint(look, one(string(m)))
}

// severity is a finding's severity as people read it.
func (s Style) severity(v planner.Severity) string {
	switch v {
	case planner.Refuse:
		return s.paint(red, "refused")
	case planner.Warn:
		return s.paint(yellow, "warning")
	}
	return s.paint(cyan, "note")
}

// one makes foreign text fit for a single line.
func one(s string) string { return schema.SanitizeLine(s) }

// Wrap breaks text into lines of at most width columns, at blanks only; a longer word stays whole. Zero breaks nothing.
func Wrap(text string, width int) []string {
	if width <= 0 || utf8.RuneCountInString(text) <= width {
		return []string{text}
	}
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}

// block writes a labelled text whose further lines stand under the first.
func (s Style) block(b *strings.Builder, indent int, label, text string) {
	if text == "" {
		return
	}
	pad := strings.Repeat(" ", indent)
	for i, line := range Wrap(label+one(text), s.room(indent)) {
		if i == 0 {
			b.WriteString(pad + line + "\n")
			continue
		}
		b.WriteString(pad + "  " + line + "\n")
	}
}

// room is what an indent leaves of the width; a very narrow terminal breaks lines rather than words.
func (s Style) room(indent int) int {
	if s.Width <= 0 {
		return 0
	}
	return max(s.Width-indent-2, 20)
}

func pad(text string, width int) string {
	if n := utf8.RuneCountInString(text); n < width {
		return text + strings.Repeat(" ", width-n)
	}
	return text
}

// Plural is a count with its word, which takes an s.
func Plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return strconv.Itoa(n) + " " + word + "s"
}
