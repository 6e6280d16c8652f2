package view

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/printable"
	"github.com/zclconf/go-cty/cty"
)

// Value returns a value as HCL: on one line if it is short, otherwise with one element per line. A secret is
// "(sensitive value)".
func Value(v cty.Value) string { return printable.Text(value(v, "")) }

// wide is the maximum length of a value that is written on one line, in bytes.
const wide = 60

func value(v cty.Value, indent string) string {
	text := planner.Text(v)
	if v.IsMarked() || v.IsNull() || !v.IsKnown() || !v.CanIterateElements() ||
		len(text) <= wide && !strings.Contains(text, "(sensitive value)") {
		return text
	}
	inner := indent + "  "
	keyed := v.Type().IsObjectType() || v.Type().IsMapType()
	var lines []string
	for it := v.ElementIterator(); it.Next(); {
		k, e := it.Element()
		line := value(e, inner)
		if keyed {
			name := planner.Text(k)
			if hclsyntax.ValidIdentifier(k.AsString()) {
				name = k.AsString()
			}
			line = name + " = " + line
		} else {
			line += ","
		}
		lines = append(lines, inner+line)
	}
	if keyed {
		slices.Sort(lines)
		return "{\n" + strings.Join(lines, "\n") + "\n" + indent + "}"
	}
	return "[\n" + strings.Join(lines, "\n") + "\n" + indent + "]"
}
