package executor

import (
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"sync/atomic"
	"testing"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/journal"
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
