package schema

import (
	"context"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
)

// Format formats the source of one *.sync.hcl or *.syncvars.hcl file in the canonical style. It changes only
// whitespace, and formatting its result changes nothing. A file that does not parse is returned unchanged, with the
// errors; name is used in their ranges.
func Format(name string, src []byte) ([]byte, hcl.Diagnostics) { return format(name, src, Usual) }

// FormatWithin is like Format, for a text from an untrusted source: it stays within the limits of room, and ends with
// ctx.
func FormatWithin(ctx context.Context, name string, src []byte, room Room) ([]byte, hcl.Diagnostics) {
	out := src
	var diags hcl.Diagnostics
	err := room.within(ctx, func() { out, diags = format(name, src, room) })
	if err != nil { // the goroutine may still write out
		rng := hcl.Range{Filename: name, Start: hcl.InitialPos, End: hcl.InitialPos}
		return src, hcl.Diagnostics{room.interrupted(rng, err)}
	}
	return out, diags
}

func format(name string, src []byte, room Room) ([]byte, hcl.Diagnostics) {
	if d := tooDense(signs(src), room, name); d != nil {
		return src, hcl.Diagnostics{d}
	}
	if out := formatPieces(src, name, pieceSize); out != nil {
		return out, nil
	}
	file, diags := parseNative(src, name)
	if file == nil {
		return src, diags
	}
	if diags.HasErrors() {
		return src, withoutEchoes(diags)
	}
	return hclwrite.Format(src), nil
}

// formatPieces formats a text piece by piece, so that it takes no more memory than its largest piece. It returns nil if
// one of them does not parse, or an argument occurs in two. If each parses by itself, nothing is open at its end, and
// the line there ends a block: what is aligned with each other, or indented alike, is in one piece.
func formatPieces(src []byte, name string, size int) []byte {
	out := make([]byte, 0, len(src)+len(src)/8)
	arguments := map[string]bool{}
	for _, text := range piecesOf(src, size) {
		file, err := parsePiece(text, name, hcl.InitialPos)
		if err != nil {
			return nil
		}
		for argument := range file.Body.(*hclsyntax.Body).Attributes {
			if arguments[argument] {
				return nil
			}
			arguments[argument] = true
		}
		out = append(out, hclwrite.Format(text)...)
	}
	return out
}
