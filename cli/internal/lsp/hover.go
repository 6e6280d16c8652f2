package lsp

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/syncctl/syncctl/cli/internal/lsp/source"
	"github.com/syncctl/syncctl/printable"
	"github.com/syncctl/syncctl/reference"
	"github.com/syncctl/syncctl/schema"
)

// spot is the word at an offset of a file.
type spot struct {
	word  source.Span
	role  source.Role
	block *source.Block    // the block that the word is in, or whose type or label it is
	label int              // index of the label
	arg   *source.Argument // the argument whose name it is
	ref   *source.Reference
	step  int // index of the step in ref
	text  string
}

// spot finds the word at an offset. It returns false if there is none.
func (f *file) spot(at int) (spot, bool) {
	for _, r := range f.tree.References {
		if !r.Has(at) {
			continue
		}
		for i, s := range r.Steps {
			if s.Has(at) && s.Text != "" {
				role := source.Member
				if i == 0 {
					role = source.Root
				}
				return spot{word: s.Span, role: role, block: r.In, ref: r, step: i, text: s.Text}, true
			}
		}
	}
	if s, ok := blockSpot(f.tree.File, at); ok {
		return s, true
	}
	for _, m := range f.tree.Marks {
		if m.Role == source.Function && m.Has(at) {
			return spot{word: m.Span, role: m.Role, text: f.text.Slice(m.Span)}, true
		}
	}
	return spot{}, false
}

// blockSpot finds the block type, label or argument name at an offset, in b or in blocks inside it.
func blockSpot(b *source.Block, at int) (spot, bool) {
	for {
		for _, x := range append([]*source.Block{b}, b.Blocks...) { // in JSON, these words are outside of the block
			if x.Parent != nil && x.Type.Has(at) {
				return spot{word: x.Type.Span, role: source.BlockType, block: x, text: x.Type.Text}, true
			}
			for i, l := range x.Labels {
				if l.Has(at) {
					return spot{word: l.Span, role: source.Label, block: x, label: i, text: l.Text}, true
				}
			}
		}
		for _, a := range b.Arguments {
			if a.Name.Has(at) {
				return spot{word: a.Name.Span, role: source.Name, block: b, arg: a, text: a.Name.Text}, true
			}
		}
		var inner *source.Block
		for _, x := range b.Blocks {
			if x.Has(at) {
				inner = x
			}
		}
		if inner == nil {
			return spot{}, false
		}
		b = inner
	}
}

// hover returns what the word at a position means, or nil if there is nothing to say.
func (v *view) hover(_ context.Context, p *positionParams) (*hover, error) {
	f := v.document(p.TextDocument)
	if f == nil {
		return nil, nil
	}
	s, ok := f.spot(f.text.Offset(p.Position, v.enc))
	if !ok {
		return nil, nil
	}
	text := v.explain(f, s)
	if text == "" {
		return nil, nil
	}
	return &hover{Contents: markdown(text), Range: v.rangeIn(f.text, s.word)}, nil
}

// explain returns what a word means, in Markdown.
func (v *view) explain(f *file, s spot) string {
	switch s.role {
	case source.Function:
		for _, fn := range schema.Functions() {
			if fn.Name == s.text {
				return v.function(fn.Name)
			}
		}
	case source.BlockType:
		around := v.scope(f, s.block.Parent)
		if around == nil {
			return ""
		}
		if n := around.find(s.text); n != nil {
			return head(n.header()) + n.doc
		}
	case source.Label:
		return v.explainLabel(f, s)
	case source.Name:
		if a := v.scope(f, s.block).attribute(s.text); a != nil {
			return head(a.Name) + reference.Argument(a)
		}
		if s.block.Type.Text == "locals" {
			return head("local." + s.text)
		}
	case source.Root, source.Member:
		return v.explainStep(f, s)
	}
	return ""
}

// maxShown is the maximum length of a text from a file that is shown, in bytes.
const maxShown = 2_000

// shortened returns a text, or the beginning of a long one.
func shortened(text string) string {
	if len(text) <= maxShown {
		return text
	}
	return strings.ToValidUTF8(text[:maxShown], "") + "…"
}

// head returns code as a Markdown code block. The code may come from a file.
func head(code string) string { return printable.MarkdownBlock("hcl", shortened(code)) }

// prose returns a text from a file, escaped for Markdown: otherwise an editor would fetch pictures and follow links.
func prose(text string) string {
	var paragraphs []string
	for line := range strings.Lines(shortened(text)) {
		if line = strings.TrimSpace(line); line != "" {
			paragraphs = append(paragraphs, printable.Markdown(line))
		}
	}
	return strings.Join(paragraphs, "\n\n")
}

// header returns how a block is written, with its labels and an empty body.
func (n *nested) header() string {
	text := n.name
	for _, l := range n.labels {
		text += fmt.Sprintf(" %q", strings.ToUpper(l))
	}
	return text + " {}"
}

func (v *view) explainLabel(f *file, s spot) string {
	b := s.block
	if b.Type.Text == "dynamic" && b.Parent.Parent != nil {
		if around := v.scope(f, b.Parent); around != nil && around.find(s.text) != nil {
			n := around.find(s.text)
			return head(n.header()) + n.doc
		}
	}
	if b.Parent.Parent != nil {
		return ""
	}
	kind, typ := schema.Kind(b.Type.Text), b.Label(0)
	if b.Type.Text == "defaults" {
		kind, typ = schema.Kind(b.Label(0)), b.Label(1)
		if s.label == 0 {
			return v.summary(b.Label(0))
		}
	}
	if t := v.opts.Catalog.Lookup(kind, typ); t != nil && (s.label == 0 || b.Type.Text == "defaults") {
		return head(fmt.Sprintf("%s %q", kind, typ)) + t.Summary
	}
	for _, d := range f.declared() {
		if d.block == b {
			return v.describe(d)
		}
	}
	return ""
}

// explainStep returns what a step of a reference means.
func (v *view) explainStep(f *file, s spot) string {
	for _, u := range v.uses(f, s.ref) {
		if u.at != s.word {
			continue
		}
		if d := v.find(u.name); d != nil {
			return v.describe(d)
		}
		return ""
	}
	steps := s.ref.Steps
	switch root := steps[0].Text; {
	case s.ref.Bound != nil:
	case s.step == 0:
		return v.summary(root)
	case isKind(root) && s.step == 1:
		if t := v.opts.Catalog.Lookup(schema.Kind(root), s.text); t != nil {
			return head(fmt.Sprintf("%s %q", root, s.text)) + t.Summary
		}
	case isKind(root) && s.step > 2:
		t := v.opts.Catalog.Lookup(schema.Kind(root), steps[1].Text)
		if t == nil || s.step > 3 && (s.step > 4 || !steps[3].Index) {
			return ""
		}
		for i := range t.Body.Attributes {
			if a := &t.Body.Attributes[i]; a.Name == s.text {
				return head(a.Name) + reference.Argument(a)
			}
		}
	}
	return ""
}

// describe returns what is declared, and where. It shows no value.
func (v *view) describe(s *symbol) string {
	where, line := filepath.Base(s.file.path), s.file.text.Position(s.at.From, v.enc).Line+1
	at := fmt.Sprintf("Declared in %s, line %d.", prose(where), line)
	if s.arg != nil {
		return head(s.key()) + at
	}
	text := head(s.key())
	if ty := s.block.Find("type"); ty != nil && s.kind == "var" {
		text = head(s.key() + ": " + s.file.plain(ty))
	}
	if d := s.constant("description"); d != "" {
		text += prose(d) + "\n\n"
	}
	if t := v.opts.Catalog.Lookup(schema.Kind(s.kind), s.typ); t != nil {
		text += t.Summary + "\n\n"
	}
	if s.kind == "module" {
		text += "source = " + printable.MarkdownCode(shortened(s.constant("source"))) + "\n\n"
	}
	if s.block.Find("for_each") != nil {
		text += "There is one for each key of its for_each.\n\n"
	}
	return text + at
}

// summary returns the summary of a word of the language from the reference pages. var and local are described on the
// pages of variable and locals.
func (v *view) summary(word string) string {
	for _, p := range v.opts.Pages {
		if p.Group == reference.Language && (p.Word == word || word+"iable" == p.Word || word+"s" == p.Word) {
			return p.Summary
		}
	}
	return ""
}

// function returns the reference page of a function, or "" if there is none.
func (v *view) function(name string) string {
	for _, p := range v.opts.Pages {
		if p.Group != reference.Functions || p.Word != name {
			continue
		}
		var b strings.Builder
		if err := p.Write(&b, reference.Layout{}); err != nil {
			return p.Summary
		}
		return b.String()
	}
	return ""
}
