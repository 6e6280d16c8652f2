package schema

import (
	"fmt"
	"sort"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// evaluateNode gives a node its value, once.
// What it needs has been evaluated before, or is unknown because it is broken.
func (l *loader) evaluateNode(n *node) {
	n.done = true
	n.val = cty.DynamicVal
	switch {
	case n.local != nil:
		if n.broken || l.bad[n.local] {
			return
		}
		val, diags := l.value(n.local.Expr, l.context(n.local.Expr))
		l.add(diags...)
		n.val = val
	case n.decl.shape != nil:
		before := len(l.diags)
		n.decl.res.Value = l.object(n.decl.shape, n.decl.res, nil)
		l.blame(n.decl, before)
		n.val = withAddress(n.decl.res)
	}
}

// withAddress is what an expression sees of a declaration.
func withAddress(r *Resource) cty.Value {
	attrs := r.Value.AsValueMap()
	if attrs == nil {
		attrs = map[string]cty.Value{}
	}
	if _, taken := attrs["address"]; !taken {
		attrs["address"] = cty.StringVal(r.Addr.String())
	}
	return cty.ObjectVal(attrs)
}

// object evaluates a body. res gets the places where things are written.
func (l *loader) object(s *shaped, res *Resource, path []string) cty.Value {
	attrs := map[string]cty.Value{}
	for i := range s.grammar.Attributes {
		a := &s.grammar.Attributes[i]
		attr := s.attrs[a.Name]
		if attr != nil && res != nil {
			res.ranges[joinPath(append(path[:len(path):len(path)], a.Name))] = attr.Range
		}
		attrs[a.Name] = l.argument(a, attr, s)
	}
	for i := range s.grammar.Blocks {
		b := &s.grammar.Blocks[i]
		attrs[b.Name] = l.nested(b, s.blocks[b.Name], res, append(path[:len(path):len(path)], b.Name))
	}
	return cty.ObjectVal(attrs)
}

// nested evaluates all blocks of one name.
func (l *loader) nested(b *Block, found []*shapedBlock, res *Resource, path []string) cty.Value {
	single := b.Label == "" && !b.Many
	if len(found) == 0 {
		ty := bodyType(&b.Body)
		switch {
		case b.Label != "":
			ty = cty.Map(ty)
		case b.Many:
			ty = cty.List(ty)
		}
		return cty.NullVal(ty)
	}
	var list []cty.Value
	byLabel := map[string]cty.Value{}
	for i, blk := range found {
		at := path
		if b.Label != "" {
			at = append(path[:len(path):len(path)], blk.label)
		} else if b.Many {
			at = append(path[:len(path):len(path)], strconv.Itoa(i))
		}
		if res != nil {
			res.ranges[joinPath(at)] = blk.header
			if _, there := res.ranges[joinPath(path)]; !there {
				res.ranges[joinPath(path)] = blk.header
			}
		}
		val := l.object(blk.shaped, res, at)
		list = append(list, val)
		byLabel[blk.label] = val
	}
	switch {
	case single:
		return list[0]
	case b.Label != "" && sameTypes(list):
		return cty.MapVal(byLabel)
	case b.Label != "": // arguments of any type make the objects differ
		return cty.ObjectVal(byLabel)
	case sameTypes(list):
		return cty.ListVal(list)
	}
	return cty.TupleVal(list)
}

func sameTypes(list []cty.Value) bool {
	for _, v := range list[1:] {
		if !v.Type().Equals(list[0].Type()) {
			return false
		}
	}
	return true
}

// attributeType is the type of an argument's value.
func attributeType(a *Attribute) cty.Type {
	if a.Ref != nil {
		return cty.String
	}
	return a.Type.WithoutOptionalAttributesDeep()
}

func bodyType(b *Body) cty.Type {
	attrs := map[string]cty.Type{}
	for i := range b.Attributes {
		attrs[b.Attributes[i].Name] = attributeType(&b.Attributes[i])
	}
	for i := range b.Blocks {
		ty := bodyType(&b.Blocks[i].Body)
		switch {
		case b.Blocks[i].Label != "":
			ty = cty.Map(ty)
		case b.Blocks[i].Many:
			ty = cty.List(ty)
		}
		attrs[b.Blocks[i].Name] = ty
	}
	return cty.Object(attrs)
}

// argument evaluates one argument of the grammar; attr is nil when it is not written.
func (l *loader) argument(a *Attribute, attr *hcl.Attribute, s *shaped) cty.Value {
	ty := attributeType(a)
	val := cty.NullVal(ty)
	switch {
	case attr == nil:
	case l.bad[attr]:
		val = cty.UnknownVal(ty)
	case a.Ref != nil:
		if addr, ok := l.targets[attr]; ok {
			return cty.StringVal(addr.String())
		}
	default:
		val = l.converted(a, attr)
	}
	if val.IsNull() {
		if attr != nil && a.Required {
			l.add(problem(attr.Expr.Range(), "Missing required argument",
				"The argument %q is required in %s, but it is set to null.", a.Name, s.where))
			val = cty.UnknownVal(ty)
		} else if a.Default != cty.NilVal {
			val = a.Default.WithMarks(val.Marks())
		} else if attr == nil && a.Required {
			val = cty.UnknownVal(ty) // reported with the shape
		}
	}
	if a.Secret {
		val = Sensitive(val)
		l.secrets.collect(val)
	}
	return val
}

// converted evaluates an expression and gives it the argument's type. It is unknown where that fails.
func (l *loader) converted(a *Attribute, attr *hcl.Attribute) cty.Value {
	unknown := cty.UnknownVal(attributeType(a))
	ctx := l.context(attr.Expr)
	raw, diags := l.value(attr.Expr, ctx)
	if a.Secret { // what the library says about a secret may quote it
		l.secrets.add(raw)
	}
	l.add(diags...)
	if diags.HasErrors() {
		return unknown
	}
	val, err := l.meter.convert(raw, a.Type)
	if whole := wholeDeclaration(attr.Expr, raw); err != nil && whole != "" {
		l.add(problem(attr.Expr.Range(), "Incorrect argument value",
			"%s is a whole declaration; the argument %q takes a value, such as one of its attributes: %s.NAME.", whole, a.Name,
			whole))
		return unknown
	}
	if err != nil {
		l.add(l.inContext(problem(attr.Expr.Range(), "Incorrect argument value",
			"The value does not fit the argument %q: %s.", a.Name, conversionText(err, raw, a.Secret)), attr.Expr, ctx))
		return unknown
	}
	for _, d := range []*hcl.Diagnostic{oneOf(a, val, attr.Expr.Range(), l.foreign),
		whole(a, val, attr.Expr.Range())} {
		if d != nil {
			l.add(l.inContext(d, attr.Expr, ctx))
			return unknown
		}
	}
	return val
}

// wholeDeclaration returns the address when an expression is nothing but a reference to a declaration.
func wholeDeclaration(expr hcl.Expression, val cty.Value) string {
	t, diags := hcl.AbsTraversalForExpr(expr)
	if diags.HasErrors() || len(t) != 3 || !isKind(t.RootName()) || !val.Type().IsObjectType() {
		return ""
	}
	return traversalText(t)
}

// context makes the values that an expression refers to available to it.
func (l *loader) context(expr hcl.Expression) *hcl.EvalContext {
	vars := map[string]cty.Value{"var": l.varsVal}
	locals := map[string]cty.Value{}
	kinds := map[string]map[string]map[string]cty.Value{}
	for _, t := range expr.Variables() {
		r, _ := l.reference(t) // what does not exist was reported when the graph was made
		if r == nil || r.node == nil {
			continue
		}
		val := r.node.val
		if !r.node.done || val == cty.NilVal {
			val = cty.DynamicVal
		}
		if r.node.local != nil {
			locals[strings.TrimPrefix(r.node.key, "local.")] = val
			continue
		}
		a := r.node.decl.res.Addr
		if kinds[string(a.Kind)] == nil {
			kinds[string(a.Kind)] = map[string]map[string]cty.Value{}
		}
		if kinds[string(a.Kind)][a.Type] == nil {
			kinds[string(a.Kind)][a.Type] = map[string]cty.Value{}
		}
		kinds[string(a.Kind)][a.Type][a.Name] = val
	}
	vars["local"] = cty.ObjectVal(locals)
	for kind, types := range kinds {
		byType := map[string]cty.Value{}
		for name, decls := range types {
			byType[name] = cty.ObjectVal(decls)
		}
		vars[kind] = cty.ObjectVal(byType)
	}
	return &hcl.EvalContext{Variables: vars, Functions: l.functions}
}

// value evaluates an expression; after an error the value is unknown. Errors get a did-you-mean.
func (l *loader) value(expr hcl.Expression, ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	val, diags := l.evaluate(expr, ctx)
	for _, d := range diags {
		l.improve(d, expr, ctx)
	}
	if diags.HasErrors() {
		return cty.DynamicVal, diags
	}
	return val, diags
}

// improve words an error about an attribute that does not exist with what was probably meant.
func (l *loader) improve(d *hcl.Diagnostic, expr hcl.Expression, ctx *hcl.EvalContext) {
	if d.Expression == nil {
		d.Expression, d.EvalContext = expr, ctx
	}
	unknownFunction(d)
	if d.Summary == "Duplicate object key" && refersToSecret(expr, ctx) { // the library quotes the key
		d.Detail = "Two items produced the same key (it is left out, because it may be sensitive). To group such items, " +
			"put an ellipsis (...) after the value expression."
		return
	}
	if d.Subject == nil || d.Summary != "Unsupported attribute" &&
		d.Summary != "Attempt to get attribute from null value" {
		return
	}
	for _, t := range expr.Variables() {
		for i := 1; i < len(t); i++ {
			name, ok := stepName(t, i)
			if !ok || t[i].SourceRange() != *d.Subject && t[i:i+1].SourceRange() != *d.Subject {
				continue
			}
			parent, diags := t[:i].TraverseAbs(ctx)
			if !diags.HasErrors() && parent.IsNull() {
				d.Detail = fmt.Sprintf("%s is null: nothing is written there, so it has no %q.", traversalText(t[:i]), name)
				return
			}
			if diags.HasErrors() || !parent.Type().IsObjectType() || parent.Type().HasAttribute(name) {
				continue
			}
			if parent.IsMarked() {
				d.Detail = fmt.Sprintf("%s has no attribute %q.", traversalText(t[:i]), name)
				return
			}
			d.Detail = fmt.Sprintf("%s has no attribute %q.%s", traversalText(t[:i]), name, attributeHint(name, parent.Type()))
			return
		}
	}
}

// refersToSecret says whether something sensitive goes into an expression.
func refersToSecret(expr hcl.Expression, ctx *hcl.EvalContext) bool {
	for _, t := range expr.Variables() {
		if val, diags := t.TraverseAbs(ctx); !diags.HasErrors() && IsSensitive(val) {
			return true
		}
	}
	return false
}

func attributeHint(name string, ty cty.Type) string {
	var names []string
	for n := range ty.AttributeTypes() {
		names = append(names, n)
	}
	sort.Strings(names)
	if hint := didYouMean(name, names); hint != "" || len(names) == 0 {
		return hint
	}
	if len(names) > 12 {
		return ""
	}
	return fmt.Sprintf(" It has %s.", quoteList(names, "and"))
}

// inContext lets the writers show the values that the expression refers to.
func (l *loader) inContext(d *hcl.Diagnostic, expr hcl.Expression, ctx *hcl.EvalContext) *hcl.Diagnostic {
	d.Expression, d.EvalContext = expr, ctx
	return d
}
