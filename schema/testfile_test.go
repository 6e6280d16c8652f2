package schema_test

import (
	"strings"
	"testing"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

// tested reads the tests of a folder.
func tested(t *testing.T, files map[string]string) ([]*schema.Test, schema.Options, []string) {
	t.Helper()
	fs := afero.NewMemMapFs()
	for name, text := range files {
		if err := afero.WriteFile(fs, name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	opts := schema.Options{Fs: fs, Dir: "."}
	tests, _, diags := schema.ReadTests(t.Context(), opts)
	var summaries []string
	for _, d := range diags {
		summaries = append(summaries, d.Summary)
	}
	return tests, opts, summaries
}

// TestReadTestsBounds: a test is foreign text as a configuration is, and as bounded.
func TestReadTestsBounds(t *testing.T) {
	deep := strings.Repeat("[", 10_000)
	for name, file := range map[string]map[string]string{
		"nested":      {"a.synctest.hcl": "run \"a\" { faults = " + deep},
		"nested JSON": {"a.synctest.hcl.json": `{"run": {"a": {"faults": ` + deep},
		"large":       {"a.synctest.hcl": strings.Repeat("#", int(schema.Usual.Bytes())+1)},
		"work":        {"a.synctest.hcl": `run "a" { expect_steps = ["${[for x in [for y in ["a"] : y] : x][9]}"] }`},
		"calls":       {"a.synctest.hcl": `run "a" { faults = [env("HOME")] }`},
		"references":  {"a.synctest.hcl": `run "a" { expect_steps = [var.x] }`},
		"no list":     {"a.synctest.hcl": `run "a" { expect_steps = "x/y" }`},
		"null":        {"a.synctest.hcl": `run "a" { expect_steps = [null] }`},
		"name":        {"a.synctest.hcl": `run "a b" {}`},
		"variables":   {"a.synctest.hcl": "variables {}\nvariables {}"},
		"argument":    {"a.synctest.hcl": `colour = "red"`},
		"kinds":       {"a.synctest.hcl": `run "a" { expect_failures = [sync.depot] }`},
	} {
		if _, _, summaries := tested(t, file); len(summaries) == 0 {
			t.Errorf("%s: there is no error", name)
		}
	}
}

const testedConfiguration = `
variable "n" {
  type = number
  validation {
    condition     = var.n > 0
    error_message = "It is positive."
  }
}
locals { doubled = var.n * 2 }
output "doubled" {
  value = local.doubled
  precondition {
    condition     = var.n < 100
    error_message = "It is small."
  }
}
check "even" {
  assert {
    condition     = var.n % 2 == 0
    error_message = "It is even."
  }
}
`

// TestRunOfTest: what fails is told by its name, and only what can be expected to; the run's values come first.
func TestRunOfTest(t *testing.T) {
	for name, c := range map[string]struct {
		run     string
		failed  string // objects, "?" for a mistake, in the order of the places
		asserts int    // that do not hold
	}{
		"fine":             {`variables { n = 4 }`, "", 0},
		"validation":       {`variables { n = 0 }`, "var.n", 0},
		"type":             {`variables { n = "x" }`, "var.n", 0},
		"no value":         {``, "?", 0},
		"check":            {`variables { n = 3 }`, "check.even", 0},
		"output":           {`variables { n = 100 }`, "output.doubled", 0},
		"undeclared":       {"variables { n = 4 }\nexpect_failures = [check.odd]", "?", 0},
		"undeclared value": {"variables {\nn = 4\nm = 4\n}", "?", 0},
		"holds": {`variables { n = 4 }
			assert {
			  condition = output.doubled == 8 && local.doubled == plan.n && length(run) == 1
			  error_message = "No."
			}`, "", 0},
		"does not hold": {`variables { n = 4 }
			assert {
			  condition = output.doubled == 9
			  error_message = "No."
			}`, "", 1},
		"not known": {`variables { n = 4 }
			assert {
			  condition = plan.unknown
			  error_message = "No."
			}`, "", 1},
		"a name in brackets": {"variables { n = 4 }\nexpect_failures = [var[\"n\"]]", "?", 0},
		"no boolean": {`variables { n = 4 }
			assert {
			  condition = output.doubled
			  error_message = "No."
			}`, "", 1},
	} {
		tests, opts, summaries := tested(t, map[string]string{"main.sync.hcl": testedConfiguration,
			"a.synctest.hcl": "variables {}\nrun \"a\" {\n" + c.run + "\n}\n"})
		if len(summaries) > 0 {
			t.Errorf("%s: %v", name, summaries)
			continue
		}
		opts.Run = tests[0].Runs[0]
		opts.Vars = []schema.VarSource{{Assign: "n=6"}}
		if name == "no value" {
			opts.Vars = nil
		}
		cfg, diags := schema.Load(t.Context(), opts)
		var failed []string
		for _, d := range diags {
			object := schema.FailedObject(d)
			if object == "" {
				object = "?"
			}
			failed = append(failed, object)
		}
		if got := strings.Join(failed, " "); got != c.failed {
			t.Errorf("%s: failed is %q, want %q", name, got, c.failed)
		}
		if diags.HasErrors() {
			continue
		}
		given := map[string]cty.Value{
			"plan": cty.ObjectVal(map[string]cty.Value{"n": cty.NumberIntVal(8), "unknown": cty.UnknownVal(cty.Bool)}),
			"run":  cty.ObjectVal(map[string]cty.Value{"a": cty.True}),
		}
		if got := cfg.Assert(t.Context(), opts.Run, given); len(got) != c.asserts {
			t.Errorf("%s: %d assertions do not hold, want %d: %v", name, len(got), c.asserts, got)
		}
	}
}

// TestTestIsNoConfiguration: a folder of tests alone has none, and a test in JSON says the same.
func TestTestIsNoConfiguration(t *testing.T) {
	tests, opts, summaries := tested(t, map[string]string{
		"a.synctest.hcl":      "run \"x\" {\n command = plan\n expect_failures = [var.a, sync.depot.b[\"k\"]]\n}",
		"b.synctest.hcl.json": `{"run": {"x": {"command": "plan", "expect_failures": ["var.a", "sync.depot.b[\"k\"]"]}}}`,
	})
	if len(summaries) > 0 || len(tests) != 2 {
		t.Fatalf("%d tests, %v", len(tests), summaries)
	}
	for _, test := range tests {
		r := test.Runs[0]
		if r.Name != "x" || r.Apply || len(r.Failures) != 2 || r.Failures[1].Text != `sync.depot.b["k"]` {
			t.Errorf("%s: %+v", test.File, r)
		}
	}
	if _, diags := schema.Load(t.Context(), opts); !diags.HasErrors() {
		t.Error("a test is read as configuration")
	}
}
