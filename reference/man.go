package reference

import (
	"io"
	"strings"

	"github.com/syncctl/syncctl/lazyregexp"
)

// ManFile returns the name of a command's manual page, or "" for other pages. The program's own is PROGRAM.1.
func (g *Program) ManFile(p *Page) string {
	if p.Group != Commands {
		return ""
	}
	return g.Name + "-" + strings.ReplaceAll(p.Word, " ", "-") + ".1"
}

// WriteMan writes a command's page with the macros of man(7).
func (g *Program) WriteMan(w io.Writer, p *Page) error {
	name := strings.TrimSuffix(g.ManFile(p), ".1")
	return writeMan(w, name, p.Summary, p.parts)
}

// WriteManIndex writes the program's own manual page: its commands and the general topics.
func (g *Program) WriteManIndex(w io.Writer, pages []*Page) error {
	var commands []item
	var parts []part
	for _, p := range pages {
		switch p.Group {
		case Commands:
			commands = append(commands, item{quoted(strings.TrimSuffix(g.ManFile(p), ".1") + "(1)"), p.Summary})
		case Topics:
			parts = append(parts, part{heading: p.Title})
			parts = append(parts, p.parts...)
		}
	}
	parts = append([]part{{code: g.Name + " COMMAND [flags]"}, {text: "`" + g.Name + " docs WORD` shows the page of " +
		"each " +
		"word of the language, of a function, and of a command."}, {heading: "Commands"}, {items: commands}}, parts...)
	return writeMan(w, g.Name, "configuration as code for synchronizations between servers, and for the migrations that "+
		"replace them", parts)
}

func writeMan(w io.Writer, name, summary string, parts []part) error {
	m := &man{}
	m.line(`.TH "` + strings.ToUpper(name) + `" 1`)
	m.line(".SH NAME")
	m.line(roff(name) + ` \- ` + roff(strings.TrimSuffix(summary, ".")))
	described := false
	for i, t := range parts {
		switch {
		case t.heading != "":
			m.line(".SH " + roff(strings.ToUpper(strings.ReplaceAll(t.heading, "`", ""))))
			described = true
			continue
		case i < 2 && t.text == summary: // it is already under the name
			continue
		case i < 2 && t.code != "":
			m.line(".SH SYNOPSIS")
		case !described:
			m.line(".SH DESCRIPTION")
			described = true
		}
		m.part(&t)
	}
	_, err := io.WriteString(w, m.String())
	return err
}

// man collects the text of a manual page.
type man struct{ strings.Builder }

func (m *man) line(text string) { m.WriteString(text + "\n") }

func (m *man) part(t *part) {
	switch {
	case t.code != "":
		m.line(".PP\n.nf\n.RS 4")
		for _, line := range strings.Split(t.code, "\n") {
			m.line(roff(line))
		}
		m.line(".RE\n.fi")
	case t.text != "":
		m.line(".PP")
		m.line(prose(t.text))
	}
	for _, it := range t.items {
		m.line(".TP")
		m.line(prose(it.name))
		m.line(prose(it.text))
	}
}

var (
	inlineCode = lazyregexp.New("`([^`]*)`")
	pageLink   = lazyregexp.New(`\[([^\]]*)\]\([^)]*\)`)
)

// prose converts Markdown: code becomes bold, and links become their text.
func prose(text string) string {
	text = pageLink.ReplaceAllString(text, "$1")
	return inlineCode.ReplaceAllStringFunc(roff(text), func(code string) string {
		return `\fB` + strings.Trim(code, "`") + `\fR`
	})
}

// roff escapes a line, so that nothing in it is a request or an escape.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "\n", " ").Replace(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text
	}
	return text
}
