package schema

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/afero"
)

// TestFunctions evaluates one expression each.
func TestFunctions(t *testing.T) {
	for expr, want := range map[string]string{
		`upper("a")`: "A", `lower("A")`: "a", `join("-", ["a", "b"])`: "a-b", `split(",", "a,b")[1]`: "b",
		`format("%s-%d", "x", 3)`: "x-3",
		`concat(["a"], ["b"])[1]`: "b", `merge({ a = "x" }, { a = "y" }).a`: "y", `lookup({ a = "x" }, "b", "z")`: "z",
		`keys({ k = 1 })[0]`:     "k",
		`values({ k = "v" })[0]`: "v", `contains(["a"], "a")`: "true", `coalesce(null, "x")`: "x",
		`try(jsondecode("{"), "fallback")`: "fallback",
		`can(jsondecode("{"))`:             "false", `jsonencode({ a = 1 })`: `{"a":1}`, `jsondecode("{\"a\":\"b\"}").a`: "b",
		`regex("[0-9]+", "a12")`:   "12",
		`replace("abc", "b", "x")`: "axc", `replace("abc", "/[ab]/", "x")`: "xxc", `trimspace(" a ")`: "a",
		`length("four")`: "4",
		`length(["a"])`:  "1", `length({ a = 1, b = 2 })`: "2", `join("", toset(["b", "a", "b"]))`: "ab",
		`tolist(["a"])[0]`: "a", `tomap({ a = "x" }).a`: "x", `tostring(1)`: "1",
		`tonumber("2") + 1`: "3", `tobool("true")`: "true", `formatdate("YYYY", "2024-01-01T00:00:00Z")`: "2024",
		`min(3, 2)`: "2", `max(3, 2)`: "3",
		`range(3)[2]`: "2", `flatten([["a"], ["b"]])[1]`: "b", `distinct(["a", "a", "b"])[1]`: "b",
		`sort(["b", "a"])[0]`:              "a",
		`join("", setunion(["a"], ["b"]))`: "ab", `base64encode("hi")`: "aGk=", `base64decode("aGk=")`: "hi",
		`sha256("")`:  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		`env("HOME")`: "/home/x", `env("GONE", "d")`: "d", `file("plain.txt")`: "plain", `startswith("abc", "ab")`: "true",
		`endswith("abc", "ab")`:               "false",
		`[for s in ["a", "b"] : upper(s)][1]`: "B", `var.o.b`: "bee",
	} {
		w := world{files: map[string]string{"plain.txt": "plain", "main.sync.hcl": fmt.Sprintf(
			"variable \"o\" {\n type = object({ a = string, b = optional(string, \"bee\") })\n default = { a = "+
				"\"x\" }\n}\nserver \"barn\" \"x\" {\n url = %s\n}\n", expr)},
			env: map[string]string{"HOME": "/home/x"}}
		cfg, diags := w.load(t)
		if len(diags) > 0 {
			t.Errorf("%s: %s", expr, textOf(t, cfg, diags))
			continue
		}
		if got := cfg.Resources[0].Text("url"); got != want {
			t.Errorf("%s: got %q, want %q", expr, got, want)
		}
	}
}

// TestMistakes holds one mistake each, and a part of what must be said.
func TestMistakes(t *testing.T) {
	for text, want := range map[string]string{
		`env("GONE")`:             "the environment variable GONE is not set",
		`file("gone.txt")`:        "reading conf/gone.txt",
		`file("binary")`:          "conf/binary is not UTF-8",
		`base64decode("%")`:       "decoding base64",
		`env("A", "b", "c")`:      "env takes a name",
		`length(1)`:               "a string or a collection is required",
		`jsn("x")`:                `no function named "jsn"`,
		`uppr("x")`:               `Did you mean "upper"?`,
		`server.depot`:            "A reference is written server.TYPE.NAME",
		`var`:                     "name one, as in var.NAME",
		`frist.x`:                 "There is nothing named \"frist\"",
		`locals.x`:                `Did you mean "local"?`,
		`local.v`:                 "Did you mean var.v?",
		`var.l`:                   "Did you mean local.l?",
		`sync.depot.other`:        "There is no sync.depot.other",
		`server.barn.other.url`:   "There is no server.barn.other",
		`server.barn.longname`:    "There is no server.barn.longname",
		`server.barn.x.url`:       "Cycle of references",
		`var.o.aa`:                `Did you mean "a"?`,
		`server.depot.e.host.ssh`: "server.depot.e.host is null",
		`server.depot.e`:          "server.depot.e is a whole declaration",
	} {
		w := world{files: map[string]string{
			"binary": "\xff\xfe",
			"main.sync.hcl": "variable \"v\" { default = 1 }\nvariable \"o\" { default = { a = 1 } }\nlocals { l = 1 }\n" +
				"server \"depot\" \"e\" { url = \"u\" }\nserver \"barn\" \"x\" {\n url = " + text + "\n}\n"}}
		cfg, diags := w.load(t)
		if got := strings.Join(strings.Fields(textOf(t, cfg, diags)), " "); len(diags) != 1 || !strings.Contains(got, want) {
			t.Errorf("%s: want one diagnostic with %q, got %d:\n%s", text, want, len(diags), got)
		}
	}
}

func TestNoFiles(t *testing.T) {
	for dir, want := range map[string]string{"conf": "holds no file", "gone": "file does not exist"} {
		fs := afero.NewMemMapFs()
		if err := fs.Mkdir("conf", 0o755); err != nil {
			t.Fatal(err)
		}
		cfg, diags := Load(context.Background(), Options{Fs: fs, Dir: dir})
		if len(diags) != 1 || !strings.Contains(diags[0].Detail, want) || cfg == nil {
			t.Errorf("%s: %v", dir, diags)
		}
	}
}

func TestVariablePrecedence(t *testing.T) {
	w := world{
		files: map[string]string{
			"main.sync.hcl":        "variable \"v\" { default = \"default\" }\nserver \"barn\" \"x\" { url = var.v }\n",
			"syncctl.syncvars.hcl": `v = "own"`, "a.auto.syncvars.hcl": `v = "a"`, "b.auto.syncvars.hcl": `v = "b"`,
			"extra.syncvars.hcl": `v = "extra"`, "syncctl.syncvars.hcl.json": `{"v": "own JSON"}`,
			"a.auto.syncvars.hcl.json": `{"v": "a ${JSON}"}`, "extra.json": `{"//": "of CI", "v": "extra JSON"}`,
		},
		env: map[string]string{"SYNCCTL_VAR_v": "env"},
		vars: []VarSource{{Assign: "v=first"}, {File: "conf/extra.syncvars.hcl"}, {File: "conf/extra.json"},
			{Assign: "v=last=1"}},
	}
	steps := []struct {
		want string
		drop func()
	}{
		{"last=1", func() { w.vars = w.vars[:3] }},
		{"extra JSON", func() { w.vars = w.vars[:2] }},
		{"extra", func() { w.vars = w.vars[:1] }},
		{"first", func() { w.vars = nil }},
		{"b", func() { delete(w.files, "b.auto.syncvars.hcl") }},
		{"a ${JSON}", func() { delete(w.files, "a.auto.syncvars.hcl.json") }},
		{"a", func() { delete(w.files, "a.auto.syncvars.hcl") }},
		{"own JSON", func() { delete(w.files, "syncctl.syncvars.hcl.json") }},
		{"own", func() { delete(w.files, "syncctl.syncvars.hcl") }},
		{"env", func() { w.env = nil }},
		{"default", func() {}},
	}
	for _, s := range steps {
		cfg, diags := w.load(t)
		if len(diags) > 0 {
			t.Fatal(diags)
		}
		if got := cfg.Resources[0].Text("url"); got != s.want {
			t.Errorf("got %q, want %q", got, s.want)
		}
		s.drop()
	}
}

// TestValuesInJSON: mistakes in a file of values in JSON are told with their places, and show no secret.
func TestValuesInJSON(t *testing.T) {
	const name = "syncctl.syncvars.hcl.json"
	for text, want := range map[string]string{
		`{"v": ["hunter2"], "n": 1}`:       "Invalid value for variable",
		`{"v": "hunter2", "n": "hunter2"}`: "Invalid value for variable",
		`{"v": "hunter2", "n": 1`:          "Unclosed object",
		`["hunter2"]`:                      "Incorrect JSON value type",
		`{"v": "hunter2", "n": 1, "v": 2}`: "Duplicate attribute definition",
		`{"w": "hunter2", "n": 1}`:         "Value for undeclared variable",
	} {
		w := world{unset: true, files: map[string]string{name: text, "main.sync.hcl": `
variable "v" {
  type      = string
  sensitive = true
}
variable "n" {
  type      = number
  sensitive = true
}
`}}
		cfg, diags := w.load(t)
		if len(diags) == 0 || diags[0].Summary != want {
			t.Errorf("%s: %v, want %s", text, diags, want)
		}
		if shown := textOf(t, cfg, diags); strings.Contains(shown, "hunter2") {
			t.Errorf("%s: a secret is shown:\n%s", text, shown)
		}
	}
}

func TestAllowUnset(t *testing.T) {
	w := world{unset: true, files: map[string]string{"main.sync.hcl": `
variable "n" {
  type = number
  validation {
    condition     = var.n > 3
    error_message = "small"
  }
}
variable "o" {
  type      = object({ a = string })
  sensitive = true
}
server "depot" "x" {
  url      = "https://${var.n}"
  port     = var.n
  flavour  = var.o.a
  password = var.o.a
}
`}}
	cfg, diags := w.load(t)
	if len(diags) > 0 {
		t.Fatal(textOf(t, cfg, diags))
	}
	r := cfg.Resources[0]
	if r.Text("port") != "(unknown)" || r.Text("password") != "(sensitive value)" ||
		r.Text("flavour") != "(sensitive value)" {
		t.Errorf("got %q, %q, %q", r.Text("port"), r.Text("password"), r.Text("flavour"))
	}
	w.unset = false
	if _, diags := w.load(t); len(diags) != 2 {
		t.Errorf("want one diagnostic for each variable, got %v", diags)
	}
}

func TestReferences(t *testing.T) {
	cfg := good(t, twoDepots+`
migration "depot_move" "m" {
  from       = sync.depot.gone
  to         = sync.depot.goods
  depends_on = [server.depot.b, server.depot.a, server.depot.b]
}
`)
	m, goods := cfg.Lookup(Addr{Kind: Migration, Type: "depot_move", Name: "m"}), cfg.Lookup(Addr{Kind: Sync,
		Type: "depot", Name: "goods"})
	if got := m.Text("from"); got != "sync.depot.gone" || m.Ref("from") != nil {
		t.Errorf("from is %q and leads to %v", got, m.Ref("from"))
	}
	if m.Ref("to") != goods || goods.Owner != m.Addr || len(m.Refs) != 1 {
		t.Errorf("to leads to %v, owned by %q, refs %v", m.Ref("to"), goods.Owner, m.Refs)
	}
	if got := fmt.Sprint(m.DependsOn); got != "[server.depot.a server.depot.b]" {
		t.Errorf("depends_on: %s", got)
	}
	if last := cfg.Resources[len(cfg.Resources)-1]; last != m {
		t.Errorf("the last is %s", last.Addr)
	}
}

func TestSettings(t *testing.T) {
	cfg := good(t, "locals { tool = \"./op\" }\nsyncctl {\n  required_version = \"~> 1.2\"\n  parallelism = "+
		"4\n}\nsyncctl {\n  operator { command = [local.tool, 1] }\n}\n")
	s := cfg.Settings
	if s.RequiredVersion != "~> 1.2" || s.Parallelism != 4 || s.Operator == nil ||
		fmt.Sprint(s.Operator.Command) != "[./op 1]" {
		t.Errorf("got %+v", s)
	}
	cfg, diags := one(t, "syncctl { parallelism = 1 }\nsyncctl { parallelism = 2 }\n")
	if len(diags) != 1 || !strings.Contains(diags[0].Detail, "main.sync.hcl:1") {
		t.Error(textOf(t, cfg, diags))
	}
	for version, fits := range map[string]bool{"dev": true, "": true, "1.9.0-rc1": true, "1.9.0": true, "1.8.9": false,
		"2.0.0": false} {
		fs := afero.NewMemMapFs()
		if err := afero.WriteFile(fs, "a.sync.hcl", []byte("syncctl { required_version = \">= 1.9, < 2\" }"),
			0o644); err != nil {
			t.Fatal(err)
		}
		if _, diags := Load(context.Background(), Options{Fs: fs, Version: version}); diags.HasErrors() == fits {
			t.Errorf("version %q: %v", version, diags)
		}
	}
}

// TestJSONIsTheSame writes the same declarations in JSON: the same digest.
func TestJSONIsTheSame(t *testing.T) {
	w := world{files: map[string]string{"main.sync.hcl.json": `{
  "server": {"depot": {
    "a": {"url": "https://a.example", "user": "clerk", "password": "hunter22"},
    "b": {"url": "${server.depot.a.url}/b"}
  }},
  "sync": {"depot": {"goods": {
    "transport": "road",
    "first": {"server": "server.depot.a", "project": "SAM"},
    "second": {"server": "${server.depot.b}", "project": "${upper(\"sp\")}"},
    "field": {"summary": {"mapping": "as_is"}, "owner": {"mapping": "by_mail"}},
    "stop": [{"place": "x"}, {"place": "y"}]
  }}}
}`}}
	cfg, diags := w.load(t)
	if len(diags) > 0 {
		t.Fatal(textOf(t, cfg, diags))
	}
	if got, want := canonicalText(cfg), canonicalText(good(t, twoDepots)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestCheckIsCalled(t *testing.T) {
	cfg, diags := one(t, strings.NewReplacer("road", "rail", "SAM", "NORAIL").Replace(twoDepots))
	if len(diags) != 1 || diags[0].Summary != "No rails" || AddrOf(diags[0]) != (Addr{Kind: Sync, Type: "depot",
		Name: "goods"}) ||
		diags[0].Subject.Start.Line != 16 {
		t.Error(textOf(t, cfg, diags))
	}
}

func TestHeldBack(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	fs := afero.NewMemMapFs()
	if err := afero.WriteFile(fs, "a.sync.hcl", []byte("locals {}"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, diags := Load(ctx, Options{Fs: fs}); len(diags) != 1 || diags[0].Summary != "Interrupted" {
		t.Errorf("got %v", diags)
	}
}

func TestArrange(t *testing.T) {
	at := func(file string, at int, summary string) *hcl.Diagnostic {
		return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary,
			Subject: &hcl.Range{Filename: file, Start: hcl.Pos{Line: 1, Byte: at}}}
	}
	var got []string
	for _, d := range arrange(hcl.Diagnostics{at("b", 1, "4"), at("a", 7, "3"), at("a", 2, "1"), at("a", 2, "2"),
		at("a", 7, "3"), {Severity: hcl.DiagWarning, Summary: "0"}}) {
		got = append(got, d.Summary)
	}
	if strings.Join(got, "") != "01234" {
		t.Errorf("order %v", got)
	}
}

func TestAllowUnsetEnvironment(t *testing.T) {
	files := map[string]string{"main.sync.hcl": `
server "depot" "x" {
  url      = "https://${env("DEPOT_HOST")}"
  password = env("DEPOT_PASSWORD")
}
`}
	cfg, diags := world{unset: true, files: files}.load(t)
	if len(diags) > 0 {
		t.Fatal(textOf(t, cfg, diags))
	}
	if got := cfg.Resources[0].Text("url"); got != "(unknown)" {
		t.Errorf("url is %q", got)
	}
	if _, diags = (world{files: files}).load(t); len(diags) != 2 {
		t.Errorf("without AllowUnset: %v", diags)
	}
}
