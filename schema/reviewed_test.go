package schema

import (
	"fmt"
	"strings"
	"testing"
)

// TestCyclesInModules: what is part of a cycle is reported, in each instance of a module, and nothing else happens.
func TestCyclesInModules(t *testing.T) {
	w := world{files: map[string]string{
		"main.sync.hcl": "module \"m\" {\n  source = \"./m\"\n  for_each = toset([\"a\", \"b\"])\n  depends_on = [module.m[\"b\"]]\n}\n" +
			"module \"n\" {\n  source = \"./m\"\n  for_each = toset([\"a\", \"b\"])\n}\n",
		"m/m.sync.hcl": "server \"barn\" \"x\" { depends_on = [server.barn.x] }\n"}}
	cfg, diags := w.load(t)
	if text := textOf(t, cfg, diags); !diags.HasErrors() || strings.Contains(text, "fault") {
		t.Error(text)
	}
}

// TestMarkOfNull: a null that a secret has chosen stays secret where defaults take its place.
func TestMarkOfNull(t *testing.T) {
	cfg := good(t, `
defaults "server" "barn" { url = "fast" }
server "barn" "x" { url = sensitive(true) ? null : "slow" }
`)
	if v := at(t, cfg, "server.barn.x").Get("url"); !IsSensitive(v) {
		t.Errorf("%#v", v)
	}
}

// TestEvaluateSaysEachMistake: however many there were before.
func TestEvaluateSaysEachMistake(t *testing.T) {
	cfg := good(t, `server "barn" "x" {}`)
	for i := range 2 * maxProblems {
		if _, diags := cfg.Evaluate(t.Context(), "var.gone", nil); !diags.HasErrors() {
			t.Fatalf("mistake %d is not reported", i)
		}
	}
}

// TestDoublingModules: folders that name each other twice end with one error.
func TestDoublingModules(t *testing.T) {
	w := world{files: map[string]string{"main.sync.hcl": "module \"a\" { source = \"./m1\" }\n"}}
	for i := 1; i < maxModules; i++ {
		next := fmt.Sprintf("{ source = \"../m%d\" }\n", i+1)
		w.files[fmt.Sprintf("m%d/x.sync.hcl", i)] = "module \"a\" " + next + "module \"b\" " + next
	}
	w.files[fmt.Sprintf("m%d/x.sync.hcl", maxModules)] = "locals { x = 1 }\n"
	if _, diags := w.load(t); len(diags) != 1 || diags[0].Summary != "Too many modules" {
		t.Errorf("%d diagnostics: %v", len(diags), diags[0])
	}
}

// TestModuleWithoutVariables: of a module that cannot be read each argument may be a secret.
func TestModuleWithoutVariables(t *testing.T) {
	cfg, diags := one(t, "module \"m\" {\n  source = \"./gone\"\n  anything = \"hunter2222\"\n}\n")
	if text := string(cfg.Files()["conf/main.sync.hcl"].Bytes); !diags.HasErrors() || strings.Contains(text, "hunter") {
		t.Error(text)
	}
}

// TestLongCycle checks that a cycle of thousands is not named whole: it would be megabytes of a log.
func TestLongCycle(t *testing.T) {
	const n = 3000
	var b strings.Builder
	b.WriteString("locals {\n")
	for i := range n {
		fmt.Fprintf(&b, "  a%d = local.a%d\n", i, (i+1)%n)
	}
	w := world{files: map[string]string{"main.sync.hcl": b.String() + "}\n"}}
	cfg, diags := w.load(t)
	if text := textOf(t, cfg, diags); !diags.HasErrors() || len(text) > 20_000 {
		t.Errorf("%d bytes: %.300s", len(text), text)
	}
}
