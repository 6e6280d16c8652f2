package schema

import (
	"context"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/afero"
	"github.com/zclconf/go-cty/cty"
)

// depots is a made-up product: depots that goods are carried between.
func depots() Catalog {
	return Catalog{
		{Kind: Server, Name: "depot", Body: Body{
			Attributes: []Attribute{
				{Name: "url", Type: cty.String, Required: true},
				{Name: "user", Type: cty.String},
				{Name: "password", Type: cty.String, Secret: true},
				{Name: "port", Type: cty.Number, Default: cty.NumberIntVal(443)},
				{Name: "flavour", Type: cty.String, OneOf: []string{"indoor", "outdoor"}, Default: cty.StringVal("indoor")},
				{Name: "tags", Type: cty.List(cty.String)},
				{Name: "labels", Type: cty.Map(cty.String)},
				{Name: "anything", Type: cty.DynamicPseudoType},
			},
			Blocks: []Block{
				{Name: "host", Body: Body{Attributes: []Attribute{{Name: "ssh", Type: cty.String, Required: true},
					{Name: "home", Type: cty.String}}}},
			},
		}},
		{Kind: Server, Name: "barn", Body: Body{Attributes: []Attribute{{Name: "url", Type: cty.String}}}},
		{Kind: Sync, Name: "depot", Body: Body{
			Attributes: []Attribute{
				{Name: "transport", Type: cty.String, OneOf: []string{"road", "rail"}, Required: true},
				{Name: "modes", Type: cty.List(cty.String), OneOf: []string{"day", "night"}},
				{Name: "upstream", Ref: &Ref{Kind: Sync, Type: "depot"}},
			},
			Blocks: []Block{
				{Name: "first", Required: true, Body: end()},
				{Name: "second", Body: end()},
				{Name: "field", Label: "name", Body: Body{Attributes: []Attribute{{Name: "mapping", Type: cty.String,
					Required: true}}}},
				{Name: "stop", Many: true, Body: Body{Attributes: []Attribute{{Name: "place", Type: cty.String}}}},
			},
		}, Check: func(r *Resource) hcl.Diagnostics {
			if r.Text("transport") == "rail" && r.Text("first", "project") == "NORAIL" {
				return hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "No rails", Detail: "There are no rails to NORAIL.",
					Subject: r.RangeOf("first", "project")}}
			}
			return nil
		}},
		{Kind: Migration, Name: "depot_move", Body: Body{Attributes: []Attribute{
			{Name: "from", Ref: &Ref{Kind: Sync, Type: "depot", Owns: true, MayBeGone: true}, Required: true},
			{Name: "to", Ref: &Ref{Kind: Sync, Type: "depot", Owns: true}, Required: true},
		}}},
	}
}

func end() Body {
	return Body{Attributes: []Attribute{
		{Name: "server", Ref: &Ref{Kind: Server, Type: "depot"}, Required: true},
		{Name: "project", Type: cty.String, Required: true},
	}}
}

// world is the surroundings of a test.
type world struct {
	files map[string]string
	env   map[string]string
	vars  []VarSource
	unset bool

	valuesOnly bool // the names are not compared
}

func (w world) load(t testing.TB) (*Config, hcl.Diagnostics) {
	t.Helper()
	opts := w.options(t)
	cfg, diags := Load(context.Background(), opts)
	if !diags.HasErrors() && !w.valuesOnly {
		checkNames(t, opts, cfg)
		checkNoted(t, cfg)
	}
	return cfg, diags
}

// checkNoted checks what is known of declarations without a look at their values.
func checkNoted(t testing.TB, cfg *Config) {
	t.Helper()
	for _, r := range cfg.Resources {
		if r.secret != IsSensitive(r.Value) {
			t.Errorf("%s: searched for secrets: %v", r.Addr, r.secret)
		}
		if !mayName(bodyType(&r.Type.Body)) {
			namedFiles(r.Value, func(words []string, _ bool) { t.Errorf("%s: %q is not looked for", r.Addr, words) })
		}
	}
}

// one loads a folder of one file.
func one(t testing.TB, text string) (*Config, hcl.Diagnostics) {
	t.Helper()
	return world{files: map[string]string{"main.sync.hcl": text}}.load(t)
}

// loadWith loads one file with types of the test's own.
func loadWith(t testing.TB, catalog Catalog, version, text string) hcl.Diagnostics {
	t.Helper()
	fs := afero.NewMemMapFs()
	if err := afero.WriteFile(fs, "main.sync.hcl", []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	_, diags := Load(context.Background(), Options{Fs: fs, Catalog: catalog, Version: version})
	return diags
}

// good loads one file that must be right.
func good(t testing.TB, text string) *Config {
	t.Helper()
	cfg, diags := one(t, text)
	if len(diags) != 0 {
		t.Fatalf("unexpected diagnostics:\n%s", textOf(t, cfg, diags))
	}
	return cfg
}

func textOf(t testing.TB, cfg *Config, diags hcl.Diagnostics) string {
	t.Helper()
	var b strings.Builder
	if err := WriteText(&b, diags, cfg.Files(), TextOptions{Width: 78}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

const twoDepots = `
server "depot" "a" {
  url      = "https://a.example"
  user     = "clerk"
  password = "hunter22"
}

server "depot" "b" {
  url = "${server.depot.a.url}/b"
}

sync "depot" "goods" {
  transport = "road"
  first {
    server  = server.depot.a
    project = "SAM"
  }
  second {
    server  = server.depot.b
    project = upper("sp")
  }
  field "summary" { mapping = "as_is" }
  field "owner" { mapping = "by_mail" }
  stop { place = "x" }
  stop { place = "y" }
}
`
