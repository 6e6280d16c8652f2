package executor

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
)

// metered is a file system that counts the bytes that are read.
type metered struct {
	afero.Fs
	read atomic.Int64
}

type meteredFile struct {
	afero.File
	fs *metered
}

func (m *metered) Open(name string) (afero.File, error) { return m.OpenFile(name, os.O_RDONLY, 0) }

func (m *metered) OpenFile(name string, flag int, perm fs.FileMode) (afero.File, error) {
	f, err := m.Fs.OpenFile(name, flag, perm)
	return &meteredFile{f, m}, err
}

func (f *meteredFile) Read(p []byte) (int, error) {
	n, err := f.File.Read(p)
	f.fs.read.Add(int64(n))
	return n, err
}

func (f *meteredFile) ReadAt(p []byte, at int64) (int, error) {
	n, err := f.File.ReadAt(p, at)
	f.fs.read.Add(int64(n))
	return n, err
}

// runsOf makes runs of so many entries, and a file system that counts what is read of them.
func runsOf(t *testing.T, runs, entries int, ended bool) (*Store, *metered) {
	t.Helper()
	s := keyed()
	for range runs {
		list := [][2]string{{RunKey, EventOpened}}
		for range entries {
			list = append(list, [2]string{"ask", EventWaiting})
		}
		if r := begun(t, s, moving(t), list...); ended {
			ending(t, s, r, EventAbandoned)
		}
	}
	m := &metered{Fs: s.Fs}
	s.Fs = m
	return s, m
}

// TestEndedRunsAreReadFromTheirEnd: of a run that has ended only the last lines are read, however long it was.
func TestEndedRunsAreReadFromTheirEnd(t *testing.T) {
	const most = 8 << 10 // bytes of a run
	for _, c := range []struct{ runs, entries int }{{30, 10}, {2, 2000}} {
		s, m := runsOf(t, c.runs, c.entries, true)
		for name, ask := range map[string]func() error{
			"a plan":       func() error { _, err := s.Earlier(""); return err },
			"the open run": func() error { _, err := s.Unfinished(); return err },
			"a hash":       func() error { _, err := s.CarriedOut("sha256:x"); return err },
		} {
			m.read.Store(0)
			if err := ask(); err != nil {
				t.Fatal(err)
			}
			if read := m.read.Load(); read == 0 || read > int64(c.runs*most) {
				t.Errorf("%s, %d runs of %d entries: %d bytes are read", name, c.runs, c.entries, read)
			}
		}
	}
}

// TestLongRunIsReadOnce: each file of a run that has not ended is read once, and an entry takes few allocations.
func TestLongRunIsReadOnce(t *testing.T) {
	const entries, most = 3000, 3
	s, m := runsOf(t, 1, entries, false)
	size := int64(0)
	if err := afero.Walk(m.Fs, s.Dir, func(name string, info fs.FileInfo, err error) error {
		if err == nil && !info.IsDir() {
			size += info.Size()
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	ids, err := s.IDs()
	if err != nil || len(ids) != 1 {
		t.Fatal(ids, err)
	}
	if last, err := s.Fs.Stat(filepath.Join(s.Dir, ids[0], journalName)); err != nil || last.Size() < 100*entries {
		t.Fatal("the journal is not long", err)
	}
	load := func() {
		if r, err := s.Unfinished(); err != nil || len(r.Entries) != entries+1 || r.Damage != nil {
			t.Fatalf("%+v, %v", r, err)
		}
	}
	m.read.Store(0)
	load()
	if read, end := m.read.Load(), int64(8<<10); read > size+end { // its last line is looked at first
		t.Errorf("%d bytes are read of %d", read, size)
	}
	if got := int(testing.AllocsPerRun(2, load)) / entries; got > most {
		t.Errorf("%d allocations an entry, at most %d", got, most)
	}
}

// looked is how much memory takes what is known of a run that is only looked at, and how much was allocated for it,
// garbage included.
func looked(t *testing.T, s *Store, look func(s *Store, id string) (*Run, error)) (live, allocated int64) {
	t.Helper()
	ids, err := s.IDs()
	if err != nil {
		t.Fatal(err)
	}
	before := memory()
	r, err := look(s, ids[0])
	if err != nil || r.Damage != nil {
		t.Fatal(r, err)
	}
	d := r.Decision(time.Time{})
	var after runtime.MemStats
	runtime.ReadMemStats(&after)
	live = int64(memory().HeapAlloc) - int64(before.HeapAlloc)
	runtime.KeepAlive(r)
	runtime.KeepAlive(d)
	runtime.KeepAlive(s)
	return live, int64(after.TotalAlloc - before.TotalAlloc)
}

// TestEntriesTakeNoMemory: a run that is only looked at takes as much memory after many entries as after few, and what
// is read of an entry is little.
func TestEntriesTakeNoMemory(t *testing.T) {
	const few, many, most = 5000, 15000, 100 // bytes of an entry: its hash has 64
	for name, look := range map[string]func(s *Store, id string) (*Run, error){
		"show":   func(s *Store, id string) (*Run, error) { return s.Look(id, 200) },
		"status": func(s *Store, id string) (*Run, error) { b, err := s.Brief(id); return b.Run, err },
	} {
		short, _ := runsOf(t, 1, few, false)
		long, _ := runsOf(t, 1, many, false)
		live, read := looked(t, short, look)
		liveAfter, readAfter := looked(t, long, look)
		if more := liveAfter - live; more > many-few {
			t.Errorf("%s: %d more entries keep %d bytes", name, many-few, more)
		}
		if each := (readAfter - read) / (many - few); each > most {
			t.Errorf("%s: reading an entry takes %d bytes, at most %d", name, each, most)
		}
	}
}

// TestMemoryOfSteps: what is known of each step of a run that is only looked at is little: the step as it was planned,
// what the journal says of it, and how it stands.
func TestMemoryOfSteps(t *testing.T) {
	const few, many, mostLive, most = 3500, 7000, 1300, 2000 // bytes of a step and its three entries
	stores := map[int]*Store{}
	for _, n := range []int{few, many} {
		var steps []planner.Step
		entries := [][2]string{{RunKey, EventOpened}}
		for i := range n {
			op := fmt.Sprint("s", i)
			steps = append(steps, planner.Step{Op: op, Mark: planner.MarkChange, Repeat: planner.Once})
			if i > 0 {
				steps[i].Needs = []string{planner.StepID(addr, steps[i-1].Op)}
			}
			entries = append(entries, [2]string{op, EventStarted}, [2]string{op, EventExecuted}, [2]string{op, EventDone})
		}
		stores[n] = keyed()
		begun(t, stores[n], sealed(t, steps...), entries...)
	}
	look := func(s *Store, id string) (*Run, error) { return s.Look(id, 1) }
	live, read := looked(t, stores[few], look)
	liveAfter, readAfter := looked(t, stores[many], look)
	if each := (liveAfter - live) / (many - few); each > mostLive {
		t.Errorf("a step keeps %d bytes, at most %d", each, mostLive)
	}
	if each := (readAfter - read) / (many - few); each > most {
		t.Errorf("reading a step takes %d bytes, at most %d", each, most)
	}
}

// memory returns what is in use after everything else was collected.
func memory() (m runtime.MemStats) {
	runtime.GC()
	runtime.GC() // what has a finalizer needs two
	runtime.ReadMemStats(&m)
	return m
}

// TestLookSaysWhatLoadDoes: what is known of a run does not depend on how many of its entries were kept.
func TestLookSaysWhatLoadDoes(t *testing.T) {
	for name, c := range map[string]struct {
		last string // the run's last entry
		more int
		edit func(src []byte) []byte
	}{
		"unfinished": {EventOpened, 0, nil}, "finished": {EventFinished, 0, nil}, "given up": {EventAbandoned, 0, nil},
		"on after its end": {EventFinished, 3, nil}, "on after it was given up": {EventAbandoned, 3, nil},
		"changed": {EventOpened, 0, func(src []byte) []byte {
			return bytes.Replace(src, []byte("waiting"), []byte("done"), 1)
		}},
		"cut off": {EventFinished, 0, func(src []byte) []byte { return src[:len(src)-9] }},
		"emptied": {EventFinished, 0, func([]byte) []byte { return nil }},
	} {
		s := keyed()
		list := [][2]string{{RunKey, EventOpened}, {"ask", EventWaiting}, {"ask", EventDone}, {"tell", EventFailed},
			{RunKey, c.last}, {"tell", EventStarted}, {"tell", EventWaiting}, {"remove", EventStarted}}
		r := begun(t, s, moving(t), list[:5+c.more]...)
		path := filepath.Join(r.Dir, journalName)
		src, err := afero.ReadFile(s.Fs, path)
		if err == nil && c.edit != nil {
			err = afero.WriteFile(s.Fs, path, c.edit(src), 0o600)
		}
		whole, unread := s.Load(r.ID)
		if err != nil || unread != nil || (whole.Damage != nil) != (name == "changed") {
			t.Fatal(name, err, unread, whole.Damage)
		}
		now := s.Now()
		for most := 1; most < 9; most++ {
			got, err := s.Look(r.ID, most)
			if err != nil {
				t.Fatal(err)
			}
			want := &Run{Plan: whole.Plan, Entries: whole.Entries} // nothing is gathered
			if got.Finished() != want.Finished() || got.Abandoned() != want.Abandoned() ||
				!reflect.DeepEqual(got.Decision(now), Next(whole.Plan, whole.Entries, "", now)) ||
				fmt.Sprint(got.Damage) != fmt.Sprint(whole.Damage) {
				t.Errorf("%s, %d kept: %+v, want %+v", name, most, got, whole)
			}
			if kept := whole.Entries[max(0, len(whole.Entries)-most):]; !slices.EqualFunc(got.Entries, kept,
				func(a, b journal.Entry) bool { return a.Hash == b.Hash }) {
				t.Errorf("%s, %d kept: %+v, want %+v", name, most, got.Entries, kept)
			}
		}
	}
}

// TestDecisionOfALoadedRun: what was read of a run while its plan was read decides as its entries do, and only as long
// as the run has no more of them.
func TestDecisionOfALoadedRun(t *testing.T) {
	s, _ := runsOf(t, 1, 3, false)
	r, err := s.Unfinished()
	if err != nil || r.told == nil {
		t.Fatal(err)
	}
	for range 2 {
		now := s.Now()
		got, want := r.Decision(now), Next(r.Plan, r.Entries, r.Site, now)
		if !reflect.DeepEqual(got, want) || len(got.Steps) == 0 {
			t.Errorf("after %d entries %+v, want %+v", len(r.Entries), got, want)
		}
		r.Entries = append(r.Entries, journal.Entry{Seq: len(r.Entries) + 1, Key: r.Plan.Steps[0].ID,
			Event: EventResolved})
	}
}
