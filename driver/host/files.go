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

// Files are a machine's files. Errors are those of package os: fs.ErrNotExist, fs.ErrExist and fs.ErrPermission
// among them. Over SSH names are absolute, the first use connects, and an error of the connection wraps an *Error: of a
// machine that did not answer in time, and of a context that ended, too.
type Files interface {
	Stat(name string) (fs.FileInfo, error)  // follows symbolic links
	Lstat(name string) (fs.FileInfo, error) // does not
	Readlink(name string) (string, error)
	Names(folder string) ([]string, error) // what is in a folder, sorted

	Open(name string) (io.ReadSeekCloser, error)
	// Create makes a file that only its owner may read. fs.ErrExist if there is anything of that name, such as a link.
	Create(name string) (NewFile, error)

	// Rename gives a file a name, replaces the file that has it, in one step or not at all, and makes that durable
	// where the machine can.
	Rename(from, to string) error
	Remove(name string) error // a file or a symbolic link
}

// NewFile is a file that is being written. What is asked and changed is the file itself, whatever has its name by now.
type NewFile interface {
	io.WriteCloser
	Stat() (fs.FileInfo, error)
	Chmod(mode fs.FileMode) error
	Chown(uid, gid int) error
	Sync() error // has the machine write it to its disk
}

// MaxFile is how large a file may be that is read as a whole, in bytes, where its reader knows no smaller bound. The
// keystores and settings files that servers have are a hundredth of it.
const MaxFile = 64 << 20

// ErrTooLarge is a file, a folder or an answer about them that is larger than what is read of it.
var ErrTooLarge = errors.New("it is too large")

// ReadFile reads a whole file of at most so many bytes. What counts is what comes, not what the machine says of the
// file's size: a device, or a machine that means ill, sends without end.
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

// FilesOf are the files of a file system of this machine.
func FilesOf(fsys afero.Fs) Files { return localFiles{fsys} }

type localFiles struct{ afero.Fs }

// Lstat follows links where the file system has no word for them: then it has none.
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

// Open waits for nobody: a pipe in the place of a file would hold this program up until somebody writes to it.
func (l localFiles) Open(name string) (io.ReadSeekCloser, error) {
	f, err := l.OpenFile(name, os.O_RDONLY|atOnce, 0)
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

// Handle is an open file of a file system of this machine as a NewFile. Mode and owner are set through the file where
// it can, as files of the operating system can, and by its name where it cannot: such file systems are in memory, and
// nobody else is in them.
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

// Rename syncs the folder as well. Where that fails the file has its new name, though not durably yet.
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

// Planted tells whether a name of this machine may have been put there by another user to be written through: a link, a
// pipe or a file of somebody else's in a folder where everybody may make one, such as /tmp. Systems refuse the same
// where they are told to (Linux with protected_symlinks, protected_fifos and protected_regular). nil: it was not, there
// is nothing of that name, or the file system has no owners.
func Planted(fsys afero.Fs, name string) error {
	const everybodyWrites = 0o002
	info, err := localFiles{fsys}.Lstat(name)
	if err != nil {
		return nil //nolint:nilerr // whatever is wrong with the name shows when it is written
	}
	dir, err := fsys.Stat(filepath.Dir(name))
	if err != nil {
		return nil //nolint:nilerr // see above
	}
	user, _, known := localOwner(info)
	maker, _, _ := localOwner(dir)
	if !known || dir.Mode().Perm()&everybodyWrites == 0 || user == os.Geteuid() || user == maker {
		return nil
	}
	return fmt.Errorf("%s belongs to another user, in a folder where everybody may make files: write to a folder of your "+
		"own", name)
}
