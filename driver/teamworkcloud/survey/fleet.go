package survey

import (
	"cmp"
	"iter"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/schema"
)

// fleet holds all synchronizations that are not removed, indexed by their servers. It is made once for all
// declarations: a search through all of them for each of them would take quadratic time.
type fleet struct {
	all      []*Sync // by address
	from, to map[string][]*Sync
	inside   map[place]*Sync            // the first that uses the category or one within it
	at       map[place]*Sync            // the first that uses exactly this category
	reach    map[string]map[string]bool // per server: itself and all servers that its resources can reach over hops
}

// place is a category on a server. The path is in one Unicode form.
type place struct{ server, path string }

type fleetKey struct{}

// fleet returns the fleet of all declarations. A removed synchronization is not part of it.
func (s *Sync) fleet() *fleet {
	return s.Resource().PeerMemo(fleetKey{}, func() any {
		f := &fleet{from: map[string][]*Sync{}, to: map[string][]*Sync{}, inside: map[place]*Sync{}, at: map[place]*Sync{}}
		for _, r := range slices.AppendSeq([]*schema.Resource{s.Resource()}, s.Resource().Peers()) {
			if p := Declared(r); !p.IsRemoved() && p.Source != nil && p.Target != nil {
				f.all = append(f.all, p)
			}
		}
		slices.SortFunc(f.all, func(a, b *Sync) int { return strings.Compare(a.Address(), b.Address()) })
		for _, p := range f.all {
			f.add(p)
		}
		f.connect()
		return f
	}).(*fleet)
}

func (f *fleet) add(p *Sync) {
	source, target := p.SourceServer().Identity(), p.TargetServer().Identity()
	f.from[source] = append(f.from[source], p)
	f.to[target] = append(f.to[target], p)
	path := schema.NameForm(p.TargetCategory)
	f.at[place{target, path}] = cmp.Or(f.at[place{target, path}], p)
	for ; path != ""; path = parentOf(path) {
		f.inside[place{target, path}] = cmp.Or(f.inside[place{target, path}], p)
	}
}

// connect computes which servers can be reached over hops from each server.
func (f *fleet) connect() {
	next := map[string][]string{}
	for source, syncs := range f.from {
		for _, p := range syncs {
			next[source] = append(next[source], p.TargetServer().Identity())
		}
		slices.Sort(next[source])
		next[source] = slices.Compact(next[source])
	}
	f.reach = map[string]map[string]bool{}
	for start := range next {
		seen := map[string]bool{start: true}
		for todo := slices.Clone(next[start]); len(todo) > 0; {
			at := todo[len(todo)-1]
			if todo = todo[:len(todo)-1]; !seen[at] {
				seen[at] = true
				todo = append(todo, next[at]...)
			}
		}
		f.reach[start] = seen
	}
}

// ActivePeers returns the other synchronizations that are not removed, sorted by address.
func (s *Sync) ActivePeers() iter.Seq[*Sync] {
	return func(yield func(*Sync) bool) {
		for _, p := range s.fleet().all {
			if p != s && !yield(p) {
				return
			}
		}
	}
}

// ActiveFrom returns the synchronizations from a server that are not removed, sorted by address.
func (s *Sync) ActiveFrom(source *connect.Server) []*Sync { return s.fleet().from[source.Identity()] }

// activeTo returns the synchronizations to a server that are not removed, sorted by address.
func (s *Sync) activeTo(target *connect.Server) []*Sync { return s.fleet().to[target.Identity()] }

// FirstIn returns the first declaration, by address, with this target category on the same target. If inside is true,
// the target category may also be one within path. FirstIn returns nil if no declaration before this one has it.
func (s *Sync) FirstIn(path string, inside bool) *Sync {
	at := place{s.TargetServer().Identity(), schema.NameForm(path)}
	first := s.fleet().at[at]
	if inside {
		first = s.fleet().inside[at]
	}
	if first == nil || first.Address() >= s.Address() {
		return nil
	}
	return first
}

// leadsTo reports whether s, or hops after it, lead to a server. What they select is examined only then.
func (s *Sync) leadsTo(server *connect.Server) bool {
	target := s.TargetServer()
	return target.IsSame(server) || s.fleet().reach[target.Identity()][server.Identity()]
}
