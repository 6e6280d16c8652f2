//go:build unix

package host

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"
)

var errFault = errors.New("a fault asked for")

// faultyFiles fails at its nth access. If dead is set, all later accesses fail too, as if the process had been killed
// there.
type faultyFiles struct {
	Files

	left *int
	dead bool
	half bool // the failing access is carried out nevertheless
}

func (f faultyFiles) fault() bool {
	*f.left--
	return *f.left == 0 || f.dead && *f.left < 0
}

func (f faultyFiles) do(act func() error) error {
	if !f.fault() {
		return act()
	}
	if f.half && *f.left == 0 {
		_ = act()
	}
	return errFault
}

func (f faultyFiles) Open(name string) (file io.ReadSeekCloser, err error) {
	err = f.do(func() error { file, err = f.Files.Open(name); return err })
	if err != nil {
		return nil, err
	}
	return faultyReader{file, f}, nil
}

func (f faultyFiles) Create(name string) (file NewFile, err error) {
	err = f.do(func() error { file, err = f.Files.Create(name); return err })
	if err != nil {
		return nil, err
	}
	return faultyWriter{file, f}, nil
}

func (f faultyFiles) Stat(name string) (info os.FileInfo, err error) {
	err = f.do(func() error { info, err = f.Files.Stat(name); return err })
	return info, err
}

func (f faultyFiles) Lstat(name string) (info os.FileInfo, err error) {
	err = f.do(func() error { info, err = f.Files.Lstat(name); return err })
	return info, err
}

func (f faultyFiles) Names(folder string) (names []string, err error) {
	err = f.do(func() error { names, err = f.Files.Names(folder); return err })
	return names, err
}

func (f faultyFiles) Remove(name string) error {
	return f.do(func() error { return f.Files.Remove(name) })
}

func (f faultyFiles) Rename(from, to string) error {
	return f.do(func() error { return f.Files.Rename(from, to) })
}

type faultyReader struct {
	io.ReadSeekCloser

	files faultyFiles
}

func (f faultyReader) Read(p []byte) (int, error) {
	if f.files.fault() {
		return 0, errFault
	}
	return f.ReadSeekCloser.Read(p)
}

type faultyWriter struct {
	NewFile

	files faultyFiles
}

func (f faultyWriter) Write(p []byte) (n int, err error) {
	if f.files.fault() {
		n, _ = f.NewFile.Write(p[:len(p)/2])
		return n, errFault
	}
	return f.NewFile.Write(p)
}

func (f faultyWriter) Sync() error  { return f.files.do(f.NewFile.Sync) }
func (f faultyWriter) Close() error { return f.files.do(f.NewFile.Close) }
func (f faultyWriter) Chmod(mode fs.FileMode) error {
	return f.files.do(func() error { return f.NewFile.Chmod(mode) })
}

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func replacement(name, was string) Replacement {
	return Replacement{Name: name, Content: []byte("the new content"), Was: was, Mode: 0o600, Now: noon,
		Random: rand.Reader}
}

// TestReplaceFails checks that the file is the complete old or new one, whatever access fails or is the last one
// before the process is killed. An error that says that nothing was changed must be true.
func TestReplaceFails(t *testing.T) {
	old := []byte("the old content")
	for _, there := range []bool{true, false} {
		for _, how := range []struct{ dead, half bool }{{}, {half: true}, {dead: true}, {dead: true, half: true}} {
			for n := 1; ; n++ {
				fsys := afero.NewMemMapFs()
				was := ""
				if there {
					writeFile(t, fsys, "/etc/keys/a.p12", old, 0o640)
					was = Sum(old)
				} else if err := fsys.MkdirAll("/etc/keys", 0o755); err != nil {
					t.Fatal(err)
				}
				left := n
				out, err := Replace(t.Context(), faultyFiles{FilesOf(fsys), &left, how.dead, how.half},
					replacement("/etc/keys/a.p12", was))
				now, gone := afero.ReadFile(fsys, "/etc/keys/a.p12")
				isNew, isOld := string(now) == "the new content", string(now) == string(old) || !there && errors.Is(gone,
					fs.ErrNotExist)
				switch {
				case !isNew && !isOld:
					t.Fatalf("access %d %+v: %q %v", n, how, now, gone)
				case err == nil && !isNew, err != nil && !out.Maybe && isNew:
					t.Errorf("access %d %+v: %+v %v, and there is %q", n, how, out, err, now)
				case left > 0: // no access was left to fail
					if err != nil || n < 10 {
						t.Errorf("undisturbed, after %d accesses: %v", n, err)
					}
				}
				if err == nil || left > 0 {
					checkLeft(t, fsys, there)
				}
				// The next call succeeds, and removes what the killed process left.
				if !isNew {
					if _, err := Replace(t.Context(), FilesOf(fsys), replacement("/etc/keys/a.p12", was)); err != nil {
						t.Errorf("access %d %+v, then again: %v", n, how, err)
					}
					if names := listFolder(t, fsys, "/etc/keys"); strings.Contains(strings.Join(names, " "), ".syncctl-") {
						t.Errorf("access %d %+v: left behind %v", n, how, names)
					}
				}
				if left > 0 {
					break
				}
			}
		}
	}
}

func writeFile(t *testing.T, fsys afero.Fs, name string, content []byte, mode fs.FileMode) {
	t.Helper()
	if err := afero.WriteFile(fsys, name, content, mode); err != nil {
		t.Fatal(err)
	}
	if err := fsys.Chmod(name, mode); err != nil {
		t.Fatal(err)
	}
}

func listFolder(t *testing.T, fsys afero.Fs, dir string) []string {
	t.Helper()
	infos, err := afero.ReadDir(fsys, dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, i := range infos {
		names = append(names, i.Name())
	}
	return names
}

func checkLeft(t *testing.T, fsys afero.Fs, there bool) {
	t.Helper()
	want := "a.p12"
	mode := fs.FileMode(0o600)
	if there {
		want, mode = "a.p12 a.p12.20261124T120000Z.bak", 0o640
	}
	names := listFolder(t, fsys, "/etc/keys")
	if strings.Join(names, " ") != want {
		t.Errorf("the folder has %v, want %s", names, want)
	}
	for _, name := range names {
		if info, err := fsys.Stat("/etc/keys/" + name); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s has mode %v, want %v (%v)", name, info.Mode(), mode, err)
		}
	}
}

// TestReplaceChanged checks that a file that has changed since it was read is not replaced.
func TestReplaceChanged(t *testing.T) {
	for name, c := range map[string]struct {
		there string // "": nothing
		was   string
	}{
		"other content": {"something else", Sum([]byte("the old content"))},
		"gone":          {"", Sum([]byte("the old content"))},
		"there now":     {"something else", ""},
	} {
		fsys := afero.NewMemMapFs()
		if c.there != "" {
			writeFile(t, fsys, "/a.p12", []byte(c.there), 0o600)
		}
		out, err := Replace(t.Context(), FilesOf(fsys), replacement("/a.p12", c.was))
		if !errors.Is(err, ErrChanged) || out.Maybe {
			t.Errorf("%s: %+v %v", name, out, err)
		}
		if now, _ := afero.ReadFile(fsys, "/a.p12"); string(now) != c.there {
			t.Errorf("%s: there is %q", name, now)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	fsys := afero.NewMemMapFs()
	if out, err := Replace(ctx, FilesOf(fsys), replacement("/a.p12", "")); !errors.Is(err, context.Canceled) ||
		out.Maybe || len(listFolder(t, fsys, "/")) > 0 {
		t.Errorf("interrupted: %+v %v %v", out, err, listFolder(t, fsys, "/"))
	}
}

// watchedFiles reports each access before it is carried out.
type watchedFiles struct {
	Files

	saw func(what string)
}

func (f watchedFiles) Create(name string) (NewFile, error) {
	file, err := f.Files.Create(name)
	return watchedFile{file, f}, err
}

func (f watchedFiles) Rename(from, to string) error {
	f.saw("rename to " + to)
	return f.Files.Rename(from, to)
}

type watchedFile struct {
	NewFile

	files watchedFiles
}

func (f watchedFile) Write(p []byte) (int, error) {
	f.files.saw("write " + string(p))
	return f.NewFile.Write(p)
}

func (f watchedFile) Chmod(mode fs.FileMode) error {
	f.files.saw("chmod")
	return f.NewFile.Chmod(mode)
}

func (f watchedFile) Sync() error {
	f.files.saw("sync")
	return f.NewFile.Sync()
}

// TestReplaceOrder checks that the new file has its mode and is on the disk before it gets its name, and that a file
// that appears in the meantime is not overwritten.
func TestReplaceOrder(t *testing.T) {
	fsys := afero.NewMemMapFs()
	writeFile(t, fsys, "/a.p12", []byte("old"), 0o640)
	var seen []string
	watched := watchedFiles{FilesOf(fsys), func(what string) { seen = append(seen, what) }}
	if _, err := Replace(t.Context(), watched, replacement("/a.p12", Sum([]byte("old")))); err != nil {
		t.Fatal(err)
	}
	want := "write old, chmod, sync, rename to /a.p12.20261124T120000Z.bak, write the new content, chmod, sync, " +
		"rename to /a.p12"
	if got := strings.Join(seen, ", "); got != want {
		t.Errorf("%s; want %s", got, want)
	}
	watched.saw = func(what string) {
		if what == "sync" {
			writeFile(t, fsys, "/a.p12", []byte("theirs"), 0o640)
		}
	}
	_, err := Replace(t.Context(), watched, replacement("/a.p12", Sum([]byte("the new content"))))
	if now, _ := afero.ReadFile(fsys, "/a.p12"); !errors.Is(err, ErrChanged) || string(now) != "theirs" {
		t.Errorf("%v, and there is %q", err, now)
	}
}

// TestReplaceEverywhere tests Replace locally and over SFTP, through links, with a special mode and owner, twice in a
// second.
func TestReplaceEverywhere(t *testing.T) {
	eachFs(t, func(t *testing.T, c fsCase) {
		file := c.at("a.p12")
		writeFile(t, c.fs, file, []byte("1"), 0o604)
		name := file
		if c.real {
			name = c.at("link.p12")
			if err := os.Symlink("a.p12", name); err != nil {
				t.Fatal(err)
			}
		}
		given := c.real && os.Getuid() == 0 // only root may change owners
		if given {
			if err := os.Chown(file, 1234, 2345); err != nil {
				t.Fatal(err)
			}
		}
		was := Sum([]byte("1"))
		for range 2 {
			out, err := Replace(t.Context(), c, replacement(name, was))
			if err != nil || out.Backup == "" {
				t.Fatal(out, err)
			}
			was = Sum([]byte("the new content"))
		}
		if c.real {
			if to, err := os.Readlink(name); err != nil || to != "a.p12" {
				t.Errorf("the link leads to %q: %v", to, err)
			}
		}
		for _, made := range []string{"a.p12", "a.p12.20261124T120000Z.bak", "a.p12.20261124T120000Z-2.bak"} {
			info, err := c.Stat(c.at(made))
			if err != nil || info.Mode().Perm() != 0o604 {
				t.Errorf("%s: mode %v, %v", made, info.Mode(), err)
			}
			if uid, gid, _ := owner(info); given && (uid != 1234 || gid != 2345) {
				t.Errorf("%s: owner %d, group %d", made, uid, gid)
			}
		}
		if names := strings.Join(listFolder(t, c.fs, c.dir), " "); strings.Contains(names, "syncctl") {
			t.Errorf("the folder has %s", names)
		}
		if _, err := Replace(t.Context(), c, replacement(c.dir, was)); err == nil || errors.Is(err, ErrChanged) {
			t.Errorf("a folder was replaced: %v", err)
		}
		if !c.real {
			return
		}
		if err := os.Symlink("round", c.at("round")); err != nil {
			t.Fatal(err)
		}
		if _, err := Replace(t.Context(), c, replacement(c.at("round"), "")); err == nil ||
			!strings.Contains(err.Error(), "circle") {
			t.Errorf("links in a circle: %v", err)
		}
		if err := os.Symlink("elsewhere", c.at("dangling")); err != nil {
			t.Fatal(err)
		}
		out, err := Replace(t.Context(), c, replacement(c.at("dangling"), ""))
		if _, made := os.Lstat(c.at("elsewhere")); err == nil || out.Maybe || !errors.Is(made, fs.ErrNotExist) {
			t.Errorf("a file was made at the end of a link: %+v, %v, %v", out, err, made)
		}
	})
}

// TestReplaceMeetsALink checks that a file that a link puts in the place of the temporary file keeps its content,
// mode and owner.
func TestReplaceMeetsALink(t *testing.T) {
	eachFs(t, func(t *testing.T, c fsCase) {
		if !c.real {
			return // memory has no links
		}
		victim := c.at("victim")
		writeFile(t, c.fs, victim, []byte("theirs"), 0o600)
		writeFile(t, c.fs, c.at("a.p12"), []byte("old"), 0o664)
		given := os.Getuid() == 0
		if given {
			if err := os.Chown(c.at("a.p12"), 1234, 2345); err != nil {
				t.Fatal(err)
			}
		}
		links := linkingFiles{c, victim}
		_, err := Replace(t.Context(), links, replacement(c.at("a.p12"), Sum([]byte("old"))))
		info, gone := os.Stat(victim)
		if gone != nil {
			t.Fatal(gone)
		}
		uid, _, _ := owner(info)
		if now := c.read(t, "victim"); err == nil || now != "theirs" || info.Mode().Perm() != 0o600 || given && uid != 0 {
			t.Errorf("%v, and the other file has %q, mode %v, owner %d", err, now, info.Mode(), uid)
		}
	})
}

// linkingFiles replaces every new file with a link to another one as soon as it is written.
type linkingFiles struct {
	Files

	to string
}

func (f linkingFiles) Create(name string) (NewFile, error) {
	file, err := f.Files.Create(name)
	return linkedFile{file, name, f.to}, err
}

type linkedFile struct {
	NewFile

	name, to string
}

func (f linkedFile) Write(p []byte) (int, error) {
	n, err := f.NewFile.Write(p)
	return n, errors.Join(err, os.Remove(f.name), os.Symlink(f.to, f.name))
}
