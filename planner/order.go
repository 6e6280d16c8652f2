package planner

import (
	"container/heap"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/schema"
)

// dependencies returns what a declaration refers to or names in depends_on, sorted.
func dependencies(r *schema.Resource) []schema.Addr {
	deps := slices.Clone(r.DependsOn)
	for _, to := range r.Refs {
		deps = append(deps, to.Addr)
	}
	slices.SortFunc(deps, func(a, b schema.Addr) int { return strings.Compare(a.String(), b.String()) })
	return slices.Compact(deps)
}

// order puts the steps of all declarations into one list in which every step follows the steps that it needs. A
// declaration's steps follow all steps of the declarations that it depends on, also through declarations without
// steps. If several steps could come next, the declaration that comes first in the configuration wins, then the
// driver's own order, so that the list reads as the driver wrote it.
func order(cfg *schema.Config, groups map[schema.Addr][]Step) ([]Step, error) {
	n := 0
	for _, steps := range groups {
		n += len(steps)
	}
	all, place := make([]*Step, 0, n), make(map[string]int, n) // in order of preference
	for _, r := range cfg.Resources {
		steps := groups[r.Addr]
		if len(steps) == 0 {
			continue
		}
		before := lastSteps(cfg, groups, r)
		for i := range steps {
			s := &steps[i]
			s.Needs = unique(append(slices.Clone(s.Needs), before...))
			if _, taken := place[s.ID]; taken {
				return nil, fmt.Errorf("two steps are called %s", s.ID)
			}
			place[s.ID] = len(all)
			all = append(all, s)
		}
	}
	open := make([]int, len(all))     // how many of each step's needs are not placed yet
	needed := make([][]int, len(all)) // which steps need it
	var free places
	for i := range all {
		for _, id := range all[i].Needs {
			n, ok := place[id]
			if !ok {
				return nil, fmt.Errorf("step %s needs %s, which is not in the plan", all[i].ID, id)
			}
			needed[n] = append(needed[n], i)
		}
		if open[i] = len(all[i].Needs); open[i] == 0 {
			heap.Push(&free, i)
		}
	}
	sorted := make([]Step, 0, len(all))
	for len(free) > 0 {
		i := heap.Pop(&free).(int)
		sorted = append(sorted, *all[i])
		for _, n := range needed[i] {
			if open[n]--; open[n] == 0 {
				heap.Push(&free, n)
			}
		}
	}
	if len(sorted) < len(all) {
		return nil, circle(all, open, place)
	}
	return sorted, nil
}

// places is a heap of positions in a list, the first on top.
type places []int

func (p places) Len() int           { return len(p) }
func (p places) Less(i, j int) bool { return p[i] < p[j] }
func (p places) Swap(i, j int)      { p[i], p[j] = p[j], p[i] }
func (p *places) Push(x any)        { *p = append(*p, x.(int)) }
func (p *places) Pop() any {
	last := (*p)[len(*p)-1]
	*p = (*p)[:len(*p)-1]
	return last
}

// lastSteps returns the steps of everything r depends on that no other step of the same declaration needs. An owned
// declaration is carried out by its owner, so what depends on it follows the owner's steps.
func lastSteps(cfg *schema.Config, groups map[schema.Addr][]Step, r *schema.Resource) []string {
	var out []string
	seen := map[schema.Addr]bool{r.Addr: true}
	var follow func(schema.Addr)
	follow = func(a schema.Addr) {
		dep := cfg.Lookup(a)
		if dep == nil || seen[a] {
			return
		}
		seen[a] = true
		if dep.Owner != (schema.Addr{}) && dep.Owner != r.Addr {
			follow(dep.Owner)
			if len(groups[dep.Owner]) > 0 {
				return
			}
		}
		if steps := groups[a]; len(steps) > 0 {
			out = append(out, ends(steps)...)
			return
		}
		for _, next := range dependencies(dep) {
			follow(next)
		}
	}
	for _, a := range dependencies(r) {
		follow(a)
	}
	return out
}

// ends returns the IDs of the steps that no other step needs.
func ends(steps []Step) []string {
	needed := map[string]bool{}
	for i := range steps {
		for _, n := range steps[i].Needs {
			needed[n] = true
		}
	}
	var out []string
	for i := range steps {
		if !needed[steps[i].ID] {
			out = append(out, steps[i].ID)
		}
	}
	return out
}

// circle returns an error that names steps that wait for each other: each is followed by one that it needs.
func circle(all []*Step, open []int, place map[string]int) error {
	at := slices.IndexFunc(open, func(n int) bool { return n > 0 })
	var path []string
	for !slices.Contains(path, all[at].ID) {
		path = append(path, all[at].ID)
		next := slices.IndexFunc(all[at].Needs, func(id string) bool { return open[place[id]] > 0 })
		at = place[all[at].Needs[next]]
	}
	path = append(path[slices.Index(path, all[at].ID):], all[at].ID)
	return fmt.Errorf("steps wait for each other: %s", strings.Join(path, " -> "))
}

func unique(ids []string) []string {
	slices.Sort(ids)
	return slices.Compact(ids)
}

// fingerprint sets the Print of every step: a hash of the step itself, of the digest of the configuration, and of the
// prints of the steps that it needs. If a step has the same print in two plans, both would do the same there.
func fingerprint(p *Plan) error {
	prints := make(map[string]string, len(p.Steps))
	h := sha256.New()
	to := marshalling(h)
	for i := range p.Steps {
		s := &p.Steps[i]
		s.Print = ""
		h.Reset()
		to.text(p.Digest)
		if to.value(s); to.err != nil {
			return fmt.Errorf("writing step %s: %w", s.ID, to.err)
		}
		for _, n := range s.Needs {
			to.text(prints[n])
		}
		s.Print = hex.EncodeToString(h.Sum(nil)[:16])
		prints[s.ID] = s.Print
	}
	return nil
}
