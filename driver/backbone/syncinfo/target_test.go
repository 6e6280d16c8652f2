//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package syncinfo

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/afero"
)

// samples puts the vendor's files into a new folder, as a and b.
func samples(t *testing.T) (dir string, o MergeOptions) {
	t.Helper()
	dir, o = onDisk(t)
	for name, data := range map[string][]byte{"a": vendor(t, "master.json"), "b": vendor(t, "slave.json")} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir, o
}

func names(t *testing.T, dir string) (names []string) {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}

func mergeFails(t *testing.T, o MergeOptions, want string) {
	t.Helper()
	if _, err := Merge(context.Background(), o); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestOutputBehindLinks checks that links stay, and that the file that they lead to is created or replaced.
func TestOutputBehindLinks(t *testing.T) {
	dir, o := samples(t)
	for _, folder := range []string{"deep", "deep/er"} {
		if err := os.Mkdir(filepath.Join(dir, folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for name, to := range map[string]string{"out": "folder/../two", "folder": "deep/er",
		"deep/two": filepath.Join(dir, "real")} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if _, err := Merge(context.Background(), o); err != nil {
			t.Fatal(err)
		}
		if to, err := os.Readlink(filepath.Join(dir, "deep/two")); err != nil || to != filepath.Join(dir, "real") {
			t.Error("the link is gone:", to, err)
		}
		if info, err := os.Lstat(filepath.Join(dir, "real")); err != nil || !info.Mode().IsRegular() || info.Size() < 1000 {
			t.Error(info, err)
		}
	}
	if diff := cmp.Diff([]string{"a", "b", "deep", "folder", "out", "real"}, names(t, dir)); diff != "" {
		t.Error(diff)
	}
	if err := os.Symlink("loop", filepath.Join(dir, "loop")); err != nil {
		t.Fatal(err)
	}
	o.Out = filepath.Join(dir, "loop")
	mergeFails(t, o, "is a symbolic link that cannot be followed")
}

// TestOutputThatIsNoFile checks that devices are not replaced, nor the files of standard streams.
func TestOutputThatIsNoFile(t *testing.T) {
	dir, o := samples(t)
	link := filepath.Join(dir, "link")
	if err := os.Symlink("/dev/null", link); err != nil {
		t.Fatal(err)
	}
	for _, out := range []string{"/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "/dev/../dev/null", link} {
		o.Out = out
		mergeFails(t, o, "leads to a device, not to a regular file; use -o - for standard output")
	}
	stdout, err := os.OpenFile(filepath.Join(dir, "b"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer stdout.Close()
	o.Stdout, o.Stdin, o.Out = stdout, stdout, Standard
	mergeFails(t, o, "standard output leads into "+filepath.Join(dir, "b"))
	o.Slave, o.Out = Standard, filepath.Join(dir, "b")
	mergeFails(t, o, "is one of the two files to be merged")
	o.Master = filepath.Join(dir, "b")
	o.Out = filepath.Join(dir, "out")
	mergeFails(t, o, "are the same file")
	o.Master, o.Slave, o.Out = filepath.Join(dir, "a"), filepath.Join(dir, "a"), filepath.Join(dir, "b")
	mergeFails(t, o, "is the file that standard output leads into; use -o -")
	if data, err := os.ReadFile(filepath.Join(dir, "b")); err != nil || !bytes.Equal(data, vendor(t, "slave.json")) {
		t.Error("an input is changed:", err)
	}
	if diff := cmp.Diff([]string{"a", "b", "link"}, names(t, dir)); diff != "" {
		t.Error(diff)
	}
}

// TestOutputMode checks that only its owner may access a new file, and that an existing file keeps its mode, except
// for the rights of everybody.
func TestOutputMode(t *testing.T) {
	_, o := samples(t)
	for _, mode := range []os.FileMode{0o600, 0o604, 0o400, 0o666} {
		if _, err := Merge(context.Background(), o); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(o.Out); err != nil || info.Mode() != 0o600 && mode == 0o600 {
			t.Error(info.Mode(), err)
		}
		if err := os.Chmod(o.Out, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := Merge(context.Background(), o); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(o.Out); err != nil || info.Mode() != mode&^0o007 || info.Size() < 1000 {
			t.Error(info.Mode(), mode, err)
		}
	}
}

// TestTemporaryFilesDoNotPileUp checks that a temporary file that a killed process has left is replaced.
func TestTemporaryFilesDoNotPileUp(t *testing.T) {
	dir, o := samples(t)
	left := filepath.Join(dir, ".out.syncctl-part")
	if err := os.WriteFile(left, []byte("stale"), 0o600); err != nil {
		t.Fatal(err)
	}
	master, err := os.Open(o.Master)
	if err != nil {
		t.Fatal(err)
	}
	defer master.Close()
	o.Master, o.Stdin = Standard, struct{ io.Reader }{master}
	if _, err := Merge(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a", "b", "out"}, names(t, dir)); diff != "" {
		t.Error(diff)
	}
	o.Master = filepath.Join(dir, "a")
	// A link with its name is not followed.
	if err := os.Symlink("a", left); err != nil {
		t.Fatal(err)
	}
	if _, err := Merge(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(filepath.Join(dir, "a")); err != nil || !bytes.Equal(data, vendor(t, "master.json")) {
		t.Error("an input is changed:", err)
	}
	o.Out = filepath.Join(dir, strings.Repeat("x", 255))
	if _, err := Merge(context.Background(), o); err != nil {
		t.Error("a long name:", err)
	}
}

// TestOutputOfTwo checks two merges that write the same file. The one whose temporary file the other has replaced
// fails, and the output is complete.
func TestOutputOfTwo(t *testing.T) {
	dir, o := samples(t)
	to, err := o.resolve()
	if err != nil {
		t.Fatal(err)
	}
	w, err := newOutput(o, to)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.section(First); err != nil {
		t.Fatal(err)
	}
	if _, err := Merge(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	if err := w.finish(context.Background()); err == nil || !strings.Contains(err.Error(),
		"another process has replaced the temporary file of "+o.Out) {
		t.Error(err)
	}
	if info, err := os.Stat(o.Out); err != nil || info.Size() < 1000 {
		t.Error(info, err)
	}
	if err := w.close(); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"a", "b", "out"}, names(t, dir)); diff != "" {
		t.Error(diff)
	}
}

// TestMergeFromPipes checks that input that cannot be read twice is kept, and that opening, reading or writing a pipe
// ends with the context.
func TestMergeFromPipes(t *testing.T) {
	dir, o := samples(t)
	for _, name := range []string{"p", "q"} {
		if err := syscall.Mkfifo(filepath.Join(dir, name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	a, b := o.Master, o.Slave
	o.Master, o.Slave, o.CompleteComments = filepath.Join(dir, "p"), filepath.Join(dir, "q"), true
	go func() { // one after the other
		for _, f := range [][2]string{{"p", a}, {"q", b}} {
			data, err := os.ReadFile(f[1])
			if err == nil {
				err = os.WriteFile(filepath.Join(dir, f[0]), data, 0)
			}
			if err != nil {
				t.Error(err)
			}
		}
	}()
	if report, err := Merge(context.Background(), o); err != nil || report.Pairs != 1 || report.Completed != 1 {
		t.Fatal(report, err)
	}

	cause := errors.New("enough")
	interrupted := func(what string, o MergeOptions, meanwhile func(end func())) {
		t.Helper()
		ctx, cancel := context.WithCancelCause(context.Background())
		go meanwhile(func() { cancel(cause) })
		if _, err := Merge(ctx, o); !errors.Is(err, cause) {
			t.Errorf("%s: %v", what, err)
		}
		if diff := cmp.Diff([]string{"a", "b", "out", "p", "q"}, names(t, dir)); diff != "" {
			t.Error(what, diff)
		}
	}
	interrupted("opening", o, func(end func()) { end() })
	o.Slave = b
	interrupted("reading", o, func(end func()) {
		f, err := os.OpenFile(o.Master, os.O_WRONLY, 0) // waits for the reader
		if err != nil {
			t.Error(err)
		}
		t.Cleanup(func() { f.Close() })
		end()
	})
	r, w := io.Pipe()
	defer r.Close()
	o.Master, o.Out, o.Stdout, o.TempDir = a, Standard, w, dir
	interrupted("writing", o, func(end func()) {
		if _, err := r.Read(make([]byte, 1)); err != nil {
			t.Error(err)
		}
		end()
	})
}

// plantedFs is a file system in which everything but folders belongs to another user.
type plantedFs struct{ *afero.OsFs }

func (p plantedFs) LstatIfPossible(name string) (os.FileInfo, bool, error) {
	info, err := os.Lstat(name)
	if err == nil && !info.IsDir() {
		s := *info.Sys().(*syscall.Stat_t)
		s.Uid++
		info = another{info, &s}
	}
	return info, true, err
}

type another struct {
	os.FileInfo

	stat *syscall.Stat_t
}

func (a another) Sys() any { return a.stat }

// TestMergePlanted checks that files that another user may have put into a public folder are not written to.
func TestMergePlanted(t *testing.T) {
	dir, o := samples(t)
	common := filepath.Join(dir, "common")
	at := func(name string) string { return filepath.Join(common, name) }
	err := errors.Join(os.Mkdir(common, 0o700), os.Symlink(filepath.Join(dir, "a"), at("link")),
		os.WriteFile(at("file"), []byte("old"), 0o600), os.Chmod(common, 0o777|os.ModeSticky))
	if err != nil {
		t.Fatal(err)
	}
	o.Fs = plantedFs{afero.NewOsFs().(*afero.OsFs)}
	for _, name := range []string{"link", "file"} {
		o.Out = at(name)
		if _, err := Merge(context.Background(), o); err == nil {
			t.Errorf("%s was written to", name)
		}
	}
	o.Out = at("new")
	if _, err := Merge(context.Background(), o); err != nil {
		t.Error(err)
	}
}
