package schema

import (
	"bytes"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// masker finds what in the sources may be a secret, or a part of one, beside the values that are known as such: what
// stands under a name that tells of a secret, wherever that is, and what goes into such an expression by way of
// locals, variables, outputs and each.value. Modules are not told apart: hiding too much does no harm.
type masker struct {
	named map[string][]hcl.Expression // what is written for what can be referred to, by feeds
	seen  map[hcl.Range]bool          // expressions that were looked at
	out   []hcl.Range
}

// privateKey is a private key in its usual form, in a heredoc as well as in one line with \n.
var privateKey = regexp.MustCompile(`(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----(.*?)(?:-----END |\z)`)

// feedInText is what feeds gives of a template in JSON, which is not taken apart.
var feedInText = regexp.MustCompile(`\b(?:local|var)\.[\pL_][\pL\pN_-]*`)

// maskedParts are the places in files that snippets must not show. secret are the expressions that are known to be.
func maskedParts(files map[string]*hcl.File, secret []hcl.Expression) []hcl.Range {
	m := &masker{named: map[string][]hcl.Expression{}, seen: map[hcl.Range]bool{}}
	paths := slices.Sorted(maps.Keys(files))
	for _, path := range paths {
		if files[path].Body != nil {
			m.collect(path, files[path].Body)
		}
	}
	found := slices.Clone(secret)
	for _, path := range paths {
		f := files[path]
		m.out = append(m.out, groupRanges(privateKey, path, f.Bytes)...)
		if body, ok := f.Body.(*hclsyntax.Body); ok {
			found = append(found, m.names(path, body)...)
		} else if strings.HasSuffix(path, ".json") {
			for _, rng := range maskedMembers(path, f.Bytes) {
				m.out = append(m.out, rng)
				for _, name := range feedInText.FindAllString(string(rng.SliceBytes(f.Bytes)), -1) {
					found = append(found, m.named[name]...)
				}
			}
		}
	}
	for _, expr := range found {
		m.hide(expr)
	}
	return m.out
}

// namedBlocks are the blocks in which something is written that can be referred to.
var namedBlocks = &hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{
	{Type: "locals"}, {Type: "variable", LabelNames: []string{"name"}}, {Type: "output", LabelNames: []string{"name"}},
	{Type: "module", LabelNames: []string{"name"}},
}}

// collect finds what can be referred to. What is wrong with a file is said elsewhere.
func (m *masker) collect(path string, body hcl.Body) {
	add := func(name string, expr hcl.Expression) { m.named[name] = append(m.named[name], expr) }
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
			case b.Type == "output" && name == "value":
				add("module."+b.Labels[0], attr.Expr)
			}
		}
	}
}

// feeds are the names in masker.named of what a reference may give.
func feeds(t hcl.Traversal) []string {
	var out []string
	root := t.RootName()
	for _, step := range t[1:] {
		attr, ok := step.(hcl.TraverseAttr)
		switch {
		case !ok:
		case root == "each" && attr.Name == "value":
			return []string{"each " + t.SourceRange().Filename}
		case root == "local" || root == "var":
			return []string{root + "." + attr.Name}
		case root == "module":
			out = append(out, root+"."+attr.Name)
		}
	}
	return out
}

// hide covers the texts and numbers in an expression, and in what goes into it.
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
				todo = append(todo, m.named[name]...)
			}
		}
	}
}

// literals are the places of the texts and numbers in an expression; in JSON, its whole place.
func literals(expr hcl.Expression) []hcl.Range {
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

// names finds what stands under names that tell of secrets, in arguments and in objects, and what sensitive() is of. It
// takes note of what each.value is in the file.
func (m *masker) names(path string, body *hclsyntax.Body) (found []hcl.Expression) {
	_ = hclsyntax.VisitAll(body, func(n hclsyntax.Node) hcl.Diagnostics {
		switch n := n.(type) {
		case *hclsyntax.Attribute:
			if maskedName(n.Name) {
				found = append(found, n.Expr)
			}
			if n.Name == "for_each" {
				m.named["each "+path] = append(m.named["each "+path], n.Expr)
			}
		case *hclsyntax.ObjectConsExpr:
			for _, item := range n.Items {
				key, diags := item.KeyExpr.Value(nil)
				if !diags.HasErrors() && !key.IsNull() && key.IsKnown() && maskedName(Text(key)) {
					found = append(found, item.ValueExpr)
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

// maskedMembers are the places of the values in a JSON text whose names tell of secrets.
func maskedMembers(path string, src []byte) []hcl.Range {
	var out []hcl.Range
	var in []json.Delim
	name := false // what comes next
	top := ""     // the member of the whole text, which is the type of a block
	dec := json.NewDecoder(bytes.NewReader(src))
	for {
		token, err := dec.Token()
		if err != nil { // also at the end
			return out
		}
		text, isText := token.(string)
		if isText && name && len(in) == 1 {
			top = text
		}
		isLabel := len(in) == 2 && (top == "variable" || top == "output" || top == "module")
		switch d, _ := token.(json.Delim); {
		case d == '{' || d == '[':
			in = append(in, d)
		case d != 0:
			in = in[:len(in)-1]
		case isText && name && maskedName(text) && !isLabel:
			var raw json.RawMessage
			if dec.Decode(&raw) != nil {
				return out
			}
			end := int(dec.InputOffset())
			out = append(out, hcl.Range{Filename: path, Start: hcl.Pos{Byte: end - len(raw)}, End: hcl.Pos{Byte: end}})
		case isText && name:
			name = false
			continue
		}
		name = len(in) > 0 && in[len(in)-1] == '{'
	}
}
