package schema

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
)

// TestContextsCost: a piece is parsed once for all messages about it.
func TestContextsCost(t *testing.T) {
	text := strings.Repeat("locals {\n  k = <<E\n}\n E\n}\n", 200) + "locals {\n  k = <<E\n}\nE\n}\n"
	file, diags := parseNative([]byte(text), "a.sync.hcl")
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	p := &pieces{path: "a.sync.hcl", texts: [][]byte{file.Bytes}}
	show := func() {
		if got := p.ContextString(len(text) - 6); got != "locals" {
			t.Errorf("in %q", got)
		}
	}
	show()
	if got := testing.AllocsPerRun(2, show); got > 20 {
		t.Errorf("%.0f allocations", got)
	}
}

// TestPieces: what is parsed in pieces is what the library makes of the whole. Where a piece ends within something, or
// something is wrong, nothing is.
func TestPieces(t *testing.T) {
	var blocks strings.Builder
	for i := range 5 {
		fmt.Fprintf(&blocks, "sync \"x\" \"s%d\" {\n  a = 1 # ä\n  b {\n    c = \"${each.key}\"\n  }\n}\n", i)
	}
	text := blocks.String()
	for name, c := range map[string]struct {
		text   string
		pieces bool
	}{
		"blocks":             {text, true},
		"without a last end": {strings.TrimSuffix(text, "\n"), true},
		"CRLF":               {strings.ReplaceAll(text, "\n", "\r\n"), true},
		"a mark in front":    {"\ufeff" + text, true},
		"space in front":     {"\n\n  " + text, true},
		"arguments":          {"a = 1\n" + text + "b = 2\n" + text, true},
		"a large block":      {"a {\n}\nb {\n}\nc {\n" + strings.Repeat("  # long\n", 20) + "}\nd {\n}\n", true},
		"one":                {"a = 1\n", false},
		"twice":              {"a = 1\n" + text + "a = 2\n" + text, false},
		"a heredoc":          {"a = <<EOT\n" + text + "EOT\n" + text, false},
		"a heredoc, open":    {text + "a = <<EOT\n" + text, false},
		"a comment":          {"/* " + text + "*/\n" + text, false},
		"a comment, open":    {text + "/* " + text, false},
		"a list":             {"a = [\n" + text + "]\n", false},
		"a template":         {"a = \"${ {\n" + text + "} }\"\n", false},
		"a block around":     {"z {\n" + text + "}\n" + text, false},
		"a mistake":          {text + "a = = 1\n" + text, false},
	} {
		t.Run(name, func(t *testing.T) {
			if checkPieces(t, []byte(c.text)) != c.pieces {
				t.Errorf("in pieces: %v", !c.pieces)
			}
		})
	}
}

// checkPieces compares, and tells whether the text is parsed in pieces.
func checkPieces(t *testing.T, src []byte) bool {
	t.Helper()
	got := parsePieces(src, "x", 40)
	if got == nil {
		return false
	}
	want, diags := hclsyntax.ParseConfig(src, "x", hcl.InitialPos)
	if len(diags) > 0 || !reflect.DeepEqual(got.Body, want.Body) || !reflect.DeepEqual(got.Bytes, want.Bytes) {
		t.Errorf("it is another file: %v", diags)
	}
	if out := formatPieces(src, "x", 40); string(out) != string(hclwrite.Format(src)) {
		t.Errorf("it is formatted otherwise: %q", out)
	}
	type navigation interface{ ContextString(offset int) string }
	for at := range src {
		if is, want := got.Nav.(navigation).ContextString(at), want.Nav.(navigation).ContextString(at); is != want {
			t.Fatalf("byte %d is in %q, not in %q", at, is, want)
		}
	}
	return true
}

// FuzzPieces: wherever a text is cut, it says the same.
func FuzzPieces(f *testing.F) {
	block := "x \"y\" {\n  a = 1\n  b = \"a text that is long enough\"\n}\n"
	for _, seed := range []string{
		"a = <<EOT\n", "/*", "}\n", "x {\n", "a = 1\n", "EOT\n", "*/", "\"${", "a = [\n", "# \\", "\u0301",
	} {
		f.Add(seed + block + seed + block)
	}
	f.Fuzz(func(t *testing.T, text string) { checkPieces(t, []byte(text)) })
}
