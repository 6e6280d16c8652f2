//go:build unix

package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/spf13/afero"
)

// TestCreate: until all of a new file is on the disk, nothing has its name; whoever takes the name meanwhile keeps it;
// and of several who make the same file, one has made it.
func TestCreate(t *testing.T) {
	for where, base := range map[string]afero.Fs{"on a disk": afero.NewOsFs(), "in memory": afero.NewMemMapFs()} {
		dir := t.TempDir()
		path := filepath.Join(dir, "f")
		free := meddled{base, func() error {
			if Exists(base, path) {
				t.Errorf("%s: it has its name while it is written", where)
			}
			return nil
		}}
		if err := Create(free, path, []byte("new"), 0o640); err != nil {
			t.Errorf("%s: %v", where, err)
		}
		taken := filepath.Join(dir, "taken")
		late := meddled{base, func() error { return afero.WriteFile(base, taken, []byte("theirs"), 0o600) }}
		if err := Create(late, taken, []byte("new"), 0o640); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s: taken meanwhile: %v", where, err)
		}
		want := map[string]string{path: "new", taken: "theirs"}
		infos, err := afero.ReadDir(base, dir)
		if err != nil || len(infos) != len(want) {
			t.Errorf("%s: %v, %v", where, infos, err)
		}
		for name, text := range want {
			if b, err := afero.ReadFile(base, name); err != nil || string(b) != text {
				t.Errorf("%s: %s is %q, %v", where, name, b, err)
			}
		}
	}
	dir, won := t.TempDir(), make(chan string, 8)
	var all sync.WaitGroup
	for i := range cap(won) {
		all.Go(func() {
			text := fmt.Sprint(i)
			if err := Create(In(afero.NewOsFs(), dir), "f", []byte(text), 0o600); err == nil {
				won <- text
			} else if !errors.Is(err, fs.ErrExist) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if b, err := os.ReadFile(filepath.Join(dir, "f")); err != nil || len(won) != 1 || string(b) != <-won {
		t.Errorf("%d have won, and it is %q, %v", len(won), b, err)
	}
}

// TestUmask: a new file is no more open than the umask allows, and one that is replaced keeps its mode.
func TestUmask(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o077))
	fsys, dir := afero.NewOsFs(), t.TempDir()
	old := filepath.Join(dir, "old")
	if err := errors.Join(os.WriteFile(old, nil, 0o600), os.Chmod(old, 0o644)); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		write func(afero.Fs, string, []byte, fs.FileMode) error
		mode  fs.FileMode
	}{"created": {Create, 0o600}, "replaced": {Replace, 0o600}, "old": {Replace, 0o644}} {
		path := filepath.Join(dir, name)
		err := c.write(fsys, path, []byte("new"), 0o644)
		if info, bad := os.Stat(path); errors.Join(err, bad) != nil || info.Mode().Perm() != c.mode {
			t.Errorf("%s: %v, %v", name, info, errors.Join(err, bad))
		}
	}
}

// TestOpenedIsWhatWasExamined: a link that another user puts in the place of a file, or of none, right before it is
// opened, is not written through.
func TestOpenedIsWhatWasExamined(t *testing.T) {
	for how, open := range map[string]func(afero.Fs, string, fs.FileMode) (afero.File, error){
		"Stream": Stream, "Append": Append,
	} {
		for _, there := range []bool{false, true} {
			dir := t.TempDir()
			path, victim := filepath.Join(dir, "f"), filepath.Join(dir, "victim")
			err := errors.Join(os.WriteFile(victim, []byte("old"), 0o600), os.Chmod(dir, 0o777))
			if there {
				err = errors.Join(err, os.WriteFile(path, []byte("log"), 0o600))
			}
			swap := swapped{afero.NewOsFs(), func() error {
				_ = os.Remove(path)
				return os.Symlink(victim, path)
			}}
			f, opened := open(swap, path, 0o600)
			if opened == nil {
				_, _ = f.WriteString("new")
				_ = f.Close()
			}
			b, bad := os.ReadFile(victim)
			if err := errors.Join(err, bad); opened == nil || err != nil || string(b) != "old" {
				t.Errorf("%s, %v: %v; the victim is %q, %v", how, there, opened, b, err)
			}
		}
	}
}

// TestExaminedOnce: a link that another user puts in the place of a file, or of none, right after it was examined, is
// not written through either.
func TestExaminedOnce(t *testing.T) {
	into := func(f afero.File, err error) {
		if err == nil {
			_, _ = f.WriteString("new")
			_ = f.Close()
		}
	}
	for how, write := range map[string]func(afero.Fs, string){
		"Replace": func(fsys afero.Fs, path string) { _ = Replace(fsys, path, []byte("new"), 0o600) },
		"Stream":  func(fsys afero.Fs, path string) { into(Stream(fsys, path, 0o600)) },
		"Append":  func(fsys afero.Fs, path string) { into(Append(fsys, path, 0o600)) },
	} {
		for _, there := range []string{"", "a file", "a pipe"} {
			dir := t.TempDir()
			path, victim := filepath.Join(dir, "f"), filepath.Join(dir, "victim")
			err := errors.Join(os.WriteFile(victim, []byte("old"), 0o600), os.Chmod(dir, 0o777))
			switch there {
			case "a file":
				err = errors.Join(err, os.WriteFile(path, []byte("log"), 0o600))
			case "a pipe":
				err = errors.Join(err, syscall.Mkfifo(path, 0o600))
			}
			if err != nil {
				t.Fatal(err)
			}
			write(looked{afero.NewOsFs(), sync.OnceValue(func() error {
				_ = os.Remove(path)
				return os.Symlink(victim, path)
			})}, path)
			if b, err := os.ReadFile(victim); err != nil || string(b) != "old" {
				t.Errorf("%s, where there was %q: the victim is %q, %v", how, there, b, err)
			}
		}
	}
}

// TestOwnLink: a link that nobody else has made stays one, and what it leads to is emptied by Stream alone.
func TestOwnLink(t *testing.T) {
	for want, open := range map[string]func(afero.Fs, string, fs.FileMode) (afero.File, error){
		"new": Stream, "oldernew": Append,
	} {
		dir := t.TempDir()
		path, file := filepath.Join(dir, "link"), filepath.Join(dir, "file")
		if err := errors.Join(os.WriteFile(file, []byte("older"), 0o600), os.Symlink(file, path)); err != nil {
			t.Fatal(err)
		}
		f, err := open(afero.NewOsFs(), path, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.WriteString("new")
		b, bad := os.ReadFile(file)
		if err := errors.Join(err, f.Close(), bad); err != nil || string(b) != want {
			t.Errorf("it is %q, want %q, %v", b, want, err)
		}
	}
}

// TestLinkAboveALink: a link with .. leads where the system takes it, above the folder that a link on the way leads to.
func TestLinkAboveALink(t *testing.T) {
	into := func(f afero.File, err error) error {
		if err == nil {
			_, err = f.WriteString("new")
			err = errors.Join(err, f.Close())
		}
		return err
	}
	for how, write := range map[string]func(path string) error{
		"Replace": func(path string) error { return Replace(afero.NewOsFs(), path, []byte("new"), 0o600) },
		"Stream":  func(path string) error { return into(Stream(afero.NewOsFs(), path, 0o600)) },
	} {
		for _, to := range []string{"sub/../f", "/sub/../f"} {
			dir := t.TempDir()
			at := func(name string) string { return filepath.Join(dir, name) }
			if filepath.IsAbs(to) {
				to = dir + to
			}
			err := errors.Join(os.MkdirAll(at("deep/down"), 0o700), os.Symlink("deep/down", at("sub")),
				os.WriteFile(at("f"), []byte("old"), 0o600), os.WriteFile(at("deep/f"), []byte("old"), 0o600),
				os.Symlink(to, at("link")))
			if err = errors.Join(err, write(at("link"))); err != nil {
				t.Fatal(err)
			}
			other, err := os.ReadFile(at("f"))
			meant, bad := os.ReadFile(at("deep/f"))
			if err := errors.Join(err, bad); err != nil || string(meant) != "new" || string(other) != "old" {
				t.Errorf("%s: %q, and the other file %q, %v", how, meant, other, err)
			}
		}
	}
}

// looked is a file system in which another user, who makes all links, does something right after a file is examined.
type looked struct {
	afero.Fs

	swap func() error
}

func (l looked) LstatIfPossible(name string) (fs.FileInfo, bool, error) {
	info, ok, err := swapped{l.Fs, nil}.LstatIfPossible(name)
	return info, ok, errors.Join(err, l.swap())
}

// swapped is a file system in which another user, who makes all links, does something right before a file is opened.
type swapped struct {
	afero.Fs

	swap func() error
}

func (s swapped) OpenFile(name string, flag int, perm fs.FileMode) (afero.File, error) {
	if err := s.swap(); err != nil {
		return nil, err
	}
	return s.Fs.OpenFile(name, flag, perm)
}

func (s swapped) LstatIfPossible(name string) (fs.FileInfo, bool, error) {
	info, err := os.Lstat(name)
	if err == nil && info.Mode()&fs.ModeSymlink != 0 {
		return plantedFs{s.Fs}.LstatIfPossible(name)
	}
	return info, true, err
}
