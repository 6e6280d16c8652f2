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

// Listings make observations of servers, and keep for the process what each server has: a step need not read all of it
// for the sake of one resource. What is kept says only where to look. Whatever a step's end rests upon is asked for
// when the step is looked at (see View), and where that is not as it was, the server is read as a whole.
type Listings struct {
	now func() time.Time

	mu  sync.Mutex
	all map[*schema.Resource]*listing
}

// listing is what is kept of one server.
type listing struct {
	now func() time.Time

	first sync.Mutex // held while the server is read for the first time

	mu    sync.Mutex
	begun int        // readings so far
	of    int        // the one that last is of
	last  *Inventory // nil: it has not been read
	named time.Time  // when all about its categories was read
	uses  map[string]*keptUses
}

// keptUses is what a resource uses, as it was read at a time.
type keptUses struct {
	mu   sync.Mutex // held while it is read
	at   time.Time
	body *Uses
}

// lately is how old something may be that is read of all of a server, and that nothing irreversible rests upon: what
// the names of categories are, where a path is missing and is to be made, and which models use others, which a person
// is told who looks for himself too. Otherwise all of the server would be read again for each of many steps.
const lately = 5 * time.Minute

// NewListings keep nothing yet.
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

// read reads all that the server has.
func (l *listing) read(ctx context.Context, c osmc.Reader) (*Inventory, error) {
	return l.readBeside(ctx, c, nil)
}

// listed is all that the server has, but that what is said of the resources that are kept is as it was last read.
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

// begin numbers a reading.
func (l *listing) begin() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.begun++
	return l.begun
}

// keep keeps what a reading has brought, unless one that began later has come first. named is when it was read what
// its categories are called. A reading that has taken some of it from what was known is kept in place of that alone:
// what has come since may say more of now.
func (l *listing) keep(turn int, inv *Inventory, named time.Time, known *Inventory) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if turn > l.of && (known == nil || known == l.last) {
		l.of, l.last, l.named = turn, inv, named
	}
}

// kept is nil where nothing is.
func (l *listing) kept() (inv *Inventory, named time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last, l.named
}

func (l *listing) isLately(at time.Time) bool {
	age := l.now().Sub(at)
	return age >= 0 && age < lately
}

// listing is what is kept. The server is read where nothing is.
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

// recent is what the server lists now: which resources and categories there are, and which are removed, is read. Of
// those that the server lists by their ids alone, and that are kept, all else is as it was last read. It is the same
// inventory as long as nothing has changed.
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
		return l.read(ctx, c) // perhaps its category says where it is
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

// refill reads the categories again that are kept with a resource which the server does not list any more.
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

// isAs tells whether an inventory says the same.
func (inv *Inventory) isAs(other *Inventory) bool {
	return slices.Equal(inv.Resources, other.Resources) && slices.EqualFunc(inv.Categories, other.Categories,
		func(a, b osmc.Category) bool {
			return a.ID == b.ID && a.Name == b.Name && a.Parent == b.Parent && slices.Equal(a.Resources, b.Resources)
		})
}

// categories are the server's categories, without resources: which there are is read, all about those that are new, and
// with reread about all of them. Otherwise what the others are called may have been read lately.
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
