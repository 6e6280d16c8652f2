package view

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/report"
)

// PlanHash is the line with a plan's hash.
func PlanHash(hash string) string { return "Plan hash: " + hash }

// SamePlan says that nothing has changed since a plan was made.
const SamePlan = "The plan is the same."

// PlanDiff writes what differs between an older plan and a newer one.
func PlanDiff(w io.Writer, s Style, d *planner.PlanDiff) error {
	var b strings.Builder
	v := &diffView{Style: s, b: &b}
	if d.Same() {
		b.WriteString(SamePlan + "\n" + PlanHash(d.Is) + "\n")
	} else {
		b.WriteString(s.Bold("The plan has changed.") + "\n  was " + d.Was + "\n  is  " + d.Is + "\n")
	}
	if d.Configuration {
		v.title("Configuration: the files or variables have changed.")
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

// sign is how a difference is marked.
func (v *diffView) sign(of planner.Sort) string {
	return v.mark(map[planner.Sort]planner.Mark{
		planner.Added: planner.MarkAdd, planner.Removed: planner.MarkDelete, planner.Changed: planner.MarkChange,
	}[of])
}

func (v *diffView) steps(list []planner.StepDiff) {
	if len(list) == 0 {
		return
	}
	n := map[planner.Sort]int{}
	for i := range list {
		n[list[i].Sort]++
	}
	v.title("Steps: %d added, %d removed, %d changed", n[planner.Added], n[planner.Removed], n[planner.Changed])
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

// mostOfValue is how much of a value is shown, in characters.
const mostOfValue = 400

// moved lists values. A list is written as what it has gained and lost.
func (v *diffView) moved(list []planner.Moved) {
	for _, m := range list {
		if strings.Contains(m.Was+m.Is, "\n") {
			gone, come := apart(strings.Split(m.Was, "\n"), strings.Split(m.Is, "\n"))
			lost, gained := slices.Sorted(slices.Values(gone)), slices.Sorted(slices.Values(come))
			for _, line := range gone {
				v.block(v.b, beneath+2, m.Path+": - ", shortened(m.Path, line, nearest(gained, line)))
			}
			for _, line := range come {
				v.block(v.b, beneath+2, m.Path+": + ", shortened(m.Path, line, nearest(lost, line)))
			}
			if len(gone)+len(come) > 0 {
				continue
			}
		}
		v.block(v.b, beneath+2, oneLine(m.Path)+": ", change(m.Path, m.Was, m.Is))
	}
}

// nearest is the one of sorted texts that begins most like another text.
func nearest(sorted []string, s string) string {
	at, _ := slices.BinarySearch(sorted, s)
	best, most := "", -1
	for _, other := range sorted[max(0, at-1):min(len(sorted), at+1)] {
		same := 0
		for same < min(len(s), len(other)) && s[same] == other[same] {
			same++
		}
		if same > most {
			best, most = other, same
		}
	}
	return best
}

// apart are the elements that only one of two lists has.
func apart(was, is []string) (gone, come []string) {
	n := map[string]int{}
	for _, s := range was {
		n[s]++
	}
	for _, s := range is {
		if n[s]--; n[s] < 0 {
			come = append(come, s)
		}
	}
	for _, s := range was {
		if n[s] > 0 {
			n[s]--
			gone = append(gone, s)
		}
	}
	return gone, come
}

// change is a value and the one that it becomes.
func change(path, was, is string) string {
	return orNothing(shortened(path, was, is)) + " -> " + orNothing(shortened(path, is, was))
}

func orNothing(s string) string {
	if s == "" {
		return "(nothing)"
	}
	return s
}

// shortened cuts a value so that it is seen in what it differs from another one. Commands stay whole: somebody has to
// judge each of them.
func shortened(path, s, other string) string {
	if path == "commands" || strings.HasSuffix(path, ".commands") {
		return s
	}
	return report.CutBeside(s, other, mostOfValue)
}

func (v *diffView) facts(list []planner.FactDiff) {
	if len(list) == 0 {
		return
	}
	v.title("Servers: %s moved", wording.Plural(len(list), "fact"))
	for _, f := range list {
		v.block(v.b, 2, v.sign(planner.Changed)+" ", f.Addr+" "+f.Name+": "+change(f.Name, f.Was, f.Is))
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
