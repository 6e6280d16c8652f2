package files

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/driver/host"
)

// Replace writes a file whole or not at all: it writes a temporary file beside it, syncs and renames it. A new file has
// the mode perm, as far as the umask allows. An existing file keeps its mode and its owner, and a symbolic link stays
// one. If path is not a regular file, such as a pipe or a terminal, Replace writes into it. A file that another user
// may have planted is refused (host.Planted).
func Replace(fsys afero.Fs, path string, data []byte, perm fs.FileMode) error {
	return Write(fsys, path, perm, whole(data))
}

// Write is like Replace, for content of any size: write writes it.
func Write(fsys afero.Fs, path string, perm fs.FileMode, write func(io.Writer) error) error {
	return named(path, writing{fsys, write, perm, unchecked, true}.replace(path))
}

// WriteChosen is like Write, for a name that this program has chosen: if anything but a regular file has that name, it
// is an error. Opening a pipe that somebody has put there would block.
func WriteChosen(fsys afero.Fs, path string, perm fs.FileMode, write func(io.Writer) error) error {
	return named(path, writing{fsys, write, perm, unchecked, false}.replace(path))
}

func unchecked(string) error { return nil }

// Rewrite is like Replace, for a file that was read before and must still have that content. It is looked at once more
// when all else is done. If it has another content by then, the error is host.ErrChanged, and the file stays as it is.
func Rewrite(fsys afero.Fs, path string, was, data []byte) error {
	same := func(path string) error {
		now, err := host.ReadFile(host.FilesOf(fsys), path, int64(len(was)))
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, host.ErrTooLarge) || err == nil && !bytes.Equal(now, was) {
			return host.ErrChanged
		}
		return err
	}
	return named(path, writing{fsys, whole(data), 0, same, false}.replace(path))
}

func whole(data []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	}
}

func named(path string, err error) error {
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}

// writing is how a file is replaced.
type writing struct {
	fsys  afero.Fs
	write func(io.Writer) error
	perm  fs.FileMode             // of a new file
	check func(path string) error // is called right before the file changes
	named bool                    // the person has named it: it may be a pipe or a device
}

func (w writing) replace(path string) error {
	path, info, err := examined(w.fsys, path)
	switch {
	case err != nil:
		return err
	case info == nil:
		return w.swap(path, nil)
	case info.IsDir():
		return errors.New("it is a folder")
	case !info.Mode().IsRegular() && !w.named:
		return errNotRegular
	case !info.Mode().IsRegular():
		return w.into(path, info)
	}
	return w.swap(path, info)
}

// into writes into something that is not a regular file: a pipe, a terminal, a device.
func (w writing) into(path string, was fs.FileInfo) error {
	if err := w.check(path); err != nil {
		return err
	}
	f, err := w.fsys.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	now, err := f.Stat()
	if err == nil {
		err = unchanged(was, now)
	}
	if err == nil {
		err = w.write(f)
	}
	return errors.Join(err, f.Close())
}

// swap replaces the file at path, which was describes, with a new one. was is nil if there is no file yet.
func (w writing) swap(path string, was fs.FileInfo) error {
	perm := w.perm
	if was != nil {
		perm = 0o600 // until it is settled
	}
	temp, err := beside(w.fsys, path, perm)
	if err != nil {
		return err
	}
	name := temp.Name()
	if err = w.write(temp); err == nil && was != nil {
		err = settle(host.Handle(w.fsys, temp), was)
	}
	if err == nil {
		err = temp.Sync()
	}
	err = errors.Join(err, temp.Close())
	if err == nil {
		err = w.check(path)
	}
	if err == nil {
		err = w.fsys.Rename(name, path)
	}
	if err != nil {
		if gone := w.fsys.Remove(name); gone != nil && !errors.Is(gone, os.ErrNotExist) {
			err = errors.Join(err, gone)
		}
	}
	return err
}

// settle sets owner and mode of the file that is replaced, through the open file: its name may belong to another file
// by now.
func settle(f host.NewFile, was fs.FileInfo) error {
	if err := keepOwner(f, was); err != nil {
		return err
	}
	return f.Chmod(was.Mode().Perm())
}
