package syncinfo

import (
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/schema"
)

// target is where the merged file goes.
type target struct {
	path string      // the file itself, behind all symbolic links; "" for standard output
	name string      // for messages
	info os.FileInfo // of what is there; nil for nothing
}

// resolve follows the symbolic links at Out, and refuses what is no place for a file.
func (o MergeOptions) resolve() (target, error) {
	if o.Out == Standard {
		return target{name: "standard output"}, nil
	}
	t := target{path: o.Out, name: schema.SanitizeLine(o.Out)}
	links, follows := o.Fs.(interface {
		afero.Lstater
		afero.LinkReader
	})
	for n := 0; ; n++ {
		if device(t.path) {
			return t, fmt.Errorf("the output %s leads to a device, not to an ordinary file; use -o - for standard output", t.name)
		}
		if !follows {
			break
		}
		info, _, err := links.LstatIfPossible(t.path)
		if err != nil || info.Mode()&os.ModeSymlink == 0 {
			break // a file that is not there is made; what else is wrong with the path shows then
		}
		to, err := links.ReadlinkIfPossible(t.path)
		if err != nil || n == 40 {
			return t, fmt.Errorf("the output %s is a symbolic link that cannot be followed", t.name)
		}
		if !filepath.IsAbs(to) {
			// Not cleaned: ".." behind a link to a folder means that folder's parent.
			to = filepath.Dir(t.path) + string(filepath.Separator) + to
		}
		t.path = to
	}
	info, err := o.Fs.Stat(t.path)
	switch {
	case err != nil:
		return t, nil
	case !info.Mode().IsRegular():
		return t, fmt.Errorf("the output %s is there and is no ordinary file; choose another name, or - for standard output", t.name)
	}
	t.info = info
	return t, nil
}

// device says whether a path is among the devices and processes of a Unix system. Files in its memory are none.
func device(path string) bool {
	path = filepath.ToSlash(filepath.Clean(path))
	return (strings.HasPrefix(path, "/dev/") || strings.HasPrefix(path, "/proc/")) && !strings.HasPrefix(path, "/dev/shm/")
}

// folder is where temporary files are made: beside the target, where there is room for what is to be merged and from
// where a file can be renamed to it, or in the folder for such.
func (o MergeOptions) folder(t target) string {
	switch {
	case t.path != "":
		return filepath.Dir(t.path)
	case o.TempDir != "":
		return o.TempDir
	}
	return os.TempDir()
}

// tempFile is a file that must not be left behind.
type tempFile struct {
	afero.File
	fs   afero.Fs
	path string // "" once nothing is there under its name
}

// aside makes a file that has no name, where the system knows such: a process that is killed leaves nothing. Where it
// does not, the next run removes what was left.
func (o MergeOptions) aside(t target, what string) (*tempFile, error) {
	for i := 1; ; i++ {
		path := filepath.Join(o.folder(t), ".syncctl-merge."+what+"."+strconv.Itoa(i)+".tmp")
		f, err := claim(o.Fs, path, 0o600)
		switch {
		case err == nil:
			if o.Fs.Remove(path) == nil {
				path = ""
			}
			return &tempFile{f, o.Fs, path}, nil
		case i == 10000 || !errors.Is(err, errHeld) && !errors.Is(err, os.ErrPermission):
			return nil, onOneLine{err}
		}
		// Another run's, or another person's.
		if _, there := o.Fs.Stat(path); there != nil {
			return nil, onOneLine{err}
		}
	}
}

// part makes the file that becomes the target. Its name is always the same, so that no more than one can be left by
// processes that are killed, and the next run takes its place.
func (o MergeOptions) part(t target) (*tempFile, error) {
	base := filepath.Base(t.path)
	if len(base) > 100 { // most systems allow 255 bytes
		h := fnv.New64a()
		h.Write([]byte(base))
		base = "merge-" + strconv.FormatUint(h.Sum64(), 16)
	}
	path := filepath.Join(filepath.Dir(t.path), "."+base+".syncctl-part")
	mode := os.FileMode(0o666) // less what the process's umask takes
	if t.info != nil {
		mode = 0o600
	}
	f, err := claim(o.Fs, path, mode)
	switch {
	case errors.Is(err, errHeld):
		return nil, fmt.Errorf("another merge is writing %s at this moment (it holds %s); wait for its end, or choose another name", t.name, schema.SanitizeLine(path))
	case err != nil:
		return nil, fmt.Errorf("creating a temporary file for %s: %w", t.name, onOneLine{err})
	}
	return &tempFile{f, o.Fs, path}, nil
}

// discard closes the file and removes it.
func (f *tempFile) discard() error {
	var errs []error
	if f.File != nil {
		errs = append(errs, f.Close())
	}
	if f.path != "" {
		errs = append(errs, f.fs.Remove(f.path))
	}
	return errors.Join(errs...)
}

// errHeld says that a running process has a temporary file.
var errHeld = errors.New("the temporary file is in use")

// claim makes a new file at path and holds it until it is closed. What is there already is removed if no process holds
// it; otherwise the error is errHeld.
func claim(fs afero.Fs, path string, mode os.FileMode) (afero.File, error) {
	for range 100 {
		f, err := fs.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, mode)
		if err == nil {
			if err := hold(f); err == nil && isAt(fs, f, path) {
				return f, nil
			}
			f.Close() // somebody looked at it before it was held: see who has it now
			continue
		}
		if !errors.Is(err, os.ErrExist) {
			return nil, err
		}
		if err := removeStale(fs, path); err != nil {
			return nil, err
		}
	}
	return nil, errHeld
}

// removeStale removes a file that no process holds.
func removeStale(fs afero.Fs, path string) error {
	f, err := fs.OpenFile(path, os.O_RDONLY, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is in the way: it is no ordinary file", path)
	}
	if err == nil {
		err = hold(f)
	}
	if err != nil || !isAt(fs, f, path) {
		return err // not there any more: it has become the target
	}
	if !removesOpen {
		f.Close() // the system itself refuses to remove what a process has open
	}
	if err := fs.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		if !removesOpen {
			return errHeld
		}
		return err
	}
	return nil
}

// isAt says whether the open file is still the one at path. A file system that cannot tell has no other processes.
func isAt(fs afero.Fs, f afero.File, path string) bool {
	if _, real := f.(interface{ Fd() uintptr }); !real {
		return true
	}
	a, errA := f.Stat()
	b, errB := fs.Stat(path)
	return errA == nil && errB == nil && os.SameFile(a, b)
}
