package lsp

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/cli/internal/lsp/source"
	"github.com/syncctl/syncctl/reference"
)

// TestRenameWithAmbiguousMoves checks that a rename is refused if two moved blocks start at one address, in JSON and
// in native syntax, whether the declaration was saved or not.
func TestRenameWithAmbiguousMoves(t *testing.T) {
	native := "server \"depot\" \"b\" {\n}\n"
	for range 2 {
		native += "\nmoved {\n  from = server.depot.a\n  to   = server.depot.b\n}\n"
	}
	twice := `{"from":"server.depot.a","to":"server.depot.b"}`
	for name, text := range map[string]string{
		"main.sync.hcl":      strings.TrimSuffix(native, "\n"),
		"main.sync.hcl.json": `{"server":{"depot":{"b":{}}},"moved":[` + twice + `,` + twice + `]}`,
	} {
		for _, saved := range []bool{false, true} {
			files := map[string]string{"other.sync.hcl": ""}
			if saved {
				files[name] = text
			}
			c := newClient(t, files)
			c.initialize("{}")
			c.open(name, text)
			at := c.place(name, `"|b`)
			if changed, wrong := c.rename(name, at, "a"); !strings.Contains(wrong, "server.depot.a") || len(c.said) > 0 {
				t.Error(name, saved, changed, wrong, c.said)
			}
			if _, wrong := c.rename(name, at, "x"); wrong == "" {
				t.Error(name, saved, "was renamed")
			}
		}
	}
}

// TestOverlappingEdits checks that edits that overlap are an error, not a panic.
func TestOverlappingEdits(t *testing.T) {
	f := &file{path: "main.sync.hcl", text: source.NewText("0123456789")}
	all := edits{}
	all.add(f, source.Span{From: 2, To: 6}, "a")
	all.add(f, source.Span{From: 6, To: 6}, "b")
	if got, err := all.text(f); got != "01ab6789" || err != nil {
		t.Error(got, err)
	}
	all.add(f, source.Span{From: 5, To: 8}, "")
	if got, err := all.text(f); err == nil {
		t.Error(got)
	}
}

// TestRenameAmongErrors checks that errors that were there before do not hide what a rename breaks, and do not
// prevent a rename that breaks nothing.
func TestRenameAmongErrors(t *testing.T) {
	const module = "module \"m\" {\n  source = \"./m\"\n}\n"
	const hidden = module + "output \"hidden\" {\n  value = values({ m = module.m })[0].o\n}\n"
	for name, c := range map[string]struct {
		main    string
		refused bool
	}{
		"nothing else":       {hidden, true},
		"another one mended": {hidden + "output \"gone\" {\n  value = module.m.p\n}\n", true},
		"too many": {hidden + "sync \"depot\" \"s\" {\n" + strings.Repeat("  unknown_argument {}\n", 600) + "}\n",
			true},
		"unrelated": {module + "output \"a\" {\n  value = [module.m.o, module.m.o, nope]\n}\n" +
			"output \"b\" {\n  value = nope\n}\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{"main.sync.hcl": c.main, "m/m.sync.hcl": "output \"o\" {\n  value = 1\n}\n"}
			editor := newClient(t, files)
			editor.initialize("{}")
			editor.open("main.sync.hcl", files["main.sync.hcl"])
			editor.open("m/m.sync.hcl", files["m/m.sync.hcl"])
			changed, wrong := editor.rename("m/m.sync.hcl", editor.place("m/m.sync.hcl", `"|o"`), "p")
			if (wrong != "") != c.refused {
				t.Error(changed, wrong)
			}
		})
	}
}

// unreadable is a file system in which one path cannot be opened.
type unreadable struct {
	afero.Fs

	path string
}

var errBusy = errors.New("resource busy")

func (u unreadable) Open(name string) (afero.File, error) {
	if name == u.path {
		return nil, &os.PathError{Op: "open", Path: name, Err: errBusy}
	}
	return u.Fs.Open(name)
}

func (u unreadable) OpenFile(name string, flag int, perm os.FileMode) (afero.File, error) {
	if name == u.path {
		return nil, &os.PathError{Op: "open", Path: name, Err: errBusy}
	}
	return u.Fs.OpenFile(name, flag, perm)
}

// TestSavedButNotReadable checks that a declaration whose saved file or folder cannot be read is not taken for one that
// was never saved.
func TestSavedButNotReadable(t *testing.T) {
	disk := afero.NewMemMapFs()
	path := home + "/main.sync.hcl"
	if err := afero.WriteFile(disk, path, []byte("server \"depot\" \"a\" {\n}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	n := name{home, "server", "depot", "a"}
	for at, c := range map[string]struct {
		n     name
		saved bool
		err   string
	}{
		"":               {n, true, "<nil>"},
		"/elsewhere":     {name{home, "server", "depot", "b"}, false, "<nil>"},
		path:             {n, false, "busy"},
		home:             {n, false, "busy"},
		home + "/absent": {name{home + "/absent", "server", "depot", "a"}, false, "busy"},
		" ":              {name{home + "/absent", "server", "depot", "a"}, false, "<nil>"},
	} {
		opts := &Options{Fs: unreadable{disk, at}, Catalog: catalog(), Log: hclog.NewNullLogger(),
			Pages: reference.Pages(catalog(), &reference.Program{})}
		v := &view{opts: opts, enc: source.UTF16}
		if saved, err := v.saved(c.n); saved != c.saved || !strings.Contains(fmt.Sprint(err), c.err) {
			t.Errorf("%q: %v, %v", at, saved, err)
		}
	}
}

// TestRenameBesideUnread checks that nothing is renamed while a file or folder that may use the name cannot be read.
func TestRenameBesideUnread(t *testing.T) {
	disk, path := afero.NewMemMapFs(), home+"/main.sync.hcl"
	text := "variable \"a\" {\n  default = 1\n}\n"
	uses := "output \"o\" {\n  value = var.a\n}\n"
	for name, content := range map[string]string{
		path: text, home + "/uses.sync.hcl": uses, home + "/prod/main.sync.hcl": "output \"p\" {\n  value = 1\n}\n",
	} {
		if err := afero.WriteFile(disk, name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for at, want := range map[string]string{
		"": "<nil>", home + "/uses.sync.hcl": "busy", home: "not name", home + "/prod": "busy",
	} {
		opts := &Options{Fs: unreadable{disk, at}, Catalog: catalog(), Log: hclog.NewNullLogger()}
		docs := map[string]*document{path: newDocument("file://"+path, path, 1, source.NewText(text))}
		v := &view{opts: opts, enc: source.UTF16, folders: []string{home}, docs: docs, fs: newOverlay(opts.Fs, docs),
			cache: newCache(), loading: make(chan struct{}, 1), files: map[string]*file{},
			declaredIn: map[string]*declarations{}, mayOpen: map[[2]string]bool{}}
		p := &renameParams{NewName: "b"}
		p.TextDocument.URI, p.Position = "file://"+path, source.Position{Character: 10}
		if got, err := v.rename(t.Context(), p); !strings.Contains(fmt.Sprint(err), want) || (err == nil) != (got != nil) {
			t.Errorf("%q: %v, %v", at, got, err)
		}
	}
}
