//go:build unix

package cli

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/spf13/afero"
)

// TestPlantedDataDir: a data folder that the user names may be reached by a link, but not by one that another user has
// put where everybody may make files.
func TestPlantedDataDir(t *testing.T) {
	shared, own := t.TempDir(), t.TempDir()
	link := filepath.Join(shared, "link")
	err := errors.Join(os.Symlink(own, link), os.Chmod(own, 0o700), os.Chmod(shared, 0o777|fs.ModeSticky))
	if err != nil {
		t.Fatal(err)
	}
	for maker, refused := range map[uint32]bool{uint32(os.Geteuid()): false, uint32(os.Geteuid()) + 1: true} {
		c := &command{dir: shared, app: &app{fs: linksOf{afero.NewOsFs(), maker}, env: func(name string) (string, bool) {
			return link, name == "SYNCCTL_DATA_DIR"
		}}}
		if err := c.ownDataDir(); (err != nil) != refused {
			t.Errorf("a link of user %d: %v", maker, err)
		}
	}
}

// TestDataDirWithHardLink: a file that was put into the data folder by a second name of it is not written to.
func TestDataDirWithHardLink(t *testing.T) {
	dir := t.TempDir()
	data, victim := filepath.Join(dir, ".syncctl"), filepath.Join(dir, "victim")
	err := errors.Join(os.Mkdir(data, 0o700), os.WriteFile(victim, []byte("old"), 0o600),
		os.Link(victim, filepath.Join(data, ".gitignore")))
	if err != nil {
		t.Fatal(err)
	}
	c := &command{dir: dir, app: &app{fs: afero.NewOsFs(), env: func(string) (string, bool) { return "", false }}}
	if err := c.makeDataDir(); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(victim); err != nil || string(b) != "old" {
		t.Errorf("it is %q, %v", b, err)
	}
}

// TestDataDirThatCannotBeListed: what nobody can look at in the data folder is not taken for the user's own.
func TestDataDirThatCannotBeListed(t *testing.T) {
	data := filepath.Join(t.TempDir(), ".syncctl")
	if err := os.MkdirAll(filepath.Join(data, "received", "acme"), 0o700); err != nil {
		t.Fatal(err)
	}
	for closed, refused := range map[string]bool{"": false, "received": true, "acme": true} {
		c := &command{dir: filepath.Dir(data), app: &app{fs: closedFs{afero.NewOsFs(), closed},
			env: func(string) (string, bool) { return "", false }}}
		if err := c.ownDataDir(); errors.Is(err, fs.ErrPermission) != refused {
			t.Errorf("%q cannot be listed: %v", closed, err)
		}
	}
}

// closedFs is a file system in which a folder cannot be listed.
type closedFs struct {
	afero.Fs

	name string
}

func (c closedFs) Open(name string) (afero.File, error) {
	if filepath.Base(name) == c.name {
		return nil, fs.ErrPermission
	}
	return c.Fs.Open(name)
}

func (c closedFs) LstatIfPossible(name string) (fs.FileInfo, bool, error) {
	info, err := os.Lstat(name)
	return info, true, err
}

// linksOf is a file system in which all links are one user's.
type linksOf struct {
	afero.Fs

	user uint32
}

func (l linksOf) LstatIfPossible(name string) (fs.FileInfo, bool, error) {
	info, err := os.Lstat(name)
	if err == nil && info.Mode()&fs.ModeSymlink != 0 {
		stat := *info.Sys().(*syscall.Stat_t)
		stat.Uid = l.user
		info = statOf{info, &stat}
	}
	return info, true, err
}

type statOf struct {
	fs.FileInfo

	stat *syscall.Stat_t
}

func (s statOf) Sys() any { return s.stat }
