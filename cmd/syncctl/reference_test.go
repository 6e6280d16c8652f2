package main

import (
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/reference"
	"github.com/syncctl/syncctl/schema"
)

// program runs the program with these arguments, and returns its output.
func program(t *testing.T, args ...string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "syncctl")
	if err := os.Symlink(self, name); err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir, cmd.Stderr = t.TempDir(), &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}

// pages returns the Markdown files of a folder, by name.
func pages(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".md" {
			return err
		}
		text, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path) // it is below
		out[filepath.ToSlash(name)] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestReferencePages checks that docs/reference is what the program writes. The pages of products that are not built
// in are ignored.
func TestReferencePages(t *testing.T) {
	src, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Count(string(src), "{Name: ") == len(products)
	dir := filepath.Join("..", "..", "docs", "reference")
	if *update && all {
		for name := range pages(t, dir) {
			if err := os.Remove(filepath.Join(dir, filepath.FromSlash(name))); err != nil {
				t.Fatal(err)
			}
		}
		abs, err := filepath.Abs(dir)
		if err != nil {
			t.Fatal(err)
		}
		program(t, "docs", "-out="+abs)
	}
	made := filepath.Join(t.TempDir(), "reference")
	program(t, "docs", "-out="+made)
	got, want := pages(t, dir), pages(t, made)
	for name := range want {
		if !all && (name == "README.md" || strings.HasPrefix(name, "language/") || strings.HasPrefix(name,
			"types/keystore.")) {
			continue // they name the types of all products
		}
		if got[name] != want[name] {
			t.Errorf("docs/reference/%s is stale: go test ./cmd/syncctl -run Reference -update", name)
		}
	}
	for name := range got {
		if _, ok := want[name]; all && !ok {
			t.Errorf("docs/reference/%s is about what is gone: go test ./cmd/syncctl -run Reference -update", name)
		}
	}
}

// TestReferenceExamples checks that the examples of all pages are valid configurations, whatever products there are.
func TestReferenceExamples(t *testing.T) {
	var catalog schema.Catalog
	for _, p := range products {
		catalog = append(catalog, p.Driver(driver.Env{}).Types()...)
	}
	for _, p := range reference.Pages(catalog, &reference.Program{}) {
		if len(p.Examples) == 0 && p.Group == reference.Types {
			t.Errorf("%s has no example", p.Word)
		}
		for _, files := range p.Examples {
			if declaresAll := declared(t, catalog, files["main.sync.hcl"], nil); !declaresAll {
				continue // of a product that is not built in
			}
			fs := afero.NewMemMapFs()
			for name, text := range files {
				if err := afero.WriteFile(fs, name, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			_, diags := schema.Load(t.Context(), schema.Options{Fs: fs, Dir: ".", Catalog: catalog, AllowUnset: true,
				Version: "1.0.0"})
			for _, d := range diags {
				t.Errorf("%s: %v", p.Word, d)
			}
		}
	}
}

// declared calls visit with the path of each argument in an example: KIND.TYPE.BLOCK.ARGUMENT. It returns false if the
// example declares a type that there is not.
func declared(t *testing.T, catalog schema.Catalog, text string, visit func(path string)) bool {
	t.Helper()
	f, diags := hclsyntax.ParseConfig([]byte(text), "main.sync.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	var walk func(b *hclsyntax.Body, path string)
	walk = func(b *hclsyntax.Body, path string) {
		for name := range b.Attributes {
			visit(path + "." + name)
		}
		for _, inner := range b.Blocks {
			walk(inner.Body, path+"."+inner.Type)
		}
	}
	known := true
	for _, b := range f.Body.(*hclsyntax.Body).Blocks {
		if !slices.Contains(schema.Kinds, schema.Kind(b.Type)) || len(b.Labels) != 2 {
			continue
		}
		known = known && slices.ContainsFunc(catalog, func(of schema.Type) bool {
			return string(of.Kind) == b.Type && of.Name == b.Labels[0]
		})
		if visit != nil {
			walk(b.Body, b.Type+"."+b.Labels[0])
		}
	}
	return known
}

// TestExamplesHaveAllArguments checks that every argument of a block type is in an example of its page.
func TestExamplesHaveAllArguments(t *testing.T) {
	var catalog schema.Catalog
	for _, p := range products {
		catalog = append(catalog, p.Driver(driver.Env{}).Types()...)
	}
	for i := range catalog {
		of := &catalog[i]
		shown := map[string]bool{}
		for _, text := range []string{of.Example, of.Full} {
			declared(t, catalog, text, func(path string) { shown[path] = true })
			if laidOut, _ := schema.Format("main.sync.hcl", []byte(text)); string(laidOut) != text {
				t.Errorf("%s.%s: an example is not formatted as syncctl fmt does", of.Kind, of.Name)
			}
		}
		var walk func(b *schema.Body, path string)
		walk = func(b *schema.Body, path string) {
			for i := range b.Attributes {
				if at := path + "." + b.Attributes[i].Name; !shown[at] {
					t.Errorf("no example of the page has %s: add it to Full", at)
				}
			}
			for i := range b.Blocks {
				walk(&b.Blocks[i].Body, path+"."+b.Blocks[i].Name)
			}
		}
		walk(&of.Body, string(of.Kind)+"."+of.Name)
	}
}

// schemaIn reads a JSON Schema from docs/.
func schemaIn(t *testing.T, name string) *jsonschema.Resolved {
	t.Helper()
	src, err := os.ReadFile(filepath.Join("..", "..", "docs", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	var s jsonschema.Schema
	if err := json.Unmarshal(src, &s); err != nil {
		t.Fatal(err)
	}
	fits, err := s.Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	return fits
}

// TestReferenceDocument checks that the grammar in JSON is valid against its JSON Schema, and has each type of each
// product.
func TestReferenceDocument(t *testing.T) {
	fits := schemaIn(t, "schemas/reference.schema.json")
	out := program(t, "schema", "-json")
	var doc any
	if err := json.Unmarshal([]byte(out), &doc); err != nil {
		t.Fatal(err)
	}
	if err := fits.Validate(doc); err != nil {
		t.Error(err)
	}
	var typed reference.Document
	if err := json.Unmarshal([]byte(out), &typed); err != nil {
		t.Fatal(err)
	}
	for _, p := range products {
		for _, want := range p.Driver(driver.Env{}).Types() {
			if !slices.ContainsFunc(typed.Types, func(got reference.Type) bool {
				return got.Kind == string(want.Kind) && got.Name == want.Name &&
					len(got.Body.Attributes) == len(want.Body.Attributes)
			}) {
				t.Errorf("%s %q is missing", want.Kind, want.Name)
			}
		}
	}
}
