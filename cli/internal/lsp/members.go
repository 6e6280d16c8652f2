package lsp

import (
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/syncctl/syncctl/cli/internal/lsp/source"
	"github.com/syncctl/syncctl/reference"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

// members offers what may follow the dot after the steps of r.
func (c *completer) members(r *source.Reference) {
	word := func(i int) string {
		if i < len(r.Steps) {
			return r.Steps[i].Text
		}
		return ""
	}
	n := len(r.Steps)
	root := word(0)
	switch {
	case r.Bound != nil:
		for _, u := range c.usesOfElement(c.file, r.Bound, append(slices.Clone(r.Steps), source.Step{Word: source.Word{
			Text: "?"}})) {
			c.outputs(u.dir)
		}
	case iterator(c.file, c.place.In, root) != nil || root == "each":
		if n == 1 {
			c.words("key", "value")
		}
	case root == "path" && n == 1:
		c.words("module", "root")
	case root == "self":
		c.typeMembers(schema.Kind(c.place.In.Top().Type.Text), c.place.In.Top().Label(0), n-1, r)
	case (root == "var" || root == "local" || root == "output" || root == "check" || root == "site") &&
		n == 1:
		c.declared(root, "")
	case root == "var" || root == "local":
		c.valueMembers(name{c.file.dir, root, "", word(1)}, r.Steps[2:])
	case root == "module" && n == 1:
		c.declared(root, "")
	case root == "module":
		s := c.find(name{c.file.dir, "module", "", word(1)})
		if s == nil || n > 3 || n == 3 && !r.Steps[2].Index {
			return
		}
		if dir, ok := c.moduleDir(s.file, s.block); ok {
			c.outputs(dir)
		}
	case isKind(root) && n == 1:
		for i := range c.opts.Catalog {
			if t := &c.opts.Catalog[i]; string(t.Kind) == root {
				c.offer(suggestion{label: t.Name, kind: kindClass, doc: t.Summary})
			}
		}
	case isKind(root) && n == 2:
		c.declared(root, word(1))
	case isKind(root):
		c.typeMembers(schema.Kind(root), word(1), n-3, r)
	}
}

func (c *completer) words(all ...string) {
	for _, w := range all {
		c.offer(suggestion{label: w, kind: kindField})
	}
}

// declared offers the names that the folder declares, of a kind and type.
func (c *completer) declared(kind, typ string) {
	for _, s := range c.symbols(c.file.dir) {
		if s.kind == kind && s.typ == typ && valid(s.name.name) {
			c.offer(suggestion{label: s.name.name, kind: kindVariable, doc: c.describe(s)})
		}
	}
}

// outputs offers the outputs of a folder.
func (c *completer) outputs(dir string) {
	for _, s := range c.symbols(dir) {
		if s.kind == "output" && valid(s.name.name) {
			c.offer(suggestion{label: s.name.name, kind: kindField, doc: prose(s.constant("description"))})
		}
	}
}

// typeMembers offers the arguments and blocks of a type. behind is the number of steps after the declaration: only a
// key may follow it.
func (c *completer) typeMembers(kind schema.Kind, typ string, behind int, r *source.Reference) {
	t := c.opts.Catalog.Lookup(kind, typ)
	if t == nil || behind > 1 || behind == 1 && !r.Steps[len(r.Steps)-1].Index {
		return
	}
	for i := range t.Body.Attributes {
		a := &t.Body.Attributes[i]
		c.offer(suggestion{label: a.Name, kind: kindField, detail: detail(a, true), doc: reference.Argument(a)})
	}
	for i := range t.Body.Blocks {
		b := &t.Body.Blocks[i]
		c.offer(suggestion{label: b.Name, kind: kindField, detail: "block", doc: b.Doc})
	}
}

// valueMembers offers the attributes of an object: a variable's by its type, a local value's as it is written. steps
// are the steps after its name.
func (c *completer) valueMembers(n name, steps []source.Step) {
	s := c.find(n)
	if s == nil {
		return
	}
	var ty cty.Type
	if s.arg != nil {
		ty = c.shapeOf(s)
	} else {
		ty = s.typeOf()
	}
	for _, step := range steps {
		switch {
		case ty == cty.NilType:
			return
		case ty.IsObjectType() && ty.HasAttribute(step.Text):
			ty = ty.AttributeType(step.Text)
		case ty.IsCollectionType() && step.Index:
			ty = ty.ElementType()
		default:
			return
		}
	}
	if ty == cty.NilType || !ty.IsObjectType() {
		return
	}
	for _, key := range slices.Sorted(maps.Keys(ty.AttributeTypes())) {
		if valid(key) {
			c.offer(suggestion{label: key, kind: kindField})
		}
	}
}

// shapeOf returns the type of a local value. Only what is written as an object is known, anything else is dynamic.
func (v *view) shapeOf(s *symbol) cty.Type {
	expr, diags := parse(s.file.text.Slice(s.arg.Value))
	if diags.HasErrors() {
		return cty.NilType
	}
	return shape(expr)
}

func shape(expr hclsyntax.Expression) cty.Type {
	object, ok := expr.(*hclsyntax.ObjectConsExpr)
	if !ok {
		return cty.DynamicPseudoType
	}
	types := map[string]cty.Type{}
	for _, item := range object.Items {
		if key := keyOf(item); key != "" {
			types[key] = shape(item.ValueExpr)
		}
	}
	return cty.Object(types)
}

// keyOf returns the key of an item of an object if it is a word or a constant text, and "" otherwise. It evaluates
// nothing, since evaluation would have no limits here.
func keyOf(item hclsyntax.ObjectConsItem) string {
	if key := hcl.ExprAsKeyword(item.KeyExpr); key != "" {
		return key
	}
	key, ok := item.KeyExpr.(*hclsyntax.ObjectConsKeyExpr)
	if !ok {
		return ""
	}
	return literal(key.Wrapped)
}
