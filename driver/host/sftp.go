package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/pkg/sftp"
	"github.com/syncctl/syncctl/driver/wording"
)

// sftpFiles gives access to a machine's files over SFTP.
type sftpFiles struct {
	ctx    context.Context //nolint:containedctx // Files are bound to one, as their callers know them from package os
	limit  time.Duration   // time limit for one answer
	name   string
	client func(context.Context) (*transfer, error)
	noSync func() // called if a file should be synced and the machine has no command for it; may be nil
}

// access gets the session, calls act with it, and adds the operation and file to an error. act must not write to
// anything that its caller reads: it may still run after access has given up on it.
func access[T any](f *sftpFiles, op, name string, act func(*transfer) (T, error)) (T, error) {
	var none T
	if !path.IsAbs(name) {
		return none, &fs.PathError{Op: op, Path: name, Err: fmt.Errorf("%w: names of files on another machine begin with /",
			fs.ErrInvalid)}
	}
	c, err := f.client(f.ctx)
	if err != nil {
		return none, about(op, name, err)
	}
	got, err := answerOf(f, c, func() (T, error) { return act(c) })
	return got, about(op, name, f.explain(c, err))
}

// do is access for an action without a result.
func (f *sftpFiles) do(op, name string, act func(*transfer) error) error {
	_, err := access(f, op, name, func(c *transfer) (struct{}, error) { return struct{}{}, act(c) })
	return err
}

func about(op, name string, err error) error {
	var said *fs.PathError
	if err == nil || errors.As(err, &said) {
		return err
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}

const reachingFiles = "reaching its files"

// errIsDir says that a name is a folder, not a file. The protocol has no status for it.
var errIsDir = &inWords{syscall.EISDIR.Error(), syscall.EISDIR}

// explain translates an error of the library. If it is not the machine's answer, the connection has ended.
func (f *sftpFiles) explain(c *transfer, err error) error {
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
	c.end()
	return &Error{
		Host: f.name, Doing: reachingFiles, Started: StartedMaybe, cause: ErrBroken,
		Message: fmt.Sprintf("%v before it had answered: whether it did what was asked is unknown (%s)", ErrBroken,
			foreign(err)),
	}
}

// answered translates a status of the machine to the error that callers look for. For failures such as a full disk,
// version 3 of SFTP has no status; they are reported only as a failure.
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

// errUntold is for a machine that answers "ok" to a question. The library then returns neither a result nor an error.
var errUntold = &inWords{"the machine answered that all is well, and not what was asked", fs.ErrInvalid}

// told returns what a machine reports about a file, or an error if it reports nothing.
func told(info fs.FileInfo, err error) (fs.FileInfo, error) {
	if err != nil {
		return nil, err
	}
	if info != nil {
		if s, ok := info.Sys().(*sftp.FileStat); ok && s != nil {
			return info, nil
		}
	}
	return nil, errUntold
}

// failed reports whether the machine only reported a failure, so that the reason has to be found out.
func failed(err error) bool {
	var s *sftp.StatusError
	return errors.As(err, &s)
}

// Stat implements Files.
func (f *sftpFiles) Stat(name string) (fs.FileInfo, error) {
	return access(f, "stat", name, func(c *transfer) (fs.FileInfo, error) { return told(c.Stat(name)) })
}

// Lstat implements Files.
func (f *sftpFiles) Lstat(name string) (fs.FileInfo, error) {
	return access(f, "lstat", name, func(c *transfer) (fs.FileInfo, error) { return told(c.Lstat(name)) })
}

// Readlink implements Files.
func (f *sftpFiles) Readlink(name string) (string, error) {
	return access(f, "readlink", name, func(c *transfer) (string, error) {
		to, err := c.ReadLink(name)
		switch {
		case err == nil && to == "":
			err = errUntold
		case len(to) > maxName:
			err = &inWords{fmt.Sprintf("the machine says that the link leads to a name of %d bytes, and names have at most %d",
				len(to), maxName), ErrTooLarge}
		}
		return to, err
	})
}

// maxName is the maximum length of a name with its folders, in bytes: PATH_MAX of Linux. Other systems have less.
const maxName = 4096

// Names implements Files.
func (f *sftpFiles) Names(folder string) ([]string, error) {
	infos, err := access(f, "readdir", folder, func(c *transfer) ([]fs.FileInfo, error) { return c.list(f.ctx, folder) })
	names := make([]string, len(infos))
	for i, info := range infos {
		names[i] = info.Name()
		if strings.ContainsAny(names[i], "/\x00") || names[i] == "." || names[i] == ".." || names[i] == "" {
			return nil, about("readdir", folder, &inWords{"the machine lists a name that no file can have: " +
				wording.Quote(names[i]), fs.ErrInvalid})
		}
	}
	slices.Sort(names)
	return names, err
}

// Open implements Files. A pipe or a socket is refused: sshd would wait for its other end, and block all other file
// operations.
func (f *sftpFiles) Open(name string) (io.ReadSeekCloser, error) {
	file, err := access(f, "open", name, func(c *transfer) (*sftpFile, error) {
		info, err := told(c.Stat(name))
		switch {
		case err != nil:
			return nil, err
		case info.IsDir():
			return nil, errIsDir
		case info.Mode()&(fs.ModeNamedPipe|fs.ModeSocket) != 0:
			return nil, fmt.Errorf("%w: it is a pipe or a socket, not a file", fs.ErrInvalid)
		}
		open, err := c.Open(name)
		if err == nil && open == nil {
			err = errUntold
		}
		return &sftpFile{files: f, client: c, file: open, name: name}, err
	})
	if err != nil {
		return nil, err
	}
	file.whole = time.AfterFunc(wholeFile*f.limit, file.client.end) // a byte now and then is an answer, too
	return file, nil
}

// Create implements Files. The session asks for the mode of the new file (asking). A machine that does not obey is
// refused while the file is empty: who opens it before its mode is set can read what is written later.
func (f *sftpFiles) Create(name string) (NewFile, error) {
	file, err := access(f, "open", name, func(c *transfer) (*sftpFile, error) {
		made, err := c.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY)
		if err != nil {
			if _, there := c.Lstat(name); failed(err) && there == nil {
				err = fs.ErrExist
			}
			return nil, err
		}
		if made == nil {
			return nil, errUntold
		}
		info, err := told(made.Stat())
		switch {
		case err != nil:
		case info.Mode() == 0: // sftp.FileStat does not tell a mode of 0 from none
			err = &inWords{"the machine does not show the mode of a new file there, so it is not known whether other users " +
				"may read it", fs.ErrPermission}
		case info.Mode()&^0o100 != newMode:
			err = &inWords{fmt.Sprintf("a new file there has the mode %v, although %v was asked for, so other users may read "+
				"it: give the account a umask of 077", info.Mode(), newMode), fs.ErrPermission}
		}
		if err != nil {
			_ = made.Close() // it is empty
			_ = c.Remove(name)
		}
		return &sftpFile{files: f, client: c, file: made, name: name}, err
	})
	if err != nil {
		return nil, err
	}
	return file, nil
}

// Rename implements Files. A machine that cannot replace a file in one step refuses if the target exists.
func (f *sftpFiles) Rename(from, to string) error {
	if !path.IsAbs(to) {
		return f.do("rename", to, nil)
	}
	err := f.do("rename", from, func(c *transfer) error {
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

// Remove implements Files.
func (f *sftpFiles) Remove(name string) error {
	return f.do("remove", name, func(c *transfer) error { return c.Remove(name) })
}

// sftpFile is an open file.
type sftpFile struct {
	files  *sftpFiles
	client *transfer
	file   *sftp.File
	name   string
	lost   *Error // set if its session was given up
	whole  *time.Timer
}

// wholeFile limits the time for reading a whole file, as a multiple of the limit for one answer.
const wholeFile = 20

// do adds the operation and file to an error. Only the file's own end is io.EOF unwrapped; the library wraps io.EOF
// if the connection ended.
func (f *sftpFile) do(op string, act func() (int64, error)) (int64, error) {
	if f.lost != nil {
		return 0, about(op, f.name, f.lost)
	}
	n, err := answerOf(f.files, f.client, act)
	if err == io.EOF && op == "read" { //nolint:errorlint // see above
		return n, err
	}
	err = f.files.explain(f.client, err)
	errors.As(err, &f.lost)
	return n, about(op, f.name, err)
}

func (f *sftpFile) Close() error {
	if f.whole != nil {
		f.whole.Stop()
	}
	_, err := f.do("close", func() (int64, error) { return 0, f.file.Close() })
	return err
}

// mostAtOnce is the number of bytes that are read or written at a time: every implementation of the protocol accepts
// it in one packet.
const mostAtOnce = 32 << 10

func (f *sftpFile) Read(p []byte) (int, error) {
	part := make([]byte, min(len(p), mostAtOnce)) // not p, because an answer may come too late
	n, err := f.do("read", func() (int64, error) {
		n, err := f.file.Read(part)
		return int64(n), err
	})
	if n == 0 && err == nil && len(part) > 0 {
		return 0, about("read", f.name, errUntold) // an empty answer that is not the end would be repeated forever
	}
	copy(p, part[:n])
	if n > 0 && err == io.EOF { //nolint:errorlint // as in do
		err = nil // like other files: the end is reported separately
	}
	return int(n), err
}

func (f *sftpFile) Seek(offset int64, whence int) (int64, error) {
	return f.do("seek", func() (int64, error) { return f.file.Seek(offset, whence) })
}

func (f *sftpFile) Write(p []byte) (int, error) {
	written := 0
	for part := range slices.Chunk(p, mostAtOnce) {
		part = bytes.Clone(part) // it may still be sent when the caller reuses p
		n, err := f.do("write", func() (int64, error) {
			n, err := f.file.Write(part)
			return int64(n), err
		})
		written += int(n)
		if err != nil {
			return written, err
		}
	}
	return written, nil
}

// Stat implements NewFile. Like Chmod and Chown, it uses the handle.
func (f *sftpFile) Stat() (info fs.FileInfo, err error) {
	got := make(chan fs.FileInfo, 1) // an answer may come too late
	_, err = f.do("stat", func() (int64, error) {
		info, err := told(f.file.Stat())
		got <- info
		return 0, err
	})
	if err != nil {
		return nil, err
	}
	return <-got, nil
}

// Chmod implements NewFile.
func (f *sftpFile) Chmod(mode fs.FileMode) error {
	_, err := f.do("chmod", func() (int64, error) { return 0, f.file.Chmod(mode) })
	return err
}

// Chown implements NewFile.
func (f *sftpFile) Chown(uid, gid int) error {
	_, err := f.do("chown", func() (int64, error) { return 0, f.file.Chown(uid, gid) })
	return err
}

// Sync implements NewFile. A machine whose SFTP does not support it (fsync@openssh.com, in sshd since 6.5) writes the
// file at any time. That is logged once, and is not an error.
func (f *sftpFile) Sync() error {
	if _, ok := f.client.HasExtension("fsync@openssh.com"); !ok {
		if f.files.noSync != nil {
			f.files.noSync()
		}
		return nil
	}
	_, err := f.do("sync", func() (int64, error) { return 0, f.file.Sync() })
	return err
}
