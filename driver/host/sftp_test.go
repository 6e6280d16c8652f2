//go:build unix

package host

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pkg/sftp"
	"github.com/spf13/afero"
)

// fsCase is a file system that the shared test runs on, and where in it.
type fsCase struct {
	fs   afero.Fs
	dir  string
	real bool // it keeps permissions, links and directories as an operating system does; in memory it does not
}

// sftpServers are where Debian, Red Hat, Arch and others keep OpenSSH's own.
var sftpServers = []string{"/usr/lib/openssh/sftp-server", "/usr/libexec/openssh/sftp-server", "/usr/lib/ssh/sftp-server", "/usr/libexec/sftp-server"}

// eachFs runs a test on all of them. A machine that has no sftp-server of OpenSSH has fewer.
func eachFs(t *testing.T, test func(t *testing.T, c fsCase)) {
	t.Helper()
	cases := map[string]func(t *testing.T) fsCase{
		"os":       func(t *testing.T) fsCase { return fsCase{afero.NewOsFs(), t.TempDir(), true} },
		"memory":   func(*testing.T) fsCase { return fsCase{afero.NewMemMapFs(), "/dir", false} },
		"over SSH": func(t *testing.T) fsCase { _, h := pair(t, nil); return fsCase{h.Fs(), t.TempDir(), true} },
		"this host": func(t *testing.T) fsCase {
			return fsCase{Local(LocalOptions{Fs: afero.NewOsFs()}).Fs(), t.TempDir(), true}
		},
	}
	for _, program := range sftpServers {
		if _, err := os.Stat(program); err == nil {
			cases["OpenSSH"] = func(t *testing.T) fsCase { return fsCase{openSSH(t, program), t.TempDir(), true} }
		}
	}
	for name, open := range cases {
		t.Run(name, func(t *testing.T) {
			c := open(t)
			if err := c.fs.MkdirAll(c.dir, 0o755); err != nil {
				t.Fatal(err)
			}
			test(t, c)
		})
	}
}

// openSSH are this machine's files through OpenSSH's sftp-server.
func openSSH(t *testing.T, program string) afero.Fs {
	t.Helper()
	cmd := exec.CommandContext(context.Background(), program)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	c, err := sftp.NewClientPipe(out, in, sftp.UseConcurrentReads(false))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Close()
		_ = cmd.Wait()
	})
	return &sftpFs{name: "test", client: func() (*sftp.Client, error) { return c, nil }}
}

func (c fsCase) at(name string) string { return path.Join(c.dir, name) }

func (c fsCase) write(t *testing.T, name, text string) string {
	t.Helper()
	if err := afero.WriteFile(c.fs, c.at(name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return c.at(name)
}

func (c fsCase) read(t *testing.T, name string) string {
	t.Helper()
	b, err := afero.ReadFile(c.fs, c.at(name))
	if err != nil {
		t.Error(err)
	}
	return string(b)
}

func (c fsCase) mode(t *testing.T, name string) os.FileMode {
	t.Helper()
	info, err := c.fs.Stat(c.at(name))
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Perm()
}

func is(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

func TestOpenFile(t *testing.T) {
	eachFs(t, func(t *testing.T, c fsCase) {
		name := c.write(t, "file", "0123456789")
		open := func(flag int) afero.File {
			t.Helper()
			f, err := c.fs.OpenFile(name, flag, 0o600)
			if err != nil {
				t.Fatal(err)
			}
			return f
		}
		f := open(os.O_WRONLY)
		_, err := f.WriteString("ab")
		ok(t, err)
		_, err = f.WriteAt([]byte("Z"), 9)
		ok(t, err)
		_, err = f.Seek(-2, io.SeekEnd)
		ok(t, err)
		_, err = f.Write([]byte("Y"))
		ok(t, err)
		ok(t, f.Sync())
		ok(t, f.Close())
		if got := c.read(t, "file"); got != "ab234567YZ" {
			t.Errorf("got %q", got)
		}
		f = open(os.O_RDWR | os.O_CREATE)
		b := make([]byte, 4)
		n, err := f.ReadAt(b, 8)
		if n != 2 || err != io.EOF && c.real || string(b[:2]) != "YZ" { //nolint:errorlint // it is never wrapped
			t.Errorf("%d, %v, %q", n, err, b)
		}
		ok(t, f.Truncate(3))
		ok(t, f.Close())
		if got := c.read(t, "file"); got != "ab2" || c.mode(t, "file") != 0o644 {
			t.Errorf("got %q, %v", got, c.mode(t, "file"))
		}
		f = open(os.O_WRONLY | os.O_APPEND)
		for _, s := range []string{"x", "yz"} {
			_, err = f.WriteString(s)
			ok(t, err)
		}
		ok(t, f.Close())
		if got := c.read(t, "file"); got != "ab2xyz" {
			t.Errorf("got %q", got)
		}
		ok(t, open(os.O_WRONLY|os.O_TRUNC|os.O_CREATE).Close())
		if got := c.read(t, "file"); got != "" || c.mode(t, "file") != 0o644 {
			t.Errorf("got %q, %v", got, c.mode(t, "file"))
		}
		_, err = c.fs.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		is(t, err, fs.ErrExist)
		_, err = c.fs.OpenFile(c.at("none"), os.O_RDWR, 0o600)
		is(t, err, fs.ErrNotExist)
		_, err = c.fs.Open(c.at("none"))
		is(t, err, fs.ErrNotExist)
		if c.real {
			_, err = c.fs.Create(c.at("no/such/directory"))
			is(t, err, fs.ErrNotExist)
			_, err = c.fs.OpenFile(c.dir, os.O_WRONLY, 0)
			is(t, err, syscall.EISDIR)
			_, err = c.fs.Create(c.dir)
			is(t, err, syscall.EISDIR)
			_, err = c.fs.Open(name + "/below")
			if err == nil {
				t.Error("a file was entered")
			}
		}
		f = open(os.O_RDONLY)
		ok(t, f.Close())
		if c.real {
			_, err = f.Read(b)
			is(t, err, fs.ErrClosed)
			is(t, f.Close(), fs.ErrClosed)
		}
	})
}

func TestReading(t *testing.T) {
	eachFs(t, func(t *testing.T, c fsCase) {
		large := bytes.Repeat([]byte("0123456789abcde\n"), 20_000)
		name := c.write(t, "large", string(large))
		f, err := c.fs.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if f.Name() != name {
			t.Errorf("it calls itself %s", f.Name())
		}
		b, err := io.ReadAll(f)
		if err != nil || !bytes.Equal(b, large) {
			t.Errorf("%d bytes, %v", len(b), err)
		}
		if n, err := f.Read(make([]byte, 5)); n != 0 || err != io.EOF { //nolint:errorlint // it is never wrapped
			t.Errorf("after the end: %d, %v", n, err)
		}
		at := make([]byte, 100_000)
		if n, err := f.ReadAt(at, 16_001); n != len(at) || err != nil || !bytes.Equal(at, large[16_001:][:n]) {
			t.Errorf("%d, %v", n, err)
		}
		if off, err := f.Seek(7, io.SeekStart); off != 7 || err != nil {
			t.Errorf("%d, %v", off, err)
		}
		if n, err := io.ReadFull(f, at[:5]); n != 5 || err != nil || string(at[:5]) != "789ab" {
			t.Errorf("%q, %v", at[:5], err)
		}
		info, err := f.Stat()
		if err != nil || info.Size() != int64(len(large)) || info.Name() != "large" || info.IsDir() {
			t.Errorf("%+v, %v", info, err)
		}
	})
}

// Files are replaced whole: written beside, made sure of, and put in place, with the permissions of the one before.
func TestReplacing(t *testing.T) {
	eachFs(t, func(t *testing.T, c fsCase) {
		name := c.write(t, "config", "old")
		ok(t, c.fs.Chmod(name, 0o640))
		before, err := c.fs.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		temp := c.at("config.new")
		f, err := c.fs.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if c.mode(t, "config.new") != 0o600 {
			t.Errorf("others may read it at first: %v", c.mode(t, "config.new"))
		}
		_, err = f.WriteString("new")
		ok(t, err)
		ok(t, c.fs.Chmod(temp, before.Mode().Perm()))
		ok(t, f.Sync())
		ok(t, f.Close())
		ok(t, c.fs.Rename(temp, name))
		if got := c.read(t, "config"); got != "new" || c.mode(t, "config") != 0o640 {
			t.Errorf("got %q, %v", got, c.mode(t, "config"))
		}
		_, err = c.fs.Stat(temp)
		is(t, err, fs.ErrNotExist)
		err = c.fs.Rename(temp, name)
		is(t, err, fs.ErrNotExist)
		if c.real && !strings.Contains(err.Error(), name) {
			t.Errorf("it does not say where to: %v", err)
		}
		if c.real {
			ok(t, c.fs.MkdirAll(c.at("dir/in"), 0o755))
			is(t, c.fs.Rename(name, c.at("dir")), fs.ErrExist)
		}
	})
}

func TestPermissions(t *testing.T) {
	eachFs(t, func(t *testing.T, c fsCase) {
		if !c.real {
			return // memory has no umask and keeps what it is given
		}
		for _, perm := range []os.FileMode{0o600, 0o644, 0o666, 0o755, 0o700, 0o400} {
			local, want := t.TempDir(), os.FileMode(0)
			f, err := os.OpenFile(path.Join(local, "file"), os.O_CREATE|os.O_WRONLY, perm)
			ok(t, err)
			f.Close()
			if info, err := os.Stat(f.Name()); err == nil {
				want = info.Mode().Perm()
			}
			name := perm.String()
			g, err := c.fs.OpenFile(c.at(name), os.O_CREATE|os.O_WRONLY, perm)
			if err != nil {
				t.Error(err)
				continue
			}
			ok(t, g.Close())
			if got := c.mode(t, name); got != want {
				t.Errorf("a file of %v has %v, want %v", perm, got, want)
			}
			ok(t, c.fs.Mkdir(c.at(name+"-dir"), perm))
			if got := c.mode(t, name+"-dir"); got != want {
				t.Errorf("a directory of %v has %v, want %v", perm, got, want)
			}
		}
		name := c.write(t, "existing", "")
		ok(t, c.fs.Chmod(name, 0o604))
		for _, flag := range []int{os.O_RDONLY, os.O_RDWR | os.O_CREATE, os.O_WRONLY | os.O_TRUNC | os.O_CREATE, os.O_APPEND | os.O_WRONLY} {
			f, err := c.fs.OpenFile(name, flag, 0o777)
			ok(t, err)
			ok(t, f.Close())
			if c.mode(t, "existing") != 0o604 {
				t.Fatalf("opening with %x changed the permissions to %v", flag, c.mode(t, "existing"))
			}
		}
		ok(t, c.fs.Chown(name, -1, os.Getgid()))
		ok(t, c.fs.Chown(name, os.Getuid(), -1))
	})
}

func TestDirectories(t *testing.T) {
	eachFs(t, func(t *testing.T, c fsCase) {
		ok(t, c.fs.MkdirAll(c.at("a/b/c"), 0o755))
		ok(t, c.fs.MkdirAll(c.at("a/b/c"), 0o755))
		is(t, c.fs.Mkdir(c.at("a"), 0o755), fs.ErrExist)
		for _, n := range []string{"a/z", "a/y", "a/x", "a/b/1"} {
			c.write(t, n, n)
		}
		d, err := c.fs.Open(c.at("a"))
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		info, err := d.Stat()
		if err != nil || !info.IsDir() || info.Name() != "a" {
			t.Errorf("%+v, %v", info, err)
		}
		var names []string
		for {
			some, err := d.Readdir(3)
			for _, e := range some {
				names = append(names, e.Name())
			}
			if err == io.EOF || len(some) == 0 { //nolint:errorlint // it is never wrapped
				break
			}
			ok(t, err)
		}
		all, err := afero.ReadDir(c.fs, c.at("a"))
		ok(t, err)
		if len(names) != 4 || len(all) != 4 || all[0].Name() != "b" || !all[0].IsDir() || all[3].Size() != 3 {
			t.Errorf("%v, %v", names, all)
		}
		var walked []string
		ok(t, afero.Walk(c.fs, c.at("a"), func(name string, _ os.FileInfo, err error) error {
			walked = append(walked, strings.TrimPrefix(name, c.dir))
			return err
		}))
		if diff := cmp.Diff([]string{"/a", "/a/b", "/a/b/1", "/a/b/c", "/a/x", "/a/y", "/a/z"}, walked); diff != "" {
			t.Error(diff)
		}
		if c.real {
			is(t, c.fs.Remove(c.at("a")), syscall.ENOTEMPTY)
			is(t, c.fs.MkdirAll(c.at("a/z/sub"), 0o755), syscall.ENOTDIR)
			is(t, c.fs.Mkdir(c.at("no/such"), 0o755), fs.ErrNotExist)
			f, err := c.fs.Open(c.at("a/z"))
			ok(t, err)
			_, err = f.Readdir(-1)
			is(t, err, syscall.ENOTDIR)
			f.Close()
		}
		ok(t, c.fs.Remove(c.at("a/b/c")))
		ok(t, c.fs.Remove(c.at("a/z")))
		is(t, c.fs.Remove(c.at("a/z")), fs.ErrNotExist)
		ok(t, c.fs.RemoveAll(c.at("a")))
		ok(t, c.fs.RemoveAll(c.at("a")))
		_, err = c.fs.Stat(c.at("a"))
		is(t, err, fs.ErrNotExist)
		if exists, err := afero.DirExists(c.fs, c.dir); err != nil || !exists {
			t.Errorf("%v, %v", exists, err)
		}
	})
}

func TestTimes(t *testing.T) {
	eachFs(t, func(t *testing.T, c fsCase) {
		name := c.write(t, "file", "")
		then := time.Date(2019, 5, 4, 3, 2, 1, 0, time.UTC)
		ok(t, c.fs.Chtimes(name, then, then))
		info, err := c.fs.Stat(name)
		if err != nil || !info.ModTime().Equal(then) {
			t.Errorf("%v, %v", info.ModTime(), err)
		}
		if !c.real {
			return
		}
		ok(t, c.fs.Chtimes(name, time.Now(), time.Time{}))
		if info, err := c.fs.Stat(name); err != nil || !info.ModTime().Equal(then) {
			t.Errorf("%v, %v", info.ModTime(), err)
		}
		ok(t, c.fs.Chtimes(name, time.Time{}, then.Add(time.Hour)))
		if info, err := c.fs.Stat(name); err != nil || !info.ModTime().Equal(then.Add(time.Hour)) {
			t.Errorf("%v, %v", info.ModTime(), err)
		}
	})
}

// What a symbolic link leads to is read and written, and never removed with it.
func TestSymbolicLinks(t *testing.T) {
	eachFs(t, func(t *testing.T, c fsCase) {
		links, can := c.fs.(afero.Symlinker)
		if !can {
			return // memory has none
		}
		ok(t, c.fs.MkdirAll(c.at("kept/in"), 0o755))
		c.write(t, "kept/file", "text")
		ok(t, c.fs.MkdirAll(c.at("gone"), 0o755))
		ok(t, links.SymlinkIfPossible(c.at("kept"), c.at("gone/link")))
		ok(t, links.SymlinkIfPossible("../kept/file", c.at("gone/relative")))
		is(t, links.SymlinkIfPossible("x", c.at("gone/link")), fs.ErrExist)
		if to, err := links.ReadlinkIfPossible(c.at("gone/relative")); err != nil || to != "../kept/file" {
			t.Errorf("%s, %v", to, err)
		}
		if got := c.read(t, "gone/link/file"); got != "text" {
			t.Errorf("got %q", got)
		}
		info, lstat, err := links.LstatIfPossible(c.at("gone/link"))
		if err != nil || !lstat || info.Mode()&os.ModeSymlink == 0 {
			t.Errorf("%v, %v", info, err)
		}
		info, err = c.fs.Stat(c.at("gone/link"))
		if err != nil || !info.IsDir() {
			t.Errorf("%v, %v", info, err)
		}
		// Through a link to what is not there yet, as open(2) does; never when it has to be new.
		ok(t, links.SymlinkIfPossible(c.at("new"), c.at("to-new")))
		_, err = c.fs.OpenFile(c.at("to-new"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		is(t, err, fs.ErrExist)
		f, err := c.fs.OpenFile(c.at("to-new"), os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		ok(t, f.Close())
		if c.mode(t, "new") != 0o600 {
			t.Errorf("got %v", c.mode(t, "new"))
		}
		ok(t, c.fs.RemoveAll(c.at("gone")))
		ok(t, c.fs.Remove(c.at("to-new")))
		if got := c.read(t, "kept/file"); got != "text" {
			t.Errorf("got %q", got)
		}
		_, err = c.fs.Stat(c.at("new"))
		ok(t, err)
	})
}
