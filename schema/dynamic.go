package schema

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// dynamic is a block "dynamic", which stands for one block of a type for each element of its for_each. The library's
// own implementation (ext/dynblock) needs values before it reveals the contents; here, mistakes in them are reported
// without values.
type dynamic struct {
	forEach  *hcl.Attribute
	labels   *hcl.Attribute // nil if the blocks have no labels
	iterator string
}

var dynamicHeader = hcl.BlockHeaderSchema{Type: "dynamic", LabelNames: []string{"block"}}

// shapeDynamic checks and records one dynamic block.
func (l *loader) shapeDynamic(s *shaped, blk *hcl.Block) {
	b := s.grammar.block(blk.Labels[0])
	if b == nil {
		var names []string
		for _, b := range s.grammar.Blocks {
			names = append(names, b.Name)
		}
		l.add(problem(blk.LabelRanges[0], "Unsupported block", "A block %q is not expected in %s.%s", blk.Labels[0], s.where,
			didYouMean(blk.Labels[0], names)))
		return
	}
	sc := dynamicBody.scope("in a dynamic block")
	if b.Label == "" {
		sc = dynamicBody.scope(sc.where, "labels")
	}
	content := l.content(blk.Body, sc)
	d := &dynamic{forEach: content.Attributes["for_each"], labels: content.Attributes["labels"], iterator: b.Name}
	if attr := content.Attributes["iterator"]; attr != nil {
		d.iterator = hcl.ExprAsKeyword(attr.Expr) // in JSON, this takes the text
		if !hclsyntax.ValidIdentifier(d.iterator) {
			l.add(problem(attr.Expr.Range(), "Invalid iterator", "The iterator of a dynamic block is a name, without quotes."))
			return
		}
	}
	if d.forEach == nil || b.Label != "" && d.labels == nil {
		missing := "for_each"
		if d.forEach != nil {
			missing = "labels"
		}
		l.add(problem(blk.DefRange, "Missing required argument", "The argument %q is required in a dynamic block %q.",
			missing,
			b.Name))
		return
	}
	if len(content.Blocks) != 1 {
		l.add(problem(blk.DefRange, "Missing required block", "A dynamic block holds one block \"content\", with what "+
			"each block "+
			"%q is to hold; here are %d.", b.Name, len(content.Blocks)))
		return
	}
	inner := content.Blocks[0]
	s.blocks[b.Name] = append(s.blocks[b.Name], &shapedBlock{dynamic: d,
		shaped: l.shapeNested(inner.Body, b, inner.DefRange, "")})
}

// expandedBlock is one block, written or made by a dynamic block.
type expandedBlock struct {
	label string
	frame frame
	*shaped
}

// expandBlocks returns all blocks of one name, with those of dynamic blocks. It returns false if they are unknown or
// invalid.
func (l *loader) expandBlocks(b *Block, found []*shapedBlock, f frame) ([]expandedBlock, bool) {
	out := make([]expandedBlock, 0, len(found))
	ok := true
	for _, blk := range found {
		if blk.dynamic == nil {
			out = append(out, expandedBlock{label: blk.label, frame: f, shaped: blk.shaped})
			continue
		}
		more, known := l.expandDynamic(b, blk, f)
		out, ok = append(out, more...), ok && known
	}
	if !ok {
		return nil, false
	}
	var seen map[string]bool
	if b.Label != "" {
		seen = make(map[string]bool, len(out))
	}
	for i, e := range out {
		if b.Label == "" && !b.Many && i > 0 || b.Label != "" && seen[e.label] {
			name := b.Name
			if b.Label != "" {
				name += " " + fmt.Sprintf("%q", e.label)
			}
			l.add(problem(e.header, "Duplicate block", "There are several blocks %s here. It may stand there once.", name))
			return nil, false
		}
		if b.Label != "" {
			seen[e.label] = true
		}
	}
	return out, true
}

// expandDynamic returns the blocks of one dynamic block.
func (l *loader) expandDynamic(b *Block, blk *shapedBlock, f frame) ([]expandedBlock, bool) {
	d := blk.dynamic
	if l.bad[d.forEach] {
		return nil, false
	}
	ctx := l.context(d.forEach.Expr, f)
	val, diags := l.value(d.forEach.Expr, ctx)
	l.add(diags...)
	if diags.HasErrors() {
		return nil, false
	}
	val, marks := val.Unmark()
	switch {
	case len(marks) > 0:
		l.add(l.inContext(problem(d.forEach.Expr.Range(), "Invalid for_each", "The value of for_each is sensitive: how "+
			"many blocks "+
			"there are would tell of it."), d.forEach.Expr, ctx))
		return nil, false
	case val.IsNull() || val.IsKnown() && !val.CanIterateElements():
		l.add(l.inContext(problem(d.forEach.Expr.Range(), "Invalid for_each",
			"The value of for_each in a dynamic block is a list, a set, a map or an object."), d.forEach.Expr, ctx))
		return nil, false
	case !val.IsKnown():
		return nil, false
	}
	var out []expandedBlock
	all := elementsOf(val)
	for it := val.ElementIterator(); it.Next(); {
		k, v := it.Element()
		if val.Type().IsSetType() {
			k = v
		}
		l.expand(d.forEach.Range)
		inner := f.withElement(d.iterator, k, v, all)
		e := expandedBlock{frame: inner, shaped: blk.shaped}
		if b.Label != "" {
			label, ok := l.dynamicLabel(d.labels, inner)
			if !ok {
				return nil, false
			}
			e.label = label
		}
		out = append(out, e)
	}
	return out, true
}

// dynamicLabel evaluates the label of a block.
func (l *loader) dynamicLabel(attr *hcl.Attribute, f frame) (string, bool) {
	if l.bad[attr] {
		return "", false
	}
	ctx := l.context(attr.Expr, f)
	val, diags := l.value(attr.Expr, ctx)
	l.add(diags...)
	if diags.HasErrors() || !val.IsWhollyKnown() {
		return "", false
	}
	if !IsSensitive(val) && val.CanIterateElements() && val.LengthInt() == 1 {
		it := val.ElementIterator()
		it.Next()
		_, label := it.Element()
		if text, err := convert.Convert(label, cty.String); err == nil && !text.IsNull() &&
			strings.TrimSpace(text.AsString()) != "" {
			return text.AsString(), true
		}
	}
	l.add(l.inContext(problem(attr.Expr.Range(), "Invalid labels",
		"labels is a list of one text, which is not empty and not sensitive."), attr.Expr, ctx))
	return "", false
}
