package schema

import (
	"context"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclwrite"
)

// Format lays out the source of one *.sync.hcl or *.syncvars.hcl file in the canonical way: it changes blanks alone,
// and what it gives it leaves as it is. A file that does not parse comes back untouched, with what is wrong in it;
// name is used in its ranges.
func Format(name string, src []byte) ([]byte, hcl.Diagnostics) { return format(name, src, Usual) }

// FormatWithin is Format for a text of whoever wrote it: it takes no more than the room, and ends with ctx.
func FormatWithin(ctx context.Context, name string, src []byte, room Room) ([]byte, hcl.Diagnostics) {
	out := src
	var diags hcl.Diagnostics
	err := room.within(ctx, func() { out, diags = format(name, src, room) })
	if err != nil { // out is not ours yet
		rng := hcl.Range{Filename: name, Start: hcl.InitialPos, End: hcl.InitialPos}
		return src, hcl.Diagnostics{room.interrupted(rng, err)}
	}
	return out, diags
}

func format(name string, src []byte, room Room) ([]byte, hcl.Diagnostics) {
	if d := tooDense(signs(src), room, name); d != nil {
		return src, hcl.Diagnostics{d}
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
