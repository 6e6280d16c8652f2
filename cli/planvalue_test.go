package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/syncctl/syncctl/planner"
	"github.com/zclconf/go-cty/cty"
)

// TestPlanValue: expressions of console -plan know each member that the JSON Schema of a plan describes, but for the
// two that prove who has made a file.
func TestPlanValue(t *testing.T) {
	t.Parallel()
	src, err := os.ReadFile(filepath.Join("..", "docs", "schemas", "plan.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	var described part
	if err := json.Unmarshal(src, &described); err != nil {
		t.Fatal(err)
	}
	var plan planner.Plan
	oneOfEach(reflect.ValueOf(&plan).Elem())
	value, err := planValue(&plan)
	if err != nil {
		t.Fatal(err)
	}
	delete(described.Properties, "seal")
	delete(described.Properties, "mac")
	described.missing(t, "plan", value)
	if empty, err := planValue(&planner.Plan{}); err != nil || empty.GetAttr("findings").LengthInt() != 0 {
		t.Errorf("an empty plan has no findings: %#v, %v", empty, err)
	}
}

// part is a part of a JSON Schema.
type part struct {
	Properties map[string]*part
	Items      *part
}

// missing reports the members that a value lacks.
func (p *part) missing(t *testing.T, path string, v cty.Value) {
	if p.Items != nil {
		p.Items.missing(t, path+"[0]", v.Index(cty.Zero))
	}
	for name, of := range p.Properties {
		if !v.Type().HasAttribute(name) {
			t.Errorf("%s has no %s", path, name)
			continue
		}
		of.missing(t, path+"."+name, v.GetAttr(name))
	}
}

// oneOfEach puts one element into each list, and something behind each pointer.
func oneOfEach(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		oneOfEach(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		oneOfEach(v.Index(0))
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				oneOfEach(v.Field(i))
			}
		}
	}
}
