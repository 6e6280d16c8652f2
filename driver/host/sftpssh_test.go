//go:build unix

package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pkg/sftp"
)

func TestSFTPRefuses(t *testing.T) {
	_, h := pair(t, nil)
	files, dir := h.Files(t.Context()), t.TempDir()
	name := path.Join(dir, "file")
	ok(t, os.WriteFile(name, []byte("text"), 0o600))
	_, err := files.Stat("relative")
	is(t, err, fs.ErrInvalid)
	is(t, files.Rename(name, "relative"), fs.ErrInvalid)
	ok(t, syscall.Mkfifo(path.Join(dir, "pipe"), 0o600))
	_, err = files.Open(path.Join(dir, "pipe"))
	is(t, err, fs.ErrInvalid)
	f, err := files.Open(name)
	ok(t, err)
	_, err = f.Seek(-1, io.SeekStart)
	is(t, err, fs.ErrInvalid)
	ok(t, f.Close())
}

// TestMachineThatCannotReplace uses the library's example server, which cannot do everything: it has no extension
// posix-rename, and cannot replace directories with links. What it cannot do in one step is refused.
func TestMachineThatCannotReplace(t *testing.T) {
	here, there := net.Pipe()
	server := sftp.NewRequestServer(there, newModes(0o600).handlers())
	done := make(chan error)
	go func() { done <- server.Serve() }()
	in := &meter{Reader: &withoutExtensions{Reader: here}}
	c, err := speak(in, here)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { here.Close(); <-done; _ = c.Close() }()
	said := 0
	session := newTransfer(c, in)
	files := &sftpFiles{ctx: t.Context(), limit: time.Minute, name: "test", noSync: func() { said++ },
		client: func(context.Context) (*transfer, error) { return session, nil }}
	for _, name := range []string{"/a", "/b"} {
		f, err := files.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.WriteString(f, name)
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
	b, err := ReadFile(files, "/c", MaxFile)
	if err != nil || string(b) != "/a" {
		t.Errorf("%q, %v", b, err)
	}
}

// withoutExtensions removes the extensions from a server's greeting.
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
	files, name := h.Files(t.Context()), path.Join(t.TempDir(), "file")
	ok(t, os.WriteFile(name, bytes.Repeat([]byte("x"), 100_000), 0o600))
	f, err := files.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(f, make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	s.cut()
	// The missing rest of the file must not look like its end.
	b, err := io.ReadAll(f)
	is(t, err, ErrBroken)
	if errors.Is(err, io.EOF) || WasStarted(err) != StartedMaybe {
		t.Errorf("%d bytes, %v, started %v", len(b), err, WasStarted(err))
	}
	err = f.Close()
	is(t, err, ErrBroken)
	var about *fs.PathError
	if !errors.As(err, &about) || about.Path != name || !strings.Contains(err.Error(), h.Name()) {
		t.Errorf("got %v", err)
	}
	// The next use connects again.
	if b, err := ReadFile(files, name, MaxFile); err != nil || len(b) != 100_000 {
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
	_, err := h.Files(t.Context()).Stat("/")
	if err == nil || !strings.Contains(err.Error(), "the machine offers no file transfer (Subsystem sftp") ||
		WasStarted(err) != StartedNo {
		t.Errorf("got %v", err)
	}
	works(t, h)
	_, h = pair(t, func(s *server) { s.chatty = true })
	_, err = h.Files(t.Context()).Stat("/")
	if err == nil || !strings.Contains(err.Error(), "does a login script print something?") {
		t.Errorf("got %v", err)
	}
	works(t, h)
	signer, key := newKey(t)
	s := serve(t, nil, signer.PublicKey())
	h = s.to(t, func(o *SSHOptions) { o.Keys, o.KnownHosts = [][]byte{key}, nil })
	_, err = h.Files(t.Context()).Open("/")
	if err == nil || !strings.Contains(err.Error(), "no known_hosts line names it") || WasStarted(err) != StartedNo {
		t.Errorf("got %v", err)
	}
}

// TestClientThatFailed checks that a client that failed is not used again, even if its connection has not noticed.
func TestClientThatFailed(t *testing.T) {
	_, h := pair(t, nil)
	first, err := h.transfer(t.Context())
	ok(t, err)
	if again, err := h.transfer(t.Context()); err != nil || again != first {
		t.Errorf("every use has a client of its own: %v", err)
	}
	first.end()
	second, err := h.transfer(t.Context())
	if err != nil || second == first {
		t.Errorf("it is used again: %v", err)
	}
	first.end() // long gone
	if again, err := h.transfer(t.Context()); err != nil || again != second {
		t.Errorf("the new one is given up with the old: %v", err)
	}
}

// TestEndOfTheConnectionIsNoEndOfAFile checks that a failure to send, which the library reports as an error that
// wraps io.EOF, is not taken for the end of a file.
func TestEndOfTheConnectionIsNoEndOfAFile(t *testing.T) {
	_, h := pair(t, nil)
	files := &sftpFiles{name: "test"}
	for _, err := range []error{fmt.Errorf("failed to send packet: %w", io.EOF), io.ErrUnexpectedEOF,
		sftp.ErrSSHFxConnectionLost, io.EOF} {
		session, failed := h.transfer(t.Context())
		if failed != nil {
			t.Fatal(failed)
		}
		got := files.explain(session, err)
		is(t, got, ErrBroken)
		if errors.Is(got, io.EOF) || errors.Is(got, io.ErrUnexpectedEOF) || WasStarted(got) != StartedMaybe {
			t.Errorf("%v became %v", err, got)
		}
		if session.usable() {
			t.Errorf("after %v the session is used again", err)
		}
	}
}

// TestMachineThatDoesNotAnswer checks that every access to files on a machine that stops answering ends in time, and
// when the context does. The next access gets a new session.
func TestMachineThatDoesNotAnswer(t *testing.T) {
	type open struct {
		read  io.ReadSeekCloser
		write NewFile
	}
	accesses := map[string]func(f Files, name string, o open) error{
		"stat":     func(f Files, name string, _ open) error { _, err := f.Stat(name); return err },
		"lstat":    func(f Files, name string, _ open) error { _, err := f.Lstat(name); return err },
		"readlink": func(f Files, name string, _ open) error { _, err := f.Readlink(name); return err },
		"readdir":  func(f Files, name string, _ open) error { _, err := f.Names(path.Dir(name)); return err },
		"open":     func(f Files, name string, _ open) error { _, err := f.Open(name); return err },
		"create":   func(f Files, name string, _ open) error { _, err := f.Create(name + ".new"); return err },
		"rename":   func(f Files, name string, _ open) error { return f.Rename(name, name+".other") },
		"remove":   func(f Files, name string, _ open) error { return f.Remove(name) },
		"fstat":    func(_ Files, _ string, o open) error { _, err := o.write.Stat(); return err },
		"chmod":    func(_ Files, _ string, o open) error { return o.write.Chmod(0o600) },
		"chown":    func(_ Files, _ string, o open) error { return o.write.Chown(1, 1) },
		"read":     func(_ Files, _ string, o open) error { _, err := o.read.Read(make([]byte, 10)); return err },
		"seek":     func(_ Files, _ string, o open) error { _, err := o.read.Seek(0, io.SeekEnd); return err },
		"write":    func(_ Files, _ string, o open) error { _, err := o.write.Write([]byte("text")); return err },
		"close":    func(_ Files, _ string, o open) error { return o.read.Close() },
	}
	for name, access := range accesses {
		for _, interrupted := range []bool{false, true} {
			t.Run(fmt.Sprint(name, " ", interrupted), func(t *testing.T) {
				t.Parallel()
				hanging := &hang{}
				s, h := pair(t, func(s *server) { s.hang = hanging })
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				file := path.Join(t.TempDir(), "file")
				ok(t, os.WriteFile(file, []byte("text"), 0o600))
				files := h.Files(ctx)
				read, err := files.Open(file)
				if err != nil {
					t.Fatal(err)
				}
				write, err := files.Create(file + ".written")
				if err != nil {
					t.Fatal(err)
				}
				want := context.Canceled
				if interrupted {
					hanging.held = cancel
				} else {
					files.(*sftpFiles).limit, want = 300*time.Millisecond, context.DeadlineExceeded
				}
				hanging.start()
				err = access(files, file, open{read, write})
				is(t, err, want)
				var about *Error
				if !errors.As(err, &about) || about.Host != h.Name() {
					t.Errorf("got %v", err)
				}
				if _, err := read.Read(make([]byte, 1)); !errors.As(err, &about) {
					t.Errorf("a file whose session was ended: %v", err)
				}
				hanging.stop()
				if _, err := h.Files(t.Context()).Stat(path.Dir(file)); err != nil {
					t.Errorf("the next access: %v", err)
				}
				if n, _ := s.count(); n != 1 {
					t.Errorf("%d connections", n)
				}
			})
		}
	}
}

// TestTransferThatDoesNotBegin checks that a machine that never begins to speak SFTP is given up, too.
func TestTransferThatDoesNotBegin(t *testing.T) {
	hanging := &hang{}
	_, h := pair(t, func(s *server) { s.hang = hanging })
	h.o.FileTimeout = 200 * time.Millisecond
	hanging.start()
	_, err := h.Files(t.Context()).Stat("/")
	is(t, err, context.DeadlineExceeded)
	if WasStarted(err) != StartedNo {
		t.Errorf("got %v", err)
	}
	works(t, h)
	hanging.stop()
}

// hang makes an SFTP server hang between start and stop: it reads, but does not answer.
type hang struct {
	held func() // called with each answer that is held back; may be nil
	mu   sync.Mutex
	wait chan struct{}
}

func (h *hang) start() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.wait = make(chan struct{})
}

func (h *hang) stop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	close(h.wait)
	h.wait = nil
}

// hangingChannel holds back what is written while its server hangs.
type hangingChannel struct {
	io.ReadWriteCloser

	hang *hang
}

func (c hangingChannel) Write(p []byte) (int, error) {
	c.hang.mu.Lock()
	wait := c.hang.wait
	c.hang.mu.Unlock()
	if wait != nil {
		if c.hang.held != nil {
			c.hang.held()
		}
		<-wait
	}
	return c.ReadWriteCloser.Write(p)
}
