package schema

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// reference is the target of the beginning of a traversal.
type reference struct {
	variable *variable
	node     *node  // nil for a variable of the root module, and for path
	output   string // of a module, "" for all of them
	rng      hcl.Range
}

// roots are the names that an expression may begin with.
var roots = []string{"var", "local", string(Server), string(Keystore), string(Sync), string(Migration), "module",
	"path", "site"}

// reference resolves a traversal in a module, where names are valid too. It returns at most one of reference and
// diagnostic; it returns neither if the name may be declared in a file that could not be read.
func (l *loader) reference(m *module, t hcl.Traversal, names names) (*reference, *hcl.Diagnostic) {
	root := t.RootName()
	switch {
	case root == "var" || root == "local":
		name, ok := stepName(t, 1)
		if !ok {
			return nil, problem(t.SourceRange(), "Invalid reference", "%q is not a value by itself: name one, as in %s.NAME.",
				root, root)
		}
		return l.byName(m, root, name, t)
	case isKind(root):
		typeName, ok1 := stepName(t, 1)
		name, ok2 := stepName(t, 2)
		if !ok1 || !ok2 {
			return nil, problem(t.SourceRange(), "Invalid reference",
				"%q does not name a declaration. A reference is written %s.TYPE.NAME.", traversalText(t), root)
		}
		return l.byAddr(m, Addr{Kind: Kind(root), Type: typeName, Name: name}, t)
	case root == "module":
		return l.byModule(m, t)
	case root == "site":
		return l.bySite(t)
	case root == "path":
		name, _ := stepName(t, 1)
		if name == "module" || name == "root" {
			return &reference{rng: t.SourceRange()}, nil
		}
		return nil, problem(t.SourceRange(), "Invalid reference", "There are path.module, the folder of these files, and "+
			"path.root, that of the whole configuration. Paths are relative to the latter.")
	}
	return nil, problem(t.SourceRange(), "Invalid reference", "%s", l.rootText(m, t, names))
}

// byModule resolves module.NAME, with the key of its for_each if it has one, and the output that follows.
func (l *loader) byModule(m *module, t hcl.Traversal) (*reference, *hcl.Diagnostic) {
	name, ok := stepName(t, 1)
	if !ok {
		return nil, problem(t.SourceRange(), "Invalid reference", "A reference to a module is written module.NAME.OUTPUT.")
	}
	n := m.nodes["module."+name]
	if n == nil {
		if m.lost.has("module." + name) {
			return nil, nil
		}
		return nil, problem(t.SourceRange(), "Reference to undeclared module", "No module is named %q.%s", name,
			l.didYouMean(name, func() []string { return m.namesOf("module.") }))
	}
	r := &reference{node: n, rng: t.SourceRange()}
	c := n.call
	if c.of == nil {
		return r, nil
	}
	_, keyed := key(t, 2)
	at := 2
	if c.meta.forEach != nil {
		if at = 3; !keyed {
			return r, nil // the whole of it, or a computed key
		}
	}
	output, ok := stepName(t, at)
	if !ok || c.of.lost.has("output."+output) {
		return r, nil
	}
	if c.of.nodes["output."+output] == nil {
		hint := l.didYouMean(output, func() (all []string) {
			for _, o := range c.of.outputs {
				all = append(all, o.output.name)
			}
			return all
		})
		return nil, problem(t.SourceRange(), "Reference to undeclared output", "Module %q has no output %q.%s What is to "+
			"be seen from outside of a module, it gives in an output block.", name, output, hint)
	}
	r.output = output
	return r, nil
}

// byName resolves var.NAME and local.NAME.
func (l *loader) byName(m *module, root, name string, t hcl.Traversal) (*reference, *hcl.Diagnostic) {
	r := &reference{rng: t.SourceRange()}
	if root == "var" {
		if r.variable = m.vars[name]; r.variable != nil {
			r.node = m.nodes["var."+name] // nil in the root module
			return r, nil
		}
	} else if r.node = m.nodes["local."+name]; r.node != nil {
		return r, nil
	}
	if m.lost.has(root + "." + name) {
		return nil, nil
	}
	if l.problems[hcl.DiagError] >= maxProblems { // it is only counted
		return nil, problem(t.SourceRange(), "Invalid reference", "There is no %s.%s.", root, name)
	}
	what, candidates, other := "variable", m.varNames, m.nodes["local."+name] != nil
	otherText := "local." + name
	if root == "local" {
		what, candidates, other = "local value", func() []string { return m.namesOf("local.") }, m.vars[name] != nil
		otherText = "var." + name
	}
	hint := l.didYouMean(name, candidates)
	if other {
		hint = fmt.Sprintf(" Did you mean %s?", otherText)
	}
	return nil, problem(t.SourceRange(), "Reference to undeclared "+what, "No %s is named %q.%s", what, name, hint)
}

// byAddr resolves a reference to a declaration.
func (l *loader) byAddr(m *module, addr Addr, t hcl.Traversal) (*reference, *hcl.Diagnostic) {
	if n := m.nodes[addr.String()]; n != nil {
		return &reference{node: n, rng: t.SourceRange()}, nil
	}
	if m.lost.has(addr.String()) {
		return nil, nil
	}
	return nil, l.undeclared(m, addr, t[:3].SourceRange())
}

// namesOf returns the names that are declared with a first word, sorted.
func (m *module) namesOf(word string) []string {
	var names []string
	for _, key := range m.keysSorted() {
		if name, ok := strings.CutPrefix(key, word); ok {
			names = append(names, name)
		}
	}
	return names
}

// stepName returns the name at position i of a traversal, written .name or ["name"].
func stepName(t hcl.Traversal, i int) (string, bool) {
	if len(t) <= i {
		return "", false
	}
	switch s := t[i].(type) {
	case hcl.TraverseAttr:
		return s.Name, true
	case hcl.TraverseIndex:
		if s.Key.Type() == cty.String && s.Key.IsKnown() && !s.Key.IsNull() && !s.Key.IsMarked() {
			return s.Key.AsString(), true
		}
	}
	return "", false
}

// traversalText writes a traversal as in the source.
func traversalText(t hcl.Traversal) string {
	var b strings.Builder
	for _, step := range t {
		switch s := step.(type) {
		case hcl.TraverseRoot:
			b.WriteString(s.Name)
		case hcl.TraverseAttr:
			b.WriteString("." + s.Name)
		case hcl.TraverseIndex:
			b.WriteString(pathText(cty.Path{cty.IndexStep{Key: s.Key}}))
		case hcl.TraverseSplat:
			b.WriteString("[*]")
		}
	}
	return b.String()
}

// target reads the expression of a reference attribute that names a declaration and nothing else.
func (l *loader) target(expr hcl.Expression) (hcl.Traversal, bool) {
	t, diags := hcl.AbsTraversalForExpr(expr)
	if !diags.HasErrors() {
		return t, true
	}
	// JSON has strings only: "${server.x.y}" is what server.x.y is in the native syntax.
	vars := expr.Variables()
	if _, native := expr.(hclsyntax.Node); native || len(vars) != 1 {
		return nil, false
	}
	src := l.files[expr.Range().Filename].text
	if !expr.Range().CanSliceBytes(src) {
		return nil, false
	}
	text := strings.Trim(string(expr.Range().SliceBytes(src)), `"`)
	inner := strings.TrimSuffix(strings.TrimPrefix(text, "${"), "}")
	if strings.TrimSpace(inner) != traversalText(vars[0]) {
		return nil, false
	}
	return vars[0], true
}

// resolveTarget checks a reference attribute, and records its target if it names a declaration. Other expressions may
// return a declaration too, such as var.server, each.value or server.TYPE.NAME[each.key].
func (l *loader) resolveTarget(n *node, attr *hcl.Attribute, want *Ref, names names) {
	rng := attr.Expr.Range()
	l.bad[attr] = true        // until the checks have passed
	written := cty.DynamicVal // unknown, because it refers to something
	if _, name := attr.Expr.(*hclsyntax.ScopeTraversalExpr); !name {
		if val, diags := l.evaluate(attr.Expr, nil); !diags.HasErrors() {
			written = val
		}
		if written.IsNull() {
			delete(l.bad, attr) // null, as if it were not written
			return
		}
	}
	t, ok := l.target(attr.Expr)
	if !ok && len(attr.Expr.Variables()) > 0 || ok && (names[t.RootName()] || !isKind(t.RootName()) &&
		slices.Contains(append([]string{"each", "self"}, roots...), t.RootName())) {
		delete(l.bad, attr)
		l.resolveExpr(n, attr, names)
		return
	}
	if !ok {
		hint := ""
		if written.Type() == cty.String && written.IsKnown() {
			if _, err := ParseAddr(written.AsString()); err == nil {
				hint = " It stands without quotes: " + written.AsString() + "."
			}
		}
		l.add(problem(rng, "Invalid reference", "The argument %q takes a reference written %s, and nothing else.%s",
			attr.Name, want.form(), hint))
		return
	}
	typeName, ok1 := stepName(t, 1)
	name, ok2 := stepName(t, 2)
	k, keyed := key(t, 3)
	if !isKind(t.RootName()) || len(t) != 3 && (len(t) != 4 || !keyed) || !ok1 || !ok2 {
		hint := ""
		if meant := Nearest(t.RootName(), roots); isKind(meant) && !isKind(t.RootName()) {
			hint = fmt.Sprintf(" Did you mean %q?", l.meantText(n.mod, t, meant))
		} else if isKind(t.RootName()) && ok1 && ok2 {
			hint = n.mod.instanceHint(Addr{Kind: Kind(t.RootName()), Type: typeName, Name: name})
		}
		l.add(problem(rng, "Invalid reference", "The argument %q takes a reference written %s, and %q is not one.%s",
			attr.Name, want.form(), traversalText(t), hint))
		return
	}
	addr := Addr{Kind: Kind(t.RootName()), Type: typeName, Name: name}
	to := n.mod.nodes[addr.String()]
	if !l.fits(n.mod, attr, want, addr, to, t) {
		return
	}
	if to != nil && to.decl.shape != nil && (to.decl.meta.forEach != nil) != keyed {
		l.add(l.keyProblem(rng, addr, keyed))
		return
	}
	delete(l.bad, attr)
	l.targets[attr] = target{node: to, addr: addr, key: k, keyed: keyed, rng: rng}
	if to != nil {
		n.need(to, rng)
	}
}

// fits reports whether a reference attribute may name a declaration, and adds a diagnostic if not.
func (l *loader) fits(m *module, attr *hcl.Attribute, want *Ref, addr Addr, n *node, t hcl.Traversal) bool {
	fits := addr.Kind == want.Kind && (want.Type == "" || addr.Type == want.Type)
	switch {
	case n == nil && (l.opts.Catalog.Lookup(addr.Kind, addr.Type) == nil || fits && !want.MayBeGone):
		if !m.lost.has(addr.String()) {
			l.add(l.undeclared(m, addr, t.SourceRange()))
		}
		return false
	case !fits && n != nil && n.decl.shape == nil && Nearest(addr.Type, []string{want.Type}) != "":
		return false // its type is misspelt, which is reported at the declaration
	case !fits:
		l.add(l.misfit(attr, want, addr))
		return false
	}
	return true
}

// form returns the syntax of a reference.
func (want *Ref) form() string {
	if want.Type == "" {
		return string(want.Kind) + ".TYPE.NAME"
	}
	return string(want.Kind) + "." + want.Type + ".NAME"
}

func (l *loader) misfit(attr *hcl.Attribute, want *Ref, addr Addr) *hcl.Diagnostic {
	return problem(attr.Expr.Range(), "Invalid reference", "The argument %q takes a reference written %s; %s is a %s "+
		"of type %q.",
		attr.Name, want.form(), addr, addr.Kind, addr.Type)
}

func (l *loader) keyProblem(rng hcl.Range, addr Addr, keyed bool) *hcl.Diagnostic {
	if keyed {
		return problem(rng, "Invalid reference", "%s has no for_each, so that there is only one: leave out the key.", addr)
	}
	return problem(rng, "Invalid reference", "%s has a for_each, so that there may be many: name one, as in "+
		"%s[\"KEY\"] or "+
		"%s[each.key].", addr, addr, addr)
}

// refer evaluates a reference attribute to the address of the declaration that it names.
func (l *loader) refer(a *Attribute, attr *hcl.Attribute, f frame) cty.Value {
	t, static := l.targets[attr]
	if !static {
		return l.referTo(a, attr, f)
	}
	addr := t.addr
	if addr.Module = f.in.addr; t.keyed {
		addr.Index = indexText(t.key)
	}
	found := func(r *Resource) cty.Value { return l.found(a, r, attr.Expr.Range(), f) }
	if t.node == nil {
		return found(&Resource{Addr: addr})
	}
	if r := l.made[addr]; r != nil {
		return found(r)
	}
	switch {
	case t.node.decl.shape == nil || t.node.decl.meta.unknown || t.node.broken:
		return cty.UnknownVal(cty.String)
	case a.Ref.MayBeGone:
		return found(&Resource{Addr: addr})
	}
	what := "it is not enabled"
	if t.keyed {
		what = "its for_each has no such key, or it is not enabled"
	}
	l.add(problem(attr.Expr.Range(), "Reference to a missing declaration", "There is no %s: %s.", addr, what))
	return cty.UnknownVal(cty.String)
}

// found records a reference to a declaration, and returns its address. A declaration that was removed from the files
// has no type.
func (l *loader) found(a *Attribute, r *Resource, rng hcl.Range, f frame) cty.Value {
	if f.res != nil {
		if r.Type != nil {
			f.res.refers(r)
		}
		if a.Ref.Owns {
			f.res.owns = append(f.res.owns, owned{addr: r.Addr, rng: rng})
		}
	}
	return cty.StringVal(r.Addr.String())
}

// owned is a declaration that another one carries out.
type owned struct {
	addr Addr
	rng  hcl.Range
}

// referTo evaluates a reference attribute whose expression returns a declaration.
func (l *loader) referTo(a *Attribute, attr *hcl.Attribute, f frame) cty.Value {
	unknown := cty.UnknownVal(cty.String)
	ctx := l.context(attr.Expr, f)
	val, diags := l.value(attr.Expr, ctx)
	l.add(diags...)
	if diags.HasErrors() {
		return unknown
	}
	switch { // a declaration that holds a secret is not marked itself: a mark here means that a secret selected it
	case val.IsMarked():
		l.add(l.inContext(problem(attr.Expr.Range(), "Sensitive reference", "What the argument %q refers to depends on a "+
			"sensitive value, and addresses are shown. Choose it by a value that is not sensitive.", attr.Name),
			attr.Expr, ctx))
		return unknown
	case val.IsNull():
		return cty.NullVal(cty.String)
	case !val.IsKnown():
		return unknown
	}
	var r *Resource
	if val.Type().IsObjectType() && val.Type().HasAttribute("address") {
		if addr, err := ParseAddr(Text(val.GetAttr("address"))); err == nil {
			r = l.made[addr]
		}
	}
	switch {
	case r == nil:
		l.add(l.inContext(problem(attr.Expr.Range(), "Invalid reference",
			"The argument %q takes a reference written %s, or a value that is one, such as a variable that is given one.%s",
			attr.Name, a.Ref.form(), noReferenceHint(val)), attr.Expr, ctx))
		return unknown
	case r.Addr.Kind != a.Ref.Kind || a.Ref.Type != "" && r.Addr.Type != a.Ref.Type:
		l.add(l.inContext(l.misfit(attr, a.Ref, r.Addr), attr.Expr, ctx))
		return unknown
	}
	return l.found(a, r, attr.Expr.Range(), f)
}
