package schema

import (
	"strings"
	"testing"

	"github.com/spf13/afero"
	"github.com/zclconf/go-cty/cty"
)

var draftTypes = Catalog{
	{Kind: Server, Name: "x", Body: Body{Attributes: []Attribute{
		{Name: "url", Type: cty.String, Doc: "Where."}, {Name: "password", Type: cty.String, Secret: true, Doc: "Secret."},
	}}},
	{Kind: Sync, Name: "x", Body: Body{
		Attributes: []Attribute{
			{Name: "server", Ref: &Ref{Kind: Server, Type: "x"}, Doc: "The server."},
			{Name: "name", Type: cty.String},
			{Name: "count_of", Type: cty.Number, Default: cty.NumberIntVal(3)},
			{Name: "types", Type: cty.Map(cty.String)},
		},
		Blocks: []Block{
			{Name: "end", Body: Body{Attributes: []Attribute{{Name: "project", Type: cty.String}}}},
			{Name: "field", Label: "field", Body: Body{Attributes: []Attribute{{Name: "to", Type: cty.String}}}},
		},
	}},
}

func loadDrafts(t *testing.T, src string) *Config {
	t.Helper()
	fs := afero.NewMemMapFs()
	if err := afero.WriteFile(fs, "d/main.sync.hcl", []byte(src), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, diags := Load(t.Context(), Options{Fs: fs, Dir: "d", Catalog: draftTypes, AllowUnset: true,
		Env: func(string) (string, bool) { return "", false }})
	if diags.HasErrors() {
		t.Fatalf("%v\n%s", diags, src)
	}
	return cfg
}

func hostileSync(server string) Draft {
	return Draft{
		Addr: Addr{Kind: Sync, Type: "x", Name: "Ä ${x} <> \u202e b"},
		Value: cty.ObjectVal(map[string]cty.Value{
			"server": cty.StringVal(server), "name": cty.StringVal("${evil} %{if} \"q\"\n\u202e"),
			"count_of": cty.NumberIntVal(3),
			"types":    cty.MapVal(map[string]cty.Value{"a ${b}": cty.StringVal("c"), "for": cty.StringVal("d")}),
			"end":      cty.ObjectVal(map[string]cty.Value{"project": cty.StringVal("P")}),
			"field": cty.MapVal(map[string]cty.Value{
				"f ${g} \"h\"": cty.ObjectVal(map[string]cty.Value{"to": cty.StringVal("t")}),
			}),
		}),
		Comments: []string{"one\nserver \"x\" \"evil\" {}\u202e"},
		Notes:    map[string]string{"name": "read\n}", "field": "some", "end.project": "p"},
	}
}

// TestWriteDrafts: whatever texts a server has, what is written is formatted, and reads as what was meant.
func TestWriteDrafts(t *testing.T) {
	const declared = "variable \"a_b_password\" {}\nserver \"x\" \"a_b\" {}\n"
	wish := Addr{Kind: Server, Type: "x", Name: "a.b"}
	drafts := []Draft{
		hostileSync(wish.String()), hostileSync("server.x.a_b"),
		{Addr: wish, Value: cty.ObjectVal(map[string]cty.Value{
			"url": cty.UnknownVal(cty.String), "password": Sensitive(cty.StringVal("s3cret")),
		})},
		{Addr: Addr{Kind: Sync, Type: "x", Name: "123"}, Value: cty.ObjectVal(map[string]cty.Value{
			"server": cty.StringVal(wish.String()), "name": cty.UnknownVal(cty.String)}), Doubtful: true},
		{Addr: Addr{Kind: Sync, Type: "x"}, Comments: []string{"nothing but words"}},
	}
	text := string(WriteDrafts(loadDrafts(t, declared), drafts))
	if again := string(WriteDrafts(loadDrafts(t, declared), drafts)); again != text {
		t.Errorf("written again, it is another text:\n%s", again)
	}
	if formatted, diags := Format("x", []byte(text)); diags.HasErrors() || string(formatted) != text {
		t.Errorf("not formatted: %v\n%s", diags, text)
	}
	for _, never := range []string{"s3cret", "\u202e", "count_of"} {
		if strings.Contains(text, never) {
			t.Errorf("%q stands in\n%s", never, text)
		}
	}
	cfg := loadDrafts(t, declared+text)
	if n := len(cfg.Resources); n != 4 {
		t.Errorf("%d declarations in\n%s", n, text)
	}
	for name, server := range map[string]string{"ä_x_b": "server.x.a_b_2", "ä_x_b_2": "server.x.a_b"} {
		r := cfg.Lookup(Addr{Kind: Sync, Type: "x", Name: name})
		if r == nil {
			t.Fatalf("no %s in\n%s", name, text)
		}
		for path, want := range map[string]string{
			"server": server, "name": "${evil} %{if} \"q\"\n\u202e", "types.a ${b}": "c", "types.for": "d",
			"end.project": "P", "field.f ${g} \"h\".to": "t", "count_of": "3",
		} {
			if got := r.Text(strings.Split(path, ".")...); got != want {
				t.Errorf("%s of %s is %q, want %q", path, name, got, want)
			}
		}
	}
	r := cfg.Lookup(Addr{Kind: Server, Type: "x", Name: "a_b_2"})
	if r == nil || r.Text("url") != "(unknown)" || !IsSensitive(r.Get("password")) {
		t.Errorf("%v\n%s", r, text)
	}
	if !strings.Contains(text, "\n# sync \"x\" \"sync_123\" {\n") ||
		!strings.Contains(text, "# variable \"sync_123_name\"") {
		t.Errorf("what is in doubt is not commented out:\n%s", text)
	}
}

// TestSensitiveDraft: a value that is marked becomes a sensitive variable, whatever its argument is.
func TestSensitiveDraft(t *testing.T) {
	server := "server \"x\" \"s\" {}\n"
	for _, hidden := range []bool{true, false} {
		name := cty.UnknownVal(cty.String)
		if hidden {
			name = Sensitive(cty.StringVal("it's 4711"))
		}
		d := Draft{Addr: Addr{Kind: Sync, Type: "x", Name: "a"},
			Value: cty.ObjectVal(map[string]cty.Value{"server": cty.StringVal("server.x.s"), "name": name})}
		text := string(WriteDrafts(loadDrafts(t, server), []Draft{d}))
		if strings.Contains(text, "sensitive") != hidden || strings.Contains(text, "4711") ||
			!strings.Contains(text, "var.a_name") {
			t.Errorf("hidden %v:\n%s", hidden, text)
		}
		loadDrafts(t, server+text)
	}
}
