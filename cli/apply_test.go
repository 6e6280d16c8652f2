package cli

import (
	"testing"

	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
)

// TestChanging: a fact that has moved is a step's own doing where a step of the same declaration that relies on it has
// begun and is not done.
func TestChanging(t *testing.T) {
	fact := []planner.Fact{{Name: "color", Value: "blue"}}
	begun := journal.Entry{Event: executor.EventStarted}
	a := &application{
		plan: &planner.Plan{Steps: []planner.Step{
			{ID: "begun/paint", Addr: "begun", Facts: fact}, {ID: "begun/label", Addr: "begun", Facts: fact},
			{ID: "done/paint", Addr: "done", Facts: fact}, {ID: "done/label", Addr: "done", Facts: fact},
			{ID: "new/paint", Addr: "new", Facts: fact},
		}},
		decided: executor.Decision{Steps: map[string]executor.StepState{
			"begun/paint": {Phase: executor.PhaseReady, Entry: begun}, "begun/label": {Phase: executor.PhaseBlocked},
			"done/paint": {Phase: executor.PhaseDone, Entry: begun}, "done/label": {Phase: executor.PhaseReady},
			"new/paint": {Phase: executor.PhaseReady},
		}},
	}
	changing := a.changing()
	for m, want := range map[executor.FactMoved]bool{
		{Step: "begun/paint", Name: "color"}: true, {Step: "begun/label", Name: "color"}: true,
		{Step: "begun/paint", Name: "size"}: false, {Step: "done/label", Name: "color"}: false,
		{Step: "new/paint", Name: "color"}: false, {Step: "gone/paint", Name: "color"}: false,
	} {
		if got := changing(m); got != want {
			t.Errorf("%+v: %v", m, got)
		}
	}
}
