package cli

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/jsonschema-go/jsonschema"
	"github.com/syncctl/syncctl/executor"
)

var rewrite = flag.Bool("update", false, "rewrite docs/schemas/run.schema.json")

// TestRunSchema: the JSON Schema of a run in docs/schemas is that of what show -json writes, and a run fits it.
func TestRunSchema(t *testing.T) {
	t.Parallel()
	s, err := jsonschema.For[runDoc](nil)
	if err != nil {
		t.Fatal(err)
	}
	withoutNull(s)
	s.Schema, s.Title = "https://json-schema.org/draft/2020-12/schema", "A run: syncctl show -json RUN, and each of "+
		"syncctl status -json"
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(s); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("..", "docs", "schemas", "run.schema.json")
	if *rewrite {
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), b.String()); d != "" {
		t.Errorf("%s is not as the types are; if the change is intended: go test ./cli -run RunSchema -update\n%s", path, d)
	}
	fits, err := s.Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2027, 1, 2, 3, 4, 5, 6, time.UTC)
	for _, d := range []runDoc{{ID: "r", State: "finished", Done: 1, Of: 1, Dir: "d"}, {
		ID: "r", State: "unfinished", Of: 1, Dir: "d", Holder: &holderDoc{PID: 1, Host: "h", Since: at},
		Steps:  []runStepDoc{{Number: 1, ID: "a/b", Phase: executor.PhaseWaiting, Why: "w", Person: true}},
		Record: []runEntryDoc{{Seq: 1, Time: at, Key: "a/b", Event: "waiting", Data: map[string]string{"x": "y"}}},
	}} {
		text, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		var doc any
		if err := json.Unmarshal(text, &doc); err != nil {
			t.Fatal(err)
		}
		if err := fits.Validate(doc); err != nil {
			t.Errorf("%v\n%s", err, text)
		}
	}
}

// withoutNull takes out that the library permits null for pointers and lists: the document has none.
func withoutNull(s *jsonschema.Schema) {
	if s == nil {
		return
	}
	s.Types = slices.DeleteFunc(s.Types, func(name string) bool { return name == "null" })
	if len(s.Types) == 1 {
		s.Type, s.Types = s.Types[0], nil
	}
	withoutNull(s.Items)
	for _, p := range s.Properties {
		withoutNull(p)
	}
}
