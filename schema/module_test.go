package schema

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// share is a module that carries goods from one depot to another, through a module of its own.
const share = `
variable "from" {}
variable "to" {}
variable "projects" {
  type = map(string)
  validation {
    condition     = length(var.projects) > 0 && local.label != ""
    error_message = "There is nothing to carry to ${var.to.url}."
  }
}
variable "password" {
  type      = string
  sensitive = true
  default   = "unset-in-module"
}
locals { label = "via ${path.module}" }
module "stop" {
  source = "./stop"
  place  = local.label
}
sync "depot" "goods" {
  for_each  = var.projects
  transport = "road"
  first {
    server  = var.from
    project = each.key
  }
  second {
    server  = var.to
    project = each.value
  }
  stop { place = module.stop.place }
}
server "depot" "own" {
  url      = var.to.url
  password = var.password
}
output "count" { value = length(sync.depot.goods) }
output "server" { value = server.depot.own }
output "syncs" { value = sync.depot.goods }
`

const stop = `
variable "place" { type = string }
output "place" { value = upper(var.place) }
`

func withModules(main string, more ...string) world {
	w := world{files: map[string]string{"main.sync.hcl": main,
		"share/main.sync.hcl": share, "share/stop/x.sync.hcl": stop}}
	for i := 0; i < len(more); i += 2 {
		w.files[more[i]] = more[i+1]
	}
	return w
}

// TestModules: declarations in modules, with for_each on the module and inside of it, nested ones, and declarations
// that are handed in and out.
func TestModules(t *testing.T) {
	w := withModules(`
server "depot" "hub" { url = "https://hub" }
server "depot" "plant" {
  for_each = toset(["north", "south"])
  url      = "https://${each.key}"
}
locals {
  shares = { "north/1" = { from = "north", projects = { A = "B" } }, south = { from = "south", projects = { C = "D",
	E = "F" } } }
}
module "share" {
  source   = "./share"
  for_each = local.shares
  from     = server.depot.plant[each.value.from]
  to       = server.depot.hub
  projects = each.value.projects
}
module "one" {
  source   = "./share"
  from     = server.depot.hub
  to       = module.share["south"].server
  projects = { G = "H" }
  password = "hunter2222"
}
sync "depot" "after" {
  transport  = "rail"
  depends_on = [module.share, sync.depot.first["x"]]
  upstream   = module.one.syncs["G"]
  first {
    server  = module.one.server
    project = join(",", [for k, s in module.share : "${k}:${s.count}"])
  }
}
sync "depot" "first" {
  for_each  = toset(["x", "y"])
  transport = "rail"
  first {
    server  = server.depot.hub
    project = "p"
  }
}
output "all" { value = { for k, s in module.share : k => s.count } }
output "secret" {
  value       = module.one.server.password
  sensitive   = true
  description = "Of the depot."
}
`)
	cfg, diags := w.load(t)
	if len(diags) > 0 {
		t.Fatal(textOf(t, cfg, diags))
	}
	for addr, want := range map[string]map[string]string{
		`module.share["north/1"].sync.depot.goods["A"]`: {"first.server": `server.depot.plant["north"]`,
			"second.server": "server.depot.hub", "second.project": "B", "stop.0.place": "VIA SHARE"},
		`module.share["south"].sync.depot.goods["E"]`: {"first.server": `server.depot.plant["south"]`},
		`module.one.sync.depot.goods["G"]`: {"second.server": `module.share["south"].server.depot.own`,
			"first.server": "server.depot.hub"},
		`module.one.server.depot.own`:            {"url": "https://hub"},
		`module.share["south"].server.depot.own`: {"url": "https://hub"},
		"sync.depot.after": {"first.project": "north/1:1,south:2", "upstream": `module.one.sync.depot.goods["G"]`,
			"first.server": "module.one.server.depot.own"},
	} {
		r := at(t, cfg, addr)
		for path, text := range want {
			if got := r.Text(strings.Split(path, ".")...); got != text {
				t.Errorf("%s: %s is %q, want %q", addr, path, got, text)
			}
		}
	}
	if got := Text(Reveal(at(t, cfg, "module.one.server.depot.own").Get("password"))); got != "hunter2222" {
		t.Errorf("the password is %q", got)
	}
	var depends []string
	for _, a := range at(t, cfg, "sync.depot.after").DependsOn {
		depends = append(depends, a.String())
	}
	if diff := cmp.Diff([]string{`module.share["north/1"].server.depot.own`,
		`module.share["north/1"].sync.depot.goods["A"]`,
		`module.share["south"].server.depot.own`, `module.share["south"].sync.depot.goods["C"]`,
		`module.share["south"].sync.depot.goods["E"]`, `sync.depot.first["x"]`}, depends); diff != "" {
		t.Error(diff)
	}
	place := map[string]int{}
	for i, r := range cfg.Resources {
		place[r.Addr.String()] = i
		for _, to := range r.Refs {
			a := to.Addr
			if at, before := place[a.String()]; !before || at >= i {
				t.Errorf("%s comes before %s, which it needs", r.Addr, a)
			}
		}
	}
	if len(cfg.Outputs) != 2 || Text(Get(cfg.Outputs[0].Value, "south")) != "2" || !IsSensitive(cfg.Outputs[1].Value) ||
		cfg.Outputs[1].Description != "Of the depot." {
		t.Errorf("%#v", cfg.Outputs)
	}
	if text := cfg.Redactor().String("it is hunter2222"); strings.Contains(text, "hunter") {
		t.Error("a secret of a module is not known")
	}
}

// TestModuleMistakes holds one mistake each, and a part of what must be said.
func TestModuleMistakes(t *testing.T) {
	call := func(args string) string {
		return "server \"depot\" \"hub\" { url = \"u\" }\nmodule \"m\" {\n  from = server.depot.hub\n  to = " +
			"server.depot.hub\n  projects = { A = \"B\" }\n" + args + "\n}\n"
	}
	good := `  source = "./share"` + "\n"
	for _, c := range []struct {
		text string
		want []string
	}{
		{call(``), []string{`"source" is required`}},
		{call(`source = "git::https://x"`), []string{"Modules are not downloaded"}},
		{call(`source = "share"`), []string{"Modules are not downloaded"}},
		{call(`source = 3`), []string{"Modules are not downloaded"}},
		{call(`source = var.x`), []string{"is a constant"}},
		{call(`source = "./gone"`), []string{"There is no folder"}},
		{call(`source = "./empty"`), []string{"holds no file"}},
		{call(`source = "."`), []string{"A module cannot hold itself"}},
		{"module \"m\" { source = \"./again\" }", []string{"A module cannot hold itself"}},
		{call(`source = "../outside"`), []string{"outside of the configuration's folder"}},
		{call(good + "prjects = 1"), []string{`Did you mean "projects"`}},
		{call(good + "count = 2"), []string{"for_each"}},
		{"module \"m\" {\n" + good + "projects = {}\n}", []string{`"from" is required`, `"to" is required`,
			"Invalid value for variable"}},
		{call(good) + "locals { x = module.m.nothing }", []string{"no output \"nothing\""}},
		{call(good) + "locals { x = module.m.cnt }", []string{"no output \"cnt\""}},
		{call(good) + "locals { x = module.n.count }", []string{"No module is named"}},
		{call(good) + "locals { x = module }", []string{"module.NAME.OUTPUT"}},
		{call(good) + "locals { x = path.cwd }", []string{"path.module"}},
		{call(good) + call(good), []string{"Duplicate declaration", "Duplicate module"}},
		{call(good) + `output "x" { value = module.m.server.password }`, []string{"sensitive = true"}},
		{call(good) + "output \"x\" {}", []string{`"value" is required`}},
		{call(good) + "output \"x\" {\n value = 1\n precondition {\n condition = module.m.count == 2\n " +
			"error_message = \"want 2\"\n }\n}",
			[]string{"want 2"}},
		{call(good + "password = 1\ndepends_on = [local.x]"), []string{"KIND.TYPE.NAME or module.NAME"}},
		{call(good+"enabled = false") + "locals { x = module.m.count }", []string{"null"}},
		{strings.Replace(call(good), `{ A = "B" }`, "{}", 1), []string{"nothing to carry to u"}},
		{strings.Replace(call(good), `{ A = "B" }`, "3", 1), []string{"does not fit the type"}},
		{strings.Replace(call(good), "to = server.depot.hub", `to = { url = "x" }`, 1), []string{"or a value that is one"}},
		{"module \"a\" {\n source = \"./in\"\n x = module.a.x\n}", []string{"Cycle of references"}},
		{"module \"s\" { source = \"./settings\" }", []string{"not in a module"}},
		{"module \"for_each\" { source = \"./reserved\" }", []string{"cannot have a variable of that name"}},
	} {
		w := withModules(c.text, "again/x.sync.hcl", "module \"b\" { source = \"../again\" }", "empty/x", "",
			"in/x.sync.hcl", "variable \"x\" {}\noutput \"x\" { value = var.x }",
			"settings/x.sync.hcl", "syncctl {}", "reserved/x.sync.hcl", "variable \"for_each\" { default = 1 }")
		cfg, diags := w.load(t)
		got := strings.Join(strings.Fields(textOf(t, cfg, diags)), " ")
		if len(diags) != len(c.want) {
			t.Errorf("%s: want %d diagnostics, got %d:\n%s", c.text, len(c.want), len(diags), got)
		}
		for _, want := range c.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: want %q, got:\n%s", c.text, want, got)
			}
		}
	}
}

// TestDeepModules: modules inside of each other, each with its own values, up to the limit.
func TestDeepModules(t *testing.T) {
	w := world{files: map[string]string{}}
	deep := func(n int) {
		dir := ""
		for i := range n {
			w.files[dir+"m.sync.hcl"] = "variable \"x\" { default = 0 }\nmodule \"m\" {\n source = \"./m\"\n x = var.x + " +
				"1\n}\noutput \"x\" { value = module.m.x }\n"
			if dir += "m/"; i == n-1 {
				w.files[dir+"m.sync.hcl"] = "variable \"x\" {}\noutput \"x\" { value = var.x }\nserver \"barn\" \"b\" { url = " +
					"var.x }\n"
			}
		}
	}
	deep(maxModules)
	cfg, diags := w.load(t)
	if len(diags) > 0 {
		t.Fatal(textOf(t, cfg, diags))
	}
	if got := Text(cfg.Outputs[0].Value); got != fmt.Sprint(maxModules) || len(cfg.Resources) != 1 {
		t.Error(got, addresses(cfg))
	}
	deep(maxModules + 1)
	if _, diags := w.load(t); len(diags) != 1 || !strings.Contains(diags[0].Detail, "at most") {
		t.Error(diags)
	}
}

// TestRules: conditions on declarations and on the whole, which may refer to anything.
func TestRules(t *testing.T) {
	cfg, diags := one(t, `
variable "limit" {
  default = 1
  validation {
    condition     = var.limit >= length(server.depot.all)
    error_message = "There are ${length(server.depot.all)} depots."
  }
}
server "depot" "all" {
  for_each = toset(["a", "b"])
  url      = each.key
  lifecycle {
    precondition {
      condition     = each.key != "a"
      error_message = "no ${each.key}"
    }
    postcondition {
      condition     = self.url != "b" && self.port == 443
      error_message = "bad url ${self.url}"
    }
  }
}
check "ports" {
  assert {
    condition     = join("", [for d in server.depot.all : d.port == 1 ? "" : "x"]) == ""
    error_message = "other ports"
  }
}
`)
	type said struct {
		addr, detail string
		severity     int
	}
	var got []said
	for _, d := range diags {
		got = append(got, said{AddrOf(d).String(), strings.SplitN(d.Detail, "\n", 2)[0], int(d.Severity)})
	}
	want := []said{{"", "There are 2 depots.", 1}, {`server.depot.all["a"]`, "no a", 1},
		{`server.depot.all["b"]`, "bad url b", 1}, {"", "other ports", 2}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(said{})); diff != "" {
		t.Errorf("%s\n%s", diff, textOf(t, cfg, diags))
	}
	for _, c := range [][2]string{
		{"lifecycle {}\n lifecycle {}", "Duplicate block"},
		{"lifecycle { prevent_destroy = \"x\" }", "either true or false"},
		{"lifecycle { prevent_destroy = sensitive(true) }", "not sensitive"},
		{"lifecycle { ignore_changes = [url] }", "not expected"},
		{"lifecycle {\n ignore_drift { until = \"2027-01-31\" }\n }", `"reason" is required`},
		{"lifecycle {\n ignore_drift {\n reason = \"x\"\n until = \"2027-02-30\"\n }\n }", "is a day"},
		{"lifecycle {\n ignore_drift {\n reason = \" \"\n until = \"2027-01-31\"\n }\n }", "Say why"},
		{"lifecycle {\n ignore_drift {\n argument = \"urk\"\n reason = \"x\"\n until = \"2027-01-31\"\n }\n }",
			`Did you mean "url"`},
		{"lifecycle {\n ignore_drift {\n reason = sensitive(\"hunter2222\")\n until = \"2027-01-31\"\n }\n }",
			"not sensitive"},
		{"lifecycle {\n ignore_drift {\n reason = local.no\n until = \"2027-01-31\"\n }\n }", "No local value"},
		{"lifecycle {\n precondition { condition = true }\n }", "error_message"},
		{"lifecycle {\n precondition {\n condition = 3\n error_message = \"x\"\n }\n }", "either true or false"},
		{"lifecycle {\n precondition {\n condition = self.no\n error_message = \"x\"\n }\n }", "no"},
		{"lifecycle {\n precondition {\n condition = local.no\n error_message = \"x\"\n }\n }", "No local value"},
		{"lifecycle {\n precondition {\n condition = null\n error_message = \"x\"\n }\n }", "either true or false"},
		{"lifecycle {\n precondition {\n condition = each.key\n error_message = \"x\"\n }\n }", "this one has none"},
		{"lifecycle {\n precondition {\n condition = false\n error_message = [1]\n }\n }", "must be a text"},
		{"lifecycle {\n precondition {\n condition = false\n error_message = sensitive(\"hunter2222\")\n }\n }",
			"cannot be shown"},
	} {
		text, want := c[0], c[1]
		cfg, diags := one(t, "server \"barn\" \"x\" {\n "+text+"\n}\n")
		got := strings.Join(strings.Fields(textOf(t, cfg, diags)), " ")
		if len(diags) == 0 || len(diags) > 2 || !strings.Contains(got, want) || strings.Contains(got, "hunter") {
			t.Errorf("%s: want %q, got %d:\n%s", text, want, len(diags), got)
		}
	}
}

// TestPreventDestroy is evaluated for each instance.
func TestPreventDestroy(t *testing.T) {
	cfg := good(t, `
server "barn" "b" {
  for_each = { a = true, b = false }
  lifecycle { prevent_destroy = each.value }
}
server "barn" "c" {}
`)
	for addr, want := range map[string]bool{`server.barn.b["a"]`: true, `server.barn.b["b"]`: false,
		"server.barn.c": false} {
		if got := at(t, cfg, addr).PreventDestroy; got != want {
			t.Errorf("%s: %v", addr, got)
		}
	}
}

// TestIgnoreDrift is evaluated for each instance, holds until the end of its last day, and changes no plan.
func TestIgnoreDrift(t *testing.T) {
	const block = `
server "barn" "b" {
  for_each = { a = "one", b = "two" }
  lifecycle {
    ignore_drift {
      argument = "url"
      reason   = "moved, ${each.value}"
      until    = "2027-01-31"
    }
    ignore_drift {
      reason = "all"
      until  = "2026-12-31"
    }
  }
}
`
	cfg := good(t, block)
	got := at(t, cfg, `server.barn.b["b"]`).IgnoredDrift
	if len(got) != 2 || got[0].Reason != "moved, two" || got[0].Day() != "2027-01-31" || !got[0].Covers("url") ||
		got[0].Covers("") || !got[1].Covers("") || !got[1].Covers("url.x") ||
		!got[0].Until.Equal(time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v", got)
	}
	if cfg.Digest() != good(t, `server "barn" "b" { for_each = { a = "one", b = "two" } }`).Digest() {
		t.Error("what drift ignores changes plans")
	}
}

// TestProtectionIsDigested: a plan of before the protection, which may remove the object, does not fit any more.
func TestProtectionIsDigested(t *testing.T) {
	plain := good(t, `server "barn" "b" {}`)
	protected := good(t, "server \"barn\" \"b\" {\n  lifecycle { prevent_destroy = true }\n}")
	off := good(t, "server \"barn\" \"b\" {\n  lifecycle { prevent_destroy = false }\n}")
	if plain.Digest() == protected.Digest() || plain.Digest() != off.Digest() {
		t.Error("the digest does not tell whether a declaration is protected")
	}
}

// TestDefaults: what a declaration does not write comes from the nearest defaults, argument by argument.
func TestDefaults(t *testing.T) {
	w := withModules(`
variable "secret" {
  sensitive = true
  default   = "hunter2222"
}
defaults "server" "depot" {
  url      = "https://default"
  user     = "clerk"
  password = var.secret
  port     = 8443
  host { ssh = "a@b" }
}
defaults "sync" "depot" {
  transport = "rail"
  upstream  = sync.depot.base
  first {
    server  = server.depot.a
    project = "P"
  }
}
server "depot" "a" {}
server "depot" "b" {
  user = "other"
  port = null
  host { ssh = "c@d" }
}
sync "depot" "s" {}
sync "barn" "none" {}
module "in" { source = "./in" }
`, "in/main.sync.hcl", `
defaults "server" "depot" { user = "inner" }
server "depot" "c" {}
`)
	w.files["main.sync.hcl"] = strings.Replace(w.files["main.sync.hcl"], "sync \"barn\" \"none\" {}\n", "", 1)
	w.files["main.sync.hcl"] = strings.Replace(w.files["main.sync.hcl"], "  upstream  = sync.depot.base\n", "", 1)
	cfg, diags := w.load(t)
	if len(diags) > 0 {
		t.Fatal(textOf(t, cfg, diags))
	}
	for addr, want := range map[string]map[string]string{
		"server.depot.a": {"url": "https://default", "user": "clerk", "port": "8443", "host.ssh": "a@b",
			"flavour": "indoor"},
		"server.depot.b":           {"url": "https://default", "user": "other", "port": "8443", "host.ssh": "c@d"},
		"module.in.server.depot.c": {"url": "https://default", "user": "inner", "port": "8443"},
		"sync.depot.s":             {"transport": "rail", "first.server": "server.depot.a"},
	} {
		r := at(t, cfg, addr)
		for path, text := range want {
			if got := r.Text(strings.Split(path, ".")...); got != text {
				t.Errorf("%s: %s is %q, want %q", addr, path, got, text)
			}
		}
		if pw := r.Get("password"); r.Addr.Kind == Server && Text(Reveal(pw)) != "hunter2222" {
			t.Errorf("%s has no password", addr)
		}
	}
	if r := at(t, cfg, "sync.depot.s"); r.Ref("first", "server") != at(t, cfg, "server.depot.a") {
		t.Error("the reference of the defaults is not one of the declaration")
	}
	for text, want := range map[string]string{
		"defaults \"thing\" \"depot\" {}":                                                    "Unknown kind",
		"defaults \"server\" \"dept\" {}":                                                    `Did you mean "depot"`,
		"defaults \"server\" \"barn\" { ulr = 1 }":                                           `Did you mean "url"`,
		"defaults \"server\" \"barn\" {}\ndefaults \"server\" \"barn\" {}":                   "Duplicate defaults",
		"defaults \"server\" \"depot\" { user = \"x\" }\nserver \"depot\" \"x\" {}":          `"url" is required`,
		"defaults \"server\" \"depot\" { url = null }\nserver \"depot\" \"x\" {}":            `"url" is required`,
		"defaults \"server\" \"barn\" { url = server.barn.x.url }\nserver \"barn\" \"x\" {}": "Cycle",
		"defaults \"server\" \"barn\" { url = each.key }":                                    "this one has none",
	} {
		cfg, diags := one(t, text)
		if got := strings.Join(strings.Fields(textOf(t, cfg, diags)), " "); len(diags) != 1 || !strings.Contains(got, want) {
			t.Errorf("%s: want one diagnostic with %q, got %d:\n%s", text, want, len(diags), got)
		}
	}
}
