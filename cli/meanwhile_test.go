package cli

import (
	"bytes"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/cli/internal/interrupt"
	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

// TestChangedMeanwhile: what another program writes into a file of the configuration while syncctl writes its own
// version of it, stays.
func TestChangedMeanwhile(t *testing.T) {
	const theirs = "locals {\n  theirs = 1\n}\n"
	setUp := func(text string) (*command, string, *bytes.Buffer) {
		dir, stderr := t.TempDir(), &bytes.Buffer{}
		path := filepath.Join(dir, "main.sync.hcl")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		fsys := meddledFs{afero.NewOsFs(), func() error { return os.WriteFile(path, []byte(theirs), 0o600) }}
		return &command{dir: ".", cwd: dir, app: &app{fs: fsys, cwd: dir, stdout: &bytes.Buffer{}, stderr: stderr,
			clock: systemClock{}, random: rand.Reader, interrupts: &interrupt.Interrupts{},
			env: func(string) (string, bool) { return "", false }}}, path, stderr
	}
	stays := func(path string) {
		t.Helper()
		if b, err := os.ReadFile(path); err != nil || string(b) != theirs {
			t.Errorf("it is %q, %v", b, err)
		}
	}

	c, path, stderr := setUp("locals   {}\n")
	if code := c.app.run(t.Context(), []string{"fmt"}); code != int(exitError) {
		t.Errorf("fmt: %d, %s", code, stderr)
	}
	stays(path)

	c, path, _ = setUp("keystore \"x\" \"a\" {}\n")
	catalog := schema.Catalog{{Kind: schema.Keystore, Name: "x", Body: schema.Body{Blocks: []schema.Block{
		{Name: "entry", Label: "name", Body: schema.Body{Attributes: []schema.Attribute{{Name: "of", Type: cty.String}}}},
	}}}}
	cfg, diags := schema.Load(t.Context(), schema.Options{Fs: c.files(), Dir: ".", Catalog: catalog})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	draft := schema.Draft{Addr: schema.Addr{Kind: schema.Keystore, Type: "x", Name: "a"}, Completes: true,
		Value: cty.ObjectVal(map[string]cty.Value{"entry": cty.ObjectVal(map[string]cty.Value{
			"b": cty.ObjectVal(map[string]cty.Value{"of": cty.StringVal("c")}),
		})})}
	added := schema.AddingDraft(cfg, draft, func(text string) string { return text })
	if err := c.addTo(cfg.Lookup(draft.Addr), added); !errors.Is(err, host.ErrChanged) {
		t.Errorf("import: %v", err)
	}
	stays(path)
}

// meddledFs is a file system in which another program does something once a new file is synced.
type meddledFs struct {
	afero.Fs

	meddle func() error
}

func (m meddledFs) OpenFile(name string, flag int, perm os.FileMode) (afero.File, error) {
	f, err := m.Fs.OpenFile(name, flag, perm)
	return meddledFile{f, m.meddle}, err
}

type meddledFile struct {
	afero.File

	meddle func() error
}

func (f meddledFile) Sync() error { return errors.Join(f.File.Sync(), f.meddle()) }
