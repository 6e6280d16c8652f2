package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// UnknownProductError says that a seed has a product that is not built in. Code that runs every example can skip
// those examples.
type UnknownProductError struct {
	Product  string
	Position string   // file:line:column
	Products []string // the ones that are built in, sorted
}

func (e *UnknownProductError) Error() string {
	known := "this program has none built in"
	if len(e.Products) > 0 {
		known = "this program knows " + strings.Join(e.Products, ", ")
	}
	return fmt.Sprintf("%s: there is no product %q to simulate: %s", e.Position, e.Product, known)
}

// part is one product's part of the seed.
type part struct {
	product string
	seed    []byte
}

func seedName(o Options) string {
	if o.SeedName == "" {
		return "sandbox.json"
	}
	return o.SeedName
}

// splitSeed splits the seed's outermost object into the products' parts, which it does not parse. They are sorted by
// product.
//
// Everything before a part in the file is replaced by blanks and passed with the part, so that the offsets, lines and
// columns that a product finds in it are those of the file.
func splitSeed(o Options) ([]part, error) {
	at := func(offset int64) string {
		line, column := position(o.Seed, offset)
		return fmt.Sprintf("%s:%d:%d", seedName(o), line, column)
	}
	if i := invalidUTF8(o.Seed); i >= 0 {
		return nil, fmt.Errorf("%s: the seed is not UTF-8", at(int64(i)))
	}
	var whole map[string]json.RawMessage
	if err := json.Unmarshal(o.Seed, &whole); err != nil {
		return nil, seedError(at, err)
	}
	// The text is valid here. The decoder only shows positions and duplicates.
	dec := json.NewDecoder(bytes.NewReader(o.Seed))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, fmt.Errorf("%s: the seed must be an object, product -> seed", at(0))
	}
	var parts []part
	seen := map[string]bool{}
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return nil, seedError(at, err)
		}
		name, _ := t.(string) // the decoder itself refuses a key that is not a string
		where := at(dec.InputOffset() - 1)
		if seen[name] {
			return nil, fmt.Errorf("%s: product %q stands here a second time", where, name)
		}
		seen[name] = true
		if o.Products[name] == nil {
			return nil, &UnknownProductError{Product: name, Position: where, Products: slices.Sorted(maps.Keys(o.Products))}
		}
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return nil, seedError(at, err)
		}
		end := dec.InputOffset()
		parts = append(parts, part{name, append(blanks(o.Seed[:end-int64(len(raw))]), raw...)})
	}
	if len(parts) == 0 {
		return nil, fmt.Errorf("%s: the seed names no product, so there is nothing to serve", at(0))
	}
	slices.SortFunc(parts, func(a, b part) int { return strings.Compare(a.product, b.product) })
	return parts, nil
}

// seedError adds the position in the file to a decoder's error.
func seedError(at func(int64) string, err error) error {
	var syntax *json.SyntaxError
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax) && strings.HasPrefix(err.Error(), "unexpected end"):
		return fmt.Errorf("%s: the seed is not JSON: it ends too early", at(syntax.Offset))
	case errors.As(err, &syntax): // the offset includes the wrong byte
		return fmt.Errorf("%s: the seed is not JSON: %w", at(syntax.Offset-1), err)
	case errors.As(err, &wrong):
		return fmt.Errorf("%s: the seed must be an object, product -> seed", at(0))
	}
	return fmt.Errorf("%s: reading the seed: %w", at(0), err)
}

// position returns line and column, both from 1. A column counts bytes, as in editors' "go to" and in other tools
// here.
func position(text []byte, offset int64) (line, column int) {
	before := text[:min(max(offset, 0), int64(len(text)))]
	return bytes.Count(before, []byte{'\n'}) + 1, len(before) - bytes.LastIndexByte(before, '\n')
}

func invalidUTF8(b []byte) int {
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return -1
}

// blanks returns text with a space for every byte except line ends.
func blanks(text []byte) []byte {
	out := bytes.Repeat([]byte{' '}, len(text))
	for i, c := range text {
		if c == '\n' || c == '\r' {
			out[i] = c
		}
	}
	return out
}

// indented returns v as JSON for people: two spaces, keys of maps sorted, < and & unescaped.
func indented(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
