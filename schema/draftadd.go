package schema

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
)

// Addition is what a draft adds to a declaration that exists.
type Addition struct {
	Added int // the number of blocks that are not comments

	at        *Resource
	blocks    string
	variables string
}

// AddingDraft returns what a draft with Completes adds. What is written goes through clean.
func AddingDraft(c *Config, d Draft, clean func(string) string) *Addition {
	w, t := newDraftWriter(c), c.loader.opts.Catalog.Lookup(d.Addr.Kind, d.Addr.Type)
	w.begin(d, d.Addr)
	to := hclwrite.NewEmptyFile()
	for _, text := range d.Comments {
		to.Body().AppendNewline()
		to.Body().AppendUnstructuredTokens(commentTokens(comment(text)))
	}
	w.body(to.Body(), &t.Body, d.Value, "")
	return &Addition{at: c.Lookup(d.Addr), Added: d.added(t), blocks: clean(string(to.Bytes())),
		variables: clean(w.declaredVariables())}
}

// String returns the blocks in a declaration that has nothing else, formatted.
func (a *Addition) String() string {
	addr := a.at.Addr
	head := hclwrite.NewBlock(string(addr.Kind), []string{addr.Type, addr.Name}).BuildTokens(nil).Bytes()
	head = head[:bytes.IndexByte(head, '{')+1]
	text := string(head) + "\n" + strings.TrimPrefix(a.blocks, "\n") + "}\n"
	if a.variables != "" {
		text += "\n" + a.variables
	}
	return string(hclwrite.Format([]byte(strings.TrimRight(text, "\n") + "\n")))
}

// To returns a file with the blocks added to the declaration that stands in it. Every byte outside of the declaration
// is kept. An error says why nothing can be added.
func (a *Addition) To(src []byte) ([]byte, error) {
	name := a.at.Range.Filename
	f, diags := hclsyntax.ParseConfig(src, name, hcl.InitialPos)
	if strings.HasSuffix(name, ".json") || diags.HasErrors() {
		return nil, fmt.Errorf("%s stands in %s, and blocks are added to HCL alone", a.at.Addr, name)
	}
	for _, b := range f.Body.(*hclsyntax.Body).Blocks {
		if b.TypeRange.Start != a.at.Range.Start || b.Type != string(a.at.Addr.Kind) {
			continue
		}
		inside := b.OpenBraceRange.End.Byte
		before := strings.TrimRight(string(src[inside:b.CloseBraceRange.Start.Byte]), " \t\r\n")
		if before != "" && b.OpenBraceRange.Start.Line == b.CloseBraceRange.Start.Line {
			before = "\n" + before
		}
		text := string(src[b.TypeRange.Start.Byte:inside]) + before + "\n" + a.blocks + "}"
		if a.variables != "" {
			text += "\n\n" + strings.TrimRight(a.variables, "\n")
		}
		head, tail := src[:b.TypeRange.Start.Byte], src[b.CloseBraceRange.End.Byte:]
		return slices.Concat(head, hclwrite.Format([]byte(text)), tail), nil
	}
	return nil, fmt.Errorf("%s is not at %s any more", a.at.Addr, place(a.at.Range))
}

// added returns the number of labelled blocks that are not written as comments.
func (d *Draft) added(t *Type) int {
	n := 0
	for i := range t.Body.Blocks {
		b := &t.Body.Blocks[i]
		if val := Get(d.Value, b.Name); b.Label != "" && !val.IsNull() {
			for it := val.ElementIterator(); it.Next(); {
				if key, _ := it.Element(); !d.Doubts[joined(b.Name, key.AsString())] {
					n++
				}
			}
		}
	}
	return n
}
