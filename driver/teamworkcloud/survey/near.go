package survey

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
)

// Found is a resource as the server returns it when asked for it alone.
type Found struct {
	Gone     bool // the server does not find the resource
	Unclear  bool // the user may not see the resource, or the server does not say whether it is removed
	Resource osmc.Resource
}

func readFound(ctx context.Context, c osmc.Reader, id string) (*Found, error) {
	r, removed, err := c.ResourceNow(ctx, id)
	switch {
	case osmc.IsGone(err):
		return &Found{Gone: true}, nil
	case osmc.NotAllowed(err):
		return &Found{Unclear: true}, nil
	case err != nil:
		return nil, err
	}
	_, known := removed.Get()
	return &Found{Unclear: !known, Resource: *r}, nil
}

// In is a category as the server returns it when asked for it alone. It lists all resources in it, including removed
// ones.
type In struct {
	Unclear  bool // the server does not find the category, or the user may not see it
	Category osmc.Category
}

func readIn(ctx context.Context, c osmc.Reader, id string) (*In, error) {
	category, err := c.CategoryNow(ctx, id)
	switch {
	case osmc.IsGone(err) || osmc.NotAllowed(err):
		return &In{Unclear: true}, nil
	case err != nil:
		return nil, err
	}
	return &In{Category: *category}, nil
}

// Inventory returns what a server has, or nil while it has not been observed.
func (v *View) Inventory(s *connect.Server) *Inventory {
	what := AboutInventory
	if v.scope != Whole && !v.doubted[s.Address()] {
		what = aboutRecent
	}
	return Look[Inventory](v, s.Resource(), what, "")
}

// Listed returns an inventory for Inventory.Lists: whether the server mentions certain IDs anywhere now. All details
// of categories, and which resources the server lists, are up to date. Details of resources may be stale. Listed
// returns nil while that has not been observed.
func (v *View) Listed(s *connect.Server) *Inventory {
	if v.scope == Whole || v.doubted[s.Address()] {
		return v.Inventory(s)
	}
	return Look[Inventory](v, s.Resource(), aboutListed, "")
}

// doubt is called when something differs from the cached listing. It has the whole server read and the look repeated.
func (v *View) doubt(s *connect.Server) {
	if !v.doubted[s.Address()] {
		v.doubted[s.Address()], v.doubts = true, true
	}
}

// Doubt has the whole server read, unless the scope is Whole and it was read anyway.
func (v *View) Doubt(s *connect.Server) {
	if v.scope != Whole {
		v.doubt(s)
	}
}

// Strictly has the whole source read if something is selected only by its name. Only a complete list shows whether
// something else has that name now. It is for looks that something irreversible depends on.
func (v *View) Strictly() { v.strict = true }

// Resource returns a resource as the server has it now. It returns nil if there is none; r.Removed is set if it is
// removed. ok is false while that has not been observed.
func (v *View) Resource(s *connect.Server, id string) (r *osmc.Resource, ok bool) {
	if v.scope == Whole || v.doubted[s.Address()] {
		inv := v.Inventory(s)
		if inv == nil {
			return nil, false
		}
		return inv.Resource(id), true
	}
	found := Look[Found](v, s.Resource(), aboutResource, id)
	switch {
	case found == nil:
		return nil, false
	case found.Gone, found.Unclear, found.Resource.Removed: // only a complete list tells which, and where it is now
		v.doubt(s)
		return nil, false
	}
	return &found.Resource, true
}

// Members returns the IDs of all resources that are in a category now, including removed ones. ok is false while that
// has not been observed.
func (v *View) Members(s *connect.Server, category string) (ids []string, ok bool) {
	if v.scope == Whole || v.doubted[s.Address()] {
		inv := v.Inventory(s)
		if inv == nil {
			return nil, false
		}
		for _, r := range inv.Members(category) {
			ids = append(ids, r.ID)
		}
		return ids, true
	}
	in := Look[In](v, s.Resource(), aboutCategory, category)
	if in == nil {
		return nil, false
	}
	if in.Unclear {
		v.doubt(s)
		return nil, false
	}
	return in.Category.Resources, true
}

// Categories returns a server's categories, for finding path. The category at path and its ancestors are each read
// again. Categories returns nil while that has not been observed.
func (v *View) Categories(s *connect.Server, path string) *Inventory {
	inv := Look[Inventory](v, s.Resource(), aboutCategories, "")
	if inv == nil {
		return nil
	}
	name := path[strings.LastIndexByte(path, '/')+1:]
	sure := inv.CategoryAt(path) != nil || inv.CategoryAt(name) == nil // else a new category may not name its parent
	for ; path != "" && sure; path = parentOf(path) {
		c := inv.CategoryAt(path)
		if c == nil {
			continue
		}
		in := Look[In](v, s.Resource(), aboutCategory, c.ID)
		if in == nil {
			return nil
		}
		sure = in.isAs(c)
	}
	if sure {
		return inv
	}
	return Look[Inventory](v, s.Resource(), aboutCategories, reread)
}

// isAs reports whether the category still has the name and parent of c.
func (in *In) isAs(c *osmc.Category) bool {
	return !in.Unclear && in.Category.Name == c.Name && in.Category.Parent == c.Parent
}

// sourceOf returns what may be selected on a synchronization's source. It also reads what earlier hops bring.
func (v *View) sourceOf(s *Sync) *Inventory {
	server := s.SourceServer()
	if v.scope != Near || v.doubted[server.Address()] {
		return v.Inventory(server)
	}
	n := v.nearby(server)
	var upstream *Selection
	if up := s.UpstreamSync(); up != nil && !v.alone {
		if upstream = v.Select(up); upstream == nil {
			return nil
		}
	}
	if n == nil {
		return nil
	}
	for _, text := range s.Categories {
		meant := n.listing.meantCategories(text)
		if len(meant) == 0 || v.strict && n.listing.Category(text) == nil { // a hop, or somebody, may have created it since
			v.doubt(server)
		}
		for _, c := range meant {
			n.category(c)
			n.above(c)
		}
	}
	for _, text := range s.Resources {
		if v.strict && len(n.listing.withID(text)) == 0 {
			v.doubt(server)
		}
		for _, r := range slices.Concat(n.listing.withID(text), n.listing.withFullName(text), n.listing.withName(text)) {
			n.resource(r.ID, false)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(upstream.Names())) {
		n.resource(id, true)
	}
	return n.inventory()
}

// meantCategories returns the categories that a text in a declaration selects.
func (inv *Inventory) meantCategories(text string) []*osmc.Category {
	if c := inv.Category(text); c != nil {
		return []*osmc.Category{c}
	}
	return inv.categoriesNamed(text)
}

// targetOf returns which of the selected resources a synchronization's target has.
func (v *View) targetOf(s *Sync) *Inventory {
	server := s.TargetServer()
	if v.scope != Near || v.doubted[server.Address()] {
		return v.Inventory(server)
	}
	n, selection := v.nearby(server), v.Select(s)
	if n == nil || selection == nil {
		return nil
	}
	for _, id := range slices.Sorted(maps.Keys(selection.Names())) {
		n.resource(id, true)
	}
	return n.inventory()
}

// nearby reads single resources and categories of a server.
type nearby struct {
	view     *View
	server   *connect.Server
	listing  *Inventory
	seen     map[string]bool
	passed   map[string]bool // categories that were read because their names are part of a path
	found    []osmc.Resource
	in       map[string]string // categories of resources, as the categories list them
	now      map[string]*osmc.Category
	complete bool
}

// nearby returns nil while no listing of the server is cached.
func (v *View) nearby(s *connect.Server) *nearby {
	listing := Look[Inventory](v, s.Resource(), aboutListing, "")
	if listing == nil {
		return nil
	}
	return &nearby{view: v, server: s, listing: listing, seen: map[string]bool{}, passed: map[string]bool{},
		in: map[string]string{}, now: map[string]*osmc.Category{}, complete: true}
}

// resource reads a resource. absent: the server need not have it.
func (n *nearby) resource(id string, absent bool) {
	if n.seen[id] {
		return
	}
	n.seen[id] = true
	found := Look[Found](n.view, n.server.Resource(), aboutResource, id)
	switch {
	case found == nil:
		n.complete = false
	case found.Unclear, found.Gone && (!absent || n.listing.Resource(id) != nil): // it may be removed
		n.view.doubt(n.server)
	case !found.Gone:
		r := found.Resource
		r.ID = id
		if r.Category = cmp.Or(r.Category, n.in[id]); r.Category == "" { // only the category says that the resource is in it
			if was := n.listing.Resource(id); was != nil {
				r.Category = was.Category
			}
		}
		n.found = append(n.found, r)
	}
}

// category reads a category and all resources in it.
func (n *nearby) category(c *osmc.Category) {
	if n.now[c.ID] != nil {
		return
	}
	in := Look[In](n.view, n.server.Resource(), aboutCategory, c.ID)
	switch {
	case in == nil:
		n.complete = false
		return
	case !in.isAs(c):
		n.view.doubt(n.server)
		return
	}
	now := *c
	now.Resources = slices.Clone(in.Category.Resources)
	n.now[c.ID] = &now
	for _, id := range now.Resources {
		n.in[id] = c.ID
		n.resource(id, false)
	}
}

// above reads the ancestors of a category, because its path consists of their names. It does not read their resources.
func (n *nearby) above(c *osmc.Category) {
	for c = n.listing.CategoryOf(c.Parent); c != nil && !n.passed[c.ID]; c = n.listing.CategoryOf(c.Parent) {
		n.passed[c.ID] = true
		switch in := Look[In](n.view, n.server.Resource(), aboutCategory, c.ID); {
		case in == nil:
			n.complete = false
		case !in.isAs(c):
			n.view.doubt(n.server)
		}
	}
}

// inventory returns what was found, or nil while something has not been observed.
func (n *nearby) inventory() *Inventory {
	if !n.complete || n.view.doubts {
		return nil
	}
	removed := map[string]bool{}
	for i := range n.found {
		removed[n.found[i].ID] = n.found[i].Removed
	}
	for _, c := range n.now {
		c.Resources = slices.DeleteFunc(c.Resources, func(id string) bool { return removed[id] })
	}
	slices.SortFunc(n.found, func(a, b osmc.Resource) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID))
	})
	return &Inventory{Resources: n.found, beside: n.listing, now: n.now}
}
