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

// Style is how text may look on an output.
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

// Bold is for what should be seen first.
func (s Style) Bold(text string) string { return s.paint(bold, text) }

// Dim is for details.
func (s Style) Dim(text string) string { return s.paint(dim, text) }

// Good is for success.
func (s Style) Good(text string) string { return s.paint(green, text) }

// stepMark is a step's sign, and a second one or a blank: a person's step that cannot be undone has both.
func (s Style) stepMark(step *planner.Step) string {
	if step.Mark == planner.MarkPerson && step.Irreversible() {
		return s.mark(planner.MarkPerson) + s.mark(planner.MarkFinal)
	}
	return s.mark(step.Mark) + " "
}

// sign is stepMark in front of a text.
func (s Style) sign(step *planner.Step) string {
	if step.Mark == planner.MarkPerson && step.Irreversible() {
		return s.stepMark(step) + " "
	}
	return s.stepMark(step)
}

// Bad is for failure.
func (s Style) Bad(text string) string { return s.paint(red, text) }

func (s Style) mark(m planner.Mark) string {
	look := map[planner.Mark]string{
		planner.MarkAdd: green, planner.MarkChange: yellow, planner.MarkDelete: red,
		planner.MarkFinal: red, planner.MarkPerson: cyan, planner.MarkCheck: dim,
	}[m]
	return s.paint(look, oneLine(string(m)))
}

// severity is the severity of a finding, for people.
func (s Style) severity(v planner.Severity) string {
	switch v {
	case planner.Refuse:
		return s.paint(red, "refused")
	case planner.Warn:
		return s.paint(yellow, "warning")
	}
	return s.paint(cyan, "note")
}

// oneLine makes foreign text fit on one line.
func oneLine(s string) string { return schema.SanitizeLine(s) }

// Wrap breaks text into lines of at most width columns, at blanks; a longer word stays whole. 0 breaks nothing.
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

// block writes a labelled text; further lines are indented below the first.
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

// room is the width that an indent leaves. On a very narrow terminal lines are too long rather than words broken.
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
