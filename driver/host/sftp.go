package host

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path"
	"strings"
	"syscall"
	"time"

	"github.com/pkg/sftp"
	"github.com/spf13/afero"
)

// sftpFs are the files of a machine over SFTP, as afero's own file systems behave: permissions are those that are asked for
// less what the machine's umask takes away, an existing file keeps its own, and Rename replaces a file in one step or not at
// all.
type sftpFs struct {
	name   string
	client func() (*sftp.Client, error)
	lost   func(*sftp.Client) // called when a client's connection broke: it is of no more use; nil: nothing
	noSync func()             // called when something was to be on disk and the machine cannot be told so; nil: nothing
}

var (
	_ afero.Fs        = (*sftpFs)(nil)
	_ afero.Symlinker = (*sftpFs)(nil)
)

// Name of the file system.
func (f *sftpFs) Name() string { return "sftp " + f.name }

// do gets the client and says of an error what was being done to which file.
func (f *sftpFs) do(op, name string, act func(*sftp.Client) error) error {
	if !path.IsAbs(name) {
		return &fs.PathError{Op: op, Path: name, Err: fmt.Errorf("%w: names of files on another machine begin with /", fs.ErrInvalid)}
	}
	c, err := f.client()
	if err == nil {
		err = f.explain(c, act(c))
	}
	return f.about(op, name, err)
}

func (f *sftpFs) about(op, name string, err error) error {
	var said *fs.PathError
	if err == nil || errors.As(err, &said) {
		return err
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}

const reachingFiles = "reaching its files"

// What the protocol has no status for, as os says it.
var (
	errIsDir    = &inWords{syscall.EISDIR.Error(), syscall.EISDIR}
	errNotDir   = &inWords{syscall.ENOTDIR.Error(), syscall.ENOTDIR}
	errNotEmpty = &inWords{syscall.ENOTEMPTY.Error(), syscall.ENOTEMPTY}
)

// explain says what the library's error means. What is not the machine's answer is the connection's end.
func (f *sftpFs) explain(c *sftp.Client, err error) error {
	var e *Error
	var own *inWords
	var said *fs.PathError
	var status *sftp.StatusError
	switch {
	case err == nil, errors.As(err, &e), errors.As(err, &own):
		return err
	case errors.As(err, &status):
		return answered(status)
	case errors.As(err, &said) && said.Err != nil:
		return &fs.PathError{Op: said.Op, Path: said.Path, Err: f.explain(c, said.Err)}
	}
	for _, known := range []error{fs.ErrNotExist, fs.ErrExist, fs.ErrPermission, fs.ErrClosed, fs.ErrInvalid, errors.ErrUnsupported} {
		if errors.Is(err, known) {
			return err
		}
	}
	if f.lost != nil {
		f.lost(c)
	}
	return &Error{
		Host: f.name, Doing: reachingFiles, Started: StartedMaybe, cause: ErrBroken,
		Message: fmt.Sprintf("%v before it had answered: whether it did what was asked is not known (%s)", ErrBroken, foreign(err)),
	}
}

// answered gives a status of the machine as the error that callers look for. What version 3 of SFTP has no status for, such as
// a full disk, comes as a bare failure.
func answered(s *sftp.StatusError) error {
	switch s.FxCode() {
	case sftp.ErrSSHFxNoSuchFile:
		return fs.ErrNotExist
	case sftp.ErrSSHFxPermissionDenied:
		return fs.ErrPermission
	case sftp.ErrSSHFxOpUnsupported:
		return fmt.Errorf("%w by the machine's SFTP", errors.ErrUnsupported)
	}
	if s.Error() == `sftp: "Failure" (SSH_FX_FAILURE)` {
		return &inWords{"the machine says no more than that it failed; a full disk looks like this too", s}
	}
	return &inWords{"the machine answered " + foreign(s), s}
}

// failed tells the bare failure, whose reason has to be found out.
func failed(err error) bool {
	var s *sftp.StatusError
	return errors.As(err, &s)
}

// Open opens a file or a directory for reading.
func (f *sftpFs) Open(name string) (afero.File, error) { return f.OpenFile(name, os.O_RDONLY, 0) }

// Create makes a file, or empties the one that is there.
func (f *sftpFs) Create(name string) (afero.File, error) {
	return f.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o666)
}

// OpenFile opens a file as os.OpenFile does.
func (f *sftpFs) OpenFile(name string, flag int, perm os.FileMode) (afero.File, error) {
	var file afero.File
	err := f.do("open", name, func(c *sftp.Client) (err error) {
		file, err = f.open(c, name, flag, perm)
		return err
	})
	if err != nil {
		return nil, err // not file: an interface that holds a nil pointer is none
	}
	return file, nil
}

func (f *sftpFs) open(c *sftp.Client, name string, flag int, perm os.FileMode) (afero.File, error) {
	if flag&os.O_SYNC != 0 {
		return nil, fmt.Errorf("%w: O_SYNC; Sync does that", errors.ErrUnsupported)
	}
	if flag&(os.O_WRONLY|os.O_RDWR|os.O_CREATE|os.O_TRUNC) == 0 {
		info, err := c.Stat(name)
		if err != nil {
			return nil, err
		}
		switch {
		case info.IsDir():
			return &sftpDir{fs: f, name: name}, nil
		case info.Mode()&(fs.ModeNamedPipe|fs.ModeSocket) != 0: // sshd would wait for its other end, and with it all other files
			return nil, fmt.Errorf("%w: it is no file", fs.ErrInvalid)
		}
	}
	file, made, err := f.openOrMake(c, name, flag)
	if err != nil {
		return nil, err
	}
	if made {
		err = settle(perm, file.Stat, file.Chmod)
	}
	out := &sftpFile{fs: f, client: c, file: file, name: name, appends: flag&os.O_APPEND != 0}
	if err != nil {
		out.Close()
		return nil, err
	}
	return out, nil
}

// openOrMake tells whether the file was made: only then do its permissions follow from what was asked. The protocol has no
// word for that, so that it is tried exclusively first.
func (f *sftpFs) openOrMake(c *sftp.Client, name string, flag int) (file *sftp.File, made bool, err error) {
	if flag&os.O_CREATE == 0 {
		file, err = c.OpenFile(name, flag)
		return file, false, f.whyNot(c, name, err)
	}
	file, err = c.OpenFile(name, flag|os.O_EXCL)
	switch {
	case err == nil:
		return file, true, nil
	case flag&os.O_EXCL != 0:
		if _, there := c.Lstat(name); failed(err) && there == nil {
			err = fs.ErrExist
		}
		return nil, false, err
	case errors.Is(err, fs.ErrNotExist): // the directory that it would stand in
		return nil, false, err
	}
	if file, err = c.OpenFile(name, flag&^os.O_CREATE); errors.Is(err, fs.ErrNotExist) {
		file, err = c.OpenFile(name, flag) // a symbolic link to what is not there
		made = true
	}
	return file, made, f.whyNot(c, name, err)
}

// whyNot finds out why a file cannot be opened.
func (f *sftpFs) whyNot(c *sftp.Client, name string, err error) error {
	if !failed(err) {
		return err
	}
	if info, e := c.Stat(name); e == nil && info.IsDir() {
		return errIsDir
	}
	return err
}

// settle gives what was just made the permissions that os would give: those asked for less the machine's umask. The machine made
// it with the most that there is, less its umask, but never makes a file executable: that stands wherever reading does.
func settle(perm os.FileMode, stat func() (os.FileInfo, error), chmod func(os.FileMode) error) error {
	info, err := stat()
	if err != nil {
		return err
	}
	has := info.Mode().Perm()
	if want := perm.Perm() & (has | has&0o444>>2); want != has {
		return chmod(want)
	}
	return nil
}

// Mkdir makes a directory.
func (f *sftpFs) Mkdir(name string, perm os.FileMode) error {
	return f.do("mkdir", name, func(c *sftp.Client) error {
		if err := c.Mkdir(name); err != nil {
			if _, there := c.Lstat(name); failed(err) && there == nil {
				return fs.ErrExist
			}
			return err
		}
		return settle(perm, func() (os.FileInfo, error) { return c.Lstat(name) }, func(m os.FileMode) error { return c.Chmod(name, m) })
	})
}

// MkdirAll makes a directory and those that it stands in.
func (f *sftpFs) MkdirAll(name string, perm os.FileMode) error {
	info, err := f.Stat(name)
	switch {
	case err == nil && info.IsDir():
		return nil
	case err == nil:
		return f.about("mkdir", name, errNotDir)
	case !errors.Is(err, fs.ErrNotExist) && !failed(err): // a file on the way is the one or the other
		return err
	}
	clean := path.Clean(name)
	if parent := path.Dir(clean); parent != clean {
		if err := f.MkdirAll(parent, perm); err != nil {
			return err
		}
	}
	err = f.Mkdir(clean, perm)
	if info, e := f.Stat(name); errors.Is(err, fs.ErrExist) && e == nil && info.IsDir() {
		return nil // someone else was faster
	}
	return err
}

// Remove removes a file, a symbolic link, or an empty directory.
func (f *sftpFs) Remove(name string) error {
	return f.do("remove", name, func(c *sftp.Client) error {
		info, err := c.Lstat(name)
		if err != nil {
			return err
		}
		if !info.IsDir() {
			return c.Remove(name)
		}
		err = c.RemoveDirectory(name)
		if inside, e := c.ReadDir(name); err != nil && e == nil && len(inside) > 0 {
			return errNotEmpty
		}
		return err
	})
}

// RemoveAll removes a file or a directory with all that is in it. What a symbolic link leads to stays.
func (f *sftpFs) RemoveAll(name string) error {
	if clean := path.Clean(name); clean == "/" || strings.HasSuffix(name, "/.") {
		return f.about("removeall", name, fs.ErrInvalid)
	}
	return f.do("removeall", name, func(c *sftp.Client) error { return f.removeAll(c, name) })
}

func (f *sftpFs) removeAll(c *sftp.Client, name string) error {
	info, err := c.Lstat(name)
	if err == nil && info.IsDir() {
		var inside []os.FileInfo
		inside, err = c.ReadDir(name)
		for _, entry := range inside {
			if err == nil && path.Join("/", entry.Name()) == "/" {
				err = fmt.Errorf("%w: the machine lists an entry called %q", fs.ErrInvalid, entry.Name()) // "..": it would lead out
			} else if err == nil {
				err = f.removeAll(c, path.Join(name, entry.Name()))
			}
		}
		if err == nil {
			err = c.RemoveDirectory(name)
		}
	} else if err == nil {
		err = c.Remove(name)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil // also where someone else was faster
	}
	return f.about("removeall", name, f.explain(c, err))
}

// Rename gives a file another name, and replaces the one that has it, in one step. A machine that cannot do that refuses where
// there is one.
func (f *sftpFs) Rename(oldname, newname string) error {
	if !path.IsAbs(newname) {
		return f.do("rename", newname, nil)
	}
	err := f.do("rename", oldname, func(c *sftp.Client) error {
		if _, ok := c.HasExtension("posix-rename@openssh.com"); ok {
			err := c.PosixRename(oldname, newname)
			if info, e := c.Lstat(newname); failed(err) && e == nil && info.IsDir() {
				return fmt.Errorf("%w: %s is a directory", fs.ErrExist, newname)
			}
			return err
		}
		if _, err := c.Lstat(newname); err == nil {
			return fmt.Errorf("%w: %s, and the machine cannot replace a file in one step (no posix-rename@openssh.com)", fs.ErrExist, newname)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return c.Rename(oldname, newname)
	})
	var said *fs.PathError
	if errors.As(err, &said) {
		return &os.LinkError{Op: said.Op, Old: oldname, New: newname, Err: said.Err}
	}
	return err
}

// Stat tells about a file, through symbolic links.
func (f *sftpFs) Stat(name string) (info os.FileInfo, err error) {
	err = f.do("stat", name, func(c *sftp.Client) (err error) {
		info, err = c.Stat(name)
		return err
	})
	return info, err
}

// LstatIfPossible tells about a file or a symbolic link itself.
func (f *sftpFs) LstatIfPossible(name string) (info os.FileInfo, lstat bool, err error) {
	err = f.do("lstat", name, func(c *sftp.Client) (err error) {
		info, err = c.Lstat(name)
		return err
	})
	return info, true, err
}

// SymlinkIfPossible makes newname lead to oldname.
func (f *sftpFs) SymlinkIfPossible(oldname, newname string) error {
	return f.do("symlink", newname, func(c *sftp.Client) error {
		err := c.Symlink(oldname, newname)
		if _, there := c.Lstat(newname); failed(err) && there == nil {
			return fs.ErrExist
		}
		return err
	})
}

// ReadlinkIfPossible tells where a symbolic link leads.
func (f *sftpFs) ReadlinkIfPossible(name string) (to string, err error) {
	err = f.do("readlink", name, func(c *sftp.Client) (err error) {
		to, err = c.ReadLink(name)
		return err
	})
	return to, err
}

// Chmod sets the permissions exactly.
func (f *sftpFs) Chmod(name string, mode os.FileMode) error {
	return f.do("chmod", name, func(c *sftp.Client) error { return c.Chmod(name, mode) })
}

// Chown sets the owner and the group by number; -1 leaves one as it is.
func (f *sftpFs) Chown(name string, uid, gid int) error {
	return f.do("chown", name, func(c *sftp.Client) error {
		if uid == -1 || gid == -1 {
			info, err := c.Stat(name)
			if err != nil {
				return err
			}
			now, ok := info.Sys().(*sftp.FileStat)
			if !ok {
				return fmt.Errorf("%w: the machine does not tell whose it is", errors.ErrUnsupported)
			}
			uid, gid = keep(uid, now.UID), keep(gid, now.GID)
		}
		return c.Chown(name, uid, gid)
	})
}

func keep(id int, now uint32) int {
	if id == -1 {
		return int(now)
	}
	return id
}

// Chtimes sets the times, to the second; a zero time leaves one as it is.
func (f *sftpFs) Chtimes(name string, atime, mtime time.Time) error {
	return f.do("chtimes", name, func(c *sftp.Client) error {
		if atime.IsZero() || mtime.IsZero() {
			info, err := c.Stat(name)
			if err != nil {
				return err
			}
			if mtime.IsZero() {
				mtime = info.ModTime()
			}
			if now, ok := info.Sys().(*sftp.FileStat); atime.IsZero() && ok {
				atime = now.AccessTime()
			} else if atime.IsZero() {
				atime = info.ModTime()
			}
		}
		for _, t := range []time.Time{atime, mtime} {
			if t.Unix() < 0 || t.Unix() > math.MaxUint32 {
				return fmt.Errorf("%w: SFTP knows the years 1970 to 2106", fs.ErrInvalid)
			}
		}
		return c.Chtimes(name, atime, mtime)
	})
}
