package files

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/schema"
)

// exchanging replaces a folder by a link when a file in it is looked at for the second time, which is once it is known
// where its name leads. A colleague can do that who may write the folder.
type exchanging struct {
	rooted

	folder, by string
	looks      int
}

func (e *exchanging) Stat(name string) (os.FileInfo, error) {
	if filepath.Base(name) == "text" {
		e.looks++
	}
	if e.looks == 2 {
		if err := os.RemoveAll(e.folder); err != nil {
			return nil, err
		}
		if err := os.Symlink(e.by, e.folder); err != nil {
			return nil, err
		}
	}
	return e.rooted.Stat(name)
}

// TestExchanged: a folder that becomes a link once it was looked at does not lead out of the configuration's.
func TestExchanged(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	for _, folder := range []string{filepath.Join(dir, "part"), outside} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, "text"), []byte(folder), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	disk := rooted{afero.NewOsFs(), dir}
	reading := schema.Reading{Path: "part/text", By: "file()", Most: 1 << 10}
	if text, err := (schema.Folder{Fs: disk}).Read(reading); err != nil || string(text) != filepath.Join(dir, "part") {
		t.Fatalf("%q, %v", text, err)
	}
	late := &exchanging{rooted: disk, folder: filepath.Join(dir, "part"), by: outside}
	if text, err := (schema.Folder{Fs: late}).Read(reading); err == nil {
		t.Errorf("what is outside was read: %q", text)
	}
	late.looks, late.by = 0, "other" // a link that stays in the folder
	if err := os.Rename(late.folder, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{"part", "other"} {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, folder, "text"), []byte(folder), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if text, err := (schema.Folder{Fs: late}).Read(reading); err != nil || string(text) != "other" {
		t.Errorf("%q, %v", text, err)
	}
}
