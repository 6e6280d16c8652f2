//go:build unix

package files

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/driver/host"
)

func TestReplace(t *testing.T) {
	dir, fsys := t.TempDir(), afero.NewOsFs()
	at := func(name string) string { return filepath.Join(dir, name) }
	write := func(name string, mode fs.FileMode) {
		t.Helper()
		if err := os.WriteFile(at(name), []byte("old"), mode); err != nil {
			t.Fatal(err)
		}
	}
	write("file", 0o640)
	write("target", 0o600)
	for link, to := range map[string]string{"link": "target", "dangling": "nothing"} {
		if err := os.Symlink(to, at(link)); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		reads string // where the content is afterwards; "": it is refused
		mode  fs.FileMode
	}{
		"new": {"new", 0o644}, "file": {"file", 0o640}, "link": {"target", 0o600}, "dangling": {}, ".": {},
	} {
		err := Replace(fsys, at(name), []byte("new"), 0o644)
		if (err == nil) != (c.reads != "") {
			t.Errorf("%s: %v", name, err)
		}
		if c.reads == "" {
			continue
		}
		b, err := os.ReadFile(at(c.reads))
		info, err2 := os.Stat(at(c.reads))
		if err := errors.Join(err, err2); err != nil || string(b) != "new" || info.Mode().Perm() != c.mode {
			t.Errorf("%s: %q, %v, %v", name, b, info, err)
		}
	}
	if info, err := os.Lstat(at("link")); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link is not one any more: %v, %v", info, err)
	}
	if left, err := filepath.Glob(at(".*.*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestReplaceWritesIntoPipes checks that the content is written into what is not a regular file, which stays as it is.
func TestReplaceWritesIntoPipes(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "p")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	got := make(chan string)
	go func() {
		f, err := os.Open(pipe)
		if err != nil {
			got <- err.Error()
			return
		}
		b, _ := io.ReadAll(f)
		got <- string(b)
	}()
	if err := Replace(afero.NewOsFs(), pipe, []byte("plan"), 0o644); err != nil {
		t.Fatal(err)
	}
	if s := <-got; s != "plan" {
		t.Errorf("the reader got %q", s)
	}
	if info, err := os.Stat(pipe); err != nil || info.Mode()&fs.ModeNamedPipe == 0 {
		t.Errorf("it is %v, %v", info, err)
	}
	if err := Replace(afero.NewOsFs(), os.DevNull, []byte("x"), 0o644); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(os.DevNull); err != nil || info.Mode().IsRegular() {
		t.Errorf("%s is a regular file: %v, %v", os.DevNull, info, err)
	}
}

// plantedFs is a file system in which everything except folders belongs to another user.
type plantedFs struct{ afero.Fs }

func (p plantedFs) LstatIfPossible(name string) (fs.FileInfo, bool, error) {
	info, err := os.Lstat(name)
	if err == nil && !info.IsDir() {
		s := *info.Sys().(*syscall.Stat_t)
		s.Uid++
		info = another{info, &s}
	}
	return info, true, err
}

type another struct {
	fs.FileInfo

	stat *syscall.Stat_t
}

func (a another) Sys() any { return a.stat }

// TestReplacePlanted checks that files are not written to if another user may have put them into a shared folder.
func TestReplacePlanted(t *testing.T) {
	dir := t.TempDir()
	victim := filepath.Join(t.TempDir(), "victim")
	err := errors.Join(os.WriteFile(victim, []byte("old"), 0o600), os.Symlink(victim, filepath.Join(dir, "link")),
		syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600), os.Chmod(dir, 0o777|fs.ModeSticky))
	if err != nil {
		t.Fatal(err)
	}
	fsys := plantedFs{afero.NewOsFs()}
	for how, write := range map[string]func(path string) error{
		"Replace": func(path string) error { return Replace(fsys, path, []byte("new"), 0o644) },
		"Stream":  func(path string) error { _, err := Stream(fsys, path, 0o600); return err },
		"Append":  func(path string) error { _, err := Append(fsys, path, 0o600); return err },
	} {
		for _, name := range []string{"link", "pipe"} {
			if write(filepath.Join(dir, name)) == nil {
				t.Errorf("%s: %s was written to", how, name)
			}
		}
	}
	if b, err := os.ReadFile(victim); err != nil || string(b) != "old" {
		t.Errorf("the victim is %q, %v", b, err)
	}
	if err := Replace(fsys, filepath.Join(dir, "new"), nil, 0o644); err != nil {
		t.Error(err)
	}
}

// opened is a file that records which attributes are set.
type opened struct {
	host.NewFile

	refuse error
	set    []string
}

func (o *opened) Chown(uid, gid int) error {
	o.set = append(o.set, fmt.Sprintf("owner %d:%d", uid, gid))
	return o.refuse
}

func (o *opened) Chmod(mode fs.FileMode) error {
	o.set = append(o.set, fmt.Sprintf("mode %o", mode))
	return nil
}

// TestReplaceKeepsTheOwner checks that a file keeps its owner, its group and its mode. The mode is set last, since a
// change of the owner may remove bits. If the owner cannot be changed, the file is not replaced.
func TestReplaceKeepsTheOwner(t *testing.T) {
	name := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(name, nil, 0o640); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	for user, group := range map[uint32]uint32{0: 1, 1: 0, 1000: 1000} {
		was := *info.Sys().(*syscall.Stat_t)
		was.Uid, was.Gid = was.Uid+user, was.Gid+group
		o := &opened{}
		err := settle(o, 0o640, another{info, &was})
		want := []string{fmt.Sprintf("owner %d:%d", was.Uid, was.Gid), "mode 640"}
		if err != nil || !slices.Equal(o.set, want) {
			t.Errorf("%v, %v, want %v", o.set, err, want)
		}
		o = &opened{refuse: fs.ErrPermission}
		if err := settle(o, 0o640, another{info, &was}); !errors.Is(err, fs.ErrPermission) || len(o.set) != 1 {
			t.Errorf("refused: %v, %v", o.set, err)
		}
	}
	o := &opened{}
	if err := settle(o, 0o600, info); err != nil || !slices.Equal(o.set, []string{"mode 600"}) {
		t.Errorf("one's own: %v, %v", o.set, err)
	}
}
