package executor

import (
	"bytes"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// keyed is a store of the user's own, with a key.
func keyed() *Store {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	return &Store{Fs: afero.NewMemMapFs(), Dir: "runs", Now: func() time.Time { now = now.Add(time.Hour); return now },
		Key: func() ([]byte, error) { return []byte("the user's key"), nil }}
}

// begun begins a run with entries, each a step's op, or RunKey, and an event.
func begun(t testing.TB, s *Store, p *planner.Plan, entries ...[2]string) *Run {
	t.Helper()
	r, err := s.Create(p, nil)
	if err != nil {
		t.Fatal(err)
	}
	j, err := s.Journal(r, journal.Options{Now: s.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	for _, e := range entries {
		key := planner.StepID(addr, e[0])
		if e[0] == RunKey {
			key = RunKey
		}
		if _, err := j.Append(t.Context(), key, e[1], nil); err != nil {
			t.Fatal(err)
		}
	}
	r.Entries = j.Entries()
	return r
}

// ending gives a run the last entry that the program writes.
func ending(t testing.TB, s *Store, r *Run, event string) {
	t.Helper()
	data, err := r.EndData(r.Decision(s.Now()))
	if err != nil {
		t.Fatal(err)
	}
	j, err := s.Journal(r, journal.Options{Now: s.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if _, err := j.Append(t.Context(), RunKey, event, data); err != nil {
		t.Fatal(err)
	}
}

func moving(t testing.TB) *planner.Plan {
	return sealed(t,
		planner.Step{Op: "ask", Mark: planner.MarkPerson, Manual: &planner.Manual{Action: "do"}},
		planner.Step{Op: "tell", Mark: planner.MarkPerson, Manual: &planner.Manual{Action: "do"}},
		planner.Step{Op: "remove", Mark: planner.MarkFinal, Retires: []string{addr}},
	)
}

// TestEndSaysAll: what is read of the last entry of a run is what follows from the whole run, however it ended.
func TestEndSaysAll(t *testing.T) {
	for _, event := range []string{EventFinished, EventAbandoned} {
		for done := range 4 {
			s := keyed()
			entries := [][2]string{{RunKey, EventOpened}}
			for _, op := range []string{"ask", "tell", "remove"}[:done] {
				entries = append(entries, [2]string{op, EventDone})
			}
			r := begun(t, s, moving(t), entries...)
			ending(t, s, r, event)
			got, err := s.Brief(r.ID)
			if err != nil || got.Run != nil || got.End == nil {
				t.Fatalf("%s, %d done: %+v, %v", event, done, got, err)
			}
			whole, err := s.Load(r.ID)
			if err != nil {
				t.Fatal(err)
			}
			want := endOf(whole.Plan, whole.Decision(s.Now()))
			want.Abandoned, want.Changed = event == EventAbandoned, map[string]time.Time{}
			if want.Plan, err = whole.Plan.Hash(); err != nil {
				t.Fatal(err)
			}
			if len(want.Confirmed) == 0 {
				want.Confirmed = nil
			}
			if diff := cmp.Diff(want, got.End); diff != "" || got.End.Done != done {
				t.Errorf("%s, %d done:\n%s", event, done, diff)
			}
			hash, err := moving(t).Hash()
			if err != nil {
				t.Fatal(err)
			}
			id, err := s.CarriedOut(hash)
			if carried := event == EventFinished; err != nil || (id == r.ID) != carried {
				t.Errorf("%s: carried out by %q, %v", event, id, err)
			}
		}
	}
}

// TestEndIsAuthentic: a last entry that was changed, belongs to another run, was made with another key or is not whole
// says nothing: the whole run is read.
func TestEndIsAuthentic(t *testing.T) {
	for name, meddle := range map[string]func(s *Store, src []byte, other []byte) []byte{
		"nothing": func(_ *Store, src, _ []byte) []byte { return src },
		"changed": func(_ *Store, src, _ []byte) []byte {
			return bytes.Replace(src, []byte(`\"done\":3`), []byte(`\"done\":2`), 1)
		},
		"of another":   func(_ *Store, _, other []byte) []byte { return other },
		"cut short":    func(_ *Store, src, _ []byte) []byte { return src[:len(src)-1] },
		"something on": func(_ *Store, src, _ []byte) []byte { return append(src, "{"...) },
		"a line on":    func(_ *Store, src, _ []byte) []byte { return append(src, "{}\n"...) },
		"nothing left": func(*Store, []byte, []byte) []byte { return nil },
		"the key": func(s *Store, src, _ []byte) []byte {
			s.Key = func() ([]byte, error) { return []byte("x"), nil }
			return src
		},
		"there is none": func(s *Store, src, _ []byte) []byte {
			s.Key = func() ([]byte, error) {
				return nil,
					nil
			}
			return src
		},
	} {
		s := keyed()
		entries := [][2]string{{RunKey, EventOpened}, {"ask", EventDone}, {"tell", EventDone}, {"remove", EventDone}}
		r, other := begun(t, s, moving(t), entries...), begun(t, s, moving(t), entries...)
		ending(t, s, r, EventFinished)
		ending(t, s, other, EventFinished)
		path := filepath.Join(r.Dir, journalName)
		src, err1 := afero.ReadFile(s.Fs, path)
		foreign, err2 := afero.ReadFile(s.Fs, filepath.Join(other.Dir, journalName))
		err3 := afero.WriteFile(s.Fs, path, meddle(s, src, foreign), 0o600)
		got, err := s.Brief(r.ID)
		if err1 != nil || err2 != nil || err3 != nil || err != nil {
			t.Fatal(err1, err2, err3, err)
		}
		if (got.Run == nil) != (name == "nothing") {
			t.Errorf("%s: %+v", name, got)
		}
		ended := name == "nothing" || name == "something on" // half a line was never reported as written
		if open, err := s.Unfinished(); err != nil || (open == nil) != ended {
			t.Errorf("%s: unfinished %+v, %v", name, open, err)
		}
	}
}

// TestCarryWritesTheEnd: a run that is carried out to its end says so in a way that is enough.
func TestCarryWritesTheEnd(t *testing.T) {
	s, d := keyed(), newDepot()
	r := begun(t, s, sealed(t, planner.Step{Op: "stop", Repeat: planner.Idempotent, Mark: planner.MarkChange}))
	j, err := s.Journal(r, journal.Options{Now: s.Now})
	if err != nil {
		t.Fatal(err)
	}
	rep, err := Carry(t.Context(), Options{Plan: r.Plan, Config: config(t), Journal: j, Clock: &fastClock{},
		Drivers: func(schema.Addr) Driver { return d }})
	if err != nil || !rep.Finished {
		t.Fatal(rep, err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if b, err := s.Brief(r.ID); err != nil || b.Run != nil || b.End.Done != 1 {
		t.Errorf("%+v, %v", b, err)
	}
}

// BenchmarkEarlier is what a plan pays for the runs before it: for many short ones, and for one that was long.
func BenchmarkEarlier(b *testing.B) {
	for _, c := range []struct{ runs, entries int }{{100, 10}, {1000, 10}, {1, 1000}, {1, 10000}} {
		b.Run(fmt.Sprintf("%d_runs_of_%d", c.runs, c.entries), func(b *testing.B) {
			s := keyed()
			s.Fs, s.Dir = afero.NewOsFs(), b.TempDir()
			for range c.runs {
				entries := [][2]string{{RunKey, EventOpened}}
				for range c.entries {
					entries = append(entries, [2]string{"ask", EventDone})
				}
				mem := *s
				mem.Fs, mem.Dir = afero.NewMemMapFs(), "runs" // without waiting for a disk
				r := begun(b, &mem, moving(b), entries...)
				ending(b, &mem, r, EventFinished)
				src, err1 := afero.ReadFile(mem.Fs, filepath.Join(r.Dir, journalName))
				err2 := s.Fs.MkdirAll(filepath.Join(s.Dir, r.ID), 0o700)
				if err := afero.WriteFile(s.Fs, filepath.Join(s.Dir, r.ID, journalName), src, 0o600); err != nil {
					b.Fatal(err, err1, err2)
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Earlier(""); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestActedOn: a run has done something for a declaration, or may have, where a step of it is done, was done before,
// was begun, or was perhaps sent; not where it certainly changed nothing, only looked, or put a person off.
func TestActedOn(t *testing.T) {
	for name, c := range map[string]struct {
		op     string
		events []string
		sent   string
		acted  bool
	}{
		"nothing": {op: "tell"}, "done": {"send", []string{EventStarted, EventDone}, "", true},
		"begun":          {"send", []string{EventStarted}, "", true},
		"executed":       {"send", []string{EventStarted, EventExecuted}, "", true},
		"perhaps sent":   {"send", []string{EventStarted, EventFailed}, "", true},
		"stuck":          {"send", []string{EventStarted, EventStuck}, "", true},
		"not sent":       {"send", []string{EventStarted, EventFailed}, "no", false},
		"done and again": {"send", []string{EventStarted, EventDone, EventReopened}, "", true},
		"a check":        {"look", []string{EventStarted, EventDone}, "", false},
		"put off":        {"tell", []string{EventStarted, EventWaiting}, "", false},
		"asked":          {"tell", []string{EventStarted}, "", true},
	} {
		s := keyed()
		p := sealed(t, planner.Step{Op: "send", Mark: planner.MarkAdd, Repeat: planner.Once},
			planner.Step{Op: "look", Mark: planner.MarkCheck},
			planner.Step{Op: "tell", Mark: planner.MarkPerson, Manual: &planner.Manual{Action: "do"}})
		r, err := s.Create(p, nil)
		if err != nil {
			t.Fatal(err)
		}
		j, err := s.Journal(r, journal.Options{Now: s.Now})
		if err != nil {
			t.Fatal(err)
		}
		for _, event := range c.events {
			data := map[string]string{}
			if event == EventFailed {
				data[dataSent] = c.sent
			}
			if _, err := j.Append(t.Context(), planner.StepID(addr, c.op), event, data); err != nil {
				t.Fatal(err)
			}
		}
		r.Entries = j.Entries()
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		for _, how := range []string{"open", "ended"} {
			got, err := s.Earlier("")
			if err != nil || (got.Acted[addr] == r.ID) != c.acted {
				t.Errorf("%s, %s: %v, %v", name, how, got, err)
			}
			if how == "open" {
				ending(t, s, r, EventAbandoned)
			}
		}
	}
}
