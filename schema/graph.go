package schema

import (
	"cmp"
	"container/heap"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// names are the names that an expression may begin with in addition to those of the language.
type names map[string]bool

func (s names) with(name string) names {
	out := names{name: true}
	for n := range s {
		out[n] = true
	}
	return out
}

// resolve finds the references of every node, and reports missing targets.
func (l *loader) resolve() {
	slices.SortFunc(l.nodes, func(a, b *node) int { return cmp.Compare(a.mod.full(a.key), b.mod.full(b.key)) })
	for _, n := range l.nodes {
		l.resolveNode(n)
	}
	for _, m := range l.modules {
		slices.SortFunc(m.outputs, func(a, b *node) int { return cmp.Compare(a.key, b.key) })
	}
	for _, s := range l.setBlock {
		l.resolveShape(&node{mod: l.root}, s, nil) // it is evaluated last, so its needs do not matter
	}
	l.resolveImports()
	l.resolveRules()
}

func (l *loader) resolveNode(n *node) {
	if n.mod.call != nil {
		n.need(n.mod.call.node, n.mod.call.rng)
	}
	switch {
	case n.local != nil:
		l.resolveExpr(n, n.local, nil)
	case n.input != nil:
		l.resolveInput(n)
	case n.output != nil:
		if n.output.value != nil {
			l.resolveExpr(n, n.output.value, nil)
		}
		l.resolveDependsOn(n, n.output.dependsOn)
	case n.call != nil:
		l.resolveMeta(n, &n.call.meta, n.mod)
		n.call.depends = l.resolveDependsOn(n, n.call.meta.dependsOn)
	case n.defaults != nil:
		l.resolveShape(n, n.defaults.shape, nil)
	case n.decl != nil:
		l.resolveDeclaration(n)
	}
}

func (l *loader) resolveDeclaration(n *node) {
	d := n.decl
	if d.shape == nil {
		n.broken = true
		return
	}
	before := len(l.diags)
	l.resolveMeta(n, &d.meta, n.mod)
	names := d.meta.names()
	l.resolveShape(n, d.shape, names)
	if d.site != nil {
		l.resolveExpr(n, d.site, names)
		l.useIn(forAll(n), n.mod, d.site, names)
	} else if attr := d.shape.attrs[siteArgument.Name]; attr != nil && hasSite(d.addr.Kind) {
		l.useIn(forAll(n), n.mod, attr, names)
	}
	if d.life.preventDestroy != nil {
		l.resolveExpr(n, d.life.preventDestroy, names)
	}
	for _, b := range d.life.ignoreDrift {
		for _, name := range slices.Sorted(maps.Keys(b.attrs)) {
			l.resolveExpr(n, b.attrs[name], names)
		}
	}
	for _, given := range n.mod.defaultsOf(d.addr.Kind, d.addr.Type) {
		n.need(given, given.rng)
		l.use(n, given)
	}
	d.depends = l.resolveDependsOn(n, d.meta.dependsOn)
	for at := n.mod; at.call != nil; at = at.parent { // everything in a module waits for whatever the module waits for
		d.depends = append(d.depends, at.call.depends...)
		n.needTargets(at.call.depends)
	}
	l.blame(d, d.addr, before)
}

// resolveMeta follows the references of for_each and enabled.
func (l *loader) resolveMeta(n *node, m *meta, in *module) {
	if m.forEach != nil {
		l.resolveExprIn(n, in, m.forEach, nil)
		l.useIn(forAll(n), in, m.forEach, nil)
	}
	if m.enabled != nil {
		l.resolveExprIn(n, in, m.enabled, m.names())
		l.useIn(forAll(n), in, m.enabled, m.names())
	}
}

// resolveInput follows the references in the value that a module block sets for a variable.
func (l *loader) resolveInput(n *node) {
	c := n.mod.call
	if attr := c.inputs[n.input.name]; attr != nil {
		l.resolveExprIn(n, c.in, attr, c.meta.names())
	}
}

func (l *loader) resolveShape(n *node, s *shaped, names names) {
	for i := range s.grammar.Attributes {
		a := &s.grammar.Attributes[i]
		attr := s.attrs[a.Name]
		switch {
		case attr == nil:
		case a.Ref != nil:
			l.resolveTarget(n, attr, a.Ref, names)
		default:
			l.resolveExpr(n, attr, names)
		}
	}
	for _, b := range s.grammar.Blocks {
		for _, blk := range s.blocks[b.Name] {
			inner := names
			if d := blk.dynamic; d != nil {
				l.resolveExpr(n, d.forEach, names)
				inner = names.with(d.iterator)
				if d.labels != nil {
					l.resolveExpr(n, d.labels, inner)
				}
			}
			l.resolveShape(n, blk.shaped, inner)
		}
	}
}

// resolveExpr follows the references in an ordinary expression.
func (l *loader) resolveExpr(n *node, attr *hcl.Attribute, names names) {
	l.resolveExprIn(n, n.mod, attr, names)
}

// resolveExprIn is like resolveExpr, for an expression that is in another module than the node.
func (l *loader) resolveExprIn(n *node, in *module, attr *hcl.Attribute, names names) {
	for _, t := range variables(attr.Expr) {
		if names[t.RootName()] {
			continue
		}
		r, d := l.reference(in, t, names)
		if d != nil {
			l.add(d)
		}
		switch {
		case r == nil:
			l.bad[attr] = true
		case r.node != nil && r.node.call != nil:
			n.needModule(r)
		case r.node != nil:
			n.need(r.node, r.rng)
		}
	}
	l.useIn(n, in, attr, names)
}

// useIn records which values a node uses in an expression.
func (l *loader) useIn(n *node, in *module, attr *hcl.Attribute, names names) {
	if len(l.sites) == 0 {
		return
	}
	for _, t := range attr.Expr.Variables() {
		if names[t.RootName()] {
			continue
		}
		r, _ := l.reference(in, t, names)
		switch {
		case r == nil:
		case r.variable != nil && r.node == nil:
			l.use(n, r.variable)
		case r.node != nil && r.node.call != nil && r.node.call.of != nil:
			for _, o := range r.node.call.of.outputs {
				l.use(n, o)
			}
		case r.node != nil:
			l.use(n, r.node)
		}
	}
}

// needModule records a reference to a module: to the output that it names, or to all outputs.
func (n *node) needModule(r *reference) {
	c := r.node.call
	n.need(r.node, r.rng)
	if c.of == nil {
		return
	}
	for _, o := range c.of.outputs {
		if r.output == "" || r.output == o.output.name {
			n.need(o, r.rng)
		}
	}
}

// inside reports whether an instance of a module is another one or is nested in it.
func (i *instance) inside(outer *instance) bool {
	for at := i; at != nil; at = at.parent {
		if at == outer {
			return true
		}
	}
	return false
}

// name returns the key, made unique in the whole configuration.
func (n *node) name() string { return n.mod.full(n.key) }

// need records a reference, once for each target.
func (n *node) need(to *node, rng hcl.Range) {
	if n.needed[to] {
		return
	}
	if n.needed == nil {
		n.needed = map[*node]bool{}
	}
	n.needed[to] = true
	n.needs = append(n.needs, edge{to: to, rng: rng})
}

// order returns all nodes, each after its dependencies. Among nodes that are ready, local values come first, then
// declarations by address. Cycles are reported, and their nodes are marked broken.
func (l *loader) order() []*node {
	group := l.cycles()
	waiting := map[*node]int{}
	users := map[*node][]*node{}
	ready := &nodeHeap{}
	for _, n := range l.nodes {
		n.needed = nil // all needs are known
		for _, e := range n.needs {
			if group[e.to] == group[n] { // inside a cycle there is no order
				continue
			}
			waiting[n]++
			users[e.to] = append(users[e.to], n)
		}
		if waiting[n] == 0 {
			heap.Push(ready, n)
		}
	}
	var out []*node
	for ready.Len() > 0 {
		n := heap.Pop(ready).(*node)
		out = append(out, n)
		for _, u := range users[n] {
			if waiting[u]--; waiting[u] == 0 {
				heap.Push(ready, u)
			}
		}
	}
	return out
}

// cycles numbers the strongly connected components (Tarjan) and reports one cycle for each component that has any.
func (l *loader) cycles() map[*node]int {
	group, index, low := map[*node]int{}, map[*node]int{}, map[*node]int{}
	var stack []*node
	onStack := map[*node]bool{}
	groups := 0
	var visit func(n *node)
	visit = func(n *node) {
		index[n] = len(index) + 1
		low[n] = index[n]
		stack = append(stack, n)
		onStack[n] = true
		for _, e := range n.needs {
			if index[e.to] == 0 {
				visit(e.to)
				low[n] = min(low[n], low[e.to])
			} else if onStack[e.to] {
				low[n] = min(low[n], index[e.to])
			}
		}
		if low[n] != index[n] {
			return
		}
		groups++
		var members []*node
		for {
			m := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			onStack[m] = false
			group[m] = groups
			members = append(members, m)
			if m == n {
				break
			}
		}
		l.reportCycle(members)
	}
	for _, n := range l.nodes {
		if index[n] == 0 {
			visit(n)
		}
	}
	return group
}

// mostOfCycle is the maximum number of references of a cycle that are named. A generated file may have thousands.
const mostOfCycle = 50

// reportCycle reports the shortest cycle through the first member, with the first of its nodes.
func (l *loader) reportCycle(members []*node) {
	inside := map[*node]bool{}
	for _, m := range members {
		inside[m] = true
	}
	sort.Slice(members, func(i, j int) bool { return members[i].name() < members[j].name() })
	way := shortestWay(members[0], inside)
	if way == nil {
		return // a single node that does not refer to itself
	}
	for _, m := range members {
		m.broken = true
	}
	names := []string{members[0].name()}
	var lines []string
	from := members[0]
	for i, e := range way {
		if i == mostOfCycle {
			names = append(names, fmt.Sprintf("… and %d more", len(way)-i))
			break
		}
		names = append(names, e.to.name())
		lines = append(lines, fmt.Sprintf("  %s refers to %s at %s", from.name(), e.to.name(), place(e.rng)))
		from = e.to
	}
	d := problem(way[0].rng, "Cycle of references",
		"These refer to each other in a cycle, so that none can be evaluated first: %s\n\n%s",
		strings.Join(names, " -> "), strings.Join(lines, "\n"))
	if members[0].decl != nil {
		d = WithAddr(d, members[0].decl.addr)
	}
	for _, m := range members {
		if m.decl != nil {
			m.decl.failed = true
		}
	}
	l.add(d)
}

// shortestWay finds, by breadth-first search, the edges that lead from a node back to itself.
func shortestWay(start *node, inside map[*node]bool) []edge {
	type step struct {
		from *node
		by   edge
	}
	came := map[*node]step{}
	queue := []*node{start}
	for len(queue) > 0 {
		n := queue[0]
		queue = queue[1:]
		for _, e := range n.needs {
			if !inside[e.to] {
				continue
			}
			if _, seen := came[e.to]; seen {
				continue
			}
			came[e.to] = step{from: n, by: e}
			if e.to == start {
				var way []edge
				for at := start; ; {
					s := came[at]
					way = append(way, s.by)
					if at = s.from; at == start {
						slices.Reverse(way)
						return way
					}
				}
			}
			queue = append(queue, e.to)
		}
	}
	return nil
}

// nodeHeap yields declarations last, by address.
type nodeHeap []*node

func (h nodeHeap) Len() int { return len(h) }
func (h nodeHeap) Less(i, j int) bool {
	if (h[i].decl == nil) != (h[j].decl == nil) {
		return h[i].decl == nil
	}
	return h[i].name() < h[j].name()
}
func (h nodeHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *nodeHeap) Push(x any)   { *h = append(*h, x.(*node)) }
func (h *nodeHeap) Pop() any {
	old := *h
	n := old[len(old)-1]
	*h = old[:len(old)-1]
	return n
}
