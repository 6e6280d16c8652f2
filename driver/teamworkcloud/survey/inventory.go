package survey

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/fault"
	"github.com/syncctl/syncctl/schema"
	"golang.org/x/sync/errgroup"
)

// Inventory holds the categories and resources of a server.
type Inventory struct {
	Categories []osmc.Category // sorted by path and ID
	Resources  []osmc.Resource // including those marked as deleted, sorted by name and ID

	// beside is set if the inventory holds only what was asked for (see nearby). It has the paths of all categories,
	// and the details of those that are not in now. If beside is nil, the inventory is complete.
	beside *Inventory
	now    map[string]*osmc.Category

	once  sync.Once
	paths map[string]string // paths of the categories, by ID
	byID  map[string]*osmc.Resource

	categoryByID, categoryByPath, categoryByForm map[string]*osmc.Category // the first if there are several

	// indexes of Resources, in its order: by what people may write, and by what the product takes for the same project
	byFold, byName, byFullName, byProject map[string][]*osmc.Resource

	mu         sync.Mutex
	selections map[selecting]*Selection

	knownOnce sync.Once
	known     map[string]Known
}

// knownByKey returns all categories and resources by ConfigurationKey. The result must not be changed.
func (inv *Inventory) knownByKey() map[string]Known {
	inv.knownOnce.Do(func() {
		inv.known = map[string]Known{}
		for i := range inv.Resources {
			r := &inv.Resources[i]
			inv.known[ConfigurationKey(KindResource, r.ID, "")] = Known{Kind: KindResource, ID: r.ID, Path: inv.FullName(r)}
		}
		for i := range inv.Categories {
			path := inv.Path(inv.Categories[i].ID)
			inv.known[ConfigurationKey(KindCategory, "", path)] = Known{Kind: KindCategory, ID: inv.Categories[i].ID,
				Path: path}
		}
	})
	return inv.known
}

// selecting is the key of a cached Selection: a declaration, and everything besides the inventory that its selection
// depends on.
type selecting struct {
	declared     *Sync
	server, user string // name and user of the source, as problems mention them
	upstream     *Selection
}

// selection returns the selection for a key. It calls resolve only once per key, because several views ask for it.
func (inv *Inventory) selection(of selecting, resolve func() *Selection) *Selection {
	inv.mu.Lock()
	defer inv.mu.Unlock()
	if inv.selections == nil {
		inv.selections = map[selecting]*Selection{}
	}
	if inv.selections[of] == nil {
		inv.selections[of] = resolve()
	}
	return inv.selections[of]
}

// readInventory reads what a server has. If the server lists a resource only by its ID, its details are taken from
// known. known may be nil.
func readInventory(ctx context.Context, c osmc.Reader, known *Inventory) (*Inventory, error) {
	inv := &Inventory{}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		defer fault.Catch(&err)
		inv.Categories, err = c.Categories(ctx)
		return err
	})
	g.Go(func() (err error) {
		defer fault.Catch(&err)
		if known == nil {
			inv.Resources, err = c.Resources(ctx, true)
			return err
		}
		inv.Resources, err = c.ResourcesBeside(ctx, known.Resource)
		return err
	})
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return newInventory(inv.Categories, inv.Resources), nil
}

// newInventory makes an inventory from what was read, and sorts it.
func newInventory(categories []osmc.Category, resources []osmc.Resource) *Inventory {
	inv := &Inventory{Categories: categories, Resources: resources}
	in := map[string]string{} // the categories of resources, used if a resource does not say it
	for _, c := range inv.Categories {
		for _, id := range c.Resources {
			in[id] = cmp.Or(in[id], c.ID)
		}
	}
	for i := range inv.Resources {
		r := &inv.Resources[i]
		r.Category = cmp.Or(r.Category, in[r.ID])
	}
	paths := pathsOf(inv.Categories)
	slices.SortFunc(inv.Categories, func(a, b osmc.Category) int {
		return cmp.Or(strings.Compare(paths[a.ID], paths[b.ID]), strings.Compare(a.ID, b.ID))
	})
	slices.SortFunc(inv.Resources, func(a, b osmc.Resource) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID))
	})
	return inv
}

func (inv *Inventory) index() {
	inv.once.Do(func() {
		inv.byID = map[string]*osmc.Resource{}
		if inv.beside != nil {
			inv.beside.index()
			inv.paths = inv.beside.paths
		} else {
			inv.indexCategories()
		}
		for i := range inv.Resources {
			inv.byID[inv.Resources[i].ID] = &inv.Resources[i]
		}
		inv.byFold, inv.byName = map[string][]*osmc.Resource{}, map[string][]*osmc.Resource{}
		inv.byFullName, inv.byProject = map[string][]*osmc.Resource{}, map[string][]*osmc.Resource{}
		for i := range inv.Resources {
			r := &inv.Resources[i]
			full := r.Name
			if path := inv.paths[r.Category]; path != "" {
				full = path + "/" + r.Name
			}
			for _, entry := range []struct {
				in  map[string][]*osmc.Resource
				key string
			}{
				{inv.byFold, connect.Folded(r.ID)}, {inv.byName, schema.NameForm(r.Name)}, {inv.byFullName, schema.NameForm(full)},
				{inv.byProject, r.ProjectID},
			} {
				entry.in[entry.key] = append(entry.in[entry.key], r)
			}
		}
	})
}

func (inv *Inventory) indexCategories() {
	inv.paths = pathsOf(inv.Categories)
	inv.categoryByID, inv.categoryByPath = map[string]*osmc.Category{}, map[string]*osmc.Category{}
	inv.categoryByForm = map[string]*osmc.Category{}
	for i := range inv.Categories {
		c := &inv.Categories[i]
		path := inv.paths[c.ID]
		inv.categoryByID[c.ID] = c
		inv.categoryByPath[path] = cmp.Or(inv.categoryByPath[path], c)
		inv.categoryByForm[schema.NameForm(path)] = cmp.Or(inv.categoryByForm[schema.NameForm(path)], c)
	}
}

// withID returns the resources with an ID, in upper or lower case.
func (inv *Inventory) withID(id string) []*osmc.Resource {
	inv.index()
	return inv.byFold[connect.Folded(id)]
}

// withName returns the resources with a name, in any Unicode form.
func (inv *Inventory) withName(name string) []*osmc.Resource {
	inv.index()
	return inv.byName[schema.NameForm(name)]
}

// withFullName returns the resources with a category path and name, in any Unicode form.
func (inv *Inventory) withFullName(text string) []*osmc.Resource {
	inv.index()
	return inv.byFullName[schema.NameForm(text)]
}

// Named returns the resources with a category path and name, without those marked as deleted.
func (inv *Inventory) Named(text string) []*osmc.Resource {
	return slices.DeleteFunc(slices.Clone(inv.withFullName(text)), func(r *osmc.Resource) bool { return r.Removed })
}

// withProject returns the resources with a project ID. It returns nil if id is "".
func (inv *Inventory) withProject(id string) []*osmc.Resource {
	inv.index()
	if id == "" {
		return nil
	}
	return inv.byProject[id]
}

func pathsOf(categories []osmc.Category) map[string]string {
	all := map[string]*osmc.Category{}
	for i := range categories {
		all[categories[i].ID] = &categories[i]
	}
	paths := map[string]string{}
	for id, c := range all {
		paths[id] = pathOf(c, all)
	}
	return paths
}

// pathOf joins the names of a category and its ancestors.
func pathOf(c *osmc.Category, all map[string]*osmc.Category) string {
	words := []string{c.Name}
	for seen := map[string]bool{c.ID: true}; c.Parent != "" && !seen[c.Parent] && all[c.Parent] != nil; {
		c = all[c.Parent]
		seen[c.ID] = true
		words = append(words, c.Name)
	}
	slices.Reverse(words)
	return strings.Join(words, "/")
}

// Path returns the path of a category, or "" if there is no category with that ID.
func (inv *Inventory) Path(category string) string {
	inv.index()
	return inv.paths[category]
}

// Resource returns a resource by its ID, or nil if it is not listed.
func (inv *Inventory) Resource(id string) *osmc.Resource {
	inv.index()
	return inv.byID[id]
}

// Category returns a category by its ID or path, or nil if there is none. The path may be in another Unicode form than
// the server's: declarations always use one form, whatever the server has.
func (inv *Inventory) Category(text string) *osmc.Category {
	if inv.beside != nil {
		return inv.current(inv.beside.Category(text))
	}
	inv.index()
	return cmp.Or(inv.categoryByID[text], inv.categoryByPath[text], inv.categoryByForm[schema.NameForm(text)])
}

// current returns the category as it was read when asked for alone. It returns c if that was not done.
func (inv *Inventory) current(c *osmc.Category) *osmc.Category {
	if c == nil || inv.now[c.ID] == nil {
		return c
	}
	return inv.now[c.ID]
}

// CategoryOf returns a category by its ID, or nil if it is not listed.
func (inv *Inventory) CategoryOf(id string) *osmc.Category {
	inv.index()
	return inv.categoryByID[id]
}

// categoriesNamed returns all categories with a name, wherever they are.
func (inv *Inventory) categoriesNamed(name string) []*osmc.Category {
	from := inv
	if inv.beside != nil {
		from = inv.beside
	}
	var out []*osmc.Category
	for i := range from.Categories {
		if schema.SameName(from.Categories[i].Name, name) {
			out = append(out, inv.current(&from.Categories[i]))
		}
	}
	return out
}

// CategoryAt returns a category by its path, or nil if there is none.
func (inv *Inventory) CategoryAt(path string) *osmc.Category {
	if c := inv.Category(path); c != nil && schema.SameName(inv.paths[c.ID], path) {
		return c
	}
	return nil
}

// ancestors returns the IDs of a category and its ancestors. Parts of the path that do not exist are left out.
func (inv *Inventory) ancestors(path string) []string {
	var out []string
	for ; path != ""; path = parentOf(path) {
		if c := inv.CategoryAt(path); c != nil {
			out = append(out, c.ID)
		}
	}
	return out
}

// spelled returns the path of a category. The part that exists is spelled as the server spells it.
func (inv *Inventory) spelled(path string) string {
	for known := path; known != ""; known = parentOf(known) {
		if c := inv.CategoryAt(known); c != nil {
			return inv.paths[c.ID] + path[len(known):]
		}
	}
	return path
}

// parentOf returns the path of the category that contains a category or resource, or "" at the top.
func parentOf(path string) string { return path[:max(0, strings.LastIndexByte(path, '/'))] }

// FullName returns the path of a resource's category and its name.
func (inv *Inventory) FullName(r *osmc.Resource) string {
	if p := inv.Path(r.Category); p != "" {
		return p + "/" + r.Name
	}
	return r.Name
}

// Members returns the listed resources of a category, including removed ones, sorted by name and ID.
func (inv *Inventory) Members(category string) []*osmc.Resource {
	var out []*osmc.Resource
	for i := range inv.Resources {
		if inv.Resources[i].Category == category {
			out = append(out, &inv.Resources[i])
		}
	}
	return out
}

// Lists reports whether the server mentions a resource anywhere, even if the user may not see it.
func (inv *Inventory) Lists(id string) bool {
	return inv.Resource(id) != nil || slices.ContainsFunc(inv.Categories,
		func(c osmc.Category) bool { return slices.Contains(c.Resources, id) })
}

// CopyOf finds the resource on a target that a declaration means. It looks for the ID anywhere. Then it looks for the
// name, or the last part of a path, first in the target category and then anywhere. A name has to be unique there.
// CopyOf returns nil if it finds none.
func (inv *Inventory) CopyOf(declared, category string) *osmc.Resource {
	name := declared[strings.LastIndexByte(declared, '/')+1:]
	var inside, anywhere []*osmc.Resource
	for i := range inv.Resources {
		r := &inv.Resources[i]
		switch {
		case r.Removed:
		case strings.EqualFold(r.ID, declared):
			return r
		case schema.SameName(r.Name, declared) || schema.SameName(r.Name, name):
			anywhere = append(anywhere, r)
			if r.Category == category {
				inside = append(inside, r)
			}
		}
	}
	switch {
	case len(inside) == 1:
		return inside[0]
	case len(anywhere) == 1:
		return anywhere[0]
	}
	return nil
}
