package schema

import (
	"github.com/syncctl/syncctl/schema/functions"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// fit gives the arguments of a function their types, and counts what it will make of them before it is called. Without
// a name it only converts.
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
	if n := cost(name, out); n > 0 {
		if err := l.meter.take(n); err != nil {
			return args, err
		}
	}
	return out, nil
}

// cost is what a function will make of its arguments, beyond these.
func cost(name string, args []cty.Value) int64 {
	if f := functions.Find(name); f != nil && f.Cost != nil {
		return f.Cost(args)
	}
	return 0
}
