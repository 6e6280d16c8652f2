package files

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/kballard/go-shellquote"
	"github.com/spf13/afero"
)

// Trusted tells why what a file says may be somebody else's word: it belongs to another user than this one or root, or
// everybody may write to it. Links are followed. What is missing is nobody's word.
func Trusted(fsys afero.Fs, path string) error {
	info, err := fsys.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !own(info) && !ofRoot(info):
		return fmt.Errorf("%s belongs to another user", path)
	case hasModes && info.Mode().IsRegular() && info.Mode().Perm()&0o002 != 0:
		return fmt.Errorf("everybody may write to %s (mode %04o): chmod o-w %s", path, info.Mode().Perm(),
			shellquote.Join(path))
	}
	return nil
}

// Private tells why a file or folder is not the user's alone: it is a link, it is somebody else's, or others may
// write to it (a file: read it, too). What is missing is private. Windows has no such modes; there only links are
// told.
func Private(fsys afero.Fs, path string) error {
	stat := fsys.Stat
	if l, ok := fsys.(afero.Lstater); ok {
		stat = func(name string) (fs.FileInfo, error) {
			info, _, err := l.LstatIfPossible(name)
			return info, err
		}
	}
	info, err := stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	others := fs.FileMode(0o022)
	if info.Mode().IsRegular() {
		others = 0o077
	}
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		return fmt.Errorf("%s is a link: what is kept there must not be chosen by whoever made the link. Remove it", path)
	case !info.IsDir() && !info.Mode().IsRegular():
		return fmt.Errorf("%s is neither a file nor a folder", path)
	case !own(info):
		return fmt.Errorf("%s belongs to another user", path)
	case hasModes && info.Mode().Perm()&others != 0:
		return fmt.Errorf("others may use %s (mode %04o): chmod go= %s", path, info.Mode().Perm(),
			shellquote.Join(path))
	}
	return nil
}
