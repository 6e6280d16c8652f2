package view

import (
	"fmt"

	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/report"
)

// findings lists the findings that do not stand below a step. Without Detail, notes that say the same of several
// declarations are one, and of many notes of one rule the first ones are shown. Warnings are all shown.
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
