package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/syncctl/syncctl/schema/functions"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// The parsers are recursive, and a stack overflow ends the process without recovery. So the nesting of a text is
// checked before it is parsed. No configuration readable by a person comes near these limits.
const (
	maxNesting = 100  // brackets, braces, blocks and templates inside each other
	maxChain   = 2000 // operators in one expression, each of which nests the rest of it
)

// maxJoins limits the bytes that are copied to read one text, which is about a second. The parser joins the parts of a
// text one by one, and each time copies what it has so far: it takes time with the square of the lines of a heredoc, or
// of the $ in a quoted text. A heredoc of 4,000 usual lines is within the limit.
const maxJoins = 1 << 30

// partSize is the size in bytes of a part in the parser's list of them, of which the rest is moved with each join.
const partSize = 16

// signs estimates the number of words and signs in a text, and is never much too low. The parsers use some hundred
// bytes of memory for each of them.
func signs(src []byte) int {
	n, inWord := 0, false
	for _, c := range src {
		word := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c >= 0x80
		if c != ' ' && c != '\t' && c != '\r' && !(word && inWord) {
			n++
		}
		inWord = word
	}
	return n
}

// tooDense reports a text that has too many words and signs. It returns nil if there are not too many.
func tooDense(n int, room Room, name string) *hcl.Diagnostic {
	most := room.orUsual().signs
	if n <= most {
		return nil
	}
	rng := hcl.Range{Filename: name, Start: hcl.InitialPos, End: hcl.InitialPos}
	return problem(rng, "Too much text", "There are more than %d words and signs in the files of this folder, or in "+
		"this text.", most)
}

// tooDeep reports where a file in HCL's native syntax is nested too deeply to be parsed. It returns nil if it is not.
// The words and signs of the file were counted before.
func tooDeep(src []byte, name string) *hcl.Diagnostic {
	if plainlyFlat(src) {
		return nil
	}
	tokens, _ := hclsyntax.LexConfig(src, name, hcl.InitialPos) // the parser reports errors in them
	return tooNestedTokens(tokens, 0)
}

// tooNestedExpression reports where a text that is one expression in HCL's native syntax is nested too deeply to be
// parsed, or is too dense. It returns nil if it is neither. Such an expression goes on after the end of a line.
func tooNestedExpression(src []byte, name string) *hcl.Diagnostic {
	if d := tooDense(signs(src), Usual, name); d != nil {
		return d
	}
	tokens, _ := hclsyntax.LexExpression(src, name, hcl.InitialPos) // the parser reports errors in them
	return (&nesting{expression: true}).check(tokens)
}

// plainlyFlat reports whether a text is certainly within the limits. It does not read the tokens, which costs as much
// as parsing. It knows only the usual contents of files; for anything else, such as a template, it returns false and
// the tokens must be checked.
func plainlyFlat(src []byte) bool {
	var open []byte  // the closing signs expected
	var outer []int  // for each of them, what linked was before
	var lines []bool // and whether the end of a line ends an expression before it
	linked := 0      // signs since an expression may have begun: at least as many as its operators and those around it
	number := 0      // length of a possible number
	for i := 0; i < len(src); i++ {
		c := src[i]
		number++
		if (c < '0' || c > '9') && strings.IndexByte(".eE+-", c) < 0 {
			number = 0
		}
		switch c {
		case '{', '[', '(':
			open, outer = append(open, "}])"[strings.IndexByte("{[(", c)]), append(outer, linked)
			lines = append(lines, c == '{' && !mayLoop(src[i+1:]))
			linked++
		case '}', ']', ')':
			if len(open) == 0 || open[len(open)-1] != c {
				return false
			}
			open, outer, lines = open[:len(open)-1], outer[:len(outer)-1], lines[:len(lines)-1]
		case ',':
			if len(open) == 0 {
				return false
			}
			linked = outer[len(outer)-1] + 1
		case '"':
			end := bytes.IndexByte(src[i+1:], '"')
			if end < 0 || bytes.ContainsAny(src[i+1:i+1+end], "\\$%\n") {
				return false
			}
			i += 1 + end
			linked++
		case '#':
			end := bytes.IndexByte(src[i:], '\n')
			if end < 0 {
				return true
			}
			i += end
		case '\n':
			if len(open) == 0 {
				linked = 0
			} else if lines[len(lines)-1] {
				linked = outer[len(outer)-1] + 1
			}
		case '!', '-', '+', '*', '%', '&', '|', '=', '>', '?', '.':
			linked++
		case '<', '/', '$', '\'', '`', '\\': // a heredoc, a comment, a template, or not HCL
			return false
		}
		if len(open) >= maxNesting || linked > maxChain || number > maxDigits {
			return false
		}
	}
	return true
}

// mayLoop reports whether the text after a brace may begin with the word for. If it does not, that is certain.
func mayLoop(src []byte) bool {
	src = bytes.TrimLeft(src, " \t\r\n")
	for len(src) > 0 && src[0] == '#' {
		end := bytes.IndexByte(src, '\n')
		if end < 0 {
			return true
		}
		src = bytes.TrimLeft(src[end:], " \t\r\n")
	}
	rest, found := bytes.CutPrefix(src, []byte("for"))
	return found && (len(rest) == 0 || notInName(rune(rest[0])))
}

func tooNestedTokens(tokens hclsyntax.Tokens, depth int) *hcl.Diagnostic {
	return (&nesting{outer: depth}).check(tokens)
}

// check reports where the tokens are nested too deeply. It returns nil if they are not.
func (n *nesting) check(tokens hclsyntax.Tokens) *hcl.Diagnostic {
	n.levels = []level{{}}
	for i, t := range tokens {
		if t.Type == hclsyntax.TokenNumberLit && len(t.Bytes) > maxDigits {
			return problem(t.Range, "Number out of range", "A number has at most %d digits.", maxDigits)
		}
		n.take(tokens, i)
		if n.levels[len(n.levels)-1].joins > maxJoins {
			return problem(t.Range, "Too long a text", "A text of so many lines, $ or %% takes too long to be read. "+
				"Take it into a file of its own, and read it with file().")
		}
		if n.outer+len(n.levels)-1+n.open > maxNesting || n.chain > maxChain {
			return problem(t.Range, "Nested too deeply",
				"More than %d brackets, blocks or templates are inside each other here, "+
					"or more than %d operators are in one expression. Take the inner part into a local value.", maxNesting, maxChain)
		}
	}
	return nil
}

// nesting is the parser's depth at a token.
type nesting struct {
	outer      int     // depth around all tokens
	expression bool    // the tokens are one expression, which goes on after the end of a line
	levels     []level // open levels, the innermost last
	open       int     // unfinished %{if} and %{for} of all levels
	chain      int     // operators of all levels
}

// level is opened by a bracket, a quote or a template sequence.
type level struct {
	opener hclsyntax.TokenType
	open   int  // unfinished %{if} and %{for} in a template
	chain  int  // operators of the current expression: each nests the rest of it, or what is before it
	lines  bool // the end of a line ends an expression
	parts  int  // parts of a text
	length int  // bytes of the parts since the last template sequence
	joins  int  // bytes copied to join the parts
}

var closers = map[hclsyntax.TokenType][]hclsyntax.TokenType{
	hclsyntax.TokenCBrace: {hclsyntax.TokenOBrace}, hclsyntax.TokenCBrack: {hclsyntax.TokenOBrack},
	hclsyntax.TokenCParen: {hclsyntax.TokenOParen}, hclsyntax.TokenCQuote: {hclsyntax.TokenOQuote},
	hclsyntax.TokenCHeredoc:       {hclsyntax.TokenOHeredoc},
	hclsyntax.TokenTemplateSeqEnd: {hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl},
}

func (n *nesting) take(tokens hclsyntax.Tokens, i int) {
	top := &n.levels[len(n.levels)-1]
	switch t := tokens[i]; t.Type {
	case hclsyntax.TokenQuotedLit, hclsyntax.TokenStringLit:
		top.parts++
		top.length += len(t.Bytes)
		top.joins += top.length + partSize*top.parts
	case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenOQuote,
		hclsyntax.TokenOHeredoc, hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
		n.link(top) // an index nests what is before it
		top.length = 0
		if t.Type == hclsyntax.TokenTemplateControl {
			n.control(top, word(tokens, i+1))
		}
		n.levels = append(n.levels, level{
			opener: t.Type, lines: t.Type == hclsyntax.TokenOBrace && word(tokens, i+1) != "for",
		})
	case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenTemplateSeqEnd,
		hclsyntax.TokenCQuote, hclsyntax.TokenCHeredoc:
		n.shut(closers[t.Type])
		if t.Type == hclsyntax.TokenTemplateSeqEnd { // the rest of the template is not nested in it
			n.next()
		}
	case hclsyntax.TokenBang, hclsyntax.TokenMinus, hclsyntax.TokenPlus, hclsyntax.TokenStar, hclsyntax.TokenSlash,
		hclsyntax.TokenPercent, hclsyntax.TokenAnd, hclsyntax.TokenOr, hclsyntax.TokenEqualOp, hclsyntax.TokenNotEqual,
		hclsyntax.TokenLessThan, hclsyntax.TokenLessThanEq, hclsyntax.TokenGreaterThan, hclsyntax.TokenGreaterThanEq,
		hclsyntax.TokenQuestion, hclsyntax.TokenDot:
		n.link(top)
	case hclsyntax.TokenComma:
		n.next()
	case hclsyntax.TokenNewline, hclsyntax.TokenEqual:
		if len(n.levels) == 1 && !n.expression || top.lines { // elsewhere an expression continues on the next line
			n.next()
		}
	}
}

func (n *nesting) link(top *level) { top.chain++; n.chain++ }

// next begins another expression at the same level.
func (n *nesting) next() {
	top := &n.levels[len(n.levels)-1]
	n.chain -= top.chain
	top.chain = 0
}

// control counts a directive of a template.
func (n *nesting) control(top *level, name string) {
	switch {
	case name == "if" || name == "for":
		top.open++
		n.open++
	case (name == "endif" || name == "endfor") && top.open > 0:
		top.open--
		n.open--
	}
}

// shut closes the innermost level that one of the openers began, and everything in it.
func (n *nesting) shut(openers []hclsyntax.TokenType) {
	for i := len(n.levels) - 1; i > 0; i-- {
		if !slices.Contains(openers, n.levels[i].opener) {
			continue
		}
		for _, l := range n.levels[i:] {
			n.open -= l.open
			n.chain -= l.chain
		}
		n.levels = n.levels[:i]
		return
	}
}

// word returns the next token that is not the end of a line, or "" if it is not a name.
func word(tokens hclsyntax.Tokens, i int) string {
	for ; i < len(tokens); i++ {
		switch tokens[i].Type {
		case hclsyntax.TokenNewline, hclsyntax.TokenComment:
		case hclsyntax.TokenIdent:
			return string(tokens[i].Bytes)
		default:
			return ""
		}
	}
	return ""
}

// tooDeepJSON is like tooDeep, for JSON syntax, in which strings are templates.
func tooDeepJSON(src []byte, name string) *hcl.Diagnostic {
	depth, at := 0, hcl.InitialPos
	if functions.HasLongNumber(src) {
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
			text := plainJSON(src[i:min(end+1, len(src))])
			if bytes.ContainsAny(text, "$%\n") { // a template, or one of many parts
				tokens, _ := hclsyntax.LexTemplate(text, name, at)
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

// plainJSON returns the contents of a quoted JSON string, without escapes.
func plainJSON(quoted []byte) []byte {
	if !bytes.ContainsRune(quoted, '\\') {
		return bytes.Trim(quoted, `"`)
	}
	var text string
	if err := json.Unmarshal(quoted, &text); err != nil {
		return quoted // the parser refuses it
	}
	return []byte(text)
}

// endOfText returns the position of the quote that ends the JSON string which begins at i, or the end of the source.
func endOfText(src []byte, i int) int {
	for ; i < len(src) && src[i] != '"'; i++ {
		if src[i] == '\\' {
			i++
		}
	}
	return min(i, len(src))
}

// jsonDecode is Terraform's jsondecode with limits, because its parser is recursive too. It also reports the position
// of errors.
var jsonDecode = checked(stdlib.JSONDecodeFunc, func(text string) error {
	if src := []byte(text); functions.HasLongNumber(src) || depthOfJSON(src) > maxNesting {
		return errors.New("it has more brackets inside each other, or longer numbers, than are read")
	}
	return functions.CheckJSON(text)
})

// depthOfJSON returns how many brackets are inside each other.
func depthOfJSON(src []byte) int {
	most, depth := 0, 0
	for i := 0; i < len(src); i++ {
		switch src[i] {
		case '{', '[':
			depth++
			most = max(most, depth)
		case '}', ']':
			depth--
		case '"':
			i = endOfText(src, i+1)
		}
	}
	return most
}

// checked returns a function of one text that checks the text first.
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
