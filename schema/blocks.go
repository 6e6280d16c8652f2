package schema

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// topBlocks are the blocks allowed at the top level of a file.
var topBlocks = []hcl.BlockHeaderSchema{
	{Type: "syncctl"},
	{Type: "site", LabelNames: []string{"name"}},
	{Type: "variable", LabelNames: []string{"name"}},
	{Type: "locals"},
	{Type: "module", LabelNames: []string{"name"}},
	{Type: "output", LabelNames: []string{"name"}},
	{Type: "check", LabelNames: []string{"name"}},
	{Type: "moved"},
	{Type: "removed"},
	{Type: "import"},
	{Type: "defaults", LabelNames: []string{"kind", "type"}},
	{Type: string(Server), LabelNames: []string{"type", "name"}},
	{Type: string(Keystore), LabelNames: []string{"type", "name"}},
	{Type: string(Sync), LabelNames: []string{"type", "name"}},
	{Type: string(Migration), LabelNames: []string{"type", "name"}},
}

// settingsBody is the grammar of the syncctl block.
var settingsBody = Body{
	Attributes: []Attribute{
		{Name: "required_version", Type: cty.String, Doc: "Versions of syncctl that these files are written for, such as " +
			"\">= 1.2\"."},
		{Name: "parallelism", Type: cty.Number, Doc: "How many steps run at the same time, at least 1."},
	},
	Blocks: []Block{{Name: "operator", Doc: "A program that carries out the steps for a person.", Body: Body{
		Attributes: []Attribute{
			{Name: "command", Type: cty.List(cty.String), Required: true, Doc: "Program and arguments."},
			{Name: "environment", Type: cty.List(cty.String), Doc: "Names of the environment variables that the program gets, " +
				"beside those that every program needs, such as PATH and HOME."},
		},
	}}},
}

// collectFolder takes in the files of a module.
func (l *loader) collectFolder(m *module) {
	files := l.parsed(m)
	for i, body := range files.bodies {
		if m == l.root {
			files.bodies[i] = nil // no module has the folder of the whole configuration
		}
		l.collect(m, body)
	}
	m.plain = files.plain
}

// collect takes in the blocks of one file of a module.
func (l *loader) collect(m *module, body hcl.Body) {
	var content *hcl.BodyContent
	if l.opts.namesOnly {
		if skimmed, ok := body.(*hclsyntax.Body); ok && len(skimmed.Blocks) == 0 {
			return // a file of plain declarations
		}
		content, _, _ = body.PartialContent(&hcl.BodySchema{Blocks: topBlocks})
	} else {
		content = l.content(body, scope{where: "at the top level of a file", blocks: topBlocks})
		l.misspelt(m, body)
	}
	for i, b := range content.Blocks {
		content.Blocks[i] = nil // a block takes as much memory as what is collected of it
		switch b.Type {
		case "syncctl":
			l.collectSettings(m, b)
		case "site":
			l.collectSite(m, b)
		case "variable":
			l.collectVariable(m, b)
		case "locals":
			l.collectLocals(m, b)
		case "module":
			l.collectModule(m, b)
		case "output":
			l.collectOutput(m, b)
		case "check":
			l.collectCheck(m, b)
		case "moved", "removed":
			l.collectMoved(m, b)
		case "import":
			l.collectImport(m, b)
		case "defaults":
			l.collectDefaults(m, b)
		default:
			l.collectDeclaration(m, b)
		}
	}
}

func (l *loader) collectSettings(m *module, b *hcl.Block) {
	if m != l.root {
		l.add(problem(b.DefRange, "Settings in a module", "A syncctl block stands in the folder of the whole "+
			"configuration, not in a "+
			"module."))
		return
	}
	s, _ := l.shape(b.Body, &settingsBody, b.DefRange, spot{name: "a syncctl block"}, nil)
	l.setBlock = append(l.setBlock, s)
}

// misspelt records what blocks with a misspelt type meant to declare. The blocks themselves are reported, so
// references to these names need not be.
func (l *loader) misspelt(m *module, body hcl.Body) {
	native, ok := body.(*hclsyntax.Body)
	if !ok {
		return
	}
	words := make([]string, 0, len(topBlocks))
	for _, b := range topBlocks {
		words = append(words, b.Type)
	}
	for _, b := range native.Blocks {
		if slices.Contains(words, b.Type) {
			continue
		}
		switch meant := Nearest(b.Type, words); {
		case meant == "variable" && len(b.Labels) == 1:
			m.lost.add("var." + b.Labels[0])
		case meant == "locals":
			for name := range b.Body.Attributes {
				m.lost.add("local." + name)
			}
		case isKind(meant) && len(b.Labels) == 2:
			m.lost.add(Addr{Kind: Kind(meant), Type: b.Labels[0], Name: b.Labels[1]}.String())
		}
	}
}

func (l *loader) collectLocals(m *module, b *hcl.Block) {
	l.refuseBlocks(b.Body, "a locals block")
	attrs, diags := b.Body.JustAttributes()
	if _, native := b.Body.(*hclsyntax.Body); !native {
		l.add(diags...) // for a native body they repeat what refuseBlocks reported
	}
	names := make([]string, 0, len(attrs))
	for name := range attrs {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		attr := attrs[name]
		l.declare(m, &node{key: "local." + name, rng: attr.Range, local: attr}, "local value", attr.NameRange)
	}
}

// refuseBlocks reports nested blocks where only arguments are allowed.
func (l *loader) refuseBlocks(body hcl.Body, where string) {
	native, ok := body.(*hclsyntax.Body)
	if !ok {
		return
	}
	for _, b := range native.Blocks {
		l.add(problem(b.TypeRange, "Unsupported block",
			"A block %q is not expected in %s. To give a value to the name %q, write it with an equals sign: %s = { ... }",
			b.Type, where, b.Type, b.Type))
	}
}

// declare adds a node to a module, unless its name is taken.
func (l *loader) declare(m *module, n *node, what string, name hcl.Range) bool {
	if was, taken := m.nodes[n.key]; taken {
		l.add(problem(name, "Duplicate "+what,
			"%s was already declared at %s. Each is declared once.", n.key, place(was.rng)))
		return false
	}
	n.mod = m
	m.nodes[n.key] = n
	l.nodes = append(l.nodes, n)
	return true
}

// declarationScope is what all declarations have in common.
var declarationScope = scope{args: metaArgs, blocks: []hcl.BlockHeaderSchema{{Type: "lifecycle"}}}

func (l *loader) collectDeclaration(m *module, b *hcl.Block) {
	kind, typeName, name := Kind(b.Type), b.Labels[0], b.Labels[1]
	addr := Addr{Module: m.path, Kind: kind, Type: typeName, Name: name}
	valid := true
	for i, label := range b.Labels {
		valid = l.validName(label, b.LabelRanges[i]) && valid
	}
	if !valid {
		return
	}
	d := &decl{addr: addr, mod: m, rng: b.DefRange}
	n := &node{key: Addr{Kind: kind, Type: typeName, Name: name}.String(), rng: b.DefRange, decl: d}
	if !l.declare(m, n, "declaration", b.LabelRanges[1]) {
		return
	}
	t := l.opts.Catalog.Lookup(kind, typeName)
	if t == nil {
		d.failed = true
		l.add(WithAddr(l.unknownType(kind, typeName, b.LabelRanges[0]), addr))
		if meant := Nearest(typeName, l.typesOf(kind)); meant != "" {
			m.lost.add(Addr{Kind: kind, Type: meant, Name: name}.String())
		}
		return
	}
	d.typ = t
	if l.opts.namesOnly { // the rest is read if it is needed
		content, _, _ := b.Body.PartialContent(metaSchema)
		d.meta, d.body = metaOf(content), b.Body
		if src, ok := b.Body.(*hclsyntax.Body); ok && src.EndRange == (hcl.Range{}) { // of unparsed
			d.body, d.block = nil, src.SrcRange
		}
		return
	}
	l.shapeDeclaration(n, b.Body)
}

// shapeDeclaration matches the body of a declaration with the grammar of its type.
func (l *loader) shapeDeclaration(n *node, body hcl.Body) {
	d := n.decl
	t, kind := d.typ, d.addr.Kind
	before := len(l.diags)
	var content *hcl.BodyContent
	common := declarationScope
	own := slices.Contains(t.Body.names(), siteArgument.Name)
	if hasSite(kind) && !own {
		common.args = append(slices.Clone(common.args), siteArgument.Name)
	}
	d.shape, content = l.shape(body, &t.Body, d.rng, spot{name: string(kind), label: t.Name}, &common)
	if d.meta = metaOf(content); !own {
		d.site = content.Attributes[siteArgument.Name]
	}
	l.collectLifecycle(n, content.Blocks.OfType("lifecycle"))
	l.blame(d, d.addr, before)
}

// metaSchema finds the arguments of metaOf.
var metaSchema = &hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "for_each"}, {Name: "enabled"}}}

// blame attaches an address to the diagnostics added since before, and reports whether an error is among them. In that
// case the declaration has failed, unless it is one of many instances.
func (l *loader) blame(d *decl, addr Addr, before int) bool {
	failed := false
	for i := before; i < len(l.diags); i++ {
		if l.diags[i].Severity == hcl.DiagError {
			failed = true
		}
		if AddrOf(l.diags[i]) == (Addr{}) {
			l.diags[i] = WithAddr(l.diags[i], addr)
		}
	}
	d.failed = d.failed || failed && addr == d.addr
	return failed
}

// typesOf names the types of a kind, sorted.
func (l *loader) typesOf(kind Kind) []string {
	var names []string
	for _, t := range l.opts.Catalog {
		if t.Kind == kind {
			names = append(names, t.Name)
		}
	}
	sort.Strings(names)
	return names
}

func (l *loader) unknownType(kind Kind, name string, rng hcl.Range) *hcl.Diagnostic {
	there := l.typesOf(kind)
	var elsewhere []string
	for _, t := range l.opts.Catalog {
		if t.Kind != kind && t.Name == name {
			elsewhere = append(elsewhere, string(t.Kind))
		}
	}
	sort.Strings(elsewhere)
	var b strings.Builder
	fmt.Fprintf(&b, "There is no %s of type %q.%s", kind, name, didYouMean(name, there))
	switch len(there) {
	case 0:
		fmt.Fprintf(&b, " None of the products that this program knows brings a type of %s.", kind)
	case 1:
		fmt.Fprintf(&b, " The only type of %s is %q.", kind, there[0])
	default:
		fmt.Fprintf(&b, " The types of %s are %s.", kind, quoteList(there, "and"))
	}
	if len(elsewhere) > 0 {
		fmt.Fprintf(&b, " A type of that name exists for %s.", strings.Join(elsewhere, ", "))
	}
	return problem(rng, fmt.Sprintf("Unknown %s type", kind), "%s", b.String())
}
