package executor

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// checkFacts reads the facts that the step was planned from again. It skips a step that was done once and that a
// person has carried out again: its facts held when it first began, and its own effect or later steps may have changed
// them. Facts of irreversible steps are always checked.
func (a *attempt) checkFacts(ctx context.Context) error {
	final := a.s.Irreversible()
	if len(a.s.Facts) == 0 || a.again && !final {
		return nil
	}
	moved, err := movedFacts(ctx, a.d, a.t.Resource, a.s.Facts)
	if err != nil {
		return fmt.Errorf("reading the facts of the plan again: %w", err)
	}
	if len(moved) == 0 {
		return nil
	}
	a.moved.mark(a.s.ID)
	var lines []string
	for _, m := range moved {
		lines = append(lines, m.String())
	}
	return fmt.Errorf("the servers have changed since the plan was made: %s", strings.Join(lines, "; "))
}

// FactMoved is a fact that has changed since the plan was made.
type FactMoved struct {
	Step, Name, Planned, Now string
}

func (m FactMoved) String() string {
	if m.Now == "" {
		return fmt.Sprintf("%s was %s and can no longer be read", m.Name, m.Planned)
	}
	return fmt.Sprintf("%s was %s and is now %s", m.Name, m.Planned, m.Now)
}

// Moved reads the facts of all steps of the site that are not done, and returns those that have changed, by
// declaration.
func Moved(
	ctx context.Context, p *planner.Plan, entries []journal.Entry, cfg *schema.Config,
	drivers func(schema.Addr) Driver, site string, now time.Time,
) ([]FactMoved, error) {
	d := Next(p, entries, site, now)
	byAddr := map[string][]planner.Fact{}
	step := map[string]string{}
	for i := range p.Steps {
		s := &p.Steps[i]
		if d.Steps[s.ID].Phase == PhaseDone || s.Site != site {
			continue
		}
		for _, f := range s.Facts {
			if step[s.Addr+" "+f.Name] == "" {
				step[s.Addr+" "+f.Name] = s.ID
				byAddr[s.Addr] = append(byAddr[s.Addr], f)
			}
		}
	}
	var out []FactMoved
	for _, c := range p.Changes {
		facts := byAddr[c.Addr]
		addr, err := schema.ParseAddr(c.Addr)
		if err != nil || len(facts) == 0 {
			continue
		}
		moved, err := movedFacts(ctx, drivers(addr), cfg.Lookup(addr), facts)
		if err != nil {
			return nil, fmt.Errorf("reading the facts of the plan again: %w", err)
		}
		for _, m := range moved {
			m.Step = step[c.Addr+" "+m.Name]
			out = append(out, m)
		}
	}
	return out, nil
}

func movedFacts(ctx context.Context, d Driver, r *schema.Resource, facts []planner.Fact) ([]FactMoved, error) {
	names := make([]string, len(facts))
	for i, f := range facts {
		names[i] = f.Name
	}
	slices.Sort(names)
	now, err := d.Facts(ctx, r, slices.Compact(names))
	if err != nil {
		return nil, err
	}
	var out []FactMoved
	for _, f := range facts {
		if now[f.Name] != f.Value {
			out = append(out, FactMoved{Name: f.Name, Planned: f.Value, Now: now[f.Name]})
		}
	}
	return out, nil
}

// marked is a set of step IDs, safe for concurrent use.
type marked struct {
	mu  sync.Mutex
	ids map[string]bool
}

func (m *marked) mark(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ids == nil {
		m.ids = map[string]bool{}
	}
	m.ids[id] = true
}

func (m *marked) has(id string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ids[id]
}
