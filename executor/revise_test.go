package executor

import (
	"errors"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
)

// TestFixed: what may have been carried out, or a person has decided about, is the same in a revised plan. A person's
// step that was only asked for is not.
func TestFixed(t *testing.T) {
	unsent := map[string]string{dataSent: "no"}
	person := &planner.Manual{Action: "do"}
	for name, c := range map[string]struct {
		step    planner.Step
		entries []journal.Entry
		fixed   bool
	}{
		"nothing":  {},
		"opened":   {entries: []journal.Entry{{Key: RunKey, Event: EventOpened}}},
		"started":  {entries: []journal.Entry{{Event: EventStarted}}, fixed: true},
		"done":     {entries: []journal.Entry{{Event: EventStarted}, {Event: EventDone}}, fixed: true},
		"already":  {entries: []journal.Entry{{Event: EventDone}}, fixed: true},
		"executed": {entries: []journal.Entry{{Event: EventExecuted}}, fixed: true},
		"stuck":    {entries: []journal.Entry{{Event: EventStuck}}, fixed: true},
		"resolved": {entries: []journal.Entry{{Event: EventResolved}}, fixed: true},
		"reopened": {entries: []journal.Entry{{Event: EventReopened}}, fixed: true},
		"unsent":   {entries: []journal.Entry{{Event: EventStarted}, {Event: EventFailed, Data: unsent}}},
		"perhaps sent": {entries: []journal.Entry{{Event: EventStarted}, {Event: EventFailed}},
			fixed: true},
		"perhaps sent, then not": {fixed: true, entries: []journal.Entry{{Event: EventStarted}, {Event: EventFailed},
			{Event: EventStarted}, {Event: EventFailed, Data: unsent}}},
		"a check, failed": {step: planner.Step{Mark: planner.MarkCheck},
			entries: []journal.Entry{{Event: EventStarted}, {Event: EventFailed}}},
		"a check, done": {step: planner.Step{Mark: planner.MarkCheck}, fixed: true,
			entries: []journal.Entry{{Event: EventStarted}, {Event: EventDone}}},
		"a person's, waiting": {step: planner.Step{Manual: person},
			entries: []journal.Entry{{Event: EventStarted}, {Event: EventWaiting}}},
		"a person's, died while asking": {step: planner.Step{Manual: person},
			entries: []journal.Entry{{Event: EventStarted}}, fixed: true},
		"a person's, said to be done": {step: planner.Step{Manual: person},
			entries: []journal.Entry{{Event: EventStarted}, {Event: EventFailed}}, fixed: true},
		"a person's, done once": {step: planner.Step{Manual: person}, fixed: true,
			entries: []journal.Entry{{Event: EventDone}, {Event: EventStarted}, {Event: EventWaiting}}},
		"a person's, irreversible": {step: planner.Step{Manual: person, Effect: &planner.Effect{Irreversible: true}},
			entries: []journal.Entry{{Event: EventStarted}, {Event: EventWaiting}}, fixed: true},
	} {
		c.step.Op = "do"
		p := plan(c.step)
		for i := range c.entries {
			if c.entries[i].Key == "" {
				c.entries[i].Key = p.Steps[0].ID
			}
		}
		if got := Fixed(p, c.entries)[p.Steps[0].ID]; got != c.fixed {
			t.Errorf("%s: fixed %v, want %v", name, got, c.fixed)
		}
	}
}

var errBroken = errors.New("the disk is broken")

// breaking is a file system that fails from the nth change on.
type breaking struct {
	afero.Fs
	left *int
}

func (b breaking) broken() error {
	if *b.left--; *b.left < 0 {
		return errBroken
	}
	return nil
}

func (b breaking) MkdirAll(name string, mode os.FileMode) error {
	if err := b.broken(); err != nil {
		return err
	}
	return b.Fs.MkdirAll(name, mode)
}

func (b breaking) RemoveAll(name string) error {
	if err := b.broken(); err != nil {
		return err
	}
	return b.Fs.RemoveAll(name)
}

func (b breaking) Rename(from, to string) error {
	if err := b.broken(); err != nil {
		return err
	}
	return b.Fs.Rename(from, to)
}

func (b breaking) OpenFile(name string, flag int, mode os.FileMode) (afero.File, error) {
	if err := b.broken(); flag&(os.O_WRONLY|os.O_RDWR) != 0 && err != nil {
		return nil, err
	}
	f, err := b.Fs.OpenFile(name, flag, mode)
	return breakingFile{f, b}, err
}

type breakingFile struct {
	afero.File
	fs breaking
}

func (f breakingFile) Write(p []byte) (int, error) {
	if err := f.fs.broken(); err != nil {
		n, _ := f.File.Write(p[:len(p)/2])
		return n, err
	}
	return f.File.Write(p)
}

// TestRevisedWholeOrNot: wherever writing a revised plan breaks off, the run has the old plan or the new one, with what
// it was made from, and can be revised again.
func TestRevisedWholeOrNot(t *testing.T) {
	old, revised := sealed(t, planner.Step{Op: "add", Mark: planner.MarkAdd}),
		sealed(t, planner.Step{Op: "add", Mark: planner.MarkAdd}, planner.Step{Op: "more", Mark: planner.MarkAdd})
	kept := func(word string) *Kept {
		seen := planner.NewObservations()
		seen.Put(planner.Need{Server: "server.depot.north", What: word}, time.Time{}, "", &word)
		return &Kept{Basis: &planner.Basis{Selection: planner.Selection{Targets: []string{word}}}, Seen: seen}
	}
	var results []string
	for n := 0; ; n++ {
		now := func() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }
		left := 1000
		mem := afero.NewMemMapFs()
		healthy, broken := &Store{Fs: mem, Dir: "runs", Now: now}, &Store{Fs: breaking{mem, &left}, Dir: "runs", Now: now}
		r, err := healthy.Create(old, kept("old"))
		if err != nil {
			t.Fatal(err)
		}
		revise := func(s *Store) error {
			j, err := s.Journal(r, journal.Options{Now: now})
			if err != nil {
				return err
			}
			if _, err := j.Append(t.Context(), RunKey, EventOpened, nil); err != nil {
				return err
			}
			left = n
			return errors.Join(s.Revise(t.Context(), r, j, revised, kept("new"), "me"), j.Close())
		}
		done := revise(broken)
		if done != nil && !errors.Is(done, errBroken) {
			t.Fatal(done)
		}
		load := func() string {
			got, err := healthy.Load(r.ID)
			if err != nil || got.Damage != nil {
				t.Fatalf("broken at change %d: %v, %v", n, err, got.Damage)
			}
			k, err := healthy.Kept(got)
			if err != nil {
				t.Fatal(err)
			}
			word := k.Basis.Targets[0]
			want := map[string]int{"old": 1, "new": 2}[word]
			if len(got.Plan.Steps) != want || !k.Seen.Has(planner.Need{Server: "server.depot.north", What: word}) {
				t.Fatalf("broken at change %d: %d steps, made from %s", n, len(got.Plan.Steps), word)
			}
			r = got
			return word
		}
		results = append(results, load())
		if len(r.Replaced) == 0 {
			left = 1000
			if err := revise(healthy); err != nil || load() != "new" {
				t.Fatalf("broken at change %d, revised again: %v", n, err)
			}
		}
		if done == nil {
			break
		}
	}
	if results[0] != "old" || results[len(results)-1] != "new" || len(results) < 10 {
		t.Error(results)
	}
}

// TestRevisedPlanIsHeldAgainstTheJournal: a revised plan that was replaced, or is gone, is a damaged run, not the old
// plan.
func TestRevisedPlanIsHeldAgainstTheJournal(t *testing.T) {
	for name, spoil := range map[string]func(fs afero.Fs, dir string) error{
		"removed":  func(fs afero.Fs, dir string) error { return fs.RemoveAll(dir + "/revised-1") },
		"replaced": func(fs afero.Fs, dir string) error { return fs.Rename(dir+"/plan.json", dir+"/revised-1/plan.json") },
	} {
		now := func() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }
		s := &Store{Fs: afero.NewMemMapFs(), Dir: "runs", Now: now}
		r, err := s.Create(sealed(t, planner.Step{Op: "add", Mark: planner.MarkAdd}), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Kept(r); !errors.Is(err, ErrNotKept) {
			t.Errorf("nothing was kept: %v", err)
		}
		j, err := s.Journal(r, journal.Options{Now: now})
		if err != nil {
			t.Fatal(err)
		}
		p := sealed(t, planner.Step{Op: "more", Mark: planner.MarkAdd})
		if err := errors.Join(s.Revise(t.Context(), r, j, p, nil, ""), j.Close()); err != nil {
			t.Fatal(err)
		}
		again, err := s.Load(r.ID)
		if err != nil || again.Damage != nil || !cmp.Equal(again.Plan, p) || len(again.Replaced) != 1 {
			t.Fatalf("%v %+v", err, again)
		}
		if err := spoil(s.Fs, r.Dir); err != nil {
			t.Fatal(err)
		}
		if again, err = s.Load(r.ID); err != nil || again.Damage == nil {
			t.Errorf("%s: %v, %+v", name, err, again)
		}
	}
}
