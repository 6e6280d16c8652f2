package report_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/report"
	"github.com/syncctl/syncctl/report/reporttest"
	"github.com/syncctl/syncctl/schema"
)

func made(t *testing.T, p *planner.Plan, run *report.Run) *report.Report {
	t.Helper()
	r, err := report.New(p, run)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestPlan: every step and finding of a plan is in its report, once.
func TestPlan(t *testing.T) {
	for name, p := range map[string]*planner.Plan{
		"small": reporttest.Small(), "fleet": reporttest.Fleet(12, 60), "malign": reporttest.Malign(), "empty": {},
	} {
		r := made(t, p, nil)
		steps, findings := 0, len(r.Refusals)+len(r.Findings)
		for _, f := range r.Notes {
			findings += len(f.Addrs)
		}
		for _, d := range r.Declarations {
			findings += len(d.Findings)
			for _, s := range d.Steps {
				steps++
				findings += len(s.Findings)
			}
		}
		if steps != len(p.Steps) || len(r.Steps) != steps || findings != len(p.Findings) {
			t.Errorf("%s: %d of %d steps, %d of %d findings", name, steps, len(p.Steps), findings, len(p.Findings))
		}
		laned := map[int]bool{}
		for _, l := range r.Lanes {
			for _, s := range l.Steps {
				laned[s.Number] = true
			}
		}
		if len(laned) != steps {
			t.Errorf("%s: %d of %d steps are in lanes", name, len(laned), steps)
		}
		for _, s := range r.Steps {
			for _, n := range s.Needs {
				if r.Steps[n-1].Slot >= s.Slot || s.Slot >= r.Slots {
					t.Errorf("%s: step %d in slot %d needs step %d in slot %d", name, s.Number, s.Slot, n, r.Steps[n-1].Slot)
				}
			}
		}
	}
}

// TestNotes: a note that says the same of several declarations is one, with all of them; it makes no declaration a part
// of the report. Warnings, and notes that differ in a word, stay with their declaration.
func TestNotes(t *testing.T) {
	p := &planner.Plan{}
	for i := range 9 {
		addr := fmt.Sprintf("sync.depot.s%d", i)
		p.Findings = append(p.Findings,
			planner.Finding{Rule: "depot/dry", Severity: planner.Note, Addr: addr, Summary: "dry", Detail: "very"},
			planner.Finding{Rule: "depot/dry", Severity: planner.Warn, Addr: "sync.depot.wet", Summary: "dry", Detail: "very"})
	}
	p.Findings = append(p.Findings,
		planner.Finding{Rule: "depot/dry", Severity: planner.Note, Addr: "sync.depot.x", Summary: "dry"})
	r := made(t, p, nil)
	if len(r.Notes) != 1 || len(r.Notes[0].Addrs) != 9 || len(r.Declarations) != 2 ||
		len(r.Declarations[0].Findings) != 9 {
		t.Errorf("%+v, %+v", r.Notes, r.Declarations)
	}
	if got := r.Notes[0].Where(func(s string) string { return s }); got != "sync.depot.s0, sync.depot.s1, sync.depot.s2 "+
		"and 6 more" {
		t.Error(got)
	}
}

func TestSmall(t *testing.T) {
	r := made(t, reporttest.Small(), nil)
	if r.Rollback() != "possible until step 3 (scrap), which cannot be undone" ||
		len(r.Undo()) != 1 || r.Steps[0].Site != "acme" || r.Verdict() != "Ready to be approved" {
		t.Errorf("%q, %+v", r.Rollback(), r.Undo())
	}
	n := r.Topology.Node("server.depot.north")
	if len(n.Has) != 1 || n.Has[0].Labels[0].Value != "2027-01-31" || len(n.Steps) != 3 || n.Site != "acme" {
		t.Errorf("%+v", n)
	}
	if len(r.Topology.Syncs) != 1 || r.Topology.Syncs[0].Ends[0].Node != n || len(r.Topology.Syncs[0].Steps) != 3 {
		t.Errorf("%+v", r.Topology.Syncs)
	}
}

// TestStates: what a journal says of a step, as people see it.
func TestStates(t *testing.T) {
	p := reporttest.Small()
	for event, want := range map[string]report.State{
		executor.EventFailed: report.Failed, executor.EventWaiting: report.Waiting, executor.EventStuck: report.Stuck,
		executor.EventStarted: report.Interrupted, executor.EventExecuted: report.Interrupted,
	} {
		r := made(t, p, reporttest.Run(p, 1, event, "why"))
		got := []report.State{r.Steps[0].State, r.Steps[1].State, r.Steps[2].State}
		if diff := cmp.Diff([]report.State{report.Done, want, report.Open}, got); diff != "" {
			t.Errorf("%s: %s", event, diff)
		}
		waits := want == report.Waiting
		if s := r.Steps[1]; s.Measured == waits && (waits || event == executor.EventFailed) {
			t.Errorf("%s: it took %s, as far as is known", event, s.Took)
		}
		if n := r.Topology.Node("keystore.jks.north"); n.Labels[0].Name != report.Before+"tls valid until" {
			t.Errorf("%s: what was seen before is shown as %+v", event, n.Labels)
		}
		if s := r.Steps[0]; !s.Measured || s.Took != 700*time.Millisecond || r.Steps[2].Timed || r.Counts[report.Done] != 1 {
			t.Errorf("%s: %+v, %v", event, s, r.Counts)
		}
	}
	all := made(t, p, reporttest.Run(p, 3, "", ""))
	if all.Rollback() != "no longer possible for what was done up to step 3 (scrap)" || all.Counts[report.Done] != 3 {
		t.Errorf("%q", all.Rollback())
	}
}

// TestStatesOfSites: what another site has, what is stuck there, and what has to be looked at again, has begun.
func TestStatesOfSites(t *testing.T) {
	p := reporttest.Small()
	entry := func(event string) journal.Entry { return journal.Entry{Event: event} }
	for name, c := range map[string]struct {
		st   executor.StepState
		want report.State
	}{
		"nothing":          {executor.StepState{Phase: executor.PhaseReady}, report.Open},
		"blocked":          {executor.StepState{Phase: executor.PhaseBlocked}, report.Open},
		"away":             {executor.StepState{Phase: executor.PhaseAway, Why: "it is carried out by b"}, report.Away},
		"stuck there":      {executor.StepState{Phase: executor.PhaseAway, Entry: entry("stuck")}, report.Stuck},
		"stuck, blocked":   {executor.StepState{Phase: executor.PhaseBlocked, Entry: entry("stuck")}, report.Stuck},
		"done, blocked":    {executor.StepState{Phase: executor.PhaseBlocked, Entry: entry("done")}, report.Again},
		"reopened":         {executor.StepState{Phase: executor.PhaseReady, Entry: entry("reopened")}, report.Again},
		"resolved":         {executor.StepState{Phase: executor.PhaseReady, Entry: entry("resolved")}, report.Again},
		"begun, no entry":  {executor.StepState{Phase: executor.PhaseReady, Begun: true}, report.Interrupted},
		"an unknown event": {executor.StepState{Phase: executor.PhaseReady, Entry: entry("new")}, report.Interrupted},
	} {
		d := executor.Decision{Steps: map[string]executor.StepState{p.Steps[0].ID: c.st}}
		s := made(t, p, &report.Run{Decision: d}).Steps[0]
		if s.State != c.want || s.Why != c.st.Why {
			t.Errorf("%s: %q, %q", name, s.State, s.Why)
		}
	}
}

// TestRollback: a step that may have been carried out and cannot be undone is not one that was not; what is done for
// good is not among what can be taken back, and what comes after it is.
func TestRollback(t *testing.T) {
	p := reporttest.Small()
	p.Steps = append(p.Steps, p.Steps[0], p.Steps[2])
	for i := range p.Steps[3:] {
		s := &p.Steps[3+i]
		s.ID, s.Undo = s.ID+"_2", "paint it again"
	}
	const doubt = "not known whether still possible: step 3 (scrap) may have been carried out"
	for name, c := range map[string]struct {
		run  *report.Run
		want string
		undo []int
	}{
		"plan":    {nil, "possible until step 3 (scrap), which cannot be undone", []int{1}},
		"begun":   {reporttest.Run(p, 1, "stuck", ""), "possible until step 3 (scrap), which cannot be undone", []int{1}},
		"unsent":  {reporttest.Run(p, 2, "failed", ""), "possible until step 3 (scrap), which cannot be undone", []int{1}},
		"stuck":   {reporttest.Run(p, 2, "stuck", ""), doubt, []int{1}},
		"started": {reporttest.Run(p, 2, "started", ""), doubt, []int{1}},
		"past": {reporttest.Run(p, 3, "failed", ""), "possible until step 5 (scrap), which cannot be undone; " +
			"no longer possible for what was done up to step 3 (scrap)", []int{4}},
		"all": {reporttest.Run(p, 5, "", ""), "no longer possible for what was done up to step 5 (scrap)", nil},
	} {
		r := made(t, p, c.run)
		var undo []int
		for _, u := range r.Undo() {
			undo = append(undo, report.Numbers(u.Steps)...)
		}
		if diff := cmp.Diff(c.undo, undo); diff != "" || r.Rollback() != c.want {
			t.Errorf("%s: %q, %s", name, r.Rollback(), diff)
		}
	}
}

// TestTiming: only what is known to have ended has a duration, and what lies between two tries does not count.
func TestTiming(t *testing.T) {
	p := reporttest.Small()
	at := time.Date(2027, 2, 3, 4, 5, 0, 0, time.UTC)
	type entry struct {
		event string
		at    int // seconds
	}
	for name, c := range map[string]struct {
		entries []entry
		took    time.Duration // -1: not known
	}{
		"done":       {[]entry{{"started", 5}, {"executed", 7}, {"done", 8}}, 3 * time.Second},
		"running":    {[]entry{{"started", 5}}, -1},
		"found done": {[]entry{{"done", 5}}, -1},
		"twice": {[]entry{{"started", 5}, {"failed", 7}, {"opened", 90000}, {"started", 90000},
			{"done", 90001}}, 3 * time.Second},
		"died":         {[]entry{{"started", 5}, {"opened", 90000}, {"started", 90000}, {"done", 90001}}, -1},
		"died after":   {[]entry{{"started", 5}, {"executed", 7}, {"opened", 90000}, {"done", 90001}}, 2 * time.Second},
		"reopened":     {[]entry{{"started", 5}, {"done", 7}, {"reopened", 90000}}, 2 * time.Second},
		"clock is set": {[]entry{{"started", 5}, {"done", 2}}, -1},
	} {
		run := &report.Run{}
		for i, e := range c.entries {
			key := p.Steps[0].ID
			if e.event == executor.EventOpened {
				key = executor.RunKey
			}
			run.Entries = append(run.Entries, journal.Entry{Seq: i + 1, Key: key, Event: e.event,
				Time: at.Add(time.Duration(e.at) * time.Second)})
		}
		r := made(t, p, run)
		s := r.Steps[0]
		if !s.Timed || s.Measured != (c.took >= 0) || s.Measured && s.Took != c.took || s.Began < 0 || r.To.Before(r.From) {
			t.Errorf("%s: measured %v, %s, began %s", name, s.Measured, s.Took, s.Began)
		}
	}
}

// TestGroups: servers stand by site, else by how far data has come; a circle ends.
func TestGroups(t *testing.T) {
	chain := func(site bool, links ...[2]int) *planner.Plan {
		p := &planner.Plan{}
		for i := range 3 {
			d := planner.Declared{Addr: fmt.Sprintf("server.depot.s%d", i)}
			if site {
				d.Site = fmt.Sprintf("site%d", i%2)
			}
			p.Declared = append(p.Declared, d)
		}
		for i, l := range links {
			p.Declared = append(p.Declared, planner.Declared{Addr: fmt.Sprintf("sync.depot.x%d", i), Links: []planner.Link{
				{Path: "a", To: fmt.Sprintf("server.depot.s%d", l[0]), Flow: schema.FlowFrom},
				{Path: "b", To: fmt.Sprintf("server.depot.s%d", l[1]), Flow: schema.FlowTo}}})
		}
		return p
	}
	for name, c := range map[string]struct {
		plan *planner.Plan
		want [][]string
	}{
		"a chain":  {chain(false, [2]int{2, 1}, [2]int{1, 0}), [][]string{{"s2"}, {"s1"}, {"s0"}}},
		"a star":   {chain(false, [2]int{0, 2}, [2]int{1, 2}), [][]string{{"s0", "s1"}, {"s2"}}},
		"a circle": {chain(false, [2]int{0, 1}, [2]int{1, 2}, [2]int{2, 0}), [][]string{{"s1"}, {"s2"}, {"s0"}}},
		"sites":    {chain(true, [2]int{1, 0}), [][]string{{"s1"}, {"s0", "s2"}}},
		"nothing":  {chain(false), [][]string{{"s0", "s1", "s2"}}},
	} {
		var got [][]string
		for _, s := range made(t, c.plan, nil).Topology.Sites {
			var names []string
			for _, n := range s.Servers {
				names = append(names, n.Name)
			}
			got = append(got, names)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestOlderPlan: a plan of a program that wrote no declarations still names its servers.
func TestOlderPlan(t *testing.T) {
	p := reporttest.Small()
	p.Declared = nil
	r := made(t, p, nil)
	n := r.Topology.Node("server.depot.north")
	if n == nil || !n.Apart || len(n.Steps) != 3 || len(r.Topology.Sites) != 1 {
		t.Errorf("%+v", r.Topology)
	}
}
