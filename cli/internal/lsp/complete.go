package lsp

import (
	"context"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/cli/internal/lsp/source"
	"github.com/syncctl/syncctl/reference"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

// completer collects what may be typed at a position.
type completer struct {
	*view

	file   *file
	place  *source.Place
	at     textRange // what an item replaces
	typed  string
	behind string                  // the character that follows what is replaced, if it is one of = . (
	write  func(suggestion) string // in JSON, returns the text to insert; otherwise nil
	items  []completionItem
	seen   map[string]bool // labels of items
}

// complete returns what may be typed at a position. The text after it does not have to be valid.
func (v *view) complete(_ context.Context, p *positionParams) (*completionList, error) {
	out := &completionList{Items: []completionItem{}}
	f := v.document(p.TextDocument)
	if f == nil {
		return out, nil
	}
	at := f.text.Offset(p.Position, v.enc)
	c := &completer{view: v, file: f, seen: map[string]bool{}}
	c.place = v.placeAt(f, at)
	c.typed = f.text.Slice(c.place.Typed)
	end := wordEnd(f.text.Source, at)
	c.at = v.rangeIn(f.text, source.Span{From: c.place.Typed.From, To: end})
	if rest := strings.TrimLeft(f.text.Source[end:], " \t"); rest != "" && strings.ContainsAny(rest[:1], "=.(") {
		c.behind = rest[:1]
	}
	if f.json {
		c.inJSON(at)
	}
	switch c.place.Kind {
	case source.AtItem:
		c.atItem(at)
	case source.AtLabel:
		if !f.json {
			c.toQuote(at)
		}
		c.atLabel(false)
	case source.AtBareLabel:
		c.atLabel(true)
	case source.AtValue:
		c.atValue()
	case source.AtText:
		c.atText(at)
	}
	out.Items = append(out.Items, c.items...)
	return out, nil
}

// wordEnd returns the end of the word at an offset.
func wordEnd(src string, at int) int {
	n := at
	for n < len(src) && (src[n] == '_' || src[n] == '-' || src[n] >= '0' && src[n] <= '9' ||
		src[n]|0x20 >= 'a' && src[n]|0x20 <= 'z') {
		n++
	}
	return n
}

// toQuote makes items replace the text up to the closing quote. If the line has none, they replace the text up to the
// cursor only, since what follows may be something else.
func (c *completer) toQuote(at int) {
	src := c.file.text.Source[at:]
	end := strings.IndexAny(src, "\"\r\n")
	if end < 0 || src[end] != '"' {
		end = 0
	}
	c.at.End = c.file.text.Position(at+end, c.enc)
}

// suggestion is one item, before it is decided how it is inserted.
type suggestion struct {
	label  string
	kind   int
	detail string
	doc    string
	order  string // items are sorted by it first
	insert string // text to insert; "": the label
	snip   string // for editors that support snippets; "": insert
}

// offer adds an item if its label matches what was typed, and is not there yet.
func (c *completer) offer(s suggestion) {
	if c.seen[s.label] || !resembles(c.typed, s.label) {
		return
	}
	c.seen[s.label] = true
	item := completionItem{Label: s.label, Kind: s.kind, Detail: s.detail, SortText: s.order + s.label,
		TextEdit: &textEdit{Range: c.at, NewText: s.label}}
	if s.doc != "" {
		item.Documentation = markdown(s.doc)
	}
	if s.insert != "" {
		item.TextEdit.NewText = s.insert
	}
	if c.write != nil {
		item.TextEdit.NewText = c.write(s)
	} else if c.behind != "" && strings.HasSuffix(strings.TrimRight(s.insert, " "), c.behind) { // do not repeat it
		item.TextEdit.NewText = s.label
	} else if s.snip != "" && c.snippets {
		item.TextEdit.NewText, item.InsertTextFormat = s.snip, 2
	}
	c.items = append(c.items, item)
}

// resembles reports whether label contains the letters of typed in order, as editors match them.
func resembles(typed, label string) bool {
	label = strings.ToLower(label)
	for _, r := range strings.ToLower(typed) {
		i := strings.IndexRune(label, r)
		if i < 0 {
			return false
		}
		label = label[i+1:]
	}
	return true
}

// atItem offers the arguments and blocks that a body may have and does not have yet.
func (c *completer) atItem(at int) {
	s := c.scope(c.file, c.place.In)
	if s == nil {
		return
	}
	there := c.bodyAt(at)
	for i := range s.attributes {
		a := &s.attributes[i]
		if there != nil && there.Find(a.Name) != nil {
			continue
		}
		order := "1"
		switch {
		case i >= len(s.attributes)-s.general:
			order = "3"
		case a.Required && !s.optional:
			order = "0"
		}
		c.offer(suggestion{label: a.Name, kind: kindProperty, detail: detail(a, s.optional), doc: reference.Argument(a),
			order: order, insert: a.Name + " = "})
	}
	for i := range s.blocks {
		b := &s.blocks[i]
		if !b.many && there != nil && slices.ContainsFunc(there.Blocks, func(x *source.Block) bool {
			return x.Type.Text == b.name
		}) {
			continue
		}
		c.offer(suggestion{label: b.name, kind: kindClass, detail: "block", doc: b.doc, order: "2", insert: b.name + " ",
			snip: snippet(b)})
	}
}

// bodyAt returns the block at an offset in the tree of the whole file, so that it includes what follows the offset.
func (c *completer) bodyAt(at int) *source.Block {
	b := c.file.tree.File
	for {
		i := slices.IndexFunc(b.Blocks, func(x *source.Block) bool { return x.Body.From <= at && at <= x.Body.To })
		if i < 0 {
			return b
		}
		b = b.Blocks[i]
	}
}

// detail says in a few words what an argument takes.
func detail(a *schema.Attribute, optional bool) string {
	text := "optional"
	if a.Required && !optional {
		text = "required"
	}
	if words := reference.TypeWords(a); words != "" {
		text += ", " + strings.ReplaceAll(words, "`", "")
	}
	if a.Secret {
		text += ", secret"
	}
	return text
}

// snippet returns a block with placeholders to fill in.
func snippet(b *nested) string {
	text := b.name
	for i, l := range b.labels {
		text += " \"${" + string(rune('1'+i)) + ":" + l + "}\""
	}
	return text + " {\n  $0\n}"
}

// atLabel offers labels. bare means that there are no quotes yet.
func (c *completer) atLabel(bare bool) {
	head := c.place.Head
	if len(head) == 0 {
		return
	}
	label := func(text, doc string) {
		s := suggestion{label: text, kind: kindClass, doc: doc}
		if bare {
			s.insert = `"` + text + `"`
		}
		c.offer(s)
	}
	n := len(head) - 1
	word := head[0].Text
	if c.place.In.Parent != nil {
		if s := c.scope(c.file, c.place.In); word == "dynamic" && n == 0 && s != nil {
			for i := range s.blocks {
				if b := &s.blocks[i]; b.name != "dynamic" && b.name != "lifecycle" {
					label(b.name, b.doc)
				}
			}
		}
		return
	}
	kind := schema.Kind(word)
	switch {
	case word == "defaults" && n == 0:
		for _, k := range schema.Kinds {
			label(string(k), c.summary(string(k)))
		}
		return
	case word == "defaults" && n == 1:
		kind = schema.Kind(head[1].Text)
	case n != 0:
		return
	}
	for i := range c.opts.Catalog {
		if t := &c.opts.Catalog[i]; t.Kind == kind {
			label(t.Name, t.Summary)
		}
	}
}

// atText offers values for a quoted text.
func (c *completer) atText(at int) {
	c.toQuote(at)
	if !c.direct(1) {
		return
	}
	a := c.scope(c.file, c.place.In).attribute(c.place.Argument.Name.Text)
	if a == nil {
		return
	}
	if a.Name == "source" && c.place.In.Type.Text == "module" && c.place.In.Parent.Parent == nil {
		c.folders()
	}
	for _, word := range a.OneOf {
		c.offer(suggestion{label: word, kind: kindEnumMember, doc: reference.Argument(a)})
	}
}

// direct reports whether the position is the argument's value itself, or an element of it if it is a list. The inner
// innermost things around the position are ignored.
func (c *completer) direct(inner int) bool {
	for _, e := range c.place.Outer[:max(0, len(c.place.Outer)-inner)] {
		if e.Kind != '(' && e.Kind != '[' {
			return false
		}
	}
	return true
}

// folders offers the folders with configuration files that are in this folder or beside it.
func (c *completer) folders() {
	for _, near := range []string{".", ".."} {
		dir := filepath.Join(c.file.dir, near)
		if !inside(dir, c.view.folders) && near != "." {
			continue
		}
		infos, err := afero.ReadDir(c.fs, dir)
		if err != nil {
			continue
		}
		for _, info := range infos {
			path := filepath.Join(dir, info.Name())
			if info.IsDir() && !strings.HasPrefix(info.Name(), ".") && path != c.file.dir && c.holds(path, configuration) {
				c.offer(suggestion{label: near + "/" + info.Name(), kind: kindFolder})
			}
		}
	}
}

// atValue offers what an expression may begin with, or the members after a dot.
func (c *completer) atValue() {
	if c.place.Before != nil {
		c.members(c.place.Before)
		return
	}
	arg := c.place.Argument.Name.Text
	a := c.scope(c.file, c.place.In).attribute(arg)
	if a != nil && c.direct(0) {
		c.valuesFor(a)
	}
	if arg == "type" && c.place.In.Type.Text == "variable" {
		c.types()
		return
	}
	if c.file.kind == values || c.place.Bare || c.place.Plain {
		return
	}
	for _, n := range c.place.Names {
		c.offer(suggestion{label: n, kind: kindVariable, order: "1"})
	}
	for _, root := range c.roots() {
		c.offer(suggestion{label: root, kind: kindKeyword, order: "2", insert: root + ".", doc: c.summary(root)})
	}
	for _, f := range schema.Functions() {
		c.offer(suggestion{label: f.Name, kind: kindFunction, detail: f.Signature(), doc: f.Summary, order: "3",
			insert: f.Name + "(", snip: f.Name + "($0)"})
	}
}

// roots returns the words that a reference may begin with at the position.
func (c *completer) roots() []string {
	out := []string{"var", "local"}
	for _, k := range schema.Kinds {
		out = append(out, string(k))
	}
	out = append(out, "module", "path", "site")
	if c.file.kind == tests {
		out = append(out, "output", "run", "plan")
	}
	in := c.place.In
	if forEachOf(in) != nil {
		out = append(out, "each")
	}
	for b := in; b.Parent != nil; b = b.Parent {
		if b.Type.Text == "lifecycle" {
			out = append(out, "self")
		}
		if d := b.Parent; b.Type.Text == "content" && d.Type.Text == "dynamic" {
			out = append(out, iteratorOf(c.file, d))
		}
	}
	return out
}

// valuesFor offers the values that an argument is likely to have.
func (c *completer) valuesFor(a *schema.Attribute) {
	for _, word := range a.OneOf {
		c.offer(suggestion{label: word, kind: kindEnumMember, order: "0", insert: `"` + word + `"`})
	}
	if a.Type == cty.Bool {
		for _, word := range []string{"true", "false"} {
			c.offer(suggestion{label: word, kind: kindConstant, order: "0"})
		}
	}
	want := a.Ref
	if a.Name == "depends_on" || a.Type == cty.NilType && (a.Name == "from" || a.Name == "to") {
		want = &schema.Ref{}
	}
	for _, s := range c.symbols(c.file.dir) {
		if a.Name == "site" && s.kind == "site" {
			c.offer(suggestion{label: s.key(), kind: kindVariable, order: "0"})
		}
	}
	if want == nil {
		return
	}
	for _, s := range c.symbols(c.file.dir) {
		if !fits(want, s) {
			continue
		}
		key := s.key()
		if s.block.Find("for_each") != nil && a.Ref != nil {
			key += "[each.key]"
			if forEachOf(c.place.In) == nil {
				key = strings.TrimSuffix(key, "each.key]") + `"KEY"]`
			}
		}
		c.offer(suggestion{label: key, kind: kindVariable, order: "0"})
	}
}

// fits reports whether a reference may refer to a declaration.
func fits(want *schema.Ref, s *symbol) bool {
	if want.Kind == "" {
		return isKind(s.kind) || s.kind == "module"
	}
	return s.kind == string(want.Kind) && (want.Type == "" || s.typ == want.Type)
}

// types offers types for a variable.
func (c *completer) types() {
	for _, word := range []string{"string", "number", "bool", "any"} {
		c.offer(suggestion{label: word, kind: kindKeyword, order: "0"})
	}
	for _, t := range [][2]string{{"list", "($0)"}, {"set", "($0)"}, {"map", "($0)"}, {"tuple", "([$0])"},
		{"object", "({\n  $0\n})"}, {"optional", "($0)"}} {
		c.offer(suggestion{label: t[0], kind: kindKeyword, order: "1", insert: t[0] + "(", snip: t[0] + t[1]})
	}
}

// valid reports whether a text is an identifier, so that it can be written after a dot.
func valid(text string) bool { return hclsyntax.ValidIdentifier(text) }
