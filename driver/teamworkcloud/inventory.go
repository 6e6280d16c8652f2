package teamworkcloud

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
	"golang.org/x/sync/errgroup"
)

// atOnce is how many requests for histories are under way at a time.
const atOnce = 4

// survey is one look at the servers: each is listed once, however many declarations ask.
type look struct {
	d  *Driver
	mu sync.Mutex
	of map[*schema.Resource]func() (*inventory, error)
}

func (d *Driver) newSurvey() *look {
	return &look{d: d, of: map[*schema.Resource]func() (*inventory, error){}}
}

// inventory lists a server's categories and resources.
func (s *look) inventory(ctx context.Context, server *schema.Resource) (*inventory, error) {
	s.mu.Lock()
	take := s.of[server]
	if take == nil {
		take = sync.OnceValues(func() (*inventory, error) { return s.d.takeInventory(ctx, server) })
		s.of[server] = take
	}
	s.mu.Unlock()
	return take()
}

// inventory is what a server has.
type inventory struct {
	server     *schema.Resource
	client     osmc.Reader
	facts      serverFacts
	categories []osmc.Category // by path and id
	resources  []osmc.Resource // those marked as deleted too, by name and id
	paths      map[string]string
	byID       map[string]*osmc.Resource
}

func (d *Driver) takeInventory(ctx context.Context, server *schema.Resource) (*inventory, error) {
	inv, err := d.listServer(ctx, server)
	if err != nil {
		return nil, planner.About(server, fmt.Errorf("reading %s: %w", server.Addr, err))
	}
	return inv, nil
}

func (d *Driver) listServer(ctx context.Context, server *schema.Resource) (*inventory, error) {
	c, err := d.reader(server)
	if err != nil {
		return nil, err
	}
	inv := &inventory{server: server, client: c, paths: map[string]string{}, byID: map[string]*osmc.Resource{}}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		inv.facts, err = readServer(ctx, c, server)
		return err
	})
	g.Go(func() (err error) {
		inv.categories, err = c.Categories(ctx)
		return err
	})
	g.Go(func() (err error) {
		inv.resources, err = c.Resources(ctx, true)
		return err
	})
	if err := g.Wait(); err != nil {
		return nil, err
	}
	inv.index()
	return inv, nil
}

// readServer reads what a server says of itself. A user who may not see its health still learns its version.
func readServer(ctx context.Context, c osmc.Reader, server *schema.Resource) (serverFacts, error) {
	f := serverFacts{Addr: server.Addr.String(), User: server.Text("user")}
	var err error
	if f.Text, f.Release, err = c.Version(ctx); err != nil {
		return f, fmt.Errorf("asking for its version: %w", err)
	}
	if !f.Release.IsZero() {
		f.Major = f.Release.Major()
	}
	health, err := c.Health(ctx)
	switch {
	case osmc.NotAllowed(err) || osmc.IsGone(err): // it needs more rights than all the rest, and is there from some release on
	case err != nil:
		return f, fmt.Errorf("asking for its health: %w", err)
	default:
		f.Keyspace, f.Nodes, f.Ports = health.Keyspace, len(health.Nodes), len(health.Nodes) > 0
		f.Major = cmp.Or(f.Major, health.Major())
		for _, n := range health.Nodes {
			plain, plainKnown := n.PlainPort.Get()
			tls, tlsKnown := n.TLSPort.Get()
			f.PlainPort, f.TLSPort, f.Ports = cmp.Or(f.PlainPort, plain), cmp.Or(f.TLSPort, tls), f.Ports && plainKnown && tlsKnown
		}
	}
	if f.User != "" {
		return f, nil
	}
	user, err := c.CurrentUser(ctx)
	switch {
	case osmc.NotAllowed(err):
		return f, nil
	case err != nil:
		return f, fmt.Errorf("asking whose token it is: %w", err)
	}
	f.User = user.Name
	return f, nil
}

func (inv *inventory) index() {
	parents := map[string]*osmc.Category{}
	for i := range inv.categories {
		parents[inv.categories[i].ID] = &inv.categories[i]
	}
	for i := range inv.categories {
		c := &inv.categories[i]
		inv.paths[c.ID] = pathOf(c, parents)
	}
	slices.SortFunc(inv.categories, func(a, b osmc.Category) int {
		return cmp.Or(strings.Compare(inv.paths[a.ID], inv.paths[b.ID]), strings.Compare(a.ID, b.ID))
	})
	slices.SortFunc(inv.resources, func(a, b osmc.Resource) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID))
	})
	for i := range inv.resources {
		inv.byID[inv.resources[i].ID] = &inv.resources[i]
	}
	for _, c := range inv.categories { // where a resource does not say it itself
		for _, id := range c.Resources {
			if r := inv.byID[id]; r != nil && r.Category == "" {
				r.Category = c.ID
			}
		}
	}
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

// category finds a category by its id or its path, nil if there is none.
func (inv *inventory) category(text string) *osmc.Category {
	for i := range inv.categories {
		if c := &inv.categories[i]; c.ID == text || inv.paths[c.ID] == text {
			return c
		}
	}
	return nil
}

// ancestors are a category's id and those of all that it is in; for a path that is not there, of what is there of it.
func (inv *inventory) ancestors(path string) []string {
	var out []string
	for path != "" {
		if c := inv.category(path); c != nil && inv.paths[c.ID] == path {
			out = append(out, c.ID)
		}
		path = path[:max(0, strings.LastIndexByte(path, '/'))]
	}
	return out
}

// path is a resource's category and name.
func (inv *inventory) path(r *osmc.Resource) string {
	if p := inv.paths[r.Category]; p != "" {
		return p + "/" + r.Name
	}
	return r.Name
}

// members are the resources of a category that are listed, by name and id, the removed ones too.
func (inv *inventory) members(category string) []*osmc.Resource {
	var out []*osmc.Resource
	for i := range inv.resources {
		if inv.resources[i].Category == category {
			out = append(out, &inv.resources[i])
		}
	}
	return out
}
