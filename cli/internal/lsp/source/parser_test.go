package source

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// TestAsTheParser checks that in valid files the reader finds the same blocks, arguments and references as the parser,
// at the same places.
func TestAsTheParser(t *testing.T) {
	read := 0
	err := filepath.WalkDir("../../../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".hcl") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		file, diags := hclsyntax.ParseConfig(text, path, hcl.InitialPos)
		if diags.HasErrors() {
			return nil
		}
		read++
		src := string(text)
		tree := Read(src, []string{"server", "keystore", "sync", "migration", "variable", "locals", "module", "output"})
		var want []int
		parsed := file.Body.(*hclsyntax.Body)
		sameBody(t, path, tree.File, parsed, &want)
		var got []int
		for _, r := range tree.References {
			if r.Bound == nil {
				got = append(got, r.From)
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, slices.Compact(want)) {
			t.Errorf("%s: references at %v, the parser has them at %v", path, got, want)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if read < 20 {
		t.Errorf("only %d files were read", read)
	}
}

func sameBody(t *testing.T, path string, got *Block, want *hclsyntax.Body, references *[]int) {
	t.Helper()
	if len(got.Blocks) != len(want.Blocks) || len(got.Arguments) != len(want.Attributes) {
		t.Errorf("%s: %d blocks and %d arguments, want %d and %d", path, len(got.Blocks), len(got.Arguments),
			len(want.Blocks), len(want.Attributes))
		return
	}
	for _, a := range got.Arguments {
		attr := want.Attributes[a.Name.Text]
		if attr == nil || attr.NameRange.Start.Byte != a.Name.From || attr.Expr.Range().Start.Byte != a.Value.From {
			t.Errorf("%s: argument %+v", path, a)
			continue
		}
		for _, tr := range hclsyntax.Variables(attr.Expr) {
			*references = append(*references, tr.SourceRange().Start.Byte)
		}
	}
	for i, b := range got.Blocks {
		w := want.Blocks[i]
		if b.Type.Text != w.Type || b.From != w.TypeRange.Start.Byte || b.Body.To != w.CloseBraceRange.Start.Byte {
			t.Errorf("%s: block %+v", path, b)
			continue
		}
		for n, l := range b.Labels {
			if l.Text != w.Labels[n] {
				t.Errorf("%s: label %q, want %q", path, l.Text, w.Labels[n])
			}
		}
		sameBody(t, path, b, w.Body, references)
	}
}
