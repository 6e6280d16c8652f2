package schema

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// Move says that what was declared at one address is declared at another now: a declaration, one instance of it, or a
// module with all that is in it.
type Move struct {
	From, To string
	Range    hcl.Range
}

// Moved is the address at which something is declared now, after all moves.
func (c *Config) Moved(addr string) string { return moved(c.Moves, addr, -1) }

// moved follows moves from an address, each once at most, so that two that lead to each other end. One is left out.
func moved(moves []Move, addr string, without int) string {
	used := map[int]bool{without: true}
	for i := 0; i < len(moves); i++ {
		if to, ok := moves[i].of(addr); ok && !used[i] {
			addr, used[i], i = to, true, -1 // from the first again
		}
	}
	return addr
}

// of is where a move leads from an address; false where it is about something else. What had no key and gets one is
// that alone, and not what has keys already.
func (m Move) of(addr string) (string, bool) {
	rest, ok := within(addr, m.From)
	if !ok || strings.HasSuffix(m.To, "]") && strings.HasPrefix(rest, "[") {
		return "", false
	}
	return m.To + rest, true
}

// IsRemoved says whether a removed block is about an address.
func (c *Config) IsRemoved(addr string) bool {
	for _, m := range c.Removed {
		if _, ok := within(addr, m.From); ok {
			return true
		}
	}
	return false
}

// within tells whether an address is another one, one of its instances, or in it, and what follows there.
func within(addr, outer string) (string, bool) {
	rest, ok := strings.CutPrefix(addr, outer)
	return rest, ok && (rest == "" || rest[0] == '[' || rest[0] == '.' && strings.HasPrefix(outer, "module."))
}

// collectMoved takes in a moved or a removed block.
func (l *loader) collectMoved(m *module, b *hcl.Block) {
	if m != l.root {
		l.add(problem(b.DefRange, "Block in a module", "A %s block stands in the folder of the whole configuration, not "+
			"in a module: "+
			"its addresses are whole.", b.Type))
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
		l.moves = append(l.moves, move)
	}
}

// alike says whether two addresses are both of modules, or of declarations of one kind and type.
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

// address reads an argument that is the address of a declaration or module, which need not be there.
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
		"such as "+
		"server.TYPE.NAME[\"KEY\"] or module.NAME.", attr.Name))
	return ""
}

// checkMoves reports moves that do not fit what is declared.
func (l *loader) checkMoves() {
	if len(l.moves)+len(l.removed) == 0 {
		return
	}
	var all []string
	for addr := range l.made {
		all = append(all, addr.String())
	}
	declared := func(outer string) bool {
		return slices.ContainsFunc(all, func(addr string) bool { _, ok := within(addr, outer); return ok })
	}
	seen := map[string]hcl.Range{}
	for i, m := range l.moves {
		switch was, twice := seen[m.From]; {
		case twice:
			l.add(problem(m.Range, "Moved twice", "%s was already moved at %s.", m.From, place(was)))
		case slices.ContainsFunc(all, func(addr string) bool { _, ok := m.of(addr); return ok }):
			l.add(problem(m.Range, "Moved and still declared", "%s is declared, so that it cannot have moved to %s.", m.From,
				m.To))
		case !declared(moved(l.moves, m.To, i)) && !l.root.lost.everything:
			l.add(problem(m.Range, "Moved to what is not declared", "There is no %s, to which %s is said to have moved.",
				moved(l.moves, m.To, i), m.From))
		}
		seen[m.From] = m.Range
	}
	for _, m := range l.removed {
		if declared(m.From) {
			l.add(problem(m.Range, "Removed and still declared", "%s is declared: take out its block, or the removed block.",
				m.From))
		}
	}
}
