package lsp

import (
	"context"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/cli/internal/lsp/source"
	"github.com/syncctl/syncctl/schema"
)

// The kinds of symbols.
const (
	symbolModule   = 2
	symbolClass    = 5
	symbolProperty = 7
	symbolVariable = 13
	symbolObject   = 19
)

// outline returns the arguments and blocks of a file.
func (v *view) outline(_ context.Context, p *documentParams) ([]documentSymbol, error) {
	f := v.document(p.TextDocument)
	if f == nil {
		return []documentSymbol{}, nil
	}
	return append([]documentSymbol{}, v.outlineOf(f, f.tree.File)...), nil
}

// outlineOf returns the arguments and blocks inside a block. The recursion is bounded: the reader limits the depth.
func (v *view) outlineOf(f *file, b *source.Block) []documentSymbol {
	var out []documentSymbol
	for _, a := range b.Arguments {
		kind := symbolProperty
		if b.Type.Text == "locals" || f.kind == values {
			kind = symbolVariable
		}
		out = append(out, documentSymbol{Name: a.Name.Text, Kind: kind, Range: v.rangeIn(f.text, a.Span),
			SelectionRange: v.rangeIn(f.text, a.Name.Span)})
	}
	for _, inner := range b.Blocks {
		kind := symbolObject
		switch {
		case inner.Type.Text == "variable":
			kind = symbolVariable
		case inner.Type.Text == "module":
			kind = symbolModule
		case b.Parent == nil:
			kind = symbolClass
		}
		title := inner.Type.Text
		for _, l := range inner.Labels {
			title += " " + l.Text
		}
		out = append(out, documentSymbol{Name: schema.SanitizeLine(title), Kind: kind, Range: v.rangeIn(f.text, inner.Span),
			SelectionRange: v.rangeIn(f.text, inner.Type.Span), Children: v.outlineOf(f, inner)})
	}
	slices.SortStableFunc(out, func(a, b documentSymbol) int {
		if d := a.Range.Start.Line - b.Range.Start.Line; d != 0 {
			return d
		}
		return a.Range.Start.Character - b.Range.Start.Character
	})
	return out
}

// maxFound is the maximum number of symbols that a search returns.
const maxFound = 1_000

// search returns the symbols in the open folders whose names match a query.
func (v *view) search(ctx context.Context, p *searchParams) ([]symbolInformation, error) {
	out := []symbolInformation{}
	for _, dir := range v.open(ctx) {
		for _, s := range v.symbols(dir) {
			if !resembles(p.Query, s.key()) || len(out) == maxFound {
				continue
			}
			kind := symbolClass
			switch s.kind {
			case "var", "local", "output":
				kind = symbolVariable
			case "module":
				kind = symbolModule
			}
			out = append(out, symbolInformation{schema.SanitizeLine(s.key()), kind, v.location(s.file, s.at)})
		}
	}
	return out, nil
}

// tokenTypes are the types of tokens, by their names in the protocol.
var tokenTypes = []string{"class", "enumMember", "property", "function", "variable", "parameter", "keyword", "number",
	"string", "comment", "operator"}

// tokenTypeOf holds the token type of each role.
var tokenTypeOf = map[source.Role]string{source.BlockType: "class", source.Label: "enumMember", source.Name: "property",
	source.Key: "property", source.Function: "function", source.Root: "variable", source.Member: "property",
	source.Local: "parameter", source.Keyword: "keyword", source.Number: "number", source.Quoted: "string",
	source.Comment: "comment", source.Operator: "operator"}

// tokens returns the type of each word of a file, for syntax colours.
func (v *view) tokens(ctx context.Context, p *documentParams) (*semanticTokens, error) {
	out := &semanticTokens{Data: []int{}}
	f := v.document(p.TextDocument)
	if f == nil {
		return out, nil
	}
	marks := slices.Clone(f.tree.Marks)
	slices.SortStableFunc(marks, func(a, b source.Mark) int { return a.From - b.From })
	line, character, end := 0, 0, 0
	for _, m := range marks {
		if ctx.Err() != nil || m.From < end {
			continue
		}
		end = m.To
		for from := m.From; from < m.To; { // a token is on one line
			to := m.To
			next := m.To
			if n := strings.IndexAny(f.text.Source[from:m.To], "\r\n"); n >= 0 {
				to, next = from+n, from+n+1
			}
			at, length := f.text.Position(from, v.enc), v.length(f.text.Source[from:to])
			from = next
			if length == 0 {
				continue
			}
			if at.Line != line {
				character = 0
			}
			out.Data = append(out.Data, at.Line-line, at.Character-character, length,
				slices.Index(tokenTypes, tokenTypeOf[m.Role]), 0)
			line, character = at.Line, at.Character
		}
	}
	return out, nil
}

// length returns the length of a part of a line, as the editor counts.
func (v *view) length(part string) int {
	return source.NewText(part).Position(len(part), v.enc).Character
}
