package schema

import (
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// frame is the context of an expression: the instance of a module, the declaration, and the names that are valid there
// in addition to those of the language.
type frame struct {
	in    *instance
	names map[string]cty.Value // each, self, and the iterators of dynamic blocks
	res   *Resource            // nil outside of declarations
}

// with returns the frame with one more name.
func (f frame) with(name string, val cty.Value) frame {
	inner := map[string]cty.Value{name: val}
	for n, v := range f.names {
		if n != name {
			inner[n] = v
		}
	}
	f.names = inner
	return f
}

// withElement returns the frame of one element of a for_each. all is made by elementsOf, once for all of them.
func (f frame) withElement(iterator string, key, value, all cty.Value) frame {
	inner := map[string]cty.Value{wholeOf(iterator): all,
		iterator: cty.ObjectVal(map[string]cty.Value{"key": key, "value": value})}
	for n, v := range f.names {
		if _, hidden := inner[n]; !hidden {
			inner[n] = v
		}
	}
	f.names = inner
	return f
}

// evaluateNode sets the value of a node in each instance of its module, once. Its dependencies have been evaluated
// before, or are unknown because they are broken.
func (l *loader) evaluateNode(n *node) {
	if n.call != nil {
		l.evaluateCall(n.call)
	}
	l.lenient = n.decl == nil && l.elsewhere(n)
	defer func() { l.lenient = false }()
	for _, in := range n.mod.instances {
		val := cty.DynamicVal
		switch {
		case n.local != nil && !n.broken && !l.bad[n.local]:
			v, diags := l.value(n.local.Expr, l.context(n.local.Expr, frame{in: in}))
			l.add(diags...)
			val = v
		case n.input != nil && !n.broken:
			val = l.evaluateInput(n, in)
		case n.output != nil:
			val = l.evaluateOutput(n, in)
		case n.defaults != nil:
			l.evaluateDefaults(n, in)
		case n.decl != nil && n.decl.shape != nil:
			val = l.evaluateDeclaration(n, in)
		}
		n.vals = append(n.vals, val)
	}
	n.done = true
	l.forget(n)
	if n.input != nil {
		for i, in := range n.mod.instances {
			if !l.validate(n.input, in) {
				n.vals[i] = n.input.unknown()
			}
		}
	}
	if n.output != nil {
		n.mod.done++
	}
}

// forget lets the source of a declaration go once it has been evaluated. Over sites, others ask what is written in it.
func (l *loader) forget(n *node) {
	if n.decl != nil && n.decl.shape != nil && len(l.sites) == 0 {
		n.decl.shape.attrs, n.decl.shape.blocks = nil, nil
	}
}

// evaluateDeclaration makes the resources of a declaration in one instance of its module. It returns no value unless
// that is unknown: see node.value.
func (l *loader) evaluateDeclaration(n *node, in *instance) cty.Value {
	d := n.decl
	f := frame{in: in}
	var made []*Resource
	before := len(l.diags)
	l.eachKey(&d.meta, f, d.rng, func(index string, f frame) { made = append(made, l.resource(n, f, index)) })
	l.blame(d, d.addr, before)
	d.made = append(d.made, made)
	for _, r := range made {
		d.addPrivate(r.private)
	}
	if d.meta.unknown {
		l.resource(n, d.meta.unknownEach(f), "") // to report the mistakes in it
		return cty.DynamicVal
	}
	return cty.NilVal
}

// value returns the value of a declaration for expressions in one instance of its module.
func (d *decl) value(in *instance) cty.Value {
	byKey := map[string]cty.Value{}
	single := cty.NullVal(cty.DynamicPseudoType)
	for _, r := range d.made[in.index] {
		single = r.self()
		if each, ok := r.names["each"]; ok {
			byKey[each.GetAttr("key").AsString()] = single
		}
	}
	if d.meta.forEach != nil {
		return cty.ObjectVal(byKey)
	}
	return single
}

func (d *decl) addPrivate(of map[string]bool) {
	for name, private := range of {
		if !private {
			continue
		}
		if d.inMade == nil {
			d.inMade = map[string]bool{}
		}
		d.inMade[name] = true
	}
}

// resource evaluates one declaration.
func (l *loader) resource(n *node, f frame, index string) *Resource {
	d := n.decl
	addr := d.addr
	addr.Module, addr.Index = f.in.addr, index
	r := &Resource{Addr: addr, Type: d.typ, Range: d.rng,
		spellings: l.spellings, names: f.names, DependsOn: l.dependsOn(d, f.in)}
	f.res = r
	before := len(l.diags)
	l.lenient = l.isElsewhere(l.staticSite(n)) && l.staysInSite(n) // other readers need the value as well
	r.written = l.places[:0]
	r.Value = l.alike(d.typ, l.object(d.shape, f, ""))
	l.places, r.written = r.written, slices.Clone(r.written)
	l.lenient = false
	r.Site, r.private = l.siteOf(n, r, f), l.privateOf(n, r)
	r.Elsewhere = l.isElsewhere(r.Site)
	r.PreventDestroy, r.IgnoredDrift = l.isProtected(d, f), l.ignoredDrift(d, f)
	r.failed = l.blame(d, addr, before)
	if !d.meta.unknown {
		l.made[addr] = r
	}
	return r
}

// alike returns the value of a declaration with the type of an earlier one, if that is equal. The library makes a type
// for each value, and declarations take a fifth less memory if they share one.
func (l *loader) alike(typ *Type, v cty.Value) cty.Value {
	both := []cty.Value{l.last[typ], v}
	if both[0] == cty.NilVal || !sameTypes(both) {
		l.last[typ] = v
		return v
	}
	return cty.ListVal(both).Index(second)
}

var second = cty.NumberIntVal(1)

// self returns the value of a declaration in expressions.
func (r *Resource) self() cty.Value {
	attrs := r.Value.AsValueMap()
	if attrs == nil {
		attrs = map[string]cty.Value{}
	}
	if _, taken := attrs["address"]; !taken {
		attrs["address"] = cty.StringVal(r.Addr.String())
	}
	return cty.ObjectVal(attrs)
}

// object evaluates a body, the path of which is "" at the top of a declaration. It records in the frame's declaration
// where things are written.
func (l *loader) object(s *shaped, f frame, path string) cty.Value {
	attrs := make(map[string]cty.Value, len(s.grammar.Attributes)+len(s.grammar.Blocks))
	for i := range s.grammar.Attributes {
		a := &s.grammar.Attributes[i]
		attr := s.attrs[a.Name]
		if attr != nil {
			f.res.writes(l.path(path, a.Name), attr.Range)
		}
		val := l.argument(a, attr, s, f, path == "")
		f.res.holds(val)
		attrs[a.Name] = val
	}
	for i := range s.grammar.Blocks {
		b := &s.grammar.Blocks[i]
		if found := s.blocks[b.Name]; len(found) > 0 || path != "" {
			attrs[b.Name] = l.nested(b, found, f, l.path(path, b.Name))
		} else if given, ok := f.defaulted(b.Name); ok {
			f.res.holds(given)
			attrs[b.Name] = given
		} else {
			attrs[b.Name] = cty.NullVal(l.blockType(b))
		}
	}
	return cty.ObjectVal(attrs)
}

// path returns the path of an argument or a block inside of another one, which is "" at the top. Declarations have the
// same paths again and again.
func (l *loader) path(in, name string) string {
	if in == "" {
		return name
	}
	at := [2]string{in, name}
	path, had := l.paths[at]
	if !had {
		path = in + "." + name
		l.paths[at] = path
	}
	return path
}

// blockType is like the function blockType, which builds a type each time, once for each block of the grammar.
func (l *loader) blockType(b *Block) cty.Type {
	ty, had := l.types[b]
	if !had {
		ty = blockType(b)
		l.types[b] = ty
	}
	return ty
}

// blockType returns the type of the value of all blocks of one name.
func blockType(b *Block) cty.Type {
	ty := bodyType(&b.Body)
	switch {
	case b.Label != "":
		ty = cty.Map(ty)
	case b.Many:
		ty = cty.List(ty)
	}
	return ty
}

// nested evaluates all blocks of one name.
func (l *loader) nested(b *Block, found []*shapedBlock, f frame, path string) cty.Value {
	blocks, known := l.expandBlocks(b, found, f)
	switch {
	case !known:
		return cty.UnknownVal(l.blockType(b))
	case len(blocks) == 0:
		if b.Required && len(found) > 0 {
			l.add(problem(found[0].header, "Missing required block", "A block %q is required here, and this makes none.",
				b.Name))
		}
		return cty.NullVal(l.blockType(b))
	}
	list := make([]cty.Value, 0, len(blocks))
	for i, blk := range blocks {
		at := path
		if b.Label != "" {
			at = l.path(path, blk.label)
		} else if b.Many {
			at = l.path(path, strconv.Itoa(i))
		}
		if f.res.writes(at, blk.header); i == 0 && at != path {
			f.res.writes(path, blk.header)
		}
		list = append(list, l.object(blk.shaped, blk.frame, at))
	}
	switch {
	case b.Label != "":
		return labelled(blocks, list)
	case !b.Many:
		return list[0]
	case sameTypes(list):
		return cty.ListVal(list)
	}
	return cty.TupleVal(list)
}

// labelled returns the values of blocks by their labels. Arguments of any type make the objects differ.
func labelled(blocks []expandedBlock, values []cty.Value) cty.Value {
	byLabel := make(map[string]cty.Value, len(values))
	for i, v := range values {
		byLabel[blocks[i].label] = v
	}
	if sameTypes(values) {
		return cty.MapVal(byLabel)
	}
	return cty.ObjectVal(byLabel)
}

func sameTypes(list []cty.Value) bool {
	for _, v := range list[1:] {
		if !v.Type().Equals(list[0].Type()) {
			return false
		}
	}
	return true
}

// attributeType returns the type of an argument's value.
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
		attrs[b.Blocks[i].Name] = blockType(&b.Blocks[i])
	}
	return cty.Object(attrs)
}

// argument evaluates one argument of the grammar; attr is nil if it is not written. If top is set, defaults may supply
// it.
func (l *loader) argument(a *Attribute, attr *hcl.Attribute, s *shaped, f frame, top bool) cty.Value {
	ty := attributeType(a)
	val := cty.NullVal(ty)
	switch {
	case attr == nil:
	case l.bad[attr]:
		val = cty.UnknownVal(ty)
	case a.Ref != nil:
		val = l.refer(a, attr, f)
	default:
		val = l.converted(a, attr, f)
	}
	if val.IsNull() {
		if top {
			if given, ok := f.defaulted(a.Name); ok {
				return given.WithMarks(val.Marks())
			}
		}
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

// converted evaluates an expression and converts it to the argument's type. The result is unknown if that fails.
func (l *loader) converted(a *Attribute, attr *hcl.Attribute, f frame) cty.Value {
	unknown := cty.UnknownVal(attributeType(a))
	ctx := l.context(attr.Expr, f)
	raw, diags := l.value(attr.Expr, ctx)
	if a.Secret { // the library's messages about a secret may quote it
		l.secrets.add(raw)
	}
	l.add(diags...)
	if diags.HasErrors() {
		return unknown
	}
	val, err := l.meter.convert(raw, a.Type)
	if err != nil {
		if whole := wholeDeclaration(attr.Expr, raw); whole != "" {
			l.add(problem(attr.Expr.Range(), "Incorrect argument value",
				"%s is a whole declaration; the argument %q takes a value, such as one of its attributes: %s.NAME.", whole, a.Name,
				whole))
			return unknown
		}
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

// wholeDeclaration returns the address if an expression is only a reference to a declaration.
func wholeDeclaration(expr hcl.Expression, val cty.Value) string {
	t, diags := hcl.AbsTraversalForExpr(expr)
	if diags.HasErrors() || len(t) != 3 || !isKind(t.RootName()) || !val.Type().IsObjectType() {
		return ""
	}
	return traversalText(t)
}

// variables returns what an expression refers to. The library walks even through a plain text, and through all
// parts of an object.
func variables(expr hcl.Expression) []hcl.Traversal {
	switch e := expr.(type) {
	case *hclsyntax.LiteralValueExpr:
		return nil
	case *hclsyntax.TemplateExpr:
		if e.IsStringLiteral() {
			return nil
		}
	case *hclsyntax.ScopeTraversalExpr:
		return []hcl.Traversal{e.Traversal}
	case *hclsyntax.ObjectConsExpr:
		var all []hcl.Traversal
		for _, item := range e.Items {
			if key, ok := item.KeyExpr.(*hclsyntax.ObjectConsKeyExpr); !ok || key.ForceNonLiteral ||
				hcl.ExprAsKeyword(key.Wrapped) == "" {
				all = append(all, item.KeyExpr.Variables()...)
			}
			all = append(all, variables(item.ValueExpr)...)
		}
		return all
	}
	return expr.Variables()
}

// context makes the values that an expression refers to available to it.
func (l *loader) context(expr hcl.Expression, f frame) *hcl.EvalContext {
	refs := variables(expr)
	if len(refs) == 0 {
		return l.noNames
	}
	mod := f.in.of
	vars := map[string]cty.Value{"path": mod.pathValue(), "site": l.siteValue()}
	inputs, locals, modules := map[string]cty.Value{}, map[string]cty.Value{}, map[string]cty.Value{}
	kinds := map[string]map[string]map[string]cty.Value{}
	for _, t := range refs {
		if _, ok := f.names[t.RootName()]; ok {
			continue
		}
		r, _ := l.reference(mod, t, nil) // missing targets were reported when the graph was built
		switch {
		case r == nil || r.node == nil:
		case r.node.input != nil:
			inputs[r.node.input.name] = r.node.value(f.in)
		case r.node.local != nil:
			locals[strings.TrimPrefix(r.node.key, "local.")] = r.node.value(f.in)
		case r.node.call != nil:
			modules[r.node.call.name] = r.node.call.value(f.in)
		case r.node.decl != nil:
			a := r.node.decl.addr
			if kinds[string(a.Kind)] == nil {
				kinds[string(a.Kind)] = map[string]map[string]cty.Value{}
			}
			if kinds[string(a.Kind)][a.Type] == nil {
				kinds[string(a.Kind)][a.Type] = map[string]cty.Value{}
			}
			kinds[string(a.Kind)][a.Type][a.Name] = r.node.value(f.in)
		}
	}
	vars["local"], vars["module"] = cty.ObjectVal(locals), cty.ObjectVal(modules)
	if vars["var"] = l.varsVal; mod != l.root {
		vars["var"] = cty.ObjectVal(inputs)
	}
	for kind, types := range kinds {
		byType := map[string]cty.Value{}
		for name, decls := range types {
			byType[name] = cty.ObjectVal(decls)
		}
		vars[kind] = cty.ObjectVal(byType)
	}
	for name, val := range f.names { // the iterator of a dynamic block may have any name
		vars[name] = val
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

// inContext lets the writers show the values that the expression refers to.
func (l *loader) inContext(d *hcl.Diagnostic, expr hcl.Expression, ctx *hcl.EvalContext) *hcl.Diagnostic {
	d.Expression, d.EvalContext = expr, ctx
	return d
}
