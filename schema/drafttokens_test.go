package schema

import (
	"encoding/pem"
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"
)

// TestForeignTexts: whatever a text is, what is written of it is one value, label or comment, and reads as that text.
func TestForeignTexts(t *testing.T) {
	block := string(pem.EncodeToMemory(&pem.Block{Type: "EOT", Bytes: []byte("more bytes than one line of base64 has")}))
	texts := []string{
		"-----BEGIN x\nEOT\nkey = true ? file(\"private.txt\") : <<-EOT\n-----\n",
		"-----BEGIN x-----\nEOT\n-----END x-----\n", block, block + block, block + "EOT\n" + block, " " + block,
		"-----BEGIN x-----\nEOT: 1\n\nYQ==\n-----END x-----\n", strings.ReplaceAll(block, "\n", "\r\n"),
		"-----BEGIN ${file(\"private.txt\")}-----\nYQ==\n-----END ${file(\"private.txt\")}-----\n",
		"-----BEGIN \u2028-----\nYQ==\n-----END \u2028-----\n",
		"$${a}", "%%{if}", "$", "%", "$$$${", "\\", "\\\"", "a\rb", "a\u2028b", "a\u0085b", "*/ /*", "//", "#", "\"\n}\n",
		"for", "<<EOT\n",
	}
	for _, text := range texts {
		field := cty.ObjectVal(map[string]cty.Value{"to": cty.StringVal(text)})
		drafts := []Draft{{
			Addr: Addr{Kind: Sync, Type: "x", Name: text}, Comments: []string{text},
			Notes: map[string]string{"name": text, "field": text},
			Value: cty.ObjectVal(map[string]cty.Value{
				"name": cty.StringVal(text), "types": cty.MapVal(map[string]cty.Value{text: cty.StringVal(text)}),
				"field": cty.MapVal(map[string]cty.Value{text: field}),
			}),
		}}
		doubtful := drafts[0]
		doubtful.Doubtful = true
		written := string(WriteDrafts(loadDrafts(t, ""), append(drafts, doubtful)))
		if formatted, diags := Format("x", []byte(written)); diags.HasErrors() || string(formatted) != written {
			t.Errorf("%q is not formatted: %v\n%s", text, diags, written)
			continue
		}
		cfg := loadDrafts(t, written)
		if len(cfg.Resources) != 1 {
			t.Fatalf("%q: %d declarations in\n%s", text, len(cfg.Resources), written)
		}
		r := cfg.Resources[0]
		for _, path := range [][]string{{"name"}, {"types", text}, {"field", text, "to"}} {
			if got := r.Get(path...); got.IsNull() || !got.RawEquals(cty.StringVal(text)) {
				t.Errorf("%q is %#v at %q in\n%s", text, got, path, written)
			}
		}
		w := newDraftWriter(cfg)
		list := cty.TupleVal([]cty.Value{cty.StringVal(text), cty.StringVal(text)})
		src := "locals {\n  a = " + string(w.valueTokens(list).Bytes()) + "\n}\n"
		if _, diags := Format("x", []byte(src)); diags.HasErrors() {
			t.Errorf("%q in a list: %v\n%s", text, diags, src)
		}
	}
}
