package schema

import (
	"fmt"
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
		if got := cfg.WhereMoved()(from); got != want {
			t.Errorf("%s is at %s, want %s", from, got, want)
		}
	}
	for addr, want := range map[string]bool{"server.barn.gone": true, `server.barn.gone["x"]`: true,
		"server.barn.gone2":        false,
		"module.old.server.barn.x": true, "module.older.server.barn.x": false} {
		if got := cfg.WhatRemoved()(addr); got != want {
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
		if got := cfg.WhereMoved()(from); got != want {
			t.Errorf("%s is at %s, want %s", from, got, want)
		}
	}
	loop := "server \"barn\" \"d\" {}\nmoved {\n from = server.barn.x\n to = server.barn.y\n}\nmoved {\n " +
		"from = server.barn.y\n to = server.barn.x\n}\n"
	if cfg, diags := one(t, loop); len(diags) != 2 || diags[0].Summary != "Moved to what is not declared" {
		t.Error(textOf(t, cfg, diags))
	}
}

// TestMovedToWhatMayBeDeclared: a move leads to what is declared, also where it is not enabled, where its instances are
// not known yet, or where its files could not be read; not to what is not one of these.
func TestMovedToWhatMayBeDeclared(t *testing.T) {
	const files = `
variable "some" {}
server "barn" "off" { enabled = false }
server "barn" "keyed" {
  for_each = toset(["on", "off"])
  enabled  = each.key == "on"
}
server "barn" "none" { for_each = {} }
server "barn" "unknown" { for_each = var.some }
module "off" {
  source  = "./m"
  enabled = false
}
module "unknown" {
  source   = "./m"
  for_each = var.some
}
module "empty" { source = "./empty" }
module "torn" { source = "./torn" }
`
	for to, ok := range map[string]bool{
		"server.barn.off": true, `server.barn.off["k"]`: false, `server.barn.keyed["on"]`: true,
		`server.barn.keyed["off"]`: true, `server.barn.keyed["other"]`: false, "server.barn.none": true,
		`server.barn.none["k"]`: false, `server.barn.unknown["k"]`: true, "server.barn.nothing": false,
		"module.off.server.barn.in": true, "module.off.server.barn.nothing": false,
		`module.unknown["k"].server.barn.in`: true, `module.unknown["k"].server.barn.nothing`: false,
		"module.torn.server.barn.any": true, "module.nothing.server.barn.in": false,
		`module.off.module.nothing.server.barn.in`: false,
		"module.off": true, `module.unknown["k"]`: true, "module.empty": true, `module.empty["k"]`: false,
		"module.torn": true, "module.nothing": false,
	} {
		from := "server.barn.was"
		if !strings.Contains(to, "server.") {
			from = "module.was"
		}
		cfg, diags := world{
			files: map[string]string{"main.sync.hcl": files, "m/m.sync.hcl": `server "barn" "in" {}`,
				"empty/m.sync.hcl": `locals { x = 1 }`, "torn/m.sync.hcl": `server "barn" "any" {`,
				"moved.sync.hcl": fmt.Sprintf("moved {\n  from = %s\n  to   = %s\n}\n", from, to)},
			unset: true,
		}.load(t)
		missing := strings.Contains(textOf(t, cfg, diags), "Moved to what is not declared")
		if missing == ok {
			t.Errorf("%s: missing %v, want %v: %s", to, missing, !ok, textOf(t, cfg, diags))
		}
	}
}

// TestMovedInModules: a block of a module is about each of its instances, wherever the module itself was before.
func TestMovedInModules(t *testing.T) {
	const inner = "server \"barn\" \"in\" {}\nmodule \"deep\" { source = \"../deep\" }\n" +
		"moved {\n from = server.barn.was\n to = server.barn.in\n}\nmoved {\n from = module.low\n to = module.deep\n}\n"
	files := map[string]string{"main.sync.hcl": `
module "m" {
  source   = "./m"
  for_each = toset(["k", "l"])
}
module "one" { source = "./m" }
module "off" {
  source  = "./m"
  enabled = false
}
moved {
  from = module.before
  to   = module.m["k"]
}
`, "m/m.sync.hcl": inner, "deep/m.sync.hcl": `
server "barn" "now" {}
moved {
  from = server.barn.then
  to   = server.barn.now
}
`}
	cfg, diags := world{files: files}.load(t)
	if len(diags) > 0 {
		t.Fatal(textOf(t, cfg, diags))
	}
	for _, c := range [][2]string{
		{`module.m["k"].server.barn.was`, `module.m["k"].server.barn.in`},
		{`module.m["l"].server.barn.was`, `module.m["l"].server.barn.in`},
		{`module.m["gone"].server.barn.was`, `module.m["gone"].server.barn.was`},
		{"module.one.server.barn.was", "module.one.server.barn.in"},
		{"module.before.server.barn.was", `module.m["k"].server.barn.in`},
		{"module.one.module.low.server.barn.then", "module.one.module.deep.server.barn.now"},
		{"server.barn.was", "server.barn.was"},
	} {
		if got := cfg.WhereMoved()(c[0]); got != c[1] {
			t.Errorf("%s is at %s, want %s", c[0], got, c[1])
		}
	}
	for _, c := range [][2]string{
		{"moved {\n from = server.barn.in\n to = server.barn.in\n}", "is declared, so that it cannot have moved"},
		{"moved {\n from = server.barn.x\n to = server.barn.y\n}", "server.barn.y, to which"},
		{"moved {\n from = server.barn.was\n to = server.barn.in\n}", "already moved"},
		{"removed { from = server.barn.x }", "not in a module"},
	} {
		files["m/more.sync.hcl"] = c[0] + "\n"
		files["main.sync.hcl"] = "module \"m\" {\n  source   = \"./m\"\n  for_each = toset([\"k\", \"l\"])\n}\n"
		cfg, diags := world{files: files}.load(t)
		if got := strings.Join(strings.Fields(textOf(t, cfg, diags)), " "); len(diags) != 1 || !strings.Contains(got, c[1]) {
			t.Errorf("%s: want one diagnostic with %q, got %d:\n%s", c[0], c[1], len(diags), got)
		}
	}
}

// TestMovesOfManyInstances: blocks times instances are limited.
func TestMovesOfManyInstances(t *testing.T) {
	var moves strings.Builder
	moves.WriteString("server \"barn\" \"in\" {}\n")
	for i := range 2000 {
		fmt.Fprintf(&moves, "moved {\n from = server.barn.s%d\n to = server.barn.in\n}\n", i)
	}
	cfg, diags := world{files: map[string]string{"main.sync.hcl": "module \"m\" {\n  source   = \"./m\"\n" +
		"  for_each = toset([for i in range(1000) : tostring(i)])\n}\n", "m/m.sync.hcl": moves.String()}}.load(t)
	if got := textOf(t, cfg, diags); len(diags) != 1 || diags[0].Summary != "Too many moves" {
		t.Errorf("%d: %s", len(diags), got)
	}
}

// TestManyMoves: a chain of moves costs what it is long, to be checked and to be followed.
func TestManyMoves(t *testing.T) {
	const n = 20000
	var moves []Move
	for i := range n {
		moves = append(moves, Move{From: fmt.Sprintf("server.barn.s%d", i), To: fmt.Sprintf("server.barn.s%d", i+1)})
	}
	where := (&Config{Moves: moves}).WhereMoved()
	for i := range n {
		if got := where(fmt.Sprintf("server.barn.s%d", n-1-i)); got != fmt.Sprintf("server.barn.s%d", n) {
			t.Fatalf("%d is at %s", i, got)
		}
	}
}
