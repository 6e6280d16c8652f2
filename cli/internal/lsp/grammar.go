package lsp

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/cli/internal/lsp/source"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

// scope says what a body may contain.
type scope struct {
	attributes []schema.Attribute
	blocks     []nested
	general    int  // number of attributes, at the end, that all declarations (or module blocks) have
	any        bool // arguments may have any name
	optional   bool // nothing is required
}

// nested is a block that a body may contain.
type nested struct {
	name     string
	labels   []string
	doc      string
	required bool
	many     bool
	body     func(b *source.Block) *scope // returns what block b of that name may contain
}

// top is the value of Construct.Where for blocks at the top of a file.
const top = "at the top of a file"

// outermost returns the blocks that may be at the top of a file.
func outermost(kind fileKind) []schema.Construct {
	switch kind {
	case values:
		return nil
	case tests:
		return schema.TestGrammar()
	}
	return slices.DeleteFunc(schema.Grammar(), func(c schema.Construct) bool { return c.Where != top })
}

// construct returns the construct of that name that is not at the top of a file.
func construct(name string) schema.Construct {
	for _, c := range schema.Grammar() {
		if c.Name == name && c.Where != top {
			return c
		}
	}
	return schema.Construct{}
}

// topWords returns the types of the blocks that may be at the top of a file.
func topWords(kind fileKind) []string {
	var out []string
	for _, c := range outermost(kind) {
		out = append(out, c.Name)
	}
	return out
}

// inJSON returns what source needs to know to read a JSON file of that kind.
func (v *view) inJSON(kind fileKind) source.JSON {
	plain := map[string]bool{"depends_on": true, "from": true, "to": true, "expect_failures": true}
	var look func(b *schema.Body)
	look = func(b *schema.Body) {
		for i := range b.Attributes {
			if b.Attributes[i].Ref != nil {
				plain[b.Attributes[i].Name] = true
			}
		}
		for i := range b.Blocks {
			look(&b.Blocks[i].Body)
		}
	}
	for i := range v.opts.Catalog {
		look(&v.opts.Catalog[i].Body)
	}
	blocks := map[string]map[string]int{} // cached results of blocksIn, by all that they depend on
	return source.JSON{
		Blocks: func(in *source.Block) map[string]int {
			key := ""
			for b := in; b.Parent != nil; b = b.Parent {
				key = "/" + b.Type.Text + key
				if b.Type.Text == "dynamic" || b.Type.Text == "defaults" || isKind(b.Type.Text) {
					key = "." + b.Label(0) + key
				}
				if b.Type.Text == "defaults" {
					key = "." + b.Label(1) + key
				}
			}
			if blocks[key] == nil {
				blocks[key] = v.blocksIn(kind, in)
			}
			return blocks[key]
		},
		Plain: func(in *source.Block, arg string) bool {
			return plain[arg] || arg == "type" && in.Type.Text == "variable"
		},
	}
}

// blocksIn returns the types of the blocks that a block may contain, with the number of their labels. It reads no
// other file.
func (v *view) blocksIn(kind fileKind, b *source.Block) map[string]int {
	out := map[string]int{}
	if kind == values || b.Type.Text == "variables" || b.Type.Text == "module" {
		return out
	}
	if s := v.scope(&file{kind: kind, text: source.NewText("")}, b); s != nil {
		for _, n := range s.blocks {
			out[n.name] = len(n.labels)
		}
	}
	return out
}

// scope returns what a block of a file may contain, or nil if that is not known.
func (v *view) scope(f *file, b *source.Block) *scope {
	if b.Parent == nil {
		return v.fileScope(f)
	}
	around := v.scope(f, b.Parent)
	if around == nil {
		return nil
	}
	if n := around.find(b.Type.Text); n != nil && n.body != nil {
		return n.body(b)
	}
	return nil
}

func (s *scope) find(name string) *nested {
	for i := range s.blocks {
		if s.blocks[i].name == name {
			return &s.blocks[i]
		}
	}
	return nil
}

func (s *scope) attribute(name string) *schema.Attribute {
	if s == nil {
		return nil
	}
	for i := range s.attributes {
		if s.attributes[i].Name == name {
			return &s.attributes[i]
		}
	}
	return nil
}

func (v *view) fileScope(f *file) *scope {
	out := &scope{}
	switch f.kind {
	case values:
		return &scope{attributes: v.variables(f.dir)}
	case tests:
		for _, c := range outermost(tests) {
			n := nested{name: c.Name, labels: c.Labels, many: true, body: v.plain(f, &c.Body)}
			if c.Name == "variables" {
				n.body = v.valuesOf(f.dir)
			} else {
				n.body = func(*source.Block) *scope {
					s := v.bodyScope(f, &c.Body)
					s.find("variables").body = v.valuesOf(f.dir)
					return s
				}
			}
			out.blocks = append(out.blocks, n)
		}
		return out
	}
	for _, c := range outermost(configuration) {
		n := nested{name: c.Name, labels: c.Labels, doc: v.summary(c.Name), many: true, body: v.plain(f, &c.Body)}
		switch kind := schema.Kind(c.Name); {
		case slices.Contains(schema.Kinds, kind):
			n.body = func(b *source.Block) *scope { return v.declaration(f, kind, b.Label(0)) }
		case c.Name == "defaults":
			n.body = func(b *source.Block) *scope {
				s := v.typeScope(f, schema.Kind(b.Label(0)), b.Label(1))
				if s != nil {
					s.optional = true
				}
				return s
			}
		case c.Name == "locals":
			n.body = func(*source.Block) *scope { return &scope{any: true} }
		case c.Name == "module":
			n.body = func(b *source.Block) *scope {
				s := v.bodyScope(f, &c.Body)
				if dir, ok := v.moduleDir(f, b); ok {
					s.attributes = append(v.variables(dir), s.attributes...)
				}
				s.general = len(c.Body.Attributes)
				return s
			}
		}
		out.blocks = append(out.blocks, n)
	}
	return out
}

// plain returns a function that returns the scope of b, without dynamic blocks.
func (v *view) plain(f *file, b *schema.Body) func(*source.Block) *scope {
	return func(*source.Block) *scope { return v.bodyScope(f, b) }
}

func (v *view) valuesOf(dir string) func(*source.Block) *scope {
	return func(*source.Block) *scope { return &scope{attributes: v.variables(dir), optional: true} }
}

func (v *view) bodyScope(f *file, b *schema.Body) *scope {
	s := &scope{attributes: slices.Clone(b.Attributes)}
	for i := range b.Blocks {
		inner := &b.Blocks[i]
		n := nested{name: inner.Name, doc: inner.Doc, required: inner.Required, many: inner.Many || inner.Label != "",
			body: v.typed(f, &inner.Body)}
		if inner.Label != "" {
			n.labels = []string{inner.Label}
		}
		s.blocks = append(s.blocks, n)
	}
	return s
}

// typed returns a function that returns the scope of b, part of a type's body, in which dynamic blocks are allowed.
func (v *view) typed(f *file, b *schema.Body) func(*source.Block) *scope {
	return func(*source.Block) *scope { return v.withDynamic(f, v.bodyScope(f, b)) }
}

// withDynamic adds the dynamic block to a scope that has blocks.
func (v *view) withDynamic(f *file, s *scope) *scope {
	if len(s.blocks) == 0 {
		return s
	}
	of := slices.Clone(s.blocks)
	c := construct("dynamic")
	s.blocks = append(s.blocks, nested{name: c.Name, labels: c.Labels, doc: v.summary(c.Name), many: true,
		body: func(b *source.Block) *scope {
			inner := v.bodyScope(f, &c.Body)
			made := (&scope{blocks: of}).find(b.Label(0))
			inner.attributes = slices.DeleteFunc(inner.attributes, func(a schema.Attribute) bool {
				return a.Name == "labels" && made != nil && len(made.labels) == 0
			})
			if content := inner.find("content"); content != nil {
				content.body = func(b *source.Block) *scope {
					if made == nil {
						return nil
					}
					return made.body(b)
				}
			}
			return inner
		}})
	return s
}

// typeScope returns the scope of a type's body, without what all declarations have. It returns nil if the type is
// unknown.
func (v *view) typeScope(f *file, kind schema.Kind, name string) *scope {
	t := v.opts.Catalog.Lookup(kind, name)
	if t == nil {
		return nil
	}
	return v.withDynamic(f, v.bodyScope(f, &t.Body))
}

// declaration returns the scope of a declaration's body.
func (v *view) declaration(f *file, kind schema.Kind, name string) *scope {
	s := v.typeScope(f, kind, name)
	if s == nil {
		s = &scope{}
	}
	for _, c := range schema.Grammar() { // what all declarations take, or all of this kind
		if c.Name == "" && (c.Where == "in a declaration" || strings.Contains(c.Where, string(kind))) {
			s.attributes = append(s.attributes, c.Body.Attributes...)
			s.general += len(c.Body.Attributes)
		}
	}
	c := construct("lifecycle")
	s.blocks = append(s.blocks, nested{name: c.Name, doc: v.summary(c.Name), body: v.plain(f, &c.Body)})
	return s
}

// variables returns the variables of a folder as arguments, sorted by name.
func (v *view) variables(dir string) []schema.Attribute {
	var out []schema.Attribute
	for _, s := range v.symbols(dir) {
		if s.kind != "var" || slices.ContainsFunc(out, func(a schema.Attribute) bool { return a.Name == s.name.name }) {
			continue
		}
		a := schema.Attribute{Name: s.name.name, Type: cty.NilType, Required: true}
		if s.block != nil {
			a.Doc = prose(s.constant("description"))
			a.Required = s.block.Find("default") == nil
			a.Secret = s.constant("sensitive") == "true"
			a.Type = s.typeOf()
		}
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b schema.Attribute) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return out
}

// moduleDir returns the folder of the module that a module block uses. It returns false if its source is not a
// relative path written as a constant, or leads out of the open folders.
func (v *view) moduleDir(f *file, b *source.Block) (string, bool) {
	a := b.Find("source")
	if a == nil {
		return "", false
	}
	text := constant(f.text.Slice(a.Value))
	if text == "" || filepath.IsAbs(text) {
		return "", false
	}
	dir := filepath.Join(f.dir, filepath.FromSlash(text))
	use := [2]string{f.dir, dir}
	ok, known := v.mayOpen[use]
	if !known {
		ok = v.isOpen(dir, f.dir)
		v.mayOpen[use] = ok
	}
	if !ok {
		return "", false
	}
	return dir, true
}

// isOpen reports whether a file or folder is, even with links resolved, inside beside or a folder that the editor has
// open.
func (v *view) isOpen(dir, beside string) bool {
	return slices.ContainsFunc(append([]string{beside}, v.folders...), func(open string) bool {
		folder := schema.Folder{Fs: v.fs, Dir: open}
		return inside(dir, []string{open}) && folder.Check(schema.Reading{Path: dir, By: "lsp"}) == nil
	})
}
