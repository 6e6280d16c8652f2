package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/afero"
)

// Replace writes a file whole or not at all: a temporary file beside it, sync, rename. An existing file keeps
// its mode, and a symbolic link stays one.
func Replace(fsys afero.Fs, path string, data []byte, perm fs.FileMode) error {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	if info, err := fsys.Stat(path); err == nil {
		perm = info.Mode().Perm()
	}
	temp, err := afero.TempFile(fsys, filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	name := temp.Name()
	_, err = temp.Write(data)
	if err == nil {
		err = temp.Sync()
	}
	err = errors.Join(err, temp.Close())
	if err == nil {
		err = fsys.Chmod(name, perm)
	}
	if err == nil {
		err = fsys.Rename(name, path)
	}
	if err != nil {
		if gone := fsys.Remove(name); gone != nil && !errors.Is(gone, os.ErrNotExist) {
			err = errors.Join(err, gone)
		}
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}
