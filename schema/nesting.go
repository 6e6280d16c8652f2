package schema

import (
	"bytes"
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/syncctl/syncctl/schema/functions"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// The parsers are recursive, and a stack that overflows cannot be recovered from: it ends the process. So the nesting
// of a text is bounded before it is parsed. No configuration that a person can read comes near these limits.
const (
	maxNesting = 100  // brackets, braces, blocks and templates inside each other
	maxChain   = 2000 // operators in one expression, each of which nests the rest of it
)

// tooNested reports where a text in HCL's native syntax is nested too deeply to be parsed, nil where it is not.
func tooNested(src []byte, name string) *hcl.Diagnostic {
	tokens, _ := hclsyntax.LexConfig(src, name, hcl.InitialPos) // what is wrong with them is for the parser to say
	return tooNestedTokens(tokens, 0)
}

func tooNestedTokens(tokens hclsyntax.Tokens, depth int) *hcl.Diagnostic {
	base, chain := depth, 0
	for _, t := range tokens {
		switch t.Type {
		case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen,
			hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl, hclsyntax.TokenOQuote, hclsyntax.TokenOHeredoc:
			depth++
			chain++ // an index nests what is before it
		case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen,
			hclsyntax.TokenTemplateSeqEnd, hclsyntax.TokenCQuote, hclsyntax.TokenCHeredoc:
			depth = max(depth-1, base)
			if t.Type == hclsyntax.TokenTemplateSeqEnd { // what follows in the template stands beside it
				chain = 0
			}
		case hclsyntax.TokenBang, hclsyntax.TokenMinus, hclsyntax.TokenPlus, hclsyntax.TokenStar, hclsyntax.TokenSlash,
			hclsyntax.TokenPercent, hclsyntax.TokenAnd, hclsyntax.TokenOr, hclsyntax.TokenEqualOp, hclsyntax.TokenNotEqual,
			hclsyntax.TokenLessThan, hclsyntax.TokenLessThanEq, hclsyntax.TokenGreaterThan, hclsyntax.TokenGreaterThanEq,
			hclsyntax.TokenQuestion, hclsyntax.TokenDot:
			chain++
		case hclsyntax.TokenComma, hclsyntax.TokenNewline, hclsyntax.TokenEqual:
			if depth <= maxNesting/2 { // an element, an argument or a line of its own
				chain = 0
			}
		case hclsyntax.TokenNumberLit:
			if len(t.Bytes) > maxDigits {
				return problem(t.Range, "Number out of range", "A number has at most %d digits.", maxDigits)
			}
		default:
		}
		if depth > maxNesting || chain > maxChain {
			return problem(t.Range, "Nested too deeply",
				"More than %d brackets, blocks or templates are inside each other here, "+
					"or more than %d operators are in one expression. Take the inner part into a local value.", maxNesting, maxChain)
		}
	}
	return nil
}

// tooNestedJSON is tooNested for JSON syntax, whose texts are templates.
func tooNestedJSON(src []byte, name string) *hcl.Diagnostic {
	depth, at := 0, hcl.InitialPos
	if functions.LongNumber.Match(src) {
		return problem(hcl.Range{Filename: name, Start: at, End: at}, "Number out of range",
			"A number has at most %d digits.", maxDigits)
	}
	for i := 0; i < len(src); i++ {
		switch src[i] {
		case '\n':
			at = hcl.Pos{Line: at.Line + 1, Column: 1, Byte: i + 1}
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case '"':
			end := endOfText(src, i+1)
			text := src[i+1 : end]
			if bytes.Contains(text, []byte("${")) || bytes.Contains(text, []byte("%{")) {
				tokens, _ := hclsyntax.LexTemplate(bytes.ReplaceAll(text, []byte(`\"`), []byte(`"`)), name, at)
				if d := tooNestedTokens(tokens, depth); d != nil {
					return d
				}
			}
			i = end
		}
		if depth > maxNesting {
			here := hcl.Pos{Line: at.Line, Column: i - at.Byte + 1, Byte: i}
			return problem(hcl.Range{Filename: name, Start: here, End: here}, "Nested too deeply",
				"More than %d brackets are inside each other here.", maxNesting)
		}
	}
	return nil
}

// endOfText finds the quote that ends a JSON text which begins at i, or the end of the source.
func endOfText(src []byte, i int) int {
	for ; i < len(src) && src[i] != '"'; i++ {
		if src[i] == '\\' {
			i++
		}
	}
	return min(i, len(src))
}

// jsonDecode is Terraform's jsondecode, whose parser is recursive too.
var jsonDecode = checked(stdlib.JSONDecodeFunc, func(text string) error {
	if d := tooNestedJSON([]byte(text), ""); d != nil {
		return fmt.Errorf("more than %d brackets are inside each other", maxNesting)
	}
	return nil
})

// checked is a function of one text that looks at the text first.
func checked(f function.Function, check func(string) error) function.Function {
	typed := func(args []cty.Value) (cty.Type, error) {
		if args[0].IsKnown() && !args[0].IsNull() {
			if err := check(args[0].AsString()); err != nil {
				return cty.DynamicPseudoType, function.NewArgError(0, err)
			}
		}
		return f.ReturnTypeForValues(args)
	}
	return function.New(&function.Spec{
		Description: f.Description(), Params: f.Params(), Type: typed,
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return f.Call(args) },
	})
}
