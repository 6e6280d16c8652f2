package schema

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/syncctl/syncctl/schema/functions"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// Functions returns all functions that expressions can call, with their implementations.
func Functions() []functions.Function {
	all := slices.Clone(functions.All())
	own := (&loader{}).ownFunctions()
	for i := range all {
		if f, ok := own[all[i].Name]; ok {
			all[i].Func = f
		}
	}
	return all
}

// newFunctions returns the table of all functions, which stay within the limits of the meter and keep secrets marked.
func (l *loader) newFunctions() map[string]function.Function {
	table := map[string]function.Function{}
	own := l.ownFunctions()
	for _, f := range functions.All() {
		call := f.Func
		if made, ok := own[f.Name]; ok {
			call = made
		}
		if f.Name == "try" || f.Name == "can" { // these two evaluate their arguments themselves
			call = l.attempt(f.Name)
		} else {
			call = l.discreet(f.Name, call)
		}
		table[f.Name] = call
	}
	return table
}

// ownFunctions returns the functions that access more than their arguments, and those whose arguments are inspected
// first.
func (l *loader) ownFunctions() map[string]function.Function {
	table := l.fileFunctions()
	table["jsondecode"] = jsonDecode
	table["env"] = l.envFunc()
	table["sensitive"] = markFunc(func(v cty.Value) (cty.Value, error) { return Sensitive(v), nil })
	table["nonsensitive"] = l.nonsensitiveFunc()
	table["issensitive"] = isSensitiveFunc
	return table
}

// discreet keeps sensitive arguments out of a function's errors, because functions quote what they cannot use. It also
// records secrets that a function returns.
func (l *loader) discreet(name string, f function.Function) function.Function {
	open := func(p function.Parameter) function.Parameter {
		p.Type = cty.DynamicPseudoType // converted later, within the limits
		p.AllowDynamicType, p.AllowMarked, p.AllowNull, p.AllowUnknown = true, true, true, true
		return p
	}
	spec := &function.Spec{Description: f.Description()}
	for _, p := range f.Params() {
		spec.Params = append(spec.Params, open(p))
	}
	if p := f.VarParam(); p != nil {
		v := open(*p)
		spec.VarParam = &v
	}
	spec.Type = func(args []cty.Value) (cty.Type, error) {
		args, err := l.fit(name, f, args)
		l.noteSecrets(args...)
		if err != nil {
			return cty.DynamicPseudoType, l.hush(err, args)
		}
		ty, err := f.ReturnTypeForValues(args)
		return ty, l.hush(err, args)
	}
	spec.Impl = func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		args, err := l.fit("", f, args)
		l.noteSecrets(args...)
		if err != nil {
			return cty.DynamicVal, l.hush(err, args)
		}
		val, err := f.Call(args)
		l.noteSecrets(val)
		if err != nil {
			return cty.DynamicVal, l.hush(err, args)
		}
		l.secrets.collect(val)
		l.foreign.derive(args, val, l.ownText)
		return val, nil
	}
	return function.New(spec)
}

// hush replaces the text of an error if an argument is sensitive, and hides arguments from outside in it.
func (l *loader) hush(err error, args []cty.Value) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	for _, a := range args {
		if IsSensitive(a) {
			text = "the call failed (details are left out, because an argument is sensitive)"
			break
		}
		if a.Type() != cty.String || !a.IsKnown() || a.IsNull() || a.AsString() == "" {
			continue
		}
		if by := l.foreign.origin(a.AsString()); by != "" {
			shown := instead(a.AsString(), by)
			text = strings.ReplaceAll(text, strconv.Quote(a.AsString()), shown)
			if len(a.AsString()) >= minPart {
				text = strings.ReplaceAll(text, a.AsString(), shown)
			}
		}
	}
	if text == err.Error() {
		return err
	}
	var arg function.ArgError
	if errors.As(err, &arg) {
		return function.NewArgErrorf(arg.Index, "%s", text)
	}
	return errors.New(text)
}

func markFunc(change func(cty.Value) (cty.Value, error)) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{
			Name: "value", Type: cty.DynamicPseudoType,
			AllowDynamicType: true, AllowMarked: true, AllowNull: true, AllowUnknown: true,
		}},
		Type: func(args []cty.Value) (cty.Type, error) { return args[0].Type(), nil },
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return change(args[0]) },
	})
}

// envFunc implements env(NAME[, DEFAULT]). Its result is sensitive if the name sounds like a secret (secretName) or
// the value is a private key.
func (l *loader) envFunc() function.Function {
	sig := functions.Find("env").Func
	return function.New(&function.Spec{
		Params:   sig.Params(),
		VarParam: sig.VarParam(),
		Type:     function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if len(args) > 2 {
				return cty.NilVal, errors.New("env takes a name and, if need be, one default")
			}
			name := args[0].AsString()
			if err := l.opts.Access.env(name); err != nil {
				return cty.NilVal, function.NewArgError(0, err)
			}
			text, set := l.opts.Env(name)
			val := l.spellings.value(text)
			switch {
			case set:
			case len(args) == 2:
				val = args[1]
			case l.opts.AllowUnset || l.lenient:
				val = cty.UnknownVal(cty.String) // like a variable without a value
			default:
				return cty.NilVal, function.NewArgErrorf(0,
					"the environment variable %s is not set; set it, or give a default as the second argument", name)
			}
			if set {
				l.foreign.add(Text(val), "env()")
			}
			if secretName(name) || holdsPrivateKey(text) {
				val = sensitiveFrom(Source{Environment: name}, val)
			}
			return val, nil
		},
	})
}

// nonsensitiveFunc removes the mark, unless a policy forbids it.
func (l *loader) nonsensitiveFunc() function.Function {
	return markFunc(func(v cty.Value) (cty.Value, error) {
		if err := l.opts.Access.nonsensitive(); err != nil {
			return cty.NilVal, err
		}
		v, _ = v.Unmark()
		return v, nil
	})
}

// isSensitiveFunc reports whether a value as a whole carries the mark. For an unknown value without the mark, the
// result is unknown.
var isSensitiveFunc = function.New(&function.Spec{
	Params: markFunc(nil).Params(), Type: function.StaticReturnType(cty.Bool),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		switch {
		case args[0].IsMarked():
			return cty.True, nil
		case !args[0].IsKnown():
			return cty.UnknownVal(cty.Bool), nil
		}
		return cty.False, nil
	},
})

// unknownFunction says what to write instead of an unknown function: for omitted functions of Terraform it says why
// they are omitted, for others it suggests the nearest name.
func unknownFunction(d *hcl.Diagnostic) {
	call, ok := hcl.DiagnosticExtra[hclsyntax.FunctionCallUnknownDiagExtra](d)
	if !ok {
		return
	}
	name := call.CalledFunctionNamespace() + call.CalledFunctionName()
	if why := functions.Omitted[name]; why != "" {
		d.Detail = fmt.Sprintf("Terraform's function %q is left out: %s", name, why)
		return
	}
	if strings.Contains(name, "::") {
		d.Detail = fmt.Sprintf("There is no function named %q: functions come from syncctl alone, and their names have no "+
			"namespace.", name)
		return
	}
	var names []string
	for _, f := range functions.All() {
		names = append(names, f.Name)
	}
	d.Detail = fmt.Sprintf("There is no function named %q.%s", name, didYouMean(name, names))
}
