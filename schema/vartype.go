package schema

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/syncctl/syncctl/lazyregexp"
	"github.com/syncctl/syncctl/schema/functions"
	"github.com/zclconf/go-cty/cty"
)

// typeConstraint reads the type of a variable. The library would evaluate the defaults of optional attributes without
// limits, so they are evaluated within the limits first.
func (l *loader) typeConstraint(expr hcl.Expression) (cty.Type, *typeexpr.Defaults, bool) {
	native, ok := expr.(hclsyntax.Node)
	if !ok { // JSON writes a type as a text
		text, diags := expr.Value(nil)
		if !diags.HasErrors() && text.Type() == cty.String && !text.IsNull() {
			src, rng := []byte(text.AsString()), expr.Range()
			if d := tooNestedExpression(src, rng.Filename); d != nil {
				l.add(problem(rng, d.Summary, "%s", d.Detail))
				return cty.DynamicPseudoType, nil, false
			}
			if parsed, diags := hclsyntax.ParseExpression(src, rng.Filename, rng.Start); !diags.HasErrors() {
				native = parsed
			}
		}
	}
	if native != nil {
		found := hclsyntax.VisitAll(native, func(n hclsyntax.Node) hcl.Diagnostics {
			call, ok := n.(*hclsyntax.FunctionCallExpr)
			if !ok || call.Name != "optional" || len(call.Args) < 2 {
				return nil
			}
			val, diags := l.evaluate(call.Args[1], nil)
			if !diags.HasErrors() && longDigits(val) != nil {
				diags = hcl.Diagnostics{problem(call.Args[1].Range(), "Number out of range", "It cannot be used: %s.", errNumber)}
			}
			return diags
		})
		if found.HasErrors() {
			l.add(found...)
			return cty.DynamicPseudoType, nil, false
		}
	}
	typ, defaults, diags := typeexpr.TypeConstraintWithDefaults(expr)
	for _, d := range diags {
		typeHint(d, ok)
	}
	l.add(diags...)
	return typ, defaults, !diags.HasErrors()
}

// filled returns the maximum number of values after defaults are filled into n values: each default may be used in
// each of them, with its own defaults filled in.
func filled(d *typeexpr.Defaults, n int64) int64 {
	each := int64(1)
	for name, def := range d.DefaultValues {
		inner := valuesIn(def)
		if child := d.Children[name]; child != nil {
			inner = filled(child, inner)
		}
		each = sum(each, inner)
	}
	for _, child := range d.Children {
		each = sum(each, filled(child, 1))
	}
	return functions.Product(n, each)
}

// valuesIn counts a value and everything inside of it.
func valuesIn(v cty.Value) int64 {
	n := int64(0)
	v, _ = v.UnmarkDeep()
	_ = cty.Walk(v, func(cty.Path, cty.Value) (bool, error) { // the callback returns no error
		n++
		return true, nil
	})
	return n
}

// sum returns a+b, or a number beyond every limit.
func sum(a, b int64) int64 {
	return min(a, functions.TooMuch) + min(b, functions.TooMuch)
}

// typeWords are the names of types, and typeAliases their names in other languages.
var (
	typeWords   = []string{"any", "bool", "list", "map", "number", "object", "set", "string", "tuple"}
	typeAliases = map[string]string{"int": "number", "integer": "number", "float": "number", "str": "string",
		"text": "string", "boolean": "bool", "array": "list", "dict": "map", "hash": "map"}
)

// typeHint completes the library's message about a word that is not a type. If native is false, types are written in
// quotes, as in JSON.
func typeHint(d *hcl.Diagnostic, native bool) {
	m := noType.FindStringSubmatch(d.Detail)
	switch {
	case m == nil:
		if native && strings.Contains(d.Detail, "primitive type keyword") {
			d.Detail += " A type is written without quotes."
		}
	case typeAliases[m[1]] != "":
		d.Detail += fmt.Sprintf(" Did you mean %q?", typeAliases[m[1]])
	default:
		if hint := didYouMean(m[1], typeWords); hint != "" {
			d.Detail += hint
		} else {
			d.Detail += " Types are string, number, bool, any, list(T), set(T), map(T), tuple([T, ...]) and " +
				"object({ NAME = T })."
		}
	}
}

var noType = lazyregexp.New(`^(?:The keyword|Keyword) "([^"]*)" is not a valid type (?:specification|constructor)`)
