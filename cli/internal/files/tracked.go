package files

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/spf13/afero"
)

// maxIndex is the most that is read of git's index, in bytes: that of a repository of about a million files.
const maxIndex = 128 << 20

// Tracked names a file below a folder that git tracks; "" if there is none. It reads the index of the repository that
// the folder is in and runs no program, for a repository's configuration can name some. In an index of version 4,
// which git does not write unless told to, paths are shortened and may be overlooked.
func Tracked(fsys afero.Fs, folder string) (string, error) {
	for dir := filepath.Dir(folder); ; dir = filepath.Dir(dir) {
		name := filepath.Join(dir, ".git", "index")
		info, err := fsys.Stat(name)
		switch {
		case err == nil && info.Mode().IsRegular():
			return trackedIn(fsys, name, dir, folder)
		case err != nil && !errors.Is(err, fs.ErrNotExist) && !notFolder(err):
			return "", fmt.Errorf("looking for git's index: %w", err)
		}
		if dir == filepath.Dir(dir) {
			return "", nil
		}
	}
}

func trackedIn(fsys afero.Fs, index, root, folder string) (string, error) {
	info, err := fsys.Stat(index)
	if err == nil && info.Size() > maxIndex {
		return "", nil
	}
	content, err := afero.ReadFile(fsys, index)
	if err != nil {
		return "", fmt.Errorf("reading git's index: %w", err)
	}
	rel, err := filepath.Rel(root, folder)
	if err != nil {
		return "", err
	}
	prefix := append([]byte(filepath.ToSlash(rel)), '/')
	for rest := content; ; {
		at := bytes.Index(rest, prefix)
		if at < 0 {
			return "", nil
		}
		// A path follows two bytes of flags, and ends with a zero.
		path, _, found := bytes.Cut(rest[at:], []byte{0})
		if found && at >= 2 && int(rest[at-2]&0x0f)<<8|int(rest[at-1]) == len(path) {
			return filepath.Join(root, filepath.FromSlash(string(path))), nil
		}
		rest = rest[at+len(prefix):]
	}
}

// notFolder tells whether what should be a folder is something else, such as .git in a worktree.
func notFolder(err error) bool {
	var path *fs.PathError
	return errors.As(err, &path) && path.Err.Error() == "not a directory"
}
