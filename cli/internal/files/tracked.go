package files

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/spf13/afero"
)

// maxIndex is the size limit of git's index, in bytes: enough for a repository of about a million files.
const maxIndex = 128 << 20

// Tracked returns a file below folder that git tracks, and its repository. file is "" if there is none. Case is
// ignored, since some file systems ignore it. A submodule counts as a file. Tracked reads the index of the repository
// that folder is in, and does not run git: a repository's configuration can name programs that git runs. It returns an
// error if the index cannot be read, since what git tracks is unknown then.
func Tracked(fsys afero.Fs, folder string) (file, repository string, err error) {
	for dir := filepath.Dir(folder); ; dir = filepath.Dir(dir) {
		index, err := indexOf(fsys, dir)
		if err != nil {
			return "", "", fmt.Errorf("looking for git's index: %w", err)
		}
		if index != "" {
			path, err := trackedIn(fsys, index, dir, folder)
			if err != nil {
				return "", "", fmt.Errorf("reading git's index %s: %w", index, err)
			}
			return path, dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", "", nil
		}
	}
}

// indexOf returns the path of the index of the repository at dir, or "" if dir is not the top of a repository. In a
// worktree and in a submodule, .git is a file that names the repository.
func indexOf(fsys afero.Fs, dir string) (string, error) {
	git := filepath.Join(dir, ".git")
	info, err := fsys.Stat(git)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil
	case err != nil:
		return "", err
	case info.IsDir():
		return filepath.Join(git, "index"), nil
	case !info.Mode().IsRegular() || info.Size() > 1<<12:
		return "", fmt.Errorf("%s is neither a folder nor a file that names one", git)
	}
	text, err := afero.ReadFile(fsys, git)
	if err != nil {
		return "", err
	}
	real, ok := strings.CutPrefix(strings.TrimSpace(string(text)), "gitdir: ")
	if !ok {
		return "", fmt.Errorf("%s does not say where the repository is", git)
	}
	if !filepath.IsAbs(real) {
		real = filepath.Join(dir, real)
	}
	return filepath.Join(real, "index"), nil
}

func trackedIn(fsys afero.Fs, index, root, folder string) (string, error) {
	info, err := fsys.Stat(index)
	switch {
	case errors.Is(err, fs.ErrNotExist): // nothing was added yet
		return "", nil
	case err != nil:
		return "", err
	case !info.Mode().IsRegular():
		return "", errors.New("it is not a regular file")
	case info.Size() > maxIndex:
		return "", fmt.Errorf("it is larger than %d MiB", maxIndex>>20)
	}
	content, err := afero.ReadFile(fsys, index)
	if err != nil {
		return "", err
	}
	rel, err := filepath.Rel(root, folder)
	if err != nil {
		return "", err
	}
	path, err := under(content, filepath.ToSlash(rel)+"/")
	if err != nil || path == "" {
		return "", err
	}
	return filepath.Join(root, filepath.FromSlash(path)), nil
}

var errIndex = errors.New("it is not an index of a form that is known here (gitformat-index, versions 2 to 4)")

// under returns the first path in an index that begins with prefix, or "" if there is none. The length of object IDs
// depends on the repository: under tries both and takes the one with which the whole index can be read.
func under(index []byte, prefix string) (string, error) {
	for _, id := range []int{20, 32} {
		if path, err := underWith(index, prefix, id); err == nil {
			return path, nil
		}
	}
	return "", errIndex
}

// underWith is under for one length of object IDs. It reads entries as documented in gitformat-index(5): 40 bytes of
// file system metadata, the object ID, flags, perhaps more flags, and the path.
func underWith(index []byte, prefix string, id int) (string, error) {
	if len(index) < 12 || string(index[:4]) != "DIRC" {
		return "", errIndex
	}
	version, count := binary.BigEndian.Uint32(index[4:]), binary.BigEndian.Uint32(index[8:])
	if version < 2 || version > 4 {
		return "", errIndex
	}
	found, path, rest := "", "", index[12:]
	for range count {
		fixed := 40 + id + 2
		if len(rest) < fixed+2 {
			return "", errIndex
		}
		flags := binary.BigEndian.Uint16(rest[fixed-2:])
		if flags&0x4000 != 0 { // extended, from version 3 on
			fixed += 2
		}
		text := rest[fixed:]
		kept := ""
		if version == 4 { // the path shares a prefix with the path of the previous entry
			cut, n := variable(text)
			if n == 0 || cut > len(path) {
				return "", errIndex
			}
			kept, text = path[:len(path)-cut], text[n:]
		}
		name, _, ended := bytes.Cut(text, []byte{0})
		path = kept + string(name)
		if length := int(flags & 0x0fff); !ended || length != min(len(path), 0x0fff) {
			return "", errIndex
		}
		used := len(rest) - len(text) + len(name) + 1
		if version < 4 { // padded with zeros to a multiple of eight
			used = (used + 7) / 8 * 8
		}
		if used > len(rest) {
			return "", errIndex
		}
		rest = rest[used:]
		if found == "" && within(path, prefix) {
			found = path
		}
	}
	if hasLink(rest) {
		return "", errIndex
	}
	return found, nil
}

// within reports whether path is below prefix, or is prefix: a submodule stands in an index as the folder itself. The
// same letter in another case may have another length.
func within(path, prefix string) bool {
	depth, end := strings.Count(prefix, "/"), 0
	for range depth {
		slash := strings.IndexByte(path[end:], '/')
		if slash < 0 {
			return strings.EqualFold(path+"/", prefix)
		}
		end += slash + 1
	}
	return strings.EqualFold(path[:end], prefix)
}

// hasLink reports whether an index is split: the link extension, after its entries, says that most of them are in
// another file.
func hasLink(rest []byte) bool {
	for len(rest) >= 8 {
		if string(rest[:4]) == "link" {
			return true
		}
		size := binary.BigEndian.Uint32(rest[4:])
		if uint64(size) > uint64(len(rest)-8) {
			return false
		}
		rest = rest[8+size:]
	}
	return false
}

// variable reads a number in git's offset encoding. n is the number of bytes it takes, or 0 if there is no number.
func variable(b []byte) (value, n int) {
	for n < len(b) && n < 4 {
		c := b[n]
		n++
		value |= int(c & 0x7f)
		if c&0x80 == 0 {
			return value, n
		}
		value = (value + 1) << 7
	}
	return 0, 0
}
