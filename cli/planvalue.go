package cli

import (
	"encoding"
	"fmt"
	"reflect"
	"strings"

	"github.com/syncctl/syncctl/planner"
	"github.com/zclconf/go-cty/cty"
)

// planValue returns a plan as a value for expressions, with the members of its JSON. None is missing: what the JSON
// leaves out is empty or null, so that an expression need not ask whether it is there.
func planValue(plan *planner.Plan) (cty.Value, error) {
	hash, err := plan.Hash()
	if err != nil {
		return cty.NilVal, fmt.Errorf("looking at the plan: %w", err)
	}
	members := valueOf(reflect.ValueOf(plan)).AsValueMap()
	members["hash"] = cty.StringVal(hash)
	return cty.ObjectVal(members), nil
}

// valueOf returns a part of a plan as a value. Lists are tuples, as jsondecode makes them.
func valueOf(v reflect.Value) cty.Value {
	if text, ok := v.Interface().(encoding.TextMarshaler); ok && v.Kind() != reflect.Pointer {
		b, _ := text.MarshalText() // a plan has durations alone, which give no error
		return cty.StringVal(string(b))
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return cty.NullVal(cty.DynamicPseudoType)
		}
		return valueOf(v.Elem())
	case reflect.Struct:
		members := map[string]cty.Value{}
		for i := range v.NumField() {
			name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
			if name != "" && name != "-" {
				members[name] = valueOf(v.Field(i))
			}
		}
		return cty.ObjectVal(members)
	case reflect.Slice:
		var elements []cty.Value
		for i := range v.Len() {
			elements = append(elements, valueOf(v.Index(i)))
		}
		return cty.TupleVal(elements)
	case reflect.Map:
		members := map[string]cty.Value{}
		for _, key := range v.MapKeys() {
			members[key.String()] = valueOf(v.MapIndex(key))
		}
		return cty.ObjectVal(members)
	case reflect.Bool:
		return cty.BoolVal(v.Bool())
	case reflect.Int:
		return cty.NumberIntVal(v.Int())
	}
	return cty.StringVal(v.String())
}
