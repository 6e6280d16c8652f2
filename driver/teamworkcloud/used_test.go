package teamworkcloud_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/driver/drivertest"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// TestUsedByOthers checks that the plan names models that use what is removed, and that a person decides.
func TestUsedByOthers(t *testing.T) {
	t.Parallel()
	o := newOffload(removing)
	o.add("a", "resources", resource("Robot", "Bikes", "uses", []any{"Engine", ids["Gearbox"], "Frame"}),
		resource("Old", "Bikes", "uses", []any{"Engine"}, "removed", true))
	o.servers["a"]["resources"].([]any)[1].(j)["uses"] = []any{"Engine"} // both are removed
	out := o.rehearse(t, drivertest.Rehearsal{})
	f := finding(out.Plan, "used")
	if f == nil || f.Severity != planner.Warn || f.Op != "unused" || f.Summary != `"Bikes/Robot" uses Engine, Gearbox` {
		t.Errorf("%+v", f)
	}
	s := phase(t, out, "unused")
	if s.Phase == executor.PhaseDone || s.Step.Manual.Attest == "" || !strings.Contains(s.Why, "Robot uses Engine") {
		t.Errorf("%s: %s", s.Phase, s.Why)
	}
	nothingRemoved(t, out, 5)
}

// TestUsesThatAreNotShown checks that the uses of a resource that does not show them are reported as unknown.
func TestUsesThatAreNotShown(t *testing.T) {
	t.Parallel()
	o := newOffload(removing)
	o.roles("a", "Resource Creator", "Resource Reviewer@Cars", "Server Administrator")
	o.servers["a"]["users"].([]any)[0].(j)["roles"] = append(o.servers["a"]["users"].([]any)[0].(j)["roles"].([]any),
		j{"role": "Resource Manager", "categories": []any{"Cars"}})
	p := o.rehearse(t, drivertest.Rehearsal{}).Plan
	if f := finding(p, "used"); f == nil || f.Severity != planner.Warn || !strings.Contains(f.Summary, "Bikes/Frame") {
		t.Errorf("%+v", p.Findings)
	}
}

// TestPlannedWithoutUnused checks that a run planned before the step `unused` existed stops before anything is
// removed, and says what to do.
func TestPlannedWithoutUnused(t *testing.T) {
	t.Parallel()
	s := newOffload().open(t)
	hcl := moving(removing)
	p := s.plan(hcl)
	at := slices.IndexFunc(p.Steps, func(s planner.Step) bool { return s.Op == "unused" })
	old := p.Steps[at]
	p.Steps = slices.Delete(p.Steps, at, at+1)
	for i := range p.Steps {
		if n := &p.Steps[i].Needs; slices.Contains(*n, old.ID) {
			*n = slices.Concat(slices.DeleteFunc(slices.Clone(*n), func(id string) bool { return id == old.ID }), old.Needs)
		}
	}
	rep := s.carry(p, hcl)
	var idle executor.StepReport
	for _, x := range rep.Steps {
		if x.Step.Op == "idle_source" {
			idle = x
		}
	}
	if rep.Finished || idle.Phase != executor.PhaseFailed || !strings.Contains(idle.Why, "unused") ||
		!strings.Contains(idle.Why, "resolve -abandon") {
		t.Errorf("%s: %s", idle.Phase, idle.Why)
	}
}
