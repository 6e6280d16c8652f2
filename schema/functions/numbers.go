package functions

import (
	"errors"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

func numbers() []Function {
	return []Function{
		{Name: "abs", Func: stdlib.AbsoluteFunc, Summary: "The number without its sign.",
			Examples: examples(`abs(-12.4)`, `12.4`)},
		{Name: "ceil", Func: stdlib.CeilFunc, Summary: "The nearest whole number that is not smaller.",
			Examples: examples(`ceil(5.1)`, `6`)},
		{Name: "floor", Func: stdlib.FloorFunc, Summary: "The nearest whole number that is not larger.",
			Examples: examples(`floor(4.9)`, `4`)},
		{Name: "log", Func: stdlib.LogFunc, Summary: "The logarithm of a number in a base.",
			Examples: examples(`log(16, 2)`, `4`)},
		{Name: "max", Func: stdlib.MaxFunc, Summary: "The largest of the numbers.",
			Examples: examples(`max(12, 54, 3)`, `54`, `max([12, 54, 3]...)`, `54`)},
		{Name: "min", Func: stdlib.MinFunc, Summary: "The smallest of the numbers.",
			Examples: examples(`min(12, 54, 3)`, `3`)},
		{Name: "parseint", Func: stdlib.ParseIntFunc, Summary: "The whole number that a text writes in a base from 2 to 62.",
			Examples: examples(`parseint("FF", 16)`, `255`, `parseint("-100", 10)`, `-100`)},
		{Name: "pow", Func: stdlib.PowFunc, Summary: "A number raised to a power.", Examples: examples(`pow(3, 2)`, `9`)},
		{Name: "signum", Func: stdlib.SignumFunc, Summary: "-1, 0 or 1: the sign of a number.",
			Examples: examples(`signum(-13)`, `-1`)},
		{Name: "sum", Func: sumFunc, Summary: "The sum of the numbers in a collection, which has at least one.",
			Examples: examples(`sum([10, 13, 6, 4.5])`, `33.5`)},
	}
}

var sumFunc = spec([]function.Parameter{param("list", cty.DynamicPseudoType)}, nil,
	function.StaticReturnType(cty.Number), func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		if !sequence(args[0].Type()) {
			return cty.NilVal, function.NewArgErrorf(0, "a list, set or tuple of numbers is required")
		}
		if args[0].LengthInt() == 0 {
			return cty.NilVal, function.NewArgErrorf(0, "the sum of no numbers is not defined: the collection is empty")
		}
		sum := cty.Zero
		for it := args[0].ElementIterator(); it.Next(); {
			_, elem := it.Element()
			n, err := convert.Convert(elem, cty.Number)
			if err != nil || n.IsNull() {
				return cty.NilVal, function.NewArgError(0, errors.New("each element must be a number"))
			}
			sum = sum.Add(n)
		}
		return sum, nil
	})

// sequence reports whether a type is a list, a set or a tuple.
func sequence(ty cty.Type) bool { return ty.IsListType() || ty.IsSetType() || ty.IsTupleType() }
