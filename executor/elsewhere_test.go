package executor

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
)

// TestLastChange: whatever may have changed a server counts, also where no entry says that the step was executed.
func TestLastChange(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	p := overTwo()
	looks := slices.IndexFunc(p.Steps, func(s planner.Step) bool { return s.Mark == planner.MarkCheck })
	changes := slices.IndexFunc(p.Steps, func(s planner.Step) bool { return s.Mark != planner.MarkCheck })
	if looks < 0 || changes < 0 {
		t.Fatalf("of the plan: %d, %d", looks, changes)
	}
	for _, c := range []struct {
		key, event string
		data       map[string]string
		changed    bool
	}{
		{p.Steps[changes].ID, EventExecuted, nil, true},
		{p.Steps[changes].ID, EventDone, nil, true}, // its answer was lost, or its process was killed
		{p.Steps[changes].ID, EventResolved, nil, true},
		{p.Steps[changes].ID, EventFailed, map[string]string{dataError: "busy"}, true},
		{p.Steps[changes].ID, EventFailed, map[string]string{dataError: "busy", dataSent: "no"}, false},
		{p.Steps[changes].ID, EventStarted, nil, true},
		{p.Steps[changes].ID, EventStuck, nil, true},
		{p.Steps[changes].ID, EventWaiting, nil, false},
		{"sync.depot.replaced/do", EventExecuted, nil, true}, // of a plan that the run had before
		{p.Steps[looks].ID, EventExecuted, nil, false},
		{p.Steps[looks].ID, EventDone, nil, false},
		{RunKey, EventFinished, nil, false},
	} {
		r := &Run{Plan: p, Chains: map[string][]journal.Entry{"a": {
			{Time: at, Key: c.key, Event: c.event, Data: c.data}, {Time: at.Add(time.Hour), Key: RunKey, Event: EventOpened},
		}}}
		if got := r.LastChange("a"); got.Equal(at) != c.changed || got.IsZero() == c.changed || !r.LastChange("b").IsZero() {
			t.Errorf("%s of %s: %v", c.event, c.key, got)
		}
	}
}

// TestLastChangeOfTries: the start of a try that was certainly not sent does not count, and changes before it do.
func TestLastChangeOfTries(t *testing.T) {
	p := overTwo()
	step := func(op string) string {
		return p.Steps[slices.IndexFunc(p.Steps, func(s planner.Step) bool { return s.Op == op })].ID
	}
	const unsent = "unsent"
	for _, c := range []struct {
		op     string
		events []string
		last   int // the event that changed something last, from 1; 0: none
	}{
		{"stop_a", []string{EventStarted, unsent}, 0},
		{"stop_a", []string{EventStarted, unsent, EventStarted, unsent}, 0},
		{"stop_a", []string{unsent}, 0},
		{"stop_a", []string{EventStarted}, 1},
		{"stop_a", []string{EventStarted, EventFailed}, 2},
		{"stop_a", []string{EventStarted, EventStarted, unsent}, 1}, // the first one was killed
		{"stop_a", []string{EventStarted, EventDone, unsent}, 2},
		{"stop_a", []string{EventStarted, EventDone, EventStarted, unsent}, 2},
		{"stop_a", []string{EventStarted, EventReopened, unsent}, 1},
		{"person", []string{EventStarted, EventWaiting}, 1},
		{"person", []string{EventStarted, unsent}, 1}, // a person may have begun
	} {
		r := &Run{Plan: p, Chains: map[string][]journal.Entry{}}
		want := time.Time{}
		for i, event := range c.events {
			e := journal.Entry{Time: time.Date(2026, 1, 1, i, 0, 0, 0, time.UTC), Key: step(c.op), Event: event}
			if event == unsent {
				e.Event, e.Data = EventFailed, map[string]string{dataError: "busy", dataSent: "no"}
			}
			if r.Chains["a"] = append(r.Chains["a"], e); i+1 == c.last {
				want = e.Time
			}
		}
		if got := r.LastChange("a"); !got.Equal(want) {
			t.Errorf("%s %v: %v and not %v", c.op, c.events, got, want)
		}
	}
}

// TestLastChangesOfLostRuns: after a run was damaged, and after it was set aside, each other site counts as having
// changed something until the run's folder was last written.
func TestLastChangesOfLostRuns(t *testing.T) {
	written := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	own := func(r *Run) string { return filepath.Join(r.Dir, journalName) }
	planOf := func(r *Run) string { return filepath.Join(r.Dir, "plan.json") }
	for name, damage := range map[string]func(*testing.T, *company, *Run){
		"no damage":            nil,
		"the other's, older":   func(t *testing.T, c *company, r *Run) { c.shorten(t, r.chainPath("a"), 1) },
		"the other's, removed": func(t *testing.T, c *company, r *Run) { c.shorten(t, r.chainPath("a"), -1) },
		"the own one, removed": func(t *testing.T, c *company, r *Run) { c.shorten(t, own(r), -1) },
		"the plan, removed":    func(t *testing.T, c *company, r *Run) { c.shorten(t, planOf(r), -1) },
		"another key": func(_ *testing.T, c *company, _ *Run) {
			c.store.Key = func() ([]byte, error) { return []byte("another key"), nil }
		},
		"no key": func(_ *testing.T, c *company, _ *Run) {
			c.store.Key = func() ([]byte, error) { return nil, nil }
		},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := twoCompanies()
			b.begin(t, overTwo())
			b.apply(t, sitesConfig())
			b.sendTo(t, a)
			a.apply(t, sitesConfig())
			a.sendTo(t, b)
			r := b.run(t)
			want := r.LastChange("a")
			if damage != nil {
				damage(t, b, r)
				want = written
			}
			b.writtenAt(t, written)
			changes := func() {
				t.Helper()
				got, err := b.store.LastChanges([]string{"a"})
				if err != nil || len(got) != 1 || want.IsZero() || !got["a"].Equal(want) {
					t.Errorf("%v and not %v, %v", got, want, err)
				}
			}
			changes()
			if damage == nil {
				return
			}
			if _, err := b.store.SetAside(r); err != nil {
				t.Fatal(err)
			}
			changes()
		})
	}
}

// TestLastChangesOfEndedRuns: only the end of a run that has ended is read, and it says the same as the whole run.
func TestLastChangesOfEndedRuns(t *testing.T) {
	a, b := twoCompanies()
	b.begin(t, overTwo())
	b.apply(t, sitesConfig())
	b.sendTo(t, a)
	a.apply(t, sitesConfig())
	for _, c := range []*company{a, b} {
		r := c.run(t)
		want := map[string]time.Time{}
		for _, site := range []string{"a", "b"} {
			if at := r.LastChange(site); !at.IsZero() {
				want[site] = at
			}
		}
		ending(t, c.store, r, EventAbandoned)
		plan := filepath.Join(r.Dir, "plan.json") // without it, the whole run cannot be read
		if c.shorten(t, plan, -1); len(want) == 0 {
			t.Fatal("nothing has changed")
		}
		got, err := c.store.LastChanges([]string{"a", "b"})
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", c.name, err, diff)
		}
	}
}

// TestLastChangesOfWhatIsNotRecorded: what a site has changed counts from the moment its journal is here, also if the
// process that received it was killed before it recorded that, and however the run then ends.
func TestLastChangesOfWhatIsNotRecorded(t *testing.T) {
	a, b := twoCompanies()
	b.begin(t, overTwo())
	b.apply(t, sitesConfig())
	b.sendTo(t, a)
	a.apply(t, sitesConfig())
	path := b.run(t).chainPath("a")
	own := filepath.Join(b.run(t).Dir, journalName)
	before, err := afero.ReadFile(b.store.Fs, own)
	if err != nil {
		t.Fatal(err)
	}
	a.sendTo(t, b)
	// The journal of a is there, its receipt is not.
	if err := afero.WriteFile(b.store.Fs, own, before, 0o600); err != nil {
		t.Fatal(err)
	}
	r := b.run(t)
	want := map[string]time.Time{"a": r.LastChange("a")}
	if there, err := afero.Exists(b.store.Fs, path); !there || err != nil || want["a"].IsZero() {
		t.Fatalf("%v, %v, %v", there, err, want)
	}
	ending(t, b.store, r, EventAbandoned)
	if brief, err := b.store.Brief(r.ID); err != nil || brief.Run != nil {
		t.Fatalf("%+v, %v", brief, err)
	}
	got, err := b.store.LastChanges([]string{"a"})
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

// TestLastChangesAfterTheEnd: what a site has changed since a run has ended here counts from the moment its journal is
// here, also if the process that receives it is killed before it records that.
func TestLastChangesAfterTheEnd(t *testing.T) {
	a, b := twoCompanies()
	b.begin(t, overTwo())
	b.apply(t, sitesConfig())
	b.sendTo(t, a)
	ending(t, b.store, b.run(t), EventAbandoned)
	a.apply(t, sitesConfig())
	whole := b.store.Fs
	b.store.Fs = diesAfter{whole, b.run(t).chainPath("a")}
	if err := b.receive(a.pack(t)); err == nil {
		t.Fatal("it was not killed")
	}
	b.store.Fs = whole
	want := map[string]time.Time{"a": a.run(t).LastChange("a")}
	got, err := b.store.LastChanges([]string{"a"})
	if diff := cmp.Diff(want, got); err != nil || diff != "" || want["a"].IsZero() {
		t.Errorf("%v\n%s", err, diff)
	}
}

// diesAfter is the file system of a process that dies once a file has its name.
type diesAfter struct {
	afero.Fs

	name string
}

func (d diesAfter) Rename(from, to string) error {
	err := d.Fs.Rename(from, to)
	if to == d.name {
		err = errors.New("the process has died")
	}
	return err
}

// TestLastChangesOfOlderPrograms: an end that does not say what was changed is not one that says that nothing was, but
// of a run that is not over sites nothing else is read.
func TestLastChangesOfOlderPrograms(t *testing.T) {
	a, b := twoCompanies()
	b.begin(t, overTwo())
	b.apply(t, sitesConfig())
	b.sendTo(t, a)
	a.apply(t, sitesConfig())
	a.sendTo(t, b)
	r := b.run(t)
	want := map[string]time.Time{"a": r.LastChange("a")}
	j, err := b.store.Journal(r, journal.Options{Now: b.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	old := map[string]string{dataEnd: `{"done":1,"of":9}`, dataOwn: "b"}
	if _, err := j.Append(t.Context(), RunKey, EventAbandoned, old); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	alone := begun(t, b.store, moving(t))
	if j, err = b.store.Journal(alone, journal.Options{Now: b.clock.Now}); err != nil {
		t.Fatal(err)
	}
	delete(old, dataOwn)
	if _, err := j.Append(t.Context(), RunKey, EventFinished, old); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	b.shorten(t, filepath.Join(alone.Dir, "plan.json"), -1) // without it, the whole run cannot be read
	got, err := b.store.LastChanges([]string{"a"})
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

// writtenAt makes everything in the company's folder look as if it was last written at a time.
func (c *company) writtenAt(t *testing.T, at time.Time) {
	t.Helper()
	err := afero.Walk(c.store.Fs, filepath.Dir(c.store.Dir), func(path string, _ fs.FileInfo, err error) error {
		if err == nil {
			err = c.store.Fs.Chtimes(path, at, at)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
