package schema

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/spf13/afero"
	"pgregory.net/rapid"
)

// TestNesting: what would overflow the parser's stack is one error at its place, wherever such a text may come from.
func TestNesting(t *testing.T) {
	const n = 2500
	nest := func(open, inner, shut string) string {
		return strings.Repeat(open, n) + inner + strings.Repeat(shut, n)
	}
	for name, expr := range map[string]string{
		"parentheses": nest("(", "1", ")"), "lists": nest("[", "", "]"), "objects": nest("{a=", "1", "}"),
		"templates": nest(`"${`, "1", `}"`), "not": nest("!", "true", ""), "minus": nest("-", "1", ""),
		"conditions": nest("true ? 1 : ", "1", ""), "sum": nest("1 + ", "1", ""), "indexes": "local.b" + nest("[0]", "", ""),
		"attributes": "local.b" + nest(".a", "", ""), "calls": nest("upper(", "1", ")"), "never closed": nest("[", "", ""),
		"lines in parentheses": "(" + nest("1 +\n", "1", "") + ")", "not in lines": "(" + nest("!\n", "true", "") + ")",
		"conditions in lines": "(" + nest("true\n? 1\n: ", "1", "") + ")",
		"lines in a loop":     "{for k in [1] :\n k => " + nest("1 +\n", "1", "") + "}",
		"lists between":       nest("[1, 2] + ", "1", ""), "calls between": nest("max(1,\n 2) + ", "1", ""), "shut": nest("(]", "",
			""),
		"lines in a list": "[" + nest("1 +\n", "1", "") + "]", "lines in a template": `"${` + nest("1 +\n", "1", "") + `}"`,
		"directives": `"` + nest("%{if true}", "x", "%{endif}") + `"`, "loops in a text": `"` + nest("%{for a in [1]}", "",
			"%{endfor}") + `"`,
		"other directives":        `"` + nest("%{if true}%{else}", "x", "%{endif}") + `"`,
		"directives in a heredoc": "<<EOT\n" + nest("%{if true}\n", "x", "%{endif}\n") + "EOT\n",
	} {
		native := "locals {\n  b = 1\n  a = " + expr + "\n}\n"
		json := fmt.Sprintf(`{"locals": {"a": %q}}`, "${"+expr+"}")
		escaped := strings.NewReplacer("${", `\u0024{`, "%{", `%\u007b`, "[", `\u005b`, "(", `\u0028`).Replace(json)
		for where, opts := range map[string]map[string]string{
			"native":  {"main.sync.hcl": native},
			"JSON":    {"main.sync.hcl.json": json},
			"escaped": {"main.sync.hcl.json": escaped},
			"values":  {"main.sync.hcl": "variable \"v\" {\n  type = any\n}\n", "syncctl.syncvars.hcl": "v = " + expr + "\n"},
			"decoded": {"main.sync.hcl": "locals {\n  a = jsondecode(file(\"x.json\"))\n}\n", "x.json": nest("[", "", "]")},
		} {
			fs := afero.NewMemMapFs()
			for file, text := range opts {
				if err := afero.WriteFile(fs, "conf/"+file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if where == "decoded" {
				_ = afero.WriteFile(fs, "x.json", []byte(opts["x.json"]), 0o600)
			}
			_, diags := Load(t.Context(), Options{Fs: fs, Dir: "conf"})
			if len(diags) == 0 || diags[0].Subject == nil {
				t.Errorf("%s in %s: taken, or said without a place: %v", name, where, diags)
			}
		}
		_, diags := Load(t.Context(), Options{Fs: withFile(t, "variable \"v\" {\n  type = list(string)\n}\n"), Dir: "conf",
			Vars: []VarSource{{Assign: "v=" + expr}}})
		if !diags.HasErrors() {
			t.Errorf("%s as -var: taken", name)
		}
	}
	blocks := nest("a {\n", "", "}\n")
	if _, diags := Format("x.sync.hcl", []byte(blocks)); !diags.HasErrors() {
		t.Error("nested blocks are formatted")
	}
	if _, diags := Load(t.Context(), Options{Fs: withFile(t, blocks), Dir: "conf"}); !diags.HasErrors() {
		t.Error("nested blocks are taken")
	}
}

// TestNestedExpressions: in JSON, an expression that is written as a text, and does not end with its line, is refused
// before it is parsed.
func TestNestedExpressions(t *testing.T) {
	const n = 2500
	for name, expr := range map[string]string{
		"parentheses": strings.Repeat("(", n) + "1" + strings.Repeat(")", n), "not": strings.Repeat("!\n", n) + "true",
		"minus": strings.Repeat("-\n", n) + "1", "conditions": strings.Repeat("true ?\n1 : ", n) + "1",
	} {
		for where, c := range map[string]struct{ text, want string }{
			"type":   {fmt.Sprintf(`{"variable": {"v": {"type": %q}}}`, expr), "Nested too deeply"},
			"import": {fmt.Sprintf(`{"import": {"to": %q, "id": "a/b"}}`, "sync.depot.a["+expr+"]"), "Invalid address"},
		} {
			fs := afero.NewMemMapFs()
			if err := afero.WriteFile(fs, "conf/main.sync.hcl.json", []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, diags := Load(t.Context(), Options{Fs: fs, Dir: "conf"}); !hasSummary(diags, c.want) {
				t.Errorf("%s as %s: %.200v", name, where, diags)
			}
		}
		if _, diags := Load(t.Context(), Options{Fs: withFile(t, "variable \"v\" {\n  type = list(string)\n}\n"), Dir: "conf",
			Vars: []VarSource{{Assign: "v=" + expr}}}); !diags.HasErrors() {
			t.Errorf("%s as -var: taken", name)
		}
	}
}

// TestDense: words and signs without end are refused before they are parsed, in one file or in all together.
func TestDense(t *testing.T) {
	t.Parallel()
	words := strings.Repeat(" a", Usual.signs*2/3)
	native, js := "#"+words+"\nlocals {\n}\n", `{"//": "`+words+`", "locals": {}}`
	for name, files := range map[string]map[string]string{
		"one":    {"a.sync.hcl": "locals {\n  a = [" + strings.Repeat("1,", Usual.signs) + "1]\n}\n"},
		"native": {"a.sync.hcl": native, "b.sync.hcl": native}, "JSON": {"a.sync.hcl.json": js, "b.sync.hcl.json": js},
		"values": {"a.sync.hcl": native, "x.auto.syncvars.hcl": native},
	} {
		fs := afero.NewMemMapFs()
		for file, text := range files {
			if err := afero.WriteFile(fs, "conf/"+file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		_, diags := Load(t.Context(), Options{Fs: fs, Dir: "conf"})
		if len(diags) == 0 || !hasSummary(diags, "Too much text") {
			t.Errorf("%s: %v", name, diags)
		}
	}
	if _, diags := Format("x.sync.hcl", []byte("#"+words+words+"\n")); !hasSummary(diags, "Too much text") {
		t.Errorf("fmt: %v", diags)
	}
}

func hasSummary(diags hcl.Diagnostics, summary string) bool {
	return slices.ContainsFunc(diags, func(d *hcl.Diagnostic) bool { return d.Summary == summary })
}

// TestTooManyProblems: what is wrong in thousands of places is reported for the first ones, and stays wrong after
// thousands of warnings.
func TestTooManyProblems(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&text, "variable \"a%d_password\" {\n  default = \"\"\n}\n", i)
	}
	warned, diags := Load(t.Context(), Options{Fs: withFile(t, text.String()), Dir: "conf"})
	if diags.HasErrors() || len(diags) > maxProblems+1 || len(warned.Variables()) != 1000 {
		t.Errorf("warnings: %d, %v", len(diags), diags.HasErrors())
	}
	for range 1000 {
		text.WriteString("nonsense {\n}\n")
	}
	_, diags = Load(t.Context(), Options{Fs: withFile(t, text.String()), Dir: "conf"})
	if !diags.HasErrors() || len(diags) > 2*maxProblems+2 || !strings.Contains(diags[len(diags)-2].Detail, "500") {
		t.Errorf("errors: %d, %v", len(diags), diags[len(diags)-2:])
	}
}

// FuzzPlainlyFlat: what looks flat at a glance is flat by its tokens.
func FuzzPlainlyFlat(f *testing.F) {
	for _, seed := range []string{
		"a = 1\n", "b \"x\" {\n  a = [1, 2] # [\n}\n", "a = \"x\"", "a = [1] + [1]\n", "a = 1e5\n", "a = {b = (1)}",
		"a = [1, 2 + 3, [4,\n", "f(1 + [2, 3], 4) + ", "a = {\n  b = 1 + 2\n", "a = {\n b = {c = 1\n}\n} + ",
		"a = { # x\n for k in b :\n k => 1 +\n", "{for\u00b2\n+\n", "{for-x\n+\n", "{\nforx = 1 + \n", "1 + {\n1 +\n",
		"1 + {for\n", "{[\n+\n", "({\n+\n",
	} {
		f.Add(seed, uint16(1))
		f.Add(seed, uint16(2500))
	}
	f.Fuzz(func(t *testing.T, piece string, times uint16) {
		if len(piece)*int(times) > 1<<16 {
			return
		}
		for _, between := range []string{"", "+ ", "\n", " # x\n"} {
			src := []byte(strings.Repeat(piece+between, int(times)))
			tokens, _ := hclsyntax.LexConfig(src, "", hcl.InitialPos)
			if plainlyFlat(src) && tooNestedTokens(tokens, 0) != nil {
				t.Fatalf("%d times %q", times, piece+between)
			}
		}
	})
}

// TestPlainlyFlatLines: the same for words and signs in any order, many times, with lines that end within them.
func TestPlainlyFlatLines(t *testing.T) {
	flat := 0
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SampledFrom([]string{"{", "}", "[", "]", "(", ")", "\n", "\n", "+ ", "a ", "= ", ", ", "for ", "forx ",
			"# x\n", "\"b\" ", ".", "? ", ": "})
		var text strings.Builder
		for range rapid.IntRange(1, 5).Draw(t, "parts") {
			part := strings.Join(rapid.SliceOfN(words, 1, 6).Draw(t, "words"), "")
			text.WriteString(strings.Repeat(part, rapid.SampledFrom([]int{1, 1, 99, 1100, 2001}).Draw(t, "times")))
		}
		src := []byte(text.String())
		if !plainlyFlat(src) {
			return
		}
		flat++
		tokens, _ := hclsyntax.LexConfig(src, "", hcl.InitialPos)
		if d := tooNestedTokens(tokens, 0); d != nil {
			t.Fatalf("%.200q: %v", src, d)
		}
	})
	if flat == 0 {
		t.Error("no text is flat")
	}
}

// TestPlainlyFlat: an ordinary file is told at a glance, and nothing at its limits is.
func TestPlainlyFlat(t *testing.T) {
	for text, want := range map[string]bool{
		fleet(100, true): true, "a = \"${b}\"\n": false, "a = <<E\nE\n": false, "a = 1 // x\n": false,
		strings.Repeat("(", maxNesting): false, "a = " + strings.Repeat("[1] + ", maxChain) + "1\n": false,
		strings.Repeat("a = 1\n", 3*maxChain): true, "a = " + strings.Repeat("1", maxDigits+1): false, "a = (]": false,
		"a = [" + strings.Repeat("\"x\",\n", 2*maxChain) + "]\n":                                           true,
		"a = {\n" + strings.Repeat("b = {\nc = 1\n}\n", 2*maxChain) + "}\n":                                true,
		"a = {\n b = " + strings.Repeat("1 + ", maxChain) + "1\n}\n":                                       false,
		"a = { # x\n for b in c :\n b => " + strings.Repeat("1 +\n", maxChain) + "1\n}\n":                  false,
		"a = {\n for_each = 1\n" + strings.Repeat("b = 1\n", maxChain) + "}\n":                             true,
		"a = [1, " + strings.Repeat("1 + ", maxChain) + "1]\n":                                             false,
		"a = " + strings.Repeat("1 + ", maxChain/2) + "[1, " + strings.Repeat("1 + ", maxChain/2) + "1]\n": false,
	} {
		if got := plainlyFlat([]byte(text)); got != want {
			t.Errorf("%.40q: %v", text, got)
		}
	}
}

// TestLongIsNotNested: texts that are long and flat are taken.
func TestLongIsNotNested(t *testing.T) {
	const n = 5000
	for name, expr := range map[string]string{
		"list": "[" + strings.Repeat("[1], ", n) + "]", "template": `"` + strings.Repeat("${local.b}", n) + `"`,
		"object":  "{\n" + strings.Repeat("k = local.b + 1\n", 1) + strings.Repeat("\n", n) + "}",
		"heredoc": "<<-EOT\n" + strings.Repeat("${local.b} {[(\n", n) + "EOT",
		"text":    `"` + strings.Repeat("((([[[", n) + `"`,
	} {
		text := "locals {\n  b = 1\n  a = " + expr + "\n}\n" + strings.Repeat("locals {\n}\n", n)
		if _, diags := Load(t.Context(), Options{Fs: withFile(t, text), Dir: "conf"}); diags.HasErrors() {
			t.Errorf("%s: %v", name, diags[0])
		}
	}
	json := `{"locals": {"a": [` + strings.Repeat(`["x"], `, n) + `"((([[[{{{"]}}`
	fs := afero.NewMemMapFs()
	_ = afero.WriteFile(fs, "conf/main.sync.hcl.json", []byte(json), 0o600)
	if _, diags := Load(t.Context(), Options{Fs: fs, Dir: "conf"}); diags.HasErrors() {
		t.Errorf("JSON: %v", diags[0])
	}
}

// TestTextOfManyParts: a text that the parser would join with the square of its parts is refused, in each syntax, and
// one as long as a person writes it is taken.
func TestTextOfManyParts(t *testing.T) {
	t.Parallel()
	load := func(files map[string]string) hcl.Diagnostics {
		fs := afero.NewMemMapFs()
		for file, text := range files {
			if err := afero.WriteFile(fs, "conf/"+file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		_, diags := Load(t.Context(), Options{Fs: fs, Dir: "conf"})
		return diags
	}
	for part, n := range map[string]int{"$a": 20_000, "$${": 20_000, "a%%{b": 20_000, "a\n": 20_000,
		strings.Repeat("a", 80) + "\n": 4000} {
		text := strings.Repeat(part, n)
		inQuotes, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		quoted := fmt.Sprintf("locals {\n  a = \"%s\"\n}\n", text)
		if strings.HasSuffix(part, "\n") {
			quoted = "locals {\n  a = <<EOT\n" + text + "EOT\n}\n"
		}
		for name, files := range map[string]map[string]string{
			"native":   {"a.sync.hcl": quoted},
			"JSON":     {"a.sync.hcl.json": fmt.Sprintf(`{"locals": {"a": %s}}`, inQuotes)},
			"template": {"a.sync.hcl": "locals {\n  a = templatefile(\"x\", {})\n}\n", "x": text},
		} {
			if diags := load(files); diags.HasErrors() != (n == 20_000) {
				t.Errorf("%d of %.10q, %s: %v", n, part, name, diags)
			}
		}
	}
}

// TestHiddenFiles: what editors and file systems leave beside a file is not read.
func TestHiddenFiles(t *testing.T) {
	fs := withFile(t, "locals {\n  a = 1\n}\n")
	for _, name := range []string{".#main.sync.hcl", "._main.sync.hcl", ".#x.auto.syncvars.hcl", "._y.sync.hcl.json",
		".syncvars.hcl"} {
		if err := afero.WriteFile(fs, "conf/"+name, []byte("\x00\x05\x16\x07 {"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, diags := Load(t.Context(), Options{Fs: fs, Dir: "conf"}); len(diags) > 0 {
		t.Error(diags)
	}
}

func withFile(t *testing.T, text string) afero.Fs {
	t.Helper()
	fs := afero.NewMemMapFs()
	if err := afero.WriteFile(fs, "conf/main.sync.hcl", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return fs
}

func TestNearest(t *testing.T) {
	for _, c := range []struct {
		given, want string
		candidates  []string
	}{
		{"server.backbone.a", "", []string{"server.backbone.b", "server.backbone.c"}},
		{"server.backbon.a", "server.backbone.a", []string{"server.backbone.a", "server.backbone.b"}},
		{"sync.depot.toools", "sync.depot.tools", []string{"sync.depot.tools"}},
		{"ulr", "url", []string{"url", "user"}},
		{"foo", "", []string{"fmt", "plan"}},
		{"get", "", []string{"fmt", "plan"}},
		{"paln", "plan", []string{"fmt", "plan"}},
		{"plna", "plan", []string{"fmt", "plan"}},
	} {
		if got := Nearest(c.given, c.candidates); got != c.want {
			t.Errorf("%s: got %q, want %q", c.given, got, c.want)
		}
	}
	if got := nearestArgument("username", []string{"url", "user", "token"}); got != "user" {
		t.Errorf("username: got %q", got)
	}
}
