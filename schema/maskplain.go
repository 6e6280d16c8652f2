package schema

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// mostPlain is how many texts are remembered, no more: it saves time, and takes memory.
const mostPlain = 1 << 16

// mayTell reports whether secretParts may find anything in a part of a text: if it may not, that is certain. To read
// the tokens takes much longer.
func mayTell(src []byte) bool {
	if login.Match(src) {
		return true
	}
	plain := plainTexts{} // the names seen so far
	for word := range bytes.FieldsFuncSeq(src, notInName) {
		if !plain[string(word)] {
			if maskedName(string(word)) {
				return true
			}
			if len(plain) < mostPlain {
				plain[string(word)] = true
			}
		}
	}
	return false
}

// feeding are the words one of which stands in every piece that has expressions for masker.named, unless a function is
// called there.
var feeding = []string{"locals", "module", "output", "for_each"}

// holds is what a piece of a file may hold that matters for masks.
type holds int

const (
	nothing holds = iota
	inputs        // what a secret elsewhere may be put together from
	secrets       // and secrets
)

// plainTexts remembers in which texts there is nothing to mask: the same ones come again and again.
type plainTexts map[string]bool

// mayHold returns what masker may find in a piece of a file, or take from it: what it does not say is certainly not
// there. To parse the piece takes longer. Names may be keys in quotes, so what is between quotes is looked at as a
// whole, too; where they may be computed, nothing is certain. A default may be that of a block that was meant as a
// variable.
func (plain plainTexts) mayHold(piece []byte) holds {
	if bytes.ContainsFunc(piece, func(c rune) bool { return c >= utf8.RuneSelf || strings.ContainsRune(`\$%(?+`, c) }) {
		return secrets
	}
	if login.Match(piece) {
		return secrets
	}
	most := nothing
	for text := range bytes.SplitSeq(piece, []byte(`"`)) {
		if plain[string(text)] {
			continue
		}
		if maskedName(string(text)) {
			return secrets
		}
		feeds := false
		for word := range bytes.FieldsFuncSeq(text, notInName) {
			name := string(word)
			if name == "default" || maskedName(name) {
				return secrets
			}
			feeds = feeds || slices.Contains(feeding, name)
		}
		switch {
		case feeds:
			most = inputs
		case len(plain) < mostPlain:
			plain[string(text)] = true
		}
	}
	return most
}

// piece is a part of a file that parses by itself.
type piece struct {
	path string
	text []byte
	at   int // its first byte in the file
}

// mayName reports whether a piece may have an expression of a name in masker.named. It is one in which mayHold finds
// inputs alone, so names are written as they are.
func (p piece) mayName(name string) bool {
	if path, ok := strings.CutPrefix(name, "each "); ok {
		return path == p.path
	}
	_, word, _ := strings.Cut(name, ".")
	return bytes.Contains(p.text, []byte(word))
}

// gist is what masker needs of an expression. Its syntax tree takes much more memory, and is let go.
type gist struct {
	rng       hcl.Range
	literals  []hcl.Range
	variables []hcl.Traversal
}

// gistOf returns the gist of an expression in the native syntax. Expressions in JSON stay as they are: to find their
// variables, their texts are parsed.
func gistOf(expr hcl.Expression) hcl.Expression {
	if _, native := expr.(hclsyntax.Node); !native {
		return expr
	}
	return gist{rng: expr.Range(), literals: literals(expr), variables: expr.Variables()}
}

// Value is not called: masker evaluates nothing.
func (gist) Value(*hcl.EvalContext) (cty.Value, hcl.Diagnostics) { return cty.DynamicVal, nil }

// Variables returns the references in the expression.
func (g gist) Variables() []hcl.Traversal { return g.variables }

// Range returns where the expression is.
func (g gist) Range() hcl.Range { return g.rng }

// StartRange returns the same.
func (g gist) StartRange() hcl.Range { return g.rng }

// notInName reports whether a character belongs to no name that assigned matches.
func notInName(c rune) bool {
	return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' && c != '-'
}
