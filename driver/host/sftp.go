package host

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"syscall"

	"github.com/pkg/sftp"
)

// sftpFiles are the files of a machine over SFTP.
type sftpFiles struct {
	name   string
	client func() (*sftp.Client, error)
	lost   func(*sftp.Client) // called when a client's connection broke: it is useless from then on; nil: nothing
	noSync func()             // called when a file was to be on disk and the machine has no command for it; nil: nothing
}

// do gets the client and adds to an error what was being done to which file.
func (f *sftpFiles) do(op, name string, act func(*sftp.Client) error) error {
	if !path.IsAbs(name) {
		return &fs.PathError{Op: op, Path: name, Err: fmt.Errorf("%w: names of files on another machine begin with /",
			fs.ErrInvalid)}
	}
	c, err := f.client()
	if err == nil {
		err = f.explain(c, act(c))
	}
	return about(op, name, err)
}

func about(op, name string, err error) error {
	var said *fs.PathError
	if err == nil || errors.As(err, &said) {
		return err
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}

const reachingFiles = "reaching its files"

// errIsDir is a folder in the place of a file. The protocol has no status for it.
var errIsDir = &inWords{syscall.EISDIR.Error(), syscall.EISDIR}

// explain says what the library's error means. An error that is not the machine's answer is the connection's end.
func (f *sftpFiles) explain(c *sftp.Client, err error) error {
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
	for _, known := range []error{fs.ErrNotExist, fs.ErrExist, fs.ErrPermission, fs.ErrClosed, fs.ErrInvalid,
		errors.ErrUnsupported} {
		if errors.Is(err, known) {
			return err
		}
	}
	if f.lost != nil {
		f.lost(c)
	}
	return &Error{
		Host: f.name, Doing: reachingFiles, Started: StartedMaybe, cause: ErrBroken,
		Message: fmt.Sprintf("%v before it had answered: whether it did what was asked is unknown (%s)", ErrBroken,
			foreign(err)),
	}
}

// answered gives a status of the machine as the error that callers look for. A failure that version 3 of SFTP has no
// status for, such as a full disk, comes as a bare failure.
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
		return &inWords{"the machine only says that it failed; a full disk looks like this too", s}
	}
	return &inWords{"the machine answered " + foreign(s), s}
}

// failed tells the bare failure, whose reason has to be found out.
func failed(err error) bool {
	var s *sftp.StatusError
	return errors.As(err, &s)
}

// Stat: see Files.
func (f *sftpFiles) Stat(name string) (info fs.FileInfo, err error) {
	err = f.do("stat", name, func(c *sftp.Client) (err error) {
		info, err = c.Stat(name)
		return err
	})
	return info, err
}

// Lstat: see Files.
func (f *sftpFiles) Lstat(name string) (info fs.FileInfo, err error) {
	err = f.do("lstat", name, func(c *sftp.Client) (err error) {
		info, err = c.Lstat(name)
		return err
	})
	return info, err
}

// Readlink: see Files.
func (f *sftpFiles) Readlink(name string) (to string, err error) {
	err = f.do("readlink", name, func(c *sftp.Client) (err error) {
		to, err = c.ReadLink(name)
		return err
	})
	return to, err
}

// Names: see Files.
func (f *sftpFiles) Names(folder string) (names []string, err error) {
	err = f.do("readdir", folder, func(c *sftp.Client) error {
		infos, err := c.ReadDir(folder)
		for _, info := range infos {
			names = append(names, info.Name())
		}
		return err
	})
	slices.Sort(names)
	return names, err
}

// Open: see Files. A pipe or a socket is refused: sshd would wait for its other end, and with it all other files.
func (f *sftpFiles) Open(name string) (io.ReadSeekCloser, error) {
	open := &sftpFile{files: f, name: name}
	err := f.do("open", name, func(c *sftp.Client) error {
		info, err := c.Stat(name)
		switch {
		case err != nil:
			return err
		case info.IsDir():
			return errIsDir
		case info.Mode()&(fs.ModeNamedPipe|fs.ModeSocket) != 0:
			return fmt.Errorf("%w: it is a pipe or a socket, not a file", fs.ErrInvalid)
		}
		open.client = c
		open.file, err = c.Open(name)
		return err
	})
	if err != nil {
		return nil, err
	}
	return open, nil
}

// Create: see Files. The machine makes the file with its own idea of permissions, and it is empty until they are
// set.
func (f *sftpFiles) Create(name string) (NewFile, error) {
	made := &sftpFile{files: f, name: name}
	err := f.do("open", name, func(c *sftp.Client) (err error) {
		made.client = c
		made.file, err = c.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY)
		if err != nil {
			if _, there := c.Lstat(name); failed(err) && there == nil {
				err = fs.ErrExist
			}
			return err
		}
		if err = made.file.Chmod(0o600); err != nil {
			_ = made.file.Close()
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return made, nil
}

// Rename: see Files. A machine that cannot replace a file in one step refuses where there is one.
func (f *sftpFiles) Rename(from, to string) error {
	if !path.IsAbs(to) {
		return f.do("rename", to, nil)
	}
	err := f.do("rename", from, func(c *sftp.Client) error {
		if _, ok := c.HasExtension("posix-rename@openssh.com"); ok {
			err := c.PosixRename(from, to)
			if info, e := c.Lstat(to); failed(err) && e == nil && info.IsDir() {
				return fmt.Errorf("%w: %s is a directory", fs.ErrExist, to)
			}
			return err
		}
		if _, err := c.Lstat(to); err == nil {
			return fmt.Errorf("%w: %s, and the machine cannot replace a file in one step (no posix-rename@openssh.com)",
				fs.ErrExist, to)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return c.Rename(from, to)
	})
	var said *fs.PathError
	if errors.As(err, &said) {
		return &os.LinkError{Op: said.Op, Old: from, New: to, Err: said.Err}
	}
	return err
}

// Remove: see Files.
func (f *sftpFiles) Remove(name string) error {
	return f.do("remove", name, func(c *sftp.Client) error { return c.Remove(name) })
}

// Chmod: see Files.
func (f *sftpFiles) Chmod(name string, mode fs.FileMode) error {
	return f.do("chmod", name, func(c *sftp.Client) error { return c.Chmod(name, mode) })
}

// Chown: see Files.
func (f *sftpFiles) Chown(name string, uid, gid int) error {
	return f.do("chown", name, func(c *sftp.Client) error { return c.Chown(name, uid, gid) })
}

// sftpFile is an open file.
type sftpFile struct {
	files  *sftpFiles
	client *sftp.Client
	file   *sftp.File
	name   string
}

// err says of an error what was being done. Only the end of a file itself is io.EOF: the library wraps one where the
// connection ended.
func (f *sftpFile) err(op string, err error) error {
	if err == io.EOF && op == "read" { //nolint:errorlint // see above
		return err
	}
	return about(op, f.name, f.files.explain(f.client, err))
}

func (f *sftpFile) Close() error { return f.err("close", f.file.Close()) }

func (f *sftpFile) Read(p []byte) (int, error) {
	n, err := f.file.Read(p)
	if n > 0 && err == io.EOF { //nolint:errorlint // as in err
		err = nil // as files do: the end comes by itself
	}
	return n, f.err("read", err)
}

func (f *sftpFile) Seek(offset int64, whence int) (int64, error) {
	n, err := f.file.Seek(offset, whence)
	return n, f.err("seek", err)
}

func (f *sftpFile) Write(p []byte) (int, error) {
	n, err := f.file.Write(p)
	return n, f.err("write", err)
}

// Sync: see NewFile. A machine whose SFTP has no word for it (fsync@openssh.com, which sshd has since 6.5) writes
// when it likes: that is logged, once, and is not an error.
func (f *sftpFile) Sync() error {
	if _, ok := f.client.HasExtension("fsync@openssh.com"); !ok {
		if f.files.noSync != nil {
			f.files.noSync()
		}
		return nil
	}
	return f.err("sync", f.file.Sync())
}
