package schema

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestBadFolders loads each folder of testdata/bad, which holds many mistakes at once, and compares what is said about
// them in each form of output.
func TestBadFolders(t *testing.T) {
	dirs, err := filepath.Glob("testdata/bad/*")
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no folders: %v", err)
	}
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			w := world{files: map[string]string{}, vars: []VarSource{
				{Assign: "list={"}, {Assign: "nope=1"}, {Assign: "text"}, {File: "gone.syncvars.hcl"},
			}}
			if filepath.Base(dir) != "variables" {
				w.vars = nil
			}
			entries, err := os.ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range entries {
				text, err := os.ReadFile(filepath.Join(dir, e.Name()))
				if err != nil {
					t.Fatal(err)
				}
				w.files[e.Name()] = string(text)
			}
			cfg, diags := w.load(t)
			if !diags.HasErrors() {
				t.Fatal("no errors")
			}
			var plain, framed, doc bytes.Buffer
			for _, err := range []error{
				WriteText(&plain, diags, cfg.Files(), TextOptions{Width: 78}),
				WriteText(&framed, diags, cfg.Files(), TextOptions{Width: 78, Color: true}),
				WriteJSON(&doc, diags, cfg.Files()),
			} {
				if err != nil {
					t.Fatal(err)
				}
			}
			golden(t, filepath.Join("testdata/golden", filepath.Base(dir)+".txt"), plain.Bytes())
			golden(t, filepath.Join("testdata/golden", filepath.Base(dir)+".ansi"), framed.Bytes())
			golden(t, filepath.Join("testdata/golden", filepath.Base(dir)+".json"), doc.Bytes())
			for _, out := range []string{plain.String(), framed.String(), doc.String()} {
				if bytes.Contains([]byte(out), []byte("hunter2")) {
					t.Error("a secret is shown")
				}
			}
		})
	}
}

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}
