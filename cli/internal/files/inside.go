package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Inside returns an error if path lies in dir by its name, but a link leads out of dir: whoever made the folder may
// have made the link. A path that lies elsewhere by its name is accepted.
func Inside(dir, path string) error {
	if !local(dir, path) {
		return nil
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if to, err := os.Readlink(path); err == nil {
			return fmt.Errorf("writing %s: it is a link to %s, which is missing", path, to)
		}
	}
	if at := Resolved(path); !local(Resolved(dir), at) {
		return fmt.Errorf("writing %s: a link there leads to %s, out of the folder %s: name that file, or remove the link",
			path, at, dir)
	}
	return nil
}

// Dangling returns the link on the way to a missing file that leads to nothing, such as to a disk that is not there, or
// "" if there is none and the file is just missing.
func Dangling(path string) string {
	for at := path; ; at = filepath.Dir(at) {
		if _, err := os.Stat(at); err == nil || at == filepath.Dir(at) {
			return ""
		}
		if _, err := os.Readlink(at); err == nil {
			return at
		}
	}
}

func local(dir, path string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(rel)
}

// Resolved returns path with its links resolved. The part that does not exist is kept as it is.
func Resolved(path string) string {
	if at, err := filepath.EvalSymlinks(path); err == nil {
		return at
	}
	if dir := filepath.Dir(path); dir != path {
		return filepath.Join(Resolved(dir), filepath.Base(path))
	}
	return path
}
