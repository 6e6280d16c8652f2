// Package files has the file system of the command line: relative names in a folder, and files that are written
// whole.
package files

import (
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/afero"
)

// In is a file system whose relative names are in a folder, as if the process had changed into it; absolute names
// are not confined to it, as they are by afero's BasePathFs. So several commands of one process can work in several
// folders.
func In(fs afero.Fs, dir string) afero.Fs { return rooted{fs, dir} }

type rooted struct {
	afero.Fs

	dir string
}

func (r rooted) at(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(r.dir, name)
}

// Absolute is the name as the file system below knows it.
func (r rooted) Absolute(name string) string { return r.at(name) }

func (r rooted) Create(name string) (afero.File, error)       { return r.Fs.Create(r.at(name)) }
func (r rooted) Mkdir(name string, perm os.FileMode) error    { return r.Fs.Mkdir(r.at(name), perm) }
func (r rooted) MkdirAll(name string, perm os.FileMode) error { return r.Fs.MkdirAll(r.at(name), perm) }
func (r rooted) Open(name string) (afero.File, error)         { return r.Fs.Open(r.at(name)) }
func (r rooted) Remove(name string) error                     { return r.Fs.Remove(r.at(name)) }
func (r rooted) RemoveAll(name string) error                  { return r.Fs.RemoveAll(r.at(name)) }
func (r rooted) Rename(from, to string) error                 { return r.Fs.Rename(r.at(from), r.at(to)) }
func (r rooted) Stat(name string) (os.FileInfo, error)        { return r.Fs.Stat(r.at(name)) }
func (r rooted) Chmod(name string, mode os.FileMode) error    { return r.Fs.Chmod(r.at(name), mode) }
func (r rooted) Chown(name string, uid, gid int) error        { return r.Fs.Chown(r.at(name), uid, gid) }
func (r rooted) Chtimes(name string, at, mod time.Time) error {
	return r.Fs.Chtimes(r.at(name), at, mod)
}
func (r rooted) OpenFile(name string, flag int, perm os.FileMode) (afero.File, error) {
	return r.Fs.OpenFile(r.at(name), flag, perm)
}

// LstatIfPossible implements afero.Lstater where the file system below does.
func (r rooted) LstatIfPossible(name string) (os.FileInfo, bool, error) {
	if l, ok := r.Fs.(afero.Lstater); ok {
		return l.LstatIfPossible(r.at(name))
	}
	info, err := r.Stat(name)
	return info, false, err
}

// ReadlinkIfPossible implements afero.LinkReader where the file system below does.
func (r rooted) ReadlinkIfPossible(name string) (string, error) {
	if l, ok := r.Fs.(afero.LinkReader); ok {
		return l.ReadlinkIfPossible(r.at(name))
	}
	return "", &os.PathError{Op: "readlink", Path: name, Err: afero.ErrNoReadlink}
}
