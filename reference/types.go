package reference

import (
	"fmt"
	"strings"

	"github.com/syncctl/syncctl/schema"
)

// typePages returns a page for each block type.
func typePages(catalog schema.Catalog) []*Page {
	var out []*Page
	for i := range catalog {
		out = append(out, typePage(catalog, &catalog[i]))
	}
	return out
}

func typePage(catalog schema.Catalog, t *schema.Type) *Page {
	word := string(t.Kind) + "." + t.Name
	p := &Page{Word: word, Group: Types, Title: quoted(fmt.Sprintf("%s %q", t.Kind, t.Name)), Summary: t.Summary}
	p.say("%s", t.Summary)
	p.say("A reference to one is written %s.", quoted(word+".NAME"))
	p.heading("Arguments")
	p.body(&t.Body, nil, map[string]*schema.Body{})
	p.heading("What every declaration takes")
	also := "`for_each`, `enabled`, `depends_on` and a block `lifecycle`"
	if len(t.Body.Blocks) > 0 {
		also += ". Nested blocks can be made by a block `dynamic`"
	}
	p.say("%s. What all of this type share can be given in %s.", also,
		quoted(fmt.Sprintf("defaults %q %q { ... }", t.Kind, t.Name)))
	p.example("", map[string]string{"main.sync.hcl": t.Example})
	if t.Full != "" {
		p.example("The other arguments:", map[string]string{"main.sync.hcl": t.Full})
	}
	if from := referring(catalog, t); len(from) > 0 {
		p.heading("Referred to by")
		p.say("%s.", list(from, "and"))
	}
	return p
}

// referring returns the types with an argument that refers to the given type.
func referring(catalog schema.Catalog, t *schema.Type) []string {
	var out []string
	for i := range catalog {
		var paths []string
		eachArgument(&catalog[i].Body, nil, func(path []string, a *schema.Attribute) {
			if a.Ref != nil && a.Ref.Kind == t.Kind && (a.Ref.Type == t.Name || a.Ref.Type == "") {
				paths = append(paths, quoted(strings.Join(append(path, a.Name), ".")))
			}
		})
		if len(paths) > 0 {
			out = append(out, fmt.Sprintf("%s (%s)", quoted(string(catalog[i].Kind)+"."+catalog[i].Name), strings.Join(paths,
				", ")))
		}
	}
	return out
}

// eachArgument visits all arguments of a body and of the blocks in it.
func eachArgument(b *schema.Body, path []string, visit func(path []string, a *schema.Attribute)) {
	for i := range b.Attributes {
		visit(path, &b.Attributes[i])
	}
	for i := range b.Blocks {
		eachArgument(&b.Blocks[i].Body, append(path[:len(path):len(path)], b.Blocks[i].Name), visit)
	}
}

// example shows the files of a configuration.
func (p *Page) example(intro string, files map[string]string) {
	if len(p.Examples) == 0 {
		p.heading("Example")
	}
	p.Examples = append(p.Examples, files)
	if intro != "" {
		p.say("%s", intro)
	}
	for _, name := range sortedNames(files) {
		if len(files) > 1 {
			p.say("%s:", quoted(name))
		}
		p.code("hcl", files[name])
	}
}
