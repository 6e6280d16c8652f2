package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// TestOutsideIsNotShown: no diagnostic shows what env() or file() gave.
func TestOutsideIsNotShown(t *testing.T) {
	t.Parallel()
	const text = "canary-of-somebody"
	for _, source := range []string{`env("OPEN")`, `file("open.txt")`, `trimspace(file("lines.txt"))`, `"x-${env("OPEN")}"`,
		`jsondecode(file("open.json")).a`, `file("own.txt")`} {
		for _, use := range []string{"port = local.a", "flavour = local.a", "tags = local.a", "port = %s", "flavour = %s",
			"flavour = local.a.b", "port = [local.a][9]", "port = timeadd(local.a, \"1h\")", "port = parseint(%s, 10)",
			"port = { a = 1 }[%s]", "port = file(%s)"} {
			arg, expr, _ := strings.Cut(strings.ReplaceAll(use, "%s", source), " = ")
			doc, err := json.Marshal(map[string]any{"locals": map[string]string{"a": "${" + source + "}"},
				"server": map[string]any{"depot": map[string]any{"t": map[string]string{"url": "u", arg: "${" + expr + "}"}}}})
			if err != nil {
				t.Fatal(err)
			}
			for file, src := range map[string]string{
				"main.sync.hcl": fmt.Sprintf("locals {\n  a = %s\n}\nserver \"depot\" \"t\" {\n  url = \"u\"\n  %s = %s\n}\n",
					source, arg, expr),
				"main.sync.hcl.json": string(doc),
			} {
				w := world{files: map[string]string{file: src, "open.txt": text, "lines.txt": "\n" + text + "\n",
					"open.json": `{"a": "` + text + `"}`, "own.txt": text}, env: map[string]string{"OPEN": text}}
				cfg, diags := w.load(t)
				var out bytes.Buffer
				if err := WriteText(&out, diags, cfg.Files, TextOptions{}); err != nil {
					t.Fatal(err)
				}
				if err := WriteJSON(&out, diags, cfg.Files); err != nil {
					t.Fatal(err)
				}
				if !diags.HasErrors() || strings.Contains(out.String(), text) {
					t.Errorf("%s:\n%s", src, out.String())
				}
			}
		}
	}
}

// TestOwnTextIsShown: what stands in the configuration itself is shown, when it is not long.
func TestOwnTextIsShown(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("y", maxShown+1)
	cfg, diags := one(t, "locals {\n  a = \"sweat\"\n  b = \"${local.a}"+long+"\"\n}\n"+
		"server \"depot\" \"t\" {\n  url = \"u\"\n"+
		"  port = local.b\n  flavour = local.a\n}\n")
	for _, d := range diags {
		for _, v := range valuesOf(d) {
			if v.Traversal == "local.a" && v.Statement != `is "sweat"` || strings.Contains(v.Statement, "yy") {
				t.Errorf("%v", v)
			}
		}
	}
	if !diags.HasErrors() || !strings.Contains(textOf(t, cfg, diags), `"sweat"`) {
		t.Errorf("%s", textOf(t, cfg, diags))
	}
}
