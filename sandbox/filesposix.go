package sandbox

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"

	"github.com/pkg/sftp"
	"github.com/spf13/afero"
)

// These functions do what a POSIX file system does, on a file system that may be less strict: afero's memory file
// system creates missing folders, and removes folders that are not empty. They must be called with the machine's
// files locked.

var (
	errNoFolder = errors.New("it is not a folder")
	errNotEmpty = errors.New("the folder is not empty")
)

func (h *fileHandler) isFolder(name string) error {
	info, err := h.fs.Stat(name)
	if err == nil && !info.IsDir() {
		return errNoFolder
	}
	return err
}

func (h *fileHandler) lstat(name string) (fs.FileInfo, error) {
	if l, ok := h.fs.(afero.Lstater); ok {
		info, _, err := l.LstatIfPossible(name)
		return info, err
	}
	return h.fs.Stat(name)
}

func (h *fileHandler) mkdir(name string) error {
	if _, err := h.lstat(name); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(err, fs.ErrExist)
	}
	if err := h.isFolder(path.Dir(name)); err != nil {
		return err
	}
	return h.fs.Mkdir(name, 0o755)
}

func (h *fileHandler) remove(name string, folder bool) error {
	info, err := h.lstat(name)
	if err != nil {
		return err
	}
	if info.IsDir() != folder {
		return fs.ErrInvalid
	}
	if folder {
		if err := h.isEmpty(name); err != nil {
			return err
		}
	}
	return h.fs.Remove(name)
}

func (h *fileHandler) isEmpty(name string) error {
	f, err := h.fs.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	inside, err := f.Readdirnames(1)
	if len(inside) > 0 {
		return errNotEmpty
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// rename replaces a file with a file, and an empty folder with a folder.
func (h *fileHandler) rename(from, to string) error {
	old, err := h.lstat(from)
	if err != nil {
		return err
	}
	if err := h.isFolder(path.Dir(to)); err != nil {
		return err
	}
	if from == to {
		return nil
	}
	if old.IsDir() && strings.HasPrefix(to, from+"/") {
		return fs.ErrInvalid
	}
	there, err := h.lstat(to)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case there.IsDir() != old.IsDir():
		return fs.ErrInvalid
	case there.IsDir():
		if err := h.isEmpty(to); err != nil {
			return err
		}
		if err := h.fs.Remove(to); err != nil {
			return err
		}
	}
	return h.fs.Rename(from, to)
}

func (h *fileHandler) symlink(target, link string) error {
	l, ok := h.fs.(afero.Linker)
	if !ok {
		return errors.ErrUnsupported
	}
	if _, err := h.lstat(link); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(err, fs.ErrExist)
	}
	return l.SymlinkIfPossible(target, link)
}

// setstat changes the attributes that the client gives, in the order in which a failure does the least harm.
func (h *fileHandler) setstat(r *sftp.Request) error {
	if _, err := h.fs.Stat(r.Filepath); err != nil {
		return err
	}
	given, wish := r.AttrFlags(), r.Attributes()
	if given.Permissions {
		if err := h.fs.Chmod(r.Filepath, wish.FileMode()); err != nil {
			return err
		}
	}
	if given.UidGid {
		if err := h.fs.Chown(r.Filepath, int(wish.UID), int(wish.GID)); err != nil {
			return err
		}
	}
	if given.Size {
		if err := h.truncate(r.Filepath, int64(wish.Size)); err != nil {
			return err
		}
	}
	if given.Acmodtime {
		return h.fs.Chtimes(r.Filepath, time.Unix(int64(wish.Atime), 0), time.Unix(int64(wish.Mtime), 0))
	}
	return nil
}

func (h *fileHandler) truncate(name string, size int64) (err error) {
	f, err := h.fs.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return f.Truncate(size)
}
