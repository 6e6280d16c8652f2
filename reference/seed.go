package reference

import (
	"reflect"
	"strings"
)

// SeedMember is a member of an object in the seed of a product's simulator.
type SeedMember struct {
	Name, Type, Doc string
	Of              []SeedMember // of the object, or of each object in the list or object
}

// Seed returns the page about the seed of a product's simulator.
func Seed(product string, members []SeedMember) *Page {
	p := &Page{Word: "seed." + product, Also: []string{"seed"}, Group: Topics, Title: "The seed of " + quoted(product),
		Summary: "What the member " + quoted(product) + " of sandbox.json may have."}
	p.say("The seed of the simulated servers is the member %s of sandbox.json. An error names what is missing.",
		quoted(product))
	p.members("", members, map[string][]SeedMember{})
	return p
}

// members lists the members at a path, and then those inside of them.
func (p *Page) members(path string, of []SeedMember, seen map[string][]SeedMember) {
	var items []item
	for _, m := range of {
		items = append(items, item{name: quoted(m.Name), text: "(" + m.Type + "): " + m.Doc})
	}
	p.list(items)
	for _, m := range of {
		if len(m.Of) == 0 {
			continue
		}
		at := strings.TrimPrefix(path+"."+m.Name, ".")
		p.heading(quoted(at))
		p.object(at, m.Of, seen)
	}
}

// object lists the members of an object, unless an earlier one has the same.
func (p *Page) object(at string, of []SeedMember, seen map[string][]SeedMember) {
	same := ""
	for was, members := range seen {
		if reflect.DeepEqual(members, of) && (same == "" || was < same) {
			same = was
		}
	}
	switch {
	case len(of) == 0:
	case same != "":
		p.say("It has the members of %s.", quoted(same))
	default:
		seen[at] = of
		p.members(at, of, seen)
	}
}
