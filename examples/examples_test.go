package examples_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/syncctl/syncctl/examples"
)

// TestEverythingIsEmbedded: the program has each file of each example, byte for byte. A folder that is missing here is
// named in examples.go.
func TestEverythingIsEmbedded(t *testing.T) {
	seeds, err := filepath.Glob(filepath.Join("*", "sandbox.json"))
	if err != nil || len(seeds) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, seed := range seeds {
		err := filepath.WalkDir(filepath.Dir(seed), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			want, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			got, err := fs.ReadFile(examples.Files, filepath.ToSlash(path))
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s is not in the program as it is: %v", path, err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
