// Package schematest is shared by tests of the JSON Schemas in docs/.
package schematest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/jsonschema-go/jsonschema"
)

// For returns the JSON Schema of T. The members have the words of their jsonschema tags, or of the comments on the
// fields. The permitted values of a named string type are its constants.
func For[T any](t *testing.T, title string) *jsonschema.Schema {
	t.Helper()
	s := ForType(t, reflect.TypeFor[T]())
	s.Schema, s.Title = Draft, title
	return s
}

// Draft is the version of JSON Schema.
const Draft = "https://json-schema.org/draft/2020-12/schema"

// ForType is For without a title.
func ForType(t *testing.T, typ reflect.Type) *jsonschema.Schema {
	t.Helper()
	src := sources{}
	known := map[reflect.Type]*jsonschema.Schema{reflect.TypeFor[json.RawMessage](): {}}
	src.texts(t, typ, known, map[reflect.Type]bool{})
	s, err := jsonschema.ForType(typ, &jsonschema.ForOptions{TypeSchemas: known})
	if err != nil {
		t.Fatal(err)
	}
	WithoutNull(s)
	src.describe(t, s, typ)
	return s
}

// Described fails if a member has no description.
func Described(t *testing.T, s *jsonschema.Schema) {
	t.Helper()
	described(t, s, s.Title)
}

func described(t *testing.T, s *jsonschema.Schema, path string) {
	t.Helper()
	if s == nil {
		return
	}
	for name, member := range s.Properties {
		if member.Description == "" {
			t.Errorf("%s.%s: the member is not described: write a comment on its field", path, name)
		}
		described(t, member, path+"."+name)
	}
	described(t, s.Items, path+"[]")
	described(t, s.AdditionalProperties, path+"{}")
	for i, one := range s.OneOf {
		described(t, one, fmt.Sprintf("%s|%d", path, i))
	}
}

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
	WithoutNull(s.AdditionalProperties)
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
