package functions

import (
	"slices"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// The library's set functions iterate over their sets repeatedly, and each iteration sorts a set by hashes that are
// recomputed for each comparison. These functions take lists, compare only elements with the same hash, and make one
// set at the end.

// members holds values by their hash.
type members map[int][]cty.Value

func (m members) has(v cty.Value) bool { return slices.ContainsFunc(m[v.Hash()], v.RawEquals) }

func membersOf(values []cty.Value) members {
	m := members{}
	for _, v := range values {
		hash := v.Hash()
		m[hash] = append(m[hash], v)
	}
	return m
}

// setFunc is a function of the library that returns a set. of returns its elements, some of which may be equal. With
// partly, elements of its arguments may be unknown.
func setFunc(lib function.Function, partly bool, of func(first []cty.Value, others [][]cty.Value) []cty.Value,
) function.Function {
	spec := &function.Spec{
		Params: slices.Clone(lib.Params()),
		Type:   func(args []cty.Value) (cty.Type, error) { return setType(lib, args) },
		RefineResult: func(b *cty.RefinementBuilder) *cty.RefinementBuilder {
			return b.NotNull()
		},
	}
	for i := range spec.Params {
		spec.Params[i].Type, spec.Params[i].AllowDynamicType = cty.List(cty.DynamicPseudoType), false
	}
	if p := lib.VarParam(); p != nil {
		p.Type, p.AllowDynamicType = cty.List(cty.DynamicPseudoType), false
		spec.VarParam = p
	}
	spec.Impl = func(args []cty.Value, ty cty.Type) (cty.Value, error) {
		var all [][]cty.Value
		for i, arg := range args {
			list, err := convert.Convert(arg, cty.List(ty.ElementType()))
			if err != nil {
				return cty.NilVal, function.NewArgError(i, err)
			}
			if !partly && !list.IsWhollyKnown() {
				return cty.UnknownVal(ty), nil
			}
			all = append(all, list.AsValueSlice())
		}
		if out := of(all[0], all[1:]); len(out) > 0 {
			return cty.SetVal(out), nil
		}
		return cty.SetValEmpty(ty.ElementType()), nil
	}
	return function.New(spec)
}

// setType returns the result type of a library function for sets with the elements of lists.
func setType(lib function.Function, lists []cty.Value) (cty.Type, error) {
	var sets []cty.Value
	for _, v := range lists {
		set := cty.UnknownVal(cty.Set(v.Type().ElementType()))
		if v.IsKnown() && v.LengthInt() == 0 {
			set = cty.SetValEmpty(v.Type().ElementType())
		}
		sets = append(sets, set)
	}
	return lib.ReturnTypeForValues(sets)
}

var setUnionFunc = setFunc(stdlib.SetUnionFunc, true, func(first []cty.Value, others [][]cty.Value) []cty.Value {
	return slices.Concat(append([][]cty.Value{first}, others...)...)
})

var setIntersectionFunc = setFunc(stdlib.SetIntersectionFunc, false,
	func(first []cty.Value, others [][]cty.Value) []cty.Value {
		for _, other := range others {
			in := membersOf(other)
			first = slices.DeleteFunc(first, func(v cty.Value) bool { return !in.has(v) })
		}
		return first
	})

var setSubtractFunc = setFunc(stdlib.SetSubtractFunc, false,
	func(first []cty.Value, others [][]cty.Value) []cty.Value {
		for _, other := range others {
			in := membersOf(other)
			first = slices.DeleteFunc(first, in.has)
		}
		return first
	})
