package functions

import (
	"errors"
	"maps"
	"slices"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
)

var coalesceFunc = function.New(&function.Spec{
	VarParam: &function.Parameter{Name: "vals", Type: cty.DynamicPseudoType, AllowUnknown: true, AllowDynamicType: true,
		AllowNull: true},
	Type: func(args []cty.Value) (cty.Type, error) {
		var all []cty.Type
		for _, a := range args {
			all = append(all, a.Type())
		}
		ty, _ := convert.UnifyUnsafe(all)
		if ty == cty.NilType {
			return ty, errors.New("all arguments must be of one type")
		}
		return ty, nil
	},
	Impl: func(args []cty.Value, ret cty.Type) (cty.Value, error) {
		for _, a := range args {
			if !a.IsKnown() {
				return cty.UnknownVal(ret), nil
			}
			v, err := convert.Convert(a, ret)
			if err != nil {
				return cty.NilVal, err
			}
			if !v.IsNull() && (v.Type() != cty.String || v.AsString() != "") {
				return v, nil
			}
		}
		return cty.NilVal, errors.New("each argument is null or an empty text")
	},
})

var indexFunc = function.New(&function.Spec{
	Params: []function.Parameter{param("list", cty.DynamicPseudoType), param("value", cty.DynamicPseudoType)},
	Type: func(args []cty.Value) (cty.Type, error) {
		if ty := args[0].Type(); !ty.IsListType() && !ty.IsTupleType() {
			return cty.NilType, function.NewArgErrorf(0, "a list or a tuple is required")
		}
		return cty.Number, nil
	},
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		for it := args[0].ElementIterator(); it.Next(); {
			at, v := it.Element()
			equal := v.Equals(args[1])
			if !equal.IsKnown() {
				return cty.UnknownVal(cty.Number), nil
			}
			if equal.True() {
				return at, nil
			}
		}
		return cty.NilVal, function.NewArgErrorf(1, "no element is equal to it")
	},
})

var matchkeysFunc = spec([]function.Parameter{
	param("values", cty.List(cty.DynamicPseudoType)), param("keys", cty.List(cty.DynamicPseudoType)),
	param("searchset", cty.List(cty.DynamicPseudoType)),
}, nil, func(args []cty.Value) (cty.Type, error) {
	if ty, _ := convert.UnifyUnsafe([]cty.Type{args[1].Type(), args[2].Type()}); ty == cty.NilType {
		return cty.NilType, function.NewArgErrorf(2, "the keys and what is searched must be of one type")
	}
	return args[0].Type(), nil
}, func(args []cty.Value, ret cty.Type) (cty.Value, error) {
	if args[0].LengthInt() != args[1].LengthInt() {
		return cty.NilVal, function.NewArgErrorf(1, "there must be as many keys as values")
	}
	ty, _ := convert.UnifyUnsafe([]cty.Type{args[1].Type(), args[2].Type()})
	keys, err := convert.Convert(args[1], ty)
	if err != nil {
		return cty.NilVal, function.NewArgError(1, err)
	}
	wanted, err := convert.Convert(args[2], ty)
	if err != nil {
		return cty.NilVal, function.NewArgError(2, err)
	}
	var out []cty.Value
	for i, key := range keys.AsValueSlice() {
		if slices.ContainsFunc(wanted.AsValueSlice(), func(v cty.Value) bool { return v.Equals(key).True() }) {
			out = append(out, args[0].Index(cty.NumberIntVal(int64(i))))
		}
	}
	if len(out) == 0 {
		return cty.ListValEmpty(ret.ElementType()), nil
	}
	return cty.ListVal(out), nil
})

var oneFunc = function.New(&function.Spec{
	Params: []function.Parameter{param("list", cty.DynamicPseudoType)},
	Type: func(args []cty.Value) (cty.Type, error) {
		switch ty := args[0].Type(); {
		case ty.IsListType() || ty.IsSetType():
			return ty.ElementType(), nil
		case ty.IsTupleType() && ty.Length() == 0:
			return cty.DynamicPseudoType, nil
		case ty.IsTupleType() && ty.Length() == 1:
			return ty.TupleElementType(0), nil
		case ty.IsTupleType():
			return cty.NilType, errSeveral
		}
		return cty.NilType, function.NewArgErrorf(0, "a list, set or tuple is required")
	},
	Impl: func(args []cty.Value, ret cty.Type) (cty.Value, error) {
		n := args[0].Length()
		if !n.IsKnown() { // of a set with unknown elements
			return cty.UnknownVal(ret), nil
		}
		switch args[0].LengthInt() {
		case 0:
			return cty.NullVal(ret), nil
		case 1:
			return args[0].AsValueSlice()[0], nil
		}
		return cty.NilVal, errSeveral
	},
})

var errSeveral = function.NewArgErrorf(0, "there is more than one element")

var transposeFunc = spec([]function.Parameter{param("values", cty.Map(cty.List(cty.String)))}, nil,
	function.StaticReturnType(cty.Map(cty.List(cty.String))), func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		found := map[string][]cty.Value{}
		for it := args[0].ElementIterator(); it.Next(); {
			key, list := it.Element()
			if list.IsNull() {
				return cty.NilVal, function.NewArgErrorf(0, "no element may be null")
			}
			for _, v := range list.AsValueSlice() {
				if v.IsNull() {
					return cty.NilVal, function.NewArgErrorf(0, "no text in it may be null")
				}
				found[v.AsString()] = append(found[v.AsString()], key)
			}
		}
		out := map[string]cty.Value{}
		for _, key := range slices.Sorted(maps.Keys(found)) {
			out[key] = cty.ListVal(found[key])
		}
		if len(out) == 0 {
			return cty.MapValEmpty(cty.List(cty.String)), nil
		}
		return cty.MapVal(out), nil
	})
