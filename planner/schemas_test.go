package planner_test

import (
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/reference/schematest"
	"github.com/syncctl/syncctl/schema"
)

var rewrite = flag.Bool("update", false, "rewrite docs/schemas")

// planDocument is what a plan file, plan -json and show -json of a plan are.
type planDocument struct {
	planner.Plan

	Hash string `json:"hash,omitempty"`
	Seal string `json:"seal"`
	Mac  string `json:"mac,omitempty"`
}

// diffDocument is what show -diff -json and plan -against -json are.
type diffDocument struct {
	Same bool `json:"same"`
	planner.PlanDiff
}

func oneOf[T ~string](list ...T) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "string"}
	for _, w := range list {
		s.Enum = append(s.Enum, string(w))
	}
	return s
}

func schemaOf[T any](t *testing.T, title string, more map[string]string) *jsonschema.Schema {
	t.Helper()
	s, err := jsonschema.For[T](&jsonschema.ForOptions{TypeSchemas: map[reflect.Type]*jsonschema.Schema{
		reflect.TypeFor[planner.Duration](): {Type: "string", Pattern: `^(\d+(\.\d+)?(h|m|s|ms|µs|ns))+$`},
		reflect.TypeFor[planner.Mark](): oneOf(planner.MarkAdd, planner.MarkChange, planner.MarkDelete, planner.MarkPerson,
			planner.MarkCheck, planner.MarkFinal),
		reflect.TypeFor[planner.Repeat]():   oneOf(planner.Idempotent, planner.CheckFirst, planner.Once),
		reflect.TypeFor[planner.Severity](): oneOf(planner.Refuse, planner.Warn, planner.Note),
		reflect.TypeFor[planner.Action](): oneOf(planner.NoChange, planner.Create, planner.Update, planner.Delete,
			planner.Migrate, planner.Replace),
		reflect.TypeFor[planner.Sort]():     oneOf(planner.Added, planner.Removed, planner.Changed),
		reflect.TypeFor[planner.Becoming](): oneOf(planner.Lost, planner.Altered, planner.Gained, planner.Unknown),
		reflect.TypeFor[schema.Flow]():      oneOf(schema.FlowFrom, schema.FlowTo, schema.FlowBoth),
	}})
	if err != nil {
		t.Fatal(err)
	}
	s.Schema, s.Title = "https://json-schema.org/draft/2020-12/schema", title
	docs := comments(t)
	schematest.WithoutNull(s)
	describe(s, reflect.TypeFor[T](), docs)
	for name, text := range more {
		s.Properties[name].Description = text
	}
	return s
}

// comments are what the code says of each type and field, as TYPE and TYPE.FIELD.
func comments(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			body, ok := spec.Type.(*ast.StructType)
			if !ok {
				return true
			}
			for _, field := range body.Fields.List {
				text := strings.TrimSpace(field.Doc.Text() + " " + field.Comment.Text())
				for _, name := range field.Names {
					out[spec.Name.Name+"."+name.Name] = strings.Join(strings.Fields(text), " ")
				}
			}
			return true
		})
	}
	return out
}

// describe puts the words of the code beside each member.
func describe(s *jsonschema.Schema, of reflect.Type, docs map[string]string) {
	for of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	switch {
	case of.Kind() == reflect.Slice && s.Items != nil:
		describe(s.Items, of.Elem(), docs)
	case of.Kind() == reflect.Struct && s.Properties != nil:
		for _, field := range reflect.VisibleFields(of) {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			member := s.Properties[name]
			if member == nil {
				continue
			}
			owner := of
			for i := range len(field.Index) - 1 {
				owner = owner.Field(field.Index[i]).Type
			}
			if text := docs[owner.Name()+"."+field.Name]; text != "" {
				member.Description = text
			}
			describe(member, field.Type, docs)
		}
	}
}

// TestSchemas: the JSON Schemas in docs/schemas are those of the types, and plans fit them.
func TestSchemas(t *testing.T) {
	const title = "A plan: *.syncplan.json, syncctl plan -json, syncctl show -json PLAN"
	plan := schemaOf[planDocument](t, title, map[string]string{
		"format": "of the document; this is the schema of format 2",
		"hash":   "what the plan says and does, by which it is approved: see docs/review.md",
		"seal":   "of everything in the document but mac: a document that was edited is refused",
		"mac":    "that whoever holds a key has made it",
	})
	diff := schemaOf[diffDocument](t, "What has changed from a plan to another: syncctl show -diff -json, "+
		"syncctl plan -against=FILE -json", map[string]string{"same": "whether the hashes are the same"})
	for name, s := range map[string]*jsonschema.Schema{"plan": plan, "diff": diff} {
		schematest.Golden(t, filepath.Join("..", "docs", "schemas", name+".schema.json"), s, *rewrite)
	}
	old, made := full(t), full(t)
	made.Steps[2].Facts[0].Value, made.Findings, made.Digest = "8", nil, "other"
	fits(t, plan, json.RawMessage(encoded(t, old)), true)
	fits(t, plan, json.RawMessage(encoded(t, &planner.Plan{Format: planner.Format, Changes: []planner.ResourceChange{},
		Steps: []planner.Step{}})), true)
	fits(t, diff, diffDocument{PlanDiff: *diffOf(t, old, made)}, true)
	fits(t, diff, diffDocument{Same: true, PlanDiff: *diffOf(t, old, old)}, true)
	fits(t, plan, json.RawMessage(strings.Replace(encoded(t, old), `"mark": "="`, `"mark": "x"`, 1)), false)
	fits(t, plan, json.RawMessage(regexp.MustCompile(`"seal": "[^"]*"`).ReplaceAllString(encoded(t, old), `"x": 1`)), false)
}

func fits(t *testing.T, s *jsonschema.Schema, v any, want bool) {
	t.Helper()
	if err := schematest.Fits(t, s, v); (err == nil) != want {
		t.Errorf("fits: %v, want %v: %+v", err, want, v)
	}
}
