package main

import (
	"encoding/json"
	"testing"
)

// TestPlansFitSchema checks that the plan of every example, as written by syncctl plan -json, is valid against
// docs/schemas/plan.schema.json.
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
