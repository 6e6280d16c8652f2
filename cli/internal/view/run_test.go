package view

import (
	"fmt"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
)

// long is a run of n steps, of which the one in the middle has failed.
func long(n int) RunState {
	p := &planner.Plan{}
	d := executor.Decision{Steps: map[string]executor.StepState{}}
	for i := range n {
		id := fmt.Sprintf("sync.depot.a/s%d", i+1)
		p.Steps = append(p.Steps, planner.Step{ID: id})
		phase := executor.PhaseDone
		switch {
		case i == n/2:
			phase = executor.PhaseFailed
		case i > n/2 && i%3 == 0:
			phase = executor.PhaseReady
		case i > n/2:
			phase = executor.PhaseBlocked
		}
		d.Steps[id] = executor.StepState{Phase: phase}
	}
	return RunState{Run: &executor.Run{Plan: p}, Decision: d}
}

// TestLongRuns: of a long run what needs a look is shown, the rest in a few lines, and all of it if asked for.
func TestLongRuns(t *testing.T) {
	for _, c := range []struct {
		steps  int
		detail bool
		most   int
	}{{150, false, 160}, {30000, false, 10}, {30000, true, 30010}} {
		var out strings.Builder
		if err := Run(&out, Style{}, long(c.steps), c.detail); err != nil {
			t.Fatal(err)
		}
		lines := strings.Count(out.String(), "\n")
		whole := c.detail || c.steps < mostLines
		if lines > c.most || whole && lines < c.steps || !strings.Contains(out.String(), fmt.Sprintf("/s%d\n", c.steps/2+1)) {
			t.Errorf("%d steps, detail %v: %d lines:\n%.500s", c.steps, c.detail, lines, out.String())
		}
		var entries []journal.Entry
		for i := range c.steps {
			entries = append(entries, journal.Entry{Seq: i + 1, Event: "done"})
		}
		out.Reset()
		if err := Entries(&out, Style{}, entries, c.detail); err != nil {
			t.Fatal(err)
		}
		lines = strings.Count(out.String(), "\n")
		if want := c.steps; whole && lines != want || !whole && lines != mostLines+1 ||
			!strings.Contains(out.String(), fmt.Sprintf("%5d  ", c.steps)) {
			t.Errorf("%d entries, detail %v: %d lines", c.steps, c.detail, lines)
		}
	}
}
