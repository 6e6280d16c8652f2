package reference

import (
	"fmt"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

// languageText is the text about a block or an argument of the language, in addition to its grammar.
type languageText struct {
	word      string
	summary   string
	also      []string
	text      []string
	construct string // the block of the language whose grammar is shown, or ""
	argument  string // the general argument of declarations that it is about
	intro     string // before the example
	example   map[string]string
}

// languagePages returns a page for each block and each general argument of the language. The examples use the last type
// of server that needs only a URL and a login.
func languagePages(catalog schema.Catalog) []*Page {
	var out []*Page
	grammar := map[string]*schema.Construct{}
	all := schema.Grammar()
	for i := range all {
		if grammar[all[i].Name] == nil { // if several only add arguments, the first is the one for all declarations
			grammar[all[i].Name] = &all[i]
		}
	}
	for i := range languageTexts {
		t := &languageTexts[i]
		p := &Page{Word: t.word, Also: t.also, Group: Language, Title: quoted(t.word), Summary: t.summary}
		p.say("%s", t.summary)
		if c := grammar[t.construct]; c != nil && t.construct != "" {
			p.Title = quoted(header(c))
			p.say("It stands %s.", c.Where)
		}
		for _, text := range t.text {
			p.say("%s", text)
		}
		if slices.Contains(schema.Kinds, schema.Kind(t.word)) {
			p.typesOf(catalog, schema.Kind(t.word))
		}
		if c := grammar[t.construct]; c != nil && t.construct != "" && len(c.Body.Attributes)+len(c.Body.Blocks) > 0 {
			if len(c.Body.Attributes) > 0 {
				p.heading("Arguments")
			}
			p.body(&c.Body, nil, map[string]*schema.Body{})
		}
		if t.argument != "" {
			p.argument(grammar[""], t.argument)
		}
		if len(t.example) > 0 {
			p.example(t.intro, exampleOf(catalog, t.example))
		}
		out = append(out, p)
	}
	return out
}

// header returns the first line of a block.
func header(c *schema.Construct) string {
	text := c.Name
	for _, label := range c.Labels {
		text += fmt.Sprintf(" %q", strings.ToUpper(label))
	}
	return text
}

// argument adds the grammar of a general argument of declarations.
func (p *Page) argument(c *schema.Construct, name string) {
	for i := range c.Body.Attributes {
		if a := &c.Body.Attributes[i]; a.Name == name {
			p.list([]item{{name: quoted(name), text: Argument(a)}})
		}
	}
}

// typesOf lists the types of a kind.
func (p *Page) typesOf(catalog schema.Catalog, kind schema.Kind) {
	var items []item
	for i := range catalog {
		if t := &catalog[i]; t.Kind == kind {
			items = append(items, item{name: quoted(string(t.Kind) + "." + t.Name), text: t.Summary})
		}
	}
	if len(items) == 0 {
		p.say("No product that is built in brings a type of it.")
		return
	}
	p.heading("Types")
	p.list(items)
}

// exampleOf fills in the type of server of an example. It returns nil if no type fits.
func exampleOf(catalog schema.Catalog, files map[string]string) map[string]string {
	server := ""
	for i := range catalog {
		if t := &catalog[i]; t.Kind == schema.Server && takesLogin(t) {
			server = t.Name
		}
	}
	if server == "" {
		return nil
	}
	out := map[string]string{}
	for name, text := range files {
		out[name] = strings.ReplaceAll(strings.TrimLeft(text, "\n"), "TYPE", server)
	}
	return out
}

// takesLogin reports whether a type of server takes url, user and password as text, and requires nothing else.
func takesLogin(t *schema.Type) bool {
	left := []string{"url", "user", "password"}
	for i := range t.Body.Attributes {
		a := &t.Body.Attributes[i]
		if n := slices.Index(left, a.Name); n >= 0 && a.Type == cty.String {
			left = slices.Delete(left, n, n+1)
		} else if a.Required {
			return false
		}
	}
	return len(left) == 0 && !slices.ContainsFunc(t.Body.Blocks, func(b schema.Block) bool { return b.Required })
}
