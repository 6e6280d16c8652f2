package reference_test

import (
	"encoding/json"
	"flag"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/reference"
	"github.com/syncctl/syncctl/reference/schematest"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "rewrite docs/schemas/reference.schema.json")

// catalog has an argument of every sort.
var catalog = schema.Catalog{
	{Kind: schema.Server, Name: "yard", Summary: "A yard.", Body: schema.Body{Attributes: []schema.Attribute{
		{Name: "url", Type: cty.String, Required: true, Doc: "Where it is."},
		{Name: "user", Type: cty.String, Doc: "Who logs in."},
		{Name: "password", Type: cty.String, Secret: true, Doc: "With what."},
		{Name: "wait", Type: cty.String, Unit: schema.Duration, Default: cty.StringVal("30s"), Doc: "How long."},
	}}},
	{Kind: schema.Sync, Name: "yard", Summary: "A box.", Body: schema.Body{
		Attributes: []schema.Attribute{
			{Name: "server", Required: true, Ref: &schema.Ref{Kind: schema.Server, Type: "yard", Owns: true}, Doc: "Whose."},
			{Name: "color", Type: cty.String, Default: cty.StringVal("red"), OneOf: []string{"red", "blue"}, Doc: "How it " +
				"looks."},
			{Name: "weight", Type: cty.Number, Whole: true, Least: 2, Unit: "kg", Doc: "What it weighs."},
		},
		Blocks: []schema.Block{
			{Name: "left", Doc: "One side.", Body: schema.Body{Attributes: []schema.Attribute{
				{Name: "high", Type: cty.List(cty.String), Doc: "How high."}}}},
			{Name: "right", Doc: "The other side.", Required: true, Body: schema.Body{Attributes: []schema.Attribute{
				{Name: "high", Type: cty.List(cty.String), Doc: "How high."}}}},
			{Name: "label", Label: "side", Doc: "A label.", Body: schema.Body{Blocks: []schema.Block{{Name: "glue",
				Doc: "Glue."}}}},
		},
	}},
}

var program = &reference.Program{
	Name: "syncctl",
	Commands: []reference.Command{
		{Name: "output", Summary: "Show outputs", Usage: "syncctl output [NAME]", Long: "Shows\nthem.\n\n  syncctl " +
			"output x\n",
			Flags: []reference.Flag{{Name: "raw", Doc: "as it is"}, {Name: "to", Letter: "o", Value: "FILE", Default: "-",
				Doc: "where"}},
			Exits: []reference.ExitCode{{Code: 0, Meaning: "done"}}, JSON: true},
		{Name: "plan", Summary: "Plan", Usage: "syncctl plan"},
	},
	Global:    []reference.Flag{{Name: "json", Doc: "for programs"}},
	Exits:     []reference.ExitCode{{Code: 0, Meaning: "done"}},
	Variables: []reference.Variable{{Name: "CI", Meaning: "Where it runs."}},
	Files:     []reference.Variable{{Name: "*.sync.hcl", Meaning: "The configuration."}},
}

func text(t *testing.T, p *reference.Page, width int) string {
	t.Helper()
	var b strings.Builder
	if err := p.Write(&b, reference.Layout{Width: width}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestLanguageExamples: the example of each page of the language has no mistakes, and is laid out as fmt does it.
func TestLanguageExamples(t *testing.T) {
	shown := 0
	for _, p := range reference.Pages(catalog, program) {
		if p.Group != reference.Language {
			continue
		}
		for _, files := range p.Examples {
			shown++
			fs := afero.NewMemMapFs()
			for name, text := range files {
				if err := afero.WriteFile(fs, name, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				if laidOut, _ := schema.Format(name, []byte(text)); string(laidOut) != text {
					t.Errorf("%s: %s is not formatted:\n%s", p.Word, name, laidOut)
				}
			}
			_, diags := schema.Load(t.Context(), schema.Options{Fs: fs, Dir: ".", Catalog: catalog, AllowUnset: true,
				Version: "1.0.0"})
			for _, d := range diags {
				t.Errorf("%s: %v", p.Word, d)
			}
		}
	}
	if shown < 10 {
		t.Errorf("%d examples", shown)
	}
}

// TestLanguageIsDescribed: each block and each argument of every declaration has a page, and each argument its words.
func TestLanguageIsDescribed(t *testing.T) {
	var words []string
	for _, p := range reference.Pages(catalog, program) {
		if p.Group == reference.Language {
			words = append(words, p.Word)
		}
	}
	var described func(path string, b *schema.Body)
	described = func(path string, b *schema.Body) {
		for _, a := range b.Attributes {
			if a.Doc == "" {
				t.Errorf("%s.%s has no words", path, a.Name)
			}
			if path == "" && !slices.Contains(words, a.Name) {
				t.Errorf("%s has no page: add it to texts.go", a.Name)
			}
		}
		for i := range b.Blocks {
			if b.Blocks[i].Doc == "" {
				t.Errorf("%s.%s has no words", path, b.Blocks[i].Name)
			}
			described(path+"."+b.Blocks[i].Name, &b.Blocks[i].Body)
		}
	}
	for _, c := range schema.Grammar() {
		if c.Name != "" && !slices.Contains(words, c.Name) {
			t.Errorf("%s has no page: add it to texts.go", c.Name)
		}
		described(c.Name, &c.Body)
	}
}

// TestTypePage: all that the grammar says of an argument is on its page.
func TestTypePage(t *testing.T) {
	pages, err := reference.Find(reference.Pages(catalog, program), catalog, "sync.yard")
	if err != nil || len(pages) != 1 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	got := text(t, pages[0], 0)
	for _, want := range []string{
		"`server` (reference to a `server.yard`, required, since 1.0)",
		"`color` (string, default `\"red\"`, since 1.0)", "`\"red\"` or " +
			"`\"blue\"`",
		"`weight` (number: kg, whole, at least 2, optional, since 1.0)",
		"## Block `left`", "optional", "has the arguments of " +
			"block `left`",
		"required.", "`label \"SIDE\" { ... }`", "## Block `glue` in `label`",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("want %q in\n%s", want, got)
		}
	}
	pages, err = reference.Find(reference.Pages(catalog, program), catalog, "server.yard")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"secret, since 1.0)", "duration, such as", "`sync.yard` (`server`)"} {
		if got := text(t, pages[0], 0); !strings.Contains(got, want) {
			t.Errorf("want %q in\n%s", want, got)
		}
	}
}

func TestFind(t *testing.T) {
	pages := reference.Pages(catalog, program)
	for word, want := range map[string][]reference.Group{
		"output": {reference.Language, reference.Commands}, "for_each": {reference.Language},
		"each.key": {reference.Language},
		"plan":     {reference.Commands}, "jsondecode": {reference.Functions}, "exit-codes": {reference.Topics},
	} {
		found, err := reference.Find(pages, catalog, word)
		var got []reference.Group
		for _, p := range found {
			got = append(got, p.Group)
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v", word, got, err)
		}
	}
	for word, want := range map[string]string{"fro_each": "for_each", "high": "sync.yard", "yard": "server.yard",
		"qqqqqqqqq": "qqqq"} {
		if found, err := reference.Find(pages, catalog, word); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, %v", word, found, err)
		}
	}
}

// TestWidth: whatever the width, a page says the same words, and only what cannot be broken is longer than a line.
func TestWidth(t *testing.T) {
	pages := reference.Pages(catalog, program)
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom(pages).Draw(t, "page")
		width := rapid.IntRange(1, 200).Draw(t, "width")
		var got, want strings.Builder
		if p.Write(&got, reference.Layout{Width: width}) != nil || p.Write(&want, reference.Layout{Width: 1 << 20}) != nil {
			t.Fatal("it cannot be written")
		}
		if a, b := strings.Fields(got.String()), strings.Fields(want.String()); !slices.Equal(a, b) {
			t.Fatalf("%s differs:\n%s", p.Word, got.String())
		}
		code := false
		for _, line := range strings.Split(got.String(), "\n") {
			if strings.HasPrefix(line, "```") {
				code = !code
			}
			long := utf8.RuneCountInString(line) > max(width, 20)
			if long && !code && !strings.HasPrefix(line, "#") && len(strings.Fields(strings.TrimPrefix(line, "* "))) > 1 {
				t.Fatalf("%s, %d columns: %q", p.Word, width, line)
			}
		}
	})
}

// documentSchema is the JSON Schema of the document. Bodies hold blocks, which have bodies: both are defined apart.
func documentSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	type members reference.Body
	type nested reference.Block
	opts := &jsonschema.ForOptions{TypeSchemas: map[reflect.Type]*jsonschema.Schema{
		reflect.TypeFor[reference.Body]():  {Ref: "#/$defs/body"},
		reflect.TypeFor[reference.Block](): {Ref: "#/$defs/block"},
		reflect.TypeFor[json.RawMessage](): {},
	}}
	whole, err := jsonschema.For[reference.Document](opts)
	if err != nil {
		t.Fatal(err)
	}
	body, err := jsonschema.For[members](opts)
	if err != nil {
		t.Fatal(err)
	}
	block, err := jsonschema.For[nested](opts)
	if err != nil {
		t.Fatal(err)
	}
	whole.Schema, whole.Title = schematest.Draft, "The grammar and all commands: syncctl schema -json"
	whole.Defs = map[string]*jsonschema.Schema{"body": body, "block": block}
	schematest.WithoutNull(whole)
	schematest.Described(t, whole)
	for _, s := range whole.Defs {
		schematest.Described(t, s)
	}
	return whole
}

// TestDocumentSchema: the document fits its JSON Schema, which is what the types say.
func TestDocumentSchema(t *testing.T) {
	want := documentSchema(t)
	schematest.Golden(t, filepath.Join("..", "docs", "schemas", "reference.schema.json"), want, *update)
	b, err := json.Marshal(reference.Describe(catalog, program))
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	if err := schematest.Fits(t, want, doc); err != nil {
		t.Error(err)
	}
	doc["types"].([]any)[0].(map[string]any)["nane"] = "x"
	if schematest.Fits(t, want, doc) == nil {
		t.Error("a member that the schema does not know fits")
	}
}
