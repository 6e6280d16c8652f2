package functions

import (
	"maps"
	"slices"

	"github.com/zclconf/go-cty/cty"
)

// unifyUnit is the number of comparisons of two types that count as much as one value.
const unifyUnit = 500

// Unifying returns the cost of finding one type for several: the library compares each with all others. Those inside of
// tuples, and of objects with different attributes, it compares all together.
func Unifying(types []cty.Type) int64 {
	n := int64(len(types))
	cost := Product(n, n) / unifyUnit
	if n < 2 || cost >= TooMuch {
		return min(cost, TooMuch)
	}
	if inner, together := elementTypes(types); together {
		cost += Product(5, Unifying(slices.Concat(inner...))) // that is repeated
	} else {
		for i := range inner[0] {
			var at []cty.Type
			for _, in := range inner {
				at = append(at, in[i])
			}
			cost = min(TooMuch, cost+Unifying(at))
		}
	}
	return min(cost, TooMuch)
}

// elementTypes returns the types inside of each of several types, and whether they are compared all together rather
// than one by one.
func elementTypes(types []cty.Type) (inner [][]cty.Type, together bool) {
	var names []string
	for i, ty := range types {
		var in []cty.Type
		switch {
		case ty.IsTupleType():
			in = ty.TupleElementTypes()
		case ty.IsObjectType():
			own := slices.Sorted(maps.Keys(ty.AttributeTypes()))
			together = together || i > 0 && !slices.Equal(own, names)
			names = own
			for _, name := range own {
				in = append(in, ty.AttributeType(name))
			}
		case ty.IsCollectionType():
			in = []cty.Type{ty.ElementType()}
		}
		together = together || i > 0 && len(in) != len(inner[0])
		inner = append(inner, in)
	}
	return inner, together
}

// Uniting returns the cost of making a collection of a tuple or an object. It is 0 if its elements have one type.
func Uniting(v cty.Value, want cty.Type) int64 {
	v, _ = v.Unmark()
	ty := Alike(v, want).Type()
	switch {
	case ty.IsTupleType():
		return Unifying(ty.TupleElementTypes())
	case ty.IsObjectType():
		return Unifying(slices.Collect(maps.Values(ty.AttributeTypes())))
	}
	return 0
}

// uniting is Uniting of the first argument, as a cost function.
func uniting(want cty.Type) func([]cty.Value) int64 {
	return func(args []cty.Value) int64 { return Uniting(args[0], want) }
}

// together is the cost of finding one type for all arguments.
func together(args []cty.Value) int64 {
	var all []cty.Type
	for _, a := range args {
		all = append(all, a.Type())
	}
	return Unifying(all)
}
