package schema

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/syncctl/syncctl/printable"
)

func TestSanitize(t *testing.T) {
	for in, want := range map[string]string{
		"plain äö\n\ttext": "plain äö\n\ttext", "a\x1b[31mb": `a\x1b[31mb`, "a\rb": `a\rb`, "\x00\x7f": `\x00\x7f`,
		"\u009b31m": `\u009b31m`, "a\xffb": `a\xffb`, "\u202eevil": `\u202eevil`, "\u2028": `\u2028`,
	} {
		if got := Sanitize(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	if got := SanitizeLine("a\n\tb"); got != `a\n\tb` {
		t.Errorf("line: got %q", got)
	}
}

func TestFormat(t *testing.T) {
	got, diags := Format("a.sync.hcl", []byte("a=1\nbcd   =  2\n"))
	if len(diags) > 0 || string(got) != "a   = 1\nbcd = 2\n" {
		t.Errorf("got %q, %v", got, diags)
	}
	const wrong = "a = = 1\n  b=2\n"
	if got, diags := Format("a.sync.hcl", []byte(wrong)); !diags.HasErrors() || string(got) != wrong {
		t.Errorf("got %q, %v", got, diags)
	}
}

// FuzzLoad feeds arbitrary bytes as each kind of file: nothing panics, output is free of control characters, and the
// JSON is JSON.
func FuzzLoad(f *testing.F) {
	f.Add([]byte(twoDepots), false)
	f.Add([]byte(holder), false)
	f.Add([]byte(`{"server": {"depot": {"a": {"url": "${var.x}"}}}}`), true)
	f.Add([]byte("server \"depot\" \"\x1b[31m\" {\n url = \"\x1b\"\n"), false)
	files, err := filepath.Glob("testdata/bad/*/*")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text, strings.HasSuffix(name, ".json"))
	}
	f.Fuzz(func(t *testing.T, src []byte, isJSON bool) {
		name := "main.sync.hcl"
		if isJSON {
			name += ".json"
		}
		w := world{files: map[string]string{name: string(src), "a.auto.syncvars.hcl": string(src)},
			env: map[string]string{"SYNCCTL_VAR_x": string(src)}}
		cfg, diags := w.load(t)
		var plain, doc bytes.Buffer
		if err := WriteText(&plain, diags, cfg.Files(), TextOptions{Width: 40}); err != nil {
			t.Fatal(err)
		}
		if err := WriteJSON(&doc, diags, cfg.Files()); err != nil {
			t.Fatal(err)
		}
		if !printable.Safe(plain.String()) {
			t.Fatalf("it is not printable:\n%q", plain.String())
		}
		if !utf8.Valid(doc.Bytes()) || !json.Valid(doc.Bytes()) {
			t.Fatalf("not JSON:\n%s", doc.Bytes())
		}
		if !diags.HasErrors() && cfg.Digest() == "" {
			t.Fatal("no digest")
		}
	})
}
