package files

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

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

// Create writes a new file whole or not at all. It fails with fs.ErrExist if anything has that name, also if another
// process takes it meanwhile.
func Create(fsys afero.Fs, path string, data []byte, perm fs.FileMode) error {
	temp, err := beside(fsys, path, perm)
	if err != nil {
		return fmt.Errorf("creating %s: %w", path, err)
	}
	name := temp.Name()
	_, err = temp.Write(data)
	if err == nil {
		err = temp.Sync()
	}
	if err = errors.Join(err, temp.Close()); err == nil {
		err = claim(fsys, name, path)
	}
	if gone := fsys.Remove(name); !errors.Is(gone, fs.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	if errors.Is(err, fs.ErrExist) {
		err = fs.ErrExist // without the name of the temporary file
	}
	if err != nil {
		return fmt.Errorf("creating %s: %w", path, err)
	}
	return nil
}

// claim gives the file from the name path, which must be free. A process that dies inside leaves the whole file there
// or none; where there are no hard links, perhaps an empty one.
func claim(fsys afero.Fs, from, path string) error {
	err := os.Link(from, filepath.Join(filepath.Dir(from), filepath.Base(path)))
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	f, err := fsys.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err = f.Close(); err == nil {
		err = fsys.Rename(from, path)
	}
	if err != nil {
		err = errors.Join(err, fsys.Remove(path))
	}
	return err
}

// beside makes a temporary file beside a file. The umask applies to its mode.
func beside(fsys afero.Fs, path string, perm fs.FileMode) (afero.File, error) {
	name := "." + filepath.Base(path) + "." + rand.Text()[:10]
	return fsys.OpenFile(filepath.Join(filepath.Dir(path), name), os.O_CREATE|os.O_EXCL|os.O_RDWR, perm)
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
	f, err := openSame(fsys, path, how, perm)
	if errors.Is(err, fs.ErrExist) { // another process has just made it
		f, err = openSame(fsys, path, how, perm)
	}
	if err != nil {
		return nil, fmt.Errorf("writing %s: %w", path, err)
	}
	return f, nil
}

// openSame opens a file for writing, and only what was there when it was examined: where everybody may make files,
// another user may put a link in its place meanwhile.
func openSame(fsys afero.Fs, path string, how int, perm fs.FileMode) (afero.File, error) {
	path, was, err := examined(fsys, path)
	if err != nil {
		return nil, err
	}
	if was == nil {
		return fsys.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY|how, perm)
	}
	flag := os.O_WRONLY | how&^os.O_TRUNC
	if was.Mode().IsRegular() {
		flag |= host.AtOnce // a pipe that has its name by now would block
	}
	f, err := fsys.OpenFile(path, flag, 0)
	if err != nil {
		return nil, err
	}
	now, err := f.Stat()
	if err == nil {
		err = unchanged(was, now)
	}
	if err == nil && how == os.O_TRUNC && now.Mode().IsRegular() {
		err = f.Truncate(0)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// mostLinks is the maximum number of links that lead from one to the next.
const mostLinks = 40

// examined returns the name that links lead to, what it is, and nil if nothing has the name path. What another user may
// have planted is refused (host.Planted): path, and each name that a link leads to, so that nobody follows a link that
// was not examined.
func examined(fsys afero.Fs, path string) (string, fs.FileInfo, error) {
	links := host.FilesOf(fsys)
	was, err := links.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return path, nil, nil
	}
	for range mostLinks {
		if err == nil {
			err = host.PlantedAs(fsys, path, was)
		}
		if err != nil || was.Mode()&fs.ModeSymlink == 0 {
			return path, was, err
		}
		to, bad := links.Readlink(path)
		if bad != nil {
			return "", nil, bad
		}
		if !filepath.IsAbs(to) {
			to = Resolved(filepath.Dir(path)) + string(filepath.Separator) + to
		}
		dir, name := filepath.Split(to) // not cleaned: .. after a link is above where that leads
		to = filepath.Join(Resolved(dir), name)
		if was, err = links.Lstat(to); errors.Is(err, fs.ErrNotExist) {
			// Such as /dev/stdout, where the system's link to a pipe has no name in it.
			if was, err = fsys.Stat(path); err == nil && !was.Mode().IsRegular() {
				return path, was, nil
			}
			return "", nil, errors.New("it is a link to a file that is missing")
		}
		path = to
	}
	return "", nil, errors.New("it is a link that leads to too many others")
}

// unchanged returns host.ErrChanged if a file that was opened is not what was examined. In memory, files have no
// identity.
func unchanged(was, opened fs.FileInfo) error {
	switch regular := was.Mode().IsRegular(); {
	case was.Sys() == nil:
	case regular != opened.Mode().IsRegular() || regular && !os.SameFile(was, opened):
		return host.ErrChanged
	}
	return nil
}
