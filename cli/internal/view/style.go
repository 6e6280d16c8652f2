// Package view turns plans, runs and reports into text. It only renders: it reads nothing and asks nothing.
//
// Text from a server, a driver or a file is sanitized here, right before it is printed.
package view

import (
	"strings"
	"unicode/utf8"

	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// Style says how text may look on an output.
type Style struct {
	Color bool
	Width int // columns; 0: lines are not broken
}

// The looks, as SGR parameters.
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

// Bold marks what should be seen first.
func (s Style) Bold(text string) string { return s.paint(bold, text) }

// Dim marks details.
func (s Style) Dim(text string) string { return s.paint(dim, text) }

// Good marks success.
func (s Style) Good(text string) string { return s.paint(green, text) }

// stepMark returns a step's mark, two characters wide. A person's step that cannot be undone has two marks, any other
// step has one and a blank.
func (s Style) stepMark(step *planner.Step) string {
	if step.Mark == planner.MarkPerson && step.Irreversible() {
		return s.mark(planner.MarkPerson) + s.mark(planner.MarkFinal)
	}
	return s.mark(step.Mark) + " "
}

// sign returns stepMark for use in front of a text: with a blank at its end.
func (s Style) sign(step *planner.Step) string {
	if step.Mark == planner.MarkPerson && step.Irreversible() {
		return s.stepMark(step) + " "
	}
	return s.stepMark(step)
}

// Bad marks failure.
func (s Style) Bad(text string) string { return s.paint(red, text) }

func (s Style) mark(m planner.Mark) string {
	look := map[planner.Mark]string{
		planner.MarkAdd: green, planner.MarkChange: yellow, planner.MarkDelete: red,
		planner.MarkFinal: red, planner.MarkPerson: cyan, planner.MarkCheck: dim,
	}[m]
	return s.paint(look, oneLine(string(m)))
}

// severity returns the word for the severity of a finding.
func (s Style) severity(v planner.Severity) string {
	switch v {
	case planner.Refuse:
		return s.paint(red, "refused")
	case planner.Warn:
		return s.paint(yellow, "warning")
	}
	return s.paint(cyan, "note")
}

// oneLine makes foreign text safe to print on one line.
func oneLine(s string) string { return schema.SanitizeLine(s) }

// Wrap breaks text at blanks into lines of at most width characters. A longer word stays whole. If width is 0, text is
// not broken.
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

// block writes a label and a text. Lines after the first are indented further. It writes nothing if text is "".
func (s Style) block(b *strings.Builder, indent int, label, text string) {
	if text == "" {
		return
	}
	pad := strings.Repeat(" ", indent)
	for i, line := range Wrap(label+oneLine(text), s.room(indent)) {
		if i == 0 {
			b.WriteString(pad + line + "\n")
			continue
		}
		b.WriteString(pad + "  " + line + "\n")
	}
}

// room returns the width that is left after an indent, but at least 20: on a very narrow terminal, lines get too long.
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
