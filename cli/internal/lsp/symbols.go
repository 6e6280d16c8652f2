package lsp

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/syncctl/syncctl/cli/internal/lsp/source"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

// name identifies something that is declared in a folder.
type name struct {
	dir  string
	kind string // var, local, module, output, check, site, or a kind of declaration
	typ  string // the type, if it is a declaration
	name string
}

// key returns the name as it is written in references.
func (n name) key() string {
	if n.typ != "" {
		return n.kind + "." + n.typ + "." + n.name
	}
	return n.kind + "." + n.name
}

// symbol is a declaration of a name.
type symbol struct {
	name

	file  *file
	at    source.Span      // the name alone
	block *source.Block    // nil for a local value
	arg   *source.Argument // only for a local value
}

// constant returns the value of an argument of the block if it is a constant text or a word, and "" otherwise.
func (s *symbol) constant(arg string) string {
	a := s.block.Find(arg)
	if a == nil {
		return ""
	}
	return constant(s.file.text.Slice(a.Value))
}

// constant returns the text of an expression that is a constant text or a word, and "" otherwise.
func constant(src string) string {
	if hclsyntax.ValidIdentifier(src) {
		return src
	}
	expr, diags := parse(src)
	if diags.HasErrors() {
		return ""
	}
	return literal(expr)
}

// literal returns the text of an expression that is a quoted text without anything to evaluate, and "" otherwise.
func literal(expr hclsyntax.Expression) string {
	tmpl, ok := expr.(*hclsyntax.TemplateExpr)
	if !ok || !tmpl.IsStringLiteral() {
		return ""
	}
	val, diags := tmpl.Value(nil)
	if diags.HasErrors() || val.Type() != cty.String {
		return ""
	}
	return val.AsString()
}

// maxParsed is the maximum size of an expression that is parsed, in bytes.
const maxParsed = 20_000

// parse parses an expression. It returns an error if the expression is too large or may be too deep.
func parse(src string) (hclsyntax.Expression, hcl.Diagnostics) {
	if len(src) > maxParsed || strings.Count(src, "(")+strings.Count(src, "[")+strings.Count(src, "{") > 200 {
		return nil, hcl.Diagnostics{{Severity: hcl.DiagError}}
	}
	return hclsyntax.ParseExpression([]byte(src), "", hcl.InitialPos)
}

// typeOf returns the type of a variable, or NilType if it takes any.
func (s *symbol) typeOf() cty.Type {
	a := s.block.Find("type")
	if a == nil {
		return cty.NilType
	}
	expr, diags := parse(s.file.plain(a))
	if diags.HasErrors() {
		return cty.NilType
	}
	_ = hclsyntax.VisitAll(expr, func(n hclsyntax.Node) hcl.Diagnostics { // the callback returns none
		if call, ok := n.(*hclsyntax.FunctionCallExpr); ok && call.Name == "optional" && len(call.Args) > 1 {
			call.Args = call.Args[:1] // the library would evaluate the default, without limits
		}
		return nil
	})
	ty, _, diags := typeexpr.TypeConstraintWithDefaults(expr)
	if diags.HasErrors() || ty == cty.DynamicPseudoType {
		return cty.NilType
	}
	return ty
}

// symbols returns what the files of a folder declare, in the order of the files.
func (v *view) symbols(dir string) []*symbol { return v.declarations(dir).all }

// declarations are the symbols of a folder.
type declarations struct {
	all    []*symbol
	byName map[name]*symbol // the first of each
}

func (v *view) declarations(dir string) *declarations {
	if d := v.declaredIn[dir]; d != nil {
		return d
	}
	d := &declarations{byName: map[name]*symbol{}}
	for _, f := range v.in(dir, configuration) {
		for _, s := range f.declared() {
			d.all = append(d.all, s)
			if d.byName[s.name] == nil {
				d.byName[s.name] = s
			}
		}
	}
	v.declaredIn[dir] = d
	return d
}

// declared returns what a file declares.
func (f *file) declared() []*symbol {
	var out []*symbol
	for _, b := range f.tree.File.Blocks {
		add := func(kind, typ string, label int) {
			if label < len(b.Labels) {
				l := b.Labels[label]
				out = append(out, &symbol{name: name{f.dir, kind, typ, l.Text}, file: f, at: l.Span, block: b})
			}
		}
		switch word := b.Type.Text; {
		case word == "variable":
			add("var", "", 0)
		case word == "module" || word == "output" || word == "check" || word == "site":
			add(word, "", 0)
		case word == "locals":
			for _, a := range b.Arguments {
				out = append(out, &symbol{name: name{f.dir, "local", "", a.Name.Text}, file: f, at: a.Name.Span, arg: a})
			}
		case isKind(word):
			add(word, b.Label(0), 1)
		}
	}
	return out
}

func isKind(word string) bool { return slices.Contains(schema.Kinds, schema.Kind(word)) }

// find returns the first declaration of a name, or nil if there is none.
func (v *view) find(n name) *symbol { return v.declarations(n.dir).byName[n] }

// use is a word that names something.
type use struct {
	name

	at source.Span
}

// uses returns the names in a reference. A reference to an output of a module has two: the module and the output.
func (v *view) uses(f *file, r *source.Reference) []use {
	steps := r.Steps
	if r.Bound != nil {
		return v.usesOfElement(f, r.Bound, steps)
	}
	word := func(i int) string {
		if i < len(steps) {
			return steps[i].Text
		}
		return ""
	}
	one := func(kind, typ string, i int) []use {
		if word(i) == "" {
			return nil
		}
		return []use{{name{f.dir, kind, typ, word(i)}, steps[i].Span}}
	}
	switch root := word(0); {
	case iterator(f, r.In, root) != nil:
		return nil
	case root == "var" || root == "local" || root == "site":
		return one(root, "", 1)
	case isKind(root):
		return one(root, word(1), 2)
	case root == "module":
		return v.usesOfModule(f, r.In.Type.Text == "moved" || r.In.Type.Text == "removed", steps)
	case f.kind == tests && (root == "output" || root == "check"):
		return one(root, "", 1)
	case root == "each" && word(1) == "value" && len(steps) > 2:
		if b := forEachOf(r.In); b != nil {
			return v.usesInCollection(f, b.Find("for_each"), steps[2:])
		}
	}
	return nil
}

// usesOfModule returns the names in module.NAME["KEY"].OUTPUT. If address is true, the steps may also be the address
// of something inside a module.
func (v *view) usesOfModule(f *file, address bool, steps []source.Step) []use {
	if len(steps) < 2 || steps[1].Text == "" {
		return nil
	}
	n := name{f.dir, "module", "", steps[1].Text}
	out := []use{{n, steps[1].Span}}
	rest := steps[2:]
	if len(rest) > 0 && rest[0].Index {
		rest = rest[1:]
	}
	if s := v.find(n); address && s != nil && len(rest) > 1 {
		if dir, ok := v.moduleDir(s.file, s.block); ok {
			inner := *f
			inner.dir = dir
			return append(out, v.uses(&inner, &source.Reference{Steps: rest, In: &source.Block{Type: source.Word{
				Text: "moved"}}})...)
		}
	}
	return append(out, v.outputOf(n, rest)...)
}

// outputOf returns the use of a module's output that the first step names.
func (v *view) outputOf(module name, steps []source.Step) []use {
	if len(steps) == 0 || steps[0].Text == "" {
		return nil
	}
	s := v.find(module)
	if s == nil {
		return nil
	}
	dir, ok := v.moduleDir(s.file, s.block)
	if !ok {
		return nil
	}
	return []use{{name{dir, "output", "", steps[0].Text}, steps[0].Span}}
}

// usesOfElement returns the names after a name that a for expression binds. If the collection is a module with
// for_each, its elements have the module's outputs.
func (v *view) usesOfElement(f *file, b *source.Binding, steps []source.Step) []use {
	if !b.Value || b.Of == nil || len(b.Of.Steps) != 2 || b.Of.Bound != nil || b.Of.Steps[0].Text != "module" {
		return nil
	}
	return v.outputOf(name{f.dir, "module", "", b.Of.Steps[1].Text}, steps[1:])
}

// usesInCollection returns the names after each.value if the for_each is a module.
func (v *view) usesInCollection(f *file, a *source.Argument, steps []source.Step) []use {
	words := strings.Split(f.text.Slice(a.Value), ".")
	if len(words) != 2 || words[0] != "module" {
		return nil
	}
	return v.outputOf(name{f.dir, "module", "", words[1]}, steps)
}

// forEachOf returns the declaration or module block around b if it has a for_each, and nil otherwise.
func forEachOf(b *source.Block) *source.Block {
	if t := b.Top(); t != nil && t.Find("for_each") != nil {
		return t
	}
	return nil
}

// iterator returns the dynamic block around b whose elements have the name word, or nil if there is none.
func iterator(f *file, b *source.Block, word string) *source.Block {
	for ; b != nil && b.Parent != nil; b = b.Parent {
		if d := b.Parent; b.Type.Text == "content" && d.Type.Text == "dynamic" && iteratorOf(f, d) == word {
			return d
		}
	}
	return nil
}

// iteratorOf returns the name of a dynamic block's elements.
func iteratorOf(f *file, d *source.Block) string {
	if a := d.Find("iterator"); a != nil {
		return constant(f.text.Slice(a.Value))
	}
	return d.Label(0)
}
