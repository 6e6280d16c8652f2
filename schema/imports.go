package schema

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// Import says that something which a server has is to be declared at an address.
type Import struct {
	To    Addr
	ID    string    // as it is written: the address of a server, a slash, and what it is called there
	Range hcl.Range // of the id
}

// MissingImports are the import blocks whose address is not declared, in the order of the files.
func (c *Config) MissingImports() []Import {
	var out []Import
	for _, i := range c.Imports {
		if c.loader.root.nodes[i.To.String()] == nil { // else it is declared, be it not enabled
			out = append(out, i)
		}
	}
	return out
}

// CheckImports reports import blocks whose address is not declared.
func (c *Config) CheckImports() hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, i := range c.MissingImports() {
		diags = append(diags, problem(i.Range, "Import of what is not declared", "There is no %s. Declare it, or have it "+
			"written: syncctl plan -generate-config-out=found.sync.hcl", i.To))
	}
	return diags
}

// collectImport takes in an import block.
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
	i := Import{Range: id.Expr.Range()}
	t, ok := l.target(to.Expr)
	if ok {
		var err error
		i.To, err = ParseAddr(traversalText(t))
		ok = err == nil && i.To.Module == "" && i.To.Index == ""
	}
	if !ok {
		l.add(problem(to.Expr.Range(), "Invalid address", "The argument \"to\" is the address at which something is to be "+
			"declared: KIND.TYPE.NAME, without a key and in no module."))
		return
	}
	val, ok := l.constant(id)
	if !ok {
		return
	}
	text, err := convert.Convert(val, cty.String)
	if err != nil || text.IsNull() || !text.IsKnown() || text.IsMarked() || text.AsString() == "" {
		l.add(problem(id.Expr.Range(), "Invalid id", "Write where it is: the address of a declared server, a slash, and "+
			"what it is called there, as in \"server.TYPE.NAME/KEY\"."))
		return
	}
	i.ID = text.AsString()
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
