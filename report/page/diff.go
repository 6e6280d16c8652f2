package page

import (
	"bytes"
	"cmp"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/printable"
	"github.com/syncctl/syncctl/report"
)

// DiffMarkdown writes the differences between two plans as a comment of at most the given number of characters. It
// says at its end what was left out.
func DiffMarkdown(w io.Writer, d *planner.PlanDiff, most int) error {
	m := &markdown{room: most - roomForNote}
	fmt.Fprintf(&m.b, "%s\n### %s\n", CommentMark, printable.Markdown(diffTitle(d)))
	m.room -= length(m.b.String())
	m.diff(d)
	m.note("Both plans have it all: `syncctl show -diff`.")
	_, err := io.WriteString(w, printable.Text(m.b.String()))
	return err
}

func diffTitle(d *planner.PlanDiff) string {
	if d.Same() {
		return report.SamePlan
	}
	return report.ChangedPlan
}

// since writes what has changed since an older plan, below the verdict. It takes at most a third of the room, since
// the steps come after it.
func (m *markdown) since(d *planner.PlanDiff) {
	if d == nil {
		return
	}
	title := "**" + diffTitle(d) + "**\n"
	m.b.WriteString(title)
	m.room -= length(title)
	rest := m.room - m.room/3
	m.room -= rest
	m.diff(d)
	m.room += rest
	m.b.WriteString("\n")
}

// diff lists the differences, causes first.
func (m *markdown) diff(d *planner.PlanDiff) {
	if d.Same() {
		m.fits("\n- **Plan hash:** "+code(d.Is)+"\n", 0)
		return
	}
	m.fits("\n- **Was:** "+code(d.Was)+"\n- **Is:** "+code(d.Is)+"\n", 0)
	if d.Configuration {
		m.fits("- "+report.ChangedConfiguration+"\n", 0)
	}
	m.changed("Servers", diffFacts(d.Facts))
	m.changed("Steps: "+report.DiffCounts(d.Steps), diffSteps(d.Steps))
	m.changed("Findings", diffFindings(d.Findings))
	m.changed("Declarations", diffDeclarations(d.Declarations))
	m.changed("Order", diffOrder(d.Order))
	m.changed("Sites and turns", moved(d.Sites, ""))
}

// changed writes lines below a title, as far as there is room. An indented line belongs to the last line that is not
// indented, and is left out together with it.
func (m *markdown) changed(title string, lines []string) {
	title = "\n**" + title + "**\n\n"
	if len(lines) == 0 {
		return
	}
	if !m.fits(title, length(lines[0])) {
		m.changesLeft += len(lines)
		return
	}
	full := false
	for _, line := range lines {
		if full || !m.fits(line, 0) {
			full = true
			m.changesLeft++
		}
	}
}

func sign(s planner.Sort) string { return code(string(report.SignOf(s))) }

// moved returns changed values, one line each.
func moved(list []planner.Moved, indent string) []string {
	var out []string
	for _, l := range report.Lines(list) {
		line := indent + "- " + code(l.Path) + ": "
		switch l.Sort {
		case planner.Removed:
			line += sign(l.Sort) + " " + value(l.Was)
		case planner.Added:
			line += sign(l.Sort) + " " + value(l.Is)
		default:
			line += value(l.Was) + " → " + value(l.Is)
		}
		out = append(out, line+"\n")
	}
	return out
}

// value returns a value as code. It is not cut here: package report has cut what may be cut.
func value(s string) string {
	if s == "" {
		return report.OrNothing(s)
	}
	return printable.MarkdownCode(s)
}

func diffSteps(list []planner.StepDiff) []string {
	var out []string
	for i := range list {
		s := &list[i]
		number := fmt.Sprint(s.Number)
		if s.Sort == planner.Removed {
			number = "was " + number
		}
		line := fmt.Sprintf("- %s **%s** %s %s", sign(s.Sort), number, code(string(s.Mark)), code(s.ID))
		if s.Sort != planner.Changed {
			line += " " + text(s.Summary)
		}
		out = append(append(out, line+"\n"), moved(s.What, "  ")...)
	}
	return out
}

func diffFacts(list []planner.FactDiff) []string {
	var out []string
	for _, f := range list {
		out = append(out, fmt.Sprintf("- %s %s: %s → %s, relied on by %s\n", code(f.Addr), code(f.Name),
			value(report.Shortened(f.Name, f.Was, f.Is)), value(report.Shortened(f.Name, f.Is, f.Was)), codes(f.Steps)))
	}
	return out
}

func diffFindings(list []planner.FindingDiff) []string {
	var out []string
	for _, f := range list {
		addr := ""
		if f.Addr != "" {
			addr = code(f.Addr) + ": "
		}
		out = append(out, "- "+sign(f.Sort)+" "+addr+finding(f.Finding)+"\n")
		if f.Was != nil {
			out = append(out, "  - was "+finding(*f.Was)+"\n")
		}
	}
	return out
}

func diffDeclarations(list []planner.DeclarationDiff) []string {
	var out []string
	for i := range list {
		out = append(out, "- "+sign(list[i].Sort)+" "+code(list[i].Addr)+"\n")
		out = append(out, moved(list[i].What, "  ")...)
	}
	return out
}

func diffOrder(list []planner.Reordered) []string {
	var out []string
	for _, r := range list {
		out = append(out, fmt.Sprintf("- **%d** %s, which was step %d\n", r.Is, code(r.ID), r.Was))
	}
	return out
}

// DiffHTML writes the differences between two plans as a self-contained page, without network or script.
func DiffHTML(w io.Writer, d *planner.PlanDiff) error {
	doc := struct {
		Policy        string
		Style         template.CSS
		Title         string
		Diff          *planner.PlanDiff
		Program       string
		Verdict, Tone string
	}{contentPolicy, template.CSS(style), "Plan compared", d, "", diffTitle(d), "good"} //nolint:gosec // our own sheet
	if !d.Same() {
		doc.Tone = "warn"
	}
	var b bytes.Buffer
	if err := pageTemplate().ExecuteTemplate(&b, "comparison", doc); err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	_, err := io.WriteString(w, printable.Text(b.String()))
	return err
}

// toneOfSort returns the style of a difference.
func toneOfSort(s planner.Sort) string {
	return cmp.Or(map[planner.Sort]string{planner.Added: "add", planner.Removed: "delete"}[s], "change")
}

// shownFact returns a changed fact, cut so that the difference is visible.
func shownFact(f planner.FactDiff) []report.Line {
	return report.Lines([]planner.Moved{{Path: strings.ReplaceAll(f.Name, "\n", " "), Was: f.Was, Is: f.Is}})
}
