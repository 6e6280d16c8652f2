package files

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/afero"
)

// TestTracked checks that files in an index written by git are found: in each version, with both lengths of IDs, and
// in a worktree. Files that are ignored or not added are not found.
func TestTracked(t *testing.T) {
	program, err := exec.LookPath("git")
	if err != nil {
		t.Log("git is not installed here")
		return
	}
	for _, format := range []string{"sha1", "sha256"} {
		for _, version := range []string{"2", "3", "4"} {
			dir := t.TempDir()
			git := func(in string, args ...string) string {
				t.Helper()
				cmd := exec.CommandContext(t.Context(), program, args...)
				cmd.Dir = in
				cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null",
					"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b")
				out, err := cmd.CombinedOutput()
				if err != nil {
					t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
				}
				return string(out)
			}
			write := func(names ...string) {
				t.Helper()
				for _, name := range names {
					path := filepath.Join(dir, name)
					if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(path, []byte(name), 0o600); err != nil {
						t.Fatal(err)
					}
				}
			}
			want := func(folder, file string) {
				t.Helper()
				if got, _, err := Tracked(afero.NewOsFs(), folder); err != nil || got != file {
					t.Errorf("%s, version %s: %q, %v; want %q", format, version, got, err, file)
				}
			}
			git(dir, "init", "-q", "--object-format="+format)
			git(dir, "config", "index.version", version)
			data := filepath.Join(dir, "a", ".syncctl")
			want(data, "")
			write("a/.sync.hcl", "a/.syncctl/runs/x/plan.json", "a/.syncctl2/y", "a/main.sync.hcl", "a/"+strings.Repeat("n", 90))
			git(dir, "add", "a/.sync.hcl", "a/.syncctl2", "a/main.sync.hcl", "a/"+strings.Repeat("n", 90))
			git(dir, "update-index", "--index-version", version)
			want(data, "")
			git(dir, "add", "-f", "a/.syncctl")
			want(filepath.Join(dir, "a", ".SyncCtl"), filepath.Join(dir, "a", ".syncctl", "runs", "x", "plan.json"))
			git(dir, "update-index", "--split-index")
			if _, _, err := Tracked(afero.NewOsFs(), data); err == nil {
				t.Error("a split index is read as if it were whole")
			}
			git(dir, "update-index", "--no-split-index")
			want(data, filepath.Join(data, "runs", "x", "plan.json"))
			git(dir, "commit", "-qm", "x")
			tree := filepath.Join(dir, "tree")
			git(dir, "worktree", "add", "-q", tree)
			want(filepath.Join(tree, "a", ".syncctl"), filepath.Join(tree, "a", ".syncctl", "runs", "x", "plan.json"))
			git(dir, "rm", "-rq", "--cached", "a/.syncctl")
			want(data, "")
			blob := strings.TrimSpace(git(dir, "hash-object", "-w", "a/main.sync.hcl"))
			git(dir, "update-index", "--add", "--cacheinfo", "100644,"+blob+",a/.\u017fyncctl/runs")
			want(data, filepath.Join(dir, "a", ".\u017fyncctl", "runs"))
			git(dir, "rm", "-rq", "--cached", "a/.\u017fyncctl")
			head := strings.TrimSpace(git(dir, "rev-parse", "HEAD"))
			git(dir, "update-index", "--add", "--cacheinfo", "160000,"+head+",a/.syncctl")
			want(data, data)
		}
	}
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, ".git"), 0o700); err != nil {
		t.Fatal(err)
	}
	unknown := []byte("DIRC\x00\x00\x00\x09\x00\x00\x00\x00")
	if err := os.WriteFile(filepath.Join(dir, ".git", "index"), unknown, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Tracked(afero.NewOsFs(), filepath.Join(dir, ".syncctl")); err == nil {
		t.Error("an index that cannot be read counts as one without the folder")
	}
}

// FuzzIndex reads arbitrary indexes, since an index comes with a foreign repository.
func FuzzIndex(f *testing.F) {
	f.Add([]byte("DIRC\x00\x00\x00\x02\x00\x00\x00\x00"))
	f.Add([]byte("DIRC\x00\x00\x00\x04\x00\x00\x00\x01" + strings.Repeat("\x00", 60) + "\x00\x03\x00abc\x00"))
	f.Fuzz(func(t *testing.T, index []byte) {
		if path, err := under(index, "a/"); err == nil && path != "" && !strings.HasPrefix(path, "a/") {
			t.Errorf("%q is not below the folder", path)
		}
	})
}
