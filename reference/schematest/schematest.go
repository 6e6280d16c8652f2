// Package schematest is shared by tests of the JSON Schemas in docs/.
package schematest

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/jsonschema-go/jsonschema"
)

// WithoutNull removes null, which the library permits for pointers and lists: no document of ours contains it.
func WithoutNull(s *jsonschema.Schema) {
	if s == nil {
		return
	}
	s.Types = slices.DeleteFunc(s.Types, func(name string) bool { return name == "null" })
	switch len(s.Types) {
	case 0:
		s.Types = nil // an empty list would permit nothing
	case 1:
		s.Type, s.Types = s.Types[0], nil
	}
	WithoutNull(s.Items)
	for _, in := range []map[string]*jsonschema.Schema{s.Properties, s.Defs} {
		for _, p := range in {
			WithoutNull(p)
		}
	}
}

// Golden compares a schema with its file. If update is set, it writes the file first.
func Golden(t *testing.T, name string, s *jsonschema.Schema, update bool) {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(s); err != nil {
		t.Fatal(err)
	}
	if update {
		if err := os.WriteFile(name, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), b.String()); d != "" {
		t.Errorf("%s is not as the types are; if the change is intended, run this test with -update\n%s", name, d)
	}
}

// Fits returns nil if a value, written as JSON, is valid for a schema.
func Fits(t *testing.T, s *jsonschema.Schema, v any) error {
	t.Helper()
	r, err := s.Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var doc any
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	return r.Validate(doc)
}
