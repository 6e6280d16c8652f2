package schema

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/afero"
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
		t.Errorf("the digests differ:\n%s\n%s", a.canonical(false), b.canonical(false))
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
		t.Errorf("the digests differ:\n%s\n%s", a.canonical(false), b.canonical(false))
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
