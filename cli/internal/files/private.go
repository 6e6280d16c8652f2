package files

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/kballard/go-shellquote"
	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/driver/host"
)

// Trusted returns an error if somebody else may have written a file, or may take it away: it belongs to a user other
// than this one or root, everybody may write to it, or everybody may replace what is in its folder. Links are followed,
// but for those that another user may have made (host.Planted); the folder that they lead to is looked at, too. A file
// that is missing is trusted where nobody else can have removed it from its folder.
func Trusted(fsys afero.Fs, path string) error {
	for _, at := range []string{path, Resolved(path)} {
		folder := filepath.Dir(at)
		switch info, err := fsys.Stat(folder); {
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return err
		case err == nil && hasModes && info.Mode().Perm()&0o002 != 0 && info.Mode()&fs.ModeSticky == 0:
			return fmt.Errorf("everybody may replace what is in %s (mode %04o): chmod o-w %s, or use a folder of your own",
				folder, info.Mode().Perm(), shellquote.Join(folder))
		}
		if err := host.Planted(fsys, at); err != nil {
			return err
		}
	}
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

// Private returns an error if a file or folder is not this user's alone: it is a link, it belongs to somebody else, or
// others may write to it (or read it, if it is a file). It is also an error if it is neither a file nor a folder. What
// is missing is private. Owners and modes are not checked on Windows.
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

// Alone returns an error if a file that is going to be emptied has other names (hard links): whoever made them has
// chosen what is emptied.
func Alone(fsys afero.Fs, path string) error {
	info, err := host.FilesOf(fsys).Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case host.SeveralNames(info):
		return fmt.Errorf("%s has other names (hard links): remove it", path)
	}
	return nil
}
