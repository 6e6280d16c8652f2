package host

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/pkg/sftp"
	"github.com/syncctl/syncctl/driver/wording"
)

// Replacement says which file gets which new content.
type Replacement struct {
	Name    string // the file; if it is a symbolic link, the file that it points to is replaced
	Content []byte
	Was     string      // expected SHA-256 of the current content, in hex; "" for no file. Otherwise ErrChanged
	Mode    fs.FileMode // of a new file; an existing one keeps its mode and owner
	Now     time.Time   // names the backup; in UTC, to the second
	Random  io.Reader   // for the name of the temporary file
}

// Replaced is the result of Replace.
type Replaced struct {
	Backup string // a copy of the old file, with its mode and owner, in the same folder; "" if there was no file
	// Maybe reports that the file may have the complete new content, or the old one. With an error, it is false only
	// if nothing was changed.
	Maybe bool
}

// ErrChanged says that a file has changed since it was read.
var ErrChanged = errors.New("it was changed by somebody else in the meantime")

// Sum returns the SHA-256 of a file's content, in hex.
func Sum(content []byte) string {
	s := sha256.Sum256(content)
	return hex.EncodeToString(s[:])
}

// Replace replaces the content of a file, completely or not at all. It copies the file to a backup next to it, writes
// and syncs the new content to a temporary file next to it, and renames that in one step. If the process is killed,
// the file has the old content or the new one. A backup may be left, and a temporary file, which the next Replace of
// the same file removes. The folder must exist.
func Replace(ctx context.Context, files Files, r Replacement) (Replaced, error) {
	p := &replacing{files: files, r: r}
	out, err := p.replace(ctx)
	if err != nil {
		return out, fmt.Errorf("replacing %s: %w", r.Name, err)
	}
	return out, nil
}

type replacing struct {
	files Files
	r     Replacement
	name  string      // the file after following links
	links []named     // those that were followed
	info  fs.FileInfo // info of the file to replace; nil if there is none
}

func (p *replacing) replace(ctx context.Context) (out Replaced, err error) {
	if p.name, p.links, err = resolve(p.files, p.r.Name); err != nil {
		return out, err
	}
	old, err := p.read()
	if err != nil {
		return out, err
	}
	p.clean()
	var made []string
	defer func() {
		if err != nil && !out.Maybe {
			for _, name := range made {
				err = errors.Join(err, gone(p.files.Remove(name)))
			}
			out.Backup = ""
		}
	}()
	if p.info != nil {
		if out.Backup, err = p.backup(old); err != nil {
			return out, fmt.Errorf("making a backup: %w", err)
		}
		made = append(made, out.Backup)
	}
	temp, err := p.write(p.r.Content)
	if err != nil {
		return out, err
	}
	made = append(made, temp)
	if _, err = p.read(); err != nil { // a change made in the meantime is not overwritten
		return out, err
	}
	if err := context.Cause(ctx); err != nil {
		return out, err
	}
	out.Maybe = true
	if err = p.files.Rename(temp, p.name); err != nil {
		// A machine that has not answered may still rename it, unless the temporary file is removed.
		if _, again := p.read(); again == nil && p.files.Remove(temp) == nil {
			out.Maybe = false
		}
		return out, fmt.Errorf("giving the new content its name: %w", err)
	}
	return out, nil
}

// read returns the content of the file, if it is as expected.
func (p *replacing) read() ([]byte, error) {
	info, err := p.files.Stat(p.name)
	if errors.Is(err, fs.ErrNotExist) {
		if p.r.Was != "" {
			return nil, fmt.Errorf("%w: it is gone", ErrChanged)
		}
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is not a regular file")
	}
	if p.r.Was == "" {
		return nil, fmt.Errorf("%w: it exists now", ErrChanged)
	}
	content, err := ReadFile(p.files, p.name, MaxFile)
	if err != nil {
		return nil, err
	}
	if Sum(content) != p.r.Was {
		return nil, ErrChanged
	}
	p.info = info
	return content, nil
}

func (p *replacing) there(name string) bool {
	_, err := p.files.Stat(name)
	return err == nil
}

func (p *replacing) temporary() string { return "." + base(p.name) + ".syncctl-" }

// clean removes the temporary files of killed processes. Another process that is replacing the file right now fails,
// without changing anything.
func (p *replacing) clean() {
	names, err := p.files.Names(folder(p.name))
	if err != nil {
		return // the error shows again when the new content is written
	}
	names = slices.DeleteFunc(names, func(n string) bool { return !strings.HasPrefix(n, p.temporary()) })
	for _, name := range names[:min(len(names), mostCleaned)] {
		_ = p.files.Remove(beside(p.name, name))
	}
}

// mostCleaned is the maximum number of temporary files that one Replace removes: a machine may list any number.
const mostCleaned = 100

// mostBackups is the maximum number of backups of one file in one second.
const mostBackups = 100

// backup copies the file. The name of the copy ends in .bak, so that no program takes it for the file.
func (p *replacing) backup(content []byte) (string, error) {
	stamp := p.r.Now.UTC().Format("20060102T150405Z")
	for i := range mostBackups {
		name := fmt.Sprintf("%s.%s.bak", p.name, stamp)
		if i > 0 {
			name = fmt.Sprintf("%s.%s-%d.bak", p.name, stamp, i+1)
		}
		if p.there(name) {
			continue
		}
		temp, err := p.write(content)
		if err != nil {
			return "", err
		}
		if err := p.files.Rename(temp, name); err != nil {
			return "", errors.Join(err, gone(p.files.Remove(temp)))
		}
		return name, nil
	}
	return "", fmt.Errorf("there are %d backups of this second already", mostBackups)
}

// write makes a temporary file with the mode and owner of the file to replace. It removes a file that it cannot
// complete.
func (p *replacing) write(content []byte) (name string, err error) {
	suffix := make([]byte, 8)
	if _, err := io.ReadFull(p.r.Random, suffix); err != nil {
		return "", fmt.Errorf("naming a temporary file: %w", err)
	}
	name = beside(p.name, p.temporary()+hex.EncodeToString(suffix))
	f, err := p.files.Create(name)
	if err != nil {
		return "", err
	}
	if err = p.trusts(f); err == nil {
		_, err = io.Copy(f, bytes.NewReader(content))
	}
	if err == nil {
		err = p.settle(f)
	}
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = p.kept(name, content)
	}
	if err != nil {
		return "", errors.Join(fmt.Errorf("writing %s: %w", name, err), gone(p.files.Remove(name)))
	}
	return name, nil
}

// kept checks that the name still belongs to a file like the one just written, and that the machine gives back what it
// was given: a backup is of no use otherwise. It cannot detect everything: a user who may change the folder may also
// replace the file in it.
func (p *replacing) kept(name string, content []byte) error {
	info, err := p.files.Lstat(name)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() || info.Size() != int64(len(content)) {
		return errors.New("another process has put something else in its place")
	}
	now, err := ReadFile(p.files, name, MaxFile)
	if err == nil && !bytes.Equal(now, content) {
		err = errors.New("it was read back, and the machine has kept something else than was written")
	}
	return err
}

// settle sets the owner and mode of an open file through its handle, because its name may belong to another file by
// now.
func (p *replacing) settle(f NewFile) error {
	mode := p.r.Mode.Perm()
	if p.info != nil {
		mode = p.info.Mode().Perm()
		if err := p.giveAway(f); err != nil {
			return err
		}
	}
	if err := f.Chmod(mode); err != nil {
		return fmt.Errorf("setting its mode: %w", err)
	}
	return p.obeyed(f, mode)
}

// obeyed checks that a new file has the mode and owner that it was given: some machines answer that all is well and do
// nothing, and the server would not be able to read its file.
func (p *replacing) obeyed(f NewFile, mode fs.FileMode) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	uid, gid, known := owner(info)
	switch {
	case !known:
		return nil
	case info.Mode().Perm() != mode:
		return fmt.Errorf("%w: it was to have the mode %v, and the machine gave it %v", fs.ErrPermission, mode,
			info.Mode().Perm())
	case p.info == nil:
		return nil
	}
	if u, g, ok := owner(p.info); ok && (u != uid || g != gid) {
		return fmt.Errorf("%w: it was to belong to user %d and group %d, and the machine gave it to %d and %d",
			fs.ErrPermission, u, g, uid, gid)
	}
	return nil
}

// named is a file or a link, and what the machine says of it.
type named struct {
	name string
	info fs.FileInfo
}

// trusts checks, by an empty new file, which is ours, that no other user has made the file to replace, or a link to it,
// in a folder where everybody may make files: the new content would be that user's, with the mode of that user's file.
func (p *replacing) trusts(f NewFile) error {
	way := p.links
	if p.info != nil {
		way = append(slices.Clone(way), named{p.name, p.info})
	}
	if len(way) == 0 {
		return nil
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	us, _, known := owner(info)
	for _, at := range way {
		if user, _, ok := owner(at.info); !known || !ok || user == us && at.info.Mode()&fs.ModeSymlink == 0 {
			continue
		}
		dir, err := p.files.Stat(folder(at.name))
		if err != nil {
			return err
		}
		if err := plantedIn(dir, at.name, at.info, us); err != nil {
			return err
		}
	}
	return nil
}

// giveAway gives a new file the owner and group of the file to replace, if the machine shows them.
func (p *replacing) giveAway(f NewFile) error {
	uid, gid, ok := owner(p.info)
	if !ok {
		return nil
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if u, g, ok := owner(info); !ok || u == uid && g == gid {
		return nil
	}
	if err := f.Chown(uid, gid); err != nil {
		return fmt.Errorf("the file belongs to user %d and group %d, and a new one cannot be given to them: %w", uid,
			gid, err)
	}
	return nil
}

func owner(info fs.FileInfo) (uid, gid int, ok bool) {
	if s, is := info.Sys().(*sftp.FileStat); is {
		return int(s.UID), int(s.GID), true
	}
	return localOwner(info)
}

// ForEverybody reports whether every user of the machine may read a file. It is false if files have no numeric owner.
func ForEverybody(info fs.FileInfo) bool {
	const othersRead = 0o004
	_, _, known := owner(info)
	return known && info.Mode().Perm()&othersRead != 0
}

const maxLinks = 40

// resolve follows symbolic links. A link to a missing file is an error: nothing shows that a file should be created
// there, and the creator of the link would choose the place.
func resolve(files Files, name string) (string, []named, error) {
	var links []named
	for range maxLinks {
		info, err := files.Lstat(name)
		switch {
		case errors.Is(err, fs.ErrNotExist) && len(links) > 0:
			return "", nil, fmt.Errorf("it is a link to %s, which is missing", name)
		case errors.Is(err, fs.ErrNotExist):
			return name, nil, nil
		case err != nil:
			return "", nil, err
		case info.Mode()&fs.ModeSymlink == 0:
			return name, links, nil
		}
		links = append(links, named{name, info})
		to, err := readlink(files, name)
		if err != nil {
			return "", nil, fmt.Errorf("following the link: %w", err)
		}
		if name, err = target(files, name, to); err != nil {
			return "", nil, err
		}
	}
	return "", nil, errCircle
}

// readlink returns where a link leads. Whoever made it chooses the name, which errors show: it must not write lines of
// its own there.
func readlink(files Files, name string) (string, error) {
	to, err := files.Readlink(name)
	breaks := func(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp) }
	if err == nil && strings.ContainsFunc(to, breaks) {
		err = about("readlink", name, &inWords{"it leads to a name with control characters: " + wording.Quote(to),
			fs.ErrInvalid})
	}
	return to, err
}

// target returns where a link leads. With .., that is above the folder to which a link on the way really leads. The
// last part is not followed.
func target(files Files, from, to string) (string, error) {
	switch {
	case path.IsAbs(from) && slices.Contains(parts(to), ".."):
		if !path.IsAbs(to) {
			to = path.Dir(from) + "/" + to
		}
		dir, last := path.Split(strings.TrimRight(to, "/"))
		real, err := Real(files, dir)
		return path.Join(real, last), err
	case filepath.IsAbs(to) || path.IsAbs(to):
		return to, nil
	}
	return beside(from, to), nil
}

// Names on another machine have slashes, whatever names on this machine have.

func folder(name string) string {
	if path.IsAbs(name) {
		return path.Dir(name)
	}
	return filepath.Dir(name)
}

func base(name string) string {
	if path.IsAbs(name) {
		return path.Base(name)
	}
	return filepath.Base(name)
}

func beside(name, other string) string {
	if path.IsAbs(name) {
		return path.Join(path.Dir(name), other)
	}
	return filepath.Join(filepath.Dir(name), other)
}

func join(folder, name string) string {
	if path.IsAbs(folder) {
		return path.Join(folder, name)
	}
	return filepath.Join(folder, name)
}

func gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
