package lsp

import (
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/syncctl/syncctl/cli/internal/lsp/source"
)

// fleet returns the configuration of a transcript.
func fleet(t *testing.T, name string) map[string]string {
	t.Helper()
	ar, err := txtar.ParseFile(filepath.Join("testdata", name+".txtar"))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range ar.Files {
		if f.Name != "want" {
			files[f.Name] = string(f.Data)
		}
	}
	return files
}

// TestRenameThereAndBack checks that renaming and renaming back leaves every byte as it was, from any use of the name,
// and with any line breaks.
func TestRenameThereAndBack(t *testing.T) {
	for name, written := range map[string]func(string) string{
		"as it is":        func(text string) string { return text },
		"Windows":         func(text string) string { return strings.ReplaceAll(text, "\n", "\r\n") },
		"no last newline": func(text string) string { return strings.TrimSuffix(text, "\n") },
	} {
		t.Run(name, func(t *testing.T) {
			files := fleet(t, "names")
			for name := range files {
				files[name] = written(files[name])
			}
			renameThereAndBack(t, files)
		})
	}
}

func renameThereAndBack(t *testing.T, files map[string]string) {
	t.Helper()
	c := newClient(t, files)
	c.initialize("{}")
	for name := range files {
		c.open(name, files[name])
	}
	all := map[string]*source.Tree{}
	for name, text := range files {
		if kindOf(name) == configuration && filepath.Ext(name) == ".hcl" {
			all[name] = source.Read(text, topWords(configuration))
		}
	}
	renamed := 0
	for name, tree := range all {
		text := source.NewText(files[name])
		for _, b := range tree.File.Blocks {
			words := b.Labels
			for _, a := range b.Arguments {
				if b.Type.Text == "locals" {
					words = append(words, a.Name)
				}
			}
			for i, w := range words {
				if isKind(b.Type.Text) && i != 1 || b.Type.Text == "moved" {
					continue
				}
				changed, wrong := c.rename(name, text.Position(w.From, source.UTF16), "new_name")
				if w.Text == "all" { // a function stands between the module and its output
					if wrong == "" {
						t.Error("an output was renamed that is used where nobody can see it")
					}
					continue
				}
				if wrong != "" {
					t.Errorf("%s in %s: %s", w.Text, name, wrong)
					continue
				}
				renamed++
				c.replace(changed)
				at := source.NewText(changed[name]).Position(shifted(files[name], changed[name], w.From), source.UTF16)
				back, wrong := c.rename(name, at, w.Text)
				if wrong != "" {
					t.Fatalf("%s in %s, back: %s", w.Text, name, wrong)
				}
				c.replace(back)
				if !maps.Equal(c.texts, files) {
					t.Fatalf("%s in %s: %v", w.Text, name, back)
				}
			}
		}
	}
	if renamed < 12 {
		t.Errorf("%d names were renamed", renamed)
	}
}

// replace replaces the texts of documents.
func (c *client) replace(texts map[string]string) {
	for name, text := range texts {
		c.texts[name] = text
		c.version++
		c.notify("textDocument/didChange", map[string]any{"textDocument": map[string]any{"uri": uri(name),
			"version": c.version}, "contentChanges": []any{map[string]any{"text": text}}})
	}
}

// shifted returns the offset of a new_name in after: the first one from at on, otherwise the last one before it.
func shifted(before, after string, at int) int {
	for i := at; i < len(after); i++ {
		if len(after)-i >= 8 && after[i:i+8] == "new_name" {
			return i
		}
	}
	for i := at; i >= 0; i-- {
		if len(after)-i >= 8 && after[i:i+8] == "new_name" {
			return i
		}
	}
	panic("it is gone: " + before)
}
