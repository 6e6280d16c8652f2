package survey

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/schema"
)

// Selection is what a declaration selects on its source now.
type Selection struct {
	source *Inventory
	items  []selected
	names  map[string]string
}

// selected is one element of resources or categories.
type selected struct {
	Item
	picked []pick
}

// pick is a selected resource. One that is still to come is described as on the server it comes from.
type pick struct {
	osmc.Resource
	path   string // path of its category
	coming bool
}

// Names returns the names of the selected resources, by ID. It returns nil for a nil selection. The result must not be
// changed.
func (s *Selection) Names() map[string]string {
	if s == nil {
		return nil
	}
	return s.names
}

func (s *Selection) name() {
	s.names = map[string]string{}
	for _, item := range s.items {
		for _, p := range item.picked {
			s.names[p.ID] = p.Name
		}
	}
}

// isComing reports whether a selected resource is not on the source yet.
func (s *Selection) isComing() bool {
	return slices.ContainsFunc(s.items, func(i selected) bool {
		return slices.ContainsFunc(i.picked, func(p pick) bool { return p.coming })
	})
}

// Select finds what a declaration selects: resources that exist on the source, and resources that upstream will bring
// to it. Problems are recorded in the items and are not errors. Select returns nil while observations are missing.
func (v *View) Select(s *Sync) *Selection {
	if v.selections[s] == nil {
		if made := v.resolve(s); made != nil {
			v.selections[s] = made
		}
	}
	return v.selections[s]
}

func (v *View) resolve(s *Sync) *Selection {
	inventory, source := v.SourceInventory(s), v.Server(s.SourceServer())
	var from *Selection
	if up := s.UpstreamSync(); up != nil && !v.alone {
		if from = v.Select(up); from == nil {
			return nil
		}
	}
	if inventory == nil || source == nil {
		return nil
	}
	x := &resolver{Inventory: inventory, source: source, from: from}
	of := selecting{s, source.Addr, source.User, from}
	return inventory.selection(of, func() *Selection { return x.resolve(s) })
}

// isOdd reports whether an item could not be found or is removed.
func (s *Selection) isOdd() bool {
	return slices.ContainsFunc(s.items, func(i selected) bool { return i.Problem != "" || i.IsRemoved() })
}

func (x *resolver) resolve(s *Sync) *Selection {
	out := &Selection{source: x.Inventory}
	if up := s.UpstreamSync(); up != nil && x.from != nil {
		x.expect(up, x.from)
	}
	for i, text := range s.Categories {
		out.items = append(out.items, x.category(text, i))
	}
	for i, text := range s.Resources {
		out.items = append(out.items, x.resource(text, i))
	}
	out.name()
	return out
}

// resolver knows what may be selected.
type resolver struct {
	*Inventory
	source *Server
	from   *Selection // what upstream selects, nil if there is no upstream
	coming []pick     // not on the source yet, by name and id
	into   string     // path of the category they come into
}

// expect adds what upstream will bring.
func (x *resolver) expect(up *Sync, from *Selection) {
	x.into = up.TargetCategory
	if c := x.Category(x.into); c != nil {
		x.into = x.Path(c.ID)
	}
	seen := map[string]bool{}
	for _, item := range from.items {
		for _, p := range item.picked {
			if have := x.Resource(p.ID); seen[p.ID] || have != nil && !have.Removed {
				continue
			}
			seen[p.ID] = true
			p.path, p.coming = x.into, true
			x.coming = append(x.coming, p)
		}
	}
	slices.SortFunc(x.coming, func(a, b pick) int {
		return cmp.Or(strings.Compare(a.Name, b.Name),
			strings.Compare(a.ID, b.ID))
	})
}

// all returns the resources that exist or will come, without removed ones.
func (x *resolver) all() []pick {
	var out []pick
	for i := range x.Resources {
		if r := &x.Resources[i]; !r.Removed {
			out = append(out, pick{Resource: *r, path: x.Path(r.Category)})
		}
	}
	return append(out, x.coming...)
}

// resource finds a resource by ID, by category path and name, or by name.
func (x *resolver) resource(text string, index int) selected {
	item := selected{Item: Item{Kind: KindResource, Declared: text, Index: index, Name: text, Path: text}}
	for _, way := range []struct {
		here []*osmc.Resource
		fits func(p *pick) bool
	}{
		{x.withID(text), func(p *pick) bool { return strings.EqualFold(p.ID, text) }},
		{x.withFullName(text), func(p *pick) bool { return schema.SameName(p.full(), text) }},
		{x.withName(text), func(p *pick) bool { return schema.SameName(p.Name, text) }},
	} {
		var found []pick
		for _, r := range way.here {
			if !r.Removed {
				found = append(found, pick{Resource: *r, path: x.Path(r.Category)})
			}
		}
		for i := range x.coming {
			if way.fits(&x.coming[i]) {
				found = append(found, x.coming[i])
			}
		}
		if len(found) == 1 {
			p := found[0]
			item.ID, item.Name, item.Path, item.Coming, item.picked = p.ID, p.Name, p.full(), p.coming, found
			return item
		}
		if len(found) > 1 {
			var paths []string
			for i := range found {
				paths = append(paths, fmt.Sprintf("%s (%s)", found[i].full(), found[i].ID))
			}
			item.Problem = fmt.Sprintf("%d resources of %s have that name: %s", len(found), x.source.Addr, wording.List(paths))
			return item
		}
	}
	if r := x.removedResource(text); r != nil {
		item.ID, item.Name, item.Path, item.Removed = r.ID, r.Name, x.FullName(r), []string{r.Name}
		return item
	}
	item.Problem = fmt.Sprintf("%s has no resource of that name, path or id that its user %s may see", x.source.Addr,
		x.source.User)
	var known []string
	all := x.all()
	for i := range all {
		known = append(known, all[i].Name, all[i].full())
	}
	item.Similar = similar(text, known)
	return item
}

func (p *pick) full() string {
	if p.path == "" {
		return p.Name
	}
	return p.path + "/" + p.Name
}

// removedResource returns the resource with an ID, path or name that is marked as deleted. It returns nil if there is
// none or more than one.
func (x *resolver) removedResource(text string) *osmc.Resource {
	var found *osmc.Resource
	for i := range x.Resources {
		r := &x.Resources[i]
		isMeant := strings.EqualFold(r.ID, text) || schema.SameName(x.FullName(r), text) || schema.SameName(r.Name, text)
		if !r.Removed || !isMeant {
			continue
		}
		if found != nil {
			return nil
		}
		found = r
	}
	return found
}

// category finds a category by ID, path or name, and what is in it. Categories within it are not selected. ASSUMED:
// the documentation does not say what happens to categories within one that is synchronized.
func (x *resolver) category(text string, index int) selected {
	item := selected{Item: Item{Kind: KindCategory, Declared: text, Index: index, Name: text, Path: text}}
	c := x.Category(text)
	if c == nil {
		var found []string
		for _, c = range x.categoriesNamed(text) {
			found = append(found, x.Path(c.ID))
		}
		if len(found) > 1 {
			item.Problem = fmt.Sprintf("%d categories of %s have that name: %s", len(found), x.source.Addr, wording.List(found))
			return item
		}
	}
	switch {
	case c != nil:
		x.fill(&item, c)
	case schema.SameName(x.into, text) && x.into != "":
		item.Coming = true
	default:
		item.Problem = fmt.Sprintf("%s has no category of that path, name or id", x.source.Addr)
		known := []string{x.into}
		for i := range x.Categories {
			known = append(known, x.Categories[i].Name, x.Path(x.Categories[i].ID))
		}
		item.Similar = similar(text, known)
		return item
	}
	if item.Path == x.into {
		item.picked = append(item.picked, x.coming...)
	}
	return item
}

// fill adds what a category contains to an item.
func (x *resolver) fill(item *selected, c *osmc.Category) {
	item.ID, item.Name, item.Path = c.ID, c.Name, x.Path(c.ID)
	for _, r := range x.Members(c.ID) {
		if r.Removed {
			item.Removed = append(item.Removed, r.Name)
			continue
		}
		item.picked = append(item.picked, pick{Resource: *r, path: item.Path})
	}
	for _, id := range c.Resources {
		if x.Resource(id) == nil {
			item.Hidden = append(item.Hidden, id)
		}
	}
}

// similar returns up to three known words that may have been meant.
func similar(text string, known []string) []string {
	type near struct {
		word     string
		distance int
	}
	var found []near
	seen := map[string]bool{}
	for _, w := range known {
		d := levenshtein.Distance(strings.ToLower(text), strings.ToLower(w), nil)
		if w == "" || seen[w] || d > max(2, len(text)/4) {
			continue
		}
		seen[w] = true
		found = append(found, near{w, d})
	}
	slices.SortFunc(found, func(a, b near) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), strings.Compare(a.word, b.word))
	})
	var out []string
	for _, n := range found[:min(3, len(found))] {
		out = append(out, n.word)
	}
	return out
}
