package view

import (
	"fmt"

	"github.com/syncctl/syncctl/planner"
)

// mostAlike is how many notes of one rule are shown in a row without Detail; of the rest is said how many there are.
// Warnings are all shown.
const mostAlike = 5

// findings lists the findings that do not stand below a step.
func (v *planView) findings() {
	var list []planner.Finding
	notes := map[string]int{}
	for _, f := range v.p.Findings {
		if f.Severity == planner.Refuse || f.Op != "" && v.number[planner.StepID(f.Addr, f.Op)] > 0 {
			continue // refusals are printed as errors; the others stand below their step
		}
		list = append(list, f)
		if f.Severity == planner.Note {
			notes[f.Rule]++
		}
	}
	seen := map[string]int{}
	for _, f := range list {
		if f.Severity != planner.Note || v.o.Detail || notes[f.Rule] <= mostAlike+1 {
			v.finding(f, 0)
			continue
		}
		if seen[f.Rule]++; seen[f.Rule] <= mostAlike {
			v.finding(f, 0)
		}
		if seen[f.Rule] == mostAlike {
			v.o.block(&v.b, 0, v.o.severity(planner.Note)+" ", fmt.Sprintf("and %d more like it [%s]; -detail shows "+
				"them", notes[f.Rule]-mostAlike, f.Rule))
		}
	}
	if len(list) > 0 {
		v.b.WriteString("\n")
	}
}
