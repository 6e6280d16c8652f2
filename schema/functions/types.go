package functions

import (
	"iter"
	"maps"
	"slices"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

func types() []Function {
	return []Function{
		{Name: "tobool", Func: stdlib.MakeToFunc(cty.Bool),
			Summary:  "The value as true or false; of texts \"true\" and \"false\".",
			Examples: examples(`tobool("true")`, `true`)},
		{Name: "tolist", Func: toCollection(cty.List(cty.DynamicPseudoType)),
			Cost:     uniting(cty.List(cty.DynamicPseudoType)),
			Summary:  "The value as a list, whose elements are of one type.",
			Examples: examples(`tolist(["a", 3])`, `tolist(["a", "3"])`)},
		{Name: "tomap", Func: toCollection(cty.Map(cty.DynamicPseudoType)),
			Cost:     uniting(cty.Map(cty.DynamicPseudoType)),
			Summary:  "The value as a map, whose elements are of one type.",
			Examples: examples(`tomap({ a = "x", b = true })`, `tomap({ a = "x", b = "true" })`)},
		{Name: "tonumber", Func: stdlib.MakeToFunc(cty.Number), Summary: "The value as a number.",
			Examples: examples(`tonumber("12.5")`, `12.5`)},
		{Name: "toset", Func: toCollection(cty.Set(cty.DynamicPseudoType)),
			Cost:     uniting(cty.Set(cty.DynamicPseudoType)),
			Summary:  "The value as a set: without an order, and each element once.",
			Examples: examples(`toset(["c", "b", "b"])`, `toset(["b", "c"])`)},
		{Name: "tostring", Func: stdlib.MakeToFunc(cty.String), Summary: "The value as a text.",
			Examples: examples(`tostring(1)`, `"1"`, `tostring(true)`, `"true"`)},
	}
}

// toCollection makes a function that converts elements of any type to a list, set or map. If they have the same type
// already, they are combined first: the library would compare the types of each pair.
func toCollection(want cty.Type) function.Function {
	f := stdlib.MakeToFunc(want)
	return function.New(&function.Spec{
		Description: f.Description(), Params: f.Params(),
		Type: func(args []cty.Value) (cty.Type, error) {
			return f.ReturnTypeForValues([]cty.Value{Alike(args[0], want)})
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return f.Call([]cty.Value{Alike(args[0], want)})
		},
	})
}

// Alike returns a tuple or an object whose elements have the same type as a list or a map. It returns other values
// unchanged.
func Alike(v cty.Value, want cty.Type) cty.Value {
	ty := v.Type()
	if !v.IsKnown() || v.IsNull() || !(ty.IsTupleType() && !want.IsMapType() || ty.IsObjectType() && want.IsMapType()) ||
		v.LengthInt() == 0 {
		return v
	}
	if want.IsMapType() {
		if areAlike(maps.Values(ty.AttributeTypes())) {
			return cty.MapVal(v.AsValueMap())
		}
	} else if areAlike(slices.Values(ty.TupleElementTypes())) {
		return cty.ListVal(v.AsValueSlice())
	}
	return v
}

// areAlike reports whether all types are the same one.
func areAlike(types iter.Seq[cty.Type]) bool {
	first := cty.NilType
	for ty := range types {
		if first == cty.NilType {
			first = ty
		}
		if ty.HasDynamicTypes() || !ty.Equals(first) {
			return false
		}
	}
	return true
}
