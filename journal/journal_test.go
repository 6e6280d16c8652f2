package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/printable"
	"pgregory.net/rapid"
)

func clock() func() time.Time {
	t := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	return func() time.Time { t = t.Add(time.Second); return t }
}

func write(t testing.TB, fsys afero.Fs, n int) {
	t.Helper()
	j, err := Open(fsys, "j", Options{Now: clock()})
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if _, err := j.Append(t.Context(), "step", "started", map[string]string{"n": strings.Repeat("x", i)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestBytesThatAreNotUTF8 checks that a journal can be read and printed if data is in another encoding, such as what
// a program has printed.
func TestBytesThatAreNotUTF8(t *testing.T) {
	fsys := afero.NewMemMapFs()
	j, err := Open(fsys, "j", Options{Now: clock()})
	if err != nil {
		t.Fatal(err)
	}
	data := map[string]string{"\xff": "a\xffb\ufffd\u202e"}
	if _, err := j.Append(t.Context(), "step", "failed", data); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	entries, err := Read(fsys, "j", nil)
	src, _ := afero.ReadFile(fsys, "j") // Read has just read it
	if err != nil || entries[0].Data["\ufffd"] != "a\ufffdb\ufffd\u202e" || !printable.Safe(string(src)) {
		t.Errorf("%v, %v, %+q", entries, err, src)
	}
}

// TestCutAnywhere checks that a journal that is cut at any byte has the complete lines before the cut, and can be
// continued from there.
func TestCutAnywhere(t *testing.T) {
	whole := afero.NewMemMapFs()
	write(t, whole, 4)
	src, err := afero.ReadFile(whole, "j")
	if err != nil {
		t.Fatal(err)
	}
	for cut := range len(src) + 1 {
		fsys := afero.NewMemMapFs()
		if err := afero.WriteFile(fsys, "j", src[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		want := bytes.Count(src[:cut], []byte("\n"))
		j, err := Open(fsys, "j", Options{Now: clock()})
		if err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		if got := len(j.Entries()); got != want {
			t.Fatalf("cut at %d: %d entries, want %d", cut, got, want)
		}
		if _, err := j.Append(t.Context(), "step", "again", nil); err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		got, err := Read(fsys, "j", nil)
		if err != nil || len(got) != want+1 {
			t.Fatalf("cut at %d: after going on: %d entries, %v", cut, len(got), err)
		}
	}
}

// TestChangedByteIsNoticed checks that reading reports a change of any byte of a finished line.
func TestChangedByteIsNoticed(t *testing.T) {
	fsys := afero.NewMemMapFs()
	write(t, fsys, 3)
	src, err := afero.ReadFile(fsys, "j")
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		at := rapid.IntRange(0, len(src)-2).Draw(t, "at")
		to := rapid.Byte().Filter(func(b byte) bool { return b != src[at] }).Draw(t, "to")
		changed := bytes.Clone(src)
		changed[at] = to
		entries, _, err := parseText(changed)
		if err == nil && len(entries) == 3 {
			want, _, _ := parseText(src)
			if diff := cmp.Diff(want, entries); diff != "" {
				t.Fatalf("byte %d changed to %q went unnoticed:\n%s", at, to, diff)
			}
		}
	})
}

func TestLineTakenOut(t *testing.T) {
	fsys := afero.NewMemMapFs()
	write(t, fsys, 3)
	src, _ := afero.ReadFile(fsys, "j")
	lines := bytes.SplitAfter(src, []byte("\n"))
	for i := range 2 {
		rest := bytes.Join(append(append([][]byte{}, lines[:i]...), lines[i+1:]...), nil)
		if _, _, err := parseText(rest); !errors.Is(err, ErrBroken) {
			t.Errorf("line %d taken out: %v, want ErrBroken", i+1, err)
		}
	}
}

// TestLongJournal checks that lines that are decoded concurrently are checked like those of a short journal, and that
// the first of several damaged ones counts.
func TestLongJournal(t *testing.T) {
	const n = 3 * partSize / 200
	fsys := afero.NewMemMapFs()
	write(t, fsys, n)
	src, err := afero.ReadFile(fsys, "j")
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(src, []byte("\n"))
	all, good, err := parseText(src)
	if err != nil || len(all) != n || good != int64(len(src)) {
		t.Fatal(len(all), good, err)
	}
	rapid.Check(t, func(t *rapid.T) {
		first, bad := n, slices.Clone(lines)
		for range rapid.IntRange(1, 3).Draw(t, "damaged") {
			at := rapid.IntRange(0, n-1).Draw(t, "line")
			bad[at] = rapid.SampledFrom([][]byte{
				[]byte("{}\n"), []byte("no JSON\n"), lines[(at+1)%n], bytes.Replace(lines[at], []byte("step"), []byte("stop"), 1),
			}).Draw(t, "instead")
			first = min(first, at)
		}
		entries, good, err := parseText(bytes.Join(bad, nil))
		line := fmt.Sprintf("line %d:", first+1)
		if !errors.Is(err, ErrBroken) || len(entries) != first || !strings.Contains(err.Error(), line) {
			t.Fatalf("%d entries, want %d: %v", len(entries), first, err)
		}
		if good != int64(len(bytes.Join(lines[:first], nil))) {
			t.Fatalf("%d bytes hold", good)
		}
	})
}

// TestEmptyLinesTakeNoMemory: a file of line ends, which anybody can send, is not taken for as many entries.
func TestEmptyLinesTakeNoMemory(t *testing.T) {
	fsys := afero.NewMemMapFs()
	write(t, fsys, 1)
	src, err := afero.ReadFile(fsys, "j")
	if err != nil {
		t.Fatal(err)
	}
	whole := len(src)
	src = append(src, bytes.Repeat([]byte("\n"), 1<<20)...)
	entries, good, err := parseText(src)
	if !errors.Is(err, ErrBroken) || len(entries) != 1 || good != int64(whole) || cap(entries) > len(src)/whole {
		t.Errorf("%d entries in %d bytes, with room for %d: %v", len(entries), good, cap(entries), err)
	}
}

// TestLongLine: a line is read whole however much is read together.
func TestLongLine(t *testing.T) {
	fsys := afero.NewMemMapFs()
	var want []Entry
	for i, size := range []int{1, 3 * partSize, 2, partSize - 100, partSize, 3} {
		want = append(want, Entry{Seq: i + 1, Key: "a", Event: "b", Data: map[string]string{"c": strings.Repeat("d", size)}})
	}
	if err := Write(fsys, "j", want, nil); err != nil {
		t.Fatal(err)
	}
	src, err := afero.ReadFile(fsys, "j")
	if err != nil {
		t.Fatal(err)
	}
	last := bytes.LastIndexByte(src[:len(src)-1], '\n') + 1
	for cut, whole := range map[int]int{len(src): len(want), len(src) - 1: len(want) - 1, last: len(want) - 1} {
		got, good, err := parseText(src[:cut])
		if err != nil || len(got) != whole || good != int64(bytes.LastIndexByte(src[:cut], '\n')+1) {
			t.Fatalf("%d entries in %d bytes of %d, %v", len(got), good, cut, err)
		}
		for i, e := range got {
			if e.Data["c"] != want[i].Data["c"] {
				t.Errorf("entry %d has other data", e.Seq)
			}
		}
	}
}

// parseText parses a journal without a key.
func parseText(src []byte) (entries []Entry, good int64, err error) {
	good, err = parse(bytes.NewReader(src), int64(len(src)), nil, collecting(&entries))
	return entries, good, err
}

// failing fails every sync from the nth on.
type failing struct {
	afero.Fs
	left int
}

type failingFile struct {
	afero.File
	fs *failing
}

func (f *failing) OpenFile(name string, flag int, perm fs.FileMode) (afero.File, error) {
	file, err := f.Fs.OpenFile(name, flag, perm)
	return &failingFile{file, f}, err
}

func (f *failingFile) Sync() error {
	if f.fs.left--; f.fs.left < 0 {
		return errors.New("disk is full")
	}
	return f.File.Sync()
}

func TestNothingAfterAFailedWrite(t *testing.T) {
	j, err := Open(&failing{afero.NewMemMapFs(), 1}, "j", Options{Now: clock()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.Append(t.Context(), "a", "started", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := j.Append(t.Context(), "b", "started", nil); err == nil || !strings.Contains(err.Error(), "disk is full") {
		t.Fatalf("a failed sync was reported as %v", err)
	}
	if _, err := j.Append(t.Context(), "c", "started", nil); err == nil {
		t.Fatal("the journal went on after a failed write")
	}
	if n := len(j.Entries()); n != 1 {
		t.Fatalf("%d entries, want the one that is durable", n)
	}
}

// TestNothingAfterAPanic checks that nothing is appended after a panic, because there may be half a line by then.
func TestNothingAfterAPanic(t *testing.T) {
	fsys := afero.NewMemMapFs()
	j, err := Open(fsys, "j", Options{Now: clock(), Watch: func(s Stage, _ Entry) {
		if s == Half {
			panic("inside")
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	func() {
		defer func() { _ = recover() }()
		_, _ = j.Append(t.Context(), "step", "started", nil)
	}()
	before, _ := afero.ReadFile(fsys, "j")
	if _, err := j.Append(t.Context(), "step", "failed", nil); err == nil {
		t.Error("it was written after half a line")
	}
	if after, _ := afero.ReadFile(fsys, "j"); len(before) == 0 || !bytes.Equal(before, after) {
		t.Errorf("%q, before %q", after, before)
	}
}

func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	h := Holder{PID: 7, Host: "h", Since: time.Unix(0, 0).UTC(), What: "apply"}
	l, err := Acquire(context.Background(), path, h)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Acquire(context.Background(), path, h)
	var locked *LockedError
	if !errors.As(err, &locked) || locked.Holder != h {
		t.Fatalf("second lock: %v", err)
	}
	if err := l.Release(); err != nil {
		t.Fatal(err)
	}
	if l, err = Acquire(context.Background(), path, h); err != nil {
		t.Fatalf("after release: %v", err)
	}
	if err := l.Release(); err != nil {
		t.Fatal(err)
	}
}

func FuzzParse(f *testing.F) {
	fsys := afero.NewMemMapFs()
	write(f, fsys, 2)
	src, _ := afero.ReadFile(fsys, "j")
	f.Add(src)
	f.Add(src[:len(src)/2])
	f.Add([]byte("{}\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		entries, good, err := parseText(src)
		if err != nil && !errors.Is(err, ErrBroken) {
			t.Fatalf("%v does not wrap ErrBroken", err)
		}
		if err == nil && (good > int64(len(src)) || bytes.Count(src[:good], []byte("\n")) != len(entries)) {
			t.Fatalf("%d entries in %d bytes of %q", len(entries), good, src)
		}
	})
}

// BenchmarkAppend appends from several goroutines at once to a file on disk. syncs/op is the number of syncs per
// entry.
func BenchmarkAppend(b *testing.B) {
	for _, writers := range []int{1, 10, 64} {
		b.Run(fmt.Sprint(writers), func(b *testing.B) {
			disk := &gated{Fs: afero.NewOsFs()}
			j, err := Open(disk, filepath.Join(b.TempDir(), "j"), Options{Now: time.Now, Key: []byte("key")})
			if err != nil {
				b.Fatal(err)
			}
			defer j.Close()
			b.ReportAllocs()
			b.SetParallelism((writers + 1) / runtime.GOMAXPROCS(0))
			if writers == 1 {
				for b.Loop() {
					if _, err := j.Append(b.Context(), "migration.kind.name/step", "started", nil); err != nil {
						b.Fatal(err)
					}
				}
			} else {
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						if _, err := j.Append(b.Context(), "migration.kind.name/step", "started", nil); err != nil {
							b.Error(err)
						}
					}
				})
			}
			b.ReportMetric(float64(disk.syncs.Load())/float64(b.N), "syncs/op")
		})
	}
}

// BenchmarkRead reads journals: time and allocations must grow with their length.
func BenchmarkRead(b *testing.B) {
	for _, n := range []int{1000, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			fsys := afero.NewMemMapFs()
			j, err := Open(fsys, "j", Options{Now: clock()})
			if err != nil {
				b.Fatal(err)
			}
			for range n {
				data := map[string]string{"note": "seen"}
				if _, err := j.Append(b.Context(), "migration.kind.name/step", "done", data); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				if got, err := Read(fsys, "j", nil); err != nil || len(got) != n {
					b.Fatal(len(got), err)
				}
			}
		})
	}
}

// gated is a file system that counts syncs and records the length of a file at each sync. It can delay syncs or let
// them fail.
type gated struct {
	afero.Fs
	syncs  atomic.Int64
	synced atomic.Int64
	gate   chan error // a sync waits for it, and returns what it sends; nil: no sync waits
}

type gatedFile struct {
	afero.File
	fs *gated
}

func (g *gated) OpenFile(name string, flag int, perm fs.FileMode) (afero.File, error) {
	file, err := g.Fs.OpenFile(name, flag, perm)
	return &gatedFile{file, g}, err
}

func (f *gatedFile) Sync() error {
	f.fs.syncs.Add(1)
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if f.fs.gate != nil {
		err = <-f.fs.gate
	}
	if err == nil {
		f.fs.synced.Store(info.Size())
	}
	return errors.Join(err, f.File.Sync())
}

// appendAll appends n entries at once while the disk is busy with a first one. The syncs of the two groups return
// ends. It returns the errors of Append.
func appendAll(t *testing.T, disk *gated, j *Journal, n int, ends ...error) (failed []error) {
	t.Helper()
	disk.gate = make(chan error)
	results := make(chan error)
	one := func() {
		e, err := j.Append(t.Context(), "step", "started", nil)
		if src, _ := afero.ReadFile(disk, "j"); err == nil && !strings.Contains(string(src[:disk.synced.Load()]), e.Hash) {
			err = errors.New("an entry was reported before it was synced")
		}
		results <- err
	}
	go one()
	for disk.syncs.Load() == 0 {
		runtime.Gosched()
	}
	for range n {
		go one()
	}
	for {
		j.mu.Lock()
		waiting := j.seq
		j.mu.Unlock()
		if waiting == n+1 {
			break
		}
		runtime.Gosched()
	}
	go func() {
		for _, end := range ends {
			disk.gate <- end
		}
	}()
	for range n + 1 {
		if err := <-results; err != nil {
			failed = append(failed, err)
		}
	}
	return failed
}

// TestGroups checks that entries that are appended while the disk is busy are made durable by one sync, and reported
// only after it.
func TestGroups(t *testing.T) {
	disk := &gated{Fs: afero.NewMemMapFs()}
	j, err := Open(disk, "j", Options{Now: time.Now, Key: []byte("key")})
	if err != nil {
		t.Fatal(err)
	}
	if failed := appendAll(t, disk, j, 64, nil, nil); len(failed) > 0 || disk.syncs.Load() != 2 {
		t.Errorf("%d syncs, %v", disk.syncs.Load(), failed)
	}
	entries, err := Read(disk, "j", []byte("key"))
	if diff := cmp.Diff(j.Entries(), entries); err != nil || diff != "" || len(entries) != 65 {
		t.Errorf("%d entries, %v:\n%s", len(entries), err, diff)
	}
}

// TestGroupFails checks that if the sync of a group fails, none of its entries are reported as written, nor any later
// ones.
func TestGroupFails(t *testing.T) {
	full := errors.New("disk is full")
	for name, c := range map[string]struct {
		ends    []error
		durable int
	}{"the first": {[]error{full}, 0}, "the second": {[]error{nil, full}, 1}} {
		disk := &gated{Fs: afero.NewMemMapFs()}
		j, err := Open(disk, "j", Options{Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		failed := appendAll(t, disk, j, 8, c.ends...)
		if len(failed) != 9-c.durable || len(j.Entries()) != c.durable {
			t.Errorf("%s: %d durable, failed: %v", name, len(j.Entries()), failed)
		}
		for _, err := range failed {
			if !errors.Is(err, full) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := j.Append(t.Context(), "step", "done", nil); !errors.Is(err, full) {
			t.Errorf("%s: after that: %v", name, err)
		}
	}
}

// TestAdd checks that an added entry has its place before it is durable, and that what is appended after it shares its
// fate.
func TestAdd(t *testing.T) {
	full := errors.New("disk is full")
	for _, end := range []error{nil, full} {
		disk := &gated{Fs: afero.NewMemMapFs(), gate: make(chan error, 1)}
		j, err := Open(disk, "j", Options{Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		durable, err := j.Add(t.Context(), "step", "executed", map[string]string{"note": "seen"})
		if err != nil || len(j.Entries()) > 0 || disk.syncs.Load() > 0 {
			t.Fatalf("%v, %d syncs, %+v", err, disk.syncs.Load(), j.Entries())
		}
		appended := make(chan error)
		go func() {
			_, err := j.Append(t.Context(), "step", "done", nil)
			appended <- err
		}()
		for joined := false; !joined; runtime.Gosched() {
			j.mu.Lock()
			joined = j.seq == 2
			j.mu.Unlock()
		}
		disk.gate <- end
		if one, other := durable(), <-appended; !errors.Is(one, end) || !errors.Is(other, end) || disk.syncs.Load() != 1 {
			t.Errorf("%v, %v, %d syncs", one, other, disk.syncs.Load())
		}
		var events []string
		for _, e := range j.Entries() {
			events = append(events, e.Event)
		}
		if want := []string{"executed", "done"}; end == nil && !slices.Equal(events, want) || end != nil && events != nil {
			t.Errorf("%q", events)
		}
		if _, err := j.Add(t.Context(), "step", "done", nil); (err == nil) != (end == nil) {
			t.Errorf("after that: %v", err)
		}
	}
}

// TestKey checks that a journal can only be read with the key that it was written with, or without one if it has
// none.
func TestKey(t *testing.T) {
	fsys := afero.NewMemMapFs()
	for _, key := range [][]byte{nil, []byte("ours"), []byte("theirs")} {
		name := "j" + string(key)
		j, err := Open(fsys, name, Options{Now: time.Now, Key: key})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := j.Append(t.Context(), "a", "done", nil); err != nil {
			t.Fatal(err)
		}
		j.Close()
		for _, other := range [][]byte{nil, []byte("ours"), []byte("theirs")} {
			_, err := Read(fsys, name, other)
			if same := string(other) == string(key); same != (err == nil) || !same && !errors.Is(err, ErrBroken) {
				t.Errorf("key %q, read with %q: %v", key, other, err)
			}
			if _, err := Open(fsys, name, Options{Now: time.Now, Key: other}); string(other) != string(key) && err == nil {
				t.Errorf("key %q, opened with %q", key, other)
			}
		}
	}
}
