package view

import (
	"bytes"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/planner"
)

// TestPlanDiffLong checks that a difference near the end of a long value is shown, and that commands are never cut.
func TestPlanDiffLong(t *testing.T) {
	long := strings.Repeat("x", 600)
	for name, c := range map[string]struct {
		moved planner.Moved
		want  []string
	}{
		"a value": {planner.Moved{Path: "summary", Was: long + "old", Is: long + "new"}, []string{"xold -> …x", "xnew"}},
		"a list": {planner.Moved{Path: "needs", Was: long + "old", Is: "a\n" + long + "new"},
			[]string{"- …", "xold", "+ …", "xnew"}},
		"cut short": {planner.Moved{Path: "summary", Was: long, Is: ""}, []string{"x… -> (nothing)"}},
		"a command": {planner.Moved{Path: "manual.commands", Was: long + "old", Is: long + "new"}, []string{
			" " + long + "old -> " + long + "new"}},
	} {
		var b strings.Builder
		(&diffView{b: &b}).moved([]planner.Moved{c.moved})
		for _, want := range c.want {
			if !strings.Contains(b.String(), want) {
				t.Errorf("%s: %q is missing in %s", name, want, b.String())
			}
		}
	}
}

// TestPlanDiff checks every sort of difference, with text that would move a cursor.
func TestPlanDiff(t *testing.T) {
	old, made := twoDeclarations(), twoDeclarations()
	paint, label, scrap := made.Steps[0], made.Steps[1], made.Steps[2]
	paint.Facts = []planner.Fact{{Name: "color", Value: "blue"}}
	old.Steps[0].Facts = []planner.Fact{{Name: "color", Value: "\x1b[31mred"}}
	scrap.Needs, scrap.Summary = []string{"sync.depot.a/paint", "sync.depot.c/x"}, strings.Repeat("long ", 100)
	added := label
	added.ID, added.Op, added.Summary = "sync.depot.a/\u202ewash", "wash", "washes a"
	made.Steps = []planner.Step{scrap, paint, added}
	made.Findings = made.Findings[:2]
	made.Findings[0].Severity, made.Findings[0].Summary = planner.Note, "paint is dry"
	made.Changes[0].Diff[0].Actual = `"green"`
	made.Changes = append(made.Changes, planner.ResourceChange{Addr: "sync.depot.c", Action: planner.Create})
	made.Digest = "another"
	var b bytes.Buffer
	for _, to := range []*planner.Plan{made, old} {
		d, err := planner.DiffPlans(old, to)
		if err != nil {
			t.Fatal(err)
		}
		if err := PlanDiff(&b, Style{Width: 80}, d); err != nil {
			t.Fatal(err)
		}
	}
	if strings.ContainsAny(b.String(), "\x1b\u202e") {
		t.Errorf("control characters reach the terminal:\n%q", b.String())
	}
	golden(t, "plandiff.txt", b.Bytes())
}
