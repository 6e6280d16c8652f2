package schema

import (
	"strings"
	"testing"

	"github.com/spf13/afero"
	"github.com/zclconf/go-cty/cty"
)

// In decomposed form (NFD) and in composed form (NFC), which cty makes of both.
const decomposed, composed = "cafe\u0301-pass", "caf\u00e9-pass"

func TestSpelling(t *testing.T) {
	catalog := Catalog{{Kind: Server, Name: "x", Body: Body{Attributes: []Attribute{{Name: "a", Type: cty.String,
		Secret: true}}}}}
	for name, c := range map[string]struct {
		expr string
		env  map[string]string
		file string
		vars []VarSource
		want string
		ok   bool
	}{
		"environment": {expr: `env("A")`, env: map[string]string{"A": decomposed}, want: decomposed, ok: true},
		"file":        {expr: `file("conf/a")`, file: decomposed, want: decomposed, ok: true},
		"variable":    {expr: "var.v", vars: []VarSource{{Assign: "v=" + decomposed}}, want: decomposed, ok: true},
		"composed":    {expr: `env("A")`, env: map[string]string{"A": composed}, want: composed, ok: true},
		"ohm": {expr: `env("A")`, env: map[string]string{"A": "\u2126\u2126\u2126\u2126"},
			want: "\u2126\u2126\u2126\u2126", ok: true},
		"text": {expr: `"` + decomposed + `"`, want: composed, ok: true},
		"two": {expr: `env("A", env("B", file("conf/a")))`, env: map[string]string{"A": decomposed, "B": composed},
			file: "x", want: composed},
	} {
		t.Run(name, func(t *testing.T) {
			text := "server \"x\" \"s\" {\n  a = " + c.expr + "\n}\nvariable \"v\" {\n  type = string\n  default = \"\"\n}\n"
			if name == "two" { // the same form twice, spelled differently
				text += "locals {\n  b = env(\"B\")\n}\n"
			}
			fs := withFile(t, text)
			_ = afero.WriteFile(fs, "conf/conf/a", []byte(c.file), 0o600)
			env := func(n string) (string, bool) { v, ok := c.env[n]; return v, ok }
			cfg, diags := Load(t.Context(), Options{Fs: fs, Dir: "conf", Catalog: catalog, Env: env, Vars: c.vars})
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			r := cfg.Resources[0]
			got, ok := r.Spelling(Reveal(r.Get("a")).AsString())
			if got != c.want || ok != c.ok {
				t.Errorf("got %+q, %v, want %+q, %v", got, ok, c.want, c.ok)
			}
			for _, spelled := range []string{decomposed, composed} {
				if strings.Contains(cfg.Redactor().String("x "+c.want+" y"), spelled) && c.want == spelled {
					t.Errorf("the secret shows as %+q", spelled)
				}
			}
		})
	}
}

func TestLocate(t *testing.T) {
	fs := afero.NewMemMapFs()
	const there = "/conf/u\u0308ber/scha\u0308tze.pem"
	if err := afero.WriteFile(fs, there, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := afero.WriteFile(fs, "rel/scha\u0308tze.pem", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"/conf/\u00fcber/sch\u00e4tze.pem": there, there: there, "rel/sch\u00e4tze.pem": "rel/scha\u0308tze.pem",
		"/conf/nothing": "/conf/nothing", "": "", "/": "/", "nowhere/x": "nowhere/x",
	} {
		if got := Locate(fs, path); got != want {
			t.Errorf("%+q: got %+q, want %+q", path, got, want)
		}
	}
}
