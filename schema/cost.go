package schema

import (
	"github.com/syncctl/syncctl/schema/functions"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// fit converts the arguments of a function to its parameter types, and charges the cost of the call before it is made.
// Without a name it only converts.
func (l *loader) fit(name string, f function.Function, args []cty.Value) ([]cty.Value, error) {
	params, rest := f.Params(), f.VarParam()
	out := make([]cty.Value, len(args))
	for i, arg := range args {
		p := rest
		if i < len(params) {
			p = &params[i]
		}
		val, err := l.meter.convert(arg, p.Type)
		if err != nil {
			return args, function.NewArgError(i, err)
		}
		if name == "tonumber" && longDigits(val) != nil || name == "parseint" && len(Text(Reveal(val))) > maxDigits {
			return args, function.NewArgError(i, errNumber)
		}
		out[i] = val
	}
	if err := l.meter.count(cost(name, out)); err != nil {
		return args, err
	}
	return out, nil
}

// cost returns how much a function will create from its arguments, beyond these.
func cost(name string, args []cty.Value) weight {
	var w weight
	if f := functions.Find(name); f != nil && f.Cost != nil {
		w.values = f.Cost(args)
	} else if f != nil && f.Writes != nil {
		w.text = f.Writes(args)
	}
	return w
}
