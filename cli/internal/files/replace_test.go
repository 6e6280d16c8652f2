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

// sharedFs is a file system in which everything in one folder belongs to another user.
type sharedFs struct {
	afero.Fs

	dir string
}

func (s sharedFs) LstatIfPossible(name string) (fs.FileInfo, bool, error) {
	if filepath.Dir(name) == s.dir {
		return plantedFs{s.Fs}.LstatIfPossible(name)
	}
	info, err := os.Lstat(name)
	return info, true, err
}

func (s sharedFs) ReadlinkIfPossible(name string) (string, error) { return os.Readlink(name) }

// TestLinksToPlantedLinks: one's own link into a shared folder does not lead on where another user's link leads.
func TestLinksToPlantedLinks(t *testing.T) {
	dir, own := t.TempDir(), t.TempDir()
	at := func(name string) string { return filepath.Join(own, name) }
	err := errors.Join(os.WriteFile(at("victim"), []byte("old"), 0o600),
		os.Symlink(at("victim"), filepath.Join(dir, "link")), os.Symlink(filepath.Join(dir, "link"), at("first")),
		os.Symlink("first", at("out")), os.Symlink("round", at("round")), os.Chmod(dir, 0o777|fs.ModeSticky))
	if err != nil {
		t.Fatal(err)
	}
	into := func(f afero.File, err error) error {
		if err == nil {
			_, _ = f.WriteString("new")
			err = f.Close()
		}
		return err
	}
	fsys := sharedFs{afero.NewOsFs(), dir}
	for how, write := range map[string]func(path string) error{
		"Replace": func(path string) error { return Replace(fsys, path, []byte("new"), 0o644) },
		"Stream":  func(path string) error { return into(Stream(fsys, path, 0o600)) },
		"Append":  func(path string) error { return into(Append(fsys, path, 0o600)) },
	} {
		for _, name := range []string{"out", "round"} {
			if write(at(name)) == nil {
				t.Errorf("%s: %s was written to", how, name)
			}
		}
		if b, err := os.ReadFile(at("victim")); err != nil || string(b) != "old" {
			t.Errorf("%s: the victim is %q, %v", how, b, err)
		}
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
		err := settle(o, another{info, &was})
		want := []string{fmt.Sprintf("owner %d:%d", was.Uid, was.Gid), "mode 640"}
		if err != nil || !slices.Equal(o.set, want) {
			t.Errorf("%v, %v, want %v", o.set, err, want)
		}
		o = &opened{refuse: fs.ErrPermission}
		if err := settle(o, another{info, &was}); !errors.Is(err, fs.ErrPermission) || len(o.set) != 1 {
			t.Errorf("refused: %v, %v", o.set, err)
		}
	}
	o := &opened{}
	if err := settle(o, info); err != nil || !slices.Equal(o.set, []string{"mode 640"}) {
		t.Errorf("one's own: %v, %v", o.set, err)
	}
}

// TestRewrite: a file that another program changes, replaces or removes while the new content is written, stays as that
// program left it, and nothing is left beside it.
func TestRewrite(t *testing.T) {
	with := func(text string) func(path string) error {
		return func(path string) error { return os.WriteFile(path, []byte(text), 0o600) }
	}
	for name, c := range map[string]struct {
		was     string
		meddle  func(path string) error
		want    string // its content afterwards; "": there is none any more
		refused error
	}{
		"as it was": {"old", func(string) error { return nil }, "new", nil},
		"empty":     {"", func(path string) error { return os.Truncate(path, 0) }, "new", nil},
		"changed":   {"old", with("OLD"), "OLD", host.ErrChanged},
		"longer":    {"old", with("old+"), "old+", host.ErrChanged},
		"shorter":   {"old", func(path string) error { return os.Truncate(path, 2) }, "ol", host.ErrChanged},
		"gone":      {"old", os.Remove, "", host.ErrChanged},
		"a pipe": {"old", func(path string) error {
			return errors.Join(os.Remove(path), syscall.Mkfifo(path, 0o600))
		}, "", fs.ErrInvalid},
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "f")
		if err := os.WriteFile(path, []byte(c.was), 0o640); err != nil {
			t.Fatal(err)
		}
		err := Rewrite(meddled{afero.NewOsFs(), func() error { return c.meddle(path) }}, path, []byte(c.was), []byte("new"))
		if !errors.Is(err, c.refused) {
			t.Errorf("%s: %v, want %v", name, err, c.refused)
		}
		content := ""
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			b, err := os.ReadFile(path)
			if content = string(b); err != nil || info.Mode().Perm() != 0o640 {
				t.Errorf("%s: %v, %v", name, info.Mode(), err)
			}
		}
		if content != c.want {
			t.Errorf("%s: it is %q", name, content)
		}
		if left, err := filepath.Glob(filepath.Join(dir, ".*.*")); err != nil || len(left) > 0 {
			t.Errorf("%s: left behind: %v, %v", name, left, err)
		}
	}
}

// meddled is a file system in which another program does something once a new file is synced.
type meddled struct {
	afero.Fs

	meddle func() error
}

func (m meddled) OpenFile(name string, flag int, perm os.FileMode) (afero.File, error) {
	f, err := m.Fs.OpenFile(name, flag, perm)
	return meddledFile{f, m.meddle}, err
}

type meddledFile struct {
	afero.File

	meddle func() error
}

func (f meddledFile) Sync() error { return errors.Join(f.File.Sync(), f.meddle()) }
