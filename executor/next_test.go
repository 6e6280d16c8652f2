package executor

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
	"pgregory.net/rapid"
)

func entriesOf(events ...[3]string) []journal.Entry {
	var out []journal.Entry
	for i, e := range events {
		data := map[string]string{}
		if e[2] != "" {
			data["sent"] = e[2]
		}
		out = append(out, journal.Entry{Seq: i + 1, Key: e[0], Event: e[1], Data: data})
	}
	return out
}

// The table of interrupted runs, cell by cell.
func TestTableOfInterruptedRuns(t *testing.T) {
	opened := [3]string{RunKey, EventOpened, ""}
	rows := []struct {
		says    string
		entries [][3]string
		want    map[planner.Repeat]How // none: it must not start
		phase   Phase
	}{
		{"nothing", nil, map[planner.Repeat]How{planner.Idempotent: HowExecute, planner.CheckFirst: HowVerifyFirst,
			planner.Once: HowVerifyFirst}, PhaseReady},
		{"failed unsent", [][3]string{{"a/x", EventStarted, ""}, {"a/x", EventFailed, "no"}},
			map[planner.Repeat]How{planner.Idempotent: HowExecute, planner.CheckFirst: HowVerifyFirst,
				planner.Once: HowVerifyFirst}, PhaseReady},
		{"failed, sent or not", [][3]string{{"a/x", EventStarted, ""}, {"a/x", EventFailed, ""}},
			map[planner.Repeat]How{planner.Idempotent: HowExecute, planner.CheckFirst: HowVerifyFirst,
				planner.Once: HowVerifyOnce}, PhaseReady},
		{"started", [][3]string{{"a/x", EventStarted, ""}}, map[planner.Repeat]How{planner.Idempotent: HowExecute,
			planner.CheckFirst: HowVerifyFirst, planner.Once: HowVerifyOnce}, PhaseReady},
		{"executed", [][3]string{{"a/x", EventStarted, ""}, {"a/x", EventExecuted, ""}},
			map[planner.Repeat]How{planner.Idempotent: HowVerify, planner.CheckFirst: HowVerify, planner.Once: HowVerify},
			PhaseReady},
		{"done", [][3]string{{"a/x", EventDone, ""}}, nil, PhaseDone},
		{"resolved", [][3]string{{"a/x", EventStuck, ""}, {"a/x", EventResolved, ""}}, nil, PhaseDone},
		{"reopened", [][3]string{{"a/x", EventStuck, ""}, {"a/x", EventReopened, ""}},
			map[planner.Repeat]How{planner.Idempotent: HowExecute, planner.CheckFirst: HowVerifyFirst,
				planner.Once: HowVerifyFirst}, PhaseReady},
		{"stuck", [][3]string{{"a/x", EventStuck, ""}}, nil, PhaseStuck},
	}
	for _, row := range rows {
		for _, repeat := range []planner.Repeat{planner.Idempotent, planner.CheckFirst, planner.Once} {
			t.Run(row.says+"/"+string(repeat), func(t *testing.T) {
				p := &planner.Plan{Steps: []planner.Step{{ID: "a/x", Repeat: repeat}}}
				d := Next(p, entriesOf(append(row.entries, opened)...), "", time.Time{})
				st := d.Steps["a/x"]
				if st.Phase != row.phase {
					t.Fatalf("phase is %s, want %s", st.Phase, row.phase)
				}
				if want := row.want[repeat]; row.want != nil && st.How != want {
					t.Errorf("how is %s, want %s", st.How, want)
				}
				if starts := len(d.Start) == 1; starts != (row.want != nil) {
					t.Errorf("it may start: %v", starts)
				}
			})
		}
	}
}

// What was begun by the process that runs now is not begun again by it.
func TestRunningAndWaitingAreLeftAlone(t *testing.T) {
	p := &planner.Plan{Steps: []planner.Step{{ID: "a/x", Repeat: planner.Idempotent}}}
	for _, event := range []string{EventStarted, EventExecuted, EventWaiting, EventFailed, EventStuck} {
		d := Next(p, entriesOf([3]string{RunKey, EventOpened, ""}, [3]string{"a/x", event, ""}), "", time.Time{})
		if len(d.Start) != 0 {
			t.Errorf("after %s it starts again", event)
		}
	}
}

func TestAgainAt(t *testing.T) {
	p := &planner.Plan{Steps: []planner.Step{{ID: "a/x", Repeat: planner.Idempotent}}}
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	entries := entriesOf([3]string{RunKey, EventOpened, ""}, [3]string{"a/x", EventFailed, "no"})
	entries[1].Data["again_at"] = at.Format(time.RFC3339Nano)
	if d := Next(p, entries, "", at.Add(-time.Second)); len(d.Start) != 0 || !d.Wake.Equal(at) {
		t.Errorf("before its time: %+v", d)
	}
	if d := Next(p, entries, "", at); len(d.Start) != 1 {
		t.Errorf("at its time: %+v", d)
	}
}

// Whatever the plan and the journal: a step starts only when all it needs is done, two that exclude each other never
// start or run together, and the answer depends on nothing else.
func TestNextProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 8).Draw(t, "steps")
		p := &planner.Plan{}
		for i := range n {
			s := planner.Step{ID: fmt.Sprintf("a/%d", i), Repeat: rapid.SampledFrom([]planner.Repeat{planner.Idempotent,
				planner.CheckFirst, planner.Once}).Draw(t, "repeat")}
			for j := range i {
				if rapid.Bool().Draw(t, "needs") {
					s.Needs = append(s.Needs, fmt.Sprintf("a/%d", j))
				}
			}
			if rapid.Bool().Draw(t, "exclusive") {
				s.Exclusive = []string{"one"}
			}
			p.Steps = append(p.Steps, s)
		}
		var events [][3]string
		for range rapid.IntRange(0, 20).Draw(t, "entries") {
			key := fmt.Sprintf("a/%d", rapid.IntRange(0, n-1).Draw(t, "key"))
			event := rapid.SampledFrom([]string{EventOpened, EventStarted, EventExecuted, EventDone, EventFailed, EventWaiting,
				EventStuck, EventResolved, EventReopened}).Draw(t, "event")
			if event == EventOpened {
				key = RunKey
			}
			events = append(events, [3]string{key, event, ""})
		}
		d := Next(p, entriesOf(events...), "", time.Time{})
		if diff := cmp.Diff(d, Next(p, entriesOf(events...), "", time.Time{})); diff != "" {
			t.Fatalf("two answers to one question:\n%s", diff)
		}
		exclusive := 0
		for _, s := range p.Steps {
			if st := d.Steps[s.ID]; st.Phase == PhaseRunning && s.Exclusive != nil {
				exclusive++
			}
		}
		running := exclusive
		for _, id := range d.Start {
			s := p.Step(id)
			for _, need := range s.Needs {
				if d.Steps[need].Phase != PhaseDone {
					t.Fatalf("%s starts before %s is done", id, need)
				}
			}
			if s.Exclusive != nil {
				exclusive++
			}
		}
		if exclusive > max(1, running) {
			t.Fatalf("%d steps that exclude each other", exclusive)
		}
	})
}

// A step that a person has carried out again takes everything after it along: what rested on the old one is looked at
// again, in order.
func TestReopeningReachesWhatComesAfter(t *testing.T) {
	p := &planner.Plan{Steps: []planner.Step{
		{ID: "a/export", Repeat: planner.Idempotent},
		{ID: "a/merge", Repeat: planner.Idempotent, Needs: []string{"a/export"}},
		{ID: "a/send", Repeat: planner.Once, Needs: []string{"a/merge"}},
	}}
	begun := [][3]string{{"a/export", EventDone, ""}, {"a/merge", EventDone, ""}, {"a/send", EventDone, ""}}
	if d := Next(p, entriesOf(begun...), "", time.Time{}); !d.Finished {
		t.Fatalf("%+v", d)
	}
	begun = append(begun, [3]string{"a/export", EventReopened, ""})
	d := Next(p, entriesOf(begun...), "", time.Time{})
	if fmt.Sprint(d.Start) != "[a/export]" || d.Steps["a/merge"].Phase != PhaseBlocked ||
		d.Steps["a/send"].Phase != PhaseBlocked {
		t.Fatalf("reopened: %+v", d)
	}
	begun = append(begun, [3]string{"a/export", EventDone, ""})
	d = Next(p, entriesOf(begun...), "", time.Time{})
	if fmt.Sprint(d.Start) != "[a/merge]" || d.Steps["a/merge"].How != HowExecute ||
		d.Steps["a/send"].Phase != PhaseBlocked {
		t.Fatalf("exported again: %+v", d)
	}
	begun = append(begun, [3]string{"a/merge", EventDone, ""})
	d = Next(p, entriesOf(begun...), "", time.Time{})
	if fmt.Sprint(d.Start) != "[a/send]" || d.Steps["a/send"].How != HowVerifyFirst {
		t.Fatalf("merged again: %+v", d)
	}
	begun = append(begun, [3]string{"a/send", EventDone, ""})
	if d = Next(p, entriesOf(begun...), "", time.Time{}); !d.Finished {
		t.Fatalf("sent: %+v", d)
	}
}

// What only irreversible steps rest on that are done is not verified again when a step before it was carried out again:
// it would find the run's own doing. What something else rests on is, and what is still to be done waits.
func TestReopenedBehindWhatIsIrreversible(t *testing.T) {
	final := &planner.Effect{Destroy: 1, Irreversible: true}
	p := &planner.Plan{Steps: []planner.Step{
		{ID: "a/stop", Repeat: planner.CheckFirst},
		{ID: "a/drained", Mark: planner.MarkCheck, Needs: []string{"a/stop"}},
		{ID: "a/note", Repeat: planner.CheckFirst, Needs: []string{"a/stop"}},
		{ID: "a/delete_one", Repeat: planner.Once, Effect: final, Needs: []string{"a/drained"}},
		{ID: "a/delete_two", Repeat: planner.Once, Effect: final, Needs: []string{"a/delete_one", "a/note"}},
	}}
	events := [][3]string{{"a/stop", EventDone, ""}, {"a/drained", EventDone, ""}, {"a/note", EventDone, ""},
		{"a/delete_one", EventDone, ""}, {"a/delete_two", EventFailed, "no"}, {"a/stop", EventReopened, ""},
		{RunKey, EventOpened, ""}}
	d := Next(p, entriesOf(events...), "", time.Time{})
	if fmt.Sprint(d.Start) != "[a/stop]" || d.Steps["a/delete_two"].Phase != PhaseBlocked || !d.Steps["a/stop"].Before {
		t.Fatalf("reopened: %+v", d)
	}
	for _, event := range []string{EventDone, EventResolved} {
		d = Next(p, entriesOf(append(events, [3]string{"a/stop", event, ""})...), "", time.Time{})
		if fmt.Sprint(d.Start) != "[a/note]" || d.Steps["a/drained"].Phase != PhaseDone ||
			d.Steps["a/delete_one"].Phase != PhaseDone || d.Steps["a/delete_two"].Phase != PhaseBlocked {
			t.Fatalf("%s again: %+v", event, d)
		}
	}
	p.Steps[3].Effect = nil // it can be undone: everything is verified again
	d = Next(p, entriesOf(append(events, [3]string{"a/stop", EventDone, ""})...), "", time.Time{})
	if fmt.Sprint(d.Start) != "[a/drained a/note]" {
		t.Fatalf("nothing is irreversible: %+v", d)
	}
}

// A step that counts as done by a person's word does so only after what it needs.
func TestResolvedTooEarly(t *testing.T) {
	p := &planner.Plan{Steps: []planner.Step{{ID: "a/verify", Mark: planner.MarkCheck},
		{ID: "a/delete", Repeat: planner.Once, Needs: []string{"a/verify"}}}}
	d := Next(p, entriesOf([3]string{"a/delete", EventResolved, ""}), "", time.Time{})
	if d.Steps["a/delete"].Phase != PhaseBlocked {
		t.Fatalf("%+v", d)
	}
	d = Next(p, entriesOf([3]string{"a/delete", EventResolved, ""}, [3]string{"a/verify", EventDone, ""}), "", time.Time{})
	if d.Finished || d.Steps["a/delete"].How != HowVerifyFirst {
		t.Fatalf("%+v", d)
	}
}
