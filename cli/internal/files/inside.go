package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Inside refuses a path that is named in a folder, and leads out of it by a link: whoever made the folder may have made
// the link. A path that is named elsewhere is not refused.
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

func local(dir, path string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(rel)
}

// Resolved is a path without links, as far as it is there.
func Resolved(path string) string {
	if at, err := filepath.EvalSymlinks(path); err == nil {
		return at
	}
	if dir := filepath.Dir(path); dir != path {
		return filepath.Join(Resolved(dir), filepath.Base(path))
	}
	return path
}
