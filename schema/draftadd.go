package schema

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
)

// Addition is what a draft adds to a declaration that exists.
type Addition struct {
	Added int // the number of blocks that are not comments

	at     *Resource
	loaded []byte // the file of the declaration, as it was loaded
	clean  func(string) string
	live   addedText // what can be added
	left   addedText // comments, and blocks in doubt as comments: a person has to complete or to confirm them
}

// addedText is a part of an addition, before clean.
type addedText struct{ blocks, variables string }

// AddingDraft returns what a draft with Completes adds. What is written goes through clean, which hides secrets.
func AddingDraft(c *Config, d Draft, clean func(string) string) *Addition {
	w, t := newDraftWriter(c), c.loader.opts.Catalog.Lookup(d.Addr.Kind, d.Addr.Type)
	d.hide(clean)
	live, left, added := d.parts(t)
	a := &Addition{Added: added, at: c.Lookup(d.Addr), clean: clean}
	a.loaded = c.loader.files[a.at.Range.Filename].text
	a.live, a.left = w.writePart(live, t), w.writePart(left, t)
	return a
}

// writePart writes the comments and blocks of a draft, without its head.
func (w *draftWriter) writePart(d Draft, t *Type) addedText {
	w.begin(d, d.Addr)
	to := hclwrite.NewEmptyFile()
	for _, text := range d.Comments {
		to.Body().AppendNewline()
		to.Body().AppendUnstructuredTokens(commentTokens(comment(text)))
	}
	w.body(to.Body(), &t.Body, d.Value, "")
	return addedText{string(to.Bytes()), w.declaredVariables()}
}

// parts divides a draft into the blocks that can be added, with their number, and the rest.
func (d *Draft) parts(t *Type) (live, left Draft, added int) {
	can, cannot := map[string]cty.Value{}, map[string]cty.Value{}
	for i := range t.Body.Blocks {
		b := &t.Body.Blocks[i]
		val := Get(d.Value, b.Name)
		switch {
		case val.IsNull():
		case b.Label == "" && d.Doubts[b.Name]:
			cannot[b.Name] = val
		case b.Label == "":
			can[b.Name] = val
			added++
		default:
			these, those := map[string]cty.Value{}, map[string]cty.Value{}
			for it := val.ElementIterator(); it.Next(); {
				key, each := it.Element()
				if d.Doubts[BlockPath(b.Name, key.AsString())] {
					those[key.AsString()] = each
				} else {
					these[key.AsString()] = each
				}
			}
			can[b.Name], cannot[b.Name] = cty.ObjectVal(these), cty.ObjectVal(those)
			added += len(these)
		}
	}
	live, left = *d, *d
	live.Value, left.Value = cty.ObjectVal(can), cty.ObjectVal(cannot)
	live.Comments, live.Notes = nil, maps.Clone(d.Notes)
	maps.DeleteFunc(live.Notes, func(path, _ string) bool { return !strings.ContainsAny(path, ".[") }) // of the whole
	return live, left, added
}

// String returns all of it in a declaration that has nothing else, formatted.
func (a *Addition) String() string {
	return a.in(addedText{a.live.blocks + a.left.blocks, a.live.variables + a.left.variables})
}

// Left returns what To does not add, as String returns all of it, or "" if there is nothing.
func (a *Addition) Left() string {
	if a.left.blocks == "" {
		return ""
	}
	return a.in(a.left)
}

// in returns a part in a declaration that has nothing else, formatted.
func (a *Addition) in(p addedText) string {
	addr := a.at.Addr
	head := hclwrite.NewBlock(string(addr.Kind), []string{addr.Type, addr.Name}).BuildTokens(nil).Bytes()
	head = head[:bytes.IndexByte(head, '{')+1]
	text := string(head) + "\n" + strings.TrimPrefix(a.clean(p.blocks), "\n") + "}\n"
	if p.variables != "" {
		text += "\n" + a.clean(p.variables)
	}
	return string(hclwrite.Format([]byte(strings.TrimRight(text, "\n") + "\n")))
}

// To returns a file with the blocks added to the declaration that stands in it. Every byte outside of the declaration
// is kept. An error says why nothing can be added.
func (a *Addition) To(src []byte) ([]byte, error) {
	name := a.at.Range.Filename
	f, diags := parseNative(src, name)
	switch {
	case strings.HasSuffix(name, ".json") || diags.HasErrors():
		return nil, fmt.Errorf("%s stands in %s, and blocks are added to HCL alone", a.at.Addr, name)
	case !bytes.Equal(src, a.loaded):
		return nil, fmt.Errorf("%s was changed after it had been read. Import once more", name)
	}
	added, err := a.cleanCode()
	if err != nil {
		return nil, err
	}
	for _, b := range f.Body.(*hclsyntax.Body).Blocks {
		if b.TypeRange.Start != a.at.Range.Start || b.Type != string(a.at.Addr.Kind) {
			continue
		}
		text := added.to(src, b)
		out := slices.Concat(src[:b.TypeRange.Start.Byte], text, src[b.CloseBraceRange.End.Byte:])
		if _, diags := parseNative(out, name); diags.HasErrors() {
			return nil, fmt.Errorf("%s at %s is written so that nothing can be added to it: write each of its braces, "+
				"arguments and comments on lines of their own", a.at.Addr, place(a.at.Range))
		}
		return out, nil
	}
	return nil, fmt.Errorf("%s is not at %s any more", a.at.Addr, place(a.at.Range))
}

// to returns the text of a block of a file with the part added, and with the line endings of the block.
func (p addedText) to(src []byte, b *hclsyntax.Block) []byte {
	inside := b.OpenBraceRange.End.Byte
	before := strings.TrimRight(string(src[inside:b.CloseBraceRange.Start.Byte]), " \t\r\n")
	line := lineEnding(src, b)
	if before != "" && b.OpenBraceRange.Start.Line == b.CloseBraceRange.Start.Line {
		before = line + before
	}
	head, text := string(src[b.TypeRange.Start.Byte:inside])+before, "\n"+p.blocks+"}"
	if p.variables != "" {
		text += "\n\n" + strings.TrimRight(p.variables, "\n")
	}
	return hclwrite.Format([]byte(head + strings.ReplaceAll(text, "\n", line)))
}

// lineEnding returns the line ending of a block of a file, or of the file if the block is one line.
func lineEnding(src []byte, b *hclsyntax.Block) string {
	own := src[b.TypeRange.Start.Byte:b.CloseBraceRange.Start.Byte]
	if !bytes.ContainsRune(own, '\n') {
		own = src
	}
	if bytes.Contains(own, []byte("\r\n")) {
		return "\r\n"
	}
	return "\n"
}

// cleanCode returns what can be added, without secrets in its comments. It is an error if there is one elsewhere: with
// that hidden, it would mean something else.
func (a *Addition) cleanCode() (addedText, error) {
	shown := addedText{a.clean(a.live.blocks), a.clean(a.live.variables)}
	if codeOf(shown.blocks) == codeOf(a.live.blocks) && codeOf(shown.variables) == codeOf(a.live.variables) {
		return shown, nil
	}
	where := "it"
	for line := range strings.Lines(a.live.blocks + a.live.variables) {
		if hidden := a.clean(line); codeOf(hidden) != codeOf(line) {
			where = SanitizeLine(strings.TrimSpace(hidden))
			break
		}
	}
	return addedText{}, fmt.Errorf("nothing can be added to %s: in what is to be added, a secret of the configuration, "+
		"such as its password, is part of `%s`, and no file may have it. Add the blocks by hand", a.at.Addr, where)
}

// codeOf returns the tokens of a text without its comments.
func codeOf(text string) string {
	var b strings.Builder
	tokens, _ := hclsyntax.LexConfig([]byte(text), "", hcl.InitialPos) // what is wrong with it are tokens too
	for _, t := range tokens {
		if t.Type != hclsyntax.TokenComment {
			fmt.Fprintf(&b, "%d %q ", t.Type, t.Bytes)
		}
	}
	return b.String()
}
