package planner

import (
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

// Compare lists the differences between the declared and the actual value, sorted by path. It does not compare what
// the declaration leaves null, since nobody asked for it, nor attributes that the actual object lacks (rather than has
// as null), since they could not be read. Maps are compared key by key in both directions. A null actual value differs
// in everything declared. Secrets are not compared; the values next to them are.
func Compare(declared, actual cty.Value) []Difference {
	var out []Difference
	if actual == cty.NilVal || actual.IsNull() {
		out = make([]Difference, 0, usualArguments)
	}
	compare(&out, make([]string, 0, 8), declared, actual)
	if len(out) == 0 {
		return nil
	}
	slices.SortFunc(out, func(a, b Difference) int { return strings.Compare(a.Path, b.Path) })
	return out
}

func compare(out *[]Difference, path []string, declared, actual cty.Value) {
	if declared.IsMarked() || actual.IsMarked() {
		return // secrets cannot be read back from a server; there is nothing to compare them with
	}
	if declared.IsNull() || !declared.IsKnown() {
		return
	}
	t := declared.Type()
	switch {
	case t.IsObjectType():
		compareObject(out, path, declared, actual)
	case t.IsMapType():
		compareMap(out, path, declared, actual)
	default:
		if !same(declared, actual) {
			*out = append(*out, Difference{Path: strings.Join(path, "."), Declared: Text(declared), Actual: Text(actual)})
		}
	}
}

// usualArguments is the number of arguments for which there is room if all of them differ.
const usualArguments = 16

// same reports whether a value that is neither an object nor a map is as declared. Lists are compared element by
// element, so null values inside them are not compared, and a driver may return a tuple for a declared list.
func same(declared, actual cty.Value) bool {
	if actual == cty.NilVal || actual.IsNull() || !actual.IsKnown() {
		return false
	}
	if schema.IsSensitive(declared) && declared.Type().IsSetType() || schema.IsSensitive(actual) &&
		actual.Type().IsSetType() {
		return true // set elements have no position, so the elements without secrets cannot be paired
	}
	switch {
	case declared.Type() == cty.String && actual.Type() == cty.String: // most are; RawEquals takes longer
		return declared.AsString() == actual.AsString()
	case !isSequence(declared):
		return actual.RawEquals(declared)
	}
	if !isSequence(actual) || declared.LengthInt() != actual.LengthInt() {
		return false
	}
	have := actual.AsValueSlice()
	for i, d := range declared.AsValueSlice() {
		if len(Compare(d, have[i])) > 0 {
			return false
		}
	}
	return true
}

func isSequence(v cty.Value) bool { return v.Type().IsListType() || v.Type().IsTupleType() }

func compareObject(out *[]Difference, path []string, declared, actual cty.Value) {
	absent := actual == cty.NilVal || actual.IsNull() || !actual.Type().IsObjectType()
	for name := range declared.Type().AttributeTypes() {
		want := declared.GetAttr(name)
		at := append(path, name) // nothing keeps a path
		switch {
		case want.IsNull():
		case absent:
			compare(out, at, want, cty.NullVal(cty.DynamicPseudoType))
		case actual.Type().HasAttribute(name):
			compare(out, at, want, actual.GetAttr(name))
		}
	}
}

func compareMap(out *[]Difference, path []string, declared, actual cty.Value) {
	t := actual.Type()
	if actual.IsNull() || !actual.IsKnown() || !t.IsMapType() && !t.IsObjectType() {
		actual = cty.EmptyObjectVal
	}
	both := 0
	for it := declared.ElementIterator(); it.Next(); {
		k, want := it.Element()
		have, ok := member(actual, k)
		if ok {
			both++
		} else {
			have = cty.NullVal(want.Type())
		}
		compare(out, append(path, k.AsString()), want, have)
	}
	if both == actual.LengthInt() {
		return
	}
	for it := actual.ElementIterator(); it.Next(); {
		k, have := it.Element()
		if _, ok := member(declared, k); !ok {
			*out = append(*out, Difference{Path: strings.Join(append(path, k.AsString()), "."), Declared: "null",
				Actual: Text(have)})
		}
	}
}

// member returns what a map or an object has under a key, and whether it has that.
func member(v, key cty.Value) (cty.Value, bool) {
	if !v.Type().IsObjectType() {
		if v.HasIndex(key).False() {
			return cty.NilVal, false
		}
		return v.Index(key), true
	}
	name := key.AsString()
	if !v.Type().HasAttribute(name) {
		return cty.NilVal, false
	}
	return v.GetAttr(name), true
}

// Text returns a value as HCL on one line. A secret reads "(sensitive value)".
func Text(v cty.Value) string {
	switch {
	case v == cty.NilVal:
		return "null"
	case schema.IsSensitive(v):
		return hidden
	case !v.IsWhollyKnown():
		return "(unknown)"
	}
	t := v.Type()
	switch {
	case v.IsNull():
		return "null"
	case t.IsObjectType() || t.IsMapType():
		var parts []string
		for k, e := range v.AsValueMap() {
			key := k
			if !hclsyntax.ValidIdentifier(k) {
				key = quoted(k)
			}
			parts = append(parts, key+" = "+Text(e))
		}
		slices.Sort(parts)
		return "{" + strings.Join(parts, ", ") + "}"
	case t.IsListType() || t.IsTupleType() || t.IsSetType():
		var parts []string
		for _, e := range v.AsValueSlice() {
			parts = append(parts, Text(e))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	switch t { // hclwrite takes a hundred times as long for these
	case cty.String:
		return quoted(v.AsString())
	case cty.Bool:
		return strconv.FormatBool(v.True())
	}
	return string(hclwrite.TokensForValue(v).Bytes())
}

// quoted returns a text as HCL writes it. The library takes a hundred times as long for the usual ones.
func quoted(text string) string {
	for _, c := range []byte(text) {
		if c < ' ' || c > '~' || strings.IndexByte(`"\$%`, c) >= 0 {
			return string(hclwrite.TokensForValue(cty.StringVal(text)).Bytes())
		}
	}
	return `"` + text + `"`
}
