package survey

import (
	"cmp"
	"iter"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/schema"
)

// fleet is all synchronizations whose configurations are to exist, found by their servers. It is made once for all
// declarations: whoever looked through all of them for each of them would look at their square.
type fleet struct {
	all      []*Sync // by address
	from, to map[string][]*Sync
	inside   map[place]*Sync            // the first that needs a category, or one within it
	at       map[place]*Sync            // the first that needs just this one
	reach    map[string]map[string]bool // the servers that hops lead to from one, and itself
}

// place is a category's path, in one Unicode form, on a server.
type place struct{ server, path string }

type fleetKey struct{}

// fleet is the one that a synchronization is of; one that is removed is not in it.
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

// connect notes which servers hops lead to from each.
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

// ActivePeers are the other synchronizations whose configurations are to exist, by address.
func (s *Sync) ActivePeers() iter.Seq[*Sync] {
	return func(yield func(*Sync) bool) {
		for _, p := range s.fleet().all {
			if p != s && !yield(p) {
				return
			}
		}
	}
}

// ActiveFrom are the synchronizations from a server whose configurations are to exist, by address.
func (s *Sync) ActiveFrom(source *connect.Server) []*Sync { return s.fleet().from[source.Identity()] }

// activeTo are those to a server.
func (s *Sync) activeTo(target *connect.Server) []*Sync { return s.fleet().to[target.Identity()] }

// FirstIn is the declaration before this one, by address, that needs a category of the same target too, or with inside
// one within it; nil if none does.
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

// leadsTo tells whether it, or hops after it, lead to a server: only then it is looked at what they select.
func (s *Sync) leadsTo(server *connect.Server) bool {
	target := s.TargetServer()
	return target.IsSame(server) || s.fleet().reach[target.Identity()][server.Identity()]
}
