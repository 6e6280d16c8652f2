//go:build unix

package files

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/spf13/afero"
)

// TestPipesAreNotWaitedFor: a pipe that somebody has put where a file is read or written does not block, not even if it
// takes the place of a file right before that is opened.
func TestPipesAreNotWaitedFor(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	err := errors.Join(syscall.Mkfifo(at("pipe"), 0o600), os.Symlink("pipe", at("link")),
		os.WriteFile(at("file"), []byte("old"), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	osFs := afero.NewOsFs()
	for _, name := range []string{"pipe", "link"} {
		if _, err := Foreign(osFs).Open(at(name)); !errors.Is(err, errNotRegular) {
			t.Errorf("%s is read: %v", name, err)
		}
		err := WriteChosen(osFs, at(name), 0o600, func(io.Writer) error { return nil })
		if !errors.Is(err, errNotRegular) {
			t.Errorf("%s is written: %v", name, err)
		}
	}
	for how, open := range map[string]func(afero.Fs, string, os.FileMode) (afero.File, error){
		"Stream": Stream, "Append": Append,
	} {
		if err := os.WriteFile(at("log"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		swap := func() error { return errors.Join(os.Remove(at("log")), syscall.Mkfifo(at("log"), 0o600)) }
		if _, err := open(swapped{osFs, swap}, at("log"), 0o600); err == nil {
			t.Errorf("%s: a pipe is opened", how)
		}
		if err := os.Remove(at("log")); err != nil {
			t.Fatal(err)
		}
	}
	text, err := afero.ReadFile(Foreign(osFs), at("file"))
	if err != nil || string(text) != "old" {
		t.Errorf("%q, %v", text, err)
	}
	if _, err := Foreign(osFs).Open("/dev/null"); err != nil {
		t.Error(err)
	}
}
