package schema

import (
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"
)

// TestAddingDraft: blocks are added to a declaration, and every byte outside of it stays.
func TestAddingDraft(t *testing.T) {
	field := cty.ObjectVal(map[string]cty.Value{"to": cty.StringVal("-----BEGIN X-----\nYQ==\n-----END X-----\n")})
	draft := Draft{Addr: Addr{Kind: Sync, Type: "x", Name: "a"}, Completes: true, Comments: []string{"said"},
		Doubts: map[string]bool{"field.c": true}, Notes: map[string]string{"field.b": "of b"},
		Value: cty.ObjectVal(map[string]cty.Value{"field": cty.ObjectVal(map[string]cty.Value{
			"b": field, "c": cty.ObjectVal(map[string]cty.Value{"to": cty.UnknownVal(cty.String)}),
		})})}
	const added = `
  # said

  # of b
  field "b" {
    to = <<-EOT
      -----BEGIN X-----
      YQ==
      -----END X-----
    EOT
  }

  # field "c" {
  #   to = var.a_field_c_to
  # }
}

# variable "a_field_c_to" {
#   type        = string
#   description = "field.c.to of sync.x.a: "
# }
`
	for src, want := range map[string]string{
		"# of  a\nsync \"x\" \"a\" { # why\n  name = \"n\"\n\n}\n\nlocals   {}\n": "# of  a\nsync \"x\" \"a\" { # why\n" +
			"  name = \"n\"\n" + added + "\nlocals   {}\n",
		"sync x a { name = \"n\" }\n":             "sync x a {\n  name = \"n\"\n" + added,
		"locals {}\nsync \"x\" \"a\" {}\n":        "locals {}\nsync \"x\" \"a\" {\n" + added,
		"sync \"x\" \"a\" {\n  # only words\n}\n": "sync \"x\" \"a\" {\n  # only words\n" + added,
	} {
		add := AddingDraft(loadDrafts(t, src), draft, strings.Clone)
		got, err := add.To([]byte(src))
		if err != nil || string(got) != want || add.Added != 1 {
			t.Errorf("%d added, %v:\n%s", add.Added, err, got)
		}
		loadDrafts(t, string(got))
		if formatted, diags := Format("x", []byte(add.String())); diags.HasErrors() || string(formatted) != add.String() {
			t.Errorf("not formatted: %v\n%s", diags, add)
		}
		for _, other := range []string{"", "\n" + src, "sync \"x\" \"a\" {"} {
			if got, err := add.To([]byte(other)); err == nil {
				t.Errorf("%q became %q", other, got)
			}
		}
	}
}
