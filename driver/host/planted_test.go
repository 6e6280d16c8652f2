//go:build unix

package host

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/spf13/afero"
)

// foreignFs is a file system in which a name is another user's.
type foreignFs struct {
	afero.Fs

	name string
	user uint32
}

func (f foreignFs) LstatIfPossible(name string) (fs.FileInfo, bool, error) {
	info, err := os.Lstat(name)
	if err == nil && filepath.Base(name) == f.name {
		s := *info.Sys().(*syscall.Stat_t)
		s.Uid = f.user
		info = ownedBy{info, &s}
	}
	return info, true, err
}

type ownedBy struct {
	fs.FileInfo

	stat *syscall.Stat_t
}

func (o ownedBy) Sys() any { return o.stat }

// TestPlanted checks links of other users in folders like /tmp. Linux can be configured not to follow them
// (protected_symlinks), but this program does not rely on that.
func TestPlanted(t *testing.T) {
	mine := uint32(os.Geteuid())
	for _, c := range []struct {
		mode    fs.FileMode
		user    uint32
		planted bool
	}{
		{0o777 | fs.ModeSticky, mine + 1, true}, {0o777, mine + 1, true}, {0o777 | fs.ModeSticky, mine, false},
		{0o777, mine, false},
		{0o755, mine + 1, false}, {0o775, mine + 1, false},
	} {
		dir := t.TempDir()
		ok(t, os.WriteFile(filepath.Join(dir, "target"), []byte("x"), 0o600))
		ok(t, os.Symlink("target", filepath.Join(dir, "link")))
		ok(t, syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600))
		ok(t, os.Chmod(dir, c.mode))
		for _, name := range []string{"link", "pipe", "target"} {
			fsys := foreignFs{afero.NewOsFs(), name, c.user}
			renamed := name == "link" && c.mode == 0o777 // perhaps by somebody else, from another of one's own
			if err := Planted(fsys, filepath.Join(dir, name)); (err != nil) != (c.planted || renamed) {
				t.Errorf("%s of user %d in %v: %v", name, c.user, c.mode, err)
			}
			if err := Planted(fsys, filepath.Join(dir, "new")); err != nil {
				t.Error(err)
			}
		}
		// A second name of what is one's own, a file or a link, says nothing of who has made it.
		own := filepath.Join(t.TempDir(), "own")
		ok(t, os.Symlink(filepath.Join(dir, "target"), own))
		for _, of := range []string{filepath.Join(dir, "target"), own} {
			second := filepath.Join(dir, "second "+filepath.Base(of))
			ok(t, os.Link(of, second))
			err := Planted(afero.NewOsFs(), second)
			if everybody := c.mode&0o002 != 0; (err != nil) != everybody {
				t.Errorf("a hard link of %s in %v: %v", of, c.mode, err)
			}
		}
	}
}
