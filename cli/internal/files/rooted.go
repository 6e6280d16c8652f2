// Package files is the file system of the command line: names that are relative to a folder, files that are written
// whole or not at all, and checks of who may have made or changed a file.
package files

import (
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/afero"
)

// In returns a file system in which relative names are relative to dir, as if dir were the working directory. Absolute
// names are not confined to dir, unlike in afero's BasePathFs. So several commands of one process can work in
// different folders.
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

// Absolute returns the name that the underlying file system uses.
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

// OpenWithin opens a file of the folder dir. On a disk no link that leads out of the folder is followed, wherever it
// stands and however late it was put there.
func (r rooted) OpenWithin(dir, name string, flag int) (afero.File, error) {
	if _, disk := r.Fs.(*afero.OsFs); !disk {
		return r.OpenFile(filepath.Join(dir, name), flag, 0)
	}
	root, err := os.OpenRoot(r.at(dir))
	if err != nil {
		return nil, err
	}
	defer root.Close() // nothing was written
	file, err := root.OpenFile(name, flag, 0)
	if err != nil { // not a nil *os.File
		return nil, err
	}
	return file, nil
}

// LstatIfPossible implements afero.Lstater if the underlying file system does.
func (r rooted) LstatIfPossible(name string) (os.FileInfo, bool, error) {
	if l, ok := r.Fs.(afero.Lstater); ok {
		return l.LstatIfPossible(r.at(name))
	}
	info, err := r.Stat(name)
	return info, false, err
}

// ReadlinkIfPossible implements afero.LinkReader if the underlying file system does.
func (r rooted) ReadlinkIfPossible(name string) (string, error) {
	if l, ok := r.Fs.(afero.LinkReader); ok {
		return l.ReadlinkIfPossible(r.at(name))
	}
	return "", &os.PathError{Op: "readlink", Path: name, Err: afero.ErrNoReadlink}
}
