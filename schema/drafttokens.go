package schema

import (
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
)

// valueTokens writes a value that is known and not marked. Unlike hclwrite it quotes a key "for", which would begin a
// for expression.
func valueTokens(v cty.Value) hclwrite.Tokens {
	ty := v.Type()
	switch {
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
			attrs = append(attrs, hclwrite.ObjectAttrTokens{Name: name, Value: valueTokens(each)})
		}
		return hclwrite.TokensForObject(attrs)
	}
	var elements []hclwrite.Tokens
	for it := v.ElementIterator(); it.Next(); {
		_, each := it.Element()
		elements = append(elements, valueTokens(each))
	}
	return hclwrite.TokensForTuple(elements)
}

// isBareKey reports whether the key of an object can be written without quotes.
func isBareKey(key string) bool { return hclsyntax.ValidIdentifier(key) && key != "for" }
