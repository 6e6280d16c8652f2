package survey

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/fault"
	"github.com/syncctl/syncctl/schema"
	"golang.org/x/sync/errgroup"
)

// Inventory is what a server has.
type Inventory struct {
	Categories []osmc.Category // by path and id
	Resources  []osmc.Resource // those marked as deleted too, by name and id

	// beside has the names of the categories, and all else about those that are not in now: the inventory is of what was
	// asked for alone. nil: it has all itself.
	beside *Inventory
	now    map[string]*osmc.Category

	once  sync.Once
	paths map[string]string // of the categories
	byID  map[string]*osmc.Resource

	categoryByID, categoryByPath, categoryByForm map[string]*osmc.Category // the first of each

	// by what people may write, and what the product takes for the same: in the order of Resources
	byFold, byName, byFullName, byProject map[string][]*osmc.Resource

	mu         sync.Mutex
	selections map[selecting]*Selection

	knownOnce sync.Once
	known     map[string]Known
}

// knownByKey are all categories and resources, by ConfigurationKey. Nobody changes them.
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

// selecting is a declaration and all that its selection is made from, beside the inventory.
type selecting struct {
	declared     *Sync
	server, user string // of the source, as they are called in problems
	upstream     *Selection
}

// selection is what a declaration selects, made once: others look at it too.
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

// readInventory reads what a server has. Where it lists a resource by its id alone, what is known of it is taken for it,
// which is nothing where known is nil.
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

// newInventory sorts what was read.
func newInventory(categories []osmc.Category, resources []osmc.Resource) *Inventory {
	inv := &Inventory{Categories: categories, Resources: resources}
	in := map[string]string{} // where a resource does not say it itself
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
				{inv.byFold, folded(r.ID)}, {inv.byName, schema.NameForm(r.Name)}, {inv.byFullName, schema.NameForm(full)},
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

// folded is the same for texts that strings.EqualFold takes for the same.
func folded(text string) string { return strings.ToLower(strings.ToUpper(text)) }

// withID are the resources of an id, whatever its case.
func (inv *Inventory) withID(id string) []*osmc.Resource {
	inv.index()
	return inv.byFold[folded(id)]
}

// withName are the resources of a name, in one Unicode form.
func (inv *Inventory) withName(name string) []*osmc.Resource {
	inv.index()
	return inv.byName[schema.NameForm(name)]
}

// withFullName are the resources of a category's path and a name, in one Unicode form.
func (inv *Inventory) withFullName(text string) []*osmc.Resource {
	inv.index()
	return inv.byFullName[schema.NameForm(text)]
}

// Named are the resources that a category's path and a name mean, without those that are marked as deleted.
func (inv *Inventory) Named(text string) []*osmc.Resource {
	return slices.DeleteFunc(slices.Clone(inv.withFullName(text)), func(r *osmc.Resource) bool { return r.Removed })
}

// withProject are the resources of a project id; of "" there are none.
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

// pathOf joins the names of a category and of all that it is in.
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

// Path is the path of a category, "" if there is no category of that id.
func (inv *Inventory) Path(category string) string {
	inv.index()
	return inv.paths[category]
}

// Resource finds a resource by its id, nil if it is not listed.
func (inv *Inventory) Resource(id string) *osmc.Resource {
	inv.index()
	return inv.byID[id]
}

// Category finds a category by its id or its path, nil if there is none. The path may be in another Unicode form than
// the server's: what is declared always is in one form, whatever the server has.
func (inv *Inventory) Category(text string) *osmc.Category {
	if inv.beside != nil {
		return inv.current(inv.beside.Category(text))
	}
	inv.index()
	return cmp.Or(inv.categoryByID[text], inv.categoryByPath[text], inv.categoryByForm[schema.NameForm(text)])
}

// current is a category as it was asked for, if it was.
func (inv *Inventory) current(c *osmc.Category) *osmc.Category {
	if c == nil || inv.now[c.ID] == nil {
		return c
	}
	return inv.now[c.ID]
}

// CategoryOf finds a category by its id, nil if it is not listed.
func (inv *Inventory) CategoryOf(id string) *osmc.Category {
	inv.index()
	return inv.categoryByID[id]
}

// categoriesNamed are the categories of a name, whatever they are in.
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

// CategoryAt finds a category by its path, nil if there is none.
func (inv *Inventory) CategoryAt(path string) *osmc.Category {
	if c := inv.Category(path); c != nil && schema.SameName(inv.paths[c.ID], path) {
		return c
	}
	return nil
}

// ancestors are the ids of a category and of all that it is in; of a path that does not exist, of the part that does.
func (inv *Inventory) ancestors(path string) []string {
	var out []string
	for ; path != ""; path = parentOf(path) {
		if c := inv.CategoryAt(path); c != nil {
			out = append(out, c.ID)
		}
	}
	return out
}

// spelled is a category's path with the server's own spelling of as much of it as exists.
func (inv *Inventory) spelled(path string) string {
	for known := path; known != ""; known = parentOf(known) {
		if c := inv.CategoryAt(known); c != nil {
			return inv.paths[c.ID] + path[len(known):]
		}
	}
	return path
}

// parentOf is the path of what a category, or a resource, is in; "" at the top.
func parentOf(path string) string { return path[:max(0, strings.LastIndexByte(path, '/'))] }

// FullName is the path of a resource's category and its name.
func (inv *Inventory) FullName(r *osmc.Resource) string {
	if p := inv.Path(r.Category); p != "" {
		return p + "/" + r.Name
	}
	return r.Name
}

// Members are the resources of a category that are listed, by name and id, the removed ones too.
func (inv *Inventory) Members(category string) []*osmc.Resource {
	var out []*osmc.Resource
	for i := range inv.Resources {
		if inv.Resources[i].Category == category {
			out = append(out, &inv.Resources[i])
		}
	}
	return out
}

// Lists tells whether the server names a resource anywhere, also one that its user may not see.
func (inv *Inventory) Lists(id string) bool {
	return inv.Resource(id) != nil || slices.ContainsFunc(inv.Categories,
		func(c osmc.Category) bool { return slices.Contains(c.Resources, id) })
}

// CopyOf finds on a target what a declaration of a resource meant: by id wherever it is now, by name or the end of
// a path in the target category, and else by name where only one has it.
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
