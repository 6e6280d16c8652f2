package teamworkcloud

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/revision"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

var _ driver.Importer = (*Driver)(nil)

// Import finds resources on a server that are copies from other declared servers, but whose synchronization is not
// declared. No interface shows remote resource configurations (no path of the vendor's specifications has any). So
// drafts are based on the histories of both servers and on who has the role to synchronize, or on a person who names
// the source.
func (d *Driver) Import(ctx context.Context, of driver.ImportRequest) ([]schema.Draft, error) {
	server, all := of.Server, of.Declared
	x := &importer{d: d, ctx: ctx, told: len(of.From) > 0, target: connect.Declared(server), settled: map[string]bool{},
		groups: map[groupKey]*group{}, several: map[*connect.Server]int{}, made: map[planner.Need]*made{},
		byAddr: map[string]*schema.Resource{}}
	for _, r := range all {
		x.byAddr[r.Addr.String()] = r
	}
	for _, r := range of.From {
		if !x.isSource(r) {
			return nil, fmt.Errorf("nothing on %s comes from %s: name another declared server of Teamwork Cloud", server.Addr,
				r.Addr)
		}
	}
	err := x.gather(func(v *survey.View) { x.about, x.here = v.Server(x.target), v.Inventory(x.target) })
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", server.Addr, err)
	}
	if err := x.declared(all); err != nil {
		return nil, fmt.Errorf("telling what is declared already: %w", err)
	}
	if !x.told {
		of.From = all
	}
	if len(of.IDs) > 0 { // SOURCE/CATEGORY
		x.told = true
		of.From = x.sources(of.IDs, of.From)
	}
	for _, r := range of.From {
		if x.isSource(r) {
			x.compare(connect.Declared(r))
		}
	}
	x.drafts(server)
	return x.out, nil
}

// isSource reports whether resources can come from a declaration: it is another server of Teamwork Cloud.
func (x *importer) isSource(r *schema.Resource) bool {
	return r.Addr.Kind == schema.Server && r.Addr.Type == product && !connect.Declared(r).IsSame(x.target)
}

// sources returns, for each ID, the declaration with the longest address that the ID begins with. An ID without one is
// mentioned in a comment.
func (x *importer) sources(ids []string, all []*schema.Resource) []*schema.Resource {
	byAddr := map[string]*schema.Resource{}
	for _, r := range all {
		if x.isSource(r) {
			byAddr[r.Addr.String()] = r
		}
	}
	var out []*schema.Resource
	seen := map[*schema.Resource]bool{}
	for _, id := range ids {
		at := strings.LastIndexByte(id, '/')
		for at >= 0 && byAddr[id[:at]] == nil {
			at = strings.LastIndexByte(id[:at], '/')
		}
		if at < 0 {
			x.notes = append(x.notes, fmt.Sprintf("%s does not begin with the address of another declared server of Teamwork "+
				"Cloud and a slash.", wording.Quote(wording.OneLine(id))))
		} else if r := byAddr[id[:at]]; !seen[r] {
			seen[r] = true
			out = append(out, r)
		}
	}
	return out
}

// importer is one running import.
type importer struct {
	d      *Driver
	ctx    context.Context //nolint:containedctx // of one call
	target *connect.Server
	told   bool // a person has named the source
	about  *survey.Server
	here   *survey.Inventory

	byAddr  map[string]*schema.Resource
	syncs   []*survey.Sync  // declared synchronizations, sorted by address
	settled map[string]bool // IDs of resources that declarations bring to the server

	seen   []string // addresses of the servers that were compared
	notes  []string // what could not be read, with the reason
	groups map[groupKey]*group
	out    []schema.Draft

	several map[*connect.Server]int // the number of groups from each source

	mu   sync.Mutex
	made map[planner.Need]*made // observations; each is made once
}

type made struct {
	once sync.Once
	body any
	err  error
}

// groupKey identifies what one declaration can bring: copies from one server in one category.
type groupKey struct{ source, category string }

// group holds copies that one declaration can bring.
type group struct {
	source   *connect.Server
	about    *survey.Server
	there    *survey.Inventory
	category string // ID on the target, "" for none
	copies   []survey.Shared
	ahead    int // number of copies for which the source has revisions that the target lacks
}

func (x *importer) gather(look func(*survey.View)) error {
	ask := func(ctx context.Context, n planner.Need) (any, error) {
		x.mu.Lock()
		if x.made[n] == nil {
			x.made[n] = &made{}
		}
		m := x.made[n]
		x.mu.Unlock()
		m.once.Do(func() { m.body, m.err = x.d.Observe(ctx, x.byAddr[n.Server], n) })
		return m.body, m.err
	}
	return survey.Gather(x.ctx, survey.Observer{Ask: ask}, look)
}

// declared finds the declared synchronizations, and what they bring to the server.
func (x *importer) declared(all []*schema.Resource) error {
	for _, r := range all {
		if s := survey.Declared(r); r.Addr.Kind == schema.Sync && r.Addr.Type == product &&
			s.SourceServer() != nil && s.TargetServer() != nil {
			x.syncs = append(x.syncs, s)
		}
	}
	slices.SortFunc(x.syncs, func(a, b *survey.Sync) int { return strings.Compare(a.Address(), b.Address()) })
	for _, s := range x.syncs {
		if !s.TargetServer().IsSame(x.target) {
			continue
		}
		ids, err := x.selected(s)
		if err != nil {
			return err
		}
		for id := range ids {
			x.settled[id] = true
		}
	}
	return nil
}

// selected returns the names of the resources that a declaration selects, by ID.
func (x *importer) selected(s *survey.Sync) (map[string]string, error) {
	var names map[string]string
	err := x.gather(func(v *survey.View) { names = v.Select(s).Names() })
	return names, err
}

// compare looks for copies of what another server has. A server that cannot be read is mentioned in a comment.
func (x *importer) compare(source *connect.Server) {
	if slices.ContainsFunc(x.seen, func(addr string) bool {
		return connect.Declared(x.byAddr[addr]).IsSame(source)
	}) {
		return
	}
	back := map[string]bool{} // IDs of resources that declarations bring in the other direction
	for _, s := range x.syncs {
		if !s.TargetServer().IsSame(source) || !s.SourceServer().IsSame(x.target) {
			continue
		}
		ids, err := x.selected(s)
		if err != nil {
			x.unread(source, err)
			return
		}
		maps.Copy(back, setOf(ids))
	}
	g := group{source: source}
	var shared []survey.Shared
	err := x.gather(func(v *survey.View) {
		g.about, g.there = v.Server(source), v.Inventory(source)
		shared = v.Shared(source, x.target, func(id string) bool { return x.settled[id] || back[id] })
	})
	if err != nil {
		x.unread(source, err)
		return
	}
	x.seen = append(x.seen, source.Address())
	for i := range shared {
		x.add(g, &shared[i])
	}
}

func (x *importer) unread(source *connect.Server, err error) {
	x.notes = append(x.notes, fmt.Sprintf("%s could not be compared: %s.", source.Address(), wording.OneLine(err.Error())))
}

func setOf(names map[string]string) map[string]bool {
	out := map[string]bool{}
	for id := range names {
		out[id] = true
	}
	return out
}

// add adds a resource that both servers have to the group it belongs to, or to the notes.
func (x *importer) add(g group, s *survey.Shared) {
	what := fmt.Sprintf("%s (%s), which %s has too", wording.Quote(wording.OneLine(s.Copy.Name)), s.Copy.ID,
		g.source.Address())
	switch {
	case s.Refused:
		x.notes = append(x.notes, what+": its history may not be read on one of the two.")
		return
	case !s.Diff.IsCopy() && s.Back.IsCopy():
		return // it is copied in the other direction
	case !s.Diff.IsCopy():
		x.notes = append(x.notes, what+": neither is a copy of the other: "+wording.OneLine(s.Diff.Why())+".")
		return
	case x.here.Path(s.Copy.Category) == "":
		x.notes = append(x.notes, what+": it is in no category, which cannot be declared.")
		return
	}
	key := groupKey{g.source.Address(), s.Copy.Category}
	if x.groups[key] == nil {
		g.category = s.Copy.Category
		x.groups[key] = &g
		x.several[g.source]++
	}
	to := x.groups[key]
	to.copies = append(to.copies, *s)
	if s.Diff.State == revision.Behind && s.Diff.Missing > 0 {
		to.ahead++
	}
}

// sorted returns the groups, sorted by the source's address and the path of the category.
func (x *importer) sorted() []*group {
	return slices.SortedFunc(maps.Values(x.groups), func(a, b *group) int {
		return cmp.Or(strings.Compare(a.source.Address(), b.source.Address()),
			strings.Compare(x.here.Path(a.category), x.here.Path(b.category)), strings.Compare(a.category, b.category))
	})
}

// alsoFrom returns the addresses of other servers that a group's copies may come from, sorted.
func (x *importer) alsoFrom(g *group) []string {
	out := map[string]bool{}
	mine := map[string]bool{}
	for i := range g.copies {
		mine[g.copies[i].Copy.ID] = true
	}
	for _, o := range x.groups {
		if o.source == g.source {
			continue
		}
		for i := range o.copies {
			if mine[o.copies[i].Copy.ID] {
				out[o.source.Address()] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(out))
}
