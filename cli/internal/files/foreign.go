package files

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/driver/host"
)

// errNotRegular says that something is neither a file nor a folder.
var errNotRegular = errors.New("it is not a regular file")

// Foreign returns a file system for files that somebody else may have put where they are, such as in a folder that
// several people share. It opens only regular files for reading, and does not block: a pipe would until somebody writes
// to it. Names in /dev and /proc are opened as they are, since the shell calls there what it has opened (/dev/stdin).
func Foreign(fsys afero.Fs) afero.Fs { return foreign{fsys} }

type foreign struct{ afero.Fs }

func (f foreign) Open(name string) (afero.File, error) {
	path := filepath.Clean(name)
	if strings.HasPrefix(path, "/dev/") || strings.HasPrefix(path, "/proc/") {
		return f.Fs.Open(name)
	}
	file, err := f.OpenFile(name, os.O_RDONLY|host.AtOnce, 0)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		err = fmt.Errorf("opening %s: %w", name, errNotRegular)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}
