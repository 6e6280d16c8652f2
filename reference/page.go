// Package reference is the reference manual: a page for each block type, each block and argument of the language, each
// function and each command. The pages are written from the types, the grammar and the commands themselves. Their text
// is the same in a terminal and in docs/. The package knows no product and does no I/O.
package reference

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Page is the page about one word.
type Page struct {
	Word    string // such as sync.depot, for_each, plan
	Also    []string
	Group   Group
	Title   string // in Markdown
	Summary string // one sentence, in Markdown

	// Examples are the configurations shown on the page, each with its files by name.
	Examples []map[string]string

	// Schema is the JSON Schema that the page is about.
	Schema json.RawMessage

	parts []part

	mentions []string // words that it explains and that have no page of their own
	whole    string   // Markdown that is shown unchanged; "" if the page is made of parts
}

// Group is a kind of pages. Pages of one group have different words.
type Group string

// The groups, in the order of the index.
const (
	Types     Group = "types"
	Language  Group = "language"
	Commands  Group = "commands"
	Topics    Group = "topics"
	Guides    Group = "guides"
	Formats   Group = "formats"
	Functions Group = "functions"
)

// Groups holds all groups, in the order of the index.
var Groups = []Group{Types, Language, Commands, Topics, Guides, Formats, Functions}

// Title returns the heading above a group's pages.
func (g Group) Title() string {
	return map[Group]string{
		Types: "Block types", Language: "The language", Commands: "Commands", Topics: "Around them",
		Formats: "Files and JSON", Guides: "Guides", Functions: "Functions",
	}[g]
}

// File returns the page's file below docs/reference. It is "" for a function, which is in docs/functions.md, and a
// guide.
func (p *Page) File() string {
	if p.Group == Functions || p.Group == Guides {
		return ""
	}
	return string(p.Group) + "/" + strings.ReplaceAll(p.Word, " ", "-") + ".md"
}

// Layout configures how a page is written.
type Layout struct {
	Width int                 // columns; 0: Columns
	Bold  func(string) string // for headings and names; nil: no change
}

// Columns is the width of the pages in docs/, and of those not written to a terminal.
const Columns = 100

// part is one paragraph, heading, list or piece of code.
type part struct {
	heading string
	text    string
	items   []item
	code    string
	lang    string
}

// item is an element of a list: a name and its explanation.
type item struct {
	name, text string
}

func (p *Page) heading(text string) { p.parts = append(p.parts, part{heading: text}) }

func (p *Page) say(format string, args ...any) {
	p.parts = append(p.parts, part{text: fmt.Sprintf(format, args...)})
}

func (p *Page) list(items []item) {
	if len(items) > 0 {
		p.parts = append(p.parts, part{items: items})
	}
}

func (p *Page) code(lang, text string) {
	p.parts = append(p.parts, part{lang: lang, code: strings.TrimRight(text, "\n")})
}

// Write writes the page as Markdown.
func (p *Page) Write(w io.Writer, l Layout) error {
	if p.whole != "" {
		_, err := io.WriteString(w, p.whole)
		return err
	}
	if l.Bold == nil {
		l.Bold = func(text string) string { return text }
	}
	if l.Width <= 0 {
		l.Width = Columns
	}
	l.Width = max(l.Width, 20) // in a narrower terminal, lines are too long rather than unreadable
	var b strings.Builder
	b.WriteString(l.Bold("# "+p.Title) + "\n")
	for i := range p.parts {
		b.WriteByte('\n')
		p.parts[i].write(&b, l)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (t *part) write(b *strings.Builder, l Layout) {
	switch {
	case t.heading != "":
		b.WriteString(l.Bold("## "+t.heading) + "\n")
	case t.code != "":
		b.WriteString("```" + t.lang + "\n" + t.code + "\n```\n")
	case t.text != "":
		b.WriteString(strings.Join(wrap(t.text, l.Width), "\n") + "\n")
	}
	for _, it := range t.items {
		text := it.name + ": " + it.text
		if strings.HasPrefix(it.text, "(") {
			text = it.name + " " + it.text
		}
		lines := wrap(text, l.Width-2)
		if strings.HasPrefix(lines[0], it.name) {
			lines[0] = l.Bold(it.name) + strings.TrimPrefix(lines[0], it.name)
		}
		b.WriteString("* " + strings.Join(lines, "\n  ") + "\n")
	}
}

// wrap breaks a text into lines at blanks. Code is only broken if it is longer than a line.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range words(text, width) {
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

// words returns the pieces of a text that stay on one line: words, and code up to the width.
func words(text string, width int) []string {
	var out []string
	whole := "" // a piece whose code has not ended
	for _, word := range strings.Fields(text) {
		if whole != "" {
			word = whole + " " + word
		}
		switch {
		case utf8.RuneCountInString(word) > width:
			out, whole = append(out, strings.Fields(word)...), ""
		case strings.Count(word, "`")%2 == 0:
			out, whole = append(out, word), ""
		default:
			whole = word
		}
	}
	return append(out, strings.Fields(whole)...)
}

// quoted returns a text as code.
func quoted(text string) string { return "`" + text + "`" }

// list joins words with commas and an "and" or "or".
func list(words []string, last string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " " + last + " " + words[len(words)-1]
}
