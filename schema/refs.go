package schema

import (
	"fmt"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// reference is what the beginning of a traversal names.
type reference struct {
	variable *variable
	node     *node // nil for a variable, and for a name that is lost in a broken file
	rng      hcl.Range
	rest     hcl.Traversal
}

// roots are the names an expression may begin with.
var roots = []string{"var", "local", string(Server), string(Keystore), string(Sync), string(Migration)}

// rootWords leads from near words to the right ones where spelling alone would not.
var rootWords = map[string]string{"vars": "var", "variable": "var", "variables": "var", "locals": "local"}

// reference resolves a traversal. Of the diagnostic and the reference at most one is there; neither means that the
// name is lost in a file that could not be read.
func (l *loader) reference(t hcl.Traversal) (*reference, *hcl.Diagnostic) {
	root := t.RootName()
	switch {
	case root == "var" || root == "local":
		name, ok := stepName(t, 1)
		if !ok {
			return nil, problem(t.SourceRange(), "Invalid reference", "%q is not a value by itself: name one, as in %s.NAME.",
				root, root)
		}
		return l.byName(root, name, t)
	case isKind(root):
		typeName, ok1 := stepName(t, 1)
		name, ok2 := stepName(t, 2)
		if !ok1 || !ok2 {
			return nil, problem(t.SourceRange(), "Invalid reference",
				"%q does not name a declaration. A reference is written %s.TYPE.NAME.", traversalText(t), root)
		}
		return l.byAddr(Addr{Kind: Kind(root), Type: typeName, Name: name}, t)
	}
	return nil, problem(t.SourceRange(), "Invalid reference", "%s", l.rootText(t))
}

// rootText says what is wrong with an expression that begins with an unknown name.
func (l *loader) rootText(t hcl.Traversal) string {
	root := t.RootName()
	meant := rootWords[root]
	if meant == "" {
		meant = Nearest(root, roots)
	}
	if len(t) == 1 {
		hint := fmt.Sprintf(" To write a text, put it in quotes: %q.", root)
		if l.nodes["local."+root] != nil {
			hint += fmt.Sprintf(" Did you mean local.%s?", root)
		} else if l.vars[root] != nil {
			hint += fmt.Sprintf(" Did you mean var.%s?", root)
		}
		return fmt.Sprintf("There is nothing named %q here.%s", root, hint)
	}
	if meant != "" {
		return fmt.Sprintf("There is nothing named %q here. Did you mean %q?", root, l.meantText(t, meant))
	}
	return fmt.Sprintf("There is nothing named %q here. A reference begins with %s.", root, quoteList(roots, "or"))
}

// meantText is the whole reference as it was most likely meant, where there is such a declaration; else its first word.
func (l *loader) meantText(t hcl.Traversal, root string) string {
	typeName, ok1 := stepName(t, 1)
	name, ok2 := stepName(t, 2)
	addr := Addr{Kind: Kind(root), Type: typeName, Name: name}
	if !isKind(root) || !ok1 || !ok2 || l.nodes[addr.String()] == nil && !l.lost.names[addr.String()] {
		return root
	}
	return addr.String()
}

// byName resolves var.NAME and local.NAME.
func (l *loader) byName(root, name string, t hcl.Traversal) (*reference, *hcl.Diagnostic) {
	r := &reference{rng: t.SourceRange(), rest: t[2:]}
	if root == "var" {
		if r.variable = l.vars[name]; r.variable != nil {
			return r, nil
		}
	} else if r.node = l.nodes["local."+name]; r.node != nil {
		return r, nil
	}
	if l.lost.has(root + "." + name) {
		return nil, nil
	}
	what, candidates, other := "variable", l.varNames(), l.nodes["local."+name] != nil
	otherText := "local." + name
	if root == "local" {
		what, candidates, other = "local value", l.localNames(), l.vars[name] != nil
		otherText = "var." + name
	}
	hint := didYouMean(name, candidates)
	if other {
		hint = fmt.Sprintf(" Did you mean %s?", otherText)
	}
	return nil, problem(t.SourceRange(), "Reference to undeclared "+what, "No %s is named %q.%s", what, name, hint)
}

// byAddr resolves a reference to a declaration.
func (l *loader) byAddr(addr Addr, t hcl.Traversal) (*reference, *hcl.Diagnostic) {
	if n := l.nodes[addr.String()]; n != nil {
		return &reference{node: n, rng: t.SourceRange(), rest: t[3:]}, nil
	}
	if l.lost.has(addr.String()) {
		return nil, nil
	}
	return nil, l.undeclared(addr, t[:3].SourceRange())
}

func (l *loader) undeclared(addr Addr, rng hcl.Range) *hcl.Diagnostic {
	var all []string
	for _, key := range l.nodeKeys() {
		n := l.nodes[key]
		if n.decl == nil {
			continue
		}
		if a := n.decl.res.Addr; a.Name == addr.Name && a.Kind != addr.Kind && Nearest(addr.String(), []string{key}) == "" &&
			a.Type == addr.Type {
			return problem(rng, "Reference to undeclared declaration", "There is no %s. Did you mean %s?", addr, a)
		}
		all = append(all, key)
	}
	hint := ""
	if meant := Nearest(addr.String(), all); meant != "" {
		hint = fmt.Sprintf(" Did you mean %s?", meant)
	}
	return problem(rng, "Reference to undeclared declaration", "There is no %s.%s", addr, hint)
}

func (l *loader) localNames() []string {
	var names []string
	for _, key := range l.nodeKeys() {
		if name, ok := strings.CutPrefix(key, "local."); ok {
			names = append(names, name)
		}
	}
	return names
}

func (l *loader) nodeKeys() []string {
	keys := make([]string, 0, len(l.nodes))
	for key := range l.nodes {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}

// stepName is the name at one place of a traversal, written .name or ["name"].
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

// traversalText writes a traversal as it stands in the source.
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

// target reads the expression of a reference attribute, which names a declaration and nothing else.
func (l *loader) target(expr hcl.Expression) (hcl.Traversal, bool) {
	t, diags := hcl.AbsTraversalForExpr(expr)
	if !diags.HasErrors() {
		return t, true
	}
	// JSON knows strings only; "${server.x.y}" there is what server.x.y is in the native syntax.
	vars := expr.Variables()
	if _, native := expr.(hclsyntax.Node); native || len(vars) != 1 {
		return nil, false
	}
	file := l.files[expr.Range().Filename]
	if file == nil || !expr.Range().CanSliceBytes(file.Bytes) {
		return nil, false
	}
	text := strings.Trim(string(expr.Range().SliceBytes(file.Bytes)), `"`)
	inner := strings.TrimSuffix(strings.TrimPrefix(text, "${"), "}")
	if strings.TrimSpace(inner) != traversalText(vars[0]) {
		return nil, false
	}
	return vars[0], true
}

// resolveTarget checks a reference attribute and notes what it points at. It returns the node, or nil.
func (l *loader) resolveTarget(attr *hcl.Attribute, want *Ref) *node {
	rng := attr.Expr.Range()
	wanted := string(want.Kind) + "." + want.Type + ".NAME"
	if want.Type == "" {
		wanted = string(want.Kind) + ".TYPE.NAME"
	}
	l.bad[attr] = true // until everything is found right
	if val, diags := l.evaluate(attr.Expr, nil); !diags.HasErrors() && val.IsNull() {
		delete(l.bad, attr) // null, as if it were not written
		return nil
	}
	t, ok := l.target(attr.Expr)
	if !ok {
		l.add(problem(rng, "Invalid reference", "The argument %q takes a reference written %s, and nothing else.",
			attr.Name, wanted))
		return nil
	}
	typeName, ok1 := stepName(t, 1)
	name, ok2 := stepName(t, 2)
	if !isKind(t.RootName()) || len(t) != 3 || !ok1 || !ok2 {
		hint := ""
		if meant := Nearest(t.RootName(), roots); isKind(meant) && !isKind(t.RootName()) {
			hint = fmt.Sprintf(" Did you mean %q?", l.meantText(t, meant))
		}
		l.add(problem(rng, "Invalid reference", "The argument %q takes a reference written %s, and %q is not one.%s",
			attr.Name,
			wanted, traversalText(t), hint))
		return nil
	}
	addr := Addr{Kind: Kind(t.RootName()), Type: typeName, Name: name}
	n := l.nodes[addr.String()]
	fits := addr.Kind == want.Kind && (want.Type == "" || addr.Type == want.Type)
	switch {
	case n == nil && (l.opts.Catalog.Lookup(addr.Kind, addr.Type) == nil || fits && !want.MayBeGone):
		if !l.lost.has(addr.String()) {
			l.add(l.undeclared(addr, t.SourceRange()))
		}
		return nil
	case !fits && n != nil && n.decl.shape == nil && Nearest(addr.Type, []string{want.Type}) != "":
		return nil // its type is misspelt, and that is reported where it is declared
	case !fits:
		l.add(problem(rng, "Invalid reference", "The argument %q takes a reference written %s; %s is a %s of type %q.",
			attr.Name, wanted, addr, addr.Kind, addr.Type))
		return nil
	}
	delete(l.bad, attr)
	l.targets[attr] = addr
	return n
}
