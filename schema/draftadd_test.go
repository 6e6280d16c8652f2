package schema

import (
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"
)

// TestAddingDraft: blocks are added to a declaration, and every byte outside of it stays.
func TestAddingDraft(t *testing.T) {
	const block = "-----BEGIN X-----\nYQ==\n-----END X-----\n"
	field := cty.ObjectVal(map[string]cty.Value{"to": cty.StringVal(block)})
	lines := func(text string) string { return strings.ReplaceAll(text, "\n", "\r\n") }
	draft := Draft{Addr: Addr{Kind: Sync, Type: "x", Name: "a"}, Completes: true, Comments: []string{"said"},
		Doubts: map[string]bool{`field["c"]`: true}, Notes: map[string]string{`field["b"]`: "of b"},
		Value: cty.ObjectVal(map[string]cty.Value{"field": cty.ObjectVal(map[string]cty.Value{
			"b": field, "c": cty.ObjectVal(map[string]cty.Value{"to": cty.UnknownVal(cty.String)}),
		})})}
	const added = `
  # of b
  field "b" {
    to = <<-EOT
      -----BEGIN X-----
      YQ==
      -----END X-----
    EOT
  }
}
`
	const left = `sync "x" "a" {
  # said

  # field "c" {
  #   to = var.a_field_c_to
  # }
}

# variable "a_field_c_to" {
#   type        = string
#   description = "field[\"c\"].to of sync.x.a: "
# }
`
	for src, want := range map[string]string{
		"# of  a\nsync \"x\" \"a\" { # why\n  name = \"n\"\n\n}\n\nlocals   {}\n": "# of  a\nsync \"x\" \"a\" { # why\n" +
			"  name = \"n\"\n" + added + "\nlocals   {}\n",
		"sync x a { name = \"n\" }\n":                 "sync x a {\n  name = \"n\"\n" + added,
		"locals {}\nsync \"x\" \"a\" {}\n":            "locals {}\nsync \"x\" \"a\" {\n" + added,
		"sync \"x\" \"a\" {\n  # only words\n}\n":     "sync \"x\" \"a\" {\n  # only words\n" + added,
		"sync \"x\" \"a\" {\n} /* a\nb */\n":          "sync \"x\" \"a\" {\n" + strings.TrimRight(added, "\n") + " /* a\nb */\n",
		"sync x a {\r\n  name = \"n\" # why\r\n}\r\n": lines("sync x a {\n  name = \"n\" # why\n" + added),
		"sync x a {}\r\n":                             lines("sync x a {\n" + added),
	} {
		add := AddingDraft(loadDrafts(t, src), draft, strings.Clone)
		got, err := add.To([]byte(src))
		if err != nil || string(got) != want || add.Added != 1 {
			t.Errorf("%d added, %v:\n%s", add.Added, err, got)
		}
		cfg := loadDrafts(t, string(got))
		if r := cfg.Lookup(draft.Addr); strings.ReplaceAll(r.Text("field", "b", "to"), "\r", "") != block {
			t.Errorf("%#v", r.Value)
		}
		if add.Left() != left {
			t.Errorf("left:\n%s", add.Left())
		}
		if formatted, diags := Format("x", []byte(add.String())); diags.HasErrors() || string(formatted) != add.String() {
			t.Errorf("not formatted: %v\n%s", diags, add)
		}
		// a file that was changed after it had been loaded, if only in its words
		for _, other := range []string{"", "\n" + src, "sync \"x\" \"a\" {", src + "# more\n",
			strings.NewReplacer("x a", "x b", "\"a\"", "\"b\"").Replace(src)} {
			if got, err := add.To([]byte(other)); err == nil {
				t.Errorf("%q became %q", other, got)
			}
		}
	}
}

// TestUnfitAddition: what would not parse, or would mean something else with its secrets hidden, is not written.
func TestUnfitAddition(t *testing.T) {
	draft := func(notes map[string]string) Draft {
		return Draft{Addr: Addr{Kind: Sync, Type: "x", Name: "a"}, Completes: true, Notes: notes,
			Value: cty.ObjectVal(map[string]cty.Value{"field": cty.ObjectVal(map[string]cty.Value{
				"b.example": cty.ObjectVal(map[string]cty.Value{"to": cty.StringVal("of c")}),
			})})}
	}
	const src = "sync \"x\" \"a\" {}\n"
	for secret, want := range map[string]string{
		"field": "(sensitive value)", "b.example": "(sensitive value)", "of c": "(sensitive value)",
		"to  ": "", "said": "",
	} {
		hide := func(s string) string { return strings.ReplaceAll(s, secret, "(sensitive value)") }
		add := AddingDraft(loadDrafts(t, src), draft(map[string]string{`field["b.example"]`: "it is said"}), hide)
		got, err := add.To([]byte(src))
		switch {
		case strings.Contains(string(got)+add.String(), secret):
			t.Errorf("%q stands in %s, %s", secret, got, add)
		case want == "" && err != nil:
			t.Errorf("%q: %v", secret, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), secret)):
			t.Errorf("%q: %v, %s", secret, err, got)
		}
	}
	for _, src := range []string{"sync \"x\" \"a\" { name = \"n\" /* of\na */ }\n",
		"sync \"x\" \"a\" { /* of\na */ name = \"n\" }\n"} {
		if got, err := AddingDraft(loadDrafts(t, src), draft(nil), strings.Clone).To([]byte(src)); err == nil {
			t.Errorf("%q became %q", src, got)
		}
	}
}
