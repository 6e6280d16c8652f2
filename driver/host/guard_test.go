//go:build unix

package host

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"
)

var errNotAllowed = errors.New("not allowed")

// under returns the files of a machine. Only those that are really in one folder, wherever links lead, are allowed.
func under(t *testing.T, allowed string) Files {
	t.Helper()
	h := Local(LocalOptions{Fs: afero.NewOsFs()})
	t.Cleanup(func() { _ = h.Close() })
	decide := func(files Files, name string) error {
		real, err := Real(files, name)
		if err == nil && real != allowed && !strings.HasPrefix(real, allowed+"/") {
			err = errNotAllowed
		}
		return err
	}
	return Guard(h, Permission{File: decide}).Files(context.Background())
}

// TestGuardedFiles checks that files outside of what is allowed are neither read nor changed, even by links. Files
// that Replace makes next to an allowed one are allowed.
func TestGuardedFiles(t *testing.T) {
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	in, out := filepath.Join(root, "in"), filepath.Join(root, "out")
	for _, dir := range []string{in, out} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "f"), []byte("was"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{"file": "../out/f", "folder": "../out", "circle": "circle", "up": "..",
		"own": "f", "f.20200101T000000Z.bak": "../out/f", ".f.syncctl-0123456789abcdef": "../out/f"} {
		if err := os.Symlink(to, filepath.Join(in, link)); err != nil {
			t.Fatal(err)
		}
	}
	files := under(t, in)
	for _, name := range []string{
		out + "/f", in + "/file", in + "/folder/f", in + "/../out/f", in + "/up/out/f", in + "/circle/f", in + "/folder/new",
		in + "/f.20200101T000000Z.bak", in + "/.f.syncctl-0123456789abcdef",
	} {
		for op, act := range map[string]func() error{
			"open":     func() error { _, err := files.Open(name); return err },
			"stat":     func() error { _, err := files.Stat(name); return err },
			"lstat":    func() error { _, err := files.Lstat(name); return err },
			"readlink": func() error { _, err := files.Readlink(name); return err },
			"create":   func() error { _, err := files.Create(name + "2"); return err },
			"from":     func() error { return files.Rename(name, in+"/g") },
			"to":       func() error { return files.Rename(in+"/f", name) },
			"remove":   func() error { return files.Remove(name) },
			"replace": func() error {
				_, err := Replace(t.Context(), files, Replacement{Name: name, Content: []byte("new"), Was: Sum([]byte("was")),
					Now: time.Unix(0, 0), Random: strings.NewReader("0123456789abcdef")})
				return err
			},
		} {
			err := act()
			if filepath.Dir(name) == in && op == "create" { // another name, in the folder
				_ = os.Remove(name + "2")
				continue
			}
			if !errors.Is(err, errNotAllowed) && !errors.Is(err, errCircle) {
				t.Errorf("%s %s: %v", op, name, err)
			}
		}
	}
	if got, err := os.ReadFile(out + "/f"); err != nil || string(got) != "was" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := files.Open(in + "/own"); err != nil {
		t.Error(err)
	}
}

// TestGuardedReplace checks that a single allowed file can be replaced, with a backup, and that the temporary file of
// an earlier process is removed. Other files in the folder cannot be seen.
func TestGuardedReplace(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "a.p12")
	left := filepath.Join(dir, ".a.p12.syncctl-0123456789abcdef")
	for _, n := range []string{name, left, filepath.Join(dir, "other")} {
		if err := os.WriteFile(n, []byte("was"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	h := Local(LocalOptions{Fs: afero.NewOsFs()})
	t.Cleanup(func() { _ = h.Close() })
	only := func(wanted string) func(Files, string) error {
		return func(_ Files, n string) error {
			if n != wanted {
				return errNotAllowed
			}
			return nil
		}
	}
	files := Guard(h, Permission{File: only(name), Folder: only(dir)}).Files(t.Context())
	if names, err := files.Names(dir); err != nil || len(names) != 2 {
		t.Errorf("%q, %v", names, err)
	}
	done, err := Replace(t.Context(), files, Replacement{Name: name, Content: []byte("new"), Was: Sum([]byte("was")),
		Now: time.Unix(0, 0), Random: bytes.NewReader(make([]byte, 64))})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(left); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the temporary file is still there: %v", err)
	}
	if got, err := ReadFile(files, done.Backup, 100); err != nil || string(got) != "was" {
		t.Errorf("%q, %v", got, err)
	}
	for _, foreign := range []string{"other", "other.19700101T000000Z.bak", ".other.syncctl-0123456789abcdef"} {
		if _, err := files.Stat(filepath.Join(dir, foreign)); !errors.Is(err, errNotAllowed) {
			t.Errorf("%s: %v", foreign, err)
		}
	}
}

// TestGuardedCreate checks that no file is created in a folder that becomes a link between the decision and the
// creation.
func TestGuardedCreate(t *testing.T) {
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	in, out := filepath.Join(root, "in"), filepath.Join(root, "out")
	for _, dir := range []string{in, out, in + "/d"} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	h := Local(LocalOptions{Fs: afero.NewOsFs()})
	t.Cleanup(func() { _ = h.Close() })
	asked := 0
	decide := func(files Files, name string) error {
		real, err := Real(files, name)
		if err == nil && !strings.HasPrefix(real, in+"/") {
			err = errNotAllowed
		}
		if asked++; asked == 1 { // another process is faster
			err = errors.Join(err, os.Remove(in+"/d"), os.Symlink(out, in+"/d"))
		}
		return err
	}
	_, err = Guard(h, Permission{File: decide}).Files(t.Context()).Create(in + "/d/new")
	if !errors.Is(err, errNotAllowed) {
		t.Error(err)
	}
	if _, err := os.Lstat(out + "/new"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the file stays: %v", err)
	}
}
