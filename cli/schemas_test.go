package cli

import (
	"flag"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/reference/schematest"
)

var rewrite = flag.Bool("update", false, "rewrite docs/schemas/run.schema.json")

// TestRunSchema: the JSON Schema of a run in docs/schemas is that of what show -json writes, and a run fits it.
func TestRunSchema(t *testing.T) {
	t.Parallel()
	s, err := jsonschema.For[runDoc](nil)
	if err != nil {
		t.Fatal(err)
	}
	schematest.WithoutNull(s)
	s.Schema, s.Title = "https://json-schema.org/draft/2020-12/schema", "A run: syncctl show -json RUN, and each of "+
		"syncctl status -json"
	schematest.Golden(t, filepath.Join("..", "docs", "schemas", "run.schema.json"), s, *rewrite)
	at := time.Date(2027, 1, 2, 3, 4, 5, 6, time.UTC)
	for _, d := range []runDoc{{ID: "r", State: "finished", Done: 1, Of: 1, Dir: "d"}, {
		ID: "r", State: "unfinished", Of: 1, Dir: "d", Holder: &holderDoc{PID: 1, Host: "h", Since: at},
		Steps:  []runStepDoc{{Number: 1, ID: "a/b", Phase: executor.PhaseWaiting, Why: "w", Person: true}},
		Record: []runEntryDoc{{Seq: 1, Time: at, Key: "a/b", Event: "waiting", Data: map[string]string{"x": "y"}}},
	}} {
		if err := schematest.Fits(t, s, d); err != nil {
			t.Errorf("%s: %v", d.State, err)
		}
	}
}
