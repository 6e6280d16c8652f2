package schema

import (
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// TestVariables checks that what an expression refers to is what the library finds.
func TestVariables(t *testing.T) {
	for _, src := range []string{
		`a.b`, `"a"`, `1`, `{ a = b.c }`, `{ (a) = b }`, `{ (a.b) = 1 }`, `{ "${a.b}" = 1 }`, `{ "x${a}" = b.c }`,
		`{ a.b = 1 }`, `{ a = { b = c.d } }`, `{ a = [for x in y.z : x] }`, `{ a = b.c[d.e] }`, `a.b[*].c`, `{ null = x.y }`,
		`{ a = b ? c.d : e }`, `[a.b, { c = d }]`, `f(a.b)`,
	} {
		e, diags := hclsyntax.ParseExpression([]byte(src), "f", hcl.InitialPos)
		if diags.HasErrors() {
			t.Fatal(src, diags)
		}
		got, want := variables(e), e.Variables()
		if len(got) != len(want) {
			t.Fatalf("%s: %d, want %d", src, len(got), len(want))
		}
		for i := range want {
			if got[i].SourceRange() != want[i].SourceRange() {
				t.Errorf("%s: %s, want %s", src, got[i].SourceRange(), want[i].SourceRange())
			}
		}
	}
}
