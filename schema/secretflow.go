package schema

import (
	"errors"
	"maps"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/customdecode"
	"github.com/syncctl/syncctl/schema/functions"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// The library carries the mark of a secret through all operations except these: whether try and can succeed, what a
// sensitive key selects in an object, and the elements of a sensitive collection inside of a loop. Without the
// following code a secret could be read letter by letter without nonsensitive.

// flow records the use of secrets while an expression is evaluated.
type flow struct {
	calls int            // calls of functions that received or returned a secret
	marks cty.ValueMarks // of these secrets, inside of try and can; otherwise nil
}

func (l *loader) noteSecrets(vals ...cty.Value) {
	for _, v := range vals {
		if IsSensitive(v) {
			l.flow.calls++
			if l.flow.marks != nil {
				gather(l.flow.marks, v)
			}
		}
	}
}

// reached reports whether something sensitive was used in an evaluated expression. before is the flow before the
// evaluation.
func (l *loader) reached(expr hcl.Expression, ctx *hcl.EvalContext, before flow) bool {
	return l.flow.calls != before.calls || len(l.meter.keyed) > 0 || refersToSecret(expr, ctx)
}

// attempt returns try or can. The result is sensitive if a secret decides whether an expression has a value.
func (l *loader) attempt(name string) function.Function {
	f := functions.Find(name).Func
	return function.New(&function.Spec{
		Params: f.Params(), VarParam: f.VarParam(), Type: function.StaticReturnType(cty.DynamicPseudoType),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			outer, marks := l.flow.marks, cty.ValueMarks{}
			l.flow.marks = marks
			tries := make([]cty.Value, len(args))
			for i, arg := range args {
				closure := customdecode.ExpressionClosureFromVal(arg)
				maps.Copy(marks, secretsIn(closure.Expression, closure.EvalContext))
				tries[i] = customdecode.ExpressionClosureVal(&customdecode.ExpressionClosure{
					Expression: once{closure.Expression, sync.OnceValues(closure.Value)}, EvalContext: closure.EvalContext})
			}
			val, err := f.Call(tries)
			if l.flow.marks = outer; outer != nil {
				maps.Copy(outer, marks)
			}
			switch {
			case len(marks) > 0 && err != nil:
				return cty.NilVal, errors.New("no expression succeeded (details are left out, because something sensitive " +
					"goes into them)")
			case err == nil:
				val = val.WithMarks(marks)
			}
			return val, err
		},
	})
}

// once is an expression that is evaluated once. The library evaluates those of try for the type of the result and again
// for the result: nested ones took twice as long with each level, and a file that changed between the two was a fault.
type once struct {
	hcl.Expression

	value func() (cty.Value, hcl.Diagnostics)
}

func (o once) Value(*hcl.EvalContext) (cty.Value, hcl.Diagnostics) { return o.value() }

const leftOut = " (details are left out, because something sensitive goes into the expression)."

// discreetly removes from an error what it may quote of the elements of a sensitive collection, and of the names in a
// sensitive object, as these do not carry the mark there.
func discreetly(d *hcl.Diagnostic, ctx *hcl.EvalContext) {
	inLoop := d.EvalContext != nil && d.EvalContext != ctx
	if inLoop {
		d.Expression, d.EvalContext = nil, nil
	}
	switch d.Summary {
	case "Invalid function argument", "Error in function call":
		if inLoop {
			d.Detail = "The call failed" + leftOut
		}
	case "Inconsistent conditional result types":
		d.Detail = "The true and false result expressions must have consistent types" + leftOut
	case "Duplicate object key": // the library quotes the key
		d.Detail = "Two items produced the same key (it is left out, because it may be sensitive). To group such items, " +
			"put an ellipsis (...) after the value expression."
	}
}

// refersToSecret reports whether an expression uses something sensitive.
func refersToSecret(expr hcl.Expression, ctx *hcl.EvalContext) bool {
	return len(secretsIn(expr, ctx)) > 0
}

// secretsIn returns the marks of what is sensitive in an expression: what it refers to, or a value with sensitive
// attributes or elements.
func secretsIn(expr hcl.Expression, ctx *hcl.EvalContext) cty.ValueMarks {
	marks := cty.ValueMarks{}
	for _, t := range expr.Variables() {
		for i := len(t); i > 0; i-- {
			val, diags := t[:i].TraverseAbs(ctx)
			if diags.HasErrors() {
				continue
			}
			if i == len(t) {
				gather(marks, val)
			} else {
				maps.Copy(marks, val.Marks())
			}
			break
		}
	}
	return marks
}
