package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/driver/host"
)

// Exists reports whether anything has that name, even a link to nothing. If that cannot be found out, it returns true.
func Exists(fsys afero.Fs, path string) bool {
	stat := fsys.Stat
	if l, ok := fsys.(afero.Lstater); ok {
		stat = func(name string) (fs.FileInfo, error) {
			info, _, err := l.LstatIfPossible(name)
			return info, err
		}
	}
	_, err := stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// Create writes a new file. It fails if the file exists.
func Create(fsys afero.Fs, path string, data []byte, perm fs.FileMode) error {
	f, err := fsys.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, perm)
	if err != nil {
		return fmt.Errorf("creating %s: %w", path, err)
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("writing %s: %w", path, errors.Join(err, fsys.Remove(path)))
	}
	return nil
}

// Stream opens a file that is written piece by piece while others read it, such as events. It is emptied first. A file
// that another user may have planted is refused (host.Planted).
func Stream(fsys afero.Fs, path string, perm fs.FileMode) (afero.File, error) {
	return toWrite(fsys, path, os.O_TRUNC, perm)
}

// Append opens a file that is written at its end, such as a log. A file that another user may have planted is refused
// (host.Planted).
func Append(fsys afero.Fs, path string, perm fs.FileMode) (afero.File, error) {
	return toWrite(fsys, path, os.O_APPEND, perm)
}

func toWrite(fsys afero.Fs, path string, how int, perm fs.FileMode) (afero.File, error) {
	err := host.Planted(fsys, path)
	if err == nil {
		var f afero.File
		if f, err = fsys.OpenFile(path, os.O_CREATE|how|os.O_WRONLY, perm); err == nil {
			return f, nil
		}
	}
	return nil, fmt.Errorf("writing %s: %w", path, err)
}
