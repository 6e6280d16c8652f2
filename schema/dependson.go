package schema

import (
	"cmp"
	"slices"

	"github.com/hashicorp/hcl/v2"
)

// target is a declaration or module that a reference names statically.
type target struct {
	node  *node // nil: the declaration may have been removed from the files
	addr  Addr  // without the module's keys
	key   string
	keyed bool
	rng   hcl.Range
}

// resolveDependsOn reads the depends_on of a node.
func (l *loader) resolveDependsOn(n *node, attr *hcl.Attribute) []target {
	if attr == nil || l.opts.namesOnly {
		return nil
	}
	exprs, diags := hcl.ExprList(attr.Expr)
	if diags.HasErrors() {
		l.add(problem(attr.Expr.Range(), "Invalid depends_on",
			"depends_on is a list of references, as in [server.TYPE.NAME]."))
		return nil
	}
	var out []target
	for _, expr := range exprs {
		if to, ok := l.dependsOnTarget(n.mod, expr); ok {
			out = append(out, to)
		}
	}
	n.depends = out
	n.needTargets(out)
	return out
}

// dependsOnTarget reads one element of depends_on: a whole declaration or module, or one instance of it.
func (l *loader) dependsOnTarget(m *module, expr hcl.Expression) (target, bool) {
	whole := 3
	t, ok := l.target(expr)
	if ok && t.RootName() == "module" {
		whole = 2
	}
	to := target{rng: expr.Range()}
	to.key, to.keyed = key(t, whole)
	if !ok || !isKind(t.RootName()) && t.RootName() != "module" || len(t) != whole && (len(t) != whole+1 || !to.keyed) {
		l.add(problem(expr.Range(), "Invalid depends_on",
			"Each element of depends_on is a reference to a whole declaration or module, written KIND.TYPE.NAME or "+
				"module.NAME without quotes around it, with a key in quotes where it means one instance."))
		return to, false
	}
	r, d := l.reference(m, t[:whole], nil)
	if d != nil {
		l.add(d)
	}
	if r == nil {
		return to, false
	}
	to.node = r.node
	if to.keyed && r.node.forEach() == nil && !r.node.unreadable() {
		l.add(problem(expr.Range(), "Invalid reference", "%s has no for_each, so that there is only one: leave out the key.",
			traversalText(t[:whole])))
		return to, false
	}
	return to, true
}

// forEach returns the for_each of a declaration or module, or nil if it has none.
func (n *node) forEach() *hcl.Attribute {
	if m := n.meta(); m != nil {
		return m.forEach
	}
	return nil
}

// meta returns the meta-arguments of a declaration or module, or nil for other nodes.
func (n *node) meta() *meta {
	switch {
	case n.decl != nil:
		return &n.decl.meta
	case n.call != nil:
		return &n.call.meta
	}
	return nil
}

// unreadable reports whether the contents of a declaration or module are unknown.
func (n *node) unreadable() bool {
	return n.broken || n.decl != nil && n.decl.shape == nil || n.call != nil && n.call.of == nil
}

// checkDependsOn reports instances in depends_on that do not exist.
func (l *loader) checkDependsOn() {
	for _, n := range l.nodes {
		before := len(l.diags)
		for _, t := range n.depends {
			if m := t.node.meta(); !t.keyed || t.node.unreadable() || m.unknown || m.off[indexText(t.key)] {
				continue
			}
			for _, in := range n.mod.instances {
				if !t.exists(in) {
					l.add(problem(t.rng, "Reference to a missing declaration", "There is no %s[%q]: its for_each has no such key.",
						t.node.key, t.key))
					break
				}
			}
		}
		if n.decl != nil {
			l.blame(n.decl, n.decl.addr, before)
		}
	}
}

// exists reports whether the instance that a target names exists, as seen from the module instance in which the target
// is written.
func (t target) exists(in *instance) bool {
	if t.node.call != nil {
		return len(t.from(in)) > 0
	}
	for _, r := range t.node.decl.within(in, t.node.mod) {
		if r.Addr.Index == indexText(t.key) {
			return true
		}
	}
	return false
}

// from returns the module instances in which to look for a target's declarations: the one in which the target is
// written, or those of the module that it names by key.
func (t target) from(in *instance) []*instance {
	if t.node.call == nil || !t.keyed {
		return []*instance{in}
	}
	if made := in.keyed[t.node.call][t.key]; made != nil {
		return []*instance{made}
	}
	return nil
}

func (n *node) needTargets(targets []target) {
	for _, t := range targets {
		for _, inner := range t.node.within() {
			n.need(inner, t.rng)
		}
	}
}

// within returns the nodes to evaluate so that everything that a node declares is evaluated: the node itself, or also
// all declarations of its module.
func (n *node) within() []*node {
	out := []*node{n}
	if n.call == nil || n.call.of == nil {
		return out
	}
	for _, key := range n.call.of.keysSorted() {
		if inner := n.call.of.nodes[key]; inner.decl != nil || inner.call != nil {
			out = append(out, inner.within()...)
		}
	}
	return out
}

// dependsOn returns the addresses of what a declaration names in depends_on, sorted.
func (l *loader) dependsOn(d *decl, in *instance) []Addr {
	if len(d.depends) == 0 {
		return nil
	}
	if out, ok := d.waits[in]; ok { // all instances of the declaration wait for the same
		return out
	}
	var out []Addr
	for _, t := range d.depends {
		at := in
		for at.of != t.node.mod {
			at = at.parent
		}
		for _, from := range t.from(at) {
			for _, n := range t.node.within() {
				if n.decl == nil {
					continue
				}
				for _, r := range n.decl.within(from, from.of) {
					if !t.keyed || t.node.call != nil || r.Addr.Index == indexText(t.key) {
						out = append(out, r.Addr)
					}
				}
			}
		}
	}
	slices.SortFunc(out, func(a, b Addr) int { return cmp.Compare(a.String(), b.String()) })
	out = slices.Compact(out)
	if d.waits == nil {
		d.waits = map[*instance][]Addr{}
	}
	d.waits[in] = slices.Clip(out)
	return d.waits[in]
}

// within returns the resources of a declaration inside of one instance of module of: in itself, or its ancestor that
// is an instance of it.
func (d *decl) within(in *instance, of *module) []*Resource {
	for in != nil && in.of != of {
		in = in.parent
	}
	if in == nil || len(d.made) == 0 {
		return nil
	}
	if d.mod == of {
		if in.index >= len(d.made) { // part of a cycle, which is reported
			return nil
		}
		return d.made[in.index]
	}
	var out []*Resource
	for i, made := range d.made {
		if d.mod.instances[i].inside(in) {
			out = append(out, made...)
		}
	}
	return out
}
