//go:build unix

package host

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"github.com/spf13/afero"
)

// What only the adapter promises.
func TestSFTPRefuses(t *testing.T) {
	_, h := pair(t, nil)
	files, dir := h.Fs(), t.TempDir()
	name := path.Join(dir, "file")
	ok(t, afero.WriteFile(files, name, []byte("text"), 0o600))
	_, err := files.Stat("relative")
	is(t, err, fs.ErrInvalid)
	is(t, files.Rename(name, "relative"), fs.ErrInvalid)
	is(t, files.RemoveAll("/"), fs.ErrInvalid)
	is(t, files.RemoveAll(dir+"/."), fs.ErrInvalid)
	is(t, files.Chtimes(name, time.Unix(-1, 0), time.Unix(1<<33, 0)), fs.ErrInvalid)
	_, err = files.OpenFile(name, os.O_WRONLY|os.O_SYNC, 0)
	is(t, err, errors.ErrUnsupported)
	f, err := files.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0)
	ok(t, err)
	_, err = f.WriteAt([]byte("x"), 0)
	is(t, err, fs.ErrInvalid)
	ok(t, f.Close())
	f, err = files.OpenFile(name, os.O_RDWR, 0)
	ok(t, err)
	_, err = f.WriteAt([]byte("x"), -1)
	is(t, err, fs.ErrInvalid)
	_, err = f.ReadAt(make([]byte, 1), -1)
	is(t, err, fs.ErrInvalid)
	is(t, f.Truncate(-1), fs.ErrInvalid)
	_, err = f.Seek(-1, io.SeekStart)
	is(t, err, fs.ErrInvalid)
	_, err = f.Readdirnames(0)
	is(t, err, syscall.ENOTDIR)
	ok(t, f.Close())
	d, err := files.Open(dir)
	ok(t, err)
	names, err := d.Readdirnames(0)
	if len(names) != 1 || err != nil {
		t.Errorf("%v, %v", names, err)
	}
	if _, err = d.Seek(0, io.SeekStart); err != nil {
		t.Error(err)
	}
	if names, err := d.Readdirnames(0); len(names) != 1 || err != nil {
		t.Errorf("%v, %v", names, err)
	}
	_, err = d.Read(make([]byte, 1))
	is(t, err, syscall.EISDIR)
	_, err = d.Write(nil)
	is(t, err, syscall.EISDIR)
	_, err = d.WriteString("")
	is(t, err, syscall.EISDIR)
	_, err = d.WriteAt(nil, 0)
	is(t, err, syscall.EISDIR)
	_, err = d.ReadAt(nil, 0)
	is(t, err, syscall.EISDIR)
	_, err = d.Seek(1, io.SeekStart)
	is(t, err, syscall.EISDIR)
	is(t, d.Truncate(0), syscall.EISDIR)
	ok(t, d.Sync())
	ok(t, d.Close())
	is(t, d.Close(), fs.ErrClosed)
	_, err = d.Readdir(0)
	is(t, err, fs.ErrClosed)
	if want := "sftp " + h.Name(); files.Name() != want {
		t.Errorf("got %s, want %s", files.Name(), want)
	}
}

// The example server of the library has less: no posix-rename as such, no links in place of directories. What it cannot do in
// one step is refused.
func TestMachineThatCannotReplace(t *testing.T) {
	here, there := net.Pipe()
	server := sftp.NewRequestServer(there, sftp.InMemHandler())
	done := make(chan error)
	go func() { done <- server.Serve() }()
	c, err := sftp.NewClientPipe(&withoutExtensions{Reader: here}, here, sftp.UseConcurrentReads(false))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { here.Close(); <-done; _ = c.Close() }()
	said := 0
	files := &sftpFs{name: "test", client: func() (*sftp.Client, error) { return c, nil }, noSync: func() { said++ }}
	for _, name := range []string{"/a", "/b"} {
		f, err := files.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.WriteString(name)
		ok(t, err)
		ok(t, f.Sync())
		ok(t, f.Close())
	}
	if said != 2 {
		t.Errorf("that nothing is sure to be on disk was said %d times", said)
	}
	err = files.Rename("/a", "/b")
	is(t, err, fs.ErrExist)
	if err == nil || !strings.Contains(err.Error(), "cannot replace a file in one step") {
		t.Errorf("got %v", err)
	}
	ok(t, files.Rename("/a", "/c"))
	b, err := afero.ReadFile(files, "/c")
	if err != nil || string(b) != "/a" {
		t.Errorf("%q, %v", b, err)
	}
	f, err := files.OpenFile("/c", os.O_WRONLY|os.O_APPEND, 0)
	ok(t, err)
	_, err = f.WriteString("+")
	ok(t, err)
	ok(t, f.Close())
	if b, err := afero.ReadFile(files, "/c"); err != nil || string(b) != "/a+" {
		t.Errorf("appended where it was told and not at the end: %q, %v", b, err)
	}
}

// withoutExtensions gives a server's greeting without its extensions.
type withoutExtensions struct {
	io.Reader

	greeted bool
	rest    []byte
}

func (w *withoutExtensions) Read(p []byte) (int, error) {
	if !w.greeted {
		w.greeted = true
		head := make([]byte, 9)
		if _, err := io.ReadFull(w.Reader, head); err != nil {
			return 0, err
		}
		if _, err := io.CopyN(io.Discard, w.Reader, int64(head[2])<<8+int64(head[3])-5); err != nil {
			return 0, err
		}
		w.rest = append([]byte{0, 0, 0, 5}, head[4:]...)
	}
	if len(w.rest) > 0 {
		n := copy(p, w.rest)
		w.rest = w.rest[n:]
		return n, nil
	}
	return w.Reader.Read(p)
}

func TestFilesOfAConnectionThatBreaks(t *testing.T) {
	s, h := pair(t, nil)
	files, name := h.Fs(), path.Join(t.TempDir(), "file")
	ok(t, afero.WriteFile(files, name, bytes.Repeat([]byte("x"), 100_000), 0o600))
	f, err := files.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(f, make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	s.cut()
	// The rest of the file must not look like its end.
	b, err := io.ReadAll(f)
	is(t, err, ErrBroken)
	if errors.Is(err, io.EOF) || WasStarted(err) != StartedMaybe {
		t.Errorf("%d bytes, %v, started %v", len(b), err, WasStarted(err))
	}
	_, err = f.Write([]byte("y"))
	is(t, err, ErrBroken)
	is(t, f.Close(), ErrBroken)
	var about *fs.PathError
	if !errors.As(err, &about) || about.Path != name || !strings.Contains(err.Error(), h.Name()) {
		t.Errorf("got %v", err)
	}
	// What comes next connects anew.
	if b, err := afero.ReadFile(files, name); err != nil || len(b) != 100_000 {
		t.Errorf("%d bytes, %v", len(b), err)
	}
	works(t, h)
	if n, _ := s.count(); n != 2 {
		t.Errorf("%d connections", n)
	}
	ok(t, h.Close())
	_, err = files.Stat(name)
	is(t, err, ErrClosed)
	if WasStarted(err) != StartedNo {
		t.Errorf("got %v", err)
	}
}

func TestMachineWithoutFiles(t *testing.T) {
	_, h := pair(t, func(s *server) { s.noSFTP = true })
	_, err := h.Fs().Stat("/")
	if err == nil || !strings.Contains(err.Error(), "the machine offers no file transfer (Subsystem sftp") || WasStarted(err) != StartedNo {
		t.Errorf("got %v", err)
	}
	works(t, h)
	_, h = pair(t, func(s *server) { s.chatty = true })
	_, err = h.Fs().Stat("/")
	if err == nil || !strings.Contains(err.Error(), "does a login script print something?") {
		t.Errorf("got %v", err)
	}
	works(t, h)
	signer, key := newKey(t)
	s := serve(t, nil, signer.PublicKey())
	h = s.to(t, func(o *SSHOptions) { o.Keys, o.KnownHosts = [][]byte{key}, nil })
	_, err = h.Fs().Open("/")
	if err == nil || !strings.Contains(err.Error(), "no known_hosts line names it") || WasStarted(err) != StartedNo {
		t.Errorf("got %v", err)
	}
}

// A client that failed is not used again, however little its connection has noticed.
func TestClientThatFailed(t *testing.T) {
	_, h := pair(t, nil)
	first, err := h.files()
	ok(t, err)
	if again, err := h.files(); err != nil || again != first {
		t.Errorf("every use has a client of its own: %v", err)
	}
	h.lost(first)
	second, err := h.files()
	if err != nil || second == first {
		t.Errorf("it is used again: %v", err)
	}
	h.lost(first) // long gone
	if again, err := h.files(); err != nil || again != second {
		t.Errorf("the new one is given up with the old: %v", err)
	}
}

// The library says with an io.EOF inside that it could not send: that must not pass for the end of a file.
func TestEndOfTheConnectionIsNoEndOfAFile(t *testing.T) {
	lost := 0
	files := &sftpFs{name: "test", lost: func(*sftp.Client) { lost++ }}
	for _, err := range []error{fmt.Errorf("failed to send packet: %w", io.EOF), io.ErrUnexpectedEOF, sftp.ErrSSHFxConnectionLost, io.EOF} {
		got := files.explain(nil, err)
		is(t, got, ErrBroken)
		if errors.Is(got, io.EOF) || errors.Is(got, io.ErrUnexpectedEOF) || WasStarted(got) != StartedMaybe {
			t.Errorf("%v became %v", err, got)
		}
	}
	if lost != 4 {
		t.Errorf("told %d times", lost)
	}
}
