package schema

import (
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// uses records which nodes use which values. A reference attribute uses an address, not a value.
type uses struct {
	by       map[any][]*node // by a variable of the root module or a node
	everyone map[any]bool    // all sites must know it: for for_each, site, rules, outputs, settings
	only     map[any]string  // see loader.only
}

// use records that a node uses a value.
func (l *loader) use(n *node, what any) {
	if l.uses.by == nil {
		l.uses.by, l.uses.everyone = map[any][]*node{}, map[any]bool{}
	}
	switch {
	case what == n.validates && n.validates != nil: // a rule about a variable does not use it
	case n.anonymous() || n.output != nil && n.mod == l.root:
		l.uses.everyone[what] = true
	default:
		l.uses.by[what] = append(l.uses.by[what], n)
	}
}

// anonymous reports whether a node stands for something that all sites evaluate.
func (n *node) anonymous() bool { return n.key == "" }

// forAll returns a node that stands for what all sites must know about n.
func forAll(n *node) *node { return &node{mod: n.mod} }

// only returns the one site whose declarations alone use a value, directly or through others, or "" if there is none.
func (l *loader) only(what any) string {
	const open = "\x00"
	if l.uses.only == nil {
		l.uses.only = map[any]string{}
	}
	if site, done := l.uses.only[what]; done {
		if site == open {
			return ""
		}
		return site
	}
	l.uses.only[what] = open // in a cycle, which is reported
	site, first := "", true
	for _, n := range l.uses.by[what] {
		of := ""
		switch {
		case n.decl == nil:
			of = l.only(n)
		case l.staysInSite(n):
			of = l.staticSite(n)
		}
		if !first && of != site {
			of = ""
		}
		if site, first = of, false; site == "" {
			break
		}
	}
	if l.uses.everyone[what] {
		site = ""
	}
	l.uses.only[what] = site
	return site
}

// staysInSite reports whether only declarations of its own site, if any, read a declaration.
func (l *loader) staysInSite(n *node) bool {
	return len(l.uses.by[n]) == 0 && !l.uses.everyone[n] || l.only(n) == l.staticSite(n)
}

// staticSite returns the site of all instances of a declaration if it is written as a constant, or "". A keystore
// without a site has that of the servers that refer to it.
func (l *loader) staticSite(n *node) string {
	if len(l.sites) == 0 || !hasSite(n.decl.addr.Kind) {
		return ""
	}
	attr := n.siteArg()
	if attr == nil {
		return l.keystoreSites()[n]
	}
	if t, ok := l.target(attr.Expr); ok && t.RootName() == "site" {
		name, _ := stepName(t, 1)
		return name
	}
	val, diags := l.evaluate(attr.Expr, nil)
	if diags.HasErrors() || val.IsNull() {
		return ""
	}
	return Text(val)
}

// keystoreSites returns the sites of keystores that do not set one themselves.
func (l *loader) keystoreSites() map[*node]string {
	if l.ofKeystores != nil {
		return l.ofKeystores
	}
	l.ofKeystores = map[*node]string{}
	several := map[*node]bool{}
	for _, n := range l.nodes {
		if n.decl == nil || n.decl.addr.Kind != Server {
			continue
		}
		for _, e := range n.needs {
			if e.to.decl == nil || e.to.decl.addr.Kind != Keystore || e.to.siteArg() != nil {
				continue
			}
			site := l.staticSite(n)
			was, known := l.ofKeystores[e.to]
			several[e.to] = several[e.to] || known && was != site
			if l.ofKeystores[e.to] = site; several[e.to] {
				l.ofKeystores[e.to] = ""
			}
		}
	}
	return l.ofKeystores
}

// elsewhere reports whether only declarations of one other site than the process's own use a value. Then it need not
// be known here.
func (l *loader) elsewhere(what any) bool {
	if l.opts.Site == "" || len(l.sites) == 0 {
		return false
	}
	site := l.only(what)
	return site != "" && site != l.opts.Site
}

// privateArguments returns the arguments and blocks written in a declaration of a site that depend on a value which
// only this site must know. The digest leaves them out, because it is the same at all sites.
func (l *loader) privateArguments(n *node) map[string]bool {
	if l.staticSite(n) == "" || !l.staysInSite(n) {
		return nil
	}
	if n.decl.private != nil || n.decl.shape == nil {
		return n.decl.private
	}
	private := map[string]bool{}
	n.decl.private = private // declarations in a cycle, which is reported, ask for it before it is complete
	names := n.decl.meta.names()
	for name, attr := range n.decl.shape.attrs {
		private[name] = l.isPrivate(n.mod, attr, names)
	}
	for name, blocks := range n.decl.shape.blocks {
		for _, b := range blocks {
			private[name] = private[name] || l.hasPrivate(n.mod, b, names)
		}
	}
	return private
}

// privateOf returns the private arguments and blocks of a resource, including those that it took from defaults.
func (l *loader) privateOf(n *node, r *Resource) map[string]bool {
	private := maps.Clone(l.privateArguments(n))
	if private == nil {
		return nil
	}
	for name, given := range r.defaulted {
		private[name] = private[name] || l.isPrivateDefault(given, name)
	}
	return private
}

// isPrivateDefault is like isPrivate, for an argument or block of defaults, in the place where it is written.
func (l *loader) isPrivateDefault(given *node, name string) bool {
	s := given.defaults.shape
	return l.only(given) != "" && (s.attrs[name] != nil && l.isPrivate(given.mod, s.attrs[name], nil) ||
		slices.ContainsFunc(s.blocks[name], func(b *shapedBlock) bool { return l.hasPrivate(given.mod, b, nil) }))
}

func (l *loader) hasPrivate(m *module, b *shapedBlock, names names) bool {
	if b.dynamic != nil {
		if l.isPrivate(m, b.dynamic.forEach, names) || b.dynamic.labels != nil && l.isPrivate(m, b.dynamic.labels, names) {
			return true
		}
		names = names.with(b.dynamic.iterator)
	}
	for _, attr := range b.attrs {
		if l.isPrivate(m, attr, names) {
			return true
		}
	}
	for _, blocks := range b.blocks {
		for _, inner := range blocks {
			if l.hasPrivate(m, inner, names) {
				return true
			}
		}
	}
	return false
}

// isPrivate reports whether an expression in a declaration of a site depends on something that only that site must
// know: a variable of its own, or the environment.
func (l *loader) isPrivate(m *module, attr *hcl.Attribute, names names) bool {
	if l.asksEnvironment(m, attr.Expr) {
		return true
	}
	for _, t := range attr.Expr.Variables() {
		if names[t.RootName()] {
			continue
		}
		r, _ := l.reference(m, t, names)
		switch {
		case r == nil:
		case r.node == nil:
			if r.variable != nil && l.only(r.variable) != "" {
				return true
			}
		case r.node.decl != nil:
			if _, address := l.targets[attr]; !address && l.readsPrivate(r.node, t) {
				return true
			}
		case r.node.call != nil && r.node.call.of != nil:
			for _, o := range r.node.call.of.outputs {
				if (r.output == "" || r.output == o.output.name) && l.privateValue(o) {
					return true
				}
			}
		case l.privateValue(r.node):
			return true
		}
	}
	return false
}

// privateValue is like isPrivate, for a local value, or an input or output of a module. The answer is cached, because
// many others may use the value, several times each.
func (l *loader) privateValue(n *node) bool {
	if private, known := l.privates[n]; known {
		return private
	}
	if l.privates == nil {
		l.privates = map[*node]bool{}
	}
	l.privates[n] = false // in a cycle, which is reported
	private := false
	switch {
	case n.local != nil:
		private = l.only(n) != "" && l.isPrivate(n.mod, n.local, nil)
	case n.output != nil:
		private = n.output.value != nil && l.only(n) != "" && l.isPrivate(n.mod, n.output.value, nil)
	case n.input != nil:
		c := n.mod.call
		given := c.inputs[n.input.name]
		private = given != nil && l.only(n) != "" && l.isPrivate(c.in, given, c.meta.names())
	}
	l.privates[n] = private
	return private
}

// readsPrivate reports whether a traversal reads a private argument of a declaration. If it does not name an argument,
// it may read all of them.
func (l *loader) readsPrivate(n *node, t hcl.Traversal) bool {
	at := 3
	if n.decl.meta.forEach != nil {
		at = 4
	}
	name, named := stepName(t, at)
	if named {
		return n.decl.inMade[name]
	}
	return len(n.decl.inMade) > 0
}

// asksEnvironment reports whether an expression of a module, or a template that it reads, calls env().
func (l *loader) asksEnvironment(m *module, expr hcl.Expression) bool {
	return calls(expr, func(call *hclsyntax.FunctionCallExpr) bool {
		return call.Name == "env" || call.Name == "templatefile" && l.templateAsks(m, call)
	})
}

// calls reports whether an expression contains a function call for which meant returns true.
func calls(expr hcl.Expression, meant func(*hclsyntax.FunctionCallExpr) bool) bool {
	found := false
	eachNative(expr, func(cty.Value) bool { return !found }, func(e hclsyntax.Expression) {
		_ = hclsyntax.VisitAll(e, func(n hclsyntax.Node) hcl.Diagnostics { // the callback returns none
			call, ok := n.(*hclsyntax.FunctionCallExpr)
			found = found || ok && meant(call)
			return nil
		})
	})
	return found
}

// templateAsks reports whether the template that templatefile() reads calls env(). If the file is not known
// statically, it returns true.
func (l *loader) templateAsks(m *module, call *hclsyntax.FunctionCallExpr) bool {
	if len(call.Args) == 0 {
		return true
	}
	path, diags := l.evaluate(call.Args[0], &hcl.EvalContext{Variables: map[string]cty.Value{"path": m.pathValue()}})
	if diags.HasErrors() || path.Type() != cty.String || path.IsMarked() || path.IsNull() || !path.IsKnown() {
		return true
	}
	src, err := l.textOf("templatefile", path.AsString())
	if err != nil {
		return true
	}
	template, err := parseTemplate([]byte(src), path.AsString())
	return err != nil || calls(template, func(call *hclsyntax.FunctionCallExpr) bool {
		return call.Name == "env" // a template cannot read another one
	})
}
