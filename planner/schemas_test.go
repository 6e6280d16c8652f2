package planner_test

import (
	"encoding/json"
	"flag"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/reference/schematest"
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

func schemaOf[T any](t *testing.T, title string, more map[string]string) *jsonschema.Schema {
	t.Helper()
	s := schematest.For[T](t, title)
	for name, text := range more {
		s.Properties[name].Description = text
	}
	schematest.Described(t, s)
	return s
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
