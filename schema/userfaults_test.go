package schema

import (
	"strings"
	"testing"
)

// TestValidationFirst: where a validation refuses a value, what follows from that value is not reported too. What the
// variable itself refuses is.
func TestValidationFirst(t *testing.T) {
	const use = `
variable "next" {
  default = { a = "nowhere" }
  validation {
    condition     = alltrue([for n in values(var.next) : contains(keys(var.next), n)])
    error_message = "It is a name."
  }
}
server "barn" "x" {
  for_each = var.next
  url      = var.next[each.value]
}
check "c" {
  assert {
    condition     = var.next["b"] == "c"
    error_message = "It is not."
  }
}
`
	for name, files := range map[string]map[string]string{
		"root":   {"main.sync.hcl": use},
		"module": {"main.sync.hcl": "module \"m\" {\n source = \"./m\"\n next = { a = \"b\" }\n}\n", "m/m.sync.hcl": use},
		"each": {"main.sync.hcl": "module \"m\" {\n source = \"./m\"\n" +
			" for_each = { x = \"x\", y = \"b\" }\n next = { x = each.value }\n}\n",
			"m/m.sync.hcl": strings.ReplaceAll(use, `var.next["b"]`, "each.key")[:strings.Index(use, "check")]},
		"JSON": {"main.sync.hcl.json": `{"variable": {"n": {"default": "b", "validation": {"condition": "${var.n == \"a\"}",
			"error_message": "It is a."}}}, "server": {"barn": {"x": {"url": "${{ a = 1 }[var.n]}"}}}}`},
	} {
		cfg, diags := world{files: files}.load(t)
		if len(diags) != 1 || diags[0].Summary != "Invalid value for variable" {
			t.Errorf("%s: %s", name, textOf(t, cfg, diags))
		}
	}
}

// TestTornModule: of a module with a file that cannot be read whole, nothing is said to be missing.
func TestTornModule(t *testing.T) {
	cfg, diags := world{files: map[string]string{
		"main.sync.hcl": `module "m" {
  source   = "./m"
  for_each = { x = 1 }
}
output "o" { value = module.m["x"].o }
output "all" { value = { for k, m in module.m : k => m.o } }
output "some" { value = [for k in ["x"] : module.m[k].o] }
`,
		"m/m.sync.hcl": "server \"barn\" \"x\" {}\nserver \"barn\" \"plant {\n url = \"u\"\n}\noutput \"o\" { value = 1 }\n",
	}}.load(t)
	if !diags.HasErrors() {
		t.Error("the torn file is not reported")
	}
	for _, d := range diags {
		if d.Subject == nil || !strings.HasSuffix(d.Subject.Filename, "m/m.sync.hcl") {
			t.Error(textOf(t, cfg, diags))
			break
		}
	}
}

// TestWordsOfTerraform: what those who know Terraform write leads to what there is, in both syntaxes.
func TestWordsOfTerraform(t *testing.T) {
	for _, c := range [][3]string{
		{`resource "barn" "x" {}`, `{"resource": {"barn": {"x": {}}}}`, "a server, keystore, sync or migration"},
		{`data "barn" "x" {}`, `{"data": {"barn": {"x": {}}}}`, "no data sources"},
		{"server \"barn\" \"x\" {\n lifecycle {\n  ignore_changes = [url]\n }\n}",
			`{"server": {"barn": {"x": {"lifecycle": {"ignore_changes": ["url"]}}}}}`, "leave the argument out"},
		{"variable \"v\" { type = strng }", `{"variable": {"v": {"type": "strng"}}}`, `Did you mean "string"?`},
		{"variable \"v\" { type = int }", `{"variable": {"v": {"type": "int"}}}`, `Did you mean "number"?`},
		{"variable \"v\" { type = \"string\" }", `{"variable": {"v": {"type": "blob"}}}`, ""},
	} {
		for i, name := range []string{"main.sync.hcl", "main.sync.hcl.json"} {
			cfg, diags := world{files: map[string]string{name: c[i]}}.load(t)
			if got := strings.Join(strings.Fields(textOf(t, cfg, diags)), " "); len(diags) != 1 || !strings.Contains(got, c[2]) {
				t.Errorf("%s: want one diagnostic with %q, got %d:\n%s", c[i], c[2], len(diags), got)
			}
		}
	}
}

// TestNoReference: what is given instead of a reference is told apart: all instances, and a text in JSON.
func TestNoReference(t *testing.T) {
	servers := "server \"depot\" \"a\" {\n for_each = toset([\"k\"])\n url = \"u\"\n}\n" +
		"locals { all = server.depot.a }\n"
	for from, want := range map[string]string{
		"${local.all}": `such as ["k"]`,
		"local.all":    `"${local.all}"`,
	} {
		cfg, diags := world{files: map[string]string{"a.sync.hcl": servers, "b.sync.hcl.json": `{"sync": {"depot": {"s": {
			"transport": "road", "first": {"project": "P", "server": "` + from + `"}}}}}`}}.load(t)
		if got := textOf(t, cfg, diags); !strings.Contains(got, want) {
			t.Errorf("want %q: %s", want, got)
		}
	}
}

// TestMovedIntoModule: without its key, a module with for_each is not a place to move into.
func TestMovedIntoModule(t *testing.T) {
	files := map[string]string{"m/m.sync.hcl": "server \"barn\" \"x\" {}\n"}
	for key, want := range map[string]int{"": 1, `["k"]`: 0} {
		files["main.sync.hcl"] = "module \"m\" {\n source = \"./m\"\n for_each = toset([\"k\"])\n}\nmoved {\n" +
			" from = server.barn.x\n to = module.m" + key + ".server.barn.x\n}\n"
		if cfg, diags := (world{files: files}).load(t); len(diags) != want {
			t.Errorf("%q: %s", key, textOf(t, cfg, diags))
		}
	}
}
