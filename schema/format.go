package schema

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
)

// Format lays out the source of one *.sync.hcl or *.syncvars.hcl file in the canonical way: it changes blanks alone,
// and what it gives it leaves as it is. A file that does not parse comes back untouched, with what is wrong in it;
// name is used in its ranges.
func Format(name string, src []byte) ([]byte, hcl.Diagnostics) {
	if d := tooNested(src, name); d != nil {
		return src, hcl.Diagnostics{d}
	}
	if _, diags := hclsyntax.ParseConfig(src, name, hcl.InitialPos); diags.HasErrors() {
		return src, withoutEchoes(diags)
	}
	return hclwrite.Format(src), nil
}
