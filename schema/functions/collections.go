package functions

import (
	"errors"
	"slices"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

func collections() []Function { //nolint:funlen // a row for each
	return []Function{
		{Name: "alltrue", Func: boolsFunc(true),
			Summary:  "Whether each element is true; true of an empty list. null is not true.",
			Examples: examples(`alltrue(["true", true])`, `true`, `alltrue([true, false])`, `false`, `alltrue([])`, `true`)},
		{Name: "anytrue", Func: boolsFunc(false), Summary: "Whether at least one element is true; false of an empty list.",
			Examples: examples(`anytrue([true, false])`, `true`, `anytrue([])`, `false`)},
		{Name: "chunklist", Func: stdlib.ChunklistFunc, Summary: "The elements of a list in lists of at most so many each.",
			Examples: examples(`chunklist(["a", "b", "c"], 2)`, `tolist([tolist(["a", "b"]), tolist(["c"])])`)},
		{Name: "coalesce", Func: coalesceFunc, Cost: together,
			Summary:  "The first argument that is neither null nor an empty text.",
			Examples: examples(`coalesce(null, "", "b")`, `"b"`, `coalesce(1, 2)`, `1`)},
		{Name: "coalescelist", Func: stdlib.CoalesceListFunc, Summary: "The first list that is not empty.",
			Examples: examples(`coalescelist([], ["c", "d"])`, `["c", "d"]`)},
		{Name: "compact", Func: stdlib.CompactFunc, Summary: "The list of texts without null and empty ones.",
			Examples: examples(`compact(["a", "", null, "c"])`, `tolist(["a", "c"])`)},
		{Name: "concat", Func: stdlib.ConcatFunc, Cost: func(args []cty.Value) int64 {
			if slices.ContainsFunc(args, func(v cty.Value) bool { return !v.Type().IsListType() }) {
				return 0 // they become a tuple
			}
			return together(args)
		}, Summary: "The elements of several lists in one.",
			Examples: examples(`concat(["a", ""], ["b", "c"])`, `["a", "", "b", "c"]`)},
		{Name: "contains", Func: containsFunc, Summary: "Whether a value is an element of a list, set or tuple.",
			Differs:  "null is looked for like any other value.",
			Examples: examples(`contains(["a", "b", "c"], "a")`, `true`, `contains(["a", null], null)`, `true`)},
		{Name: "distinct", Func: distinctFunc,
			Summary:  "The list without elements that stand in it before.",
			Examples: examples(`distinct(["a", "b", "a", "c"])`, `tolist(["a", "b", "c"])`)},
		{Name: "element", Func: stdlib.ElementFunc,
			Summary: "One element, counted from 0. A number beyond the end begins again at the start, and one below 0 counts " +
				"from the end.",
			Examples: examples(`element(["a", "b", "c"], 4)`, `"b"`, `element(["a", "b", "c"], -1)`, `"c"`)},
		{Name: "flatten", Func: stdlib.FlattenFunc, Summary: "Lists inside of lists, as one list.",
			Examples: examples(`flatten([["a", "b"], [], [["c"], "d"]])`, `["a", "b", "c", "d"]`)},
		{Name: "index", Func: indexFunc, Summary: "The number, from 0, of the first element that is equal to a value.",
			Examples: examples(`index(["a", "b", "c"], "b")`, `1`)},
		{Name: "keys", Func: stdlib.KeysFunc, Summary: "The keys of a map or object, sorted.",
			Examples: examples(`keys({ south = 1, north = 2 })`, `["north", "south"]`)},
		{Name: "length", Func: lengthFunc, Summary: "How many elements a collection, or characters a text has.",
			Examples: examples(`length(["a", "b"])`, `2`, `length({ a = "b" })`, `1`, `length("👩‍🚀ä")`, `2`)},
		{Name: "lookup", Func: lookupFunc, Summary: "The element of a map by its key, or a default where there is none.",
			Examples: examples(`lookup({ a = "ay", b = "bee" }, "c", "what?")`, `"what?"`, `lookup({ a = "ay" }, "a")`, `"ay"`)},
		{Name: "matchkeys", Func: matchkeysFunc, Cost: each(1, 2),
			Summary: "The values whose keys, at the same places of another list, are in a third.",
			Examples: examples(`matchkeys(["i-123", "i-abc", "i-def"], ["us-west", "us-east", "us-east"], ["us-east"])`,
				`tolist(["i-abc", "i-def"])`)},
		{Name: "merge", Func: stdlib.MergeFunc,
			Summary:  "Several maps or objects as one; of the same keys the last one counts.",
			Examples: examples(`merge({ a = "b", c = "d" }, { e = "f", c = "z" })`, `{ a = "b", c = "z", e = "f" }`)},
		{Name: "one", Func: oneFunc, Summary: "The only element of a collection, or null where it is empty.",
			Examples: examples(`one(["x"])`, `"x"`, `one([])`, `null`)},
		{Name: "range", Func: stdlib.RangeFunc,
			Summary:  "The numbers from a start, 0 if not given, up to before an end, in steps.",
			Examples: examples(`range(3)`, `tolist([0, 1, 2])`, `range(1, 8, 2)`, `tolist([1, 3, 5, 7])`)},
		{Name: "reverse", Func: stdlib.ReverseListFunc, Summary: "The list backwards.",
			Examples: examples(`reverse([1, 2, 3])`, `[3, 2, 1]`)},
		{Name: "setintersection", Func: setIntersectionFunc, Cost: together,
			Summary:  "The elements that are in each of the sets.",
			Examples: examples(`setintersection(["a", "b"], ["b", "c"], ["b", "d"])`, `toset(["b"])`)},
		{Name: "setproduct", Func: stdlib.SetProductFunc, Cost: func(args []cty.Value) int64 {
			n, unifying := int64(1), int64(0)
			for _, a := range args {
				if n = Product(n, lengths([]cty.Value{a})); a.Type().IsTupleType() {
					unifying = min(TooMuch, unifying+Unifying(a.Type().TupleElementTypes()))
				}
			}
			return Product(n, int64(len(args))) + unifying
		}, Summary: "Each combination of an element of each collection.",
			Examples: examples(`setproduct(["north", "south"], ["a", "b"])`,
				`tolist([["north", "a"], ["north", "b"], ["south", "a"], ["south", "b"]])`)},
		{Name: "setsubtract", Func: setSubtractFunc,
			Summary:  "The elements of the first set that are not in the second.",
			Examples: examples(`setsubtract(["a", "b", "c"], ["a", "c"])`, `toset(["b"])`)},
		{Name: "setunion", Func: setUnionFunc, Cost: together,
			Summary:  "The elements that are in at least one of the sets.",
			Examples: examples(`setunion(["a", "b"], ["b", "c"], ["d"])`, `toset(["a", "b", "c", "d"])`)},
		{Name: "slice", Func: stdlib.SliceFunc,
			Summary:  "The elements from one number up to before another, counted from 0.",
			Examples: examples(`slice(["a", "b", "c", "d"], 1, 3)`, `["b", "c"]`)},
		{Name: "sort", Func: stdlib.SortFunc, Cost: sorting,
			Summary:  "A list of texts, sorted by their characters' code points.",
			Examples: examples(`sort(["e", "d", "a", "x"])`, `tolist(["a", "d", "e", "x"])`)},
		{Name: "transpose", Func: transposeFunc, Summary: "A map of lists of texts with keys and elements exchanged.",
			Examples: examples(`transpose({ a = ["1", "2"], b = ["2", "3"] })`,
				`tomap({ "1" = tolist(["a"]), "2" = tolist(["a", "b"]), "3" = tolist(["b"]) })`)},
		{Name: "values", Func: stdlib.ValuesFunc, Summary: "The elements of a map or object, sorted by their keys.",
			Examples: examples(`values({ a = 3, c = 2, d = 1 })`, `[3, 2, 1]`)},
		{Name: "zipmap", Func: stdlib.ZipmapFunc, Summary: "A map of a list of keys and a list of values.",
			Examples: examples(`zipmap(["a", "b"], [1, 2])`, `{ a = 1, b = 2 }`)},
	}
}

// containsFunc is the library's, which would make an unknown value where it looks for a null without a type.
var containsFunc = function.New(&function.Spec{
	Params: []function.Parameter{
		param("list", cty.DynamicPseudoType),
		{Name: "value", Type: cty.DynamicPseudoType, AllowNull: true, AllowDynamicType: true},
	},
	Type: function.StaticReturnType(cty.Bool),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		wanted := args[1]
		if wanted.IsNull() {
			wanted = cty.NullVal(cty.Bool) // nulls are equal, of whatever type they are
		}
		return stdlib.Contains(args[0], wanted)
	},
})

// boolsFunc returns alltrue or anytrue; all is the result for an empty list.
func boolsFunc(all bool) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{param("list", cty.List(cty.Bool))},
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			unknown := false
			for it := args[0].ElementIterator(); it.Next(); {
				_, v := it.Element()
				if !v.IsKnown() {
					unknown = true
				} else if isTrue := !v.IsNull() && v.True(); isTrue != all {
					return cty.BoolVal(isTrue), nil
				}
			}
			if unknown {
				return cty.UnknownVal(cty.Bool), nil
			}
			return cty.BoolVal(all), nil
		},
	})
}

// lengthFunc implements length. The number of elements is secret only if the whole collection is.
var lengthFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "value", Type: cty.DynamicPseudoType, AllowDynamicType: true, AllowUnknown: true,
		AllowMarked: true}},
	Type: func(args []cty.Value) (cty.Type, error) {
		ty := args[0].Type()
		counted := ty == cty.String || ty.IsObjectType() || ty.IsTupleType() || ty.IsCollectionType()
		if ty != cty.DynamicPseudoType && !counted {
			return cty.NilType, function.NewArgErrorf(0, "a string or a collection is required")
		}
		return cty.Number, nil
	},
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		v, marks := args[0].Unmark()
		switch ty := v.Type(); {
		case ty == cty.DynamicPseudoType:
			return cty.UnknownVal(cty.Number).WithMarks(marks), nil
		case ty == cty.String:
			n, err := stdlib.Strlen(v)
			return n.WithMarks(marks), err
		case ty.IsObjectType():
			return cty.NumberIntVal(int64(len(ty.AttributeTypes()))).WithMarks(marks), nil
		case ty.IsTupleType():
			return cty.NumberIntVal(int64(ty.Length())).WithMarks(marks), nil
		}
		return v.Length().WithMarks(marks), nil
	},
})

var lookupFunc = function.New(&function.Spec{
	Params: []function.Parameter{
		{Name: "inputMap", Type: cty.DynamicPseudoType, AllowMarked: true},
		{Name: "key", Type: cty.String, AllowMarked: true},
	},
	VarParam: &function.Parameter{Name: "default", Type: cty.DynamicPseudoType, AllowMarked: true, AllowNull: true,
		AllowUnknown: true, AllowDynamicType: true},
	Type: func(args []cty.Value) (cty.Type, error) {
		switch ty := args[0].Type(); {
		case len(args) > 3:
			return cty.NilType, errors.New("lookup takes a map, a key and, if need be, one default")
		case ty.IsMapType():
			if len(args) == 3 {
				if _, err := convert.Convert(args[2], ty.ElementType()); err != nil {
					return cty.NilType, function.NewArgErrorf(2, "it must be of the type of the map's elements")
				}
			}
			return ty.ElementType(), nil
		case !ty.IsObjectType():
			return cty.NilType, function.NewArgErrorf(0, "a map or an object is required")
		case !args[1].IsKnown():
			return cty.DynamicPseudoType, nil
		}
		key, _ := args[1].Unmark()
		switch ty := args[0].Type(); {
		case ty.HasAttribute(key.AsString()):
			return ty.AttributeType(key.AsString()), nil
		case len(args) == 3:
			return args[2].Type(), nil
		}
		return cty.NilType, missing(key)
	},
	Impl: func(args []cty.Value, ret cty.Type) (cty.Value, error) {
		from, marks := args[0].Unmark()
		key, keyMarks := args[1].Unmark()
		var found cty.Value
		switch {
		case !from.IsKnown() || !key.IsKnown():
			return cty.UnknownVal(ret).WithMarks(marks, keyMarks), nil
		case from.Type().IsObjectType() && from.Type().HasAttribute(key.AsString()):
			found = from.GetAttr(key.AsString())
		case from.Type().IsMapType() && from.HasIndex(key).True():
			found = from.Index(key)
		case len(args) == 2:
			return cty.NilVal, missing(key)
		default:
			var err error
			if found, err = convert.Convert(args[2], ret); err != nil {
				return cty.NilVal, function.NewArgError(2, err)
			}
		}
		return found.WithMarks(marks, keyMarks), nil
	},
})

func missing(key cty.Value) error {
	return function.NewArgErrorf(1, "there is no element %q, and no default as the third argument", key.AsString())
}
