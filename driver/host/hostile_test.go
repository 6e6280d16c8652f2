//go:build unix

package host

import (
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"github.com/spf13/afero"
	"golang.org/x/crypto/ssh"
)

// endless serves endless files, which claim to have ten bytes, in endless folders.
type endless struct {
	names func(n int64) string
	sent  atomic.Int64
}

func (e *endless) Fileread(*sftp.Request) (io.ReaderAt, error) { return e, nil }

func (e *endless) ReadAt(p []byte, _ int64) (int, error) {
	e.sent.Add(int64(len(p)))
	return len(p), nil
}

func (e *endless) Filelist(r *sftp.Request) (sftp.ListerAt, error) {
	if r.Method == "List" {
		return e, nil
	}
	return one{entry("file")}, nil
}

func (e *endless) ListAt(out []fs.FileInfo, at int64) (int, error) {
	for i := range out {
		out[i] = entry(e.names(at + int64(i)))
		e.sent.Add(int64(len(out[i].Name())))
	}
	return len(out), nil
}

type one []fs.FileInfo

func (o one) ListAt(out []fs.FileInfo, at int64) (int, error) {
	if at > 0 {
		return 0, io.EOF
	}
	return copy(out, o), io.EOF
}

type entry string

func (e entry) Name() string       { return string(e) }
func (e entry) Size() int64        { return 10 }
func (e entry) Mode() fs.FileMode  { return 0o600 }
func (e entry) ModTime() time.Time { return time.Unix(0, 0) }
func (e entry) IsDir() bool        { return false }
func (e entry) Sys() any           { return nil }

// TestFilesWithoutEnd checks that the size of what is read of a file or folder is bounded, whatever size the machine
// claims.
func TestFilesWithoutEnd(t *testing.T) {
	e := &endless{names: func(n int64) string { return strings.Repeat("x", 1000) + strconv.FormatInt(n, 10) }}
	_, h := pair(t, func(s *server) { s.files = &sftp.Handlers{FileGet: e, FileList: e} })
	files := h.Files(t.Context())
	content, err := ReadFile(files, "/file", 100_000)
	is(t, err, ErrTooLarge)
	if len(content) > 0 || e.sent.Load() > 1<<20 {
		t.Errorf("%d bytes were sent, %d taken", e.sent.Load(), len(content))
	}
	e.sent.Store(0)
	names, err := files.Names("/folder")
	is(t, err, ErrTooLarge)
	if len(names) > 0 || e.sent.Load() > 2*maxListing {
		t.Errorf("%d bytes were sent, %d names taken", e.sent.Load(), len(names))
	}
	_, err = files.Stat("/file") // the session can still be used
	ok(t, err)
}

// TestNamesThatLeadElsewhere checks the names that a folder lists. Only the last element of a path is used, and what
// leads upwards is refused.
func TestNamesThatLeadElsewhere(t *testing.T) {
	for listed, want := range map[string]string{
		"a": "a", "a\nb\x1b[2J": "a\nb\x1b[2J", "../../etc/passwd": "passwd", "/etc/passwd": "passwd",
		"../..": "", "x/..": "", "/": "", "a\x00b": "", ".": "none", "..": "none",
	} {
		list := lister{one{entry(listed)}}
		_, h := pair(t, func(s *server) { s.files = &sftp.Handlers{FileList: list} })
		names, err := h.Files(t.Context()).Names("/folder")
		switch {
		case want == "none" && (err != nil || len(names) != 0), want == "" && !errors.Is(err, fs.ErrInvalid),
			want != "" && want != "none" && (err != nil || !slices.Equal(names, []string{want})):
			t.Errorf("%q is listed as %q, %v", listed, names, err)
		case err != nil && strings.ContainsAny(err.Error(), "\x00\x1b\n"):
			t.Errorf("%q shows as %q", listed, err)
		}
		ok(t, h.Close())
	}
}

type lister struct{ one }

func (l lister) Filelist(*sftp.Request) (sftp.ListerAt, error) { return l.one, nil }

// deepLinks are files of a machine on which every name that ends in "link" is a link that leads through many folders.
type deepLinks struct {
	Files

	looks *int
}

func (d deepLinks) Lstat(name string) (fs.FileInfo, error) {
	*d.looks++
	mode := fs.ModeDir | 0o755
	if strings.HasSuffix(name, "link") {
		mode = fs.ModeSymlink | 0o777
	}
	return withMode{entry(name), mode}, nil
}

func (d deepLinks) Readlink(string) (string, error) { return strings.Repeat("a/", 2000) + "link", nil }

// TestLinksThroughManyFolders checks that a machine cannot make us look at folders without end, or at names that no
// machine has.
func TestLinksThroughManyFolders(t *testing.T) {
	looks := 0
	_, err := Real(deepLinks{looks: &looks}, "/link")
	if err == nil || looks > maxLooks+1 {
		t.Errorf("%v, after %d looks", err, looks)
	}
	long := strings.Repeat("a", maxName+1)
	files := answering(t, func(byte) []byte { return nameAnswer(long) })
	_, err = files.Readlink("/link")
	is(t, err, ErrTooLarge)
	files = answering(t, func(byte) []byte { return nameAnswer(long[1:]) })
	to, err := files.Readlink("/link")
	if ok(t, err); to != long[1:] {
		t.Errorf("a name of %d bytes became one of %d", maxName, len(to))
	}
}

// ledTo are files of a machine on which every name is a link to the same name, which is missing.
type ledTo struct {
	Files

	to string
}

func (l ledTo) Lstat(name string) (fs.FileInfo, error) {
	if name == l.to {
		return nil, about("lstat", name, fs.ErrNotExist)
	}
	return withMode{entry(name), fs.ModeSymlink | 0o777}, nil
}

func (l ledTo) Readlink(string) (string, error) { return l.to, nil }

// TestLinksWithLinesOfTheirOwn checks that where a link leads writes no lines of its own into errors, and controls no
// terminal.
func TestLinksWithLinesOfTheirOwn(t *testing.T) {
	for _, to := range []string{"/a\nError: b", "/a\x1b[2J", "/a\u2028b", "/a\u009b2J", "/a\rb"} {
		files := ledTo{to: to}
		_, err := Replace(t.Context(), files, replacement("/link", ""))
		_, really := Real(files, "/link/b")
		for _, err := range []error{err, really} {
			if !errors.Is(err, fs.ErrInvalid) || strings.Contains(err.Error(), to) {
				t.Errorf("%q: %v", to, err)
			}
		}
	}
	_, err := Replace(t.Context(), ledTo{to: "/größer als ein Ordner"}, replacement("/link", ""))
	if err == nil || errors.Is(err, fs.ErrInvalid) || !strings.Contains(err.Error(), "/größer als ein Ordner") {
		t.Error(err)
	}
}

// TestMethodsWithoutEnd checks that a machine that names any number of ways to log in, in one word, fills no screen.
func TestMethodsWithoutEnd(t *testing.T) {
	for _, partial := range [][]string{nil, {"publickey"}} {
		l := &login{address: address{user: "admin", host: "a"}}
		_, err := l.next(&ssh.ClientAuthContext{AllowedMethods: []string{strings.Repeat("a\x1b", 100_000)},
			PartialSuccessMethods: partial})
		if !errors.Is(err, errNotLetIn) || len(err.Error()) > 1000 {
			t.Errorf("%d bytes", len(err.Error()))
		}
	}
}

// leftOvers are files of a machine that lists temporary files without end, and counts those that are removed.
type leftOvers struct {
	Files

	removed *int
}

func (l leftOvers) Names(string) ([]string, error) {
	return slices.Repeat([]string{".a.p12.syncctl-0000000000000000"}, 10_000), nil
}

func (l leftOvers) Remove(string) error {
	*l.removed++
	return nil
}

// TestTemporaryFilesWithoutEnd checks that a machine that lists any number of temporary files does not keep us removing
// them.
func TestTemporaryFilesWithoutEnd(t *testing.T) {
	fsys, removed := afero.NewMemMapFs(), 0
	writeFile(t, fsys, "/a.p12", []byte("old"), 0o640)
	files := leftOvers{FilesOf(fsys), &removed}
	_, err := Replace(t.Context(), files, replacement("/a.p12", Sum([]byte("old"))))
	if ok(t, err); removed == 0 || removed > mostCleaned {
		t.Errorf("%d files were removed", removed)
	}
}

// nameAnswer is the answer that a link leads to a name.
func nameAnswer(name string) []byte {
	a := append([]byte{sftpName, 0, 0, 0, 1}, binary.BigEndian.AppendUint32(nil, uint32(len(name)))...)
	return append(append(a, name...), 0, 0, 0, 0, 0, 0, 0, 0)
}

// TestWeakAlgorithms checks that a connection fails if the machine offers only broken algorithms.
func TestWeakAlgorithms(t *testing.T) {
	weak := ssh.InsecureAlgorithms()
	for name, change := range map[string]func(*ssh.ServerConfig){
		"key exchange": func(c *ssh.ServerConfig) { c.KeyExchanges = weak.KeyExchanges },
		"cipher":       func(c *ssh.ServerConfig) { c.Ciphers = weak.Ciphers },
		"MAC": func(c *ssh.ServerConfig) {
			c.MACs, c.Ciphers = weak.MACs, []string{ssh.CipherAES128CTR} // one that needs a MAC
		},
	} {
		s, h := pair(t, func(s *server) { s.methods = change })
		_, err := h.Run(t.Context(), Command{Args: []string{"true"}})
		if n, _ := s.count(); err == nil || WasStarted(err) != StartedNo || n != 1 {
			t.Errorf("%s: %v after %d connections", name, err, n)
		}
	}
}

// TestMachineThatWantsMore checks that the agent is never forwarded, and that a machine cannot open channels.
func TestMachineThatWantsMore(t *testing.T) {
	opened := make(chan error, 4)
	s, h := pair(t, func(s *server) {
		s.opens = func(c *ssh.ServerConn) {
			for _, kind := range []string{"auth-agent@openssh.com", "forwarded-tcpip", "x11", "session"} {
				_, _, err := c.OpenChannel(kind, nil)
				opened <- err
			}
		}
	})
	works(t, h)
	for range cap(opened) {
		var refused *ssh.OpenChannelError
		if err := <-opened; !errors.As(err, &refused) {
			t.Errorf("a channel of the machine's own: %v", err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, kind := range s.asked {
		if kind != "exec" {
			t.Errorf("asked for %q", kind)
		}
	}
}

// TestMachineThatTalksWithoutEnd checks that a large banner before the login is read, at most until the connection's
// timeout, and not kept.
func TestMachineThatTalksWithoutEnd(t *testing.T) {
	s, h := pair(t, func(s *server) {
		s.methods = func(c *ssh.ServerConfig) {
			c.BannerCallback = func(ssh.ConnMetadata) string { return strings.Repeat("\x1b[2Jwelcome ", 10_000) }
		}
	})
	works(t, h)
	if n, _ := s.count(); n != 1 {
		t.Errorf("%d connections", n)
	}
}
