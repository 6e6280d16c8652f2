package reference

import (
	"fmt"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

// languageText is what a page says of a block or an argument of the language, beside its grammar.
type languageText struct {
	word      string
	summary   string
	also      []string
	text      []string
	construct string // the block of the language whose grammar is shown; "": none
	argument  string // the argument of every declaration that it is about
	intro     string // before the example
	example   map[string]string
}

// languagePages are a page for each block and each general argument of the language. The examples are of the last type
// of server that there is.
func languagePages(catalog schema.Catalog) []*Page {
	var out []*Page
	grammar := map[string]*schema.Construct{}
	all := schema.Grammar()
	for i := range all {
		if grammar[all[i].Name] == nil { // of arguments alone, the first is of every declaration
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

// header is how a block is written.
func header(c *schema.Construct) string {
	text := c.Name
	for _, label := range c.Labels {
		text += fmt.Sprintf(" %q", strings.ToUpper(label))
	}
	return text
}

// argument adds what the grammar says of an argument of every declaration.
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

// exampleOf fills in the type of server of an example.
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

// takesLogin tells whether a type of server has what the examples give it, and needs nothing else.
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
