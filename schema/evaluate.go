package schema

import (
	"context"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// expressionFile is the file name that diagnostics use for an expression that is not from a file.
const expressionFile = "<expression>"

// Evaluate evaluates an expression as in the root module, within the limits of a Load. It may also refer to outputs as
// output.NAME, and to the given names. It must not be called concurrently. Its source is added to Files, for the
// diagnostics.
func (c *Config) Evaluate(
	ctx context.Context, text string, given map[string]cty.Value,
) (cty.Value, hcl.Diagnostics) {
	l := c.loader
	if l == nil { // reading was interrupted
		return cty.DynamicVal, hcl.Diagnostics{problem(hcl.Range{}, "No configuration", "The configuration was not read.")}
	}
	out, ctx := newOutside(ctx, l.opts.Room)
	defer out.close()
	l.outside, l.meter, l.diags, l.problems = out, l.meter.again(ctx), nil, nil
	val := l.evaluateText(text, c.withOutputs(given))
	c.redactor = l.secrets.redactor()
	l.files[expressionFile] = source{text: []byte(text)}
	c.show(l)
	l.hideSecrets(c.redactor)
	return val, arrange(l.diags)
}

// withOutputs returns a frame of the root module with the given names, and the outputs as output.NAME.
func (c *Config) withOutputs(given map[string]cty.Value) frame {
	outputs := map[string]cty.Value{}
	for _, o := range c.Outputs {
		outputs[o.Name] = o.Value
	}
	return frame{in: c.loader.root.instances[0], names: given}.with("output", cty.ObjectVal(outputs))
}

// known returns the names of a frame.
func (f frame) known() names {
	known := names{}
	for name := range f.names {
		known[name] = true
	}
	return known
}

func (l *loader) evaluateText(text string, f frame) cty.Value {
	if d := tooNestedExpression([]byte(text), expressionFile); d != nil {
		l.add(d)
		return cty.DynamicVal
	}
	expr, diags := hclsyntax.ParseExpression([]byte(text), expressionFile, hcl.InitialPos)
	if diags.HasErrors() {
		l.add(withoutEchoes(diags)...)
		return cty.DynamicVal
	}
	attr := &hcl.Attribute{Name: "expression", Expr: expr, Range: expr.Range(), NameRange: expr.Range()}
	l.resolveExpr(&node{mod: l.root}, attr, f.known())
	if l.bad[attr] {
		return cty.DynamicVal
	}
	val, diags := l.value(expr, l.context(expr, f))
	l.add(diags...)
	return val
}
