package schema

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// TestOneMistakeOneError: what follows from a mistake is not reported as another.
func TestOneMistakeOneError(t *testing.T) {
	for name, c := range map[string]struct {
		was, is string
		want    string
	}{
		"a misspelt block": {`server "depot" "b"`, `servr "depot" "b"`,
			`Did you mean the block server "TYPE" "NAME"?`},
		"a misspelt type":            {`server "depot" "b"`, `server "depo" "b"`, `Did you mean "depot"?`},
		"a misspelt reference":       {"server.depot.b\n", "servr.depot.b\n", `Did you mean "server.depot.b"?`},
		"a misspelt root in a value": {`${server.depot.a.url}`, `${servr.depot.a.url}`, `Did you mean "server.depot.a"?`},
		"an empty label":             {`field "summary"`, `field ""`, `its name, which cannot be empty`},
		"a word not permitted":       {`"road"`, `"rode"`, `Did you mean "road"?`},
	} {
		if !strings.Contains(twoDepots, c.was) {
			t.Fatalf("%s: %q is not in the file", name, c.was)
		}
		cfg, diags := one(t, strings.ReplaceAll(twoDepots, c.was, c.is)+`
migration "depot_move" "m" {
  from = sync.depot.gone
  to   = sync.depot.goods
}
`)
		if got := strings.Join(strings.Fields(textOf(t, cfg, diags)), " "); len(diags) != 1 ||
			!strings.Contains(got, c.want) {
			t.Errorf("%s: want one diagnostic with %q, got %d:\n%s", name, c.want, len(diags), got)
		}
	}
}

// TestMisspeltDeclarations: variables and local values are meant where their block is misspelt, too.
func TestMisspeltDeclarations(t *testing.T) {
	cfg, diags := one(t, `
varable "v" {}
local {
  l = 1
}
server "barn" "x" { url = "${var.v}${local.l}" }
`)
	if len(diags) != 2 {
		t.Error(textOf(t, cfg, diags))
	}
}

// TestCheckNeedsAllRight: a product's rule is not asked about a declaration that refers to a wrong one.
func TestCheckNeedsAllRight(t *testing.T) {
	for _, c := range []struct {
		color string
		asked bool
	}{{"red", true}, {"rot", false}} {
		asked := false
		catalog := Catalog{
			{Kind: Sync, Name: "x", Body: Body{Attributes: []Attribute{{Name: "color", Type: cty.String,
				OneOf: []string{"red"}}}}},
			{Kind: Migration, Name: "x", Body: Body{Attributes: []Attribute{{Name: "to", Ref: &Ref{Kind: Sync, Type: "x"}}}},
				Check: func(*Resource) hcl.Diagnostics { asked = true; return nil }},
		}
		loadWith(t, catalog, "1.0.0", `sync "x" "s" { color = "`+c.color+`" }`+"\n"+`migration "x" "m" { to = sync.x.s }`)
		if asked != c.asked {
			t.Errorf("%s: asked is %t", c.color, asked)
		}
	}
}

func TestWholeNumbers(t *testing.T) {
	catalog := Catalog{{Kind: Server, Name: "x", Body: Body{Attributes: []Attribute{
		{Name: "sample", Type: cty.Number, Whole: true, Least: 1}, {Name: "allow", Type: cty.Map(cty.Number), Whole: true},
		{Name: "secret", Type: cty.Number, Whole: true, Secret: true},
	}}}}
	for text, want := range map[string]string{
		`sample = 1`:               "",
		`sample = 2147483647`:      "",
		`sample = "7"`:             "",
		`sample = null`:            "",
		`allow = { a = 0, b = 2 }`: "",
		`sample = 1.5`:             `1.5 is not permitted for the argument "sample", which is a whole number, 1 or more.`,
		`sample = 0`:               `0 is not permitted for the argument "sample", which is a whole number, 1 or more.`,
		`sample = -3`:              `-3 is not permitted`,
		`sample = 1e30`:            `which is a whole number from 1 to 2147483647.`,
		`sample = 2147483648`:      `which is a whole number from 1 to 2147483647.`,
		`sample = 1 / 3`:           `is not permitted for the argument "sample", which is a whole number, 1 or more.`,
		`allow = { a = -1 }`:       `-1 is not permitted for the argument "allow", which is a whole number, 0 or more.`,
		`secret = 1234.5`:          `The value is not permitted for the argument "secret"`,
	} {
		diags := loadWith(t, catalog, "1.0.0", "server \"x\" \"x\" {\n  "+text+"\n}\n")
		switch {
		case want == "" && len(diags) > 0, want != "" && (len(diags) != 1 || !strings.Contains(diags[0].Detail, want) ||
			diags[0].Subject.Start.Line != 2):
			t.Errorf("%s: want %q, got %v", text, want, diags)
		}
	}
}

// TestUncheckedVersion: a build without a version says so, unless every release will do.
func TestUncheckedVersion(t *testing.T) {
	for _, version := range []string{"dev", "", "v0.0.0-20260102030405-0123456789ab+dirty"} {
		for constraint, want := range map[string]int{">= 0.1": 0, ">= 99": 1, "< 2": 1, "~> 0.1": 1} {
			diags := loadWith(t, nil, version, `syncctl { required_version = "`+constraint+`" }`)
			if diags.HasErrors() || len(diags) != want {
				t.Errorf("%s: %s: %v", version, constraint, diags)
			}
		}
	}
}

// TestSecretVariable: only what is known to be open is open.
func TestSecretVariable(t *testing.T) {
	cfg := good(t, "variable \"open\" { default = 1 }\nvariable \"a_key\" { default = 1 }\nvariable \"b_token\" {\n  "+
		"default = 1\n  sensitive = false\n}\nvariable \"hidden\" {\n  "+
		"default = 1\n  sensitive = true\n}\n")
	for name, want := range map[string]bool{"open": false, "a_key": true, "b_token": false, "hidden": true,
		"undeclared": true} {
		if got := cfg.SecretVariable(name); got != want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// TestTornValues: of a file of values that does not parse only the names of variables are shown.
func TestTornValues(t *testing.T) {
	cfg, diags := world{files: map[string]string{
		"main.sync.hcl":       "variable \"open\" {}\nvariable \"hidden\" { sensitive = true }\n",
		"x.auto.syncvars.hcl": "open = 1\nhidden = <<EOT\nhunter2\nkey = hunter2\nEOT\nopen = = \"hunter2\"\n",
	}, unset: true}.load(t)
	text := string(cfg.Files()["conf/x.auto.syncvars.hcl"].Bytes)
	if !diags.HasErrors() || strings.Contains(text, "hunter2") || strings.Contains(text, "key") ||
		strings.Count(text, "open =") != 2 || !strings.Contains(text, "hidden =") {
		t.Errorf("%s\n%s", textOf(t, cfg, diags), text)
	}
}

// TestTornSecrets: a secret that lacks its quotes, or the sign before it, is in no error and no excerpt of it.
func TestTornSecrets(t *testing.T) {
	const native = "server \"depot\" \"a\" {\n  %s\n}\n"
	for file, line := range map[string]string{
		`1.sync.hcl.json`: `{"server": {"depot": {"a": {"password": hunterTwo}}}}`,
		`2.sync.hcl.json`: `{"server": {"depot": {"a": {"password": truehunterTwo}}}}`,
		`3.sync.hcl.json`: "{\"server\": {\"depot\": {\"a\": {\n\"password\" \"hunterTwo\"}}}}",
		`4.sync.hcl.json`: "{\"variable\": {\"v\": {\n\"default\" => \"hunterTwo\"}}}",
		`5.sync.hcl`:      fmt.Sprintf(native, `password = "%{ hunterTwo }"`),
		`6.sync.hcl`:      fmt.Sprintf(native, `password "hunterTwo"`),
		`7.sync.hcl`:      fmt.Sprintf(native, `password: "hunterTwo"`),
		`8.sync.hcl`:      fmt.Sprintf(native, `password == "hunterTwo"`),
		`9.sync.hcl`:      fmt.Sprintf(native, `password => "hunterTwo"`),
		`a.sync.hcl`:      fmt.Sprintf(native, `"password" "hunterTwo"`),
		`b.sync.hcl`:      fmt.Sprintf(native, `password hunterTwo`),
		`c.sync.hcl`:      fmt.Sprintf(native, `password"hunterTwo"`),
		`d.sync.hcl`:      fmt.Sprintf(native, `password = "hunterTwo`),
	} {
		cfg, diags := world{files: map[string]string{file: line}, unset: true}.load(t)
		text := textOf(t, cfg, diags)
		if !diags.HasErrors() || strings.Contains(text, "unter") {
			t.Errorf("%s: %s\n%s", file, line, text)
		}
		if _, diags := Format(file, []byte(line)); strings.Contains(diags.Error(), "unter") {
			t.Errorf("%s: %s: %v", file, line, diags)
		}
	}
}
