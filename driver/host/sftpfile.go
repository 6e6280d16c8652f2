package host

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/pkg/sftp"
)

// sftpFile is an open file.
type sftpFile struct {
	fs      *sftpFs
	client  *sftp.Client
	file    *sftp.File
	name    string
	appends bool

	mu sync.Mutex // one write to the end at a time
}

// err says of an error what was being done. Only what is the end of a file itself is io.EOF: the library wraps one where the
// connection ended.
func (f *sftpFile) err(op string, err error) error {
	if err == io.EOF && (op == "read" || op == "readat") { //nolint:errorlint // see above
		return err
	}
	return f.fs.about(op, f.name, f.fs.explain(f.client, err))
}

func (f *sftpFile) Name() string { return f.name }

func (f *sftpFile) Close() error { return f.err("close", f.file.Close()) }

func (f *sftpFile) Read(p []byte) (int, error) {
	n, err := f.file.Read(p)
	if n > 0 && err == io.EOF { //nolint:errorlint // as in err
		err = nil // as files do: the end comes by itself
	}
	return n, f.err("read", err)
}

func (f *sftpFile) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, f.err("readat", fs.ErrInvalid)
	}
	n, err := f.file.ReadAt(p, off)
	return n, f.err("readat", err)
}

func (f *sftpFile) Seek(offset int64, whence int) (int64, error) {
	n, err := f.file.Seek(offset, whence)
	return n, f.err("seek", err)
}

func (f *sftpFile) Write(p []byte) (int, error) {
	if f.appends { // sshd looks for the end itself; other servers take the place that they are told
		f.mu.Lock()
		defer f.mu.Unlock()
		if _, err := f.file.Seek(0, io.SeekEnd); err != nil {
			return 0, f.err("write", err)
		}
	}
	n, err := f.file.Write(p)
	return n, f.err("write", err)
}

func (f *sftpFile) WriteAt(p []byte, off int64) (int, error) {
	if f.appends {
		return 0, f.err("writeat", errAppends)
	}
	if off < 0 {
		return 0, f.err("writeat", fs.ErrInvalid)
	}
	n, err := f.file.WriteAt(p, off)
	return n, f.err("writeat", err)
}

var errAppends = errors.Join(fs.ErrInvalid, errors.New("a file opened with O_APPEND is written at its end only"))

func (f *sftpFile) WriteString(s string) (int, error) { return f.Write([]byte(s)) }

func (f *sftpFile) Truncate(size int64) error {
	if size < 0 {
		return f.err("truncate", fs.ErrInvalid)
	}
	return f.err("truncate", f.file.Truncate(size))
}

func (f *sftpFile) Stat() (os.FileInfo, error) {
	info, err := f.file.Stat()
	return info, f.err("stat", err)
}

// Sync has the machine write the file to its disk. A machine whose SFTP has no word for that (fsync@openssh.com, which sshd
// has since 6.5) writes when it likes: that is logged, once, and no error.
func (f *sftpFile) Sync() error {
	if _, ok := f.client.HasExtension("fsync@openssh.com"); !ok {
		if f.fs.noSync != nil {
			f.fs.noSync()
		}
		return nil
	}
	return f.err("sync", f.file.Sync())
}

func (f *sftpFile) Readdir(int) ([]os.FileInfo, error) { return nil, f.err("readdir", errNotDir) }

func (f *sftpFile) Readdirnames(int) ([]string, error) { return nil, f.err("readdir", errNotDir) }

// sftpDir is an open directory. It is listed once, at the first look, sorted by name.
type sftpDir struct {
	fs   *sftpFs
	name string

	mu     sync.Mutex
	listed bool
	rest   []os.FileInfo
	closed bool
}

func (d *sftpDir) err(op string, err error) error { return d.fs.about(op, d.name, err) }

func (d *sftpDir) Name() string { return d.name }

func (d *sftpDir) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return d.err("close", fs.ErrClosed)
	}
	d.closed = true
	return nil
}

// Readdir gives the next count entries, and io.EOF after the last; all that are left where count is not above 0.
func (d *sftpDir) Readdir(count int) ([]os.FileInfo, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, d.err("readdir", fs.ErrClosed)
	}
	if !d.listed {
		err := d.fs.do("readdir", d.name, func(c *sftp.Client) (err error) {
			d.rest, err = c.ReadDir(d.name)
			return err
		})
		if err != nil {
			return nil, err
		}
		slices.SortFunc(d.rest, func(a, b os.FileInfo) int { return strings.Compare(a.Name(), b.Name()) })
		d.listed = true
	}
	if count <= 0 {
		count = len(d.rest)
	} else if len(d.rest) == 0 {
		return nil, io.EOF
	}
	count = min(count, len(d.rest))
	out := d.rest[:count:count]
	d.rest = d.rest[count:]
	return out, nil
}

func (d *sftpDir) Readdirnames(count int) ([]string, error) {
	entries, err := d.Readdir(count)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, err
}

func (d *sftpDir) Stat() (os.FileInfo, error) { return d.fs.Stat(d.name) }

// Sync does nothing: the protocol has no word for it.
func (d *sftpDir) Sync() error { return nil }

// Seek goes back to the first entry, which is all that a directory knows.
func (d *sftpDir) Seek(offset int64, whence int) (int64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if offset != 0 || whence != io.SeekStart {
		return 0, d.err("seek", errIsDir)
	}
	d.listed, d.rest = false, nil
	return 0, nil
}

func (d *sftpDir) Read([]byte) (int, error)           { return 0, d.err("read", errIsDir) }
func (d *sftpDir) ReadAt([]byte, int64) (int, error)  { return 0, d.err("readat", errIsDir) }
func (d *sftpDir) Write([]byte) (int, error)          { return 0, d.err("write", errIsDir) }
func (d *sftpDir) WriteAt([]byte, int64) (int, error) { return 0, d.err("writeat", errIsDir) }
func (d *sftpDir) WriteString(string) (int, error)    { return 0, d.err("write", errIsDir) }
func (d *sftpDir) Truncate(int64) error               { return d.err("truncate", errIsDir) }
