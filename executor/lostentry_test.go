package executor

import (
	"errors"
	"io/fs"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

var errFull = errors.New("no space left")

// filling is a file system that is full after some more syncs.
type filling struct {
	afero.Fs
	left atomic.Int64
}

type fillingFile struct {
	afero.File
	fs *filling
}

func (f *filling) OpenFile(name string, flag int, perm fs.FileMode) (afero.File, error) {
	file, err := f.Fs.OpenFile(name, flag, perm)
	return &fillingFile{file, f}, err
}

func (f *fillingFile) Sync() error {
	if f.fs.left.Add(-1) < 0 {
		return errFull
	}
	return f.File.Sync()
}

// TestDoneOnlyOnceWritten checks that nobody is told that a step is done if that it was carried out was lost, however
// soon it is verified.
func TestDoneOnlyOnceWritten(t *testing.T) {
	disk := &filling{Fs: afero.NewMemMapFs()}
	disk.left.Store(2)
	j, err := journal.Open(disk, "journal", journal.Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	d := &talker{
		execute: func(*Task) (Result, error) { return Result{}, nil },
		verify:  func(*Task) (Verdict, error) { return Verdict{State: Done}, nil },
	}
	steps := plan(planner.Step{Op: "one", Repeat: planner.Idempotent}, planner.Step{Op: "two", Repeat: planner.Idempotent})
	_, err = Carry(t.Context(), Options{Plan: steps, Config: config(t), Journal: j,
		Drivers: func(schema.Addr) Driver { return d }, Clock: &fastClock{}, Parallelism: 1,
		Observe: func(e Event) { told = append(told, e.Name) }})
	if !errors.Is(err, errFull) || len(j.Entries()) != 2 || slices.Contains(told, EventDone) {
		t.Errorf("%v, %+v, %v", err, j.Entries(), told)
	}
}
