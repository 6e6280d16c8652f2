package schema

import (
	"fmt"
	"strings"
	"testing"

	"github.com/spf13/afero"
)

// TestNesting: what would overflow the parser's stack is one error at its place, wherever such a text may come from.
func TestNesting(t *testing.T) {
	const n = 5000
	nest := func(open, inner, shut string) string {
		return strings.Repeat(open, n) + inner + strings.Repeat(shut, n)
	}
	for name, expr := range map[string]string{
		"parentheses": nest("(", "1", ")"), "lists": nest("[", "", "]"), "objects": nest("{a=", "1", "}"),
		"templates": nest(`"${`, "1", `}"`), "not": nest("!", "true", ""), "minus": nest("-", "1", ""),
		"conditions": nest("true ? 1 : ", "1", ""), "sum": nest("1 + ", "1", ""), "indexes": "local.b" + nest("[0]", "", ""),
		"attributes": "local.b" + nest(".a", "", ""), "calls": nest("upper(", "1", ")"), "never closed": nest("[", "", ""),
	} {
		native := "locals {\n  b = 1\n  a = " + expr + "\n}\n"
		json := fmt.Sprintf(`{"locals": {"a": %q}}`, "${"+expr+"}")
		for where, opts := range map[string]map[string]string{
			"native":  {"main.sync.hcl": native},
			"JSON":    {"main.sync.hcl.json": json},
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
