package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"
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
				if err := WriteText(&out, diags, cfg.Files(), TextOptions{}); err != nil {
					t.Fatal(err)
				}
				if err := WriteJSON(&out, diags, cfg.Files()); err != nil {
					t.Fatal(err)
				}
				if !diags.HasErrors() || strings.Contains(out.String(), text) {
					t.Errorf("%s:\n%s", src, out.String())
				}
			}
		}
	}
}

// TestDerivedIsNotShown: neither does one show what functions made of such a text: in other letters, encoded, cut up,
// put together, counted, or under another name.
func TestDerivedIsNotShown(t *testing.T) {
	t.Parallel()
	const text = "Canary-of-Somebody-4711"
	for expr, hidden := range map[string]string{
		`upper(env("OPEN"))`:                                      "CANARY-OF-SOMEBODY-4711",
		`lower(trimspace(file("lines.txt")))`:                     "canary-of-somebody-4711",
		`strrev(env("OPEN"))`:                                     "1174-ydobemoS-fo-yranaC",
		`base64encode(env("OPEN"))`:                               "Q2FuYXJ5",
		`sha256(env("OPEN"))`:                                     "",
		`urlencode("${env("OPEN")}/&")`:                           "Canary",
		`replace(env("OPEN"), "-", "")`:                           "CanaryofSomebody4711",
		`join(".", split("-", env("OPEN")))`:                      "Canary.of",
		`join("+", [for c in split("", env("OPEN")) : upper(c)])`: "C+A+N",
		`upper(jsondecode(file("open.json")).a)`:                  "CANARY-OF",
		`keys(jsondecode(upper(file("open.json"))))[0] `:          "NAMED",
		`title(lower(upper(env("OPEN"))))`:                        "Canary-Of-Somebody",
		`"x-${upper(env("OPEN"))}-y"`:                             "CANARY",
		`substr(env("OPEN"), 0, 1)`:                               `"C"`,
		`upper(substr(env("OPEN"), 1, 1))`:                        `"A"`,
		`jsonencode({ a = upper(env("OPEN")) })`:                  "CANARY",
	} {
		for _, use := range []string{"port = local.a", "flavour = local.a", "port = %s", "flavour = %s", "port = file(%s)",
			"port = { a = 1 }[%s]", "flavour = upper(local.a)", "port = parseint(local.a, 10)"} {
			arg, e, _ := strings.Cut(strings.ReplaceAll(use, "%s", expr), " = ")
			src := fmt.Sprintf("locals {\n  a = %s\n}\nserver \"depot\" \"t\" {\n  url = \"u\"\n  %s = %s\n}\n", expr, arg, e)
			w := world{files: map[string]string{"main.sync.hcl": src, "lines.txt": "\n" + text + "\n",
				"open.json": `{"a": "` + text + `", "named-by-somebody": 1}`}, env: map[string]string{"OPEN": text}}
			cfg, diags := w.load(t)
			var out bytes.Buffer
			if err := WriteText(&out, diags, cfg.Files(), TextOptions{}); err != nil {
				t.Fatal(err)
			}
			if err := WriteJSON(&out, diags, cfg.Files()); err != nil {
				t.Fatal(err)
			}
			if hidden == "" {
				hidden = "from nothing"
			}
			if !diags.HasErrors() || strings.Contains(out.String(), hidden) {
				t.Errorf("%s:\n%s", src, out.String())
			}
		}
	}
}

// TestManyDerivedTexts: with more of them than are kept, no text is shown that is not the configuration's own.
func TestManyDerivedTexts(t *testing.T) {
	t.Parallel()
	src := "locals {\n  many = [for i in range(6000) : upper(\"${env(\"OPEN\")}${i * 7}x\")]\n" +
		"  rest = [for i in range(6000) : strrev(\"${env(\"OPEN\")}${i * 7}\")]\n}\n" +
		"server \"depot\" \"t\" {\n  url = \"u\"\n  flavour = local.rest[5999]\n}\n" +
		"server \"depot\" \"own\" {\n  url = \"u\"\n  flavour = \"sweating\"\n}\n"
	w := world{files: map[string]string{"main.sync.hcl": src}, env: map[string]string{"OPEN": "Canary-"}}
	cfg, diags := w.load(t)
	text := textOf(t, cfg, diags)
	if !diags.HasErrors() || strings.Contains(text, "yranaC") || !strings.Contains(text, `"sweating"`) {
		t.Error(text)
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

// TestLargeTables: looking for each text of a table in the file that it comes from ends at a limit, and then what is
// not in the configuration's files counts as a text from outside.
func TestLargeTables(t *testing.T) {
	const rows = 50_000
	var table strings.Builder
	cells := make([]cty.Value, rows)
	for i := range cells {
		fmt.Fprintf(&table, "x%d\n", i)
		cells[i] = cty.StringVal(fmt.Sprintf("x%d", i))
	}
	o := newForeignTexts()
	o.add(table.String(), "file()")
	o.derive([]cty.Value{cty.StringVal(table.String())}, cty.ListVal(cells), func(string) bool { return false })
	if !o.lost || o.searched > mostSearch+int64(table.Len()) {
		t.Errorf("lost %v, searched %d bytes", o.lost, o.searched)
	}
	if o.taint("derived", func(string) bool { return false }) == "" {
		t.Error("a text that may be derived is shown")
	}
}
