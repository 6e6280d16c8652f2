package reference

import (
	"slices"
	"strings"

	"github.com/syncctl/syncctl/lazyregexp"
)

// Guide returns a page that was written by hand, in Markdown. It returns nil if the text says that a program wrote it.
func Guide(word, text string) *Page {
	p := &Page{Word: word, Group: Guides, whole: strings.TrimRight(text, "\n") + "\n"}
	title, rest, _ := strings.Cut(strings.TrimPrefix(text, "# "), "\n")
	para, _, _ := strings.Cut(strings.TrimSpace(rest), "\n\n")
	if strings.HasPrefix(para, "Written by ") {
		return nil
	}
	p.Title, p.Summary = title, title+"."
	for _, m := range tableWord.FindAllStringSubmatch(text, -1) {
		p.mentions = append(p.mentions, m[1])
	}
	for _, m := range fileWord.FindAllStringSubmatch(para, -1) {
		kind, _, _ := strings.Cut(m[1], ".")
		p.mentions = append(p.mentions, m[1], kind)
	}
	if i := strings.LastIndex(word, "/"); i >= 0 {
		p.mentions = append(p.mentions, word[i+1:])
	}
	slices.Sort(p.mentions)
	p.mentions = slices.Compact(p.mentions)
	return p
}

// fileWord matches the name of a file that a guide is about, which its first paragraph says.
var fileWord = lazyregexp.New("`(?:NAME\\.)?([a-z]+\\.(?:hcl|json))`")

// tableWord matches the word that a row of a table is about.
var tableWord = lazyregexp.New("(?m)^\\| `([a-z][a-z_]+)[` ]")
