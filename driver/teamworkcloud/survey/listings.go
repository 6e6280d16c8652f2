package survey

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/fault"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
	"golang.org/x/sync/errgroup"
)

// Listings makes observations of servers and caches what each server has, so that a step need not read a whole server
// to find one resource. The cache only says where to look. Whatever the result of a step depends on is read again when
// the step is verified (see View). If that differs from the cache, the whole server is read.
type Listings struct {
	now func() time.Time

	mu  sync.Mutex
	all map[*schema.Resource]*listing
}

// listing is the cache for one server.
type listing struct {
	now func() time.Time

	first sync.Mutex // held while the server is read for the first time

	mu    sync.Mutex
	begun int        // number of readings begun so far
	of    int        // number of the reading that last comes from
	last  *Inventory // nil: the server has not been read yet
	named time.Time  // when the details of all its categories were read
	uses  map[string]*keptUses
}

// keptUses caches what a resource uses, with the time when it was read.
type keptUses struct {
	mu   sync.Mutex // held while uses are read
	at   time.Time
	body *Uses
}

// lately is the maximum age of cached data about a whole server that nothing irreversible depends on: the names of
// categories, when a missing path has to be created, and which models use others, which is shown to a person who
// checks it too. Without it, the whole server would be read again for each of many steps.
const lately = 5 * time.Minute

// NewListings returns an empty cache.
func NewListings(now func() time.Time) *Listings {
	return &Listings{now: now, all: map[*schema.Resource]*listing{}}
}

func (l *Listings) of(server *schema.Resource) *listing {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all[server] == nil {
		l.all[server] = &listing{now: l.now, uses: map[string]*keptUses{}}
	}
	return l.all[server]
}

// Observe makes one observation of a server.
func (l *Listings) Observe(
	ctx context.Context, c osmc.Reader, server *connect.Server, n planner.Need,
) (any, error) {
	switch at := l.of(server.Resource()); n.What {
	case AboutInventory:
		return named(n, func() (*Inventory, error) { return at.read(ctx, c) })
	case aboutListing:
		return named(n, func() (*Inventory, error) { return at.listing(ctx, c) })
	case aboutRecent:
		return named(n, func() (*Inventory, error) { return at.recent(ctx, c) })
	case aboutListed:
		return named(n, func() (*Inventory, error) { return at.listed(ctx, c) })
	case aboutCategories:
		return named(n, func() (*Inventory, error) { return at.categories(ctx, c, n.Of == reread) })
	case aboutUsesLately:
		return at.usesLately(n.Of, func() (any, error) {
			return Observe(ctx, c, server, planner.Need{Server: n.Server, What: AboutUses, Of: n.Of})
		})
	}
	return Observe(ctx, c, server, n)
}

// read reads and caches everything that the server has.
func (l *listing) read(ctx context.Context, c osmc.Reader) (*Inventory, error) {
	return l.readBeside(ctx, c, nil)
}

// listed lists the server's current categories and resource IDs. Details of resources that are already cached may be
// stale.
func (l *listing) listed(ctx context.Context, c osmc.Reader) (*Inventory, error) {
	known, _ := l.kept()
	return l.readBeside(ctx, c, known)
}

func (l *listing) readBeside(ctx context.Context, c osmc.Reader, known *Inventory) (*Inventory, error) {
	turn, at := l.begin(), l.now()
	inv, err := readInventory(ctx, c, known)
	if err == nil {
		l.keep(turn, inv, at, known)
	}
	return inv, err
}

// begin returns the number of a new reading.
func (l *listing) begin() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.begun++
	return l.begun
}

// keep caches the result of a reading, unless the result of a later reading is already cached. named is when the names
// of its categories were read. A reading that reused details of known replaces only known itself: anything else that
// is cached by then may be more recent.
func (l *listing) keep(turn int, inv *Inventory, named time.Time, known *Inventory) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if turn > l.of && (known == nil || known == l.last) {
		l.of, l.last, l.named = turn, inv, named
	}
}

// kept returns the cached inventory, or nil if there is none.
func (l *listing) kept() (inv *Inventory, named time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last, l.named
}

func (l *listing) isLately(at time.Time) bool {
	age := l.now().Sub(at)
	return age >= 0 && age < lately
}

// listing returns the cached inventory. It reads the server if there is none.
func (l *listing) listing(ctx context.Context, c osmc.Reader) (*Inventory, error) {
	if inv, _ := l.kept(); inv != nil {
		return inv, nil
	}
	l.first.Lock()
	defer l.first.Unlock()
	if inv, _ := l.kept(); inv != nil {
		return inv, nil
	}
	return l.read(ctx, c)
}

// recent lists the server's current categories and resources, and which of them are removed. Where the server lists
// only the ID of something that is cached, the other details may be stale. recent returns the same inventory as before
// as long as nothing has changed.
func (l *listing) recent(ctx context.Context, c osmc.Reader) (*Inventory, error) {
	if _, err := l.listing(ctx, c); err != nil {
		return nil, err
	}
	turn := l.begin()
	known, named := l.kept()
	var categories []osmc.Category
	var resources []osmc.Resource
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		defer fault.Catch(&err)
		categories, err = c.CategoriesBeside(gctx, known.CategoryOf)
		return err
	})
	g.Go(func() (err error) {
		defer fault.Catch(&err)
		resources, err = c.ResourcesBeside(gctx, known.Resource)
		return err
	})
	if err := g.Wait(); err != nil {
		return nil, err
	}
	isLost := func(r osmc.Resource) bool { return r.Category == "" && known.Resource(r.ID) == nil }
	if slices.ContainsFunc(resources, isLost) {
		return l.read(ctx, c) // perhaps its category says where the resource is
	}
	if err := known.refill(ctx, c, categories, resources); err != nil {
		return nil, err
	}
	inv := newInventory(categories, resources)
	if inv.isAs(known) {
		return known, nil
	}
	l.keep(turn, inv, named, known)
	return inv, nil
}

// refill reads the resources of each category again that contained a cached resource which the server no longer lists.
func (inv *Inventory) refill(
	ctx context.Context, c osmc.Reader, categories []osmc.Category, resources []osmc.Resource,
) error {
	listed := map[string]bool{}
	for i := range resources {
		listed[resources[i].ID] = true
	}
	isGone := func(id string) bool { return !listed[id] && inv.Resource(id) != nil }
	for i := range categories {
		if !slices.ContainsFunc(categories[i].Resources, isGone) {
			continue
		}
		in, err := c.CategoryResources(ctx, categories[i].ID, false)
		if err != nil {
			return err
		}
		categories[i].Resources = in
	}
	return nil
}

// isAs reports whether two inventories are equal.
func (inv *Inventory) isAs(other *Inventory) bool {
	return slices.Equal(inv.Resources, other.Resources) && slices.EqualFunc(inv.Categories, other.Categories,
		func(a, b osmc.Category) bool {
			return a.ID == b.ID && a.Name == b.Name && a.Parent == b.Parent && slices.Equal(a.Resources, b.Resources)
		})
}

// categories lists the server's current categories. It reads the details of new categories; with reread, it reads
// those of all categories. Without reread, the other details may be cached for up to lately. Resources come from the
// cache.
func (l *listing) categories(ctx context.Context, c osmc.Reader, reread bool) (*Inventory, error) {
	if _, err := l.listing(ctx, c); err != nil {
		return nil, err
	}
	turn, at := l.begin(), l.now()
	known, named := l.kept()
	was := func(string) *osmc.Category { return nil }
	if !reread && l.isLately(named) {
		at, was = named, known.CategoryOf
	}
	list, err := c.CategoriesBeside(ctx, was)
	if err != nil {
		return nil, err
	}
	inv := newInventory(list, slices.Clone(known.Resources))
	if !inv.isAs(known) || at != named {
		l.keep(turn, inv, at, known)
	}
	return inv, nil
}

func (l *listing) usesLately(id string, read func() (any, error)) (any, error) {
	l.mu.Lock()
	if l.uses[id] == nil {
		l.uses[id] = &keptUses{}
	}
	kept := l.uses[id]
	l.mu.Unlock()
	kept.mu.Lock()
	defer kept.mu.Unlock()
	if kept.body != nil && l.isLately(kept.at) {
		return kept.body, nil
	}
	at := l.now()
	body, err := read()
	if err != nil {
		return nil, err
	}
	if uses, ok := body.(*Uses); ok && uses.Why == "" {
		kept.at, kept.body = at, uses
	}
	return body, nil
}
