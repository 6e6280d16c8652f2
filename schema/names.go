package schema

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/syncctl/syncctl/lazyregexp"
	"github.com/zclconf/go-cty/cty"
)

// Named is a declaration as Names finds it.
type Named struct {
	Addr  Addr
	Range hcl.Range // the block's header
}

// Names reads what a folder declares, for completion, which must be fast: the addresses and ranges of declarations
// (Config.Named, in place of Resources), and the names of variables, outputs and sites. Nothing else is evaluated, or
// even parsed, unless it decides which declarations there are, such as what a for_each refers to. So most mistakes in
// the files are not found. What they hide is left out, and a declaration whose keys cannot be known has its address
// without a key. Values that are not given are unknown. The Config is never nil.
func Names(ctx context.Context, opts Options) *Config {
	opts.AllowUnset, opts.namesOnly = true, true
	cfg, _ := readWith(ctx, opts, (*loader).loadNames)
	return cfg
}

func (l *loader) loadNames(ctx context.Context) (*Config, hcl.Diagnostics) {
	l.ctx = ctx
	l.collectFolder(l.root)
	var declared []*node
	if l.undecided() {
		for _, m := range l.modules {
			l.collectPlain(m)
		}
		l.readValues(ctx)
		declared, l.nodes = l.resolveNames()
		for _, n := range l.order() {
			l.evaluateNode(n)
			for _, val := range n.vals {
				l.secrets.collect(val)
			}
		}
	} else {
		declared, l.nodes = slices.DeleteFunc(l.nodes, func(n *node) bool { return n.decl == nil }), nil
	}
	var settings Settings
	for _, s := range l.sites {
		settings.Sites = append(settings.Sites, &Site{Name: s.name, Range: s.shape.header})
	}
	slices.SortFunc(settings.Sites, func(a, b *Site) int { return cmp.Compare(a.Name, b.Name) })
	cfg, diags := l.finish(nil, settings)
	room := l.meter.again(ctx)
	room.more = l.read + l.opts.Room.Bytes() // as much as Load may have
	cfg.Named = make([]*Named, 0, len(declared)+len(l.root.plain))
	for _, h := range l.root.plain {
		if room.visit(instanceCost) == nil {
			cfg.Named = append(cfg.Named, &h.Named)
		}
	}
	for _, n := range declared {
		for _, in := range n.mod.instances {
			if room.err == nil {
				cfg.Named = l.named(cfg.Named, n.decl, in, room)
			}
		}
	}
	slices.SortFunc(cfg.Named, compareNamed)
	cfg.Named = slices.CompactFunc(cfg.Named, func(a, b *Named) bool { return a.Addr == b.Addr }) // declared twice
	return cfg, diags
}

// compareNamed orders declarations by what differs most often first.
func compareNamed(a, b *Named) int {
	if c := strings.Compare(a.Addr.Name, b.Addr.Name); c != 0 {
		return c
	}
	if c := strings.Compare(a.Addr.Index, b.Addr.Index); c != 0 {
		return c
	}
	return cmp.Or(strings.Compare(a.Addr.Module, b.Addr.Module), cmp.Compare(a.Addr.Kind, b.Addr.Kind),
		strings.Compare(a.Addr.Type, b.Addr.Type))
}

// undecided reports whether anything must be evaluated to know which declarations there are. If not, nothing refers to
// the plain ones, and no node is made of them.
func (l *loader) undecided() bool {
	undecided := false
	for _, n := range l.nodes {
		if d := n.decl; d != nil {
			d.keys = l.writtenKeys(n)
			undecided = undecided || d.keys == nil && (d.meta.forEach != nil || d.meta.enabled != nil)
		}
		undecided = undecided || n.call != nil
	}
	return undecided
}

// resolveNames returns all declarations, and the nodes whose values decide which instances they have. Only the
// references of the latter are resolved.
func (l *loader) resolveNames() (declared, deciding []*node) {
	slices.SortFunc(l.nodes, func(a, b *node) int { return cmp.Compare(a.mod.full(a.key), b.mod.full(b.key)) })
	needed := map[*node]bool{}
	var open []*node
	need := func(n *node) {
		if !needed[n] {
			needed[n] = true
			open = append(open, n)
		}
	}
	for _, n := range l.nodes {
		switch {
		case n.call != nil:
			need(n)
		case n.decl != nil:
			declared = append(declared, n)
			if n.decl.keys != nil {
				continue
			}
			l.resolveMeta(n, &n.decl.meta, n.mod)
			for _, e := range n.needs {
				need(e.to)
			}
		}
	}
	for len(open) > 0 {
		n := open[len(open)-1]
		open = open[:len(open)-1]
		if n.decl != nil {
			l.readDeclaration(n)
		}
		l.resolveNode(n)
		for _, e := range n.needs {
			need(e.to)
		}
	}
	for _, n := range l.nodes {
		if needed[n] {
			deciding = append(deciding, n)
		}
	}
	return declared, deciding
}

// named appends the instances of a declaration in an instance of its module, without values, as far as there is room.
func (l *loader) named(to []*Named, d *decl, in *instance, room *meter) []*Named {
	unused := make([]Named, max(1, len(d.keys))) // one by one they take longer
	add := func(index string) {
		if room.visit(instanceCost) != nil {
			return
		}
		if len(unused) == 0 {
			unused = make([]Named, 1)
		}
		n := &unused[0]
		unused = unused[1:]
		n.Addr, n.Range = d.addr, d.rng
		n.Addr.Module, n.Addr.Index = in.addr, index
		to = append(to, n)
	}
	switch {
	case d.keys != nil:
		for _, key := range d.keys {
			add(indexText(key))
		}
		return to
	case d.meta.enabled == nil && d.meta.forEach == nil:
		add("")
		return to
	}
	if l.meter.err == nil {
		l.eachKey(&d.meta, frame{in: in}, d.rng, func(index string, _ frame) { add(index) })
	}
	if d.meta.unknown || l.meter.err != nil {
		add("")
	}
	return to
}

// writtenKeys returns the keys of a declaration's for_each if they are all written in the files, and nothing has to be
// evaluated to know them. Sets of thousands of texts take long.
func (l *loader) writtenKeys(n *node) []string {
	if n.decl.meta.forEach == nil || n.decl.meta.enabled != nil {
		return nil
	}
	expr := n.decl.meta.forEach.Expr
	if t, ok := expr.(*hclsyntax.ScopeTraversalExpr); ok && len(t.Traversal) == 2 && t.Traversal.RootName() == "local" {
		if r, _ := l.reference(n.mod, t.Traversal, nil); r != nil && r.node != nil { // Load reports mistakes
			expr = r.node.local.Expr
		}
	}
	var keys []string
	ok := true
	add := func(e hclsyntax.Expression) {
		if text, read := e.(*hclsyntax.LiteralValueExpr); read && text.Val.Type() == cty.String { // by textSet
			keys = append(keys, Text(text.Val))
			return
		}
		if name := hcl.ExprAsKeyword(e); name != "" {
			keys = append(keys, cty.NormalizeString(name))
			return
		}
		text, literal := e.(*hclsyntax.TemplateExpr)
		if !literal || !text.IsStringLiteral() {
			ok = false
			return
		}
		val, diags := text.Value(nil)
		ok = ok && !diags.HasErrors() && val.AsString() != ""
		keys = append(keys, Text(val))
	}
	switch e := expr.(type) {
	case *hclsyntax.ObjectConsExpr:
		for _, item := range e.Items {
			key, wrapped := item.KeyExpr.(*hclsyntax.ObjectConsKeyExpr)
			if !wrapped || key.ForceNonLiteral {
				return nil
			}
			add(key.Wrapped)
		}
	case *hclsyntax.FunctionCallExpr:
		if len(e.Args) != 1 || e.ExpandFinal || e.Name != "toset" {
			return nil
		}
		list, written := e.Args[0].(*hclsyntax.TupleConsExpr)
		if !written {
			return nil
		}
		for _, elem := range list.Exprs {
			if hcl.ExprAsKeyword(elem) != "" {
				return nil // a name, not a text
			}
			add(elem)
		}
	default:
		return nil
	}
	if !ok {
		return nil
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// readDeclaration reads the body of a declaration, of which at most the arguments that decide about its instances have
// been parsed.
func (l *loader) readDeclaration(n *node) {
	d := n.decl
	if d.typ == nil {
		return
	}
	body := d.body
	if body == nil {
		src := d.block.SliceBytes(l.files[d.block.Filename].text)
		whole := l.parsePart(part{src: src, at: d.block.Start}, d.block.Filename)
		if whole == nil || len(whole.Blocks) != 1 {
			return
		}
		body = whole.Blocks[0].Body
	}
	l.shapeDeclaration(n, body)
}

// plainHeader is a declaration in a skimmed file without arguments that decide about its instances.
type plainHeader struct {
	Named     // its address is that in its module
	end   int // of its block
}

// collectPlain makes nodes of what is there once, whatever its arguments are.
func (l *loader) collectPlain(m *module) {
	found := m.plain
	m.plain = nil
	nodes, decls := make([]node, len(found)), make([]decl, len(found)) // one by one they take longer
	names := make(map[string]*node, len(m.nodes)+len(found))
	maps.Copy(names, m.nodes)
	m.nodes, l.nodes = names, slices.Grow(l.nodes, len(found))
	for i, h := range found {
		addr, block := h.Addr, h.Range
		block.End.Byte = h.end
		nodes[i] = node{key: addr.String(), rng: h.Range, decl: &decls[i]}
		addr.Module = m.path
		decls[i] = decl{addr: addr, mod: m, rng: h.Range, block: block, typ: l.opts.Catalog.Lookup(addr.Kind, addr.Type)}
		l.declare(m, &nodes[i], "declaration", h.Range)
	}
}

// skimmedBody returns the blocks of a file without the declarations that have no for_each and are always enabled, which
// it adds to l.plain. Of the others it has only these arguments. It returns nil if the whole file has to be parsed.
func (l *loader) skimmedBody(f *skimmedFile, path string) hcl.Body {
	if !f.ok {
		return nil
	}
	whole := &hclsyntax.Body{SrcRange: hcl.Range{Filename: path, Start: hcl.InitialPos, End: hcl.InitialPos}}
	for _, b := range f.rest {
		if isKind(b.words[0]) || len(b.args) > 0 { // local values
			body := l.decidingArguments(b, path)
			if body == nil {
				return nil
			}
			whole.Blocks = append(whole.Blocks, unparsed(b.words, b.header, body))
			continue
		}
		of := l.parsePart(b.part, path)
		if of == nil {
			return nil
		}
		whole.Blocks = append(whole.Blocks, of.Blocks...)
	}
	for i := range f.plain {
		l.plain = append(l.plain, &f.plain[i])
	}
	l.files[path] = source{text: f.src, parses: true}
	return whole
}

// withoutNames are blocks that declare nothing that others could name.
var withoutNames = []string{"check", "moved", "removed", "import", "syncctl"}

// decidingArguments returns the body of a declaration, or of local values, whose range is that of the block. It returns
// nil if an argument does not parse.
func (l *loader) decidingArguments(b skimmed, path string) *hclsyntax.Body {
	end := b.at
	end.Byte += len(b.src)
	body := &hclsyntax.Body{SrcRange: hcl.Range{Filename: path, Start: b.at, End: end}}
	for _, a := range b.args {
		of := l.parsePart(a, path)
		if of == nil {
			return nil
		}
		if body.Attributes == nil {
			body.Attributes = hclsyntax.Attributes{}
		}
		for name, attr := range of.Attributes {
			if body.Attributes[name] != nil {
				return nil
			}
			body.Attributes[name] = attr
		}
	}
	return body
}

// parsePart parses a part of a file. It returns nil if there is a mistake in it.
func (l *loader) parsePart(p part, path string) *hclsyntax.Body {
	l.signs += signs(p.src)
	if tooDense(l.signs, l.opts.Room, path) != nil {
		return nil
	}
	if set := textSet(p, path); set != nil {
		return set
	}
	file, err := parsePiece(p.src, path, p.at)
	if err != nil {
		return nil
	}
	return file.Body.(*hclsyntax.Body)
}

// unparsed returns a block from its header.
func unparsed(words []string, header hcl.Range, body *hclsyntax.Body) *hclsyntax.Block {
	return &hclsyntax.Block{Type: words[0], Labels: slices.Clone(words[1:]), TypeRange: header,
		LabelRanges: slices.Repeat([]hcl.Range{header}, len(words)-1), Body: body}
}

// declarationLine matches what looks like the first line of a declaration.
var declarationLine = func() *lazyregexp.Regexp {
	var kinds []string
	for _, k := range Kinds {
		kinds = append(kinds, string(k))
	}
	return lazyregexp.New(`(?m)^(` + strings.Join(kinds, "|") + `)[ \t]+"([A-Za-z0-9_-]+)"[ \t]+"([A-Za-z0-9_-]+)"`)
}()

// withHeaders adds to the blocks of a file with a syntax error those that seem to begin in the rest of it.
func withHeaders(whole *hclsyntax.Body, src []byte, path string) {
	after := 0
	for _, b := range whole.Blocks {
		after = max(after, b.Range().End.Byte)
	}
	s := &positions{src: src}
	for _, m := range declarationLine.FindAllSubmatchIndex(src, -1) {
		if m[0] < after {
			continue
		}
		header := hcl.Range{Filename: path, Start: s.of(m[0]), End: s.of(m[1])}
		words := []string{string(src[m[2]:m[3]]), string(src[m[4]:m[5]]), string(src[m[6]:m[7]])}
		whole.Blocks = append(whole.Blocks, unparsed(words, header, &hclsyntax.Body{SrcRange: header}))
	}
}
