// Package functions holds the functions that expressions can call: each with its documentation, examples, cost, and
// differences from Terraform's function of the same name. It does no I/O: package schema implements those that read
// files or the environment, or mark secrets.
package functions

import (
	"slices"
	"strings"
	"sync"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// Function is one function.
type Function struct {
	Name     string
	Group    string // the heading under which it is documented
	Summary  string // what it returns, in a sentence or two
	Since    string // the first version of syncctl that has it
	Examples []Example
	Differs  string // from Terraform's function of that name; "" if it does not
	Own      bool   // Terraform has no function of that name

	// Func is the implementation. For functions that read files or the environment, or mark secrets, it is only the
	// signature.
	Func function.Function

	// Cost returns the work of a call, as a number of values, where the result may have many more than the arguments, or
	// elements are compared with each other. nil: no more than the arguments, which are counted anyway.
	Cost func(args []cty.Value) int64
	// Writes returns how much text a call may make beyond its arguments, in Units, where that may be much more.
	Writes func(args []cty.Value) int64
}

// Example is an expression and its value, also written as an expression. A test evaluates both.
type Example struct {
	Code, Result string
	Files        map[string]string // files of the folder, by their name
	Env          map[string]string
}

// First is the version that introduced all functions and arguments without a version of their own.
const First = "1.0"

// All returns all functions, by name. The result must not be changed.
var All = sync.OnceValue(func() []Function {
	var all []Function
	for _, group := range []struct {
		name string
		list []Function
	}{
		{"Texts", texts()}, {"Numbers", numbers()}, {"Collections", collections()}, {"Types", types()},
		{"Encodings", encodings()}, {"Hashes and fingerprints", hashes()}, {"Dates and durations", dates()},
		{"Networks", networks()}, {"Files and environment", files()}, {"Secrets and errors", secrets()},
	} {
		for _, f := range group.list {
			f.Group = group.name
			if f.Since == "" {
				f.Since = First
			}
			all = append(all, f)
		}
	}
	slices.SortFunc(all, func(a, b Function) int { return strings.Compare(a.Name, b.Name) })
	return all
})

// Find returns the function with a name, or nil if there is none.
func Find(name string) *Function {
	all := All()
	i, found := slices.BinarySearchFunc(all, name, func(f Function, name string) int {
		return strings.Compare(f.Name, name)
	})
	if !found {
		return nil
	}
	return &all[i]
}

// Signature returns the syntax of a call: element(list, index), max(numbers...).
func (f *Function) Signature() string {
	var names []string
	for _, p := range f.Func.Params() {
		names = append(names, p.Name)
	}
	if p := f.Func.VarParam(); p != nil {
		names = append(names, p.Name+"...")
	}
	return f.Name + "(" + strings.Join(names, ", ") + ")"
}

// Returns returns the type of the result, or any type if it depends on the arguments.
func (f *Function) Returns() cty.Type {
	var types []cty.Type
	for _, p := range f.Func.Params() {
		types = append(types, p.Type)
	}
	if p := f.Func.VarParam(); p != nil {
		types = append(types, p.Type)
	}
	returns, err := f.Func.ReturnType(types)
	if err != nil || returns == cty.NilType {
		return cty.DynamicPseudoType
	}
	return returns
}

// Type returns the type of a parameter, or any type for an expression that the function evaluates itself.
func Type(p function.Parameter) cty.Type {
	if p.Type.IsCapsuleType() {
		return cty.DynamicPseudoType
	}
	return p.Type
}

// examples makes examples from pairs of code and result.
func examples(pairs ...string) []Example {
	var out []Example
	for i := 0; i+1 < len(pairs); i += 2 {
		out = append(out, Example{Code: pairs[i], Result: pairs[i+1]})
	}
	return out
}

// spec makes a function with parameters that are neither unknown nor null. The arguments are passed without their
// marks, which are put on the result. If something inside of an argument is unknown, so is the result.
func spec(params []function.Parameter, rest *function.Parameter, typed function.TypeFunc,
	impl function.ImplFunc,
) function.Function {
	return function.New(&function.Spec{Params: params, VarParam: rest, Type: typed,
		Impl: func(args []cty.Value, ret cty.Type) (cty.Value, error) {
			for _, a := range args {
				if !a.IsWhollyKnown() {
					return cty.UnknownVal(ret), nil
				}
			}
			return impl(args, ret)
		}})
}

func param(name string, ty cty.Type) function.Parameter {
	return function.Parameter{Name: name, Type: ty}
}

// textFunc makes a function that takes texts and returns a text.
func textFunc(f func(args ...string) (string, error), names ...string) function.Function {
	var params []function.Parameter
	for _, n := range names {
		params = append(params, param(n, cty.String))
	}
	return spec(params, nil, function.StaticReturnType(cty.String),
		func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			var given []string
			for _, a := range args {
				given = append(given, a.AsString())
			}
			out, err := f(given...)
			if err != nil {
				return cty.NilVal, function.NewArgError(len(args)-1, err)
			}
			return cty.StringVal(out), nil
		})
}
