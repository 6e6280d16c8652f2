package schema

import (
	"errors"
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// templateFile implements templatefile(PATH, VARS): it evaluates the template in a file with these variables and all
// functions except itself. The result keeps the marks of its parts; a template that holds a private key is a secret.
func (l *loader) templateFile(args []cty.Value) (cty.Value, error) {
	vars, marks := args[1].Unmark()
	if !vars.IsKnown() {
		return cty.DynamicVal.WithMarks(marks), nil
	}
	if vars.IsNull() || !vars.Type().IsObjectType() && !vars.Type().IsMapType() {
		return cty.NilVal, errors.New("the second argument must be an object or a map: the names that the template can use")
	}
	path := args[0].AsString()
	src, err := l.textOf("templatefile", path)
	if err != nil {
		return cty.NilVal, err
	}
	text := l.spellings.value(src)
	l.foreign.add(Text(text), "templatefile()")
	expr, err := parseTemplate([]byte(text.AsString()), path)
	if err != nil {
		return cty.NilVal, err
	}
	ctx := &hcl.EvalContext{Variables: map[string]cty.Value{}, Functions: l.templateFunctions()}
	for it := vars.ElementIterator(); it.Next(); {
		key, val := it.Element()
		if !hclsyntax.ValidIdentifier(key.AsString()) {
			return cty.NilVal, fmt.Errorf("%q cannot be the name of a variable of the template: a name starts with a letter or "+
				"underscore and holds letters, digits, underscores and dashes", key.AsString())
		}
		ctx.Variables[key.AsString()] = val
	}
	for _, t := range expr.Variables() {
		if _, given := ctx.Variables[t.RootName()]; !given {
			return cty.NilVal, fmt.Errorf("the template refers to %q at %s, which the second argument does not have",
				t.RootName(), place(t.SourceRange()))
		}
	}
	val, err := l.render(expr, ctx)
	if err != nil {
		return cty.NilVal, err
	}
	if holdsPrivateKey(src) {
		val = Sensitive(val)
	}
	return val.WithMarks(marks), nil
}

func parseTemplate(src []byte, path string) (hclsyntax.Expression, error) {
	if d := tooDense(signs(src), Usual, path); d != nil {
		return nil, inTemplate(d)
	}
	tokens, _ := hclsyntax.LexTemplate(src, path, hcl.InitialPos) // the parser reports what is wrong with them
	if d := tooNestedTokens(tokens, 0); d != nil {
		return nil, inTemplate(d)
	}
	expr, diags := hclsyntax.ParseTemplate(src, path, hcl.InitialPos)
	if diags.HasErrors() {
		return nil, inTemplate(firstError(diags))
	}
	return expr, nil
}

// render evaluates a template within the limits, as evaluate does for an expression of the configuration.
func (l *loader) render(expr hclsyntax.Expression, ctx *hcl.EvalContext) (cty.Value, error) {
	flow := l.flow
	if l.meter.err == nil {
		l.meter.preview(expr, ctx)
	}
	if l.meter.err != nil {
		return cty.NilVal, l.meter.err
	}
	val, diags := expr.Value(ctx)
	if diags.HasErrors() {
		d := firstError(diags)
		if l.reached(expr, ctx, flow) {
			discreetly(d, ctx)
		}
		unknownFunction(d)
		return cty.NilVal, inTemplate(d)
	}
	return val, nil
}

func firstError(diags hcl.Diagnostics) *hcl.Diagnostic {
	for _, d := range diags {
		if d.Severity == hcl.DiagError {
			return d
		}
	}
	return nil
}

func inTemplate(d *hcl.Diagnostic) error {
	return fmt.Errorf("in the template at %s: %s: %s", place(*d.Subject), d.Summary, d.Detail)
}

// templateFunctions returns the functions for templates, without templatefile: a template could otherwise read itself.
func (l *loader) templateFunctions() map[string]function.Function {
	table := map[string]function.Function{}
	for name, f := range l.functions {
		table[name] = f
	}
	table["templatefile"] = l.called("templatefile", func([]cty.Value) (cty.Value, error) {
		return cty.NilVal, errors.New("a template cannot read another one: give its text to the first one as a variable")
	})
	return table
}
