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
		{`terraform {}`, `{"terraform": {}}`, "stands in a block syncctl"},
		{"server \"barn\" \"x\" {\n count = 2\n}", `{"server": {"barn": {"x": {"count": 2}}}}`, "for_each"},
		{"server \"barn\" \"x\" {\n provider = 2\n}", `{"server": {"barn": {"x": {"provider": 2}}}}`, "no providers"},
		{"server \"barn\" \"x\" {\n provisioner \"p\" {}\n}", `{"server": {"barn": {"x": {"provisioner": {}}}}}`,
			"beside the steps"},
		{"server \"barn\" \"x\" {\n connection {}\n}", `{"server": {"barn": {"x": {"connection": {}}}}}`, "its own block"},
		{"server \"barn\" \"x\" {\n timeouts {}\n}", `{"server": {"barn": {"x": {"timeouts": {}}}}}`, "How long"},
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

// TestReferencesOfTerraform: numbers, splats over keys, and names of other references lead to how it is written here.
func TestReferencesOfTerraform(t *testing.T) {
	servers := "server \"depot\" \"one\" { url = \"u\" }\n" +
		"server \"depot\" \"many\" {\n for_each = { n = 1, s = 2 }\n url = \"u\"\n}\n" +
		"locals {\n rooms = { a = { size = 1 } }\n list = [1]\n}\n"
	for expr, want := range map[string]string{
		"server.depot.many[0].url":    `It has "n" and "s".`,
		"server.depot.one[0].url":     "leave out the number",
		"server.depot.many[*].url":    "values(server.depot.many)[*].url",
		"server.depot.many.*.url":     "values(server.depot.many)[*].url",
		"local.rooms[*].size":         "values(local.rooms)[*].size",
		"local.list[3]":               "It has 1,",
		"depot.one.url":               `"server.depot.one"`,
		"server.one.url":              "server.depot.one",
		"count.index":                 "each.key",
		"data.depot.one.url":          "no data sources",
		"terraform.workspace":         "var.NAME",
		"[for x in [1] : x.y.z][*].a": "", // the library's own words
	} {
		for name, text := range map[string]string{
			"o.sync.hcl":      "output \"o\" { value = " + expr + " }\n",
			"o.sync.hcl.json": `{"output": {"o": {"value": "${` + expr + `}"}}}`,
		} {
			cfg, diags := world{files: map[string]string{"a.sync.hcl": servers, name: text}}.load(t)
			if got := textOf(t, cfg, diags); len(diags) != 1 || !strings.Contains(strings.Join(strings.Fields(got), " "), want) {
				t.Errorf("%s in %s: want one diagnostic with %q, got %d:\n%s", expr, name, want, len(diags), got)
			}
		}
	}
}

// TestTargetsOfTerraform: a reference in quotes, with a number, or with its key as an attribute leads to the right one.
func TestTargetsOfTerraform(t *testing.T) {
	for expr, want := range map[string]string{
		`"server.depot.a"`:  "without quotes: server.depot.a",
		"server.depot.b[0]": "Write server.depot.b.",
		"server.depot.k[0]": `server.depot.k["KEY"]`,
		"server.depot.k.x":  `server.depot.k["KEY"]`,
	} {
		cfg, diags := one(t, strings.Replace(twoDepots, "server.depot.b\n", expr+"\n", 1)+
			"server \"depot\" \"k\" {\n for_each = toset([\"x\"])\n url = \"u\"\n}\n")
		if got := strings.Join(strings.Fields(textOf(t, cfg, diags)), " "); len(diags) != 1 || !strings.Contains(got, want) {
			t.Errorf("%s: want one diagnostic with %q, got %d:\n%s", expr, want, len(diags), got)
		}
	}
}

// TestTextWithoutQuotes: a text without double quotes is one mistake, and the message says what is missing.
func TestTextWithoutQuotes(t *testing.T) {
	for _, value := range []string{"https://x.example", "'x'"} {
		cfg, diags := one(t, "output \"o\" {\n value = "+value+"\n}\n")
		got := strings.ToLower(strings.Join(strings.Fields(textOf(t, cfg, diags)), " "))
		if len(diags) != 1 || !strings.Contains(got, "double quotes") {
			t.Errorf("%s: want one diagnostic, got %d:\n%s", value, len(diags), got)
		}
	}
}

// TestModuleSources: a source that is not a folder, or is outside, is reported at the source.
func TestModuleSources(t *testing.T) {
	for source, want := range map[string]string{
		"./gone":              "No such folder",
		"./gone.sync.hcl":     "No such folder",
		"./m/main.sync.hcl":   "Not a folder",
		"../outside":          "Module outside of the configuration",
		"../outside.sync.hcl": "Module outside of the configuration",
	} {
		cfg, diags := world{files: map[string]string{"m/main.sync.hcl": "",
			"main.sync.hcl": "module \"m\" {\n source = \"" + source + "\"\n}\n"}}.load(t)
		if len(diags) != 1 || diags[0].Summary != want || diags[0].Subject.Start.Line != 2 {
			t.Errorf("%s: %s", source, textOf(t, cfg, diags))
		}
	}
}
