package schema

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
	"golang.org/x/text/unicode/norm"
)

// Draft is a declaration to be written, such as one for a resource that a server has and nobody has declared.
type Draft struct {
	// Addr is in the root module. Its name is only a suggestion and may be any text; the written name is valid and
	// unique.
	Addr Addr

	// Value is as in Resource.Value. References may lead to other drafts, by the addresses that these suggest. An
	// unknown or sensitive value becomes a variable, which a person sets. If Value is NilVal, only the comments are
	// written.
	Value cty.Value

	Comments []string          // above the block, each a paragraph
	Notes    map[string]string // for arguments and blocks, written or not, by their path: joined by dots, see BlockPath

	// Doubtful: it is uncertain whether the draft is right, so the whole block is written as a comment.
	Doubtful bool

	// Completes: the declaration at Addr exists, and Value has only blocks that are to be added to it (AddingDraft).
	Completes bool

	// Doubts are the blocks, by their paths, that are written as comments: a person has to complete or to confirm them.
	Doubts map[string]bool

	// ID is the product's ID on the server that it is imported from, as import blocks name it; "" if it has none.
	ID    string
	With  []string // the IDs of what the same block declares too, such as its other half; import blocks name ID alone
	Named bool     // Addr is final, with its key, not just a suggestion
}

// isKeyed reports whether the draft is to be one instance of a block with for_each.
func (d *Draft) isKeyed() bool { return d.Named && d.Addr.Index != "" }

// IsDeclared reports whether the draft makes a declaration rather than comments alone.
func (d *Draft) IsDeclared() bool { return d.Value != cty.NilVal && !d.Doubtful }

// hide takes the secrets of the configuration out of the comments, where they could not be found once lines are
// broken.
func (d *Draft) hide(clean func(string) string) {
	d.Comments, d.Notes = slices.Clone(d.Comments), maps.Clone(d.Notes)
	for i, text := range d.Comments {
		d.Comments[i] = clean(text)
	}
	for path, text := range d.Notes {
		d.Notes[path] = clean(text)
	}
}

// WriteDrafts writes declarations to be added to a configuration: formatted, in the order of their addresses, each
// argument in the order of its type. Arguments that have their default value are left out. Drafts that differ in a few
// arguments only are written as one block with for_each over a table. So are named drafts whose addresses differ in
// nothing but their key; CheckKeyed says whether they can be.
func WriteDrafts(c *Config, drafts []Draft) []byte {
	w := newDraftWriter(c)
	drafts = slices.Clone(drafts)
	for i := range drafts {
		drafts[i].hide(c.redactor.String)
	}
	slices.SortStableFunc(drafts, func(a, b Draft) int {
		return cmp.Or(cmp.Compare(slices.Index(Kinds, a.Addr.Kind), slices.Index(Kinds, b.Addr.Kind)),
			strings.Compare(a.Addr.Type, b.Addr.Type), strings.Compare(a.Addr.Name, b.Addr.Name),
			strings.Compare(a.Addr.Index, b.Addr.Index))
	})
	final := make([]Addr, len(drafts))
	for _, d := range drafts {
		if d.Named {
			w.taken[d.Addr.All()] = true
		}
	}
	folds := w.folds(drafts)
	for i, d := range drafts {
		if d.Value == cty.NilVal {
			continue
		}
		if f := folds[i]; f != nil {
			if f.keys == nil {
				w.nameFold(f)
			}
			final[i] = f.instance(&drafts[i])
		} else if final[i] = d.Addr; !d.Named {
			final[i] = w.name(d.Addr)
		}
		if wish := d.Addr.String(); w.names[wish] == (Addr{}) {
			w.names[wish] = final[i]
		}
	}
	var parts []string
	for i, d := range drafts {
		switch f := folds[i]; {
		case f == nil:
			parts = append(parts, w.draft(d, final[i]))
		case f.drafts[0] == &drafts[i]:
			parts = append(parts, w.fold(f))
		}
	}
	return []byte(strings.Join(parts, "\n"))
}

// draftWriter writes drafts.
type draftWriter struct {
	clean     func(string) string // takes secrets out
	types     Catalog
	taken     map[Addr]bool
	numbers   map[Addr]int // the last number that was added to a name
	variables uniqueNames
	locals    uniqueNames
	names     map[string]Addr // the names given to drafts, by the address that they suggest

	// The draft that is being written.
	now     Draft
	addr    Addr
	columns map[string]string // of a fold: the column in its table, by the argument's path
	file    *hclwrite.File    // the variables of the draft
	doubts  *hclwrite.File    // those of its blocks that are written as comments
	depth   int               // of the argument that is written, for texts of several lines
	short   *hclwrite.Body    // where the block that was written last was an empty one
	empty   *hclwrite.Body    // the block in which nothing is written yet
}

func newDraftWriter(c *Config) *draftWriter {
	w := &draftWriter{clean: c.redactor.String, types: c.loader.opts.Catalog, taken: map[Addr]bool{},
		names: map[string]Addr{}, numbers: map[Addr]int{}, variables: uniqueNames{}, locals: uniqueNames{}}
	for key, n := range c.loader.root.nodes { // includes those that are not enabled
		if name, ok := strings.CutPrefix(key, "local."); ok {
			w.locals.of(name)
		}
		if n.decl != nil {
			w.taken[n.decl.addr] = true
		}
	}
	for _, name := range c.Variables() {
		w.variables.of(name)
	}
	return w
}

// mostOfName is the maximum length, in characters, of a name made from a text.
const mostOfName = 48

// name makes a suggested name valid and unique.
func (w *draftWriter) name(a Addr) Addr {
	base := a
	base.Name = w.identifier(a.Name, string(a.Kind))
	for {
		w.numbers[base]++
		a.Name = numbered(base.Name, w.numbers[base])
		if !w.taken[a] {
			w.taken[a] = true
			return a
		}
	}
}

// uniqueNames holds the names that are taken, with the last number that was added to each.
type uniqueNames map[string]int

// of makes a name unique.
func (u uniqueNames) of(base string) string {
	for {
		u[base]++
		name := numbered(base, u[base])
		if name == base {
			return name
		}
		if u[name] == 0 {
			u[name] = 1
			return name
		}
	}
}

// numbered adds a number to a name, unless it is the first.
func numbered(base string, n int) string {
	if n == 1 {
		return base
	}
	return fmt.Sprintf("%s_%d", base, n)
}

// identifier makes a name from a text without the secrets in it: in a name they could not be found any more.
func (w *draftWriter) identifier(text, instead string) string {
	return identifier(w.clean(text), instead)
}

// identifier makes a name from the letters and digits of a text, in lower case. If there are none, it returns instead.
func identifier(text, instead string) string {
	var b strings.Builder
	length := 0
	for _, r := range norm.NFC.String(text) {
		if length == mostOfName {
			break
		}
		r = unicode.ToLower(r)
		if (!unicode.IsLetter(r) && !unicode.IsDigit(r)) || !hclsyntax.ValidIdentifier("a"+string(r)) {
			r = '_'
		}
		if r == '_' && (length == 0 || strings.HasSuffix(b.String(), "_")) {
			continue
		}
		b.WriteRune(r)
		length++
	}
	name := strings.Trim(b.String(), "_")
	switch {
	case name == "":
		return instead
	case !hclsyntax.ValidIdentifier(name):
		return instead + "_" + name
	}
	return name
}

func (w *draftWriter) draft(d Draft, addr Addr) string {
	var b strings.Builder
	for _, text := range d.Comments {
		b.WriteString(comment(text))
	}
	t := w.types.Lookup(d.Addr.Kind, d.Addr.Type)
	if d.Value == cty.NilVal || t == nil {
		return b.String()
	}
	w.begin(d, addr)
	declared := hclwrite.NewEmptyFile()
	block := declared.Body().AppendNewBlock(string(addr.Kind), []string{addr.Type, addr.Name})
	w.body(block.Body(), &t.Body, d.Value, "")
	variables := w.declaredVariables()
	text := string(hclwrite.Format(declared.Bytes()))
	if d.Doubtful {
		variables, text = commented(variables), commented(text)
	}
	return variables + b.String() + text
}

// begin sets the draft that is being written.
func (w *draftWriter) begin(d Draft, addr Addr) {
	w.now, w.addr, w.file, w.doubts = d, addr, hclwrite.NewEmptyFile(), hclwrite.NewEmptyFile()
}

// declaredVariables returns the variables of the draft, those of blocks that are comments as comments.
func (w *draftWriter) declaredVariables() string {
	text := string(hclwrite.Format(w.file.Bytes()))
	if doubts := strings.TrimRight(string(hclwrite.Format(w.doubts.Bytes())), "\n"); doubts != "" {
		text += commented(doubts+"\n") + "\n"
	}
	return text
}

// body writes the arguments and blocks of a value.
func (w *draftWriter) body(to *hclwrite.Body, t *Body, v cty.Value, path string) {
	w.depth++
	defer func() { w.depth-- }()
	if path != "" {
		w.empty = to
	}
	for i := range t.Attributes {
		a := &t.Attributes[i]
		at := joined(path, a.Name)
		w.note(to, at)
		if val := Get(v, a.Name); !val.IsNull() || val.IsMarked() || w.columns[at] != "" {
			w.attribute(to, a, val, at)
		}
	}
	for i := range t.Blocks {
		b := &t.Blocks[i]
		at := joined(path, b.Name)
		val := Get(v, b.Name)
		if w.now.Notes[at] != "" {
			to.AppendNewline()
		}
		w.note(to, at)
		if val.IsNull() {
			continue
		}
		if b.Label == "" && !b.Many {
			w.block(to, b, nil, val, at)
			continue
		}
		for it := val.ElementIterator(); it.Next(); {
			key, each := it.Element()
			if b.Label == "" {
				w.block(to, b, nil, each, at)
			} else {
				w.block(to, b, []string{key.AsString()}, each, BlockPath(at, key.AsString()))
			}
		}
	}
}

// block writes a block: on one line if it is empty, without a blank line between those that are.
func (w *draftWriter) block(to *hclwrite.Body, b *Block, labels []string, v cty.Value, path string) {
	doubt, first := w.now.Doubts[path], w.empty == to
	block := hclwrite.NewBlock(b.Name, labels)
	if doubt { // it is indented as a comment
		before, depth := w.file, w.depth
		w.file, w.depth = w.doubts, 0
		defer func() { w.file, w.depth = before, depth }()
	}
	w.body(block.Body(), &b.Body, v, path)
	written := block.BuildTokens(nil)
	short := len(block.Body().BuildTokens(nil)) == 0 && !doubt
	if short {
		at := slices.IndexFunc(written, func(t *hclwrite.Token) bool { return t.Type == hclsyntax.TokenOBrace })
		written = append(written[:at+1:at+1], &hclwrite.Token{Type: hclsyntax.TokenCBrace, Bytes: []byte{'}'}},
			&hclwrite.Token{Type: hclsyntax.TokenNewline, Bytes: []byte{'\n'}})
	}
	noted := w.now.Notes[path] != ""
	if !first && (!noted && !(short && w.short == to) || noted && labels != nil) {
		to.AppendNewline()
	}
	if labels != nil {
		w.note(to, path) // that on all of them stands before the first
	}
	if w.short = nil; short {
		w.short = to
	}
	if doubt {
		written = commentTokens(commented(string(hclwrite.Format(written.Bytes()))))
	}
	to.AppendUnstructuredTokens(written)
	w.empty = nil
}

// commentTokens makes tokens of comment lines.
func commentTokens(lines string) hclwrite.Tokens {
	var out hclwrite.Tokens
	for line := range strings.Lines(lines) {
		out = append(out, &hclwrite.Token{Type: hclsyntax.TokenComment, Bytes: []byte(line)})
	}
	return out
}

func (w *draftWriter) attribute(to *hclwrite.Body, a *Attribute, v cty.Value, path string) {
	w.empty = nil
	if column := w.columns[path]; column != "" {
		to.SetAttributeTraversal(a.Name, hcl.Traversal{
			hcl.TraverseRoot{Name: "each"}, hcl.TraverseAttr{Name: "value"}, hcl.TraverseAttr{Name: column},
		})
		return
	}
	if a.Default == cty.NilVal || w.now.Notes[path] != "" || !v.RawEquals(a.Default) {
		to.SetAttributeRaw(a.Name, w.tokens(a, v, path))
	}
}

// tokens writes the value of an argument.
func (w *draftWriter) tokens(a *Attribute, v cty.Value, path string) hclwrite.Tokens {
	switch {
	case !v.IsWhollyKnown() || v.ContainsMarked():
		return hclwrite.TokensForTraversal(hcl.Traversal{
			hcl.TraverseRoot{Name: "var"}, hcl.TraverseAttr{Name: w.variable(a, path, v.ContainsMarked())},
		})
	case a.Ref != nil && !v.IsNull():
		address := v.AsString()
		if final := w.names[address]; final != (Addr{}) {
			address = final.String()
		}
		t, diags := hclsyntax.ParseTraversalAbs([]byte(address), "", hcl.InitialPos)
		if diags.HasErrors() {
			panic("schema: a draft refers to " + address) // a driver's mistake
		}
		return hclwrite.TokensForTraversal(t)
	}
	return w.valueTokens(v)
}

// variable declares a variable for a value that a person has to supply, and returns its name.
func (w *draftWriter) variable(a *Attribute, path string, sensitive bool) string {
	name := w.variables.of(w.identifier(w.addr.Name+w.addr.Index+"_"+path, "value"))
	kind := a.Type
	if a.Ref != nil || kind == cty.NilType {
		kind = cty.String
	}
	body := w.file.Body().AppendNewBlock("variable", []string{name}).Body()
	body.SetAttributeRaw("type", hclwrite.Tokens{
		{Type: hclsyntax.TokenIdent, Bytes: []byte(typeexpr.TypeString(kind))},
	})
	body.SetAttributeValue("description", cty.StringVal(fmt.Sprintf("%s of %s: %s", path, w.addr, a.Doc)))
	if a.Secret || sensitive {
		body.SetAttributeValue("sensitive", cty.True)
	}
	w.file.Body().AppendNewline()
	return name
}

// note writes the note on an argument or block, if there is one.
func (w *draftWriter) note(to *hclwrite.Body, path string) {
	text := w.now.Notes[path]
	if text == "" {
		return
	}
	to.AppendUnstructuredTokens(commentTokens(comment(text)))
	w.empty = nil
}

// BlockPath returns the path of a block with a label, in Draft: the block's name or path, and the label in brackets and
// quotes, since it may have dots.
func BlockPath(path, label string) string { return path + indexText(label) }

func joined(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// widthOfComment is the maximum length of a comment line, unless a single word is longer.
const widthOfComment = 110

// comment turns a text, which may be foreign, into comment lines.
func comment(text string) string {
	var b strings.Builder
	length := 0
	for _, word := range strings.Fields(SanitizeLine(text)) {
		if length > 0 && length+1+len(word) > widthOfComment {
			b.WriteByte('\n')
			length = 0
		}
		if length == 0 {
			b.WriteByte('#')
			length = 1
		}
		b.WriteString(" " + word)
		length += 1 + len(word)
	}
	b.WriteByte('\n')
	return b.String()
}

// commented turns each line of a text into a comment.
func commented(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(strings.TrimRight("# "+line, " \n") + "\n")
	}
	return b.String()
}
