package view

import (
	"fmt"
	"io"
	"strings"

	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/report"
)

// PlanHash returns the line with a plan's hash.
func PlanHash(hash string) string { return "Plan hash: " + hash }

// PlanDiff writes what differs between an older plan and a newer one.
func PlanDiff(w io.Writer, s Style, d *planner.PlanDiff) error {
	var b strings.Builder
	v := &diffView{Style: s, b: &b}
	if d.Same() {
		b.WriteString(report.SamePlan + "\n" + PlanHash(d.Is) + "\n")
	} else {
		b.WriteString(s.Bold(report.ChangedPlan) + "\n  was " + d.Was + "\n  is  " + d.Is + "\n")
	}
	if d.Configuration {
		v.title(report.ChangedConfiguration)
	}
	v.steps(d.Steps)
	v.facts(d.Facts)
	v.findings(d.Findings)
	v.declarations(d.Declarations)
	v.order(d.Order)
	if len(d.Sites) > 0 {
		v.title("Sites and turns")
		v.moved(d.Sites)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

type diffView struct {
	Style

	b *strings.Builder
}

func (v *diffView) title(format string, args ...any) {
	v.b.WriteString("\n" + v.Bold(fmt.Sprintf(format, args...)) + "\n")
}

// sign returns the mark of a difference.
func (v *diffView) sign(of planner.Sort) string { return v.mark(report.SignOf(of)) }

func (v *diffView) steps(list []planner.StepDiff) {
	if len(list) == 0 {
		return
	}
	v.title("Steps: %s", report.DiffCounts(list))
	for i := range list {
		d := &list[i]
		number := fmt.Sprintf("%3d", d.Number)
		if d.Sort == planner.Removed {
			number = "was " + fmt.Sprint(d.Number)
		}
		fmt.Fprintf(v.b, "  %s %s %s %s\n", v.sign(d.Sort), number, v.mark(d.Mark), oneLine(d.ID))
		if d.Sort != planner.Changed {
			v.block(v.b, beneath+2, "", d.Summary)
		}
		v.moved(d.What)
	}
}

// moved writes changed values. For a list it writes the items that were added and removed.
func (v *diffView) moved(list []planner.Moved) {
	for _, l := range report.Lines(list) {
		switch l.Sort {
		case planner.Removed:
			v.block(v.b, beneath+2, oneLine(l.Path)+": - ", l.Was)
		case planner.Added:
			v.block(v.b, beneath+2, oneLine(l.Path)+": + ", l.Is)
		default:
			v.block(v.b, beneath+2, oneLine(l.Path)+": ", report.OrNothing(l.Was)+" -> "+report.OrNothing(l.Is))
		}
	}
}

func (v *diffView) facts(list []planner.FactDiff) {
	if len(list) == 0 {
		return
	}
	v.title("Servers: %s moved", wording.Plural(len(list), "fact"))
	for _, f := range list {
		v.block(v.b, 2, v.sign(planner.Changed)+" ", f.Addr+" "+f.Name+": "+
			report.OrNothing(report.Shortened(f.Name, f.Was, f.Is))+" -> "+
			report.OrNothing(report.Shortened(f.Name, f.Is, f.Was)))
		for _, id := range f.Steps {
			v.block(v.b, beneath+2, "", "relied on by "+id)
		}
	}
}

func (v *diffView) findings(list []planner.FindingDiff) {
	if len(list) == 0 {
		return
	}
	v.title("Findings")
	for _, f := range list {
		label := v.sign(f.Sort) + " " + v.severity(f.Severity) + " "
		v.block(v.b, 2, label, f.Addr+": "+f.Summary+" ["+f.Rule+"]")
		if f.Was != nil {
			v.block(v.b, beneath+2, "was "+v.severity(f.Was.Severity)+" ", f.Was.Summary)
		}
		for _, line := range strings.Split(f.Detail, "\n") {
			v.block(v.b, beneath+2, "", line)
		}
	}
}

func (v *diffView) declarations(list []planner.DeclarationDiff) {
	if len(list) == 0 {
		return
	}
	v.title("Declarations")
	for i := range list {
		d := &list[i]
		fmt.Fprintf(v.b, "  %s %s\n", v.sign(d.Sort), oneLine(d.Addr))
		v.moved(d.What)
	}
}

func (v *diffView) order(list []planner.Reordered) {
	if len(list) == 0 {
		return
	}
	v.title("Order")
	for _, r := range list {
		fmt.Fprintf(v.b, "  %3d %s, which was step %d\n", r.Is, oneLine(r.ID), r.Was)
	}
}
