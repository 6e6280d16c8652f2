package schema

import (
	"bytes"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// addresses are those of all declarations.
func addresses(cfg *Config) []string {
	var out []string
	for _, r := range cfg.Resources {
		out = append(out, r.Addr.String())
	}
	return out
}

func at(t testing.TB, cfg *Config, addr string) *Resource {
	t.Helper()
	a, err := ParseAddr(addr)
	if err != nil {
		t.Fatal(err)
	}
	r := cfg.Lookup(a)
	if r == nil {
		t.Fatalf("no %s among %q", addr, addresses(cfg))
	}
	return r
}

// TestAddresses are read back as they are written, whatever the keys are.
func TestAddresses(t *testing.T) {
	simple := Addr{Kind: Sync, Type: "teamwork_cloud", Name: "models"}
	all := []Addr{simple}
	for _, k := range []string{"power", "a b", `quo"te`, "a.b", "a/b", "[x]", "${x}", "%{x}", "ümläut", "back\\slash",
		"new\nline", "$"} {
		keyed, inside := simple, simple
		keyed.Index = indexText(k)
		inside.Module = "module.share" + indexText(k) + ".module.x"
		both := inside
		both.Index = indexText(k)
		all = append(all, keyed, inside, both)
		if got := both.All(); got != (Addr{Module: "module.share.module.x", Kind: Sync, Type: "teamwork_cloud",
			Name: "models"}) {
			t.Errorf("%s: without keys it is %s", both, got)
		}
	}
	for _, a := range all {
		got, err := ParseAddr(a.String())
		if err != nil || got != a {
			t.Errorf("%s: read as %#v, %v", a, got, err)
		}
	}
	for _, wrong := range []string{"", "sync", "sync.a", "sync.a.b.c", "sync.a.b[0]", "module.x", "module.sync.a.b",
		"module.x.y.a.b",
		`sync.a.b["x"`, `sync.a.b["x"].c`, `sync.a["x"].b`, "var.x.y", `module.x["k"]`, `module["x"].sync.a.b["k"]["l"]`,
		"sync.a.b[*]"} {
		if got, err := ParseAddr(wrong); err == nil {
			t.Errorf("%q was read as %v", wrong, got)
		}
	}
}

// TestForEach makes a declaration for each key, in both syntaxes.
func TestForEach(t *testing.T) {
	native := `
variable "depots" { default = { north = { port = 1 }, "south/1" = { port = 2 } } }
server "depot" "all" {
  for_each = var.depots
  url      = "https://${each.key}"
  port     = each.value.port
}
sync "depot" "pair" {
  for_each  = toset(["x"])
  transport = "road"
  first {
    server  = server.depot.all["north"]
    project = server.depot.all["south/1"].url
  }
  second {
    server  = server.depot.all[each.key == "x" ? "south/1" : "north"]
    project = join(",", [for k, d in server.depot.all : "${k}=${d.port}"])
  }
}
`
	json := `{
  "variable": {"depots": {"default": {"north": {"port": 1}, "south/1": {"port": 2}}}},
  "server": {"depot": {"all": {"for_each": "${var.depots}", "url": "https://${each.key}", "port": "${each.value.port}"}}},
  "sync": {"depot": {"pair": {
    "for_each": "${toset([\"x\"])}", "transport": "road",
    "first": {"server": "${server.depot.all[\"north\"]}", "project": "${server.depot.all[\"south/1\"].url}"},
    "second": {"server": "${server.depot.all[each.key == \"x\" ? \"south/1\" : \"north\"]}",
      "project": "${join(\",\", [for k, d in server.depot.all : \"${k}=${d.port}\"])}"}}}}
}`
	for name, text := range map[string]string{"main.sync.hcl": native, "main.sync.hcl.json": json} {
		cfg, diags := world{files: map[string]string{name: text}}.load(t)
		if len(diags) > 0 {
			t.Errorf("%s: %s", name, textOf(t, cfg, diags))
			continue
		}
		want := []string{`server.depot.all["north"]`, `server.depot.all["south/1"]`, `sync.depot.pair["x"]`}
		if diff := cmp.Diff(want, addresses(cfg)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
			continue
		}
		pair := at(t, cfg, want[2])
		for path, text := range map[string]string{
			"first.server": want[0], "second.server": want[1], "first.project": "https://south/1",
			"second.project": "north=1,south/1=2",
		} {
			if got := pair.Text(strings.Split(path, ".")...); got != text {
				t.Errorf("%s: %s is %q, want %q", name, path, got, text)
			}
		}
		if pair.Ref("second", "server") != at(t, cfg, want[1]) || len(pair.Refs) != 2 {
			t.Errorf("%s: refers to %v", name, pair.Refs)
		}
	}
}

// TestForEachMistakes holds one mistake each, and a part of what must be said.
func TestForEachMistakes(t *testing.T) {
	for text, want := range map[string]string{
		`for_each = ["a"]`:                                   "toset",
		`for_each = [{ name = "a" }]`:                        "for x in LIST",
		`for_each = "a"`:                                     "and this is a string",
		`for_each = null`:                                    "enabled = false",
		`for_each = toset([""])`:                             "is empty or null",
		`for_each = sensitive(toset(["a"]))`:                 "is sensitive",
		`for_each = toset([sensitive("a")])`:                 "is sensitive",
		`for_each = toset([1])`:                              "set of strings, and this is a set of number",
		`for_each = { a = each.key }`:                        "this one has none",
		`for_each = each.value`:                              "this one has none",
		`url = each.key`:                                     "each.key and each.value are there in a block with for_each",
		`count = 2`:                                          "enabled = true or false",
		`enabled = "perhaps"`:                                "either true or false",
		`enabled = null`:                                     "it is null",
		`enabled = sensitive(true)`:                          "it is sensitive",
		`for_each = { a = server.barn.x }`:                   "Cycle of references",
		`url = server.depot.many.url`:                        `There is no server.depot.many`,
		`url = self.url`:                                     "self is there",
		`for_each = { a = 1 }` + "\n" + `url = each.value.x`: "attribute",
	} {
		cfg, diags := one(t, "server \"barn\" \"x\" {\n "+text+"\n}\n")
		if got := strings.Join(strings.Fields(textOf(t, cfg, diags)), " "); len(diags) != 1 || !strings.Contains(got, want) {
			t.Errorf("%s: want one diagnostic with %q, got %d:\n%s", text, want, len(diags), got)
		}
	}
	for ref, want := range map[string]string{
		"server.depot.all":          `name one, as in server.depot.all["KEY"]`,
		`server.depot.all["z"]`:     "no such key",
		`server.depot.one["a"]`:     "leave out the key",
		"server.depot.off":          "it is not enabled",
		"server.depot.all[0]":       "",
		`server.depot.all["a"].url`: "takes a reference written",
		"local.text":                "or a value that is one",
		"each.value":                "each.key and each.value are there in a block with for_each",
		`server.barn.x`:             "is a server of type \"barn\"",
		`local.barn`:                "is a server of type \"barn\"",
		`[server.depot.one][0].url`: "or a value that is one",
		`server.depot.all[var.no]`:  "No variable is named",
		`server.depot.all[null]`:    "",
		`sensitive(true) ? server.depot.one : server.depot.all["a"]`: "depends on a sensitive value",
		`sensitive("server.depot.one")`:                              "and nothing else",
	} {
		cfg, diags := one(t, `
server "barn" "x" {}
server "depot" "one" { url = "u" }
server "depot" "off" {
  enabled = false
  url     = "u"
}
server "depot" "all" {
  for_each = toset(["a"])
  url      = "u"
}
locals {
  text = { address = "server.depot.gone" }
  barn = server.barn.x
}
sync "depot" "s" {
  transport = "road"
  first {
    server  = `+ref+`
    project = "p"
  }
}
`)
		if got := strings.Join(strings.Fields(textOf(t, cfg, diags)), " "); len(diags) != 1 || !strings.Contains(got, want) {
			t.Errorf("%s: want one diagnostic with %q, got %d:\n%s", ref, want, len(diags), got)
		}
	}
}

// TestEnabled leaves out what is not enabled, also one key of many.
func TestEnabled(t *testing.T) {
	cfg := good(t, `
server "barn" "off" { enabled = false }
server "barn" "on" {
  enabled = true
  url     = server.barn.off == null ? "none" : "one"
}
server "barn" "some" {
  for_each = { a = true, b = false }
  enabled  = each.value
}
server "barn" "count" { url = join(",", keys(server.barn.some)) }
`)
	want := []string{"server.barn.on", `server.barn.some["a"]`, "server.barn.count"}
	slices.Sort(want)
	got := addresses(cfg)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if url := at(t, cfg, "server.barn.on").Text("url"); url != "none" {
		t.Error(url)
	}
	if url := at(t, cfg, "server.barn.count").Text("url"); url != "a" {
		t.Error(url)
	}
}

// TestUnknownForEach: without the values of variables nothing is made, and what is in the block is still checked.
func TestUnknownForEach(t *testing.T) {
	w := world{unset: true, files: map[string]string{"main.sync.hcl": `
variable "depots" {}
server "depot" "all" {
  for_each = var.depots
  url      = each.value.url
  port     = "much"
}
sync "depot" "s" {
  transport = "road"
  first {
    server  = server.depot.all["a"]
    project = server.depot.all[var.depots].url
  }
}
`}}
	cfg, diags := w.load(t)
	if len(diags) != 1 || !strings.Contains(diags[0].Detail, "port") {
		t.Errorf("%s", textOf(t, cfg, diags))
	}
	if got := addresses(cfg); len(got) != 1 || got[0] != "sync.depot.s" {
		t.Errorf("%q", got)
	}
}

// TestDynamic makes blocks of each form, and says what is wrong with them.
func TestDynamic(t *testing.T) {
	cfg := good(t, `
server "depot" "a" { url = "u" }
sync "depot" "s" {
  transport = "road"
  dynamic "first" {
    for_each = [1]
    content {
      server  = server.depot.a
      project = "P${first.value}"
    }
  }
  field "own" { mapping = "m" }
  dynamic "field" {
    for_each = { b = "to_b", c = "to_c" }
    iterator = f
    labels   = [f.key]
    content { mapping = f.value }
  }
  stop { place = "x" }
  dynamic "stop" {
    for_each = toset(["y", "z"])
    content { place = "${stop.key}${stop.value}" }
  }
}
`)
	s := at(t, cfg, "sync.depot.s")
	for path, want := range map[string]string{
		"first.project": "P1", "field.own.mapping": "m", "field.b.mapping": "to_b", "field.c.mapping": "to_c",
		"stop.0.place": "x", "stop.1.place": "yy", "stop.2.place": "zz",
	} {
		if got := s.Text(strings.Split(path, ".")...); got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
	for _, c := range [][2]string{
		{`dynamic "field" { for_each = [1] }`, "labels"},
		{`dynamic "field" { labels = ["a"] }`, "for_each"},
		{"dynamic \"field\" {\n for_each = [1]\n labels = [\"a\"]\n}", "content"},
		{"dynamic \"fild\" {\n for_each = [1]\n}", `Did you mean "field"`},
		{"dynamic \"stop\" {\n for_each = 3\n content {}\n}", "a list, a set"},
		{"dynamic \"stop\" {\n for_each = null\n content {}\n}", "a list, a set"},
		{"dynamic \"stop\" {\n for_each = sensitive([1])\n content {}\n}", "sensitive"},
		{"dynamic \"stop\" {\n for_each = [1]\n content { plce = 1 }\n}", `Did you mean "place"`},
		{"dynamic \"stop\" {\n for_each = [1]\n iterator = \"a b\"\n content {}\n}", "is a name"},
		{"dynamic \"stop\" {\n for_each = [1]\n content { place = field.value }\n}", `nothing named "field"`},
		{"dynamic \"field\" {\n for_each = [1, 2]\n labels = [\"x\"]\n content { mapping = \"m\" }\n}",
			"several blocks field \"x\""},
		{"dynamic \"field\" {\n for_each = [1]\n labels = [\"\"]\n content { mapping = \"m\" }\n}", "not empty"},
		{"dynamic \"second\" {\n for_each = [1, 2]\n content {\n  server = server.depot.a\n  project = \"p\"\n }\n}",
			"several blocks second"},
		{"dynamic \"field\" {\n for_each = [1]\n labels = [\"x\"]\n content {}\n}", "mapping"},
	} {
		text, want := c[0], c[1]
		cfg, diags := one(t, "server \"depot\" \"a\" { url = \"u\" }\nsync \"depot\" \"s\" {\n transport = \"road\"\n "+
			"first {\n "+
			"server = server.depot.a\n project = \"p\"\n }\n"+text+"\n}\n")
		if got := strings.Join(strings.Fields(textOf(t, cfg, diags)), " "); len(diags) != 1 || !strings.Contains(got, want) {
			t.Errorf("%s: want one diagnostic with %q, got %d:\n%s", text, want, len(diags), got)
		}
	}
}

// TestIteratorNames: the iterator of a dynamic block may have any name, also one that references begin with.
func TestIteratorNames(t *testing.T) {
	for _, name := range []string{"var", "local", "module", "path", "each", "self", "server", "x"} {
		cfg := good(t, `
server "depot" "a" { url = "u" }
locals { l = 1 }
variable "v" { default = 1 }
sync "depot" "s" {
  for_each  = toset(["k"])
  transport = "road"
  first {
    server  = server.depot.a
    project = "${each.key}${var.v}${local.l}"
  }
  dynamic "stop" {
    for_each = ["inner"]
    iterator = `+name+`
    content { place = `+name+`.value }
  }
}
`)
		if got := at(t, cfg, `sync.depot.s["k"]`).Text("stop", "0", "place"); got != "inner" {
			t.Errorf("%s.value is %q", name, got)
		}
	}
}

// TestDependsOnInstances: depends_on takes whole declarations and modules, or one instance, which must be there.
func TestDependsOnInstances(t *testing.T) {
	const around = `
server "barn" "one" {}
server "barn" "many" {
  for_each = { a = true, b = true, off = false }
  enabled  = each.value
}
module "one" { source = "./m" }
module "many" {
  source   = "./m"
  for_each = toset(["x", "y"])
}
`
	load := func(ref string) (*Config, string, int) {
		cfg, diags := world{files: map[string]string{
			"main.sync.hcl": around + "server \"barn\" \"last\" { depends_on = [" + ref + "] }\n",
			"m/m.sync.hcl":  "server \"barn\" \"in\" {}\nmodule \"n\" { source = \"../n\" }\noutput \"o\" { value = 1 }\n",
			"n/n.sync.hcl":  "server \"barn\" \"deep\" {}\n",
		}}.load(t)
		return cfg, strings.Join(strings.Fields(textOf(t, cfg, diags)), " "), len(diags)
	}
	for ref, want := range map[string]string{
		"server.barn.one": "server.barn.one", `server.barn.many["a"]`: `server.barn.many["a"]`,
		"server.barn.many": `server.barn.many["a"] server.barn.many["b"]`, `server.barn.many["off"]`: "",
		"module.one":       "module.one.module.n.server.barn.deep module.one.server.barn.in",
		`module.many["y"]`: `module.many["y"].module.n.server.barn.deep module.many["y"].server.barn.in`,
	} {
		cfg, text, n := load(ref)
		if n > 0 {
			t.Errorf("%s: %s", ref, text)
			continue
		}
		var got []string
		for _, a := range at(t, cfg, "server.barn.last").DependsOn {
			got = append(got, a.String())
		}
		if diff := cmp.Diff(want, strings.Join(got, " ")); diff != "" {
			t.Errorf("%s: %s", ref, diff)
		}
	}
	for _, c := range [][2]string{
		{`server.barn.many["z"]`, `There is no server.barn.many["z"]`},
		{`module.many["z"]`, `There is no module.many["z"]`},
		{`server.barn.one["a"]`, "has no for_each"},
		{`module.one["x"]`, "has no for_each"},
		{"server.barn.one.url", "whole declaration"},
		{"module.one.o", "whole declaration"},
		{"module.one.server.barn.in", "whole declaration"},
		{`server.barn.many["a"].url`, "whole"},
		{"server.barn.many[0]", "whole"},
		{"module.mny", `Did you mean "many"`},
	} {
		ref, want := c[0], c[1]
		if _, text, n := load(ref); n != 1 || !strings.Contains(text, want) {
			t.Errorf("%s: want one diagnostic with %q, got %d: %s", ref, want, n, text)
		}
	}
}

// fleet is n servers and as many pairs of them, from one block each or written out.
func fleet(n int, written bool) string {
	var b strings.Builder
	pair := func(label, head, first, second, project string) {
		fmt.Fprintf(&b, "sync \"depot\" %q {\n%s  transport = \"road\"\n  first {\n    server  = %s\n    project = "+
			"\"A\"\n  }\n"+
			"  second {\n    server  = %s\n    project = %s\n  }\n}\n", label, head, first, second, project)
	}
	if !written {
		fmt.Fprintf(&b, "locals { all = { for x in setproduct(range(%d), range(100)) : \"n${x[0] * 100 + x[1]}\" => x[0] "+
			"} }\n", n/100)
		b.WriteString("server \"depot\" \"d\" {\n  for_each = local.all\n  url      = \"https://${each.key}.example\"\n  " +
			"user     = " +
			"\"clerk\"\n}\n")
		pair("p", "  for_each  = local.all\n", "server.depot.d[each.key]", "server.depot.d[each.key]", "\"P${each.value}\"")
		return b.String()
	}
	for i := range n {
		fmt.Fprintf(&b, "server \"depot\" \"n%d\" {\n  url  = \"https://n%d.example\"\n  user = \"clerk\"\n}\n", i, i)
		ref := fmt.Sprintf("server.depot.n%d", i)
		pair(fmt.Sprintf("p%d", i), "", ref, ref, fmt.Sprintf("\"P%d\"", i))
	}
	return b.String()
}

// TestFleet: a for_each makes as many declarations as blocks do.
func TestFleet(t *testing.T) {
	const n = 3000
	if got := len(good(t, fleet(n, false)).Resources); got != 2*n {
		t.Errorf("%d declarations, want %d", got, 2*n)
	}
}

// TestAllocations: what a declaration costs to read and evaluate, at most.
func TestAllocations(t *testing.T) {
	const n = 200
	if testing.Short() {
		t.Skip("counts the program as it is built: the race detector, which runs with -short, allocates too")
	}
	for written, most := range map[bool]float64{true: 181, false: 379} {
		text := fleet(n, written)
		if got := testing.AllocsPerRun(2, func() {
			world{files: map[string]string{"main.sync.hcl": text}, valuesOnly: true}.load(t)
		}) / (2 * n); got > most {
			t.Errorf("written=%v: %.0f allocations a declaration, at most %.0f", written, got, most)
		}
	}
}

// TestHeld: how much memory the result of Load takes for a declaration, at most. Its syntax tree takes as much again,
// and is let go.
func TestHeld(t *testing.T) {
	const n, most = 500, 4050
	if testing.Short() {
		t.Skip("counts the program as it is built: the race detector, which runs with -short, allocates too")
	}
	held := func() int64 {
		runtime.GC()
		runtime.GC() // what finalizers and pools have let go
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	text := fleet(n, true)
	before := held()
	cfg := good(t, text)
	if got := (held() - before) / (2 * n); got > most {
		t.Errorf("%d bytes a declaration, at most %d", got, most)
	}
	runtime.KeepAlive(cfg)
}

// TestShownCosts: what Files allocates for a byte of the sources, at most. A large value in which no name tells of a
// secret is not parsed or lexed for it again, and neither are such blocks: that allocated 537 and 201.
func TestShownCosts(t *testing.T) {
	const n, most = 2000, 30
	if testing.Short() {
		t.Skip("counts the program as it is built: the race detector, which runs with -short, allocates too")
	}
	const secret = "server \"barn\" \"secret\" {\n  url      = \"https://a.example\"\n  password = local.chosen\n}\n" +
		"locals {\n  chosen = \"canary-word\"\n}\n"
	var value strings.Builder
	value.WriteString("locals {\n  all = {\n")
	for i := range n {
		fmt.Fprintf(&value, "    p%d = {\n      first  = \"A%d\"\n      second = \"B%d\"\n    }\n", i, i, i)
	}
	value.WriteString("  }\n}\n")
	waiting := strings.ReplaceAll(fleet(n, true), "  transport", "  depends_on = [server.depot.n0]\n  transport")
	for name, text := range map[string]string{"value": value.String(), "blocks": waiting} {
		cfg, _ := one(t, text+secret)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		shown := cfg.Files()["conf/main.sync.hcl"].Bytes
		runtime.ReadMemStats(&after)
		if got := (after.TotalAlloc - before.TotalAlloc) / uint64(len(text)); got > most {
			t.Errorf("%s: %d bytes for a byte, at most %d", name, got, most)
		}
		if bytes.Contains(shown, []byte("canary")) || !bytes.Contains(shown, []byte("first")) {
			t.Errorf("%s: a secret is shown, or what is none is not", name)
		}
	}
}

func BenchmarkFleet(b *testing.B) {
	for _, written := range []bool{false, true} {
		for _, n := range []int{500, 5000} {
			b.Run(fmt.Sprintf("written=%v/%d", written, 2*n), func(b *testing.B) {
				text := fleet(n, written)
				b.ReportAllocs()
				for b.Loop() {
					good(b, text)
				}
			})
		}
	}
}

// TestMistakesOfInstances are said once, with how many instances have them.
func TestMistakesOfInstances(t *testing.T) {
	cfg, diags := one(t, `
locals { all = { for x in setproduct(range(10), range(10)) : "n${x[0]}_${x[1]}" => x[0] } }
server "depot" "same" {
  for_each = local.all
  url      = "u"
  port     = "much"
}
server "depot" "other" {
  for_each = local.all
  url      = "u"
  flavour  = "f${each.key}"
}
`)
	if len(diags) != 1+mostAlike || !strings.Contains(diags[0].Detail, "in 99 more instances.") ||
		!strings.Contains(diags[1].Detail, fmt.Sprintf("in %d more instances.", 100-mostAlike)) {
		t.Errorf("%d: %s", len(diags), textOf(t, cfg, diags))
	}
	if got := AddrOf(diags[0]).String(); got != `server.depot.same["n0_0"]` {
		t.Error(got)
	}
}

// TestMistakesOfModules: what is wrong in a folder is said once, however many module blocks name it.
func TestMistakesOfModules(t *testing.T) {
	cfg, diags := world{files: map[string]string{
		"main.sync.hcl": "module \"a\" { source = \"./m\" }\nmodule \"b\" { source = \"./m\" }\nmodule \"c\" { source = \"./n\" }\n",
		"n/n.sync.hcl":  "module \"d\" { source = \"../m\" }\n",
		"m/m.sync.hcl":  "server \"barn\" \"x\" { url = local.no }\nlocals { y = local.no }\n",
	}}.load(t)
	if len(diags) != 2 || !strings.Contains(diags[0].Detail, "in 2 more instances.") {
		t.Errorf("%d: %s", len(diags), textOf(t, cfg, diags))
	}
}

// TestMistakesInKeys: what is looked up by a wrong key or without one is said, with what there is.
func TestMistakesInKeys(t *testing.T) {
	for expr, want := range map[string]string{
		`server.barn.many["nort"].url`:            `server.barn.many has no key "nort". Did you mean "north"?`,
		`module.m["nort"].o`:                      `module.m has no key "nort". Did you mean "north"?`,
		`local.map["nort"]`:                       `local.map has no key "nort". Did you mean "north"?`,
		`server.barn.many.url`:                    `server.barn.many["KEY"].url`,
		`module.m.o`:                              `module.m["KEY"].o`,
		`server.barn.off.url`:                     "is not enabled",
		`module.off.o`:                            "is not enabled",
		`[for b in server.barn.many : b.ulr]`:     `b has no attribute "ulr". Did you mean "url"?`,
		`[for m in module.m : m.p]`:               `m has no attribute "p". It has "o"`,
		`{ for k, v in local.map : k => v.none }`: "",
		`[for k in ["nort"] : local.map[k]]`:      `local.map has no key "nort". Did you mean "north"?`,
		`[for k in ["nort"] : module.m[k].o]`:     `module.m has no key "nort". Did you mean "north"?`,
		`[for k in ["north"] : module.m[k].p]`:    `module.m["north"] has no attribute "p". It has "o"`,
		`[for k in ["north"] : server.barn.many[k].ulr]`: `server.barn.many["north"] has no attribute "ulr". Did you ` +
			`mean "url"?`,
		`keys(local.map)[7]`: "the result of keys has no element number 7. It has 1,",
	} {
		cfg, diags := world{files: map[string]string{"main.sync.hcl": `
server "barn" "many" {
  for_each = toset(["north", "south"])
}
server "barn" "off" { enabled = false }
module "m" {
  source   = "./m"
  for_each = server.barn.many
}
module "off" {
  source  = "./m"
  enabled = false
}
locals { map = tomap({ north = 1 }) }
output "x" { value = ` + expr + ` }
`, "m/m.sync.hcl": "output \"o\" { value = 1 }\n"}}.load(t)
		if got := strings.Join(strings.Fields(textOf(t, cfg, diags)), " "); len(diags) != 1 || !strings.Contains(got, want) {
			t.Errorf("%s: want one diagnostic with %q, got %d:\n%s", expr, want, len(diags), got)
		}
	}
}

// TestTooManyInstances: modules with for_each inside of each other end at a limit before they fill the memory.
func TestTooManyInstances(t *testing.T) {
	call := func(source string) string {
		return "module \"m\" {\n source = \"" + source + "\"\n for_each = { for x in range(100) : \"k${x}\" => x }\n}\n"
	}
	cfg, diags := world{files: map[string]string{"main.sync.hcl": call("./a"), "a/m.sync.hcl": call("../b"),
		"b/m.sync.hcl": call("../c"), "c/m.sync.hcl": "variable \"x\" { default = 1 }\n"}}.load(t)
	if !hasSummary(diags, "Too much to evaluate") || len(diags) > 3 {
		t.Error(textOf(t, cfg, diags))
	}
}

// TestElementsThatLack: of an attribute that only some elements of a for_each have, the error says which lack it, once.
func TestElementsThatLack(t *testing.T) {
	const all = "{ north = { x = 1 }, south = {}, west = { y = 2 }, east = { x = 3 } }"
	for name, c := range map[string]struct {
		text, want string
		diags      int
	}{
		"a declaration": {"server \"barn\" \"b\" {\n  for_each = " + all + "\n  url = each.value.x\n}\n",
			`missing for the keys "south" and "west". Write try(each.value.x, null)`, 1},
		"a module": {"module \"m\" {\n  source = \"./m\"\n  for_each = " + all + "\n  v = each.value.x\n}\n",
			`missing for the keys "south" and "west". Write try(each.value.x, null)`, 1},
		"a dynamic block": {"server \"depot\" \"s\" {\n  url = \"u\"\n}\nsync \"depot\" \"b\" {\n  transport = \"road\"\n" +
			"  first {\n    server = server.depot.s\n    project = \"p\"\n  }\n  dynamic \"stop\" {\n" +
			"    for_each = [{ p = \"s\" }, {}]\n    content {\n      place = stop.value.p\n    }\n  }\n}\n",
			`missing for the key "1". Write try(stop.value.p, null)`, 1},
		"all lack it": {"server \"barn\" \"b\" {\n  for_each = " + all + "\n  url = each.value.z\n}\n",
			`each.value has no attribute "z". It has "x".`, 3},
		"a secret one": {"variable \"s\" {\n  sensitive = true\n  default = { x = 1 }\n}\n" +
			"server \"barn\" \"b\" {\n  for_each = { a = var.s, b = {} }\n  url = each.value.x\n}\n",
			`each.value has no attribute "x".`, 1},
	} {
		cfg, diags := world{files: map[string]string{"main.sync.hcl": c.text,
			"m/m.sync.hcl": "variable \"v\" {}\n"}}.load(t)
		got := strings.Join(strings.Fields(textOf(t, cfg, diags)), " ")
		if len(diags) != c.diags || !strings.Contains(got, c.want) {
			t.Errorf("%s: %d, want %d with %q:\n%s", name, len(diags), c.diags, c.want, got)
		}
	}
}
