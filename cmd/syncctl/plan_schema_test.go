package main

import (
	"encoding/json"
	"testing"
)

// TestPlansFitSchema: the plan of every example, as syncctl plan -json writes it, fits docs/schemas/plan.schema.json.
func TestPlansFitSchema(t *testing.T) {
	fits := schemaIn(t, "schemas/plan.schema.json")
	for _, dir := range oneProcessDirs(t) {
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
