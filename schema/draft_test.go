package schema

import (
	"encoding/json"
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
			{Name: "upstream", Ref: &Ref{Kind: Sync, Type: "x"}},
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

// TestFoldedDrafts: what repeats is one block with for_each, which means the same as one block for each.
func TestFoldedDrafts(t *testing.T) {
	const declared = "locals {\n  imported = 1\n}\nserver \"x\" \"s\" {}\nserver \"x\" \"t\" {}\n"
	draft := func(name, server, text, project string, types ...string) Draft {
		d := Draft{Addr: Addr{Kind: Sync, Type: "x", Name: name}, Comments: []string{"of " + name},
			Value: cty.ObjectVal(map[string]cty.Value{
				"server": cty.StringVal(server), "name": cty.StringVal(text),
				"end":   cty.ObjectVal(map[string]cty.Value{"project": cty.StringVal(project)}),
				"field": cty.MapVal(map[string]cty.Value{"f": cty.ObjectVal(map[string]cty.Value{"to": cty.StringVal("t")})}),
			})}
		if types != nil {
			m := d.Value.AsValueMap()
			m["types"] = cty.MapVal(map[string]cty.Value{types[0]: cty.StringVal("v")})
			d.Value = cty.ObjectVal(m)
		}
		return d
	}
	drafts := []Draft{
		draft("A b", "server.x.s", "${one}", "P"), draft("a-b", "server.x.s", "two", "P"),
		draft("c", "server.x.s", "three", "Q"),
		draft("d", "server.x.t", "other server", "P"), draft("e", "server.x.s", "four", "P", "k"),
		draft("f", "server.x.s", "five", "P", "l"), draft("g", "server.x.s", "five", "P", "l"),
	}
	for _, name := range []string{"x", "y", "z"} { // they have little in common
		value := cty.ObjectVal(map[string]cty.Value{"server": cty.StringVal("server.x.s"), "name": cty.StringVal(name),
			"count_of": cty.NumberIntVal(int64(name[0]))})
		drafts = append(drafts, Draft{Addr: Addr{Kind: Sync, Type: "x", Name: name}, Value: value})
	}
	doubtful := draft("h", "server.x.s", "six", "P")
	doubtful.Doubtful = true
	text := string(WriteDrafts(loadDrafts(t, declared), append(drafts, doubtful)))
	if formatted, diags := Format("x", []byte(text)); diags.HasErrors() || string(formatted) != text {
		t.Errorf("not formatted: %v\n%s", diags, text)
	}
	if n := strings.Count(text, "for_each"); n != 2 {
		t.Errorf("%d with for_each in\n%s", n, text)
	}
	cfg := loadDrafts(t, declared+text)
	for addr, want := range map[string][3]string{
		`sync.x.imported["a_b"]`:   {"${one}", "P", ""},
		`sync.x.imported["a_b_2"]`: {"two", "P", ""},
		`sync.x.imported["c"]`:     {"three", "Q", ""},
		`sync.x.d`:                 {"other server", "P", ""}, // with it, they would have too little in common
		`sync.x.imported_2["e"]`:   {"four", "P", "k"},
		`sync.x.imported_2["f"]`:   {"five", "P", "l"},
		`sync.x.imported_2["g"]`:   {"five", "P", "l"},
	} {
		a, err := ParseAddr(addr)
		if err != nil {
			t.Fatal(err)
		}
		r := cfg.Lookup(a)
		if r == nil {
			t.Fatalf("no %s in\n%s", addr, text)
		}
		server := "server.x.s"
		if want[0] == "other server" {
			server = "server.x.t"
		}
		if r.Text("server") != server ||
			r.Text("name") != want[0] || r.Text("end", "project") != want[1] || r.Text("field", "f", "to") != "t" ||
			want[2] != "" && r.Text("types", want[2]) != "v" {
			t.Errorf("%s: %#v", addr, r.Value)
		}
	}
	if n := len(cfg.Resources); n != 12 {
		t.Errorf("%d declarations in\n%s", n, text)
	}
}

// TestEmptyBlocks: an empty block stands on one line, and those that follow each other close together.
func TestEmptyBlocks(t *testing.T) {
	field := func(to string) cty.Value {
		return cty.ObjectVal(map[string]cty.Value{"to": cty.StringVal(to)})
	}
	none := cty.ObjectVal(map[string]cty.Value{"to": cty.NullVal(cty.String)})
	text := string(WriteDrafts(loadDrafts(t, ""), []Draft{{Addr: Addr{Kind: Sync, Type: "x", Name: "a"},
		Notes: map[string]string{`field["e"]`: "of e"}, Value: cty.ObjectVal(map[string]cty.Value{
			"name": cty.StringVal("n"), "end": cty.ObjectVal(map[string]cty.Value{"project": cty.NullVal(cty.String)}),
			"field": cty.MapVal(map[string]cty.Value{"a {": none, "b": none, "c": field("t"), "d": none, "e": none}),
		})}}))
	want := `sync "x" "a" {
  name = "n"

  end {}
  field "a {" {}
  field "b" {}

  field "c" {
    to = "t"
  }

  field "d" {}

  # of e
  field "e" {}
}
`
	if text != want {
		t.Errorf("%s", text)
	}
}

// TestFoldedReferences: drafts that refer to different declarations are one block, unless that would refer to itself.
func TestFoldedReferences(t *testing.T) {
	for name, c := range map[string]struct {
		upstream map[string]string // of each draft
		folds    int
		declared map[string]string // address to upstream
	}{
		"other ones": {
			upstream: map[string]string{"for": "p", "b": "q", "c": "r", "p": "", "q": "", "r": ""}, folds: 2,
			declared: map[string]string{`sync.x.imported["for"]`: `sync.x.imported_2["p"]`,
				`sync.x.imported["b"]`: `sync.x.imported_2["q"]`, `sync.x.imported_2["r"]`: "(none)"},
		},
		"itself": {
			upstream: map[string]string{"a": "b", "b": "c", "c": "d", "d": ""},
			declared: map[string]string{"sync.x.a": "sync.x.b", "sync.x.c": "sync.x.d"},
		},
		"each other": {
			upstream: map[string]string{"a": "p", "b": "p", "c": "p", "d": "q", "p": "x", "q": "x", "r": "x", "s": "b",
				"x": ""}, folds: 2,
			declared: map[string]string{`sync.x.imported["a"]`: `sync.x.imported_2["p"]`,
				`sync.x.imported_2["q"]`: "sync.x.x", "sync.x.s": `sync.x.imported["b"]`, "sync.x.d": `sync.x.imported_2["q"]`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var drafts []Draft
			for name, upstream := range c.upstream {
				values := map[string]cty.Value{"server": cty.StringVal("server.x.s"), "name": cty.StringVal(name),
					"types": cty.MapVal(map[string]cty.Value{"for": cty.StringVal("d")})}
				if upstream != "" {
					values["upstream"] = cty.StringVal("sync.x." + upstream)
				}
				drafts = append(drafts, Draft{Addr: Addr{Kind: Sync, Type: "x", Name: name}, Value: cty.ObjectVal(values)})
			}
			const declared = "server \"x\" \"s\" {}\n"
			text := string(WriteDrafts(loadDrafts(t, declared), drafts))
			if n := strings.Count(text, "for_each"); n != c.folds {
				t.Errorf("%d blocks with for_each, want %d", n, c.folds)
			}
			cfg := loadDrafts(t, declared+text)
			for addr, want := range c.declared {
				a, err := ParseAddr(addr)
				if err != nil {
					t.Fatal(err)
				}
				if r := cfg.Lookup(a); r == nil || r.Text("upstream") != want && !(want == "(none)" && r.Get("upstream").IsNull()) {
					t.Errorf("%s is %v", addr, r)
				} else if n := len(r.Refs); want == "(none)" && n != 1 || want != "(none)" && n != 2 {
					t.Errorf("%s refers to %d declarations", addr, n)
				}
			}
			if t.Failed() {
				t.Log(text)
			}
		})
	}
}

// TestKeyedDrafts: drafts whose addresses have keys are one block, whatever differs but its blocks.
func TestKeyedDrafts(t *testing.T) {
	const declared = "server \"x\" \"s\" {}\nserver \"x\" \"t\" {}\nlocals {\n  k = 1\n}\n"
	draft := func(key, server string, name cty.Value) Draft {
		return Draft{Addr: Addr{Kind: Sync, Type: "x", Name: "k", Index: indexText(key)}, Named: true,
			Comments: []string{"of " + key}, Notes: map[string]string{"types": "no types", "name": "name of " + key},
			Value: cty.ObjectVal(map[string]cty.Value{"server": cty.StringVal(server), "name": name})}
	}
	drafts := []Draft{draft("${a} \"]", "server.x.s", cty.NullVal(cty.String)),
		draft("for", "server.x.t", cty.UnknownVal(cty.String)), draft("z", "server.x.t", cty.StringVal("n"))}
	cfg := loadDrafts(t, declared)
	if addr, why := CheckKeyed(cfg, drafts); why != "" {
		t.Fatalf("%s: %s", addr, why)
	}
	text := string(WriteDrafts(cfg, drafts))
	if formatted, diags := Format("x", []byte(text)); diags.HasErrors() || string(formatted) != text {
		t.Errorf("not formatted: %v\n%s", diags, text)
	}
	got := loadDrafts(t, declared+text)
	for key, want := range map[string][2]string{
		"${a} \"]": {"server.x.s", ""}, "for": {"server.x.t", "(unknown)"}, "z": {"server.x.t", "n"},
	} {
		r := got.Lookup(Addr{Kind: Sync, Type: "x", Name: "k", Index: indexText(key)})
		if r == nil || r.Text("server") != want[0] || r.Text("name") != want[1] {
			t.Errorf("%q is %v in\n%s", key, r, text)
		}
	}
	if n := strings.Count(text, "# no types"); n != 1 {
		t.Errorf("a note that all have is written %d times:\n%s", n, text)
	}

	block := draft("b", "server.x.s", cty.StringVal("n"))
	values := block.Value.AsValueMap()
	values["end"] = cty.ObjectVal(map[string]cty.Value{"project": cty.StringVal("P")})
	block.Value = cty.ObjectVal(values)
	alone := draft("b", "server.x.s", cty.StringVal("n"))
	alone.Addr.Index = ""
	for _, d := range []Draft{block, alone} {
		if addr, why := CheckKeyed(cfg, append(drafts, d)); addr != d.Addr || why == "" {
			t.Errorf("%s is in one block with the others", d.Addr)
		}
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

// TestImportBlocks: both syntaxes mean the same, and what is declared is not missing.
func TestImportBlocks(t *testing.T) {
	for name, src := range map[string]string{
		"d/i.sync.hcl": "import {\n  to = server.x.b\n  id = \"server.x.a/1\"\n}\nimport {\n  to = server.x.a\n  id = \"x\"\n}\n",
		"d/i.sync.hcl.json": `{"import": [{"to": "server.x.b", "id": "server.x.a/1"},
			{"to": "${server.x.a}", "id": "x"}]}`,
	} {
		fs := afero.NewMemMapFs()
		for file, text := range map[string]string{"d/m.sync.hcl": "server \"x\" \"a\" {\n  enabled = false\n}\n", name: src} {
			if err := afero.WriteFile(fs, file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		cfg, diags := Load(t.Context(), Options{Fs: fs, Dir: "d", Catalog: draftTypes})
		if diags.HasErrors() {
			t.Fatalf("%s: %v", name, diags)
		}
		missing := cfg.MissingImports()
		if len(cfg.Imports) != 2 || len(missing) != 1 || missing[0].To.String() != "server.x.b" ||
			missing[0].ID != "server.x.a/1" {
			t.Errorf("%s: %+v", name, cfg.Imports)
		}
		if d := cfg.CheckImports(); len(d) != 1 || d[0].Subject.Filename != name {
			t.Errorf("%s: %v", name, d)
		}
	}
}

// TestImportOfTwoKeys: a key that is written and one that is computed are not one.
func TestImportOfTwoKeys(t *testing.T) {
	fs := afero.NewMemMapFs()
	src := "import {\n  to = server.x.b[\"k\"][upper(\"l\")]\n  id = \"server.x.a/1\"\n}\n"
	if err := afero.WriteFile(fs, "d/i.sync.hcl", []byte(src), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, diags := Load(t.Context(), Options{Fs: fs, Dir: "d", Catalog: draftTypes})
	if len(diags) != 1 || diags[0].Subject.Start.Line != 2 || len(cfg.Imports) > 0 {
		t.Errorf("%v, %v", diags, cfg.Imports)
	}
}

// TestImportAddresses checks that both syntaxes accept and refuse the same addresses with computed keys.
func TestImportAddresses(t *testing.T) {
	for to, right := range map[string]bool{
		`server.x.b[each.key]`:                true,
		`server.x.b["${each.key}"]`:           true,
		`server.x.b[upper("x")]`:              true,
		`server.x.b["k"]`:                     false, // with for_each
		`server.x.b[each.key]-old`:            false,
		`server.x.b[each.key] and more`:       false,
		`server.x.b[each.key]}`:               false,
		`server.x.b[each.key`:                 false,
		`"${server.x.b[each.key]}-old"`:       false,
		`x ? server.x.b[each.key] : null`:     false,
		`{ a = server.x.b }["a"][each.key]`:   false,
		`server.x.b[each.key]["${each.key}"]`: false,
	} {
		quoted, err := json.Marshal(to)
		if err != nil {
			t.Fatal(err)
		}
		inner := string(quoted[1 : len(quoted)-1])
		for name, src := range map[string]string{
			"i.sync.hcl":         "import {\n  for_each = { a = 1 }\n  to = " + to + "\n  id = \"server.x.a/1\"\n}\n",
			"bare.sync.hcl.json": `{"import": {"for_each": {"a": 1}, "id": "server.x.a/1", "to": "` + inner + `"}}`,
			"i.sync.hcl.json":    `{"import": {"for_each": {"a": 1}, "id": "server.x.a/1", "to": "${` + inner + `}"}}`,
			"tail.sync.hcl.json": `{"import": {"for_each": {"a": 1}, "id": "server.x.a/1", "to": "${` + inner + `}-old"}}`,
		} {
			fs := afero.NewMemMapFs()
			if err := afero.WriteFile(fs, "d/"+name, []byte(src), 0o600); err != nil {
				t.Fatal(err)
			}
			cfg, diags := Load(t.Context(), Options{Fs: fs, Dir: "d", Catalog: draftTypes})
			if want := right && name != "tail.sync.hcl.json"; diags.HasErrors() == want || (len(cfg.Imports) == 1) != want {
				t.Errorf("%s in %s: %v, %v", to, name, diags, cfg.Imports)
			}
		}
	}
}

// TestDraftsHoldNoSecret: a secret that a server repeats in the names of what it has gets into no name and no comment,
// where it could not be recognised: names lack punctuation, and lines of comments are broken.
func TestDraftsHoldNoSecret(t *testing.T) {
	const secret = "Horse; Battery & Staple"
	cfg := loadDrafts(t, "variable \"v\" {\n  sensitive = true\n  default = \""+secret+"\"\n}\n")
	long := strings.Repeat("word ", 20) + secret
	drafts := []Draft{hostileSync("server.x.a"), hostileSync("server.x.a")}
	for i := range drafts {
		drafts[i].Addr.Name = "to " + secret
		drafts[i].Comments, drafts[i].Notes = []string{long}, map[string]string{"name": long, "end": long}
	}
	one := WriteDrafts(cfg, drafts[:1])
	drafts[1].Value = cty.ObjectVal(map[string]cty.Value{
		"server": cty.StringVal("server.x.a"), "name": cty.StringVal("n")})
	for _, text := range [][]byte{one, WriteDrafts(cfg, drafts)} {
		if _, diags := Format("x", text); diags.HasErrors() || !strings.Contains(string(text), "to_sensitive_value") {
			t.Errorf("%v in\n%s", diags, text)
		}
		for _, word := range []string{"horse", "battery", "staple"} {
			if strings.Contains(strings.ToLower(string(text)), word) {
				t.Errorf("%q stands in\n%s", word, text)
			}
		}
	}
}
