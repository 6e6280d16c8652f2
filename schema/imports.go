package schema

import (
	"encoding/json"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// Import says that something on a server is to be declared at an address.
type Import struct {
	To    Addr
	ID    string    // as written: the address of a server, a slash, and its name there
	Range hcl.Range // of the id
}

// MissingImports returns the import blocks whose address is not declared, in the order of the files.
func (c *Config) MissingImports() []Import {
	var out []Import
	for _, i := range c.Imports {
		n := c.loader.root.nodes[i.To.All().String()]
		// Otherwise it is declared, though perhaps not enabled.
		if n == nil || i.To.Index != "" && c.Lookup(i.To) == nil && !n.lacks(i.To.Index) {
			out = append(out, i)
		}
	}
	return out
}

// lacks reports whether the set of a declaration's instances is unknown, or this instance is not enabled.
func (n *node) lacks(index string) bool {
	return n.decl != nil && (n.decl.meta.unknown || n.decl.meta.off[index])
}

// CheckImports reports import blocks whose address is not declared.
func (c *Config) CheckImports() hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, i := range c.MissingImports() {
		way := "Declare it, or have it written: syncctl plan -generate-config-out=found.sync.hcl"
		if c.HasBlock(i.To) {
			way = "Add this key to the for_each of " + i.To.All().String() + "."
		}
		diags = append(diags, problem(i.Range, "Import of what is not declared", "There is no %s. %s", i.To, way))
	}
	return diags
}

// HasBlock reports whether there is a declaration at an address in the root module, whatever its keys are.
func (c *Config) HasBlock(a Addr) bool { return c.loader.root.nodes[a.All().String()] != nil }

// importing is an import block, before it is evaluated.
type importing struct {
	meta    meta
	to      Addr           // without a key
	key     *hcl.Attribute // the key in to, if it is an expression; nil: it is in index, or there is none
	index   string
	id      *hcl.Attribute
	toRange hcl.Range
}

// collectImport reads an import block.
func (l *loader) collectImport(m *module, b *hcl.Block) {
	if m != l.root {
		l.add(problem(b.DefRange, "Block in a module", "An import block stands in the folder of the whole configuration, "+
			"not in a module."))
		return
	}
	content := l.content(b.Body, importBody.scope("in an import block"))
	to, id := content.Attributes["to"], content.Attributes["id"]
	for _, name := range []string{"to", "id"} {
		if content.Attributes[name] == nil {
			l.add(problem(b.DefRange, "Missing required argument", "The argument %q is required in an import block.", name))
		}
	}
	if to == nil || id == nil {
		return
	}
	i := &importing{meta: metaOf(content), id: id, toRange: to.Expr.Range()}
	t, key := l.keyed(to.Expr)
	addr, err := ParseAddr(traversalText(t))
	i.to, i.index = addr.All(), addr.Index
	switch {
	case err != nil || addr.Module != "" || key != nil && addr.Index != "":
		l.add(problem(i.toRange, "Invalid address", "The argument \"to\" is the address at which something is to be "+
			"declared: KIND.TYPE.NAME, or KIND.TYPE.NAME[each.key] with for_each, and in no module."))
		return
	case i.meta.forEach != nil && key == nil:
		l.add(problem(i.toRange, "Invalid address", "With for_each, there is one import for each key: write %s[each.key].",
			i.to))
		return
	case key != nil:
		i.key = &hcl.Attribute{Name: "to", Expr: key, Range: to.Range, NameRange: to.NameRange}
	}
	l.importing = append(l.importing, i)
}

// keyed parses a reference. If its key is an expression, as in sync.TYPE.NAME[each.key], it is returned as key.
func (l *loader) keyed(expr hcl.Expression) (t hcl.Traversal, key hcl.Expression) {
	if t, ok := l.target(expr); ok {
		return t, nil
	}
	native, ok := expr.(hclsyntax.Expression)
	if src := l.files[expr.Range().Filename].text; !ok && expr.Range().CanSliceBytes(src) {
		native = nativeOf(expr.Range().SliceBytes(src), expr.Range())
	}
	if index, ok := native.(*hclsyntax.IndexExpr); ok {
		if t, diags := hcl.AbsTraversalForExpr(index.Collection); !diags.HasErrors() {
			return t, index.Key
		}
	}
	return nil, nil
}

// nativeOf returns the expression in a JSON string, written "EXPRESSION" or "${EXPRESSION}". It returns nil if there is
// anything else in the string.
func nativeOf(src []byte, rng hcl.Range) hclsyntax.Expression {
	var text string
	if json.Unmarshal(src, &text) != nil {
		return nil
	}
	tmpl, diags := hclsyntax.ParseTemplate([]byte(text), rng.Filename, rng.Start)
	if wrap, ok := tmpl.(*hclsyntax.TemplateWrapExpr); ok && !diags.HasErrors() {
		return wrap.Wrapped
	}
	if tooNestedExpression([]byte(text), rng.Filename) != nil {
		return nil
	}
	native, diags := hclsyntax.ParseExpression([]byte(text), rng.Filename, rng.Start)
	if diags.HasErrors() {
		return nil
	}
	return native
}

// resolveImports finds the references of import blocks. These are evaluated last, so that their needs do not matter.
func (l *loader) resolveImports() {
	for _, i := range l.importing {
		n := &node{mod: l.root}
		l.resolveMeta(n, &i.meta, l.root)
		l.resolveExpr(n, i.id, i.meta.names())
		if i.key != nil {
			l.resolveExpr(n, i.key, i.meta.names())
		}
	}
}

// evaluateImports evaluates import blocks, once for each key of their for_each.
func (l *loader) evaluateImports() {
	for _, i := range l.importing {
		if l.bad[i.id] || i.key != nil && l.bad[i.key] || len(l.root.instances) == 0 {
			continue
		}
		l.eachKey(&i.meta, frame{in: l.root.instances[0]}, i.toRange, func(_ string, f frame) {
			if in, ok := l.imported(i, f); ok {
				l.addImport(in)
			}
		})
	}
}

// imported evaluates an import block for one key of its for_each.
func (l *loader) imported(i *importing, f frame) (Import, bool) {
	text := func(attr *hcl.Attribute, summary, detail string) (string, bool) {
		ctx := l.context(attr.Expr, f)
		val, diags := l.value(attr.Expr, ctx)
		l.add(diags...)
		if diags.HasErrors() {
			return "", false
		}
		text, err := convert.Convert(val, cty.String)
		switch {
		case err == nil && !text.IsKnown() && !text.IsMarked():
			return "", false // for example a variable without a value, which is reported where a value is needed
		case err != nil || text.IsMarked() || text.IsNull() || text.AsString() == "":
			l.add(l.inContext(problem(attr.Expr.Range(), summary, "%s", detail), attr.Expr, ctx))
			return "", false
		}
		return text.AsString(), true
	}
	out := Import{To: i.to, Range: i.id.Expr.Range()}
	out.To.Index = i.index
	if i.key != nil {
		key, ok := text(i.key, "Invalid key", "The key of an address is a text that is not sensitive, such as each.key.")
		if !ok {
			return out, false
		}
		out.To.Index = indexText(key)
	}
	var ok bool
	out.ID, ok = text(i.id, "Invalid id", "Write where it is: the address of a declared server, a slash, and what it is "+
		"called there, as in \"server.TYPE.NAME/KEY\".")
	return out, ok
}

// addImport records an import, unless its address or ID is a duplicate.
func (l *loader) addImport(i Import) {
	toRange, toHad := l.importedTo[i.To]
	idRange, idHad := l.importedIDs[i.ID]
	switch {
	case toHad:
		l.add(problem(i.Range, "Imported twice", "%s was already imported at %s.", i.To, place(toRange)))
	case idHad:
		l.add(problem(i.Range, "Imported twice", "%q was already imported at %s.", i.ID, place(idRange)))
	default:
		l.imports = append(l.imports, i)
		l.importedTo[i.To], l.importedIDs[i.ID] = i.Range, i.Range
	}
}
