package planner

import (
	"cmp"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/schema"
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
	all := map[schema.Addr]*schema.Resource{}
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
	for _, r := range all {
		d := Declared{Addr: r.Addr.String(), Site: r.Site, Seen: seen[r.Addr]}
		d.collect(r, r.Type.Body, nil)
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b Declared) int { return strings.Compare(a.Addr, b.Addr) })
	return out
}

// siteName is the argument that names the network of a server, for types that define it themselves.
const siteName = "site"

// collect adds what the arguments of a body say, and those of its blocks that occur at most once and have no label.
func (d *Declared) collect(r *schema.Resource, body schema.Body, path []string) {
	for i := range body.Attributes {
		a := &body.Attributes[i]
		site := a.Name == siteName && len(path) == 0 && r.Addr.Kind == schema.Server
		if a.Ref == nil && !a.Brief && !site {
			continue
		}
		at := append(slices.Clone(path), a.Name)
		v := r.Get(at...)
		switch {
		case v.IsNull() || !v.IsWhollyKnown() || schema.IsSensitive(v):
		case a.Ref != nil:
			d.Links = append(d.Links, Link{Path: strings.Join(at, "."), To: r.Text(at...), Flow: a.Ref.Flow, Owns: a.Ref.Owns})
		case site:
			d.Site = cmp.Or(d.Site, r.Text(at...))
		case a.Brief:
			text := Text(v)
			if word := r.Text(at...); word != "" {
				text = word
			}
			d.Brief = append(d.Brief, Shown{Name: strings.Join(at, "."), Value: text})
		}
	}
	for _, b := range body.Blocks {
		if at := append(slices.Clone(path), b.Name); b.Label == "" && !b.Many && !r.Get(at...).IsNull() {
			d.collect(r, b.Body, at)
		}
	}
}
