package schema

import (
	"container/heap"
	"fmt"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// resolve finds what every node refers to, and reports what does not exist.
func (l *loader) resolve() {
	for _, key := range l.nodeKeys() {
		n := l.nodes[key]
		if n.local != nil {
			l.resolveExpr(n, n.local)
			continue
		}
		if n.decl.shape == nil {
			n.broken = true
			continue
		}
		before := len(l.diags)
		l.resolveShape(n, n.decl.shape)
		l.resolveDependsOn(n)
		l.blame(n.decl, before)
	}
	for _, s := range l.setBlock {
		l.resolveShape(&node{}, s) // it is evaluated last, so its needs do not matter
	}
}

func (l *loader) resolveShape(n *node, s *shaped) {
	for i := range s.grammar.Attributes {
		a := &s.grammar.Attributes[i]
		attr := s.attrs[a.Name]
		switch {
		case attr == nil:
		case a.Ref != nil:
			if to := l.resolveTarget(attr, a.Ref); to != nil {
				n.need(to, attr.Expr.Range())
				n.decl.res.Refs[to.decl.res.Addr] = to.decl.res
			}
		default:
			l.resolveExpr(n, attr)
		}
	}
	for _, b := range s.grammar.Blocks {
		for _, blk := range s.blocks[b.Name] {
			l.resolveShape(n, blk.shaped)
		}
	}
}

// resolveExpr follows the references in an ordinary expression.
func (l *loader) resolveExpr(n *node, attr *hcl.Attribute) {
	for _, t := range attr.Expr.Variables() {
		r, d := l.reference(t)
		if d != nil {
			l.add(d)
		}
		if r == nil {
			l.bad[attr] = true
		} else if r.node != nil {
			n.need(r.node, r.rng)
		}
	}
}

func (l *loader) resolveDependsOn(n *node) {
	attr := n.decl.shape.attrs["depends_on"]
	if attr == nil {
		return
	}
	exprs, diags := hcl.ExprList(attr.Expr)
	if diags.HasErrors() {
		l.add(problem(attr.Expr.Range(), "Invalid depends_on",
			"depends_on is a list of references, as in [server.TYPE.NAME]."))
		return
	}
	seen := map[Addr]bool{}
	for _, expr := range exprs {
		t, ok := l.target(expr)
		if !ok || !isKind(t.RootName()) || len(t) != 3 {
			l.add(problem(expr.Range(), "Invalid depends_on",
				"Each element of depends_on is a reference to a declaration, written KIND.TYPE.NAME."))
			continue
		}
		r, d := l.reference(t)
		if d != nil {
			l.add(d)
		}
		if r == nil || seen[r.node.decl.res.Addr] {
			continue
		}
		n.need(r.node, expr.Range())
		addr := r.node.decl.res.Addr
		seen[addr] = true
		n.decl.res.DependsOn = append(n.decl.res.DependsOn, addr)
	}
	sort.Slice(n.decl.res.DependsOn, func(i, j int) bool {
		return n.decl.res.DependsOn[i].String() < n.decl.res.DependsOn[j].String()
	})
}

// need notes a reference, once for each target.
func (n *node) need(to *node, rng hcl.Range) {
	for _, e := range n.needs {
		if e.to == to {
			return
		}
	}
	n.needs = append(n.needs, edge{to: to, rng: rng})
}

// order returns all nodes, each after what it needs; among those that are ready local values come first, then
// declarations by address. Cycles are reported, and their nodes are marked broken.
func (l *loader) order() []*node {
	group := l.cycles()
	waiting := map[*node]int{}
	users := map[*node][]*node{}
	ready := &nodeHeap{}
	for _, key := range l.nodeKeys() {
		n := l.nodes[key]
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

// cycles numbers the strongly connected groups (Tarjan) and reports one cycle for each that has any.
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
	for _, key := range l.nodeKeys() {
		if index[l.nodes[key]] == 0 {
			visit(l.nodes[key])
		}
	}
	return group
}

// reportCycle names the shortest way round from the first member in full.
func (l *loader) reportCycle(members []*node) {
	inside := map[*node]bool{}
	for _, m := range members {
		inside[m] = true
	}
	sort.Slice(members, func(i, j int) bool { return members[i].key < members[j].key })
	way := shortestWay(members[0], inside)
	if way == nil {
		return // a single node that does not refer to itself
	}
	for _, m := range members {
		m.broken = true
	}
	names := []string{members[0].key}
	var lines []string
	from := members[0]
	for _, e := range way {
		names = append(names, e.to.key)
		lines = append(lines, fmt.Sprintf("  %s refers to %s at %s", from.key, e.to.key, place(e.rng)))
		from = e.to
	}
	d := problem(way[0].rng, "Cycle of references",
		"These refer to each other in a cycle, so that none can be evaluated first: %s\n\n%s",
		strings.Join(names, " -> "), strings.Join(lines, "\n"))
	if members[0].decl != nil {
		d = WithAddr(d, members[0].decl.res.Addr)
	}
	for _, m := range members {
		if m.decl != nil {
			m.decl.failed = true
		}
	}
	l.add(d)
}

// shortestWay finds, breadth first, the edges that lead from a node back to itself.
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
					way = append([]edge{s.by}, way...)
					if at = s.from; at == start {
						return way
					}
				}
			}
			queue = append(queue, e.to)
		}
	}
	return nil
}

// nodeHeap yields local values first, then declarations by address.
type nodeHeap []*node

func (h nodeHeap) Len() int { return len(h) }
func (h nodeHeap) Less(i, j int) bool {
	if (h[i].local != nil) != (h[j].local != nil) {
		return h[i].local != nil
	}
	return h[i].key < h[j].key
}
func (h nodeHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *nodeHeap) Push(x any)   { *h = append(*h, x.(*node)) }
func (h *nodeHeap) Pop() any {
	old := *h
	n := old[len(old)-1]
	*h = old[:len(old)-1]
	return n
}
