package sandbox_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/pkg/sftp"
	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/sandbox"
)

// filesOf gives access to a machine's files, over SFTP and directly.
func filesOf(t *testing.T, s *sandbox.Sandbox, w *machineWorld, machine string) (*sftp.Client, afero.Fs) {
	t.Helper()
	c, err := sftp.NewClient(login(t, s, machine))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c, w.files[machine]
}

func put(t *testing.T, fs afero.Fs, name, text string) {
	t.Helper()
	if err := afero.WriteFile(fs, name, []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
}

func has(t *testing.T, fs afero.Fs, name, want string) {
	t.Helper()
	if b, err := afero.ReadFile(fs, name); err != nil || string(b) != want {
		t.Errorf("%s holds %q, %v; want %q", name, b, err, want)
	}
}

// save writes text with the given flags. The error joins those of writing and closing.
func save(c *sftp.Client, name string, flags int, text string) error {
	f, err := c.OpenFile(name, flags)
	if err != nil {
		return err
	}
	_, err = io.WriteString(f, text)
	return errors.Join(err, f.Close())
}

func TestFiles(t *testing.T) {
	s, w := yard(t, sandbox.Options{})
	c, behind := filesOf(t, s, w, "a")
	put(t, behind, "/etc/yard/main.conf", "old")

	f, err := c.Open("/etc/yard/main.conf")
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(f); err != nil || string(b) != "old" || f.Close() != nil {
		t.Errorf("read %q, %v", b, err)
	}
	big := strings.Repeat("0123456789abcdef", 1<<16)
	for _, step := range []struct {
		flags      int
		text, want string
	}{
		{os.O_WRONLY | os.O_CREATE | os.O_EXCL, big, big},
		{os.O_WRONLY | os.O_TRUNC, "one", "one"},
		{os.O_WRONLY | os.O_APPEND, " two", "one two"},
		{os.O_RDWR, "ONE", "ONE two"},
	} {
		if err := save(c, "/etc/yard/new", step.flags, step.text); err != nil {
			t.Fatal(err)
		}
		has(t, behind, "/etc/yard/new", step.want)
	}
	if err := errors.Join(c.Mkdir("/etc/yard/sub"), c.Rename("/etc/yard/new", "/etc/yard/sub/moved"),
		c.PosixRename("/etc/yard/sub/moved", "/etc/yard/main.conf")); err != nil {
		t.Fatal(err)
	}
	has(t, behind, "/etc/yard/main.conf", "ONE two")
	if err := errors.Join(c.Chmod("/etc/yard/main.conf", 0o600),
		c.Chtimes("/etc/yard/main.conf", time.Unix(7, 0), time.Unix(9, 0)),
		c.Truncate("/etc/yard/main.conf", 3)); err != nil {
		t.Fatal(err)
	}
	has(t, behind, "/etc/yard/main.conf", "ONE")
	info, err := c.Stat("/etc/yard/main.conf")
	if err != nil || info.Mode().Perm() != 0o600 || info.Size() != 3 {
		t.Errorf("%v, %v", info, err)
	}
	infos, err := c.ReadDir("/etc/yard")
	if err != nil || len(infos) != 2 || infos[0].Name() != "main.conf" || !infos[1].IsDir() {
		t.Errorf("%v, %v", infos, err)
	}
	if err := errors.Join(c.Remove("/etc/yard/main.conf"), c.RemoveDirectory("/etc/yard/sub")); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Lstat("/etc/yard/main.conf"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after it was removed: %v", err)
	}
}

// TestFilesAreStrict checks that the server is as strict as a real one, even if the file system behind it is not.
func TestFilesAreStrict(t *testing.T) {
	s, w := yard(t, sandbox.Options{})
	c, behind := filesOf(t, s, w, "far")
	put(t, behind, "/d/file", "text")
	put(t, behind, "/other", "text")
	if err := behind.Mkdir("/empty", 0o755); err != nil {
		t.Fatal(err)
	}
	exists := func(name string) error { return save(c, name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, "x") }
	failed := new(sftp.StatusError)
	for _, try := range []struct {
		what string
		err  error
		gone bool
	}{
		{"reading what is missing", save(c, "/none", os.O_RDWR, ""), true},
		{"making a file in a folder that is not there", exists("/none/file"), true},
		{"making a file in a file", exists("/other/file"), false},
		{"making a file again", exists("/d/file"), false},
		{"writing a folder", save(c, "/d", os.O_WRONLY, "x"), false},
		{"reading a folder", save(c, "/d", os.O_RDONLY, ""), false},
		{"removing what is missing", c.Remove("/none"), true},
		{"removing a folder that is not empty", c.RemoveDirectory("/d"), false},
		{"removing a file as a folder", c.RemoveDirectory("/other"), false},
		{"making a folder again", c.Mkdir("/d"), false},
		{"making a folder in one that is not there", c.Mkdir("/none/sub"), true},
		{"renaming what is missing", c.Rename("/none", "/new"), true},
		{"renaming to what is there", c.Rename("/other", "/d/file"), false},
		{"renaming into a folder that is not there", c.PosixRename("/other", "/none/file"), true},
		{"replacing a folder by a file", c.PosixRename("/other", "/empty"), false},
		{"replacing a folder that is not empty", c.PosixRename("/empty", "/d"), false},
		{"moving a folder into itself", c.PosixRename("/d", "/d/sub"), false},
		{"changing what is missing", c.Chmod("/none", 0o600), true},
		{"a link where there are none", c.Symlink("/other", "/link"), false},
		{"a hard link", c.Link("/other", "/link"), false},
	} {
		if try.err == nil || errors.Is(try.err, fs.ErrNotExist) != try.gone || !try.gone && !errors.As(try.err, &failed) {
			t.Errorf("%s: %v", try.what, try.err)
		}
	}
	if _, err := c.ReadDir("/other"); err == nil {
		t.Error("a file is listed")
	}
	if _, err := c.ReadLink("/other"); err == nil {
		t.Error("a file leads somewhere")
	}
	if err := c.PosixRename("/empty", "/moved"); err != nil {
		t.Errorf("moving an empty folder: %v", err)
	}
	has(t, behind, "/d/file", "text")
	has(t, behind, "/other", "text")
}

func TestAccessLogOfFiles(t *testing.T) {
	var log lockedBuffer
	s, w := yard(t, sandbox.Options{AccessLog: &log})
	c, behind := filesOf(t, s, w, "a")
	put(t, behind, "/d/old", "12345")
	f, err := c.Open("/d/old")
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.ReadAll(f)
	_, listing := c.ReadDir("/d")
	_, looking := c.Lstat("/d/old")
	err = errors.Join(err, f.Close(), listing, looking,
		save(c, "/d/new", os.O_WRONLY|os.O_CREATE, "123"), c.Chmod("/d/new", 0o600), c.Mkdir("/e"),
		c.Rename("/d/new", "/e/new"), c.Remove("/d/old"))
	if err != nil {
		t.Fatal(err)
	}
	if c.Mkdir("/d") == nil || c.Symlink("/d", "/l") == nil {
		t.Error("what cannot be is")
	}
	line := func(method, path string, reading, ok bool, in, out int64) sandbox.AccessLine {
		return sandbox.AccessLine{
			Server: "a", Product: "yard", Protocol: "sftp", Method: method, Path: path, Reading: reading,
			CarriedOut: true, OK: ok, BytesIn: in, BytesOut: out,
		}
	}
	want := []sandbox.AccessLine{
		line("LIST", "/d", true, true, 0, 0), line("STAT", "/d/old", true, true, 0, 0),
		line("READ", "/d/old", true, true, 0, 5),
		line("WRITE", "/d/new", false, true, 3, 0), line("SETSTAT", "/d/new", false, true, 0, 0),
		line("MKDIR", "/e", false, true, 0, 0),
		line("RENAME", "/d/new", false, true, 0, 0), line("REMOVE", "/d/old", false, true, 0, 0),
		line("MKDIR", "/d", false, false, 0, 0), line("LINK", "/l", false, false, 0, 0),
	}
	got := log.lines(t)
	if len(got) > 0 && got[0].Method == "STAT" { // of the open file, to read it in one go
		got = got[1:]
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(sandbox.AccessLine{}, "Time", "DurationMS")); diff != "" {
		t.Error(diff)
	}
}

func TestEveryKindOfFaultOnFiles(t *testing.T) {
	works := map[string]func(*sftp.Client) error{
		"MKDIR": func(c *sftp.Client) error { return c.Mkdir("/d/sub") },
		"WRITE": func(c *sftp.Client) error { return save(c, "/d/sub", os.O_WRONLY|os.O_CREATE, "x") },
		"READ": func(c *sftp.Client) error {
			f, err := c.Open("/d/file")
			if err != nil {
				return err
			}
			_, err = io.ReadAll(f)
			return errors.Join(err, f.Close())
		},
	}
	for _, kind := range []sandbox.FaultKind{sandbox.Fail, sandbox.Cut, sandbox.Lost, sandbox.Late} {
		for method, work := range works {
			t.Run(fmt.Sprint(method, " ", kind), func(t *testing.T) {
				var log lockedBuffer
				slept := false
				s, w := yard(t, sandbox.Options{
					AccessLog: &log, Faults: []sandbox.Fault{{Server: "a", Method: method, Path: "/d/*", Kind: kind}},
					Sleep: func(context.Context, time.Duration) error { slept = true; return nil },
				})
				c, behind := filesOf(t, s, w, "a")
				put(t, behind, "/d/file", "")
				err := work(c)
				if (err == nil) != (kind == sandbox.Late) || slept != (kind == sandbox.Late) {
					t.Errorf("%v, waited %v", err, slept)
				}
				if told := strings.Contains(fmt.Sprint(err), "a fault asked for"); told != (kind == sandbox.Fail) {
					t.Errorf("%v", err)
				}
				done := kind == sandbox.Lost || kind == sandbox.Late
				if there, err := afero.Exists(behind, "/d/sub"); err != nil || there != (done && method != "READ") {
					t.Errorf("it is there: %v, %v", there, err)
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				if lines := log.lines(t); len(lines) != 1 || lines[0].Method != method || lines[0].CarriedOut != done ||
					lines[0].OK != done || lines[0].Fault != string(kind) {
					t.Errorf("access log: %+v", lines)
				}
			})
		}
	}
}

// TestFileOfALostClient checks a client that disconnects in the middle of a file: what it has written stays, and the
// access log says that it was incomplete.
func TestFileOfALostClient(t *testing.T) {
	var log lockedBuffer
	s, w := yard(t, sandbox.Options{AccessLog: &log})
	conn := login(t, s, "a")
	c, err := sftp.NewClient(conn)
	if err != nil {
		t.Fatal(err)
	}
	f, err := c.Create("/half")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte("hal")); err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait() // how the connection ended
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	has(t, w.files["a"], "/half", "hal")
	if lines := log.lines(t); len(lines) != 1 || lines[0].Method != "WRITE" || lines[0].BytesIn != 3 ||
		lines[0].OK || !lines[0].CarriedOut {
		t.Errorf("access log: %+v", lines)
	}
}

func TestHangingFileEndsWithTheSandbox(t *testing.T) {
	came := make(chan struct{})
	s, w := yard(t, sandbox.Options{
		Faults: []sandbox.Fault{{Method: "MKDIR", Kind: sandbox.Hang}},
		Now: func() time.Time {
			select {
			case <-came:
			default:
				close(came)
			}
			return time.Now()
		},
	})
	c, behind := filesOf(t, s, w, "a")
	done := make(chan error, 1)
	go func() { done <- c.Mkdir("/d") }()
	<-came
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := <-done; err == nil {
		t.Error("there was an answer")
	}
	if there, err := afero.Exists(behind, "/d"); there || err != nil {
		t.Errorf("it is there: %v, %v", there, err)
	}
}

// TestLinks checks that links work if the file system behind the server has them.
func TestLinks(t *testing.T) {
	s, w := yard(t, sandbox.Options{})
	w.files["a"] = afero.NewBasePathFs(afero.NewOsFs(), t.TempDir())
	c, behind := filesOf(t, s, w, "a")
	put(t, behind, "/file", "text")
	if err := c.Symlink("file", "/link"); err != nil {
		t.Fatal(err)
	}
	if info, err := c.Lstat("/link"); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("%v, %v", info, err)
	}
	if info, err := c.Stat("/link"); err != nil || !info.Mode().IsRegular() {
		t.Errorf("%v, %v", info, err)
	}
	if c.Symlink("file", "/link") == nil {
		t.Error("a link is made again")
	}
	if err := c.Remove("/link"); err != nil {
		t.Error(err)
	}
	has(t, behind, "/file", "text")
}
