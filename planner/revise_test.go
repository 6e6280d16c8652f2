package planner_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/syncctl/syncctl/planner"
)

const reviseText = `server "depot" "north" {
  url = "n"
}
sync "depot" "a" {
  server = server.depot.north
}
sync "depot" "b" {
}
`

// TestRevise: what a mend may change and what it may not, with sync.depot.a/first done.
func TestRevise(t *testing.T) {
	const a, b = "sync.depot.a", "sync.depot.b"
	first, last := step(a, "first"), step(a, "last", "first")
	change := func(s planner.Step, do func(*planner.Step)) planner.Step { do(&s); return s }
	free := func(s *planner.Step) { s.UnaffectedBy = []string{planner.Peers, b} }
	guarded := change(last, func(s *planner.Step) { s.Guards = []string{a + "/first"} })
	withoutB, _, _ := strings.Cut(reviseText, "sync \"depot\" \"b\"")
	type plan = []planner.Step
	for name, c := range map[string]struct {
		old, revised     plan
		text             string
		changed, touched []string
		by               []string
	}{
		"nothing": {old: plan{first, last}, revised: plan{first, last}},
		"a later step": {old: plan{first, last}, changed: []string{a + "/last"},
			revised: plan{first, change(last, func(s *planner.Step) { s.Summary = "x" })}},
		"a done step": {old: plan{first, last}, revised: plan{change(first, func(s *planner.Step) { s.Summary = "x" }), last},
			changed: []string{a + "/first"}, touched: []string{a + "/first"}},
		"a done step is gone": {old: plan{first, last}, revised: plan{change(last, func(s *planner.Step) { s.Needs = nil })},
			changed: []string{a + "/last"}, touched: []string{a + "/first"}},
		"a guard is gone": {old: plan{first, guarded}, revised: plan{first, last}, changed: []string{a + "/last"},
			touched: []string{a + "/last"}},
		"its server": {old: plan{first, last}, revised: plan{first, last},
			text:    strings.Replace(reviseText, "\"n\"", "\"m\"", 1),
			changed: []string{a + "/first", a + "/last"}, touched: []string{a + "/first"},
			by: []string{"server.depot.north.url"}},
		"another declaration of its type": {old: plan{first, last}, revised: plan{first, last},
			text:    withoutB,
			changed: []string{a + "/first", a + "/last"}, touched: []string{a + "/first"}, by: []string{b}},
		"another declaration that it does not depend on": {old: plan{change(first, free)}, revised: plan{change(first, free)},
			text: withoutB},
	} {
		cfg := load(t, reviseText)
		mended := cfg
		if c.text != "" {
			mended = load(t, c.text)
		}
		make := func(steps plan) *planner.Plan {
			d := &depot{outlines: map[string]planner.Outline{a: update(steps...)}}
			return made(t, input(cfg, d))
		}
		r := planner.Revise(make(c.old), make(c.revised), planner.NewBasis(cfg, planner.Selection{}),
			planner.NewBasis(mended, planner.Selection{}),
			map[string]bool{a + "/first": true})
		var touched, by []string
		for _, touch := range r.Touched {
			touched = append(touched, touch.Step)
			by = append(by, touch.By...)
		}
		if c.changed == nil {
			c.changed = []string{}
		}
		for what, diff := range map[string]string{"changed": cmp.Diff(c.changed, r.Changed),
			"touched": cmp.Diff(c.touched, touched), "by": cmp.Diff(c.by, by)} {
			if diff != "" {
				t.Errorf("%s: %s: %s", name, what, diff)
			}
		}
	}
}
