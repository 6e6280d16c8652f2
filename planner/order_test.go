package planner_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/planner"
	"pgregory.net/rapid"
)

// graph is a drawn configuration: declarations that depend on earlier ones, each with steps that need others of it.
type graph struct {
	deps  [][]int   // of each declaration
	needs [][][]int // of each declaration's steps
}

func drawGraph(t *rapid.T, cycles bool) graph {
	var g graph
	n := rapid.IntRange(1, 6).Draw(t, "declarations")
	for i := range n {
		var deps []int
		for j := range i {
			if rapid.IntRange(0, 2).Draw(t, "depends") == 0 {
				deps = append(deps, j)
			}
		}
		g.deps = append(g.deps, deps)
		k := rapid.IntRange(0, 5).Draw(t, "steps")
		rank := rapid.Permutation(firstNumbers(k)).Draw(t, "rank") // so the driver's list need not be in order
		steps := make([][]int, k)
		for a := range k {
			for b := range k {
				if (cycles || rank[b] < rank[a]) && rapid.IntRange(0, 3).Draw(t, "needs") == 0 {
					steps[a] = append(steps[a], b)
				}
			}
		}
		g.needs = append(g.needs, steps)
	}
	return g
}

func firstNumbers(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// name gives declarations names whose order is not that of their numbers.
func name(i int) string { return fmt.Sprintf("%c%d", 'a'+(i*5)%7, i) }

func addrOf(i int) string { return "sync.depot." + name(i) }

func (g graph) input(t fataler, backwards bool) planner.Input {
	var blocks []string
	d := &depot{outlines: map[string]planner.Outline{}}
	for i, deps := range g.deps {
		var refs []string
		for _, j := range deps {
			refs = append(refs, addrOf(j))
		}
		blocks = append(blocks, fmt.Sprintf("sync \"depot\" %q {\n  depends_on = [%s]\n}\n", name(i),
			strings.Join(refs, ", ")))
		var steps []planner.Step
		for a, needs := range g.needs[i] {
			var ops []string
			for _, b := range needs {
				ops = append(ops, fmt.Sprint("s", b))
			}
			steps = append(steps, step(addrOf(i), fmt.Sprint("s", a), ops...))
		}
		d.outlines[addrOf(i)] = update(steps...)
	}
	if backwards {
		slices.Reverse(blocks)
	}
	return input(load(t, strings.Join(blocks, "")), d)
}

// below are the declarations that i depends on, at any distance.
func (g graph) below(i int) map[int]bool {
	out := map[int]bool{}
	for _, j := range g.deps[i] {
		out[j] = true
		for k := range g.below(j) {
			out[k] = true
		}
	}
	return out
}

func TestOrderIsTopological(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		g := drawGraph(rt, false)
		p := made(rt, g.input(rt, false))
		place := map[string]int{}
		for i, s := range p.Steps {
			if _, twice := place[s.ID]; twice {
				rt.Fatalf("%s stands twice", s.ID)
			}
			for _, n := range s.Needs {
				if at, ok := place[n]; !ok || at >= i {
					rt.Fatalf("%s stands before %s, which it needs", s.ID, n)
				}
			}
			place[s.ID] = i
		}
		total := 0
		for i, steps := range g.needs {
			total += len(steps)
			for a, needs := range steps {
				id := planner.StepID(addrOf(i), fmt.Sprint("s", a))
				for _, b := range needs {
					if place[id] < place[planner.StepID(addrOf(i), fmt.Sprint("s", b))] {
						rt.Fatalf("%s stands before s%d, which its driver says it needs", id, b)
					}
				}
				for j := range g.below(i) {
					for b := range g.needs[j] {
						if before := planner.StepID(addrOf(j), fmt.Sprint("s", b)); place[id] < place[before] || !reaches(p, id, before) {
							rt.Fatalf("%s does not wait for %s, a step of what its declaration depends on", id, before)
						}
					}
				}
			}
		}
		if total != len(p.Steps) {
			rt.Fatalf("%d steps of %d", len(p.Steps), total)
		}
		if again := made(rt, g.input(rt, true)); encoded(rt, again) != encoded(rt, p) {
			rt.Fatalf("the plan depends on the order of the files:\n%s\n%s", encoded(rt, p), encoded(rt, again))
		}
	})
}

// TestOrderIsFirstThatMayGo: each place in the plan has the step that goes first among those whose needs all stand
// before it: of the declaration that stands earlier, then as its driver told them.
func TestOrderIsFirstThatMayGo(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		g := drawGraph(rt, false)
		in := g.input(rt, false)
		p := made(rt, in)
		var left []string // in the order in which they go first
		for _, r := range in.Config.Resources {
			for i := range g.needs {
				for a := range g.needs[i] {
					if addrOf(i) == r.Addr.String() {
						left = append(left, planner.StepID(addrOf(i), fmt.Sprint("s", a)))
					}
				}
			}
		}
		placed := map[string]bool{}
		for _, got := range p.Steps {
			first := slices.IndexFunc(left, func(id string) bool {
				return !slices.ContainsFunc(p.Step(id).Needs, func(n string) bool { return !placed[n] })
			})
			if left[first] != got.ID {
				rt.Fatalf("%s stands where %s should", got.ID, left[first])
			}
			placed[got.ID] = true
			left = slices.Delete(left, first, first+1)
		}
	})
}

// reaches tells whether a step needs another one, directly or through others.
func reaches(p *planner.Plan, from, to string) bool {
	return slices.ContainsFunc(p.Step(from).Needs, func(n string) bool { return n == to || reaches(p, n, to) })
}

func TestCyclesAreNamed(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		g := drawGraph(rt, true)
		p, diags := planner.Make(context.Background(), g.input(rt, false))
		cyclic := slices.ContainsFunc(g.needs, hasCycle)
		if cyclic != diags.HasErrors() || cyclic != (p == nil) {
			rt.Fatalf("cycle: %v, diagnostics: %v", cyclic, diags)
		}
		if !cyclic {
			return
		}
		_, path, ok := strings.Cut(diags[0].Detail, "steps wait for each other: ")
		around := strings.Split(path, " -> ")
		if !ok || len(around) < 2 || around[0] != around[len(around)-1] {
			rt.Fatalf("no circle is named: %s", diags[0].Detail)
		}
		for i := range len(around) - 1 {
			if !g.needed(around[i], around[i+1]) {
				rt.Fatalf("%s does not need %s", around[i], around[i+1])
			}
		}
	})
}

func (g graph) needed(from, to string) bool {
	for i, steps := range g.needs {
		for a, needs := range steps {
			for _, b := range needs {
				if planner.StepID(addrOf(i), fmt.Sprint("s", a)) == from && planner.StepID(addrOf(i), fmt.Sprint("s", b)) == to {
					return true
				}
			}
		}
	}
	return false
}

// hasCycle takes away, again and again, what needs nothing that is left.
func hasCycle(needs [][]int) bool {
	left := map[int]bool{}
	for i := range needs {
		left[i] = true
	}
	for changed := true; changed; {
		changed = false
		for i := range needs {
			if left[i] && !slices.ContainsFunc(needs[i], func(n int) bool { return left[n] }) {
				delete(left, i)
				changed = true
			}
		}
	}
	return len(left) > 0
}

func TestWrongStepsAreRefused(t *testing.T) {
	cfg := load(t, `sync "depot" "a" {}`)
	const a = "sync.depot.a"
	for want, outline := range map[string]planner.Outline{
		"two steps are called sync.depot.a/do":                         update(step(a, "do"), step(a, "do")),
		"step sync.depot.a/do needs sync.depot.a/gone, which is not i": update(step(a, "do", "gone")),
	} {
		p, diags := planner.Make(t.Context(), input(cfg, &depot{outlines: map[string]planner.Outline{a: outline}}))
		if p != nil || len(diags) != 1 || !strings.Contains(diags[0].Detail, want) {
			t.Errorf("want %q, got plan %v, diagnostics %v", want, p, diags)
		}
	}
}

// An owner that follows what depends on one of its own would wait for itself.
func TestOwnersAndTheirOwn(t *testing.T) {
	text := moving + `
sync "depot" "between" {
  depends_on = [sync.depot.old]
}
`
	cfg := load(t, strings.Replace(text, `depends_on = [sync.depot.base]`, `depends_on = [sync.depot.between]`, 1))
	d := busy("sync.depot.between", "migration.depot_move.m")
	p, diags := planner.Make(t.Context(), input(cfg, d))
	if p != nil || len(diags) != 1 || !strings.Contains(diags[0].Detail,
		"migration.depot_move.m/do -> sync.depot.between/check -> migration.depot_move.m/check") {
		t.Errorf("plan %v, diagnostics %v", p, diags)
	}
}
