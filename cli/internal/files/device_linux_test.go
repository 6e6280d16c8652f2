package files

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
	"testing"

	"github.com/spf13/afero"
)

// TestReplaceDevice checks that a device that cannot be written to is an error, and stays a device, even for root, who
// may write to its folder.
func TestReplaceDevice(t *testing.T) {
	const full = "/dev/full"
	before, err := os.Stat(full)
	if err != nil {
		t.Fatal(err)
	}
	for name, fsys := range map[string]afero.Fs{"as it is": afero.NewOsFs(), "in a folder": In(afero.NewOsFs(), "/dev")} {
		if err := Replace(fsys, full, []byte("plan"), 0o644); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("%s: %v, want that no space is left", name, err)
		}
		after, err := os.Stat(full)
		if err != nil || after.Mode()&fs.ModeCharDevice == 0 || !os.SameFile(before, after) {
			t.Fatalf("%s: it is %v, %v", name, after, err)
		}
	}
}
