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
	"github.com/spf13/afero"
)

// fsCase is a set of files for the shared test, and a folder in it.
type fsCase struct {
	Files

	fs   afero.Fs // the file system that they are in
	dir  string
	real bool // it keeps owners, links and directories as an operating system does; in memory it does not
}

// sftpServers holds the places of OpenSSH's sftp-server on Debian, Red Hat, Arch and others.
var sftpServers = []string{"/usr/lib/openssh/sftp-server", "/usr/libexec/openssh/sftp-server",
	"/usr/lib/ssh/sftp-server", "/usr/libexec/sftp-server"}

// eachFs runs a test on all kinds of files. It leaves out OpenSSH's sftp-server if this machine has none.
func eachFs(t *testing.T, test func(t *testing.T, c fsCase)) {
	t.Helper()
	here, memory := afero.NewOsFs(), afero.NewMemMapFs()
	cases := map[string]func(t *testing.T) fsCase{
		"memory": func(*testing.T) fsCase { return fsCase{FilesOf(memory), memory, "/dir", false} },
		"over SSH": func(t *testing.T) fsCase {
			_, h := pair(t, nil)
			return fsCase{h.Files(t.Context()), here, t.TempDir(), true}
		},
		"this host": func(t *testing.T) fsCase {
			return fsCase{Local(LocalOptions{Fs: here}).Files(t.Context()), here, t.TempDir(), true}
		},
	}
	for _, program := range sftpServers {
		if _, err := os.Stat(program); err == nil {
			cases["OpenSSH"] = func(t *testing.T) fsCase { return fsCase{openSSH(t, program), here, t.TempDir(), true} }
		}
	}
	for name, open := range cases {
		t.Run(name, func(t *testing.T) {
			c := open(t)
			ok(t, c.fs.MkdirAll(c.at("folder"), 0o755))
			test(t, c)
		})
	}
}

// openSSH returns this machine's files through OpenSSH's sftp-server.
func openSSH(t *testing.T, program string) Files {
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
	from := &meter{Reader: out}
	c, err := speak(from, in)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Close()
		_ = cmd.Wait()
	})
	session := newTransfer(c, from)
	return &sftpFiles{ctx: t.Context(), limit: time.Minute, name: "test",
		client: func(context.Context) (*transfer, error) { return session, nil }}
}

func (c fsCase) at(name string) string { return path.Join(c.dir, name) }

// create makes a file through the files under test.
func (c fsCase) create(t *testing.T, name, text string) string {
	t.Helper()
	f, err := c.Create(c.at(name))
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.WriteString(f, text)
	ok(t, errors.Join(err, f.Sync(), f.Close()))
	return c.at(name)
}

func (c fsCase) read(t *testing.T, name string) string {
	t.Helper()
	b, err := ReadFile(c, c.at(name), MaxFile)
	ok(t, err)
	return string(b)
}

func (c fsCase) mode(t *testing.T, name string) os.FileMode {
	t.Helper()
	info, err := c.Stat(c.at(name))
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

// TestPipesAreNotFiles checks that pipes, and links to pipes, are refused everywhere without waiting.
func TestPipesAreNotFiles(t *testing.T) {
	eachFs(t, func(t *testing.T, c fsCase) {
		if !c.real {
			return
		}
		ok(t, syscall.Mkfifo(c.at("pipe"), 0o600))
		ok(t, os.Symlink("pipe", c.at("link")))
		for _, name := range []string{"pipe", "link"} {
			_, err := ReadFile(c, c.at(name), MaxFile)
			is(t, err, fs.ErrInvalid)
			_, err = Replace(t.Context(), c, Replacement{Name: c.at(name), Was: "x", Random: bytes.NewReader(make([]byte, 99))})
			if err == nil {
				t.Errorf("%s is replaced", name)
			}
		}
	})
}

func TestCreate(t *testing.T) {
	eachFs(t, func(t *testing.T, c fsCase) {
		name := c.create(t, "file", "0123456789")
		if got := c.read(t, "file"); got != "0123456789" || c.mode(t, "file") != 0o600 {
			t.Errorf("got %q, %v", got, c.mode(t, "file"))
		}
		_, err := c.Create(name)
		is(t, err, fs.ErrExist)
		if c.real {
			_, err = c.Create(c.at("no/such/directory"))
			is(t, err, fs.ErrNotExist)
			_, err = c.Create(c.at("folder"))
			is(t, err, fs.ErrExist)
			ok(t, os.Symlink(c.at("none"), c.at("link")))
			_, err = c.Create(c.at("link"))
			is(t, err, fs.ErrExist)
		}
	})
}

func TestOpen(t *testing.T) {
	eachFs(t, func(t *testing.T, c fsCase) {
		large := bytes.Repeat([]byte("0123456789abcde\n"), 20_000)
		f, err := c.Open(c.create(t, "large", string(large)))
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(f)
		if err != nil || !bytes.Equal(b, large) {
			t.Errorf("%d bytes, %v", len(b), err)
		}
		if n, err := f.Read(make([]byte, 5)); n != 0 || err != io.EOF { //nolint:errorlint // it is never wrapped
			t.Errorf("after the end: %d, %v", n, err)
		}
		if off, err := f.Seek(7, io.SeekStart); off != 7 || err != nil {
			t.Errorf("%d, %v", off, err)
		}
		at := make([]byte, 5)
		if n, err := io.ReadFull(f, at); n != 5 || err != nil || string(at) != "789ab" {
			t.Errorf("%q, %v", at, err)
		}
		ok(t, f.Close())
		_, err = c.Open(c.at("none"))
		is(t, err, fs.ErrNotExist)
		_, err = ReadFile(c, c.at("none"), MaxFile)
		is(t, err, fs.ErrNotExist)
		if !c.real {
			return
		}
		_, err = f.Read(at)
		is(t, err, fs.ErrClosed)
		is(t, f.Close(), fs.ErrClosed)
		_, err = ReadFile(c, c.at("folder"), MaxFile)
		is(t, err, syscall.EISDIR)
		if _, err = c.Open(c.at("large/below")); err == nil {
			t.Error("a file was entered")
		}
	})
}

func TestRename(t *testing.T) {
	eachFs(t, func(t *testing.T, c fsCase) {
		name, temp := c.create(t, "config", "old"), c.create(t, "config.new", "new")
		ok(t, c.Rename(temp, name))
		if got := c.read(t, "config"); got != "new" || c.mode(t, "config") != 0o600 {
			t.Errorf("got %q, %v", got, c.mode(t, "config"))
		}
		_, err := c.Stat(temp)
		is(t, err, fs.ErrNotExist)
		err = c.Rename(temp, name)
		is(t, err, fs.ErrNotExist)
		if c.real && !strings.Contains(err.Error(), name) {
			t.Errorf("it does not say where to: %v", err)
		}
		if c.real {
			is(t, c.Rename(name, c.at("folder")), fs.ErrExist)
		}
		ok(t, c.Remove(name))
		is(t, c.Remove(name), fs.ErrNotExist)
	})
}

func TestNames(t *testing.T) {
	eachFs(t, func(t *testing.T, c fsCase) {
		for _, n := range []string{"z", "y", "x"} {
			c.create(t, n, n)
		}
		names, err := c.Names(c.dir)
		if diff := cmp.Diff([]string{"folder", "x", "y", "z"}, names); diff != "" || err != nil {
			t.Error(diff, err)
		}
		_, err = c.Names(c.at("none"))
		is(t, err, fs.ErrNotExist)
	})
}

// TestSymbolicLinks checks that a file is read through a symbolic link, and that removing the link keeps the file.
func TestSymbolicLinks(t *testing.T) {
	eachFs(t, func(t *testing.T, c fsCase) {
		name := c.create(t, "file", "text")
		if !c.real { // memory has none
			_, err := c.Readlink(name)
			is(t, err, errors.ErrUnsupported)
			_, err = c.Lstat(name)
			ok(t, err)
			return
		}
		ok(t, os.Symlink("../file", c.at("folder/link")))
		link := c.at("folder/link")
		if to, err := c.Readlink(link); err != nil || to != "../file" {
			t.Errorf("%s, %v", to, err)
		}
		if got := c.read(t, "folder/link"); got != "text" {
			t.Errorf("got %q", got)
		}
		if info, err := c.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
			t.Errorf("%v, %v", info, err)
		}
		if info, err := c.Stat(link); err != nil || info.Mode()&os.ModeSymlink != 0 {
			t.Errorf("%v, %v", info, err)
		}
		ok(t, c.Remove(link))
		if got := c.read(t, "file"); got != "text" {
			t.Errorf("got %q", got)
		}
	})
}
