package lsp

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aymanbagabas/go-udiff"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/syncctl/syncctl/cli/internal/lsp/source"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

// format returns the edits that fmt would make. It returns none if the file does not parse.
func (v *view) format(ctx context.Context, p *documentParams) ([]textEdit, error) {
	out := []textEdit{}
	f := v.document(p.TextDocument)
	if f == nil || f.json {
		return out, nil
	}
	after, diags := schema.FormatWithin(ctx, f.path, []byte(f.text.Source), schema.Usual)
	if diags.HasErrors() {
		return out, nil
	}
	for _, e := range udiff.Strings(f.text.Source, string(after)) {
		out = append(out, textEdit{v.rangeIn(f.text, source.Span{From: e.Start, To: e.End}), e.New})
	}
	return out, nil
}

// actions returns the fixes that are possible at a position: they add arguments and blocks that are missing by the
// grammar, or because of others that are there.
func (v *view) actions(_ context.Context, p *actionParams) ([]codeAction, error) {
	out := []codeAction{}
	f := v.document(p.TextDocument)
	if f == nil || f.json {
		return out, nil
	}
	for b := blockAt(f.tree.File, f.text.Offset(p.Range.Start, v.enc)); b.Parent != nil; b = b.Parent {
		if s := v.scope(f, b); s != nil && !s.optional && b.Closed {
			if out = v.required(f, b, s); len(out) > 0 {
				break
			}
		}
	}
	for _, d := range p.Context.Diagnostics {
		for _, fix := range v.fixes(d.Data) {
			if !slices.ContainsFunc(out, func(a codeAction) bool { return a.Title == fix.Title }) {
				out = append(out, fix)
			}
		}
	}
	return out, nil
}

// required returns the fixes for what is missing in a block by its grammar.
func (v *view) required(f *file, b *source.Block, s *scope) []codeAction {
	out := []codeAction{}
	var all []string
	for i := range s.attributes {
		if a := &s.attributes[i]; a.Required && b.Find(a.Name) == nil && !v.hasDefault(f, b, a.Name) {
			out = append(out, v.adding(f, b, s, a.Name))
			all = append(all, a.Name)
		}
	}
	for i := range s.blocks {
		if n := &s.blocks[i]; n.required && !hasBlock(b, n.name) {
			out = append(out, v.adding(f, b, s, n.name))
			all = append(all, n.name)
		}
	}
	if len(all) > 1 {
		every := v.adding(f, b, s, all...)
		every.Title = "Add all that is missing"
		out = append(out, every)
	}
	return out
}

// fixes returns the fixes for what a diagnostic says is missing, one for each way.
func (v *view) fixes(data json.RawMessage) []codeAction {
	var text string
	var what missing
	if json.Unmarshal(data, &text) != nil || json.Unmarshal([]byte(text), &what) != nil {
		return nil // of another server
	}
	f := v.document(documentID{what.URI})
	if f == nil || f.json {
		return nil
	}
	b := blockAt(f.tree.File, f.text.Offset(what.At, v.enc))
	s := v.scope(f, b)
	if s == nil || b.Parent == nil || !b.Closed {
		return nil
	}
	var out []codeAction
	for _, names := range what.Ways {
		if !slices.ContainsFunc(names, func(name string) bool {
			return s.attribute(name) == nil && s.find(name) == nil || b.Find(name) != nil || hasBlock(b, name)
		}) {
			out = append(out, v.adding(f, b, s, names...))
		}
	}
	return out
}

// adding returns a fix that adds arguments and blocks to a block.
func (v *view) adding(f *file, b *source.Block, s *scope, names ...string) codeAction {
	kind := "block"
	var lines, quoted []string
	for _, name := range names {
		quoted = append(quoted, strconv.Quote(name))
		if a := s.attribute(name); a != nil {
			kind = "argument"
			lines = append(lines, name+" = "+v.placeholder(f, a))
		} else {
			lines = append(lines, strings.TrimSuffix(s.find(name).header(), "{}")+"{\n}")
		}
	}
	if len(names) > 1 {
		kind += "s"
	}
	edit := workspaceEdit{map[string][]textEdit{v.uriOf(f.path): {v.insertion(f, b, lines)}}}
	return codeAction{Title: "Add the missing " + kind + " " + strings.Join(quoted, " and "), Kind: "quickfix", Edit: edit}
}

// blockAt returns the innermost block at an offset.
func blockAt(b *source.Block, at int) *source.Block {
	for {
		inner := b
		for _, x := range b.Blocks {
			if x.Has(at) {
				inner = x
			}
		}
		if inner == b {
			return b
		}
		b = inner
	}
}

// hasBlock reports whether b contains a block of that name, or a dynamic block that makes it.
func hasBlock(b *source.Block, name string) bool {
	for _, x := range b.Blocks {
		if x.Type.Text == name || x.Type.Text == "dynamic" && x.Label(0) == name {
			return true
		}
	}
	return false
}

// hasDefault reports whether a defaults block sets an argument of a declaration.
func (v *view) hasDefault(f *file, b *source.Block, arg string) bool {
	if b.Parent.Parent != nil || !isKind(b.Type.Text) {
		return false
	}
	for _, x := range v.in(f.dir, configuration) {
		for _, d := range x.tree.File.Blocks {
			if d.Type.Text == "defaults" && d.Label(0) == b.Type.Text && d.Label(1) == b.Label(0) && d.Find(arg) != nil {
				return true
			}
		}
	}
	return false
}

// insertion returns an edit that adds lines at the end of a block.
func (v *view) insertion(f *file, b *source.Block, lines []string) textEdit {
	at := b.Body.To
	last := strings.TrimRight(f.text.Source[b.Body.From:at], " \t\r\n")
	at = b.Body.From + len(last)
	outer := f.text.Indent(f.text.Position(b.From, source.UTF8).Line)
	if nl := strings.IndexByte(f.text.Source[at:b.Body.To], '\n'); nl >= 0 { // after a comment at the end of the line
		at += nl
		if f.text.Source[at-1] == '\r' {
			at--
		}
	}
	var text strings.Builder
	for _, line := range lines {
		text.WriteString("\n" + outer + "  " + strings.ReplaceAll(line, "\n", "\n"+outer+"  "))
	}
	if !strings.Contains(f.text.Source[at:b.Body.To], "\n") {
		text.WriteString("\n" + outer)
		return textEdit{v.rangeIn(f.text, source.Span{From: at, To: b.Body.To}), text.String()}
	}
	return textEdit{v.rangeIn(f.text, source.Span{From: at, To: at}), text.String()}
}

// placeholder returns a likely value for an argument, written as HCL.
func (v *view) placeholder(f *file, a *schema.Attribute) string {
	switch {
	case a.Ref != nil:
		for _, s := range v.symbols(f.dir) {
			if fits(a.Ref, s) {
				return s.key()
			}
		}
		if a.Ref.Type == "" {
			return string(a.Ref.Kind) + ".TYPE.NAME"
		}
		return string(a.Ref.Kind) + "." + a.Ref.Type + ".NAME"
	case len(a.OneOf) > 0:
		return string(hclwrite.TokensForValue(cty.StringVal(a.OneOf[0])).Bytes())
	case a.Type == cty.NilType || a.Type == cty.DynamicPseudoType:
		return "null"
	case a.Type == cty.String:
		return `""`
	case a.Type == cty.Number:
		return fmt.Sprint(a.Least)
	case a.Type == cty.Bool:
		return "false"
	case a.Type.IsMapType() || a.Type.IsObjectType():
		return "{}"
	}
	return "[]"
}
