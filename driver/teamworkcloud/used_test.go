package teamworkcloud_test

import (
	"strings"
	"testing"

	"github.com/syncctl/syncctl/driver/drivertest"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// TestUsedByOthers: models that use what is removed are named in the plan, and a person has the last word.
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

// TestUsesThatAreNotShown: of a resource that does not show what it uses, it is unknown, and that is said.
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
