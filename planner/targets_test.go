package planner_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// TestGiantPatterns checks that patterns, which also come from other sites, are bounded before they are compiled. The
// compiler of regular expressions refuses millions of characters, and takes minutes for fewer.
func TestGiantPatterns(t *testing.T) {
	fs := afero.NewMemMapFs()
	if err := afero.WriteFile(fs, "conf/main.sync.hcl", []byte("server \"depot\" \"in\" {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, diags := schema.Load(t.Context(), schema.Options{Fs: fs, Dir: "conf", Catalog: catalog})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	of := func(n int, pattern string) []string { return slices.Repeat([]string{pattern}, n) }
	for name, c := range map[string]struct {
		patterns []string
		fits     bool
	}{
		"many stars":     {of(1, strings.Repeat("*", 16<<10)), true},
		"many patterns":  {of(3000, "server.depot.*"), true},
		"many addresses": {of(10_000, "server.depot.in"), true},
		"more stars":     {of(1, strings.Repeat("*", 4_000_000)), false},
		"too long":       {of(1, strings.Repeat("*a", 8<<10)+"*"), false},
		"too many":       {of(4000, "server.depot.*"), false},
	} {
		for flag, s := range map[string]planner.Selection{
			"target": {Targets: c.patterns}, "exclude": {Targets: []string{"*"}, Excludes: c.patterns},
		} {
			_, err := planner.Select(cfg, s)
			var none *planner.NoMatchError
			switch {
			case !c.fits && (err == nil || errors.As(err, &none) || len(err.Error()) > 1000):
				t.Errorf("%s of -%s: %.100v", name, flag, err)
			case c.fits && flag == "target" && err != nil:
				t.Errorf("%s of -%s: %.100v", name, flag, err)
			}
		}
	}
}

// TestSelect: patterns with keys, without keys, of modules, and with wildcards; what is excluded takes along what
// depends on it and whose owner is excluded.
func TestSelect(t *testing.T) {
	fs := afero.NewMemMapFs()
	for name, text := range map[string]string{
		"conf/main.sync.hcl": moving + `
server "depot" "many" {
  for_each = toset(["a", "b.c", "d"])
}
sync "depot" "many" {
  for_each = server.depot.many
  server   = server.depot.many[each.key]
}
module "m" {
  source   = "./m"
  for_each = toset(["x", "y"])
}
`,
		"conf/m/m.sync.hcl":   "server \"depot\" \"in\" {}\nmodule \"n\" { source = \"./n\" }\n",
		"conf/m/n/n.sync.hcl": "sync \"depot\" \"deep\" {}\nmodule \"p\" {\n  source = \"../p\"\n  for_each = toset([\"1\", \"2\"])\n}\n",
		"conf/m/p/p.sync.hcl": "server \"depot\" \"at\" { for_each = toset([\"k\", \"o\\\"].\\\\\", \"é😀/*\"]) }\n",
	} {
		if err := afero.WriteFile(fs, name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg, diags := schema.Load(t.Context(), schema.Options{Fs: fs, Dir: "conf", Catalog: catalog})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	for _, c := range []struct{ targets, excludes, want string }{
		{"", "", ""},
		{`server.depot.many["a"]`, "", `server.depot.many["a"]`},
		{"server.depot.many", "", `server.depot.many["a"] server.depot.many["b.c"] server.depot.many["d"]`},
		{`*.many["a"]`, "", `server.depot.many["a"] sync.depot.many["a"]`},
		{`module.m["x"]`, "*.at", `module.m["x"].server.depot.in module.m["x"].module.n.sync.depot.deep`},
		{"module.m", "module.m.module.n.module.p", `module.m["x"].server.depot.in module.m["y"].server.depot.in ` +
			`module.m["x"].module.n.sync.depot.deep module.m["y"].module.n.sync.depot.deep`},
		{"module.m.server.depot.in", "", `module.m["x"].server.depot.in module.m["y"].server.depot.in`},
		{`module.m["y"].module.n`, "module.*.p", `module.m["y"].module.n.sync.depot.deep`},
		{"module.*.deep", "", `module.m["x"].module.n.sync.depot.deep module.m["y"].module.n.sync.depot.deep`},
		{`module.m.module.n.module.p["1"].server.depot.at["k"]`, "",
			`module.m["x"].module.n.module.p["1"].server.depot.at["k"] module.m["y"].module.n.module.p["1"].server.depot.at["k"]`},
		{`module.m["x"].module.n.module.p.server.depot.at["k"]`, "",
			`module.m["x"].module.n.module.p["1"].server.depot.at["k"] module.m["x"].module.n.module.p["2"].server.depot.at["k"]`},
		{`module.m["y"].module.n.module.p["2"].server.depot.at["o\"].\\"]`, "",
			`module.m["y"].module.n.module.p["2"].server.depot.at["o\"].\\"]`},
		{`module.m["y"].module.*["2"].server.depot.at["é😀/*"]`, "",
			`module.m["y"].module.n.module.p["2"].server.depot.at["é😀/*"]`},
		{`module.m["y"].module.n.module.p["2"]`, `*["k"] *.at["é*"]`,
			`module.m["y"].module.n.module.p["2"].server.depot.at["o\"].\\"]`},
		{`*.many*`, `server.depot.many["b.c"]`, `server.depot.many["a"] server.depot.many["d"] sync.depot.many["a"] sync.depot.many["d"]`},
		{`*`, "*.many module.m server.*", "sync.depot.apart sync.depot.base"},
		{`sync.depot.*`, "migration.* *.many module.*", "sync.depot.apart sync.depot.base"},
	} {
		got, err := planner.Select(cfg, planner.Selection{Targets: strings.Fields(c.targets),
			Excludes: strings.Fields(c.excludes)})
		var names []string
		for _, a := range got {
			names = append(names, a.String())
		}
		want := map[string]bool{}
		for _, w := range strings.Fields(c.want) {
			want[w] = true
		}
		ok := err == nil && len(names) == len(want)
		for _, n := range names {
			ok = ok && want[n]
		}
		if !ok {
			t.Errorf("-target %s -exclude %s: %q, %v\nwant %s", c.targets, c.excludes, names, err, c.want)
		}
	}
	for _, wrong := range []planner.Selection{
		{Targets: []string{"sync.depot.apart", "sync.depot.part"}}, {Targets: []string{`sync.depot.many["z"]`}},
		{Targets: []string{"sync.*.x"}}, {Excludes: []string{"sync.depot.gone"}}, {Targets: []string{"module.z"}},
		{Targets: []string{""}}, {Targets: []string{"module.m.server"}}, {Targets: []string{"module"}},
		{Targets: []string{`module.m["z"].server.depot.in`}}, {Targets: []string{`module.m.module.n["x"]`}},
		{Targets: []string{"server.\xff"}},
	} {
		var none *planner.NoMatchError
		if _, err := planner.Select(cfg, wrong); !errors.As(err, &none) {
			t.Errorf("%v: %v", wrong, err)
		}
	}
	if got, err := planner.Select(cfg, planner.Selection{Targets: []string{"sync.depot.apart"},
		Excludes: []string{"*"}}); err == nil {
		t.Errorf("everything was excluded, and it selects %v", got)
	}
}
