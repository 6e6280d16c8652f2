package schema

import (
	"iter"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// Move says that the declarations at one address have a new address: a declaration, one instance of it, or a module
// with everything in it.
type Move struct {
	From, To string
	Range    hcl.Range
}

// WhereMoved returns a function that maps an address to the current one, after all moves.
func (c *Config) WhereMoved() func(addr string) string { return newMover(c.Moves).to }

// mover follows moves.
type mover struct {
	moves  []Move
	byFrom map[string][]int
	ends   map[string]string // results for addresses already followed
}

func newMover(moves []Move) *mover {
	m := &mover{moves: moves, byFrom: map[string][]int{}, ends: map[string]string{}}
	for i := range moves {
		m.byFrom[moves[i].From] = append(m.byFrom[moves[i].From], i)
	}
	return m
}

// to follows moves from an address, each at most once, so that cyclic moves end.
func (m *mover) to(addr string) string {
	used, passed := map[int]bool{}, []string{}
	for {
		if end, known := m.ends[addr]; known {
			addr = end
			break
		}
		first, next := -1, ""
		for outer := range outers(addr) {
			for _, i := range m.byFrom[outer] {
				if to, ok := m.moves[i].of(addr); ok && !used[i] && (first < 0 || i < first) {
					first, next = i, to
				}
			}
		}
		if first < 0 {
			break
		}
		used[first] = true
		passed = append(passed, addr)
		addr = next
	}
	for _, on := range passed {
		m.ends[on] = addr
	}
	return addr
}

// of returns where a move leads from an address, or false if it is about something else. A move that adds a key
// applies only to the address without a key.
func (m Move) of(addr string) (string, bool) {
	rest, ok := within(addr, m.From)
	if !ok || strings.HasSuffix(m.To, "]") && strings.HasPrefix(rest, "[") {
		return "", false
	}
	return m.To + rest, true
}

// WhatRemoved returns a function that reports whether a removed block is about an address.
func (c *Config) WhatRemoved() func(addr string) bool {
	removed := map[string]bool{}
	for _, m := range c.Removed {
		removed[m.From] = true
	}
	return func(addr string) bool {
		for outer := range outers(addr) {
			if removed[outer] {
				return true
			}
		}
		return false
	}
}

// outers iterates over everything that contains an address: itself, the declaration that it is an instance of, and the
// modules around it; each with the rest of the address.
func outers(addr string) iter.Seq2[string, string] {
	inModule := strings.HasPrefix(addr, "module.")
	return func(yield func(string, string) bool) {
		for i := range addr {
			if i > 0 && (addr[i] == '[' || addr[i] == '.' && inModule) && !yield(addr[:i], addr[i:]) {
				return
			}
		}
		yield(addr, "")
	}
}

// within reports whether an address is outer, one of its instances, or inside of it, and returns the rest of the
// address.
func within(addr, outer string) (string, bool) {
	rest, ok := strings.CutPrefix(addr, outer)
	return rest, ok && (rest == "" || rest[0] == '[' || rest[0] == '.' && strings.HasPrefix(outer, "module."))
}

// collectMoved reads a moved or a removed block.
func (l *loader) collectMoved(m *module, b *hcl.Block) {
	if m != l.root && b.Type == "removed" {
		l.add(problem(b.DefRange, "Block in a module", "A removed block stands in the folder of the whole configuration, "+
			"not in a module: its address is whole."))
		return
	}
	body := &movedBody
	if b.Type == "removed" {
		body = &removedBody
	}
	content := l.content(b.Body, body.scope("in a "+b.Type+" block"))
	ok := true
	address := func(name string) string {
		attr := content.Attributes[name]
		if attr == nil {
			l.add(problem(b.DefRange, "Missing required argument", "The argument %q is required in a %s block.", name, b.Type))
			ok = false
			return ""
		}
		text := l.address(attr)
		ok = ok && text != ""
		return text
	}
	move := Move{From: address("from"), Range: b.DefRange}
	if b.Type == "moved" {
		move.To = address("to")
	}
	for _, life := range content.Blocks {
		l.keepsObjects(life)
	}
	switch {
	case !ok:
	case b.Type == "removed":
		l.removed = append(l.removed, move)
	case !alike(move.From, move.To):
		l.add(problem(b.DefRange, "Invalid move", "A module moves to a module, and a declaration to one of the same kind "+
			"and type."))
	default:
		l.moved = append(l.moved, movedIn{m, move})
	}
}

// movedIn is a moved block of a module, with addresses relative to that module.
type movedIn struct {
	mod  *module
	move Move
}

// moveWork is the cost of the move of one instance.
const moveWork = 8

// expandMoves makes the addresses of moves absolute: a move in a module becomes one for each of its instances.
func (l *loader) expandMoves() {
	for _, b := range l.moved {
		if b.mod == l.root {
			l.moves = append(l.moves, b.move)
			continue
		}
		if err := l.meter.visit(moveWork * int64(len(b.mod.instances))); err != nil {
			l.add(problem(b.move.Range, "Too many moves", "This block is about each instance of its module: %s.", err))
			return
		}
		for _, in := range b.mod.instances {
			l.moves = append(l.moves, Move{in.addr + "." + b.move.From, in.addr + "." + b.move.To, b.move.Range})
		}
	}
}

// alike reports whether two addresses are both of modules, or of declarations of the same kind and type.
func alike(from, to string) bool {
	a, errA := ParseAddr(from)
	b, errB := ParseAddr(to)
	return (errA == nil) == (errB == nil) && a.Kind == b.Kind && a.Type == b.Type
}

// keepsObjects reads the lifecycle of a removed block: nothing is destroyed because a block is gone.
func (l *loader) keepsObjects(b *hcl.Block) {
	content := l.content(b.Body, keepsBody.scope("in the lifecycle block of a removed block"))
	attr := content.Attributes["destroy"]
	if attr == nil {
		return
	}
	val, ok := l.constant(attr)
	if !ok {
		return
	}
	if val, err := convert.Convert(val, cty.Bool); err != nil || !val.IsKnown() || val.IsNull() || val.True() {
		l.add(problem(attr.Expr.Range(), "Nothing is destroyed by a removed block", "destroy is false here: to have "+
			"something removed "+
			"from its servers, declare that, with steps that a plan shows, such as state = \"removed\" of a sync."))
	}
}

// address reads an argument that is the address of a declaration or module, which need not exist.
func (l *loader) address(attr *hcl.Attribute) string {
	t, ok := l.target(attr.Expr)
	if ok && isModule(t) {
		return moduleText(t, true)
	}
	if ok {
		if a, err := ParseAddr(traversalText(t)); err == nil {
			return a.String()
		}
	}
	l.add(problem(attr.Expr.Range(), "Invalid address", "The argument %q is the address of a declaration or a module, "+
		"such as server.TYPE.NAME[\"KEY\"] or module.NAME, without quotes around it.", attr.Name))
	return ""
}

// checkMoves reports moves that contradict the declarations.
func (l *loader) checkMoves() {
	l.expandMoves()
	if len(l.moves)+len(l.removed) == 0 {
		return
	}
	whole, keyed := map[string]bool{}, map[string]bool{} // addresses around declarations; with keyed instances
	for addr := range l.made {
		for outer, rest := range outers(addr.String()) {
			if strings.HasPrefix(rest, "[") {
				keyed[outer] = true
			} else {
				whole[outer] = true
			}
		}
	}
	seen, wrong := map[string]hcl.Range{}, map[hcl.Range]bool{} // a block in a module is reported once
	report := func(m Move, summary, detail string, args ...any) {
		if !wrong[m.Range] {
			wrong[m.Range] = true
			l.add(problem(m.Range, summary, detail, args...))
		}
	}
	where := newMover(l.moves)
	for _, m := range l.moves {
		was, twice := seen[m.From]
		now := where.to(m.To)
		switch {
		case twice:
			report(m, "Moved twice", "%s was already moved at %s.", m.From, place(was))
		case whole[m.From] || keyed[m.From] && !strings.HasSuffix(m.To, "]"):
			report(m, "Moved and still declared", "%s is declared, so that it cannot have moved to %s.", m.From, m.To)
		case !whole[now] && !keyed[now] && !l.mayDeclare(now):
			report(m, "Moved to what is not declared", "There is no %s, to which %s is said to have moved.", now, m.From)
		}
		seen[m.From] = m.Range
	}
	for _, m := range l.removed {
		if whole[m.From] || keyed[m.From] {
			l.add(problem(m.Range, "Removed and still declared", "%s is declared: take out its block, or the removed block.",
				m.From))
		}
	}
}

// mayDeclare reports whether an address without a resource may still be declared in the files: it is not enabled, its
// instances are unknown, or its files could not be read.
func (l *loader) mayDeclare(addr string) bool {
	t, diags := hclsyntax.ParseTraversalAbs([]byte(addr), "", hcl.InitialPos)
	if diags.HasErrors() {
		return false
	}
	m, open := l.root, false
	for len(t) > 0 {
		length := 3 // KIND.TYPE.NAME
		if strings.TrimPrefix(traversalText(t[:1]), ".") == "module" {
			length = 2
		}
		length = min(length, len(t))
		name, key := strings.TrimPrefix(traversalText(t[:length]), "."), ""
		if t = t[length:]; len(t) > 0 {
			if index, ok := t[0].(hcl.TraverseIndex); ok {
				key, t = indexText(Text(index.Key)), t[1:]
			}
		}
		n := m.nodes[name]
		switch {
		case n == nil:
			return m.lost.has(name)
		case n.broken || n.call != nil && (n.call.failed || n.call.of == nil) || n.decl != nil && n.decl.shape == nil:
			return true
		}
		of := &meta{}
		if n.call != nil {
			m, of = n.call.of, &n.call.meta
		} else if n.decl != nil {
			of = &n.decl.meta
		}
		switch {
		case key == "" && of.forEach != nil && len(t) > 0:
			return false // it is in one of the instances
		case of.unknown || of.off[key] || key == "":
			open = true
		case !open && len(t) == 0:
			return false // it has no such key
		}
	}
	return open
}
