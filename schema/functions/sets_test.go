package functions

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// randomValue is a small value of a type, so that equal ones are likely; now and then null or unknown.
func randomValue(r *rand.Rand, ty cty.Type) cty.Value {
	switch n := r.IntN(20); {
	case n == 0:
		return cty.NullVal(ty)
	case n == 1 && r.IntN(4) == 0:
		return cty.UnknownVal(ty)
	}
	some := func() []cty.Value {
		var out []cty.Value
		for range r.IntN(3) {
			out = append(out, randomValue(r, ty.ElementType()))
		}
		return out
	}
	switch {
	case ty == cty.String:
		return cty.StringVal([]string{"a", "b", "é", "1", ""}[r.IntN(5)])
	case ty == cty.Number:
		return []cty.Value{cty.Zero, cty.NumberIntVal(1), cty.NumberFloatVal(1.5), cty.MustParseNumberVal("1.0")}[r.IntN(4)]
	case ty == cty.Bool:
		return cty.BoolVal(r.IntN(2) == 0)
	case ty.IsObjectType():
		attrs := map[string]cty.Value{}
		for name, of := range ty.AttributeTypes() {
			attrs[name] = randomValue(r, of)
		}
		return cty.ObjectVal(attrs)
	case ty.IsListType():
		if elems := some(); len(elems) > 0 {
			return cty.ListVal(elems)
		}
		return cty.ListValEmpty(ty.ElementType())
	case ty.IsSetType():
		if elems := some(); len(elems) > 0 {
			return cty.SetVal(elems)
		}
		return cty.SetValEmpty(ty.ElementType())
	}
	elems := map[string]cty.Value{}
	for _, v := range some() {
		elems[fmt.Sprint(r.IntN(3))] = v
	}
	if len(elems) == 0 {
		return cty.MapValEmpty(ty.ElementType())
	}
	return cty.MapVal(elems)
}

// TestSets: the functions give what the library's give, of lists, tuples and sets of random values, which may be null,
// unknown or sensitive, and of types that only fit together. What the library knows in part may be unknown, and
// it loses the mark of a null.
func TestSets(t *testing.T) {
	object := cty.Object(map[string]cty.Type{"a": cty.String, "b": cty.List(cty.Number), "c": cty.Map(cty.String)})
	types := []cty.Type{cty.String, cty.Number, cty.Bool, object, cty.List(object), cty.Set(cty.String),
		cty.Map(cty.Number)}
	r := rand.New(rand.NewPCG(1, 2))
	collection := func() cty.Value {
		ty := types[r.IntN(len(types))]
		if r.IntN(3) > 0 {
			ty = object
		}
		var elems []cty.Value
		for range r.IntN(6) {
			v := randomValue(r, ty)
			if r.IntN(30) == 0 {
				v = v.Mark("secret")
			}
			elems = append(elems, v)
		}
		switch n := r.IntN(8); {
		case n == 0:
			return cty.UnknownVal(cty.List(ty))
		case n == 1 && len(elems) > 0:
			return cty.SetVal(elems)
		case n < 4 && len(elems) > 0:
			return cty.ListVal(elems)
		}
		return cty.TupleVal(elems)
	}
	outcome := func(f function.Function, args []cty.Value) (string, cty.ValueMarks, bool) {
		var fit []cty.Value
		for i, arg := range args {
			p := f.VarParam()
			if i < len(f.Params()) {
				p = &f.Params()[i]
			}
			v, err := convert.Convert(arg, p.Type)
			if err != nil {
				return "an error", nil, true
			}
			fit = append(fit, v)
		}
		v, err := f.Call(fit)
		if err != nil {
			return "an error", nil, true
		}
		v, marks := v.Unmark() // sets have no marks inside
		return fmt.Sprintf("%#v", v), marks, v.IsWhollyKnown()
	}
	for range 3_000 {
		args := []cty.Value{collection(), collection()}
		for name, pair := range map[string][2]function.Function{
			"setunion":        {setUnionFunc, stdlib.SetUnionFunc},
			"setintersection": {setIntersectionFunc, stdlib.SetIntersectionFunc},
			"setsubtract":     {setSubtractFunc, stdlib.SetSubtractFunc},
		} {
			got, marks, _ := outcome(pair[0], args)
			if want, least, known := outcome(pair[1], args); known && got != want || len(marks) < len(least) {
				t.Fatalf("%s(%#v):\n%s\nand not\n%s", name, args, got, want)
			}
		}
	}
}
