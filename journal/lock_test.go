package journal

import (
	"os"
	"path/filepath"
	"testing"
)

// TestLockReplaced: who puts a link, or another file, in the place of the lock empties nothing by that, and gets
// nothing written.
func TestLockReplaced(t *testing.T) {
	for name, replace := range map[string]func(victim, lock string) error{
		"a link":       os.Symlink,
		"a hard link":  os.Link,
		"another file": func(_, lock string) error { return os.WriteFile(lock, []byte("precious"), 0o600) },
		"nothing":      func(_, _ string) error { return nil },
	} {
		dir := t.TempDir()
		victim, path := filepath.Join(dir, "victim"), filepath.Join(dir, "lock")
		if err := os.WriteFile(victim, []byte("precious"), 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := Acquire(t.Context(), path, Holder{PID: 1})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path, path+"-away"); err != nil {
			t.Skip("a file that is open cannot be renamed here")
		}
		if err := replace(victim, path); err != nil {
			t.Fatal(err)
		}
		if err := l.Release(); err == nil {
			t.Errorf("%s: it is not noticed", name)
		}
		for _, file := range []string{victim, path} {
			if text, err := os.ReadFile(file); err == nil && string(text) != "precious" {
				t.Errorf("%s: %s has %q", name, filepath.Base(file), text)
			}
		}
	}
	dir := t.TempDir()
	victim, path := filepath.Join(dir, "victim"), filepath.Join(dir, "lock")
	if err := os.WriteFile(victim, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(victim, path); err != nil {
		t.Skip(err)
	}
	if _, err := Acquire(t.Context(), path, Holder{PID: 1}); err == nil {
		t.Error("a link is taken for the lock")
	}
	if text, err := os.ReadFile(victim); err != nil || string(text) != "precious" {
		t.Errorf("%q, %v", text, err)
	}
}
