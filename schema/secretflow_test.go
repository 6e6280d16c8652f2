package schema

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/afero"
	"github.com/zclconf/go-cty/cty"
)

// bothSyntaxes are the files that give a local value an expression, and show it in an argument.
func bothSyntaxes(t *testing.T, expr string) map[string]string {
	t.Helper()
	text, err := json.Marshal(map[string]any{"locals": map[string]any{"x": "${" + expr + "}"}})
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{"a.sync.hcl": "locals {\n  x = " + expr + "\n}\n", "a.sync.hcl.json": string(text)}
}

const letters = "ЖЩЮЫ"

const readsLetters = `variable "s" {
  type      = string
  sensitive = true
}
locals {
  alphabet = { "Ж" = "is Ж", "Щ" = "is Щ" }
}
server "depot" "t" {
  url      = "u"
  anything = local.x
}
`

// TestWhatDependsOnSecrets: what is found out about a secret is one, also by whether an expression has a value, and by
// what a key finds. Where it comes from is known, too.
func TestWhatDependsOnSecrets(t *testing.T) {
	for _, expr := range []string{
		`can(regex("^Ж", var.s))`, `can(regex("^q", var.s)) ? "yes" : "no"`, `try([regex("^Ж", var.s), "yes"][1], "no")`,
		`try([regex("^q", var.s), "yes"][1], "no")`, `local.alphabet[substr(var.s, 0, 1)]`,
		`[for i in [0, 1] : local.alphabet[substr(var.s, i, 1)]]`, `try(local.alphabet[substr(var.s, 3, 1)], "no")`,
		`{ a = { (var.s) = "x" } }.a[var.s]`, `can(tobool(env("THE_TOKEN")))`,
		`can(regex("^Ж", templatefile("t.tmpl", { s = var.s })))`,
		`lookup(local.alphabet, substr(var.s, 0, 1), "no")`, `[for c in ["Ж", "q"] : can(regex(c, var.s))]`,
		`templatefile("k.tmpl", { s = var.s, a = local.alphabet })`, `try(var.s.nothing, "no")`, `can(jsondecode(var.s).a)`,
	} {
		for name, text := range bothSyntaxes(t, expr) {
			w := world{files: map[string]string{name: text, "b.sync.hcl": readsLetters, "t.tmpl": "${s}",
				"k.tmpl": "${a[substr(s, 0, 1)]}"}, vars: []VarSource{{Assign: "s=" + letters}},
				env: map[string]string{"THE_TOKEN": "x"}}
			cfg, diags := w.load(t)
			if diags.HasErrors() {
				t.Errorf("%s: %s", expr, textOf(t, cfg, diags))
				continue
			}
			r := cfg.Lookup(Addr{Kind: Server, Type: "depot", Name: "t"})
			if !IsSensitive(Get(r.Value, "anything")) {
				t.Errorf("%s in %s: it is shown", expr, name)
			}
			source := Source{Variable: "s"}
			if strings.Contains(expr, "THE_TOKEN") {
				source = Source{Environment: "THE_TOKEN"}
			}
			if got := r.Sources(); !slices.Equal(got, []Source{source}) {
				t.Errorf("%s in %s: comes from %v", expr, name, got)
			}
		}
	}
}

// TestWhatDoesNotDependOnSecrets: the rest stays open.
func TestWhatDoesNotDependOnSecrets(t *testing.T) {
	for _, expr := range []string{`try(local.alphabet["q"], "no")`, `can(tobool("x"))`, `local.alphabet["Ж"]`,
		`try({ a = 1, b = var.s }.a, 2)`} {
		w := world{files: map[string]string{"a.sync.hcl": "locals {\n  x = " + expr + "\n}\n", "b.sync.hcl": readsLetters},
			vars: []VarSource{{Assign: "s=" + letters}}}
		cfg, diags := w.load(t)
		r := cfg.Lookup(Addr{Kind: Server, Type: "depot", Name: "t"})
		if diags.HasErrors() || IsSensitive(Get(r.Value, "anything")) != strings.Contains(expr, "var.s") {
			t.Errorf("%s: %s", expr, textOf(t, cfg, diags))
		}
	}
}

// TestLettersOfSecrets: errors show nothing of a secret, taken apart or turned around, in a loop or as a name.
func TestLettersOfSecrets(t *testing.T) {
	for _, each := range []string{`tobool(c)`, `parseint(c, 10)`, `env(c)`, `file(c)`, `{ a = 1 }[c]`, `c.x`,
		`try(tobool(c))`,
		`[for d in [c] : tobool(d)]`, `templatefile("t.tmpl", { s = c })`, `formatdate(c, "x")`, `c + 1`, `c ? 1 : 2`} {
		for _, expr := range []string{`[for c in split("", var.s) : ` + each + `]`,
			`{ for c in split("", var.s) : c => ` + each + ` }`, `"%{for c in split("", var.s)}${` + each + `}%{endfor}"`,
			`[for c in split("", env("THE_TOKEN")) : ` + each + `]`, `try([for c in split("", var.s) : ` + each + `])`,
			`[for k, v in { (strrev(var.s)) = 1 } : [for c in [k] : ` + each + `]]`, `templatefile("e.tmpl", { s = var.s })`,
			`templatefile("f.tmpl", {})`,
		} {
			for name, text := range bothSyntaxes(t, expr) {
				w := world{files: map[string]string{name: text, "b.sync.hcl": strings.SplitN(readsLetters, "locals", 2)[0],
					"t.tmpl": "${tobool(s)}",
					"e.tmpl": `%{for c in split("", s)}${` + each + `}%{endfor}`,
					"f.tmpl": `%{for c in split("", env("THE_TOKEN"))}${` + each + `}%{endfor}`},
					vars: []VarSource{{Assign: "s=" + letters}}, env: map[string]string{"THE_TOKEN": letters}}
				cfg, diags := w.load(t)
				if out := textOf(t, cfg, diags) + fmt.Sprint(diags); !diags.HasErrors() || strings.ContainsAny(out, letters) {
					t.Errorf("%s in %s: %s", expr, name, out)
				}
			}
		}
	}
	for _, expr := range []string{`true ? { (strrev(var.s)) = 1, y = [1] } : { z = 2 }`,
		`true ? { for c in split("", var.s) : c => [1] } : { z = 2 }`, `{ for c in split("", "${var.s}${var.s}") : c => 1 }`,
		`{ for c in ["a", "a"] : "${c}${strrev(var.s)}" => 1 }`} {
		w := world{files: map[string]string{"a.sync.hcl": "locals {\n  x = " + expr + "\n}\n",
			"b.sync.hcl": strings.SplitN(readsLetters, "locals", 2)[0]}, vars: []VarSource{{Assign: "s=" + letters}}}
		cfg, diags := w.load(t)
		if out := textOf(t, cfg, diags); !diags.HasErrors() || strings.ContainsAny(out, letters) {
			t.Errorf("%s: %s", expr, out)
		}
	}
}

// TestTriedOnce: what try and can are given is evaluated once, also where they stand in each other. An expression as a
// whole is evaluated twice: first to find out what it costs.
func TestTriedOnce(t *testing.T) {
	for _, function := range []string{"try", "can"} {
		fs, asked := afero.NewMemMapFs(), 0
		text := "locals {\n  x = " + strings.Repeat(function+"(", 64) + `tobool(env("V"))` + strings.Repeat(")", 64) + "\n}\n" +
			"server \"depot\" \"t\" {\n  url      = \"u\"\n  anything = local.x\n}\n"
		if err := afero.WriteFile(fs, "a.sync.hcl", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, diags := Load(t.Context(), Options{Fs: fs, Dir: ".", Catalog: depots(), Version: "1.4.0",
			Env: func(string) (string, bool) {
				asked++
				return map[bool]string{true: "true", false: "not a bool"}[asked <= 2], true
			}})
		if diags.HasErrors() {
			t.Fatalf("%s: %v", function, diags)
		}
		r := cfg.Lookup(Addr{Kind: Server, Type: "depot", Name: "t"})
		if got := Get(r.Value, "anything"); asked > 2 || !got.RawEquals(cty.True) {
			t.Errorf("%s: %#v, evaluated %d times", function, got, asked)
		}
	}
}
