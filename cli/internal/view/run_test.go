package view

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
)

// long returns a run of n steps, where the step in the middle has failed.
func long(n int) RunState {
	p := &planner.Plan{}
	d := executor.Decision{Steps: map[string]executor.StepState{}}
	for i := range n {
		id := fmt.Sprintf("sync.depot.a/s%d", i+1)
		p.Steps = append(p.Steps, planner.Step{ID: id})
		phase := executor.PhaseDone
		switch {
		case i == n/2:
			phase = executor.PhaseFailed
		case i > n/2 && i%3 == 0:
			phase = executor.PhaseReady
		case i > n/2:
			phase = executor.PhaseBlocked
		}
		d.Steps[id] = executor.StepState{Phase: phase}
	}
	return RunState{Run: &executor.Run{Plan: p}, Decision: d}
}

// TestLongRuns checks that the important steps of a long run are shown, and the others in a few lines. With detail,
// all steps are shown.
func TestLongRuns(t *testing.T) {
	for _, c := range []struct {
		steps  int
		detail bool
		most   int
	}{{150, false, 160}, {30000, false, 10}, {30000, true, 30010}} {
		var out strings.Builder
		if err := Run(&out, Style{}, long(c.steps), c.detail); err != nil {
			t.Fatal(err)
		}
		lines := strings.Count(out.String(), "\n")
		whole := c.detail || c.steps < MostLines
		if lines > c.most || whole && lines < c.steps || !strings.Contains(out.String(), fmt.Sprintf("/s%d\n", c.steps/2+1)) {
			t.Errorf("%d steps, detail %v: %d lines:\n%.500s", c.steps, c.detail, lines, out.String())
		}
		var entries []journal.Entry
		for i := range c.steps {
			entries = append(entries, journal.Entry{Seq: i + 1, Event: "done"})
		}
		out.Reset()
		if err := Entries(&out, Style{}, entries, c.detail); err != nil {
			t.Fatal(err)
		}
		var last strings.Builder // of which only those were kept that are shown
		if err := Entries(&last, Style{}, entries[max(0, c.steps-MostLines):], false); err != nil ||
			!c.detail && last.String() != out.String() {
			t.Errorf("%d entries: %v, %.500s", c.steps, err, last.String())
		}
		lines = strings.Count(out.String(), "\n")
		if want := c.steps; whole && lines != want || !whole && lines != MostLines+1 ||
			!strings.Contains(out.String(), fmt.Sprintf("%5d  ", c.steps)) {
			t.Errorf("%d entries, detail %v: %d lines", c.steps, c.detail, lines)
		}
	}
}

// TestFinalByAPerson checks that a person's step that cannot be undone has both marks wherever steps are listed.
func TestFinalByAPerson(t *testing.T) {
	final := planner.Person("scrap", "scraps b", planner.Manual{Where: "the depot"})
	final.ID, final.Addr = "sync.depot.b/scrap", "sync.depot.b"
	final.Effect = &planner.Effect{Destroy: 2, Irreversible: true}
	usual := planner.Person("label", "labels b", planner.Manual{Where: "the depot"})
	usual.ID, usual.Addr = "sync.depot.b/label", "sync.depot.b"
	p := &planner.Plan{Steps: []planner.Step{usual, final}}
	state := RunState{Run: &executor.Run{Plan: p}, Decision: executor.Decision{Steps: map[string]executor.StepState{
		usual.ID: {Phase: executor.PhaseDone}, final.ID: {Phase: executor.PhaseWaiting}}}}
	report := &executor.Report{Steps: []executor.StepReport{{Step: usual, Phase: executor.PhaseDone, Here: true},
		{Step: final, Phase: executor.PhaseWaiting}}}
	for name, write := range map[string]func(*strings.Builder) error{
		"plan":   func(b *strings.Builder) error { return Plan(b, p, PlanOptions{}) },
		"detail": func(b *strings.Builder) error { return Plan(b, p, PlanOptions{Detail: true}) },
		"status": func(b *strings.Builder) error { return Run(b, Style{}, state, false) },
		"show":   func(b *strings.Builder) error { return Run(b, Style{}, state, true) },
		"report": func(b *strings.Builder) error {
			return Report(b, Style{}, End{Report: report, RunID: "r", Next: Commands{Apply: "syncctl apply",
				Resolve: "syncctl resolve"}})
		},
		"plain": func(b *strings.Builder) error {
			NewPlain(b, Style{}, p).Observe(executor.Event{Name: executor.EventStarted, Step: &p.Steps[1]})
			return nil
		},
		"live": func(b *strings.Builder) error {
			l := NewLive(b, Style{}, func() int { return 80 }, p, 0, time.Now, nil)
			l.Observe(executor.Event{Name: executor.EventStarted, Step: &p.Steps[1]})
			l.Close()
			return nil
		},
	} {
		var b strings.Builder
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		if out := b.String(); !regexp.MustCompile(`(?m)^ *2(/2)? \?! `).MatchString(out) ||
			regexp.MustCompile(`(?m)^ *1(/2)? \?!`).MatchString(out) {
			t.Errorf("%s:\n%s", name, out)
		}
	}
}

// TestLengthOfAPlan checks that a plan of many declarations has about one line per step and two per declaration, with
// findings below their steps.
func TestLengthOfAPlan(t *testing.T) {
	const declarations, steps, found = 40, 20, 3
	p := &planner.Plan{}
	var want []string
	for d := range declarations {
		addr := fmt.Sprintf("sync.depot.s%02d", d)
		p.Changes = append(p.Changes, planner.ResourceChange{Addr: addr, Action: planner.Update})
		for i := range steps {
			op := fmt.Sprintf("op%02d", i)
			s := planner.Act(op, planner.MarkChange, planner.CheckFirst, "changes something")
			s.ID, s.Addr, s.Because, s.Undo = planner.StepID(addr, op), addr, "it differs", "change it back"
			if i > 0 {
				s.Needs = []string{p.Steps[len(p.Steps)-1].ID}
			}
			p.Steps = append(p.Steps, s)
		}
		for i := range found {
			p.Findings = append(p.Findings, planner.Finding{Rule: "depot/wet", Severity: planner.Note, Addr: addr,
				Op: fmt.Sprintf("op%02d", 2*i), Summary: fmt.Sprintf("found %d-%d", d, i)})
			want = append(want, fmt.Sprintf("%d:found %d-%d", d*steps+2*i+1, d, i))
		}
	}
	var b strings.Builder
	if err := Plan(&b, p, PlanOptions{Style: Style{Width: 100}}); err != nil {
		t.Fatal(err)
	}
	const most = declarations*(steps+found+2) + 6
	if n := strings.Count(b.String(), "\n"); n > most {
		t.Errorf("%d lines, at most %d", n, most)
	}
	var got []string
	step := ""
	for line := range strings.Lines(b.String()) {
		if m := regexp.MustCompile(`^ *(\d+) ~ `).FindStringSubmatch(line); m != nil {
			step = m[1]
		}
		if m := regexp.MustCompile(`found \S+`).FindString(line); m != "" {
			got = append(got, step+":"+m)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("found %v\nwant %v", got, want)
	}
}

// TestBegunStepsStandAlone checks that a long run shows steps that were begun and perhaps sent, even if they may start
// again, and that the hint names the run.
func TestBegunStepsStandAlone(t *testing.T) {
	r := long(1000)
	r.Run.ID = "20260101T000000.000Z-abcdef"
	for i, st := range map[int]executor.StepState{
		701: {Phase: executor.PhaseReady, Begun: true, Entry: journal.Entry{Event: executor.EventStarted}},
		802: {Phase: executor.PhaseReady, Entry: journal.Entry{Event: executor.EventFailed}, Why: "no answer"},
		903: {Phase: executor.PhaseBlocked, Begun: true, Why: "it needs x"},
	} {
		r.Decision.Steps[fmt.Sprintf("sync.depot.a/s%d", i)] = st
	}
	var out strings.Builder
	if err := Run(&out, Style{}, r, false); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"/s701\n", "/s802\n", "/s903\n", "no answer", "syncctl show " + r.Run.ID + " -detail"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing:\n%s", want, out.String())
		}
	}
}
