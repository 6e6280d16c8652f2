package schema

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// TestOneByOne: what is converted element by element is what the library makes of it, with its errors, only sooner.
func TestOneByOne(t *testing.T) {
	t.Parallel()
	types := []cty.Type{cty.String, cty.Number, cty.Bool, cty.DynamicPseudoType,
		cty.ObjectWithOptionalAttrs(map[string]cty.Type{"x": cty.String, "z": cty.List(cty.String)}, []string{"z"})}
	for range 2 {
		for _, elem := range types[:len(types):len(types)] {
			types = append(types, cty.List(elem), cty.Set(elem), cty.Map(elem), cty.Tuple([]cty.Type{elem, elem}),
				cty.Object(map[string]cty.Type{"x": elem}))
		}
	}
	sooner := 0
	for _, v := range valuesToConvert() {
		for _, want := range types {
			lib, libErr := convert.Convert(v, want)
			made, err := (&meter{ctx: t.Context()}).oneByOne(v, want)
			if err != nil {
				made = v
			}
			if got, err := convert.Convert(made, want); converted(got, err) != converted(lib, libErr) {
				t.Errorf("%#v to %#v: %#v %v, and not %#v %v", v, want, got, err, lib, libErr)
			}
			plain, _ := v.Unmark()
			known := plain.IsWhollyKnown() && plain.CanIterateElements() && plain.LengthInt() > 0
			whole := want.IsCollectionType() && !want.IsSetType() && !want.HasDynamicTypes()
			if libErr == nil && known && whole && !plain.Type().IsCollectionType() {
				if sooner++; !made.Type().Equals(lib.Type()) {
					t.Errorf("%#v to %#v: the library still has to convert %#v", v, want, made)
				}
			}
		}
	}
	if sooner < 300 {
		t.Errorf("%d values are converted element by element", sooner)
	}
}

// TestDefaultsApart: the same holds for values in which defaults are filled in.
func TestDefaultsApart(t *testing.T) {
	t.Parallel()
	opened := 0
	const object = `object({ x = optional(any, "def"), y = optional(list(string), ["b"]) })`
	for _, typ := range []string{"list(O)", "set(O)", "map(O)", "tuple([O, list(O)])", "list(map(O))",
		"object({ x = optional(list(O)), y = list(O) })", "map(list(O))", "set(tuple([O, O]))",
		"list(object({ x = optional(O, {}) }))"} {
		expr, diags := hclsyntax.ParseExpression([]byte(strings.ReplaceAll(typ, "O", object)), "t", hcl.InitialPos)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		want, defaults, diags := typeexpr.TypeConstraintWithDefaults(expr)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		for _, v := range valuesToConvert() {
			if v.IsNull() {
				continue
			}
			lib, libErr := convert.Convert(defaults.Apply(v), want)
			open := apart(v, defaults)
			if !open.Type().Equals(v.Type()) {
				opened++
			}
			got, err := convert.Convert(defaults.Apply(open), want)
			if (err == nil) != (libErr == nil) || err == nil && converted(got, nil) != converted(lib, nil) {
				t.Errorf("%#v to %s: %#v %v, and not %#v %v", v, typ, got, err, lib, libErr)
			}
		}
	}
	if opened < 50 {
		t.Errorf("%d values are taken apart", opened)
	}
}

// converted returns the outcome of a conversion as text, without that nothing is known of an unknown value.
func converted(v cty.Value, err error) string {
	return strings.ReplaceAll(fmt.Sprintf("%#v %v", v, err), ".Refine().NewValue()", "")
}

// valuesToConvert returns values of all kinds, and each of them inside of others.
func valuesToConvert() []cty.Value {
	text, number, null := cty.StringVal("a"), cty.NumberIntVal(1), cty.NullVal(cty.DynamicPseudoType)
	tuple := func(v ...cty.Value) cty.Value { return cty.TupleVal(v) }
	object := func(v cty.Value) cty.Value { return cty.ObjectVal(map[string]cty.Value{"x": v}) }
	values := []cty.Value{
		tuple(), tuple(text, text), tuple(text, number), tuple(number, null), tuple(text.Mark("m"), number), tuple(null),
		tuple(text, cty.DynamicVal), tuple(cty.UnknownVal(cty.Number), number), tuple(object(text), object(number)),
		tuple(object(null), null), tuple(object(text), text), tuple(tuple(text, number), tuple()), object(object(text)),
		tuple(cty.True, text), tuple(tuple(number).Mark("m"), tuple(text)), cty.EmptyObjectVal, object(text), object(null),
		object(tuple(number)), object(text.Mark("m")), text, null, cty.DynamicVal, cty.ListVal([]cty.Value{text}),
		cty.ListVal([]cty.Value{tuple(text, number)}), cty.SetVal([]cty.Value{text, cty.StringVal("b")}),
		cty.SetVal([]cty.Value{tuple(number, text)}), cty.ListVal([]cty.Value{object(number), object(number)}),
		cty.ListValEmpty(cty.Number), cty.MapVal(map[string]cty.Value{"x": number}),
		cty.MapVal(map[string]cty.Value{"x": tuple(number, text)}), cty.UnknownVal(cty.List(cty.String)),
		cty.MapVal(map[string]cty.Value{"x": cty.EmptyObjectVal, "y": cty.EmptyObjectVal}),
		cty.SetVal([]cty.Value{cty.EmptyObjectVal}), cty.ListVal([]cty.Value{cty.EmptyObjectVal, cty.EmptyObjectVal}),
	}
	for _, v := range values[:len(values):len(values)] {
		values = append(values, tuple(v, v), tuple(v, text), object(v), v.Mark("m"))
	}
	return values
}

// TestConvertingMany: converting many elements inside of a value, and filling in their defaults, costs what they cost.
// If each was compared with all others, it would not end within the minute that a configuration may take.
func TestConvertingMany(t *testing.T) {
	t.Parallel()
	many := `split("", format("%80000s", ""))`
	if testing.Short() { // the race detector is slow
		many = `split("", format("%8000s", ""))`
	}
	for value, typ := range map[string]string{
		"{ a = [[for x in " + many + " : x]] }": "object({ a = list(list(string)) })",
		"tolist([for x in " + many + " : {}])":  `list(object({ a = optional(string, "x") }))`,
	} {
		cfg, diags := world{files: map[string]string{
			"a.sync.hcl":     "module \"m\" {\n  source = \"./m\"\n  v = " + value + "\n}\n",
			"large.sync.hcl": "# " + strings.Repeat("x", 1<<20),
			"m/m.sync.hcl":   "variable \"v\" {\n  type = " + typ + "\n}\n",
		}}.load(t)
		if diags.HasErrors() {
			t.Errorf("%s: %s", typ, textOf(t, cfg, diags))
		}
	}
}
