package sandbox

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"sync"
	"time"

	"github.com/pkg/sftp"
	"github.com/spf13/afero"
	"golang.org/x/crypto/ssh"
)

// serveFiles is the SFTP subsystem for the machine's files. It is as strict as OpenSSH's server, even if the file
// system allows more, and reports as little: only missing files and missing permissions are distinguished from other
// failures. Of the extensions it has posix-rename, but not fsync, which the library's server lacks.
func (x *session) serveFiles() {
	h := &fileHandler{session: x, fs: x.world.Files(x.machine)}
	server := sftp.NewRequestServer(x.channel, sftp.Handlers{FileGet: h, FilePut: h, FileCmd: h, FileList: h})
	if err := server.Serve(); err != nil && !errors.Is(err, io.EOF) && x.gone.Err() == nil {
		x.sandbox.errorLog.Printf("machine %s: serving files: %v", x.machine, err)
	}
	_, _ = x.channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Code uint32 }{0})) // the client may be gone
	_ = x.channel.Close()
}

// The methods of accesses to files.
const (
	methodRead    = "READ"
	methodWrite   = "WRITE"
	methodStat    = "STAT"
	methodList    = "LIST"
	methodSetstat = "SETSTAT"
	methodMkdir   = "MKDIR"
	methodRemove  = "REMOVE"
	methodRename  = "RENAME"
	methodLink    = "LINK"
)

// fileHandler answers the requests of one SFTP session.
type fileHandler struct {
	*session

	fs afero.Fs
}

// access is one access to a file, until its line is in the access log.
type access struct {
	handler *fileHandler
	fault   *Fault
	line    AccessLine
	begun   time.Time
}

var errCut = errors.New("the connection is cut")

// begin counts an access and applies the faults that come before it. If it returns an error, the access is over, and
// its line is written.
func (h *fileHandler) begin(method, name string, reading bool) (*access, error) {
	s := h.sandbox
	a := &access{handler: h, begun: s.now(), fault: s.faults.next(h.machine, method, name)}
	a.line = AccessLine{
		Time: a.begun, Server: h.machine, Product: h.product, Protocol: ProtocolSFTP, Method: method, Path: name,
		Reading: reading,
	}
	if a.fault == nil {
		return a, nil
	}
	a.line.Fault = string(a.fault.Kind)
	switch a.fault.Kind {
	case Fail:
		err := fmt.Errorf("a fault asked for: %s", a.fault)
		a.log(false)
		return nil, err
	case Hang, Cut:
		a.log(false)
		if a.fault.Kind == Hang {
			h.hang()
		}
		h.hangUp()
		return nil, errCut
	case Late, Lost: // applied afterwards
	}
	return a, nil
}

// end writes the line and applies the faults that come after an access. It returns the error for the client.
func (a *access) end(err error) error {
	a.line.CarriedOut = true
	if a.fault != nil && a.fault.Kind == Late &&
		a.handler.sandbox.sleepUntilClose(a.handler.gone, a.fault.Delay) != nil {
		a.log(err == nil)
		a.handler.hangUp()
		return errCut
	}
	a.log(err == nil)
	if a.fault != nil && a.fault.Kind == Lost {
		a.handler.hangUp()
		return errCut
	}
	return told(err)
}

// log writes the line. That happens before the client gets the answer, so that a client that has it finds the line.
func (a *access) log(ok bool) {
	a.line.OK = ok
	a.line.DurationMS = a.handler.sandbox.sinceMS(a.begun)
	a.handler.sandbox.access.write(a.line)
}

// told returns an error in the form that version 3 of the protocol has for it.
func told(err error) error {
	switch {
	case err == nil, errors.Is(err, io.EOF):
		return err
	case errors.Is(err, fs.ErrNotExist):
		return sftp.ErrSSHFxNoSuchFile
	case errors.Is(err, fs.ErrPermission):
		return sftp.ErrSSHFxPermissionDenied
	case errors.Is(err, errors.ErrUnsupported), errors.Is(err, afero.ErrNoSymlink), errors.Is(err, afero.ErrNoReadlink):
		return sftp.ErrSSHFxOpUnsupported
	}
	return sftp.ErrSSHFxFailure
}

// touch makes an access that is over when do returns. Accesses that change files wait for each other.
func (h *fileHandler) touch(method, name string, reading bool, do func() error) error {
	a, err := h.begin(method, name, reading)
	if err != nil {
		return err
	}
	if !reading {
		h.files.Lock()
		err = do()
		h.files.Unlock()
	} else {
		err = do()
	}
	return a.end(err)
}

// Fileread opens a file for reading.
func (h *fileHandler) Fileread(r *sftp.Request) (io.ReaderAt, error) {
	return h.open(r, methodRead, func() (afero.File, error) {
		f, err := h.fs.Open(r.Filepath)
		if err != nil {
			return nil, err
		}
		if info, err := f.Stat(); err != nil || info.IsDir() {
			return nil, errors.Join(err, f.Close(), fs.ErrInvalid)
		}
		return f, nil
	})
}

// Filewrite opens a file for writing.
func (h *fileHandler) Filewrite(r *sftp.Request) (io.WriterAt, error) { return h.OpenFile(r) }

// OpenFile opens a file for reading and writing.
func (h *fileHandler) OpenFile(r *sftp.Request) (sftp.WriterAtReaderAt, error) {
	return h.open(r, methodWrite, func() (afero.File, error) {
		h.files.Lock()
		defer h.files.Unlock()
		wish := r.Pflags()
		if !wish.Write {
			return nil, fs.ErrInvalid
		}
		flags := os.O_RDWR
		info, err := h.fs.Stat(r.Filepath)
		switch {
		case err == nil && info.IsDir():
			return nil, fs.ErrInvalid
		case err == nil && wish.Creat && wish.Excl:
			return nil, fs.ErrExist
		case err != nil && !errors.Is(err, fs.ErrNotExist), err != nil && !wish.Creat:
			return nil, err
		case err != nil:
			if err := h.isFolder(path.Dir(r.Filepath)); err != nil {
				return nil, err
			}
			flags |= os.O_CREATE
		}
		if wish.Trunc {
			flags |= os.O_TRUNC
		}
		return h.fs.OpenFile(r.Filepath, flags, newMode(r.Attrs))
	})
}

// newMode returns the mode of a new file: the one that the client asks for, if it asks for nothing else, without the
// account's umask. The library passes on the attributes of an opened file, but not which of them are given.
func newMode(attributes []byte) fs.FileMode {
	const umask = 0o022
	mode := uint32(0o666)
	if len(attributes) == 4 { // only the permissions have this length
		mode = binary.BigEndian.Uint32(attributes)
	}
	return fs.FileMode(mode & 0o777 &^ umask)
}

// open makes an access that lasts until the file is closed.
func (h *fileHandler) open(r *sftp.Request, method string, open func() (afero.File, error)) (*openFile, error) {
	a, err := h.begin(method, r.Filepath, method == methodRead)
	if err != nil {
		return nil, err
	}
	f, err := open()
	if err != nil {
		return nil, a.end(err)
	}
	return &openFile{access: a, file: f, appending: r.Pflags().Append}, nil
}

// openFile is a file that a client has open. The library reads and writes it from several goroutines.
type openFile struct {
	access    *access
	file      afero.File
	appending bool // writes go to the end, whatever offset the client gives

	mu  sync.Mutex
	err error // the first error of a read or write, or how the connection ended
}

// ReadAt implements io.ReaderAt.
func (o *openFile) ReadAt(p []byte, at int64) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n, err := o.file.ReadAt(p, at)
	if errors.Is(err, io.ErrUnexpectedEOF) { // the memory file system returns this beyond the end
		err = io.EOF
	}
	o.access.line.BytesOut += int64(n)
	return n, o.met(err)
}

// WriteAt implements io.WriterAt.
func (o *openFile) WriteAt(p []byte, at int64) (n int, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.appending {
		if _, err = o.file.Seek(0, io.SeekEnd); err == nil {
			n, err = o.file.Write(p)
		}
	} else {
		n, err = o.file.WriteAt(p, at)
	}
	o.access.line.BytesIn += int64(n)
	return n, o.met(err)
}

func (o *openFile) met(err error) error {
	if err != nil && !errors.Is(err, io.EOF) && o.err == nil {
		o.err = err
	}
	return told(err)
}

// TransferError is called before Close if the connection ended before the client closed the file.
func (o *openFile) TransferError(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err == nil {
		o.err = fmt.Errorf("the connection ended: %w", err)
	}
}

// Close ends the access.
func (o *openFile) Close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.access.end(errors.Join(o.err, o.file.Close()))
}

// Filecmd changes the name, the place or the attributes of a file.
func (h *fileHandler) Filecmd(r *sftp.Request) error {
	switch r.Method {
	case "Setstat":
		return h.touch(methodSetstat, r.Filepath, false, func() error { return h.setstat(r) })
	case "Mkdir":
		return h.touch(methodMkdir, r.Filepath, false, func() error { return h.mkdir(r.Filepath) })
	case "Remove":
		return h.touch(methodRemove, r.Filepath, false, func() error { return h.remove(r.Filepath, false) })
	case "Rmdir":
		return h.touch(methodRemove, r.Filepath, false, func() error { return h.remove(r.Filepath, true) })
	case "Rename":
		return h.touch(methodRename, r.Filepath, false, func() error {
			if _, err := h.lstat(r.Target); !errors.Is(err, fs.ErrNotExist) {
				return errors.Join(err, fs.ErrExist)
			}
			return h.rename(r.Filepath, r.Target)
		})
	case "Symlink": // the link is the request's target
		return h.touch(methodLink, r.Target, false, func() error { return h.symlink(r.Filepath, r.Target) })
	case "Link":
		return h.touch(methodLink, r.Target, false, func() error { return errors.ErrUnsupported })
	}
	return sftp.ErrSSHFxOpUnsupported
}

// PosixRename renames a file, and replaces the file that has the new name.
func (h *fileHandler) PosixRename(r *sftp.Request) error {
	return h.touch(methodRename, r.Filepath, false, func() error { return h.rename(r.Filepath, r.Target) })
}

// Filelist lists a folder or describes a file.
func (h *fileHandler) Filelist(r *sftp.Request) (sftp.ListerAt, error) {
	switch r.Method {
	case "List":
		return h.describe(methodList, r.Filepath, func() ([]fs.FileInfo, error) {
			if err := h.isFolder(r.Filepath); err != nil {
				return nil, err
			}
			return afero.ReadDir(h.fs, r.Filepath)
		})
	case "Stat":
		return h.describe(methodStat, r.Filepath, func() ([]fs.FileInfo, error) {
			info, err := h.fs.Stat(r.Filepath)
			return []fs.FileInfo{info}, err
		})
	}
	return nil, sftp.ErrSSHFxOpUnsupported
}

// Lstat describes a link itself.
func (h *fileHandler) Lstat(r *sftp.Request) (sftp.ListerAt, error) {
	return h.describe(methodStat, r.Filepath, func() ([]fs.FileInfo, error) {
		info, err := h.lstat(r.Filepath)
		return []fs.FileInfo{info}, err
	})
}

func (h *fileHandler) describe(method, name string, do func() ([]fs.FileInfo, error)) (sftp.ListerAt, error) {
	var infos []fs.FileInfo
	err := h.touch(method, name, true, func() (err error) { infos, err = do(); return err })
	if err != nil {
		return nil, err
	}
	return listed(infos), nil
}

// Readlink returns the target of a link.
func (h *fileHandler) Readlink(name string) (target string, err error) {
	l, ok := h.fs.(afero.LinkReader)
	err = h.touch(methodStat, name, true, func() (err error) {
		if !ok {
			return afero.ErrNoReadlink
		}
		target, err = l.ReadlinkIfPossible(name)
		return err
	})
	return target, err
}

// listed is a list that is read piece by piece.
type listed []fs.FileInfo

// ListAt implements sftp.ListerAt.
func (l listed) ListAt(to []fs.FileInfo, from int64) (int, error) {
	if from >= int64(len(l)) {
		return 0, io.EOF
	}
	n := copy(to, l[from:])
	if n < len(to) {
		return n, io.EOF
	}
	return n, nil
}
