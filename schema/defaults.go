package schema

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// defaults are the arguments that all declarations of a type share in a module and the modules inside of it, unless a
// declaration overrides them. Arguments are overridden one by one, blocks as a whole.
type defaults struct {
	kind  Kind
	typ   *Type
	shape *shaped
	given [][]*givenDefault // by the index of the module's instance, in the order of the grammar
}

// givenDefault is one argument or block of defaults, evaluated where it is written.
type givenDefault struct {
	name string
	val  cty.Value
	res  *Resource // where the argument is written, and its references
}

func defaultsKey(kind Kind, typeName string) string {
	return "defaults." + string(kind) + "." + typeName
}

func (l *loader) collectDefaults(m *module, b *hcl.Block) {
	kind, typeName := Kind(b.Labels[0]), b.Labels[1]
	if !isKind(b.Labels[0]) {
		l.add(problem(b.LabelRanges[0], "Unknown kind", "There is no kind %q. The kinds are %s.", b.Labels[0],
			quoteList(kindWords(), "and")))
		return
	}
	t := l.opts.Catalog.Lookup(kind, typeName)
	if t == nil {
		l.add(l.unknownType(kind, typeName, b.LabelRanges[1]))
		return
	}
	n := &node{key: defaultsKey(kind, typeName), rng: b.DefRange, defaults: &defaults{kind: kind, typ: t}}
	if !l.declare(m, n, "defaults", b.TypeRange) {
		return
	}
	n.defaults.shape, _ = l.shape(b.Body, &t.Body, b.DefRange,
		spot{name: fmt.Sprintf("defaults %q", kind), label: typeName}, nil)
}

func kindWords() []string {
	words := make([]string, len(Kinds))
	for i, k := range Kinds {
		words[i] = string(k)
	}
	return words
}

// defaultsOf returns the defaults that apply to a declaration of a type in a module, its own module's first.
func (m *module) defaultsOf(kind Kind, typeName string) []*node {
	var out []*node
	for at := m; at != nil; at = at.parent {
		if n := at.nodes[defaultsKey(kind, typeName)]; n != nil {
			out = append(out, n)
		}
	}
	return out
}

// has reports whether an argument or a block is given.
func (d *defaults) has(name string) bool {
	return d.shape.attrs[name] != nil || len(d.shape.blocks[name]) > 0
}

// evaluateDefaults evaluates the given defaults in one instance of the module.
func (l *loader) evaluateDefaults(n *node, in *instance) {
	d := n.defaults
	var given []*givenDefault
	add := func(name string, evaluate func(frame) cty.Value) {
		res := &Resource{}
		given = append(given, &givenDefault{name: name, res: res, val: evaluate(frame{in: in, res: res})})
	}
	for i := range d.shape.grammar.Attributes {
		a := &d.shape.grammar.Attributes[i]
		if attr := d.shape.attrs[a.Name]; attr != nil {
			add(a.Name, func(f frame) cty.Value {
				f.res.writes(a.Name, attr.Range)
				return l.argument(a, attr, d.shape, f, false)
			})
		}
	}
	for i := range d.shape.grammar.Blocks {
		b := &d.shape.grammar.Blocks[i]
		if found := d.shape.blocks[b.Name]; len(found) > 0 {
			add(b.Name, func(f frame) cty.Value { return l.nested(b, found, f, b.Name) })
		}
	}
	d.given = append(d.given, given)
}

// defaulted returns the default for an argument or block that a declaration does not write, if there is one. The
// declaration takes over its references and its position.
func (f frame) defaulted(name string) (cty.Value, bool) {
	if f.res == nil {
		return cty.NilVal, false
	}
	in := f.in
	for ; in != nil; in = in.parent {
		n := in.of.nodes[defaultsKey(f.res.Addr.Kind, f.res.Addr.Type)]
		if n == nil || !n.done || in.index >= len(n.defaults.given) {
			continue
		}
		for _, g := range n.defaults.given[in.index] {
			if g.name != name || g.val.IsNull() {
				continue
			}
			for _, to := range g.res.Refs {
				f.res.refers(to)
			}
			f.res.owns = append(f.res.owns, g.res.owns...)
			if f.res.defaulted == nil {
				f.res.defaulted = map[string]*node{}
			}
			f.res.defaulted[name] = n
			f.res.written = append(f.res.written, g.res.written...)
			return g.val, true
		}
	}
	return cty.NilVal, false
}

// complete reports the required arguments and blocks that neither a declaration nor its defaults give.
func (l *loader) complete() {
	for _, n := range l.nodes {
		if n.decl == nil || n.decl.shape == nil {
			continue
		}
		before := len(l.diags)
		from := n.mod.defaultsOf(n.decl.addr.Kind, n.decl.addr.Type)
		l.requireAll(n.decl.shape, func(name string) bool {
			for _, d := range from {
				if d.defaults.has(name) {
					return true
				}
			}
			return false
		})
		l.blame(n.decl, n.decl.addr, before)
	}
}

// requireAll reports the required parts of a body that are missing.
func (l *loader) requireAll(s *shaped, elsewhere func(name string) bool) {
	for i := range s.grammar.Attributes {
		a := &s.grammar.Attributes[i]
		if a.Required && s.attrs[a.Name] == nil && !elsewhere(a.Name) {
			l.add(problem(s.header, "Missing required argument", "The argument %q is required in %s.", a.Name, s.where))
		}
	}
	for i := range s.grammar.Blocks {
		b := &s.grammar.Blocks[i]
		if b.Required && len(s.blocks[b.Name]) == 0 && !elsewhere(b.Name) {
			l.add(problem(s.header, "Missing required block", "A block %q is required in %s.", b.Name,
				s.where))
		}
	}
}
