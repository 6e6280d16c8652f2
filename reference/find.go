package reference

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/schema"
)

// Pages returns all pages, including the guides, by group and word.
func Pages(catalog schema.Catalog, program *Program, guides ...*Page) []*Page {
	all := slices.Concat(typePages(catalog), languagePages(catalog), program.pages(), guides, functionPages())
	slices.SortStableFunc(all, func(a, b *Page) int {
		if d := slices.Index(Groups, a.Group) - slices.Index(Groups, b.Group); d != 0 {
			return d
		}
		return strings.Compare(a.Word, b.Word)
	})
	return all
}

// Find returns the pages about a word. There are several if a block and a command have the same name. If there is
// none, the error suggests what may have been meant.
func Find(pages []*Page, catalog schema.Catalog, word string) ([]*Page, error) {
	for _, word := range []string{word, strings.TrimSuffix(word, "s")} { // modules is about module
		var found []*Page
		for _, p := range pages {
			if p.Word == word || slices.Contains(p.Also, word) {
				found = append(found, p)
			}
		}
		if len(found) > 0 {
			return found, nil
		}
	}
	for _, p := range pages {
		if slices.Contains(p.mentions, word) {
			return []*Page{p}, nil
		}
	}
	if at := argumentOf(catalog, word); len(at) > 0 {
		return nil, fmt.Errorf("%q has no page of its own; it is in %s", word, list(at, "and"))
	}
	if at := mentioning(pages, word); len(at) > 0 {
		return nil, fmt.Errorf("%q has no page of its own; it is in %s", word, list(at, "and"))
	}
	var words []string
	for _, p := range pages {
		words = append(words, p.Word)
		words = append(words, p.Also...)
		words = append(words, p.mentions...)
	}
	if n := schema.Nearest(word, words); n != "" {
		return nil, fmt.Errorf("nothing is known of %q. Did you mean %q?", word, n)
	}
	return nil, fmt.Errorf("nothing is known of %q. Without a word, all words are listed", word)
}

// mostMentions is the maximum number of pages that mentioning returns.
const mostMentions = 5

// mentioning returns the words of the pages whose text has a word, those that have it most often first. Of several
// words, a page has all.
func mentioning(pages []*Page, word string) []string {
	type mention struct {
		page  string
		times int
	}
	var found []mention
	for _, p := range pages {
		var b strings.Builder
		if err := p.Write(&b, Layout{}); err != nil {
			continue
		}
		text, times := strings.ToLower(p.Word+" "+b.String()), 0
		for _, w := range strings.Fields(strings.ToLower(word)) {
			n := strings.Count(text, strings.TrimSuffix(w, "s"))
			if n == 0 {
				times = 0
				break
			}
			times += n
		}
		if times > 0 && strings.Contains(p.Word, word) {
			times += len(text)
		}
		if times > 0 && len(word) > 2 {
			found = append(found, mention{p.Word, times})
		}
	}
	slices.SortStableFunc(found, func(a, b mention) int { return b.times - a.times })
	var out []string
	for _, m := range found[:min(len(found), mostMentions)] {
		out = append(out, m.page)
	}
	return out
}

// argumentOf returns the types that have this name, or an argument or block of this name.
func argumentOf(catalog schema.Catalog, name string) []string {
	var out []string
	for i := range catalog {
		t := &catalog[i]
		is := t.Name == name
		eachArgument(&t.Body, nil, func(path []string, a *schema.Attribute) {
			is = is || a.Name == name || slices.Contains(path, name)
		})
		if is {
			out = append(out, string(t.Kind)+"."+t.Name)
		}
	}
	return out
}

// WriteIndex lists the words of the pages with their summaries and, if links is set, links to their files.
func WriteIndex(w io.Writer, pages []*Page, l Layout, links bool) error {
	p := &Page{Title: "Reference"}
	p.say("`syncctl docs WORD` shows the page of a word in the terminal.")
	for _, g := range Groups {
		var items []item
		var names []string
		for _, page := range pages {
			if page.Group != g || links && g == Guides {
				continue // guides have their files elsewhere in docs/
			}
			name := quoted(page.Word)
			names = append(names, name)
			if links && page.File() != "" {
				name = "[" + name + "](" + page.File() + ")"
			}
			items = append(items, item{name: name, text: page.Summary})
		}
		if len(items) == 0 {
			continue
		}
		p.heading(g.Title())
		switch {
		case g != Functions:
			p.list(items)
		case links:
			p.say("They are in [functions.md](../functions.md): %s.", list(names, "and"))
		default:
			p.say("%s.", list(names, "and"))
		}
	}
	return p.Write(w, l)
}

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
