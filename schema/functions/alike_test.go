package functions

import (
	"fmt"
	"testing"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
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

// TestOneByOne: what is converted element by element is what the library makes of it, with its errors, only sooner.
func TestOneByOne(t *testing.T) {
	text, number, null := cty.StringVal("a"), cty.NumberIntVal(1), cty.NullVal(cty.DynamicPseudoType)
	tuple := func(v ...cty.Value) cty.Value { return cty.TupleVal(v) }
	object := func(v cty.Value) cty.Value { return cty.ObjectVal(map[string]cty.Value{"x": v}) }
	optional := cty.ObjectWithOptionalAttrs(map[string]cty.Type{"x": cty.String, "z": cty.String}, []string{"z"})
	sooner := 0
	for _, v := range []cty.Value{
		tuple(), tuple(text, text), tuple(text, number), tuple(number, null), tuple(text.Mark("m"), number), tuple(null),
		tuple(text, cty.DynamicVal), tuple(cty.UnknownVal(cty.Number), number), tuple(object(text), object(number)),
		tuple(object(null), null), tuple(object(text), text), tuple(tuple(text, number), tuple()), object(object(text)),
		tuple(cty.True, text), cty.EmptyObjectVal, object(text), object(null), object(tuple(number)), object(text.Mark("m")),
		text, null, cty.DynamicVal, cty.ListVal([]cty.Value{text}), cty.MapVal(map[string]cty.Value{"x": number}),
	} {
		for _, elem := range []cty.Type{
			cty.String, cty.Number, cty.Bool, optional, cty.List(cty.String), cty.Map(cty.String), cty.List(cty.DynamicPseudoType),
		} {
			for _, want := range []cty.Type{cty.List(elem), cty.Set(elem), cty.Map(elem)} {
				lib, libErr := convert.Convert(v, want)
				made := OneByOne(v, want)
				got, err := convert.Convert(made, want)
				if fmt.Sprintf("%#v %v", got, err) != fmt.Sprintf("%#v %v", lib, libErr) {
					t.Errorf("%#v to %#v: %#v %v, and not %#v %v", v, want, got, err, lib, libErr)
				}
				if !made.Type().Equals(v.Type()) && made.Type().IsCollectionType() {
					sooner++
				}
			}
		}
	}
	if sooner < 50 {
		t.Errorf("%d values are converted element by element", sooner)
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
