package functions

import (
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

func types() []Function {
	return []Function{
		{Name: "tobool", Func: stdlib.MakeToFunc(cty.Bool),
			Summary:  "The value as true or false; of texts \"true\" and \"false\".",
			Examples: examples(`tobool("true")`, `true`)},
		{Name: "tolist", Func: stdlib.MakeToFunc(cty.List(cty.DynamicPseudoType)),
			Summary:  "The value as a list, whose elements are of one type.",
			Examples: examples(`tolist(["a", 3])`, `tolist(["a", "3"])`)},
		{Name: "tomap", Func: stdlib.MakeToFunc(cty.Map(cty.DynamicPseudoType)),
			Summary:  "The value as a map, whose elements are of one type.",
			Examples: examples(`tomap({ a = "x", b = true })`, `tomap({ a = "x", b = "true" })`)},
		{Name: "tonumber", Func: stdlib.MakeToFunc(cty.Number), Summary: "The value as a number.",
			Examples: examples(`tonumber("12.5")`, `12.5`)},
		{Name: "toset", Func: stdlib.MakeToFunc(cty.Set(cty.DynamicPseudoType)),
			Summary:  "The value as a set: without an order, and each element once.",
			Examples: examples(`toset(["c", "b", "b"])`, `toset(["b", "c"])`)},
		{Name: "tostring", Func: stdlib.MakeToFunc(cty.String), Summary: "The value as a text.",
			Examples: examples(`tostring(1)`, `"1"`, `tostring(true)`, `"true"`)},
	}
}
