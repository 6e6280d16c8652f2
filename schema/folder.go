package schema

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/spf13/afero"
)

// MostOfFile is the maximum size, in bytes, of a file that file() reads.
const MostOfFile = 16 << 20

// ErrOutside is the error for a file that a configuration may not read because it is outside of its folder.
var ErrOutside = errors.New("it is outside of the configuration's folder")

// Folder reads the files that a configuration names. They must be in its folder, after symbolic links are resolved, or
// permitted by Access; and they must be regular files of a bounded size.
type Folder struct {
	Fs     afero.Fs
	Dir    string
	Access Access

	real string // Dir without links, if it is known
}

// Read reads a file. A relative path is relative to the folder.
func (f Folder) Read(r Reading) ([]byte, error) {
	written := r.Path
	path := written
	if !filepath.IsAbs(path) {
		path = filepath.Join(f.dir(), ".") + string(filepath.Separator) + path
	}
	var real string
	var err error
	known := f.real != "" && r.listed != nil && r.listed.Mode().IsRegular()
	if known {
		real = f.real + string(filepath.Separator) + written
	} else {
		real, err = f.resolve(f.absolute(Locate(f.Fs, path)))
	}
	if outside := f.permit(r, real, filepath.IsAbs(written)); outside != nil {
		return nil, fmt.Errorf("reading %s: %w", written, outside)
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", shownPath(path), err)
	}
	before := r.listed
	if !known {
		before, err = f.Fs.Stat(real)
	}
	var text []byte
	if err == nil {
		text, err = f.readRegular(real, before, r.Most)
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", shownPath(path), err)
	}
	return text, nil
}

func shownPath(path string) string { return filepath.Clean(path) }

// Check returns an error if a file may not be read, or may not be created where it is missing.
func (f Folder) Check(r Reading) error {
	path := r.Path
	if !filepath.IsAbs(path) {
		path = filepath.Join(f.dir(), ".") + string(filepath.Separator) + path
	}
	real, err := f.resolve(f.absolute(Locate(f.Fs, path)))
	if outside := f.permit(r, real, filepath.IsAbs(r.Path)); outside != nil {
		return outside
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Exists reports whether a regular file exists, if the configuration may know that.
func (f Folder) Exists(r Reading) (bool, error) {
	if err := f.Check(r); err != nil {
		return false, fmt.Errorf("looking for %s: %w", r.Path, err)
	}
	path := r.Path
	if !filepath.IsAbs(path) {
		path = filepath.Join(f.dir(), ".") + string(filepath.Separator) + path
	}
	real, err := f.resolve(f.absolute(Locate(f.Fs, path)))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("looking for %s: %w", r.Path, err)
	}
	info, err := f.Fs.Stat(real)
	if err != nil || !info.Mode().IsRegular() {
		return false, fmt.Errorf("looking for %s: it is not a regular file", r.Path)
	}
	return true, nil
}

func (f Folder) dir() string {
	if f.Dir == "" {
		return "."
	}
	return f.Dir
}

// permit decides on a path without links.
func (f Folder) permit(r Reading, path string, whole bool) error {
	for _, system := range []string{"/proc/", "/sys/"} {
		if strings.HasPrefix(path, system) {
			return fmt.Errorf("it is a file of the system, under %s", system)
		}
	}
	if rel, in := f.within(path); in {
		if part := f.apart(path, rel); part != "" {
			return fmt.Errorf("it is in %s, which is not a part of a configuration", part)
		}
		return nil
	}
	if f.Access.ReadFile != nil {
		r.Path = path
		return f.Access.ReadFile(r)
	}
	switch {
	case r.Whole && whole:
		return nil
	case r.Whole:
		return fmt.Errorf("%w: write its whole path, or copy it there", ErrOutside)
	}
	return fmt.Errorf("%w, where it or a link leads: copy it there, or give its text through a variable", ErrOutside)
}

// foreignFolders are the folders beside a configuration: of its runs, and of version control, where credentials may be
// with which the files were fetched.
var foreignFolders = []string{".syncctl", ".git", ".hg", ".svn"}

// Apart reports whether what has this name in the folder of a configuration is not a part of it, such as .git.
func Apart(name string) bool {
	return slices.ContainsFunc(foreignFolders, func(one string) bool { return strings.EqualFold(name, one) })
}

// apart returns the part of a path in the folder that is not a part of a configuration, or "". rel is the path from the
// folder on.
func (f Folder) apart(path, rel string) string {
	for range strings.Count(filepath.ToSlash(rel), "/") + 1 {
		if name := filepath.Base(path); Apart(name) || f.alias(path) {
			return name
		}
		path = filepath.Dir(path)
	}
	return ""
}

// alias reports whether a path is another name of a folder such as .git beside it: git~1 or ".git." on Windows, or .git
// with characters that a file system ignores.
func (f Folder) alias(path string) bool {
	dir, name := filepath.Split(path)
	odd := func(r rune) bool { return r == '~' || r == ':' || r > unicode.MaxASCII }
	if !strings.ContainsFunc(name, odd) && strings.TrimRight(name, ". ") == name {
		return false
	}
	info, err := f.Fs.Stat(path)
	return err == nil && slices.ContainsFunc(foreignFolders, func(one string) bool {
		other, err := f.Fs.Stat(dir + one)
		return err == nil && os.SameFile(info, other)
	})
}

// inside reports whether a path without links is in the folder.
func (f Folder) inside(path string) bool {
	_, in := f.within(path)
	return in
}

// within returns a path without links as one relative to the folder, if it is in it. If the file system can compare
// folders, their names do not matter, as these may be spelled in several ways.
func (f Folder) within(path string) (string, bool) {
	dir := f.realDir()
	if rel, err := filepath.Rel(dir, path); err == nil && filepath.IsLocal(rel) {
		return rel, true
	}
	home, err := f.Fs.Stat(f.dir())
	if err != nil {
		return "", false
	}
	for at := filepath.Dir(path); ; at = filepath.Dir(at) {
		if info, err := f.Fs.Stat(at); err == nil && os.SameFile(info, home) {
			rel, err := filepath.Rel(at, path)
			return rel, err == nil
		}
		if at == filepath.Dir(at) {
			return "", false
		}
	}
}

// realDir returns the folder without links.
func (f Folder) realDir() string {
	if f.real != "" {
		return f.real
	}
	dir, _ := f.resolve(f.absolute(f.dir())) // if it is missing, so is what is in it
	return dir
}

// absolute makes a name absolute if the file system supports that. It cleans nothing: .. after a link means the parent
// of the folder that the link leads to.
func (f Folder) absolute(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	base := ""
	if known, ok := f.Fs.(interface{ Absolute(name string) string }); ok {
		base = known.Absolute(".")
	} else if _, system := f.Fs.(*afero.OsFs); system {
		base, _ = filepath.Abs(".")
	}
	if base == "" {
		return name
	}
	return base + string(filepath.Separator) + name
}

// maxLinks is the maximum number of links in one path.
const maxLinks = 100

// resolve follows the links in a path. If a part is missing, it returns an error together with the path, resolved as
// far as possible.
func (f Folder) resolve(path string) (string, error) {
	if f.real != "" && filepath.Clean(f.dir()) == f.dir() { // most files are in it: the way there is followed once
		if rest, in := strings.CutPrefix(path, f.absolute(f.dir())+string(filepath.Separator)); in {
			path = f.real + string(filepath.Separator) + rest
			if isPart(rest) {
				if link, err := f.link(path); err == nil && link == "" {
					return path, nil
				}
			}
		}
	}
	real, _, err := f.follow(path)
	return real, err
}

// isPart reports whether a path is one name. Nothing else tells where a path with several parts leads: .. after a link
// means the parent of where the link leads.
func isPart(path string) bool {
	return path != "" && path != "." && path != ".." && !strings.ContainsRune(path, '/') &&
		!strings.ContainsRune(path, filepath.Separator)
}

// follow is like resolve, and also reports whether one of the links has an absolute path.
func (f Folder) follow(path string) (real string, whole bool, err error) {
	volume := filepath.VolumeName(path)
	at, rest := splitRoot(path)
	var missing error
	for links := 0; len(rest) > 0; {
		part := rest[0]
		rest = rest[1:]
		switch part {
		case "", ".":
			continue
		case "..":
			at = filepath.Join(at, "..")
			continue
		}
		next := filepath.Join(at, part)
		link, err := f.link(next)
		switch {
		case err != nil:
			if missing == nil {
				missing = err
			}
			at = next
		case link == "":
			at = next
		default:
			if links++; links > maxLinks {
				return next, whole, errors.New("it leads through too many links")
			}
			root, parts := splitRoot(link)
			if filepath.IsAbs(link) {
				at, whole = root, true
			} else if root != "" { // on Windows: the same volume
				at = volume + root
			}
			rest = append(parts, rest...)
		}
	}
	return at, whole, missing
}

// splitRoot splits a path into its root, "" if it is relative, and its parts.
func splitRoot(path string) (string, []string) {
	volume := filepath.VolumeName(path)
	rest := filepath.ToSlash(path[len(volume):])
	if strings.HasPrefix(rest, "/") {
		volume += string(filepath.Separator)
	}
	return volume, strings.Split(rest, "/")
}

// link returns where a link leads, or "" if name is not a link.
func (f Folder) link(name string) (string, error) {
	lister, ok := f.Fs.(afero.Lstater)
	if !ok {
		_, err := f.Fs.Stat(name)
		return "", err
	}
	info, _, err := lister.LstatIfPossible(name)
	if err != nil {
		return "", err
	}
	if info.Mode()&(fs.ModeSymlink|fs.ModeIrregular) == 0 { // junctions on Windows are irregular
		return "", nil
	}
	reader, ok := f.Fs.(afero.LinkReader)
	if !ok {
		return "", errors.New("it is a link that cannot be followed")
	}
	return reader.ReadlinkIfPossible(name)
}

// readRegular reads a regular file whose name has no links. It checks the opened file again, because the name may
// refer to another file than before by then.
func (f Folder) readRegular(name string, before fs.FileInfo, most int64) ([]byte, error) {
	if !before.Mode().IsRegular() { // opening a device may do something
		return nil, errors.New("it is not a regular file")
	}
	file, err := f.open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close() // nothing was written
	info, err := file.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, errors.New("it is not a regular file")
	case info.Sys() != nil && before.Sys() != nil && !os.SameFile(before, info):
		return nil, errors.New("it was exchanged while it was read")
	}
	return bounded(file, most, info.Size())
}

// open opens a file whose name has no links. If the file system can, it follows no link out of the folder that was put
// on the way to a file of the folder meanwhile. No folder is on the way to a file right in it, and openFlags follow no
// link in its place.
func (f Folder) open(name string) (afero.File, error) {
	dir, flag := f.realDir(), os.O_RDONLY|openFlags
	within, ok := f.Fs.(interface {
		OpenWithin(dir, name string, flag int) (afero.File, error)
	})
	rel, err := filepath.Rel(dir, name)
	if ok && err == nil && filepath.IsLocal(rel) && (openFlags == 0 || !isPart(rel)) {
		return within.OpenWithin(dir, rel, flag)
	}
	return f.Fs.OpenFile(name, flag, 0)
}

// ReadNamed reads a file that the command line names, and whose text may be shown. Under a policy, it must not be a
// link that leads out of its folder, because the author of the configuration may have made the link.
func ReadNamed(fsys afero.Fs, access Access, r Reading) ([]byte, error) {
	if access.ReadFile == nil || strings.HasPrefix(r.Path, "/dev/") { // such as a pipe
		return ReadBounded(fsys, r.Path, r.Most)
	}
	folder := Folder{Fs: fsys, Dir: filepath.Dir(r.Path), Access: access}
	r.Path = filepath.Base(r.Path)
	return folder.Read(r)
}

// ReadBounded reads a file of any kind that the person has named, up to a maximum size.
func ReadBounded(fsys afero.Fs, name string, most int64) ([]byte, error) {
	file, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close() // nothing was written
	usual := int64(0)
	if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
		usual = info.Size()
	}
	return bounded(file, most, usual)
}

// bounded reads everything up to a maximum size. usual is the expected size.
func bounded(r io.Reader, most, usual int64) ([]byte, error) {
	tooLarge := fmt.Errorf("it is larger than %d MiB", most>>20)
	if usual > most {
		return nil, tooLarge // so that nothing is made for what is not taken
	}
	var text bytes.Buffer
	text.Grow(int(max(0, usual)) + bytes.MinRead)
	_, err := text.ReadFrom(io.LimitReader(r, most+1))
	if err == nil && int64(text.Len()) > most {
		return nil, tooLarge
	}
	return text.Bytes(), err
}
