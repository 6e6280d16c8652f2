package schema

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/afero"
	"github.com/zclconf/go-cty/cty"
)

const siteKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAMoMNpEmejrB+C7Ai2bKqu6erO9RPfBTx7hbTen/mS5 admin@acme"

const twoSites = `
variable "a_user" {
  type = string
}
variable "a_secret" {
  type      = string
  sensitive = true
}
variable "b_secret" {
  type      = string
  sensitive = true
}
variable "project" {
  type = string
}
locals {
  a_login = { user = var.a_user, password = var.a_secret }
}
site "acme" {
  signers = ["` + siteKey + `"]
}
site "globex" {
  signers    = ["` + siteKey + `"]
  recipients = ["` + siteKey + `"]
  max_age    = "36h"
}
server "depot" "a" {
  url      = "https://a.example"
  user     = local.a_login.user
  password = local.a_login.password
  site     = site.acme
}
server "depot" "b" {
  url      = "https://b.example"
  user     = env("B_USER")
  password = var.b_secret
  site     = "globex"
}
sync "depot" "s" {
  transport = "road"
  first {
    server  = server.depot.a
    project = var.project
  }
  second {
    server  = server.depot.b
    project = "B"
  }
}
`

// loadFor loads files for a site. asked are the variables that a person was asked for.
func loadFor(t *testing.T, site string, files map[string]string, env map[string]string,
	vars ...string) (cfg *Config, asked []string, diags hcl.Diagnostics) {
	t.Helper()
	fs := afero.NewMemMapFs()
	for name, text := range files {
		if err := afero.WriteFile(fs, "conf/"+name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var given []VarSource
	for _, v := range vars {
		given = append(given, VarSource{Assign: v})
	}
	cfg, diags = Load(t.Context(), Options{
		Fs: fs, Dir: "conf", Catalog: depots(), Version: "1.4.0", Site: site, Vars: given,
		Env: func(name string) (string, bool) { v, ok := env[name]; return v, ok },
		Ask: func(_ context.Context, name, _ string, _ bool) (string, error) {
			asked = append(asked, name)
			return "", errors.New("nobody is there")
		},
	})
	return cfg, asked, diags
}

func TestSitesShareADigestWithoutSecrets(t *testing.T) {
	files := map[string]string{"main.sync.hcl": twoSites}
	a, asked, diags := loadFor(t, "acme", files, nil, "a_user=x", "a_secret=one", "project=P")
	if diags.HasErrors() || len(asked) > 0 {
		t.Fatalf("acme: asked for %q\n%s", asked, textOf(t, a, diags))
	}
	b, asked, diags := loadFor(t, "globex", files, map[string]string{"B_USER": "y"}, "b_secret=two", "project=P")
	if diags.HasErrors() || len(asked) > 0 {
		t.Fatalf("globex: asked for %q\n%s", asked, textOf(t, b, diags))
	}
	if a.Digest() != b.Digest() {
		t.Errorf("the digests differ:\n%s\n%s", canonicalText(a), canonicalText(b))
	}
	other, _, diags := loadFor(t, "globex", files, map[string]string{"B_USER": "y"}, "b_secret=two", "project=Q")
	if diags.HasErrors() || other.Digest() == b.Digest() {
		t.Error("a value that both know is not in the digest")
	}
	for cfg, elsewhere := range map[*Config]string{a: "b", b: "a"} {
		for _, name := range []string{"a", "b"} {
			r := cfg.Lookup(Addr{Kind: Server, Type: "depot", Name: name})
			if r.Elsewhere != (name == elsewhere) || r.Site != map[string]string{"a": "acme", "b": "globex"}[name] {
				t.Errorf("%s: site %q, elsewhere %t", r.Addr, r.Site, r.Elsewhere)
			}
		}
	}
	sites := a.Settings.Sites
	if len(sites) != 2 || sites[0].Name != "acme" || sites[0].MaxAge.Hours() != 24 || sites[1].MaxAge.Hours() != 36 ||
		sites[0].Recipients[0] != siteKey {
		t.Errorf("the sites are %+v", sites)
	}
}

// What all need must be given at all sites.
func TestSitesNeedWhatAllUse(t *testing.T) {
	files := map[string]string{"main.sync.hcl": twoSites}
	_, asked, diags := loadFor(t, "globex", files, map[string]string{"B_USER": "y"}, "b_secret=two")
	if !diags.HasErrors() || strings.Join(asked, " ") != "project" {
		t.Errorf("asked for %q: %v", asked, diags)
	}
	files["main.sync.hcl"] += "\noutput \"u\" {\n  value = server.depot.a.user\n}\n"
	_, asked, diags = loadFor(t, "globex", files, map[string]string{"B_USER": "y"}, "b_secret=two", "project=P")
	if !diags.HasErrors() || len(asked) == 0 || !strings.HasPrefix(asked[0], "a_") {
		t.Errorf("an output is for all, asked for %q: %v", asked, diags)
	}
	_, asked, diags = loadFor(t, "", map[string]string{"main.sync.hcl": twoSites}, map[string]string{"B_USER": "y"})
	if !diags.HasErrors() || len(asked) == 0 {
		t.Errorf("without a site all is needed: asked for %q", asked)
	}
}

// The environment that a declaration asks must be known at each site that reads it, and stands in the digest then.
func TestSitesNeedTheEnvironmentThatTheyRead(t *testing.T) {
	for name, c := range map[string]struct{ was, is string }{
		"what has no site":      {`project = "B"`, "project = server.depot.b.user"},
		"another site":          {"user     = local.a_login.user", "user     = server.depot.b.user"},
		"another site, through": {"user = var.a_user,", "user = server.depot.b.user,"},
	} {
		files := map[string]string{"main.sync.hcl": strings.Replace(twoSites, c.was, c.is, 1)}
		load := func(site, user string) (*Config, hcl.Diagnostics) {
			env := map[string]string{"B_USER": user}
			if user == "" {
				env = nil
			}
			cfg, _, diags := loadFor(t, site, files, env, "a_user=x", "a_secret=one", "b_secret=two", "project=P")
			return cfg, diags
		}
		a, diags := load("acme", "")
		got := strings.Join(strings.Fields(textOf(t, a, diags)), " ")
		if len(diags) != 1 || !strings.Contains(got, "B_USER is not set") {
			t.Errorf("%s: want the variable asked for, got %s", name, got)
		}
		a, _ = load("acme", "y")
		b, _ := load("globex", "y")
		other, _ := load("globex", "z")
		if a.Digest() != b.Digest() || b.Digest() == other.Digest() {
			t.Errorf("%s: the digest is to tell values apart:\n%s\n%s", name, canonicalText(b), canonicalText(other))
		}
	}
}

// The same in modules, with for_each, in JSON, and by defaults.
func TestSitesOfModules(t *testing.T) {
	files := map[string]string{
		"main.sync.hcl": `
variable "a_secret" {
  sensitive = true
}
variable "b_secret" {
  sensitive = true
}
module "a" {
  source = "./m"
  login_secret = var.a_secret
}
defaults "server" "depot" {
  user = "all"
}
server "depot" "b" {
  for_each = toset(["x", "y"])
  url      = "https://${each.key}.example"
  password = var.b_secret
  site     = "globex"
}
`,
		"sites.sync.hcl.json": `{"site": {"acme": {"signers": ["` + siteKey + `"]}, "globex": {"signers": ["` + siteKey +
			`"]}}}`,
		"m/m.sync.hcl": `
variable "login_secret" {
  sensitive = true
}
server "depot" "a" {
  url      = "https://a.example"
  user     = "u"
  password = var.login_secret
  site     = site.acme
}
`,
	}
	a, asked, diags := loadFor(t, "acme", files, nil, "a_secret=one")
	if diags.HasErrors() || len(asked) > 0 {
		t.Fatalf("acme: asked for %q\n%s", asked, textOf(t, a, diags))
	}
	b, asked, diags := loadFor(t, "globex", files, nil, "b_secret=two")
	if diags.HasErrors() || len(asked) > 0 {
		t.Fatalf("globex: asked for %q\n%s", asked, textOf(t, b, diags))
	}
	if a.Digest() != b.Digest() {
		t.Errorf("the digests differ:\n%s\n%s", canonicalText(a), canonicalText(b))
	}
}

func TestInvalidSites(t *testing.T) {
	const block = "site \"acme\" {\n  signers = [\"" + siteKey + "\"]\n}\n"
	depot := func(site string) string {
		return "server \"depot\" \"a\" {\n  url = \"https://a.example\"\n  user = \"u\"\n  password = \"p\"\n" +
			"  site = " + site + "\n}\n"
	}
	for name, row := range map[string]struct {
		text, want string
		line       int
	}{
		"no such name":      {block + depot(`"acmee"`), "Reference to undeclared site", 8},
		"no such reference": {block + depot("site.globex"), "Reference to undeclared site", 8},
		"no block":          {depot("site.acme"), "Reference to undeclared site", 5},
		"no site":           {block + strings.Replace(depot(""), "  site = \n", "", 1), "No site", 4},
		"null":              {block + depot("null"), "No site", 4},
		"two of a name":     {block + block, "Duplicate site", 4},
		"not a key":         {"site \"a\" {\n  signers = [\"ssh-ed25519 AAAA\"]\n}\n", "Invalid SSH key", 2},
		"no key":            {"site \"a\" {\n  signers = []\n}\n", "No key", 2},
		"no signers":        {"site \"a\" {\n}\n", "Missing required argument", 1},
		"age":               {"site \"a\" {\n  signers = [\"" + siteKey + "\"]\n  max_age = \"-1h\"\n}\n", "Invalid duration", 3},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, _, diags := loadFor(t, "", map[string]string{"main.sync.hcl": row.text}, nil)
			if len(diags) != 1 || diags[0].Summary != row.want || diags[0].Subject.Start.Line != row.line {
				t.Errorf("want %s at line %d, got\n%s", row.want, row.line, textOf(t, cfg, diags))
			}
		})
	}
}

// TestKeystoresWithoutASite: one that a server uses is in the server's site, and no other is in none.
func TestKeystoresWithoutASite(t *testing.T) {
	for _, x := range []struct {
		site    string
		problem string // at what line
	}{{"site.acme", "No site 6"}, {"var.where", "No site 6"}, {`"acmee"`, "No site 6, Reference to undeclared site 10"}} {
		text := "site \"acme\" {\n  signers = [\"" + siteKey + "\"]\n}\n" + `keystore "vault" "used" {
}
keystore "vault" "unused" {
}
server "vault" "a" {
  keystore = keystore.vault.used
  site     = ` + x.site + `
}
variable "where" {
}
`
		fs := afero.NewMemMapFs()
		if err := afero.WriteFile(fs, "/d/main.sync.hcl", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, diags := Load(t.Context(), Options{Fs: fs, Dir: "/d", AllowUnset: true, Catalog: Catalog{
			{Kind: Keystore, Name: "vault"}, {Kind: Server, Name: "vault", Body: Body{Attributes: []Attribute{
				{Name: "keystore", Ref: &Ref{Kind: Keystore, Type: "vault"}}}}}}})
		var got []string
		for _, d := range diags {
			got = append(got, fmt.Sprint(d.Summary, " ", d.Subject.Start.Line))
		}
		if strings.Join(got, ", ") != x.problem {
			t.Errorf("%s: %q, want %q", x.site, got, x.problem)
		}
	}
}

// What is read from another declaration or a module, and env() however it is written, differs between sites without a
// difference in the digest.
func TestSitesShareADigestThroughReferences(t *testing.T) {
	const sites = "site \"acme\" {\n  signers = [\"" + siteKey + "\"]\n}\nsite \"globex\" {\n  signers = [\"" + siteKey +
		"\"]\n}\n"
	const variable = "variable \"b_user\" {\n}\n"
	server := func(name, user string) string {
		return "server \"depot\" \"" + name + "\" {\n  url = \"https://b.example\"\n  site = \"globex\"\n" +
			"  user = " + user + "\n}\n"
	}
	doubling := "locals {\n  l0 = \"x\"\n"
	for i := range 40 {
		doubling += fmt.Sprintf("  l%d = \"${local.l%d}${local.l%d}\" == \"\" ? \"\" : local.l%d\n", i+1, i, i, i)
	}
	const call = "module \"m\" {\n  source = \"./m\"\n  given = var.b_user\n}\n"
	const defaults = "defaults \"server\" \"depot\" {\n  user = var.b_user\n}\n"
	module := "variable \"given\" {\n}\nlocals {\n  u = var.given\n}\noutput \"user\" {\n  value = local.u\n}\n"
	for name, c := range map[string]struct{ main, module string }{
		"a declaration":          {server("b", "var.b_user") + server("b2", "server.depot.b.user"), ""},
		"a declaration with env": {server("b", `env("B_USER")`) + server("b2", "upper(server.depot.b.user)"), ""},
		"a whole declaration":    {server("b", "var.b_user") + server("b2", "values(server.depot.b)[0]"), ""},
		"an output":              {call + server("b", "module.m.user"), module},
		"a whole module":         {call + server("b", "values(module.m)[0]"), module},
		"env with a blank":       {server("b", `env ("B_USER")`), ""},
		"a block of defaults": {"defaults \"server\" \"depot\" {\n  host {\n    ssh = var.b_user\n  }\n}\n" +
			server("b", `"u"`), ""},
		"defaults outside":  {defaults + "module \"m\" {\n  source = \"./m\"\n}\n", server("b", "null")},
		"defaults for null": {defaults + server("b", "null") + server("b2", "server.depot.b.user"), ""},
		"many references":   {doubling + "}\n" + server("b", "local.l40"), ""},
	} {
		files := map[string]string{"main.sync.hcl": sites + c.main}
		if strings.Contains(c.main, "var.b_user") {
			files["vars.sync.hcl"] = variable
		}
		if c.module != "" {
			files["m/m.sync.hcl"] = c.module
		}
		a, _, diags := loadFor(t, "acme", files, nil)
		if diags.HasErrors() {
			t.Errorf("%s, acme: %s", name, textOf(t, a, diags))
		}
		var vars []string
		if strings.Contains(c.main, "var.b_user") {
			vars = []string{"b_user=x"}
		}
		b, _, diags := loadFor(t, "globex", files, map[string]string{"B_USER": "y"}, vars...)
		if diags.HasErrors() {
			t.Errorf("%s, globex: %s", name, textOf(t, b, diags))
		}
		if a.Digest() != b.Digest() {
			t.Errorf("%s: the digests differ:\n%s\n%s", name, canonicalText(a), canonicalText(b))
		}
	}
	for _, user := range []string{`"printenv("`, `upper("my env(")`} {
		files := map[string]string{"main.sync.hcl": sites + server("b", user)}
		was, _, _ := loadFor(t, "globex", files, nil)
		files["main.sync.hcl"] = strings.Replace(files["main.sync.hcl"], "env(", "env()", 1)
		if is, _, _ := loadFor(t, "globex", files, nil); is.Digest() == was.Digest() {
			t.Errorf("%s is not in the digest", user)
		}
	}
	for text, asks := range map[string]bool{
		`"${env (\"B_USER\")}"`: true, `"${env(\"B_USER\")}"`: true, `"printenv("`: false, `"my env(1)"`: false,
		`"$\u007b\u0065nv(\"B_USER\")}"`: true, `"${env/**/(\"B_USER\")}"`: true, `"$${env(1)}"`: false,
		`"${templatefile(\"asks\", {})}"`: true, `"${templatefile(\"${path.module}/plain\", {})}"`: false,
		`"${[for f in [\"plain\"] : templatefile(f, {})][0]}"`: true,
	} {
		files := map[string]string{"main.sync.hcl": sites, "b.sync.hcl.json": `{"server": {"depot": {"b": {"url": "u", ` +
			`"site": "globex", "user": ` + text + `}}}}`}
		files["asks"], files["plain"] = `as ${env("B_USER")}`, `env(1) ${try(templatefile("plain", {}), "")}`
		cfg, _, diags := loadFor(t, "globex", files, map[string]string{"B_USER": "y"})
		if diags.HasErrors() || strings.Contains(canonicalText(cfg), "(of site globex)") != asks {
			t.Errorf("%s: %s", text, textOf(t, cfg, diags))
		}
	}
}

// TestSitesShareADigestOfCommands: a command that only its site knows is approved there: its files stand in the keyed
// digest alone.
func TestSitesShareADigestOfCommands(t *testing.T) {
	catalog := depots()
	host := &catalog[0].Body.Blocks[0].Body
	host.Attributes = append(host.Attributes, Attribute{Name: "local", Type: cty.Bool},
		Attribute{Name: "stop", Type: cty.List(cty.List(cty.String))})
	load := func(site, op string, env map[string]string) *Config {
		fs := afero.NewMemMapFs()
		for name, text := range map[string]string{"op": op, "main.sync.hcl": "site \"acme\" {\n  signers = [\"" + siteKey +
			"\"]\n}\nsite \"globex\" {\n  signers = [\"" + siteKey + "\"]\n}\nserver \"depot\" \"a\" {\n  url = \"u\"\n" +
			"  site = \"globex\"\n  host {\n    ssh = \"a@b\"\n    local = true\n" +
			"    stop = [[\"sh\", env(\"SCRIPT\")]]\n  }\n}\n"} {
			if err := afero.WriteFile(fs, "conf/"+name, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		cfg, diags := Load(t.Context(), Options{Fs: fs, Dir: "conf", Catalog: catalog, Version: "1.0.0", Site: site,
			Env: func(name string) (string, bool) { v, ok := env[name]; return v, ok }})
		if diags.HasErrors() {
			t.Fatal(textOf(t, cfg, diags))
		}
		return cfg
	}
	env := map[string]string{"SCRIPT": "op"}
	here, elsewhere, changed := load("globex", "one", env), load("acme", "one", nil), load("globex", "two", env)
	if here.Digest() != elsewhere.Digest() {
		t.Errorf("the digests differ:\n%s\n%s", canonicalText(here), canonicalText(elsewhere))
	}
	if here.KeyedDigest(nil) == changed.KeyedDigest(nil) {
		t.Error("what the command runs is not in the keyed digest")
	}
}

// TestSiteKeys: keys from outside stand for those of the blocks.
func TestSiteKeys(t *testing.T) {
	fs := afero.NewMemMapFs()
	text := "site \"a\" {\n  signers = [\"" + siteKey + "\"]\n}\n"
	if err := afero.WriteFile(fs, "/d/main.sync.hcl", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, diags := Load(t.Context(), Options{Fs: fs, Dir: "/d", SiteKeys: map[string][]string{"a": {"another"}}})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	if s := cfg.Settings.Sites[0]; s.Signers[0] != "another" || s.Recipients[0] != "another" {
		t.Errorf("%+v", s)
	}
}
