package view

import (
	"fmt"

	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/report"
)

// findings lists the findings that are not shown below a step. Without Detail, notes that say the same about several
// declarations are merged, and only the first few notes of each rule are shown. All warnings are shown.
func (v *planView) findings() {
	var list []planner.Finding
	for _, f := range v.p.Findings {
		if f.Severity == planner.Refuse || f.Op != "" && v.number[planner.StepID(f.Addr, f.Op)] > 0 {
			continue // refusals are printed as errors; the others stand below their step
		}
		list = append(list, f)
		if v.o.Detail {
			v.finding(f, 0)
		}
	}
	if !v.o.Detail {
		report.FewOf(report.SumUp(list), func(f report.Alike) {
			f.Addr = f.Where(func(addr string) string { return addr })
			v.finding(f.Finding, 0)
		}, func(rule string, n int) {
			v.o.block(&v.b, 0, v.o.severity(planner.Note)+" ", fmt.Sprintf("and %d more like it [%s]; -detail shows them",
				n, rule))
		})
	}
	if len(list) > 0 {
		v.b.WriteString("\n")
	}
}
