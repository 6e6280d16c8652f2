package executor

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// outliner is a driver that plans the same steps always.
type outliner []planner.Step

func (outliner) Needs(*schema.Resource, *planner.Observations) ([]planner.Need, hcl.Diagnostics) {
	return nil, nil
}

func (outliner) Observe(context.Context, *schema.Resource, planner.Need) (any, error) {
	return nil, nil
}

func (o outliner) Plan(planner.Change) (planner.Outline, hcl.Diagnostics) {
	return planner.Outline{Action: planner.Create, Steps: o}, nil
}

// sealed is a plan as it can be stored.
func sealed(t testing.TB, steps ...planner.Step) *planner.Plan {
	t.Helper()
	p, diags := planner.Make(t.Context(), planner.Input{Config: config(t),
		Drivers: func(schema.Addr) planner.Driver { return outliner(steps) }})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return p
}

// What persons' steps earlier runs have done is known from their journals: the last time each was, with the run.
func TestConfirmed(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	store := &Store{Fs: afero.NewMemMapFs(), Dir: "runs", Now: func() time.Time { now = now.Add(time.Hour); return now }}
	if got, err := store.Earlier(""); err != nil || len(got.Confirmed) != 0 {
		t.Fatalf("without any run: %v, %v", got, err)
	}
	person := &planner.Manual{Action: "do"}
	p := sealed(t,
		planner.Step{Op: "add", Mark: planner.MarkAdd},
		planner.Step{Op: "configure", Mark: planner.MarkPerson, Manual: person, Needs: []string{planner.StepID(addr, "add")}},
		planner.Step{Op: "label", Mark: planner.MarkPerson, Manual: person,
			Needs: []string{planner.StepID(addr, "configure")}},
		planner.Step{Op: "remove", Mark: planner.MarkPerson, Manual: person, Needs: []string{planner.StepID(addr, "label")}},
	)
	run := func(entries ...[2]string) string {
		t.Helper()
		r, err := store.Create(p, nil)
		if err != nil {
			t.Fatal(err)
		}
		j, err := store.Journal(r, journal.Options{Now: store.Now})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			key := e[0]
			if key != RunKey {
				key = planner.StepID(addr, key)
			}
			if _, err := j.Append(t.Context(), key, e[1], nil); err != nil {
				t.Fatal(err)
			}
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		return r.ID
	}
	check := func(want map[string]planner.Confirmation) {
		t.Helper()
		got, err := store.Earlier("")
		if err != nil {
			t.Fatal(err)
		}
		byOp := map[string]planner.Confirmation{}
		for id, c := range got.Confirmed {
			byOp[id[len(addr)+1:]] = c
		}
		if diff := cmp.Diff(want, byOp); diff != "" {
			t.Error(diff)
		}
	}

	// One is done, the next one waits; that the run was given up undoes nothing.
	first := run([2]string{RunKey, EventOpened}, [2]string{"add", EventDone}, [2]string{"configure", EventStarted},
		[2]string{"configure", EventDone},
		[2]string{"label", EventWaiting}, [2]string{RunKey, EventAbandoned})
	check(map[string]planner.Confirmation{"configure": {Run: first, Seq: 4}})

	// Done by a person's word; and again in a later run, where another one is claimed only.
	second := run([2]string{RunKey, EventOpened}, [2]string{"add", EventDone}, [2]string{"configure", EventDone},
		[2]string{"label", EventResolved},
		[2]string{"remove", EventStarted}, [2]string{"remove", EventFailed})
	check(map[string]planner.Confirmation{"configure": {Run: second, Seq: 3}, "label": {Run: second, Seq: 4}})

	// A run in which it is not done (yet) does not take away what an earlier one has done.
	third := run([2]string{RunKey, EventOpened}, [2]string{"add", EventDone}, [2]string{"configure", EventWaiting})
	check(map[string]planner.Confirmation{"configure": {Run: second, Seq: 3}, "label": {Run: second, Seq: 4}})

	// One that is to be carried out again, or that rests on such a one, is not done.
	fourth := run([2]string{RunKey, EventOpened}, [2]string{"add", EventDone}, [2]string{"configure", EventDone},
		[2]string{"label", EventDone},
		[2]string{"remove", EventDone}, [2]string{"label", EventReopened})
	check(map[string]planner.Confirmation{"configure": {Run: fourth, Seq: 3}, "label": {Run: second, Seq: 4}})
	if !(first < second && second < third && third < fourth) {
		t.Errorf("ids do not sort by time: %s %s %s %s", first, second, third, fourth)
	}
}

// TestDamagedRun: a run whose plan cannot be read is not passed over, and can be set aside with all its files.
func TestDamagedRun(t *testing.T) {
	store := &Store{Fs: afero.NewMemMapFs(), Dir: "data/runs", Now: time.Now}
	const id = "20260101T000000.000Z-aaaaaa"
	for name, text := range map[string]string{"plan.json": "{", "journal.jsonl": "", "files/export.json": "pairs"} {
		if err := afero.WriteFile(store.Fs, "data/runs/"+id+"/"+name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r, err := store.Unfinished()
	if err != nil || r == nil || r.Damage == nil {
		t.Fatalf("run %+v, error %v", r, err)
	}
	to, err := store.SetAside(r)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := afero.ReadFile(store.Fs, to+"/files/export.json"); err != nil || string(b) != "pairs" {
		t.Errorf("the run's file: %q, %v", b, err)
	}
	if r, err := store.Unfinished(); err != nil || r != nil {
		t.Errorf("set aside, it is still there: %+v, %v", r, err)
	}
}

// TestHalfWrittenIsRemoved: what a process that died has left is removed by the next one.
func TestHalfWrittenIsRemoved(t *testing.T) {
	store := &Store{Fs: afero.NewMemMapFs(), Dir: "runs", Now: time.Now}
	r, err := store.Create(plan(planner.Step{Op: "add", Mark: planner.MarkAdd}), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"runs/.old.part/plan.json", r.Dir + "/files/x.json.part", r.Dir + "/files/y.json"} {
		if err := afero.WriteFile(store.Fs, name, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	j, err := store.Journal(r, journal.Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Create(plan(planner.Step{Op: "other", Mark: planner.MarkAdd}), nil); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"runs/.old.part": false, r.Dir + "/files/x.json.part": false,
		r.Dir + "/files/y.json": true} {
		if there, err := afero.Exists(store.Fs, name); err != nil || there != want {
			t.Errorf("%s is there: %v, %v", name, there, err)
		}
	}
}
