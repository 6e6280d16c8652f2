package functions

import (
	"errors"
	"fmt"
	"strings"

	yaml "github.com/zclconf/go-cty-yaml"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

const (
	maxLevels = 100     // nested levels in the result of yamldecode
	maxOpen   = 1 << 13 // brackets in its text
	maxSearch = 1 << 26 // brackets times words: for each word, the parser searches all open brackets
	maxLine   = 1 << 15 // bytes
	maxValues = 1 << 21
)

// yamlDecode is the library's function without its comparisons of types, which take forever if aliases repeat each
// other. Its cost has been checked before.
var yamlDecode = function.New(&function.Spec{
	Params: []function.Parameter{param("src", cty.String)},
	Type: func(args []cty.Value) (cty.Type, error) {
		if !args[0].IsKnown() {
			return cty.DynamicPseudoType, nil
		}
		v, err := readYAML(args[0].AsString())
		if err != nil {
			return cty.NilType, function.NewArgError(0, err)
		}
		return v.Type(), nil
	},
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return readYAML(args[0].AsString()) },
})

func readYAML(src string) (cty.Value, error) {
	v, err := decodeYAML(src)
	if err != nil {
		return cty.NilVal, err
	}
	if n := repeated(v, 0, new(int64)); n > maxLevels {
		return cty.NilVal, fmt.Errorf("more than %d levels are inside of each other", maxLevels)
	}
	return v, nil
}

// decodeYAML reads a text in a time proportional to its length. Values repeated by aliases are shared.
func decodeYAML(src string) (cty.Value, error) {
	if err := deep(src); err != nil {
		return cty.NilVal, err
	}
	v, err := yaml.Standard.Unmarshal([]byte(src), cty.DynamicPseudoType)
	if err != nil && !errors.As(err, new(yaml.Error)) { // the library gives no position on the first line
		err = fmt.Errorf("on line 1: %w", err)
	}
	return v, err
}

var errBrackets = errors.New("it has too many brackets: write lists and maps on lines of their own, or use JSON")

// deep refuses a text that may be nested too deeply. Each bracket opens a level. Without brackets, a level is indented
// by a column, or is one of two that begin in the same column. The parser is recursive, and a stack overflow ends the
// process.
func deep(src string) error {
	brackets, words := 0, 0
	for _, c := range []byte(src) {
		switch c {
		case '[', '{':
			brackets++
			words++
		case ']', '}', ',', ':', ' ', '\n':
			words++
		}
	}
	if brackets > maxOpen || Product(int64(brackets), int64(words)) > maxSearch {
		return errBrackets
	}
	for line := range strings.Lines(src) {
		if len(line) > maxLine {
			return fmt.Errorf("it has a line of more than %d bytes", maxLine)
		}
	}
	return nil
}

// repeated counts all values inside of a value, repeated ones each time, until there are too many. It returns the
// depth that it has seen.
func repeated(v cty.Value, level int, n *int64) int {
	if *n++; *n > maxValues || level > maxLevels || v.IsNull() || !v.CanIterateElements() {
		return level
	}
	deepest := level
	for it := v.ElementIterator(); it.Next() && *n <= maxValues; {
		_, elem := it.Element()
		deepest = max(deepest, repeated(elem, level+1, n))
	}
	return deepest
}

// yamlCost is the number of values in the result, or in the text if that is refused once it was read: an expression can
// try again and again. Merging copies the entries of a map each time.
func yamlCost(args []cty.Value) int64 {
	src := text(args, 0)
	if hasLong(src, "0123456789._") { // YAML separates digits by underscores
		return TooMuch
	}
	merged := int64(0)
	if strings.Contains(src, "<<") || strings.Contains(src, "merge") {
		merged = Product(int64(strings.Count(src, "*")), int64(strings.Count(src, ":")+strings.Count(src, "?"))) / 8
	}
	if merged > maxValues {
		return TooMuch
	}
	v, err := decodeYAML(src)
	if err != nil { // the function reports it
		return counts("-", "?", ":", ",", "\n")(args)
	}
	n := int64(0)
	switch depth := repeated(v, 0, &n); {
	case n > maxValues:
		return TooMuch
	case depth > maxLevels: // what is deeper was not counted
		n = counts("-", "?", ":", ",", "\n")(args)
	}
	return n + merged
}
