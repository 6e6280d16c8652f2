package schema

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	hcljson "github.com/hashicorp/hcl/v2/json"
)

// members does the same as names for a JSON text, and masks what it finds. It does not take apart a text that could not
// be read, because that may be nested too deeply.
func (m *masker) members(path string, f *hcl.File) (found []hcl.Expression) {
	var in []json.Delim
	name := false // whether a name comes next
	top := ""     // the current top-level member, which is the type of a block
	dec := json.NewDecoder(bytes.NewReader(f.Bytes))
	for {
		before := dec.InputOffset()
		token, err := dec.Token()
		if err != nil { // also at the end
			return found
		}
		text, isText := token.(string)
		if isText && name && len(in) == 1 {
			top = text
		}
		if isText && f.Body != nil && m.inText(path, text) {
			found = append(found, m.cover(path, f, before)...)
		}
		isLabel := len(in) == 2 && (top == "variable" || top == "output" || top == "module")
		switch d, _ := token.(json.Delim); {
		case d == '{' || d == '[':
			in = append(in, d)
		case d != 0:
			in = in[:len(in)-1]
		case isText && name && (maskedName(text) && !isLabel || text == "default" && lostMember(top, in)):
			exprs := m.cover(path, f, dec.InputOffset())
			found = append(found, exprs...)
			for _, expr := range exprs {
				m.repeats(text, expr)
			}
			if dec.Decode(new(json.RawMessage)) != nil {
				return found
			}
		case isText && name:
			if text == "for_each" {
				_, exprs := valueAfter(path, f, dec.InputOffset())
				m.named["each "+path] = append(m.named["each "+path], exprs...)
			}
			name = false
			continue
		}
		name = len(in) > 0 && in[len(in)-1] == '{'
	}
}

// lostMember reports whether a member default is in an object that may be meant as a variable, and cannot be read as
// such. top is the first of the members around it, and in the brackets.
func lostMember(top string, in []json.Delim) bool {
	if top == "variable" {
		objects := 0
		for _, d := range in {
			if d == '{' {
				objects++
			}
		}
		return objects > 3 // the file, all variables, and this one
	}
	return !slices.ContainsFunc(topBlocks, func(b hcl.BlockHeaderSchema) bool { return b.Type == top })
}

// inText reports whether names or secretParts finds something in a JSON text. If the text is not a readable template,
// inText is as careful as with a file that does not parse.
func (m *masker) inText(path, text string) bool {
	for line := range strings.Lines(text) {
		if len(secretParts([]byte(line))) > 0 {
			return true
		}
	}
	if !strings.Contains(text, "${") && !strings.Contains(text, "%{") {
		return false
	}
	expr, diags := hclsyntax.ParseTemplate([]byte(text), path, hcl.InitialPos)
	if diags.HasErrors() {
		return strings.Contains(text, "sensitive") || secretLine.MatchString(text)
	}
	return len(m.names(path, expr)) > 0
}

// cover masks the value that follows a position in a JSON text, and returns its inputs.
func (m *masker) cover(path string, f *hcl.File, at int64) []hcl.Expression {
	rng, found := valueAfter(path, f, at)
	m.out = append(m.out, rng)
	for _, name := range feedInText.FindAllString(string(rng.SliceBytes(f.Bytes)), -1) {
		found = append(found, m.take(name)...)
	}
	return found
}

// valueAfter returns the value that follows a position in a JSON text. It returns no expression if the value is
// incomplete, or the text could not be read.
func valueAfter(path string, f *hcl.File, at int64) (hcl.Range, []hcl.Expression) {
	rest := bytes.TrimLeft(f.Bytes[at:], ":, \t\r\n")
	start := hcl.Pos{Byte: len(f.Bytes) - len(rest)}
	rng := hcl.Range{Filename: path, Start: start, End: start}
	var raw json.RawMessage
	if json.NewDecoder(bytes.NewReader(rest)).Decode(&raw) != nil {
		return rng, nil
	}
	rng.End.Byte += len(raw)
	if f.Body == nil {
		return rng, nil
	}
	expr, diags := hcljson.ParseExpressionWithStartPos(raw, path, start)
	if diags.HasErrors() {
		return rng, nil
	}
	return rng, []hcl.Expression{expr}
}
