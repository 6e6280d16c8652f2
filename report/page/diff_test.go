package page_test

import (
	"bytes"
	"fmt"
	"html"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/printable"
	"github.com/syncctl/syncctl/report"
	"github.com/syncctl/syncctl/report/page"
	"github.com/syncctl/syncctl/report/reporttest"
)

func diffOf(t fataler, old, made *planner.Plan) *planner.PlanDiff {
	t.Helper()
	d, err := planner.DiffPlans(old, made)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return d
}

func diffMarkdown(t fataler, d *planner.PlanDiff, most int) string {
	t.Helper()
	var b bytes.Buffer
	if err := page.DiffMarkdown(&b, d, most); err != nil {
		t.Fatalf("%v", err)
	}
	return b.String()
}

func diffHTML(t fataler, d *planner.PlanDiff) string {
	t.Helper()
	var b bytes.Buffer
	if err := page.DiffHTML(&b, d); err != nil {
		t.Fatalf("%v", err)
	}
	return b.String()
}

// moved is the small plan, and what became of it: every sort of difference.
func moved() (old, made *planner.Plan) {
	old, made = reporttest.Small(), reporttest.Small()
	made.Digest = "e"
	paint, scrap := &made.Steps[0], made.Steps[2]
	paint.Facts = []planner.Fact{{Name: "color", Value: "green"}}
	paint.Summary, paint.Needs = "paint tools crimson", []string{"sync.depot.a/x", "sync.depot.a/y"}
	wash := planner.Act("wash", planner.MarkAdd, planner.Idempotent, "wash tools")
	wash.Addr, wash.ID = scrap.Addr, planner.StepID(scrap.Addr, "wash")
	made.Steps = []planner.Step{scrap, *paint, wash}
	made.Findings = []planner.Finding{{Rule: "depot/wet", Severity: planner.Warn, Addr: scrap.Addr, Op: "paint",
		Summary: "paint is very wet"}}
	made.Changes[0].Diff[0].Actual = `"green"`
	return old, made
}

// everywhere is a difference whose every text is hostile.
func everywhere() *planner.PlanDiff {
	d := &planner.PlanDiff{Was: "a", Is: "b", Configuration: true}
	for _, name := range reporttest.Hostile {
		values := []planner.Moved{{Path: name, Was: name, Is: "x"}, {Path: name, Was: name + "\n1", Is: "2\n3"}}
		f := planner.Finding{Rule: name, Severity: planner.Warn, Addr: name, Op: name, Summary: name, Detail: name}
		d.Steps = append(d.Steps,
			planner.StepDiff{Sort: planner.Changed, ID: name, Number: 1, Mark: planner.Mark(name), Summary: name, What: values},
			planner.StepDiff{Sort: planner.Removed, ID: name, Number: 1, Mark: planner.Mark(name), Summary: name})
		d.Facts = append(d.Facts, planner.FactDiff{Addr: name, Name: name, Was: name, Is: name, Steps: []string{name}})
		d.Findings = append(d.Findings, planner.FindingDiff{Sort: planner.Changed, Finding: f, Was: &f})
		d.Declarations = append(d.Declarations, planner.DeclarationDiff{Sort: planner.Changed, Addr: name, What: values})
		d.Order = append(d.Order, planner.Reordered{ID: name, Was: 1, Is: 2})
		d.Sites = append(d.Sites, values...)
	}
	return d
}

// TestDiffDocuments: what has changed as a comment and as a page, by itself and above the plan that it has become.
func TestDiffDocuments(t *testing.T) {
	old, made := moved()
	d := diffOf(t, old, made)
	golden(t, "diff.md", diffMarkdown(t, d, page.MostOfComment))
	golden(t, "same.md", diffMarkdown(t, diffOf(t, old, old), page.MostOfComment))
	r, err := report.New(made, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Since = d
	whole := markdown(t, r, page.MostOfComment)
	for name, text := range map[string]string{"comment": diffMarkdown(t, d, page.MostOfComment), "above a plan": whole,
		"page": diffHTML(t, d), "page of a plan": htmlOf(t, r)} {
		for _, want := range []string{"sync.depot.tools/wash", "sync.depot.tools/label", "crimson", "sync.depot.a/y", "green",
			"very wet", d.Was, d.Is, report.ChangedConfiguration, "1 added, 1 removed, "} {
			if !strings.Contains(html.UnescapeString(text), want) {
				t.Errorf("%s: %q is missing", name, want)
			}
		}
	}
	at := strings.Index(whole, report.ChangedPlan)
	if at < strings.Index(whole, "Ready") || at > strings.Index(whole, "- **1**") {
		t.Error("what has changed is not between the decision and the steps")
	}
}

// TestDiffFits: a comment is never longer than it may be, however much has changed, and says what was left out; above a
// plan it leaves room for the plan.
func TestDiffFits(t *testing.T) {
	old, made := reporttest.Fleet(40, 5000), reporttest.Fleet(40, 5000)
	for i := range made.Steps {
		made.Steps[i].Summary += "!"
	}
	d := diffOf(t, old, made)
	r, err := report.New(made, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Since = d
	for _, most := range []int{page.MostOfComment, 8000, 4000} {
		for name, text := range map[string]string{"alone": diffMarkdown(t, d, most), "above": markdown(t, r, most)} {
			plainMarkdown(t, text)
			if length(text) > most || !strings.Contains(text, "lines of what has changed") {
				t.Errorf("%s: %d of %d characters: …%s", name, length(text), most, text[len(text)-200:])
			}
			if name == "above" && most > 4000 && !strings.Contains(text, "- **1** ") {
				t.Errorf("%d: no step of the plan is left", most)
			}
		}
	}
}

// TestDiffHostile: names mean nothing in what has changed either.
func TestDiffHostile(t *testing.T) {
	d := everywhere()
	plainMarkdown(t, diffMarkdown(t, d, page.MostOfComment))
	text := diffHTML(t, d)
	for _, m := range tags.FindAllStringSubmatch(text, -1) {
		if !ours.MatchString(m[1]) {
			t.Errorf("<%s>", m[1])
		}
	}
	if m := loads.FindString(text); m != "" || !printable.Safe(text) || !strings.Contains(text, page.PolicyMark) {
		t.Errorf("loads something, or is unsafe: %q", m)
	}
	for i, name := range reporttest.Hostile {
		if !strings.Contains(html.UnescapeString(text), printable.Text(strings.ReplaceAll(name, "\x00", "\ufffd"))) {
			t.Errorf("%d: %q is missing", i, name)
		}
	}
}

// FuzzDiffMarkdown: nothing that differs is more than text in a comment.
func FuzzDiffMarkdown(f *testing.F) {
	for _, name := range reporttest.Hostile {
		f.Add(name, fmt.Sprint(name, "\nx"))
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		d := &planner.PlanDiff{Was: a, Is: b, Sites: []planner.Moved{{Path: a, Was: a, Is: b}},
			Steps: []planner.StepDiff{{Sort: planner.Added, ID: a, Mark: planner.Mark(b), Summary: b}}}
		plainMarkdown(t, diffMarkdown(t, d, page.MostOfComment))
	})
}
