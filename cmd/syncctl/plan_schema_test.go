package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
)

// TestPlansFitSchema: the plan of every example, as syncctl plan -json writes it, fits docs/schemas/plan.schema.json.
func TestPlansFitSchema(t *testing.T) {
	src, err := os.ReadFile(filepath.Join("..", "..", "docs", "schemas", "plan.schema.json"))
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
	for _, dir := range exampleDirs(t) {
		out, changes, _ := inside(t, dir, "syncctl plan -json 2>errors || test $? = 8")
		var doc any
		if err := json.Unmarshal([]byte(out), &doc); err != nil {
			t.Fatalf("%s: %v\n%s", dir, err, out)
		}
		if err := fits.Validate(doc); err != nil {
			t.Errorf("%s: %v", dir, err)
		}
		if len(changes) > 0 {
			t.Errorf("%s: a plan changes something: %v", dir, changes)
		}
	}
}
