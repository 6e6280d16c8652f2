package planner

import (
	"cmp"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

// Declared is one declaration as shown in pictures of the plan: its links, and a few values to recognize it by.
type Declared struct {
	Addr  string  `json:"addr"`            // the declaration
	Site  string  `json:"site,omitempty"`  // the network of a server
	Links []Link  `json:"links,omitempty"` // in the order of its type's arguments
	Brief []Shown `json:"brief,omitempty"` // as declared, see schema.Attribute.Brief
	Seen  []Shown `json:"seen,omitempty"`  // as observed, see Outline.Seen
}

// Link is a reference of a declaration to another.
type Link struct {
	Path string      `json:"path"`           // of the argument, such as "source" or "first.server"
	To   string      `json:"to"`             // an address
	Flow schema.Flow `json:"flow,omitempty"` // which way data flows, seen from the declaration
	Owns bool        `json:"owns,omitempty"` // the declaration carries out the other one
}

// Shown is a value and its name, for people.
type Shown struct {
	Name  string `json:"name"`  // what it is
	Value string `json:"value"` // as text
}

// declared returns the planned declarations and everything they refer to, sorted by address.
func declared(planned []*schema.Resource, seen map[schema.Addr][]Shown) []Declared {
	all := make(map[schema.Addr]*schema.Resource, len(planned))
	var add func(r *schema.Resource)
	add = func(r *schema.Resource) {
		if all[r.Addr] != nil {
			return
		}
		all[r.Addr] = r
		for _, other := range r.Refs {
			add(other)
		}
	}
	for _, r := range planned {
		add(r)
	}
	out := make([]Declared, 0, len(all))
	path := make([]string, 0, 8) // nothing keeps it
	for _, r := range all {
		d := Declared{Addr: r.Addr.String(), Site: r.Site, Seen: seen[r.Addr]}
		d.collect(r, &r.Type.Body, r.Value, path)
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b Declared) int { return strings.Compare(a.Addr, b.Addr) })
	return out
}

// siteName is the argument that names the network of a server, for types that define it themselves.
const siteName = "site"

// collect adds what the arguments of a body with a value say, and those of its blocks that occur at most once and have
// no label.
func (d *Declared) collect(r *schema.Resource, body *schema.Body, of cty.Value, path []string) {
	for i := range body.Attributes {
		a := &body.Attributes[i]
		site := a.Name == siteName && len(path) == 0 && r.Addr.Kind == schema.Server
		if a.Ref == nil && !a.Brief && !site {
			continue
		}
		at, v := append(path, a.Name), schema.Get(of, a.Name)
		switch {
		case v.IsNull() || !v.IsWhollyKnown() || schema.IsSensitive(v):
		case a.Ref != nil:
			d.Links = append(d.Links, Link{Path: strings.Join(at, "."), To: schema.Text(v), Flow: a.Ref.Flow, Owns: a.Ref.Owns})
		case site:
			d.Site = cmp.Or(d.Site, schema.Text(v))
		case a.Brief:
			text := Text(v)
			if word := schema.Text(v); word != "" {
				text = word
			}
			d.Brief = append(d.Brief, Shown{Name: strings.Join(at, "."), Value: text})
		}
	}
	for i := range body.Blocks {
		b := &body.Blocks[i]
		if b.Label != "" || b.Many {
			continue
		}
		if inner := schema.Get(of, b.Name); !inner.IsNull() {
			d.collect(r, &b.Body, inner, append(path, b.Name)) // nothing keeps a path
		}
	}
}
