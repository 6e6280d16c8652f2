package schema

import (
	"encoding/pem"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
)

// valueTokens writes a value that is known and not marked. Unlike hclwrite it quotes a key "for", which would begin a
// for expression, and writes PEM as lines.
func (w *draftWriter) valueTokens(v cty.Value) hclwrite.Tokens {
	ty := v.Type()
	switch {
	case !v.IsNull() && ty == cty.String && isPEM(v.AsString()):
		return w.lines(v.AsString())
	case v.IsNull() || !ty.IsMapType() && !ty.IsObjectType() && !ty.IsListType() && !ty.IsTupleType() && !ty.IsSetType():
		return hclwrite.TokensForValue(v)
	case ty.IsMapType() || ty.IsObjectType():
		var attrs []hclwrite.ObjectAttrTokens
		for it := v.ElementIterator(); it.Next(); {
			key, each := it.Element()
			name := hclwrite.TokensForValue(key)
			if isBareKey(key.AsString()) {
				name = hclwrite.TokensForIdentifier(key.AsString())
			}
			attrs = append(attrs, hclwrite.ObjectAttrTokens{Name: name, Value: w.valueTokens(each)})
		}
		return hclwrite.TokensForObject(attrs)
	}
	var elements []hclwrite.Tokens
	for it := v.ElementIterator(); it.Next(); {
		_, each := it.Element()
		if each.Type() == cty.String { // a comma cannot follow a heredoc
			elements = append(elements, hclwrite.TokensForValue(each))
			continue
		}
		elements = append(elements, w.valueTokens(each))
	}
	return hclwrite.TokensForTuple(elements)
}

// isBareKey reports whether the key of an object can be written without quotes.
func isBareKey(key string) bool { return hclsyntax.ValidIdentifier(key) && key != "for" }

// isPEM reports whether a text is PEM exactly as an encoder writes it, so that no line of it ends a heredoc, and
// nothing in it is a template.
func isPEM(text string) bool {
	if !strings.HasPrefix(text, "-----BEGIN ") || strings.Contains(text, "{") ||
		strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && (r < ' ' || r > '~') }) {
		return false
	}
	var again []byte
	for rest := []byte(text); len(rest) > 0; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil || len(block.Headers) > 0 {
			return false
		}
		again = append(again, pem.EncodeToMemory(block)...)
	}
	return string(again) == text
}

// lines writes a text as a heredoc, indented as deep as its argument needs it.
func (w *draftWriter) lines(text string) hclwrite.Tokens {
	const end = "EOT"
	indent := strings.Repeat("  ", w.depth)
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(indent + "  " + line)
	}
	return hclwrite.Tokens{
		{Type: hclsyntax.TokenOHeredoc, Bytes: []byte("<<-" + end + "\n")},
		{Type: hclsyntax.TokenStringLit, Bytes: []byte(b.String())},
		{Type: hclsyntax.TokenCHeredoc, Bytes: []byte(indent + end)},
	}
}
