package journal

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/spf13/afero"
)

// TestWriteIsPrivate: a journal that is written whole is its owner's alone, like one that is appended to.
func TestWriteIsPrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	if err := Write(afero.NewOsFs(), path, nil, nil); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("%v, %v", info, err)
	}
}
