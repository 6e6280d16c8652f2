package schema

import (
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
		elements = append(elements, w.valueTokens(each))
	}
	return hclwrite.TokensForTuple(elements)
}

// isBareKey reports whether the key of an object can be written without quotes.
func isBareKey(key string) bool { return hclsyntax.ValidIdentifier(key) && key != "for" }

// isPEM reports whether a text is PEM without anything that a heredoc would change.
func isPEM(text string) bool {
	return strings.HasPrefix(text, "-----BEGIN ") && strings.HasSuffix(text, "-----\n") &&
		!strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && (r < ' ' || r > '~') }) &&
		!strings.Contains(text, "{") && !strings.Contains(text, "\n ")
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
