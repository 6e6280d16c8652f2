package syncinfo

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/schema"
)

// target is the destination of the merged file.
type target struct {
	path string      // the file itself, after all symbolic links; "" for standard output
	name string      // for messages
	info os.FileInfo // of the existing file; nil if there is none
}

// resolve follows the symbolic links at Out, and refuses everything that cannot be replaced by a file.
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
		if isDevice(t.path) {
			return t, fmt.Errorf("the output %s leads to a device, not to a regular file; use -o - for standard output", t.name)
		}
		if err := host.Planted(o.Fs, t.path); err != nil {
			return t, onOneLine{err}
		}
		if !follows {
			break
		}
		info, _, err := links.LstatIfPossible(t.path)
		if err != nil || info.Mode()&os.ModeSymlink == 0 {
			break // the file is created; other problems of the path show then
		}
		to, err := links.ReadlinkIfPossible(t.path)
		if err != nil || n == 40 {
			return t, fmt.Errorf("the output %s is a symbolic link that cannot be followed", t.name)
		}
		if !filepath.IsAbs(to) {
			// Not cleaned: ".." after a link to a folder means that folder's parent.
			to = filepath.Dir(t.path) + string(filepath.Separator) + to
		}
		t.path = to
	}
	if info, err := o.Fs.Stat(t.path); err == nil {
		if !info.Mode().IsRegular() {
			return t, fmt.Errorf("the output %s exists and is not a regular file; choose another name, or - for standard "+
				"output", t.name)
		}
		t.info = info
	}
	return t, nil
}

// isDevice reports whether a path is among the devices and processes of a Unix system. Files in its shared memory are
// not.
func isDevice(path string) bool {
	path = filepath.ToSlash(filepath.Clean(path))
	return !strings.HasPrefix(path, "/dev/shm/") &&
		(strings.HasPrefix(path, "/dev/") || strings.HasPrefix(path, "/proc/"))
}

// tempFile is a file that must not be left behind.
type tempFile struct {
	afero.File
	fs   afero.Fs
	path string // "" once nothing has this name
}

// spool creates a file to keep a stream in, next to the target or in TempDir. If the system allows it, its name is
// removed right away, so that a killed process leaves nothing behind.
func (o MergeOptions) spool(t target) (*tempFile, error) {
	folder := o.TempDir
	if t.path != "" {
		folder = filepath.Dir(t.path)
	}
	f, err := afero.TempFile(o.Fs, folder, ".syncctl-merge-*.tmp")
	if err != nil {
		return nil, onOneLine{err}
	}
	path := f.Name()
	if o.Fs.Remove(path) == nil {
		path = ""
	}
	return &tempFile{f, o.Fs, path}, nil
}

// part creates the file that becomes the target. Its name is always the same, so a file that a killed process left is
// replaced. If two processes write the same target, the first one loses its file and fails.
func (o MergeOptions) part(t target) (*tempFile, error) {
	base := filepath.Base(t.path)
	base = base[:min(len(base), 100)] // most systems allow 255 bytes
	path := filepath.Join(filepath.Dir(t.path), "."+base+".syncctl-part")
	err := o.Fs.Remove(path)
	if err == nil || errors.Is(err, os.ErrNotExist) {
		var f afero.File
		if f, err = o.Fs.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600); err == nil {
			return &tempFile{f, o.Fs, path}, nil
		}
	}
	return nil, fmt.Errorf("creating a temporary file for %s: %w", t.name, onOneLine{err})
}

// isThere reports whether the name of the file still belongs to it. A file system that cannot tell is not shared with
// other processes.
func (f *tempFile) isThere() bool {
	if _, real := f.File.(interface{ Fd() uintptr }); !real {
		return true
	}
	a, errA := f.Stat()
	b, errB := f.fs.Stat(f.path)
	return errA == nil && errB == nil && os.SameFile(a, b)
}

// close closes the file. Further calls do nothing.
func (f *tempFile) close() error {
	if f.File == nil {
		return nil
	}
	err := f.Close()
	f.File = nil
	return err
}

// discard closes the file and removes it, unless its name belongs to another file by now.
func (f *tempFile) discard() error {
	own := f.path != "" && (f.File == nil || f.isThere())
	err := f.close()
	if own {
		err = errors.Join(err, f.fs.Remove(f.path))
	}
	return err
}
