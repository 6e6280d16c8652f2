package view

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/kballard/go-shellquote"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
)

// Manual writes what a person has to do in the step of ask, with the paths of files of the run that are known.
func Manual(w io.Writer, s Style, indent int, ask executor.Ask) {
	var b strings.Builder
	m := ask.Step.Manual
	s.block(&b, indent, s.paint(cyan, "for a person")+" at ", m.Where)
	for i, line := range m.Do {
		s.block(&b, indent+2, strconv.Itoa(i+1)+". ", line)
	}
	width := 0
	for _, val := range m.Values {
		width = max(width, utf8.RuneCountInString(oneLine(val.Label)))
	}
	for _, val := range m.Values {
		text := oneLine(cmp.Or(val.Shown, val.Value))
		switch p, ok := ask.Files[val.Name]; {
		case ok:
			text = oneLine(p)
		case val.File:
			text += " (a file of the run)"
		}
		// Not wrapped: values are meant to be copied.
		b.WriteString(strings.Repeat(" ", indent+5) + pad(oneLine(val.Label), width) + "  " + text + "\n")
	}
	if ask.Script != "" {
		s.script(&b, indent+2, ask.Script, len(m.Commands))
	} else {
		s.commands(&b, indent+2, m.Commands)
	}
	_, _ = io.WriteString(w, b.String())
}

// commands writes commands to be pasted into a shell, as a block.
func (s Style) commands(b *strings.Builder, indent int, commands []string) {
	if len(commands) == 0 {
		return
	}
	s.block(b, indent, "", "Commands, to be run one at a time; if one fails, run no further one:")
	b.WriteString("\n")
	commandLines(b, indent+3, commands)
	b.WriteString("\n")
}

// script writes how to run the commands if they are in a script, a file of the run.
func (s Style) script(b *strings.Builder, indent int, path string, lines int) {
	s.block(b, indent, "", fmt.Sprintf("Commands: a script with %s. Read it, copy it to that machine unless it is this "+
		"one, and run it there, at a terminal. It asks before each part, and stops where a command fails:",
		wording.Plural(lines, "line")))
	b.WriteString("\n")
	commandLines(b, indent+3, []string{shellquote.Join("sh", path)})
	b.WriteString("\n")
}

// commandLines writes lines for a shell. It wraps no line. A line break inside a command is quoted, so the text after
// it is not indented: that would change the command.
func commandLines(b *strings.Builder, indent int, commands []string) {
	for _, c := range commands {
		lines := strings.Split(c, "\n")
		for i := range lines {
			lines[i] = oneLine(lines[i])
		}
		b.WriteString(strings.Repeat(" ", indent) + strings.Join(lines, "\n") + "\n")
	}
}
