package planner

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/schema"
)

// dependencies of a declaration: what it refers to and what it names in depends_on, sorted.
func dependencies(r *schema.Resource) []schema.Addr {
	deps := slices.Clone(r.DependsOn)
	for a := range r.Refs {
		deps = append(deps, a)
	}
	slices.SortFunc(deps, func(a, b schema.Addr) int { return strings.Compare(a.String(), b.String()) })
	return slices.Compact(deps)
}

// order brings the steps of all declarations into one list in which every step follows what it needs. A declaration's
// steps follow all steps of what the declaration depends on, also through declarations that have none. Between steps
// that may go first, the declaration that stands earlier does, then the driver's own order, so that the list reads as
// the driver told it.
func order(cfg *schema.Config, groups map[schema.Addr][]Step) ([]Step, error) {
	type node struct {
		step  Step
		group int
		index int
	}
	nodes := map[string]*node{}
	var ids []string
	for g, r := range cfg.Resources {
		steps, ok := groups[r.Addr]
		if !ok {
			continue
		}
		before := lastSteps(cfg, groups, r)
		for i, s := range steps {
			s.Needs = unique(append(slices.Clone(s.Needs), before...))
			if nodes[s.ID] != nil {
				return nil, fmt.Errorf("two steps are called %s", s.ID)
			}
			nodes[s.ID] = &node{step: s, group: g, index: i}
			ids = append(ids, s.ID)
		}
	}
	sorted := make([]Step, 0, len(ids))
	placed := map[string]bool{}
	for len(sorted) < len(ids) {
		best := ""
		for _, id := range ids {
			n := nodes[id]
			if placed[id] || slices.ContainsFunc(n.step.Needs, func(need string) bool { return !placed[need] }) {
				continue
			}
			if b := nodes[best]; b == nil || n.group < b.group || n.group == b.group && n.index < b.index {
				best = id
			}
		}
		if best == "" {
			return nil, stuck(ids, placed, func(id string) ([]string, bool) {
				n := nodes[id]
				if n == nil {
					return nil, false
				}
				return n.step.Needs, true
			})
		}
		placed[best] = true
		sorted = append(sorted, nodes[best].step)
	}
	return sorted, nil
}

// lastSteps are the steps of everything r depends on that nothing else of the same declaration needs. What is owned is
// carried out by its owner: who depends on it follows the owner's steps.
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

// ends are the steps that none of the others needs.
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

// stuck explains why nothing can be placed: a step that does not exist, or a circle.
func stuck(ids []string, placed map[string]bool, needs func(string) ([]string, bool)) error {
	for _, id := range ids {
		list, _ := needs(id)
		for _, n := range list {
			if _, ok := needs(n); !ok {
				return fmt.Errorf("step %s needs %s, which is not in the plan", id, n)
			}
		}
	}
	at := ids[slices.IndexFunc(ids, func(id string) bool { return !placed[id] })]
	var path []string
	for !slices.Contains(path, at) {
		path = append(path, at)
		list, _ := needs(at)
		at = list[slices.IndexFunc(list, func(n string) bool { return !placed[n] })]
	}
	path = append(path[slices.Index(path, at):], at)
	return fmt.Errorf("steps wait for each other: %s", strings.Join(path, " -> "))
}

func unique(ids []string) []string {
	slices.Sort(ids)
	return slices.Compact(ids)
}

// fingerprint gives every step its Print: the hash of the step itself, of the configuration it was planned from, and
// of the prints of what it needs. Two plans whose step has the same print would do the same there.
func fingerprint(p *Plan) error {
	prints := map[string]string{}
	for i := range p.Steps {
		s := &p.Steps[i]
		s.Print = ""
		body, err := json.Marshal(s)
		if err != nil {
			return fmt.Errorf("writing step %s: %w", s.ID, err)
		}
		h := sha256.New()
		h.Write([]byte(p.Digest))
		h.Write(body)
		for _, n := range s.Needs {
			h.Write([]byte(prints[n]))
		}
		s.Print = hex.EncodeToString(h.Sum(nil)[:16])
		prints[s.ID] = s.Print
	}
	return nil
}
