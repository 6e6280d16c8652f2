package files

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/driver/host"
)

// Replace writes a file whole or not at all: it writes a temporary file beside it, syncs and renames it. An existing
// file keeps its mode and its owner, and a symbolic link stays one. If path is not a regular file, such as a pipe or a
// terminal, Replace writes into it. A file that another user may have planted is refused (host.Planted).
func Replace(fsys afero.Fs, path string, data []byte, perm fs.FileMode) error {
	return Write(fsys, path, perm, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// Write is like Replace, for content of any size: write writes it.
func Write(fsys afero.Fs, path string, perm fs.FileMode, write func(io.Writer) error) error {
	if err := replace(fsys, path, write, perm); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}

func replace(fsys afero.Fs, path string, write func(io.Writer) error, perm fs.FileMode) error {
	if err := host.Planted(fsys, path); err != nil {
		return err
	}
	info, err := fsys.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if link, ok := fsys.(afero.Lstater); ok {
			if l, _, err := link.LstatIfPossible(path); err == nil && l.Mode()&fs.ModeSymlink != 0 {
				return errors.New("it is a link to a file that is missing")
			}
		}
		return swap(fsys, path, write, perm, nil)
	case err != nil:
		return err
	case info.IsDir():
		return errors.New("it is a folder")
	case !info.Mode().IsRegular():
		return writeInto(fsys, path, write)
	}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	return swap(fsys, path, write, info.Mode().Perm(), info)
}

// writeInto writes into something that is not a regular file: a pipe, a terminal, a device.
func writeInto(fsys afero.Fs, path string, write func(io.Writer) error) error {
	f, err := fsys.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}

// swap replaces the file at path, which was describes, with a new one. was is nil if there is no file yet.
func swap(
	fsys afero.Fs, path string, write func(io.Writer) error, perm fs.FileMode, was fs.FileInfo,
) error {
	temp, err := afero.TempFile(fsys, filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	name := temp.Name()
	if err = write(temp); err == nil {
		err = settle(host.Handle(fsys, temp), perm, was)
	}
	if err == nil {
		err = temp.Sync()
	}
	err = errors.Join(err, temp.Close())
	if err == nil {
		err = fsys.Rename(name, path)
	}
	if err != nil {
		if gone := fsys.Remove(name); gone != nil && !errors.Is(gone, os.ErrNotExist) {
			err = errors.Join(err, gone)
		}
	}
	return err
}

// settle sets owner and mode through the open file: its name may belong to another file by now.
func settle(f host.NewFile, perm fs.FileMode, was fs.FileInfo) error {
	if was != nil {
		if err := keepOwner(f, was); err != nil {
			return err
		}
	}
	return f.Chmod(perm)
}
