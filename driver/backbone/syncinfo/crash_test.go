package syncinfo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/spf13/afero"
)

var errBroken = errors.New("disk broken")

// brokenFs fails at the n-th call that reads or changes something. Removing never fails, as otherwise nothing could
// be cleaned up.
type brokenFs struct {
	afero.Fs
	mu    sync.Mutex // files are read by other goroutines
	n     int
	calls []string
}

func (b *brokenFs) fails(what, name string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.n--
	b.calls = append(b.calls, what+" "+name)
	return b.n == 0
}

func (b *brokenFs) wrap(f afero.File, err error) (afero.File, error) {
	if err != nil {
		return nil, err
	}
	return &brokenFile{f, b}, nil
}

func (b *brokenFs) Open(name string) (afero.File, error) {
	if b.fails("open", name) {
		return nil, errBroken
	}
	return b.wrap(b.Fs.Open(name))
}

func (b *brokenFs) OpenFile(name string, flag int, mode os.FileMode) (afero.File, error) {
	if b.fails("create", name) {
		return nil, errBroken
	}
	return b.wrap(b.Fs.OpenFile(name, flag, mode))
}

func (b *brokenFs) Rename(from, to string) error {
	if b.fails("rename", to) {
		return errBroken
	}
	return b.Fs.Rename(from, to)
}

type brokenFile struct {
	afero.File
	fs *brokenFs
}

func (f *brokenFile) Read(p []byte) (int, error) {
	if f.fs.fails("read", f.Name()) {
		return 0, errBroken
	}
	return f.File.Read(p)
}

func (f *brokenFile) ReadAt(p []byte, at int64) (int, error) {
	if f.fs.fails("readat", f.Name()) {
		return 0, errBroken
	}
	return f.File.ReadAt(p, at)
}

func (f *brokenFile) Seek(at int64, whence int) (int64, error) {
	if f.fs.fails("seek", f.Name()) {
		return 0, errBroken
	}
	return f.File.Seek(at, whence)
}

func (f *brokenFile) Write(p []byte) (int, error) {
	if f.fs.fails("write", f.Name()) {
		n, _ := f.File.Write(p[:len(p)/2])
		return n, errBroken
	}
	return f.File.Write(p)
}

func (f *brokenFile) Sync() error {
	if f.fs.fails("sync", f.Name()) {
		return errBroken
	}
	return f.File.Sync()
}

func (f *brokenFile) Close() error {
	err := f.File.Close()
	if f.fs.fails("close", f.Name()) {
		return errBroken
	}
	return err
}

// harmless lists the calls after the output has its name, and those that have nothing to do with it.
var harmless = []string{"open w", "sync w", "close w", "close w/master.json", "close w/slave.json", "close w/out.json"}

// TestMergeSurvivesEveryFailure lets each call of the file system fail in turn. The output must be the complete new
// file or what it was before, and nothing else may be left.
func TestMergeSurvivesEveryFailure(t *testing.T) {
	// Several blocks, so that writing also fails in the middle.
	var master, slave []string
	pad := strings.Repeat("x", 400)
	for i := range 1500 {
		master = append(master, pair(fmt.Sprint("A-", i), fmt.Sprint("B-", i),
			`,"p":"`+pad+`","comments":[{"localId":"1"}]`))
		slave = append(slave, pair(fmt.Sprint("B-", i), fmt.Sprint("A-", i),
			`,"p":"`+pad+`","comments":[{"localId":"2","remoteId":"1"}]`))
	}
	masterText, slaveText := export(master...), export(slave...)
	for _, complete := range []bool{false, true} {
		for _, before := range []string{"", "old"} {
			t.Run(fmt.Sprintf("complete=%v,before=%q", complete, before), func(t *testing.T) {
				run := func(n int) (fs afero.Fs, broken *brokenFs, err error) {
					fs = memory(t, masterText, slaveText)
					if before != "" {
						if err := afero.WriteFile(fs, "w/out.json", []byte(before), 0o600); err != nil {
							t.Fatal(err)
						}
					}
					broken = &brokenFs{Fs: fs, n: n}
					o := options(broken, Slave)
					o.CompleteComments, o.Hash = complete, before != ""
					_, err = Merge(context.Background(), o)
					return fs, broken, err
				}
				good, calls, err := run(0)
				if err != nil {
					t.Fatal(err)
				}
				temp := "w/.out.json.syncctl-part"
				synced, renamed := slices.Index(calls.calls, "sync "+temp), slices.Index(calls.calls, "rename w/out.json")
				if synced < 0 || renamed < synced || slices.Index(calls.calls[renamed:], "sync w") < 0 {
					t.Errorf("not synced before it is renamed, or the folder not after: %v", calls.calls)
				}
				whole := content(t, good, "w/out.json")
				failures := 0
				for n := 1; ; n++ {
					fs, broken, err := run(n)
					if broken.n > 0 {
						break
					}
					got, readErr := afero.ReadFile(fs, "w/out.json")
					switch {
					case err == nil: // a failure after the file has its name is a warning
						if what := broken.calls[n-1]; string(got) != whole || !slices.Contains(harmless, what) {
							t.Fatalf("%s failed, but there is no error; output %d bytes", what, len(got))
						}
					case !errors.Is(err, errBroken):
						t.Fatalf("call %d: %v", n, err)
					case before == "" && !errors.Is(readErr, os.ErrNotExist), before != "" && string(got) != before:
						t.Fatalf("call %d failed (%v), but the output is touched: %d bytes, %v", n, err, len(got), readErr)
					default:
						failures++
					}
					if err == nil || before != "" {
						nothingLeft(t, fs, "w/out.json")
					} else {
						nothingLeft(t, fs)
					}
				}
				if failures < 10 {
					t.Errorf("only %d failures were tried", failures)
				}
			})
		}
	}
}

// TestMergeNoticesChange checks that changes of the files are noticed with completion, which reads them twice.
func TestMergeNoticesChange(t *testing.T) {
	fs := memory(t, export(pair("A-1", "B-1", `,"comments":[{"localId":"1"}]`)), export(pair("B-1", "A-1", "")))
	o := options(fs, Slave)
	o.CompleteComments = true
	m, err := newMerge(o)
	if err != nil {
		t.Fatal(err)
	}
	defer m.close()
	ctx, none := context.Background(), func(*Entry) error { return nil }
	if err := m.look(ctx); err != nil {
		t.Fatal(err)
	}
	if err := m.readStaying(ctx, none); err != nil {
		t.Fatal(err)
	}
	if err := m.stay.read(ctx, none); err != nil {
		t.Fatal("unchanged:", err)
	}
	if err := afero.WriteFile(fs, "w/master.json", []byte(export(pair("A-1", "B-1",
		`,"comments":[{"localId":"2"}]`))), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := m.stay.read(ctx, none); err == nil || !strings.Contains(err.Error(), "w/master.json changed while it "+
		"was being read") {
		t.Error(err)
	}
}
