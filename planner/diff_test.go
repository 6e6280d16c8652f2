package planner_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
	"pgregory.net/rapid"
)

type object = map[string]cty.Value

func text(s string) cty.Value { return cty.StringVal(s) }

func secret(s string) cty.Value { return schema.Sensitive(cty.StringVal(s)) }

func words(w ...string) cty.Value {
	if len(w) == 0 {
		return cty.ListValEmpty(cty.String)
	}
	var vs []cty.Value
	for _, s := range w {
		vs = append(vs, text(s))
	}
	return cty.ListVal(vs)
}

var (
	null    = cty.NullVal(cty.String)
	unknown = cty.UnknownVal(cty.String)
)

func TestCompare(t *testing.T) {
	mapping := func(kv ...string) cty.Value {
		m := object{}
		for i := 0; i < len(kv); i += 2 {
			m[kv[i]] = text(kv[i+1])
		}
		if len(m) == 0 {
			return cty.MapValEmpty(cty.String)
		}
		return cty.MapVal(m)
	}
	for _, c := range []struct {
		name             string
		declared, actual cty.Value // what stands at "a"; NilVal: no such attribute
		want             string
	}{
		{"equal", text("x"), text("x"), ""},
		{"other text", text("x"), text("y"), `a: "x" <- "y"`},
		{"other type", text("1"), cty.NumberIntVal(1), `a: "1" <- 1`},
		{"nobody asked", null, text("y"), ""},
		{"not there", text("x"), null, `a: "x" <- null`},
		{"cannot be read", text("x"), cty.NilVal, ""},
		{"not known yet", unknown, text("y"), ""},
		{"not known there", text("x"), unknown, `a: "x" <- (unknown)`},
		{"secret", secret("x"), text("y"), ""},
		{"secret read back", text("x"), secret("y"), ""},

		{"map equal", mapping("k", "1"), mapping("k", "1"), ""},
		{"map value", mapping("k", "1"), mapping("k", "2"), `a.k: "1" <- "2"`},
		{"map key missing", mapping("k", "1", "l", "2"), mapping("k", "1"), `a.l: "2" <- null`},
		{"map key too many", mapping("k", "1"), mapping("k", "1", "l", "2"), `a.l: null <- "2"`},
		{"map emptied", mapping(), mapping("k", "1"), `a.k: null <- "1"`},
		{"map declared, nothing there", mapping("k", "1"), cty.NullVal(cty.Map(cty.String)), `a.k: "1" <- null`},
		{"map beside an object", mapping("k", "1"), cty.ObjectVal(object{"k": text("1"), "l": text("2")}),
			`a.l: null <- "2"`},
		{"map with one secret", cty.MapVal(object{"k": secret("1"), "l": text("2")}), mapping("k", "9", "l", "3"),
			`a.l: "2" <- "3"`},
		{"map with one secret there", mapping("k", "1", "l", "2"), cty.MapVal(object{"k": secret("9"), "l": text("3")}),
			`a.l: "2" <- "3"`},
		{"secret key too many", mapping(), cty.MapVal(object{"k": secret("9")}), `a.k: null <- (sensitive value)`},

		{"object inside", cty.ObjectVal(object{"x": text("1"), "y": null}),
			cty.ObjectVal(object{"x": text("2"), "y": text("3")}), `a.x: "1" <- "2"`},
		{"object unreadable in part", cty.ObjectVal(object{"x": text("1"), "y": text("2")}),
			cty.ObjectVal(object{"y": text("3")}), `a.y: "2" <- "3"`},
		{"object not there", cty.ObjectVal(object{"x": text("1"), "y": null}), cty.NullVal(cty.EmptyObject),
			`a.x: "1" <- null`},
		{"object with a secret beside", cty.ObjectVal(object{"p": secret("s"), "x": text("1")}),
			cty.ObjectVal(object{"x": text("2")}), `a.x: "1" <- "2"`},

		{"list equal", words("1", "2"), words("1", "2"), ""},
		{"list and tuple", words("1", "2"), cty.TupleVal([]cty.Value{text("1"), text("2")}), ""},
		{"list order", words("1", "2"), words("2", "1"), `a: ["1", "2"] <- ["2", "1"]`},
		{"list shorter", words("1"), words("1", "2"), `a: ["1"] <- ["1", "2"]`},
		{"list emptied", words(), words("1"), `a: [] <- ["1"]`},
		{"list with a secret", cty.ListVal([]cty.Value{secret("1"), text("2")}), words("9", "2"), ""},
		{"list with a secret, other beside", cty.ListVal([]cty.Value{secret("1"), text("2")}), words("9", "3"),
			`a: (sensitive value) <- ["9", "3"]`},
		{"list of objects, null inside", cty.ListVal([]cty.Value{cty.ObjectVal(object{"x": text("1"), "y": null})}),
			cty.ListVal([]cty.Value{cty.ObjectVal(object{"x": text("1"), "y": text("2")})}), ""},
		{"set", cty.SetVal([]cty.Value{text("1"), text("2")}), cty.SetVal([]cty.Value{text("2"), text("1")}), ""},
		{"set differs", cty.SetVal([]cty.Value{text("1")}), cty.SetVal([]cty.Value{text("2")}), `a: ["1"] <- ["2"]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			declared, actual := object{"a": c.declared, "b": text("same")}, object{"b": text("same")}
			if c.actual != cty.NilVal {
				actual["a"] = c.actual
			}
			if got := said(planner.Compare(cty.ObjectVal(declared), cty.ObjectVal(actual))); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func said(diff []planner.Difference) string {
	var lines []string
	for _, d := range diff {
		lines = append(lines, fmt.Sprintf("%s: %s <- %s", d.Path, d.Declared, d.Actual))
	}
	return strings.Join(lines, "; ")
}

func TestCompareWithNothing(t *testing.T) {
	declared := cty.ObjectVal(object{"z": text("1"), "b": null, "a": cty.MapVal(object{"k": text("2")}), "p": secret("s")})
	for _, actual := range []cty.Value{cty.NullVal(cty.EmptyObject), cty.NullVal(cty.DynamicPseudoType), cty.NilVal} {
		if got, want := said(planner.Compare(declared, actual)), `a.k: "2" <- null; z: "1" <- null`; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// Whatever is declared differs in nothing from itself, and no secret ever shows.
func TestCompareProperties(t *testing.T) {
	const canary = "canary-7261"
	rapid.Check(t, func(rt *rapid.T) {
		a, b := drawObject(rt, canary, 2), drawObject(rt, canary, 2)
		if d := planner.Compare(a, a); len(d) > 0 {
			rt.Fatalf("a value differs from itself: %s", said(d))
		}
		d := planner.Compare(a, b)
		if s := said(d) + planner.Text(a); strings.Contains(s, canary) {
			rt.Fatalf("a secret shows: %s", s)
		}
		for i := range len(d) - 1 {
			if d[i].Path > d[i+1].Path {
				rt.Fatalf("not sorted: %s", said(d))
			}
		}
		if again := planner.Compare(a, b); said(again) != said(d) {
			rt.Fatalf("%s, then %s", said(d), said(again))
		}
	})
}

func drawObject(t *rapid.T, canary string, depth int) cty.Value {
	out := object{}
	for _, name := range []string{"a", "b", "c"} {
		if !rapid.Bool().Draw(t, "has "+name) {
			continue
		}
		kinds := 5
		if depth > 0 {
			kinds = 7
		}
		switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
		case 0:
			out[name] = text(rapid.SampledFrom([]string{"", "x", "y", "a b", "${x}", "\"\n"}).Draw(t, "text"))
		case 1:
			out[name] = null
		case 2:
			out[name] = secret(canary)
		case 3:
			out[name] = words(rapid.SliceOfN(rapid.SampledFrom([]string{"1", "2"}), 0, 2).Draw(t, "list")...)
		case 4:
			out[name] = cty.ListVal([]cty.Value{secret(canary), text("beside")})
		case 5:
			out[name] = drawObject(t, canary, depth-1)
		case 6:
			out[name] = cty.MapVal(object{rapid.SampledFrom([]string{"k", "l m"}).Draw(t, "key"): text("1")})
		}
	}
	return cty.ObjectVal(out)
}

func TestText(t *testing.T) {
	for want, v := range map[string]cty.Value{
		"null":               cty.NilVal,
		`"a\n\"b\" $${c}"`:   text("a\n\"b\" ${c}"),
		"1.5":                cty.NumberFloatVal(1.5),
		"9007199254740993":   cty.NumberIntVal(9007199254740993),
		"true":               cty.True,
		"(sensitive value)":  secret("x"),
		"(unknown)":          unknown,
		`{"a b" = 1, c = 2}`: cty.ObjectVal(object{"c": cty.NumberIntVal(2), "a b": cty.NumberIntVal(1)}),
		`["b", "a"]`:         words("b", "a"),
		`[]`:                 cty.EmptyTupleVal,
		`{}`:                 cty.EmptyObjectVal,
	} {
		if got := planner.Text(v); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// TestQuoted: texts are quoted as the library quotes them, and cost little if there is nothing to escape.
func TestQuoted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := text(rapid.StringOf(rapid.RuneFrom([]rune("aZ09 _-.:/\"\\$%{}'`<&~\x7f\n\t\x00é\u202e"))).Draw(t, "text"))
		if got, want := planner.Text(v), string(hclwrite.TokensForValue(v).Bytes()); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
	usual := text("https://a.example/rest: 'all' of <it>")
	if got := testing.AllocsPerRun(10, func() { planner.Text(usual) }); got > 3 {
		t.Errorf("%.0f allocations for a usual text", got)
	}
}

// TestCompareAllocations: values that are as declared are compared without a copy of their maps.
func TestCompareAllocations(t *testing.T) {
	m := object{}
	for i := range 8 {
		m[fmt.Sprint("k", i)] = text("v")
	}
	v := cty.ObjectVal(object{"a": cty.MapVal(m), "b": cty.ObjectVal(m), "c": words("x", "y")})
	if got := testing.AllocsPerRun(10, func() { planner.Compare(v, v) }); got > 30 {
		t.Errorf("%.0f allocations", got)
	}
}
