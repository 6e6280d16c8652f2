package host

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/afero"
)

// Files gives access to a machine's files. Errors are those of package os, such as fs.ErrNotExist, fs.ErrExist and
// fs.ErrPermission. Over SSH, names are absolute, the first use connects, and an error of the connection wraps an
// *Error. So do the errors if the machine does not answer in time, or if the context ends.
type Files interface {
	Stat(name string) (fs.FileInfo, error)  // follows symbolic links
	Lstat(name string) (fs.FileInfo, error) // does not
	Readlink(name string) (string, error)
	Names(folder string) ([]string, error) // the names in a folder, sorted

	Open(name string) (io.ReadSeekCloser, error)
	// Create makes a file that only its owner may read, from the start. It returns fs.ErrExist if anything has that
	// name, even a link.
	Create(name string) (NewFile, error)

	// Rename renames a file. It replaces a file that has the new name, in one step or not at all, and makes that
	// durable if the machine can.
	Rename(from, to string) error
	Remove(name string) error // a file or a symbolic link
}

// NewFile is a file that is being written. All methods apply to the file itself, whatever has its name by now.
type NewFile interface {
	io.WriteCloser
	Stat() (fs.FileInfo, error)
	Chmod(mode fs.FileMode) error
	Chown(uid, gid int) error
	Sync() error // makes the machine write it to its disk
}

// MaxFile is the maximum size, in bytes, of a file that is read as a whole, unless its reader has a smaller limit.
// The keystores and settings files of servers are a hundredth of it.
const MaxFile = 64 << 20

// ErrTooLarge says that a file, a folder or an answer about them is larger than the limit.
var ErrTooLarge = errors.New("it is too large")

// ReadFile reads a whole file of at most most bytes. It counts the bytes that come and does not trust the size that
// the machine reports: a device or a malicious machine may send without end.
func ReadFile(files Files, name string, most int64) ([]byte, error) {
	f, err := files.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	if int64(len(content)) > most {
		return nil, fmt.Errorf("reading %s: %w: at most %d bytes are read, and more came; is it the file that is meant?",
			name, ErrTooLarge, most)
	}
	return content, nil
}

// FilesOf returns the files of a file system of this machine.
func FilesOf(fsys afero.Fs) Files { return localFiles{fsys} }

type localFiles struct{ afero.Fs }

// Lstat implements Files. A file system without Lstat has no links, so Stat is used.
func (l localFiles) Lstat(name string) (fs.FileInfo, error) {
	if links, ok := l.Fs.(afero.Lstater); ok {
		info, _, err := links.LstatIfPossible(name)
		return info, err
	}
	return l.Stat(name)
}

func (l localFiles) Readlink(name string) (string, error) {
	if links, ok := l.Fs.(afero.LinkReader); ok {
		return links.ReadlinkIfPossible(name)
	}
	return "", &fs.PathError{Op: "readlink", Path: name, Err: errors.ErrUnsupported}
}

func (l localFiles) Names(folder string) ([]string, error) {
	infos, err := afero.ReadDir(l.Fs, folder)
	names := make([]string, len(infos))
	for i, info := range infos {
		names[i] = info.Name()
	}
	return names, err
}

// Open implements Files. It does not block: a pipe in place of a file would block this program until somebody writes
// to it.
func (l localFiles) Open(name string) (io.ReadSeekCloser, error) {
	f, err := l.OpenFile(name, os.O_RDONLY|AtOnce, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.Mode()&(fs.ModeNamedPipe|fs.ModeSocket) != 0 {
		err = about("open", name, fmt.Errorf("%w: it is a pipe or a socket, not a file", fs.ErrInvalid))
	}
	if err != nil {
		_ = f.Close() // nothing was written to it
		return nil, err
	}
	return f, nil
}

func (l localFiles) Create(name string) (NewFile, error) {
	f, err := l.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) // O_EXCL follows no link
	if err != nil {
		return nil, err
	}
	return Handle(l.Fs, f), nil
}

// Handle returns an open file of a file system of this machine as a NewFile. Files of the operating system have their
// mode and owner set through the open file. Other files have them set by name: their file systems are in memory,
// where nobody else can interfere.
func Handle(fsys afero.Fs, f afero.File) NewFile {
	if real, ok := f.(NewFile); ok {
		return real
	}
	return byName{f, fsys}
}

type byName struct {
	afero.File

	fs afero.Fs
}

func (f byName) Chmod(mode fs.FileMode) error { return f.fs.Chmod(f.Name(), mode) }
func (f byName) Chown(uid, gid int) error     { return f.fs.Chown(f.Name(), uid, gid) }

// Rename implements Files. It also syncs the folder. If that fails the file has its new name, but not durably yet.
func (l localFiles) Rename(from, to string) error {
	if err := l.Fs.Rename(from, to); err != nil {
		return err
	}
	if folder, err := l.Fs.Open(filepath.Dir(to)); err == nil {
		_ = folder.Sync()
		_ = folder.Close()
	}
	return nil
}

// Planted returns an error if another user may have created a name on this machine so that this program writes
// through it: a link, a pipe or a file of another user, or a second name of any file, in a folder where everybody may
// create files, such as /tmp; or any link, where everybody may also rename it. Systems can be configured to refuse the
// same (Linux with protected_symlinks, protected_hardlinks, protected_fifos and protected_regular). It returns nil if
// that is not so, if nothing has that name, or if the file system has no owners.
func Planted(fsys afero.Fs, name string) error {
	info, err := localFiles{fsys}.Lstat(name)
	if err != nil {
		return nil //nolint:nilerr // whatever is wrong with the name shows when it is written
	}
	return PlantedAs(fsys, name, info)
}

// PlantedAs is Planted for whoever has looked at the name, following no link, and will hold what it opens against info:
// what the name is may change between two looks.
func PlantedAs(fsys afero.Fs, name string, info fs.FileInfo) error {
	dir, err := fsys.Stat(filepath.Dir(name))
	if err != nil {
		return nil //nolint:nilerr // whatever is wrong with the name shows when it is written
	}
	if everybodyMay(dir) && SeveralNames(info) {
		return fmt.Errorf("%s has other names (hard links), in a folder where everybody may make files: write to a folder "+
			"of your own", name)
	}
	return plantedIn(dir, name, info, os.Geteuid())
}

// everybodyMay reports whether everybody may make files in a folder.
func everybodyMay(dir fs.FileInfo) bool { return dir.Mode().Perm()&0o002 != 0 }

// plantedIn returns an error if a file or a link is in a folder where everybody may make files, and was made neither by
// us nor by whose folder it is; or if it is any link, where everybody may also rename it.
func plantedIn(dir fs.FileInfo, name string, info fs.FileInfo, us int) error {
	user, _, known := owner(info)
	if !known || !everybodyMay(dir) { // without owners modes say nothing: each folder of Windows has 0777
		return nil
	}
	if dir.Mode()&fs.ModeSticky == 0 && info.Mode()&fs.ModeSymlink != 0 {
		return fmt.Errorf("%s is a link, in a folder where everybody may give any link that name: write to a folder of "+
			"your own", name)
	}
	if maker, _, _ := owner(dir); user == us || user == maker {
		return nil
	}
	return fmt.Errorf("%s belongs to another user, in a folder where everybody may make files: write to a folder of your "+
		"own, or take that right from everybody", name)
}
