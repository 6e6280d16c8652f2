//go:build unix

package host

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// foreignFiles shows some files as those of another user.
type foreignFiles struct {
	Files

	names []string
	user  uint32
}

func (f foreignFiles) shown(name string, info fs.FileInfo, err error) (fs.FileInfo, error) {
	if err != nil || !slices.Contains(f.names, path.Base(name)) {
		return info, err
	}
	_, gid, _ := owner(info)
	return ownedBy{info, &syscall.Stat_t{Uid: f.user, Gid: uint32(gid)}}, nil
}

func (f foreignFiles) Stat(name string) (fs.FileInfo, error) {
	info, err := f.Files.Stat(name)
	return f.shown(name, info, err)
}

func (f foreignFiles) Lstat(name string) (fs.FileInfo, error) {
	info, err := f.Files.Lstat(name)
	return f.shown(name, info, err)
}

// TestReplacePlanted checks that another user's file in a folder where everybody may make files is not replaced: what
// is written would be given to that user. The same with another user's link to a file of ours.
func TestReplacePlanted(t *testing.T) {
	eachFs(t, func(t *testing.T, c fsCase) {
		if !c.real {
			return // memory has no owners
		}
		us := uint32(os.Geteuid())
		for _, x := range []struct {
			mode    fs.FileMode
			names   []string
			replace string
			refused bool
		}{
			{0o777 | fs.ModeSticky, []string{"a.p12"}, "a.p12", true},
			{0o777, []string{"a.p12"}, "a.p12", true},
			{0o777 | fs.ModeSticky, []string{"link"}, "link", true},
			{0o777, []string{"other"}, "link", true}, // ours, and anybody may have given it that name
			{0o777, []string{"other"}, "a.p12", false},
			{0o777 | fs.ModeSticky, []string{"other"}, "a.p12", false},
			{0o777 | fs.ModeSticky, []string{"other"}, "link", false},
			{0o777 | fs.ModeSticky, []string{"link", "common"}, "link", false}, // that of whose folder it is
			{0o755, []string{"link"}, "link", false},
			{0o777 | fs.ModeSticky, []string{"link"}, "../out", true}, // what our own link leads to is looked at
			{0o777 | fs.ModeSticky, []string{"other"}, "../out", false},
			{0o777 | fs.ModeSticky, []string{"link"}, "../away", true},
		} {
			dir := c.at("common")
			ok(t, os.MkdirAll(dir, 0o755))
			ok(t, os.Chmod(dir, x.mode))
			file, link := path.Join(dir, "a.p12"), path.Join(dir, "link")
			writeFile(t, c.fs, file, []byte("old"), 0o640)
			ok(t, os.Symlink("a.p12", link))
			ok(t, os.Symlink("common/../common/link", c.at("out")))
			ok(t, os.Symlink(dir+"/../common/link", c.at("away")))
			in := foreignFiles{c, x.names, us + 1}
			out, err := Replace(t.Context(), in, replacement(path.Join(dir, x.replace), Sum([]byte("old"))))
			now := c.read(t, "common/a.p12")
			if x.refused != (err != nil) || x.refused != (now == "old") || x.refused && out.Maybe {
				t.Errorf("%v: %v, and there is %q", x, err, now)
			}
			if left := listFolder(t, c.fs, dir); x.refused && len(left) != 2 {
				t.Errorf("%v: the folder has %v", x, left)
			}
			ok(t, errors.Join(os.RemoveAll(dir), os.Remove(c.at("out")), os.Remove(c.at("away"))))
		}
	})
}

// lyingFiles makes files that answer that all is well, and keep their mode and owner.
type lyingFiles struct {
	Files

	what string
}

func (f lyingFiles) Create(name string) (NewFile, error) {
	file, err := f.Files.Create(name)
	return lyingFile{file, f.what}, err
}

type lyingFile struct {
	NewFile

	what string
}

func (f lyingFile) Chmod(mode fs.FileMode) error {
	if f.what == "mode" {
		return nil
	}
	return f.NewFile.Chmod(mode)
}

func (f lyingFile) Chown(int, int) error { return nil }

// TestReplaceOnAMachineThatDoesNotObey checks that nothing is replaced by a file that the server might not be able to
// read.
func TestReplaceOnAMachineThatDoesNotObey(t *testing.T) {
	eachFs(t, func(t *testing.T, c fsCase) {
		if !c.real {
			return // memory has no owners
		}
		file := c.at("a.p12")
		for what, files := range map[string]Files{
			"mode":  lyingFiles{c, "mode"},
			"owner": lyingFiles{foreignFiles{c, []string{"a.p12"}, uint32(os.Geteuid()) + 1}, "owner"},
		} {
			writeFile(t, c.fs, file, []byte("old"), 0o640)
			out, err := Replace(t.Context(), files, replacement(file, Sum([]byte("old"))))
			if now := c.read(t, "a.p12"); !errors.Is(err, fs.ErrPermission) || out.Maybe || now != "old" {
				t.Errorf("%s: %+v, %v, and there is %q", what, out, err, now)
			}
			if left := strings.Join(listFolder(t, c.fs, c.dir), " "); left != "a.p12 folder" {
				t.Errorf("%s: the folder has %s", what, left)
			}
		}
	})
}

// losingFiles are the files of a machine that takes what is written, and keeps as many zeros.
type losingFiles struct{ Files }

func (l losingFiles) Create(name string) (NewFile, error) {
	f, err := l.Files.Create(name)
	return losingFile{f}, err
}

type losingFile struct{ NewFile }

func (f losingFile) Write(b []byte) (int, error) { return f.NewFile.Write(make([]byte, len(b))) }

// TestReplaceOnAMachineThatLosesContent checks that a file is not replaced where its backup would hold something else.
func TestReplaceOnAMachineThatLosesContent(t *testing.T) {
	eachFs(t, func(t *testing.T, c fsCase) {
		file := c.at("a.p12")
		writeFile(t, c.fs, file, []byte("old"), 0o640)
		out, err := Replace(t.Context(), losingFiles{c}, replacement(file, Sum([]byte("old"))))
		if now := c.read(t, "a.p12"); err == nil || out.Maybe || out.Backup != "" || now != "old" {
			t.Errorf("%+v, %v, and there is %q", out, err, now)
		}
		if left := strings.Join(listFolder(t, c.fs, c.dir), " "); left != "a.p12 folder" {
			t.Errorf("the folder has %s", left)
		}
	})
}

// TestReplaceAboveALink checks that a link with .. leads where the machine takes it: above the folder that it is in,
// not above the name by which that was reached.
func TestReplaceAboveALink(t *testing.T) {
	eachFs(t, func(t *testing.T, c fsCase) {
		if !c.real {
			return // memory has no links
		}
		ok(t, c.fs.MkdirAll(c.at("opt/conf"), 0o755))
		ok(t, os.Symlink("opt/conf", c.at("conf")))
		ok(t, os.Symlink("../other", c.at("opt/conf/settings")))
		writeFile(t, c.fs, c.at("opt/other"), []byte("old"), 0o600)
		writeFile(t, c.fs, c.at("other"), []byte("old"), 0o600)
		_, err := Replace(t.Context(), c, replacement(c.at("conf/settings"), Sum([]byte("old"))))
		if meant, other := c.read(t, "opt/other"), c.read(t, "other"); err != nil || meant == "old" || other != "old" {
			t.Errorf("%v: %q, and the other file %q", err, meant, other)
		}
	})
}
