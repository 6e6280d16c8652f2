package view

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/report"
)

// TestManyFindings checks that notes that say the same about many declarations are merged. Of many notes of one rule
// the first ones are shown, and the number of the others. All warnings are shown, and -detail shows everything.
func TestManyFindings(t *testing.T) {
	p := &planner.Plan{}
	for i := range 40 {
		addr := fmt.Sprintf("sync.depot.s[%q]", fmt.Sprint(i))
		p.Findings = append(p.Findings,
			planner.Finding{Rule: "depot/old", Severity: planner.Note, Addr: addr, Summary: fmt.Sprintf("%d years old", i)},
			planner.Finding{Rule: "depot/dry", Severity: planner.Note, Addr: addr, Summary: "dry"},
			planner.Finding{Rule: "depot/wet", Severity: planner.Warn, Addr: addr, Summary: "wet"})
	}
	p.Findings = append(p.Findings, planner.Finding{Rule: "depot/new", Severity: planner.Note, Summary: "new"})
	for detail, notes := range map[bool][2]int{false: {report.MostAlike + 1, 1}, true: {40, 40}} {
		var b bytes.Buffer
		if err := Plan(&b, p, PlanOptions{Detail: detail}); err != nil {
			t.Fatal(err)
		}
		got := b.String()
		old, dry := strings.Count(got, "[depot/old]"), strings.Count(got, "[depot/dry]")
		if [2]int{old, dry} != notes {
			t.Errorf("detail=%v: %d and %d notes:\n%s", detail, old, dry, got)
		}
		if strings.Count(got, "[depot/wet]") != 40 || strings.Count(got, "[depot/new]") != 1 {
			t.Error(got)
		}
		if strings.Contains(got, "and 35 more") == detail || strings.Contains(got, ` and 37 more: dry`) == detail {
			t.Error(got)
		}
	}
}

// TestCompactFindings checks that -compact-warnings leaves each finding of a plan one line: its summary, with its rule.
func TestCompactFindings(t *testing.T) {
	p := &planner.Plan{Steps: []planner.Step{{ID: "sync.depot.s/paint", Addr: "sync.depot.s", Op: "paint"}}}
	for _, op := range []string{"", "paint"} {
		p.Findings = append(p.Findings, planner.Finding{Rule: "depot/wet" + op, Severity: planner.Warn, Addr: "sync.depot.s",
			Op: op, Summary: "wet", Detail: "for a while\nand then dry"})
	}
	for compact, details := range map[bool]int{false: 2, true: 0} {
		var b bytes.Buffer
		if err := Plan(&b, p, PlanOptions{Compact: compact}); err != nil {
			t.Fatal(err)
		}
		got := b.String()
		if strings.Count(got, "for a while") != details || strings.Count(got, "and then dry") != details ||
			strings.Count(got, "[depot/wet") != 2 {
			t.Errorf("compact=%v:\n%s", compact, got)
		}
	}
}
