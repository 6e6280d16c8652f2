package cli

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/executor"
)

// TestFilesOfRunInProgress: a file that a process is still writing is not in the record, and no matter that it gets its
// name meanwhile.
func TestFilesOfRunInProgress(t *testing.T) {
	run := &executor.Run{ID: "r", Dir: t.TempDir()}
	dir := filepath.Join(run.Dir, "files")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a.json", "b.json.part", "c.json.part"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := &command{app: &app{fs: goneFs{afero.NewOsFs(), filepath.Join(dir, "c.json.part")}}}
	text, err := c.filesOf(t.Context(), run)
	if err != nil {
		t.Fatal(err)
	}
	var got []runFile
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	const x = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
	if diff := cmp.Diff([]runFile{{"a.json", 1, x}}, got); diff != "" {
		t.Error(diff)
	}
}

// goneFs is a file system in which a file goes after its folder was listed.
type goneFs struct {
	afero.Fs

	name string
}

func (g goneFs) LstatIfPossible(name string) (fs.FileInfo, bool, error) {
	if name == g.name {
		return nil, true, fs.ErrNotExist
	}
	info, err := os.Lstat(name)
	return info, true, err
}
