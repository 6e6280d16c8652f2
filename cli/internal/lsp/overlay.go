package lsp

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/afero"
	"github.com/spf13/afero/mem"
)

// overlay is a read-only file system in which open documents have the editor's text.
type overlay struct {
	afero.Fs

	docs map[string]*document // by path, and by path with links resolved
}

func newOverlay(base afero.Fs, docs map[string]*document) overlay {
	o := overlay{afero.NewReadOnlyFs(base), make(map[string]*document, len(docs))}
	for path, d := range docs {
		o.docs[path], o.docs[d.real] = d, d
	}
	return o
}

func (o overlay) file(name string) *mem.File {
	d := o.docs[filepath.Clean(name)]
	if d == nil {
		return nil
	}
	return mem.NewReadOnlyFileHandle(d.file)
}

// Open implements afero.Fs.
func (o overlay) Open(name string) (afero.File, error) {
	if f := o.file(name); f != nil {
		return f, nil
	}
	f, err := o.Fs.Open(name)
	if err != nil {
		return nil, err
	}
	return &folderFile{f, o, filepath.Clean(name)}, nil
}

// OpenFile implements afero.Fs.
func (o overlay) OpenFile(name string, flag int, perm os.FileMode) (afero.File, error) {
	if f := o.file(name); f != nil && flag&(os.O_WRONLY|os.O_RDWR) == 0 {
		return f, nil
	}
	return o.Fs.OpenFile(name, flag, perm)
}

// Stat implements afero.Fs.
func (o overlay) Stat(name string) (os.FileInfo, error) {
	if f := o.file(name); f != nil {
		return f.Stat()
	}
	return o.Fs.Stat(name)
}

// LstatIfPossible implements afero.Lstater.
func (o overlay) LstatIfPossible(name string) (os.FileInfo, bool, error) {
	if f := o.file(name); f != nil {
		info, err := f.Stat()
		return info, true, err
	}
	if l, ok := o.Fs.(afero.Lstater); ok {
		return l.LstatIfPossible(name)
	}
	info, err := o.Fs.Stat(name)
	return info, false, err
}

// ReadlinkIfPossible implements afero.LinkReader.
func (o overlay) ReadlinkIfPossible(name string) (string, error) {
	if l, ok := o.Fs.(afero.LinkReader); ok {
		return l.ReadlinkIfPossible(name)
	}
	return "", &os.PathError{Op: "readlink", Path: name, Err: afero.ErrNoReadlink}
}

// folderFile is a file or folder of the underlying file system. A folder also lists documents that were never saved.
type folderFile struct {
	afero.File

	over overlay
	path string
}

// Readdir implements afero.File.
func (f *folderFile) Readdir(n int) ([]os.FileInfo, error) {
	infos, err := f.File.Readdir(n)
	if err != nil || n > 0 {
		return infos, err
	}
	for path := range f.over.docs { // in any order: the reader of a folder sorts
		if filepath.Dir(path) != f.path || slices.ContainsFunc(infos, func(i os.FileInfo) bool {
			return i.Name() == filepath.Base(path)
		}) {
			continue
		}
		info, err := f.over.Stat(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if err == nil {
			infos = append(infos, info)
		}
	}
	return infos, nil
}
