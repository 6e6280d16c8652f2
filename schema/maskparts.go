package schema

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/syncctl/syncctl/lazyregexp"
)

// masker finds possible secrets and parts of secrets in the sources, in addition to the known values: values under a
// name that sounds like a secret, wherever they are, and the inputs of such expressions through locals, variables,
// outputs and each.value. It does not distinguish modules, because hiding too much does no harm. Pieces of files are
// parsed one after the other, and those with nothing but inputs only if one of them is asked for.
type masker struct {
	named  map[string][]hcl.Expression // the expressions of referable names, by feeds, until they are taken
	seen   map[hcl.Range]bool          // expressions already visited
	found  []hcl.Expression            // secrets that are not yet hidden
	out    []hcl.Range
	texts  []string // constants under names of secrets: hidden wherever they are repeated
	plain  plainTexts
	unread []piece         // pieces with inputs
	asked  map[string]bool // the names for which unread was searched
}

func newMasker() *masker {
	return &masker{named: map[string][]hcl.Expression{}, seen: map[hcl.Range]bool{}, plain: plainTexts{},
		asked: map[string]bool{}}
}

// privateKey matches a private key in its usual form, in a heredoc as well as in one line with escaped line feeds.
var privateKey = lazyregexp.New(`(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----(.*?)(?:-----END |\z)`)

// feedInText is used instead of feeds for a template in JSON that cannot be parsed.
var feedInText = lazyregexp.New(`\b(?:local|var)\.[\pL_][\pL\pN_-]*`)

// maskedParts returns the sources, with neither trees nor masks, the ranges in them that snippets must not show, and
// texts that they must not show anywhere. secret holds the known sensitive expressions.
func maskedParts(sources map[string]source, secret []hcl.Expression) (map[string]*hcl.File, []hcl.Range, []string) {
	m, files := newMasker(), map[string]*hcl.File{}
	var inJSON []string
	trees := map[string]*hcl.File{}
	for _, path := range slices.Sorted(maps.Keys(sources)) {
		s := sources[path]
		files[path] = &hcl.File{Bytes: s.text}
		m.out = append(m.out, groupRanges(privateKey, path, s.text)...)
		if s.pieces != nil {
			files[path].Nav = s.pieces
			m.readPieces(s.pieces)
			continue
		}
		tree, whole := s.tree(path)
		files[path].Nav = tree.Nav
		if !whole {
			m.out = append(m.out, secretLines(path, s.text)...)
		}
		if body, ok := tree.Body.(*hclsyntax.Body); ok {
			m.read(piece{path: path, text: s.text}, body)
			continue
		}
		if tree.Body != nil {
			m.collect(path, tree.Body)
		}
		if strings.HasSuffix(path, ".json") {
			inJSON, trees[path] = append(inJSON, path), tree
		}
	}
	for _, path := range inJSON { // once all inputs are known
		m.found = append(m.found, m.members(path, trees[path])...)
	}
	m.hideAll(secret)
	return files, m.out, m.texts
}

// readPieces finds what is in the pieces of a file. It notes those in which there may be inputs and nothing else.
func (m *masker) readPieces(p *pieces) {
	at := 0
	for _, text := range p.texts {
		part := piece{path: p.path, text: text, at: at}
		at += len(text)
		switch m.plain.mayHold(text) {
		case nothing:
		case inputs:
			m.unread = append(m.unread, part)
		case secrets:
			m.parse(part)
		}
	}
}

// parse finds what is in a piece of a file.
func (m *masker) parse(p piece) {
	file, err := parsePiece(p.text, p.path, hcl.Pos{Line: 1, Column: 1, Byte: p.at})
	if err != nil { // never: it did parse
		m.out = append(m.out, hcl.Range{Filename: p.path, Start: hcl.Pos{Byte: p.at}, End: hcl.Pos{Byte: p.at + len(p.text)}})
		return
	}
	m.read(p, file.Body.(*hclsyntax.Body))
}

// read finds what is in the tree of a piece of a file. It keeps nothing of the tree.
func (m *masker) read(p piece, body *hclsyntax.Body) {
	m.collect(p.path, body)
	for _, expr := range m.names(p.path, body) {
		m.found = append(m.found, gistOf(expr))
	}
	if mayTell(p.text) {
		m.out = append(m.out, inTexts(p)...)
	}
}

// assigned matches an assignment in a comment or a text, such as an argument that was commented out, an option of a
// program, or a member in JSON.
var assigned = lazyregexp.New(`([\w-]+)\\?"?[ \t]*[=:][=:>]?[ \t]*`)

// login matches the password in an address.
var login = lazyregexp.New(`://[^\s/:@]*:([^\s/@]+)@`)

// inTexts returns the ranges of values that comments and texts assign to names that sound like secrets, up to the ends
// of the lines, and of passwords in addresses.
func inTexts(p piece) (out []hcl.Range) {
	tokens, _ := hclsyntax.LexConfig(p.text, p.path, hcl.Pos{Byte: p.at}) // errors are reported elsewhere
	for _, t := range tokens {
		switch t.Type { //nolint:exhaustive // no other token contains text
		case hclsyntax.TokenComment, hclsyntax.TokenQuotedLit, hclsyntax.TokenStringLit:
		default:
			continue
		}
		at := t.Range.Start.Byte
		for line := range bytes.Lines(t.Bytes) {
			for _, part := range secretParts(line) {
				out = append(out, hcl.Range{Filename: p.path, Start: hcl.Pos{Byte: at + part[0]}, End: hcl.Pos{Byte: at + part[1]}})
			}
			at += len(line)
		}
	}
	return out
}

// secretParts returns from where to where a line may contain a secret.
func secretParts(line []byte) (out [][2]int) {
	for _, m := range login.FindAllSubmatchIndex(line, -1) {
		out = append(out, [2]int{m[2], m[3]})
	}
	for _, m := range assigned.FindAllSubmatchIndex(line, -1) {
		if maskedName(string(line[m[2]:m[3]])) {
			return append(out, [2]int{m[1], len(line)})
		}
	}
	return out
}

// leastRepeated is the length of the shortest text that is hidden wherever it is repeated. A shorter one may be a word.
const leastRepeated = 8

// repeats notes the constant under a name, if the name is that of a secret.
func (m *masker) repeats(name string, expr hcl.Expression) {
	if !secretName(name) {
		return
	}
	if text, _ := constant(expr); len(text) >= leastRepeated {
		m.texts = append(m.texts, text)
	}
}

// constant returns the text of an expression that is a text or another simple value. Nothing is evaluated: what a
// person writes may take any time and memory, and nothing limits it here.
func constant(expr hcl.Expression) (string, bool) {
	switch e := expr.(type) {
	case *hclsyntax.LiteralValueExpr:
		return Text(e.Val), true
	case *hclsyntax.TemplateExpr:
		var text strings.Builder
		for _, part := range e.Parts {
			more, ok := constant(part)
			if !ok {
				return "", false
			}
			text.WriteString(more)
		}
		return text.String(), true
	case *hclsyntax.TemplateWrapExpr:
		return constant(e.Wrapped)
	case *hclsyntax.ParenthesesExpr:
		return constant(e.Expression)
	case hclsyntax.Expression:
		return "", false
	}
	val, diags := expr.Value(nil) // without a context, JSON returns texts literally
	return Text(val), !diags.HasErrors()
}

// keyMayBe returns what the key of a member in an object may be: all of its text, or the parts of it if it is computed.
func keyMayBe(expr hclsyntax.Expression) []string {
	key, wrapped := expr.(*hclsyntax.ObjectConsKeyExpr)
	if wrapped {
		if name := hcl.ExprAsKeyword(key.Wrapped); name != "" && !key.ForceNonLiteral {
			return []string{name}
		}
		expr = key.Wrapped
	}
	if text, ok := constant(expr); ok {
		return []string{text}
	}
	var parts []string
	_ = hclsyntax.VisitAll(expr, func(n hclsyntax.Node) hcl.Diagnostics {
		if lit, ok := n.(*hclsyntax.LiteralValueExpr); ok {
			parts = append(parts, Text(lit.Val))
		}
		return nil
	})
	return append(parts, strings.Join(parts, ""))
}

// namedBlocks are the blocks whose contents can be referred to.
var namedBlocks = &hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{
	{Type: "locals"}, {Type: "variable", LabelNames: []string{"name"}}, {Type: "output", LabelNames: []string{"name"}},
	{Type: "module", LabelNames: []string{"name"}},
}}

// collect records expressions that can be referred to. Errors in a file are reported elsewhere.
func (m *masker) collect(path string, body hcl.Body) {
	add := func(name string, expr hcl.Expression) { m.named[name] = append(m.named[name], gistOf(expr)) }
	if strings.HasSuffix(strings.TrimSuffix(path, ".json"), ".syncvars.hcl") {
		attrs, _ := body.JustAttributes()
		for name, attr := range attrs {
			add("var."+name, attr.Expr)
		}
		return
	}
	content, _, _ := body.PartialContent(namedBlocks)
	if content == nil {
		return
	}
	for _, b := range content.Blocks {
		attrs, _ := b.Body.JustAttributes()
		for name, attr := range attrs {
			switch {
			case b.Type == "locals":
				add("local."+name, attr.Expr)
			case b.Type == "module":
				add("var."+name, attr.Expr)
			case b.Type == "variable" && name == "default":
				add("var."+b.Labels[0], attr.Expr)
			case b.Type == "variable" && name == "type":
				for _, expr := range optionalDefaults(attr.Expr) {
					add("var."+b.Labels[0], expr)
				}
			case b.Type == "output" && name == "value":
				add("module."+b.Labels[0], attr.Expr)
				add("module", attr.Expr)
			}
		}
	}
}

// optionalDefaults returns the default values of optional attributes in a type; in JSON, the whole type.
func optionalDefaults(typ hcl.Expression) (out []hcl.Expression) {
	node, ok := typ.(hclsyntax.Node)
	if !ok {
		return []hcl.Expression{typ}
	}
	_ = hclsyntax.VisitAll(node, func(n hclsyntax.Node) hcl.Diagnostics {
		if call, ok := n.(*hclsyntax.FunctionCallExpr); ok && call.Name == "optional" && len(call.Args) > 1 {
			out = append(out, call.Args[1])
		}
		return nil
	})
	return out
}

// feeds returns the names in masker.named of the expressions that a reference may evaluate to.
func feeds(t hcl.Traversal) []string {
	root := t.RootName()
	name, _ := stepName(t, 1)
	var out []string
	switch root {
	case "local", "var":
		out = []string{root + "." + name}
	case "module":
		out = outputs(t)
	}
	// each.value, or the iterator of a dynamic block; its name may be one with which other references begin.
	if name == "value" || name != "key" && !slices.Contains(roots, root) {
		out = append(out, "each "+t.SourceRange().Filename)
	}
	return out
}

// outputs returns the names in masker.named of the outputs that a reference to a module may mean. A text in brackets
// may be a key of its for_each. Without an output's name, all outputs are meant.
func outputs(t hcl.Traversal) []string {
	var out []string
	dotted := false
	for i := 2; i < min(len(t), 4); i++ {
		if name, ok := stepName(t, i); ok {
			out = append(out, "module."+name)
		}
		_, ok := t[i].(hcl.TraverseAttr)
		dotted = dotted || ok
	}
	if !dotted {
		return []string{"module"}
	}
	return out
}

// take returns the expressions of a name in masker.named and removes them, so that each is visited once.
func (m *masker) take(name string) []hcl.Expression {
	m.ask(name)
	exprs := m.named[name]
	delete(m.named, name)
	return exprs
}

// mostSearched is for how many names the unread pieces are searched. For more, they are all read.
const mostSearched = 16

// ask reads the pieces in which a name in masker.named may be.
func (m *masker) ask(name string) {
	if len(m.unread) == 0 || m.asked[name] {
		return
	}
	m.asked[name] = true
	search := m.unread
	m.unread = nil
	for _, p := range search {
		if len(m.asked) > mostSearched || p.mayName(name) {
			m.parse(p)
		} else {
			m.unread = append(m.unread, p)
		}
	}
}

// hideAll hides these expressions, and those that were found.
func (m *masker) hideAll(exprs []hcl.Expression) {
	for len(exprs) > 0 || len(m.found) > 0 {
		for _, expr := range exprs {
			m.hide(expr)
		}
		exprs, m.found = m.found, nil
	}
}

// hide masks the texts and numbers in an expression and in its inputs.
func (m *masker) hide(expr hcl.Expression) {
	for todo := []hcl.Expression{expr}; len(todo) > 0; {
		expr, todo = todo[0], todo[1:]
		if m.seen[expr.Range()] {
			continue
		}
		m.seen[expr.Range()] = true
		m.out = append(m.out, literals(expr)...)
		for _, t := range expr.Variables() {
			for _, name := range feeds(t) {
				todo = append(todo, m.take(name)...)
			}
		}
	}
}

// literals returns the ranges of the texts and numbers in an expression; in JSON, its whole range.
func literals(expr hcl.Expression) []hcl.Range {
	if g, ok := expr.(gist); ok {
		return g.literals
	}
	node, ok := expr.(hclsyntax.Node)
	if !ok {
		return []hcl.Range{expr.Range()}
	}
	var out []hcl.Range
	_ = hclsyntax.VisitAll(node, func(n hclsyntax.Node) hcl.Diagnostics {
		if lit, ok := n.(*hclsyntax.LiteralValueExpr); ok {
			out = append(out, lit.SrcRange)
		}
		return nil
	})
	return out
}

// names finds the values under names that sound like secrets, in arguments and in objects, and the arguments of
// sensitive(). It records the values of each.value in the file.
func (m *masker) names(path string, in hclsyntax.Node) (found []hcl.Expression) {
	_ = hclsyntax.VisitAll(in, func(n hclsyntax.Node) hcl.Diagnostics {
		switch n := n.(type) {
		case *hclsyntax.Body:
			found = append(found, lostDefaults(n, n == in)...)
		case *hclsyntax.Attribute:
			if maskedName(n.Name) {
				found = append(found, n.Expr)
				m.repeats(n.Name, n.Expr)
			}
			if n.Name == "for_each" {
				m.named["each "+path] = append(m.named["each "+path], gistOf(n.Expr))
			}
		case *hclsyntax.ObjectConsExpr:
			for _, item := range n.Items {
				keys := keyMayBe(item.KeyExpr)
				if i := slices.IndexFunc(keys, maskedName); i >= 0 {
					found = append(found, item.ValueExpr)
					m.repeats(keys[i], item.ValueExpr)
				}
			}
		case *hclsyntax.FunctionCallExpr:
			if n.Name == "sensitive" {
				found = append(found, n)
			}
		}
		return nil
	})
	return found
}

// lostDefaults returns the default values in blocks that may be meant as variables, and cannot be read as such: nobody
// knows whether they are secret.
func lostDefaults(in *hclsyntax.Body, top bool) (found []hcl.Expression) {
	for _, b := range in.Blocks {
		if attr := b.Body.Attributes["default"]; attr != nil && !(top && b.Type == "variable" && len(b.Labels) == 1) {
			found = append(found, attr.Expr)
		}
	}
	return found
}
