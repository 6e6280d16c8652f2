package functions

import (
	"fmt"
	"testing"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// TestToCollection: a collection is the library's, with its errors, whatever it is made of; only sooner.
func TestToCollection(t *testing.T) {
	text, number := cty.StringVal("a"), cty.NumberIntVal(1)
	object := func(v cty.Value) cty.Value { return cty.ObjectVal(map[string]cty.Value{"x": v}) }
	for _, v := range []cty.Value{
		cty.EmptyTupleVal, cty.EmptyObjectVal, text, cty.NullVal(cty.DynamicPseudoType), cty.DynamicVal,
		cty.TupleVal([]cty.Value{text, text}), cty.TupleVal([]cty.Value{text, number}),
		cty.TupleVal([]cty.Value{object(text), object(text)}), cty.TupleVal([]cty.Value{object(text), object(number)}),
		cty.TupleVal([]cty.Value{text, cty.NullVal(cty.String)}),
		cty.TupleVal([]cty.Value{text, cty.UnknownVal(cty.String)}),
		cty.TupleVal([]cty.Value{cty.NullVal(cty.DynamicPseudoType), text}), cty.TupleVal([]cty.Value{text.Mark("m"), text}),
		cty.TupleVal([]cty.Value{text, cty.EmptyTupleVal}), object(text), object(object(number)),
		cty.ObjectVal(map[string]cty.Value{"a": text, "b": number}), cty.ListVal([]cty.Value{text}),
		cty.SetVal([]cty.Value{number}), cty.MapVal(map[string]cty.Value{"a": text}),
		cty.TupleVal([]cty.Value{text}).Mark("m"),
	} {
		for _, want := range []cty.Type{
			cty.List(cty.DynamicPseudoType), cty.Set(cty.DynamicPseudoType), cty.Map(cty.DynamicPseudoType),
		} {
			outcome := func(f function.Function) string {
				got, err := f.Call([]cty.Value{v})
				return fmt.Sprintf("%#v %v", got, err)
			}
			if got, lib := outcome(toCollection(want)), outcome(stdlib.MakeToFunc(want)); got != lib {
				t.Errorf("%#v to %s: %s, and not %s", v, want.FriendlyName(), got, lib)
			}
		}
	}
}

// TestToCollectionTogether: what has one type is taken together, which costs what the elements cost.
func TestToCollectionTogether(t *testing.T) {
	list := cty.TupleVal([]cty.Value{cty.StringVal("a"), cty.StringVal("b")})
	if got := Alike(list, cty.Set(cty.DynamicPseudoType)); !got.Type().IsListType() {
		t.Errorf("%#v", got)
	}
	if got := Alike(list, cty.Map(cty.DynamicPseudoType)); !got.Type().IsTupleType() {
		t.Errorf("%#v", got)
	}
}
