package schema

import (
	"strings"
	"testing"
)

// TestMoved follows moves of declarations, instances and modules, one after the other.
func TestMoved(t *testing.T) {
	cfg, diags := world{files: map[string]string{"main.sync.hcl": `
server "barn" "b" { for_each = toset(["k", "l"]) }
server "barn" "d" {}
module "n" { source = "./m" }
moved {
  from = server.barn.a
  to   = server.barn.b["k"]
}
moved {
  from = server.barn.c
  to   = server.barn.c2
}
moved {
  from = server.barn.c2
  to   = server.barn.d
}
moved {
  from = module.m["x"]
  to   = module.n
}
removed {
  from = server.barn.gone
  lifecycle { destroy = false }
}
removed { from = module.old }
`, "m/m.sync.hcl": `server "barn" "in" {}`}}.load(t)
	if len(diags) > 0 {
		t.Fatal(textOf(t, cfg, diags))
	}
	for _, c := range [][2]string{
		{"server.barn.a", `server.barn.b["k"]`},
		{"server.barn.c", "server.barn.d"},
		{"server.barn.d", "server.barn.d"},
		{`module.m["x"].server.barn.in`, "module.n.server.barn.in"},
		{`module.m["y"].server.barn.in`, `module.m["y"].server.barn.in`},
		{"server.barn.ab", "server.barn.ab"},
		{`server.barn.c["z"]`, `server.barn.d["z"]`},
	} {
		from, want := c[0], c[1]
		if got := cfg.Moved(from); got != want {
			t.Errorf("%s is at %s, want %s", from, got, want)
		}
	}
	for addr, want := range map[string]bool{"server.barn.gone": true, `server.barn.gone["x"]`: true,
		"server.barn.gone2":        false,
		"module.old.server.barn.x": true, "module.older.server.barn.x": false} {
		if got := cfg.IsRemoved(addr); got != want {
			t.Errorf("%s: removed %v", addr, got)
		}
	}
	for _, c := range [][2]string{
		{"moved { from = server.barn.x }", `"to" is required`},
		{"moved {\n from = server.barn.d\n to = server.barn.d\n}", "is declared, so that it cannot have moved"},
		{"moved {\n from = server.barn.x\n to = server.barn.y\n}", "There is no server.barn.y"},
		{"moved {\n from = var.x\n to = server.barn.d\n}", "is the address of a declaration or a module"},
		{"moved {\n from = \"server.barn.x\"\n to = server.barn.d\n}", "is the address of a declaration or a module"},
		{"moved {\n from = module.x\n to = server.barn.d\n}", "A module moves to a module"},
		{"moved {\n from = module.x[\"k\"]\n to = server.barn.d\n}", "A module moves to a module"},
		{"moved {\n from = module.x.y\n to = server.barn.d\n}", "is the address of a declaration or a module"},
		{"moved {\n from = sync.barn.x\n to = server.barn.d\n}", "one of the same kind"},
		{"moved {\n from = server.depot.x\n to = server.barn.d\n}", "one of the same kind"},
		{"moved {\n from = server.barn.x\n to = server.barn.x\n}", "There is no server.barn.x"},
		{"moved {\n from = server.barn.x\n to = server.barn.d\n}\nmoved {\n from = server.barn.x\n to = server.barn.d\n}",
			"already moved"},
		{"removed { from = server.barn.d }", "take out its block"},
		{"removed {}", `"from" is required`},
		{"removed {\n from = server.barn.x\n lifecycle { destroy = true }\n}", "destroy is false here"},
		{"removed {\n from = server.barn.x\n to = server.barn.d\n}", `"to" is not expected`},
	} {
		text, want := c[0], c[1]
		cfg, diags := one(t, "server \"barn\" \"d\" {}\n"+text+"\n")
		if got := strings.Join(strings.Fields(textOf(t, cfg, diags)), " "); len(diags) != 1 || !strings.Contains(got, want) {
			t.Errorf("%s: want one diagnostic with %q, got %d:\n%s", text, want, len(diags), got)
		}
	}
}

// TestMovedToKeys: what gets a for_each, or loses it, is moved once, however many moves there are.
func TestMovedToKeys(t *testing.T) {
	cfg, diags := world{files: map[string]string{"main.sync.hcl": `
server "barn" "a" { for_each = toset(["x", "y"]) }
server "barn" "b" {}
module "m" {
  source   = "./m"
  for_each = toset(["k"])
}
module "deep" { source = "./deep" }
moved {
  from = server.barn.a
  to   = server.barn.a["x"]
}
moved {
  from = server.barn.b["was"]
  to   = server.barn.b
}
moved {
  from = module.m
  to   = module.m["k"]
}
moved {
  from = module.old
  to   = module.deep.module.in
}
`, "m/m.sync.hcl": `server "barn" "in" {}`, "deep/m.sync.hcl": `module "in" { source = "../m" }`}}.load(t)
	if len(diags) > 0 {
		t.Fatal(textOf(t, cfg, diags))
	}
	for _, c := range [][2]string{
		{"server.barn.a", `server.barn.a["x"]`},
		{`server.barn.a["y"]`, `server.barn.a["y"]`},
		{`server.barn.b["was"]`, "server.barn.b"},
		{"module.m.server.barn.in", `module.m["k"].server.barn.in`},
		{`module.m["l"].server.barn.in`, `module.m["l"].server.barn.in`},
		{"module.old.server.barn.in", "module.deep.module.in.server.barn.in"},
	} {
		from, want := c[0], c[1]
		if got := cfg.Moved(from); got != want {
			t.Errorf("%s is at %s, want %s", from, got, want)
		}
	}
	loop := "server \"barn\" \"d\" {}\nmoved {\n from = server.barn.x\n to = server.barn.y\n}\nmoved {\n " +
		"from = server.barn.y\n to = server.barn.x\n}\n"
	if cfg, diags := one(t, loop); len(diags) != 2 || diags[0].Summary != "Moved to what is not declared" {
		t.Error(textOf(t, cfg, diags))
	}
}
