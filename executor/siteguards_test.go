package executor

import (
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
)

// What another site has verified is still fresh when an irreversible step starts, however long it took to get there: a
// step that stood before it, or the verification of its own guards.
func TestFreshWhenItStarts(t *testing.T) {
	cfg := sitesConfig()
	for _, slow := range []string{"verify_a", "verify_a, as a guard"} {
		a, b := twoCompanies()
		b.begin(t, overTwo())
		a.verifies = func(task *Task) {
			if task.Step.Op == "verify_a" && (slow == "verify_a" || task.Executed) {
				a.clock.mu.Lock()
				defer a.clock.mu.Unlock()
				a.clock.now = a.clock.now.Add(25 * time.Hour)
			}
		}
		for range 3 {
			b.apply(t, cfg)
			b.sendTo(t, a)
			if b.run(t).Chains["b"] == nil {
				t.Fatal("b has written nothing")
			}
			a.apply(t, cfg)
			a.sendTo(t, b)
		}
		if n := a.depot.thrown[addr+"/delete_a"]; n != 0 {
			t.Errorf("%s is slow: it was deleted on what was verified a day before", slow)
		}
	}
}

// A step that begins what ends with one that cannot be undone does not start on what will soon be too old for that.
func TestTimeIsLeftForTheEnd(t *testing.T) {
	cfg := sitesConfig()
	a, b := twoCompanies()
	halt := planner.Step{Op: "halt_a", Mark: planner.MarkChange, Servers: []string{"server.depot.a"},
		Needs: []string{"verify_b"}, Guards: []string{"verify_b"}}
	erase := planner.Step{Op: "erase_a", Mark: planner.MarkFinal, Repeat: planner.Once,
		Servers: []string{"server.depot.a"}, Needs: []string{"halt_a"}, Guards: []string{"verify_b"},
		Effect: &planner.Effect{Irreversible: true}}
	b.begin(t, overTwo(halt, erase))
	for range 2 {
		b.apply(t, cfg)
		b.sendTo(t, a)
		a.apply(t, cfg)
		a.sendTo(t, b)
	}
	b.apply(t, cfg)
	b.sendTo(t, a)
	a.clock.mu.Lock()
	a.clock.now = a.clock.now.Add(20 * time.Hour) // of the 24 that max_age is
	a.clock.mu.Unlock()
	a.apply(t, cfg)
	if a.depot.thrown[addr+"/halt_a"] != 0 {
		t.Error("a halts with four hours left")
	}
	a.sendTo(t, b)
	b.apply(t, cfg) // it verifies again
	b.sendTo(t, a)
	a.apply(t, cfg)
	if a.depot.thrown[addr+"/halt_a"] != 1 || a.depot.thrown[addr+"/erase_a"] != 1 {
		t.Errorf("a does not go on: %v", a.depot.thrown)
	}
}

// Time is left for the end of the same site only, and not for a step that is the end itself.
func TestTimeIsLeftForTheOwnEnd(t *testing.T) {
	step := func(id, site string, ends bool) planner.Step {
		return planner.Step{ID: id, Site: site, Guards: []string{"check"}, Effect: &planner.Effect{Irreversible: ends}}
	}
	p := &planner.Plan{
		Sites: []planner.PlanSite{{Name: "a"}, {Name: "b", MaxAge: planner.Duration(4 * time.Hour)}, {Name: "c"}},
		Steps: []planner.Step{{ID: "check", Site: "b"}, step("stop_a", "a", false), step("erase_a", "a", true),
			step("stop_c", "c", false)},
	}
	h := historyOf(p, nil, "a")
	for id, want := range map[string]string{"stop_a": "3h0m0s", "erase_a": "4h0m0s", "stop_c": "4h0m0s"} {
		if got := h.most(p.Step(id), h.guards["check"]).String(); got != want {
			t.Errorf("%s: %s, want %s", id, got, want)
		}
	}
}

// TestReliances: until when other sites' steps may rely on a check is what Next goes by when it starts them. A check
// that failed since, is retried, or needs a step that was retried holds no longer.
func TestReliances(t *testing.T) {
	step := func(id, site string, mark planner.Mark, ends bool, needs ...string) planner.Step {
		return planner.Step{ID: id, Op: id, Site: site, Mark: mark, Needs: needs, Guards: needs[len(needs)-1:],
			Effect: &planner.Effect{Irreversible: ends}}
	}
	p := &planner.Plan{
		Sites: []planner.PlanSite{{Name: "a", MaxAge: planner.Duration(time.Hour)},
			{Name: "b", MaxAge: planner.Duration(4 * time.Hour)}},
		Steps: []planner.Step{{ID: "first", Site: "b", Mark: planner.MarkChange},
			{ID: "check", Site: "b", Mark: planner.MarkCheck, Needs: []string{"first"}},
			step("stop", "a", planner.MarkChange, false, "check"), step("erase", "a", planner.MarkFinal, true, "stop", "check"),
			step("erase_b", "b", planner.MarkFinal, true, "check")},
	}
	at := time.Date(2027, 2, 4, 0, 0, 0, 0, time.UTC)
	var entries []journal.Entry
	own, knows := 0, map[string]int{} // of b
	for _, c := range []struct {
		key, event string
		at         time.Duration
		verified   time.Duration // negative: nothing
		holds      time.Duration
		next       string
	}{
		{"first", EventDone, 0, -1, 0, ""},
		{"check", EventDone, 0, -1, 0, ""},
		{RunKey, EventReceived, 0, 0, 3 * time.Hour, "stop"},
		{"check", EventVerified, time.Hour, -1, 0, ""}, // it is not known at the other site
		{RunKey, EventReceived, time.Hour, time.Hour, 4 * time.Hour, "stop"},
		{"check", EventFailed, time.Hour, -1, 0, ""},
		{"check", EventDone, 4 * time.Hour, -1, 0, ""}, // its clock is ahead
		{RunKey, EventReceived, 2 * time.Hour, 2 * time.Hour, 5 * time.Hour, "stop"},
		{"check", EventReopened, 2 * time.Hour, -1, 0, ""},
		{"check", EventDone, 9 * time.Hour, -1, 0, ""},
		{RunKey, EventReceived, 3 * time.Hour, -1, 0, ""}, // it was far ahead, so that its age is unknown
		{"check", EventDone, 3 * time.Hour, -1, 0, ""},
		{RunKey, EventReceived, 3 * time.Hour, 3 * time.Hour, 6 * time.Hour, "stop"},
		{"first", EventReopened, 3 * time.Hour, -1, 0, ""},
		{"first", EventDone, 3 * time.Hour, -1, 0, ""},
		{"check", EventDone, 4 * time.Hour, -1, 0, ""},
		{RunKey, EventReceived, 4 * time.Hour, 4 * time.Hour, 7 * time.Hour, "stop"},
		{"stop", EventDone, 5 * time.Hour, 4 * time.Hour, 8 * time.Hour, "erase"},
		{RunKey, EventOpened, 3 * time.Hour, 4 * time.Hour, 6 * time.Hour, "erase"}, // the clock of a was set back
		{"erase", EventDone, 6 * time.Hour, -1, 0, ""},
	} {
		e := journal.Entry{Seq: len(entries) + 1, Site: "a", Key: c.key, Event: c.event, Time: at.Add(c.at), Knows: knows}
		switch s := p.Step(c.key); {
		case s != nil && s.Site == "b":
			own++
			e.Site, e.Own, e.Knows = "b", own, nil
		case c.event == EventReceived:
			e.Data, knows = ReceivedData{Site: "b", Entries: own}.data(), map[string]int{"b": own}
			fallthrough
		default:
			e.Own = len(entries) + 1
		}
		entries = append(entries, e)
		want := map[string]Reliance{"b": {at.Add(c.verified), at.Add(c.holds)}}
		if c.verified < 0 {
			want = map[string]Reliance{}
		}
		got := Reliances(p, entries)
		if !maps.Equal(got, want) {
			t.Errorf("after %d, %s %s: %v, want %v", e.Seq, c.key, c.event, got, want)
			continue
		}
		if c.next == "" {
			continue
		}
		for late, starts := range map[time.Duration]bool{0: true, 1: false} {
			d := Next(p, entries, "a", got["b"].Until.Add(late))
			if slices.Contains(d.Start, c.next) != starts {
				t.Errorf("after %d, %v after it holds: %+v", e.Seq, late, d.Steps[c.next])
			}
		}
	}
	if got := Reliances(&planner.Plan{Steps: p.Steps}, entries); len(got) != 0 {
		t.Errorf("without sites: %v", got)
	}
}

// What was done and has to be looked at again, because a step that it needs was retried, is carried out on no old
// verification of another site, waits for none, and the run finishes.
func TestRetriedBeforeAnotherSitesGuard(t *testing.T) {
	cfg := sitesConfig()
	a, b := twoCompanies()
	rests := func(op string, mark planner.Mark, repeat planner.Repeat) planner.Step {
		return planner.Step{Op: op, Mark: mark, Repeat: repeat, Servers: []string{"server.depot.a"},
			Needs: []string{"prepare_a", "verify_b"}, Guards: []string{"verify_b"}}
	}
	prepare := planner.Step{Op: "prepare_a", Mark: planner.MarkChange, Repeat: planner.Idempotent,
		Servers: []string{"server.depot.a"}}
	change := rests("change_a", planner.MarkChange, planner.Idempotent)
	erase := rests("erase_a", planner.MarkFinal, planner.Once)
	erase.Effect = &planner.Effect{Irreversible: true}
	b.begin(t, overTwo(prepare, change, erase))
	round := func() {
		t.Helper()
		b.apply(t, cfg)
		b.sendTo(t, a)
		a.apply(t, cfg)
	}
	back := func() {
		t.Helper()
		a.sendTo(t, b)
	}
	for range 2 {
		round()
		back()
	}
	round()
	thrown := func(op string) int { return a.depot.thrown[addr+"/"+op] }
	if thrown("change_a") != 1 || thrown("erase_a") != 1 || thrown("delete_b") != 0 {
		t.Fatalf("before: %v", a.depot.thrown)
	}
	r := a.run(t)
	j, err := a.store.Journal(r, journal.Options{Now: a.clock.Now})
	if err == nil {
		_, err = j.Append(t.Context(), addr+"/prepare_a", EventReopened, nil)
		err = errors.Join(err, j.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	a.clock.mu.Lock()
	a.clock.now = a.clock.now.Add(30 * time.Hour)
	a.clock.mu.Unlock()
	rep := a.apply(t, cfg)
	for _, s := range rep.Steps {
		want := map[string]Phase{"prepare_a": PhaseDone, "change_a": PhaseFailed, "erase_a": PhaseDone}[s.Step.Op]
		if want != "" && s.Phase != want {
			t.Errorf("%s is %s: %s", s.Step.Op, s.Phase, s.Why)
		}
	}
	if thrown("prepare_a") != 2 || thrown("change_a") != 1 {
		t.Errorf("after it was retried: %v", a.depot.thrown)
	}
	back()
	for range 2 {
		round()
		back()
	}
	if !a.run(t).Finished() || !b.run(t).Finished() {
		t.Error("the run does not finish")
	}
	if thrown("change_a") != 2 || thrown("erase_a") != 1 {
		t.Errorf("in the end: %v", a.depot.thrown)
	}
}

// What was carried out and only has to be looked at waits for no other site's verification.
func TestLookWithoutAnotherSitesGuard(t *testing.T) {
	p := overTwo(planner.Step{Op: "change_a", Servers: []string{"server.depot.a"}, Mark: planner.MarkChange,
		Repeat: planner.Idempotent, Needs: []string{"verify_b"}, Guards: []string{"verify_b"}})
	for event, want := range map[string]Phase{EventExecuted: PhaseReady, EventStarted: PhaseAway} {
		var entries []journal.Entry
		add := func(site, id, event string) {
			entries = append(entries, journal.Entry{Seq: len(entries) + 1, Site: site, Key: id, Event: event})
		}
		for i := range p.Steps {
			if s := &p.Steps[i]; s.Op != "change_a" && s.Mark != planner.MarkFinal {
				add(s.Site, s.ID, EventDone)
			}
		}
		add("a", addr+"/change_a", event)
		add("a", RunKey, EventOpened) // the next process
		if st := Next(p, entries, "a", time.Time{}.Add(30*time.Hour)).Steps[addr+"/change_a"]; st.Phase != want {
			t.Errorf("%s: it is %s: %s", event, st.Phase, st.Why)
		}
	}
}

// What cannot be undone waits for the approval of both.
func TestBothApproveWhatCannotBeUndone(t *testing.T) {
	p := overTwo()
	hash, err := p.Hash()
	if err != nil {
		t.Fatal(err)
	}
	entries := func(events ...[3]string) []journal.Entry {
		var out []journal.Entry
		for _, e := range events {
			data := map[string]string{dataPlan: hash}
			if e[2] == EventReceived {
				data = ReceivedData{Site: "b", Entries: len(out)}.data()
			}
			out = append(out, journal.Entry{Seq: len(out) + 1, Site: e[0], Key: e[1], Event: e[2], Data: data})
		}
		return out
	}
	var events [][3]string
	for i := range p.Steps[:7] {
		events = append(events, [3]string{p.Steps[i].Site, p.Steps[i].ID, EventDone})
	}
	events = append(events, [3]string{"a", RunKey, EventReceived})
	for _, row := range []struct {
		approved []string
		want     Phase
	}{{nil, PhaseAway}, {[]string{"a"}, PhaseAway}, {[]string{"a", "b"}, PhaseReady}} {
		all := slices.Clone(events)
		for _, site := range row.approved {
			all = append(all, [3]string{site, RunKey, EventApproved})
		}
		d := Next(p, entries(all...), "a", time.Time{})
		if got := d.Steps[addr+"/delete_a"].Phase; got != row.want {
			t.Errorf("approved by %q: %s, want %s", row.approved, got, row.want)
		}
		if d = Next(p, entries(all...), "a", time.Time{}.Add(25*time.Hour)); d.Steps[addr+"/delete_a"].Phase != PhaseAway &&
			d.Steps[addr+"/delete_a"].Phase != PhaseBlocked {
			t.Errorf("approved by %q, a day later: %s", row.approved, d.Steps[addr+"/delete_a"].Phase)
		}
	}
	for name, change := range map[string]func(*journal.Entry){
		"of another plan": func(e *journal.Entry) { e.Data = map[string]string{dataPlan: "sha256:0"} },
		"of no plan":      func(e *journal.Entry) { e.Data = nil },
		"of a step":       func(e *journal.Entry) { e.Key = addr + "/stop_b" },
	} {
		all := entries(append(slices.Clone(events), [3]string{"a", RunKey, EventApproved},
			[3]string{"b", RunKey, EventApproved})...)
		change(&all[len(all)-1])
		if got := Next(p, all, "a", time.Time{}).Steps[addr+"/delete_a"]; !slices.Equal(got.WaitFor, []string{"b"}) {
			t.Errorf("an approval %s counts: %+v", name, got)
		}
	}
}
