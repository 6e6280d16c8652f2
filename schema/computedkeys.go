package schema

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// improveComputed words an error about a missing attribute or key at the end of a computed path, such as
// module.m[each.key].x. It shows nothing sensitive.
func (l *loader) improveComputed(d *hcl.Diagnostic) {
	native, ok := d.Expression.(hclsyntax.Expression)
	if !ok {
		return
	}
	_ = hclsyntax.VisitAll(native, func(n hclsyntax.Node) hcl.Diagnostics { // it collects no diagnostics
		text := ""
		switch e := n.(type) {
		case *hclsyntax.IndexExpr:
			if e.SrcRange == *d.Subject || e.BracketRange == *d.Subject || e.Key.Range() == *d.Subject {
				text = l.lacksIndex(e, d.EvalContext)
			}
		case *hclsyntax.RelativeTraversalExpr:
			for i := range e.Traversal {
				if e.Traversal[i].SourceRange() == *d.Subject {
					text = l.lacksStep(e, i, d.EvalContext)
				}
			}
		}
		if text != "" {
			d.Detail = text
		}
		return nil
	})
}

// improveSplat improves the error for a splat over a map or an object. The library reports only the part after the
// splat, so the part before it is found by its position.
func (l *loader) improveSplat(d *hcl.Diagnostic, expr hcl.Expression, ctx *hcl.EvalContext) {
	behind, ok := d.Expression.(*hclsyntax.RelativeTraversalExpr)
	src := l.files[d.Subject.Filename].text
	if !ok {
		return
	}
	for _, t := range expr.Variables() {
		between := hcl.Range{
			Filename: d.Subject.Filename, Start: t.SourceRange().End, End: behind.Traversal.SourceRange().Start,
		}
		if !between.CanSliceBytes(src) {
			continue
		}
		if sign := string(between.SliceBytes(src)); sign != "[*]" && sign != ".*" {
			continue
		}
		if of, diags := t.TraverseAbs(ctx); !diags.HasErrors() && haveAll(of, behind.Traversal) {
			name := traversalText(t)
			d.Detail = fmt.Sprintf("A splat is for lists, and %s has keys. Write values(%s)[*]%s.", name, name,
				traversalText(behind.Traversal))
		}
	}
}

// haveAll reports whether a traversal leads somewhere from each element of a map or an object.
func haveAll(of cty.Value, behind hcl.Traversal) bool {
	if of.IsMarked() || !of.IsKnown() || of.IsNull() || !of.Type().IsObjectType() && !of.Type().IsMapType() {
		return false
	}
	for it := of.ElementIterator(); it.Next(); {
		_, one := it.Element()
		if one.IsMarked() || !one.IsKnown() {
			return false
		}
		if _, diags := behind.TraverseRel(one); diags.HasErrors() {
			return false
		}
	}
	return of.LengthInt() > 0
}

// lacksIndex says which key a collection lacks, and which keys it has.
func (l *loader) lacksIndex(e *hclsyntax.IndexExpr, ctx *hcl.EvalContext) string {
	of, ok := l.openValue(e.Collection, ctx)
	key, keyOK := l.openValue(e.Key, ctx)
	name := l.pathOf(e.Collection, ctx)
	if !ok || !keyOK || name == "" || refersToSecret(e, ctx) {
		return ""
	}
	return l.lacksKey(name, of, key)
}

// lacksKey says that a value has no such key or index. It returns "" if that is not the problem.
func (l *loader) lacksKey(name string, of, key cty.Value) string {
	switch ty := of.Type(); {
	case (ty.IsObjectType() || ty.IsMapType()) && key.Type() == cty.String:
		return fmt.Sprintf("%s has no key %q.%s", name, key.AsString(), l.namesHint(key.AsString(), keysOf(of)))
	case (ty.IsTupleType() || ty.IsListType()) && key.Type() == cty.Number:
		return fmt.Sprintf("%s has no element number %s. It has %d, and the first one has the number 0.", name,
			numberText(key), of.LengthInt())
	}
	return ""
}

// lacksStep says which attribute of a computed value is missing, and which attributes there are.
func (l *loader) lacksStep(e *hclsyntax.RelativeTraversalExpr, at int, ctx *hcl.EvalContext) string {
	parent, ok := l.openValue(e.Source, ctx)
	source := l.pathOf(e.Source, ctx)
	if !ok || source == "" || refersToSecret(e, ctx) {
		return ""
	}
	parent, diags := e.Traversal[:at].TraverseRel(parent)
	if diags.HasErrors() || parent.IsMarked() || parent.IsNull() || !parent.IsKnown() {
		return ""
	}
	source += traversalText(e.Traversal[:at])
	if index, ok := e.Traversal[at].(hcl.TraverseIndex); ok {
		return l.lacksKey(source, parent, index.Key)
	}
	name, named := stepName(e.Traversal, at)
	if !named || !parent.Type().IsObjectType() {
		return ""
	}
	return fmt.Sprintf("%s has no attribute %q.%s", source, name, l.namesHint(name, keysOf(parent)))
}

// openValue returns the value of a part of an expression, if it is known, not null and not sensitive.
func (l *loader) openValue(e hclsyntax.Expression, ctx *hcl.EvalContext) (cty.Value, bool) {
	val, diags := l.evaluate(e, ctx)
	return val, !diags.HasErrors() && !val.IsMarked() && val.IsKnown() && !val.IsNull()
}

// pathOf writes the path to a value including its computed keys, or returns "" if it has none.
func (l *loader) pathOf(e hclsyntax.Expression, ctx *hcl.EvalContext) string {
	switch e := e.(type) {
	case *hclsyntax.ScopeTraversalExpr:
		return traversalText(e.Traversal)
	case *hclsyntax.RelativeTraversalExpr:
		if source := l.pathOf(e.Source, ctx); source != "" {
			return source + traversalText(e.Traversal)
		}
	case *hclsyntax.IndexExpr:
		source := l.pathOf(e.Collection, ctx)
		key, ok := l.openValue(e.Key, ctx)
		if source != "" && ok && (key.Type() == cty.String || key.Type() == cty.Number) {
			return source + pathText(cty.Path{cty.IndexStep{Key: key}})
		}
	case *hclsyntax.FunctionCallExpr:
		return "the result of " + e.Name
	}
	return ""
}
