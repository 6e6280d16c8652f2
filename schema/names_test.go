package schema

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/spf13/afero"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// checkNames compares Names with Load on files without a mistake. All tests that load such files call it.
func checkNames(t testing.TB, opts Options, cfg *Config) {
	t.Helper()
	if got, want := namesIn(Names(context.Background(), opts)), namesIn(cfg); got != want {
		t.Errorf("the names are:\n%s\nbut these are declared:\n%s", got, want)
	}
}

func namesIn(cfg *Config) string {
	var lines []string
	for _, r := range cfg.Resources {
		lines = append(lines, r.Addr.String()+" "+r.Range.String())
	}
	for _, n := range cfg.Named {
		lines = append(lines, n.Addr.String()+" "+n.Range.String())
	}
	slices.Sort(lines)
	for _, o := range cfg.Outputs {
		lines = append(lines, "output "+o.Name+" "+o.Description)
	}
	for _, s := range cfg.Settings.Sites {
		lines = append(lines, "site "+s.Name)
	}
	for _, v := range cfg.Variables() {
		lines = append(lines, "variable "+v)
	}
	return strings.Join(lines, "\n")
}

// addresses returns what Names finds in a folder.
func (w world) addresses(t testing.TB) string {
	t.Helper()
	var out []string
	for _, r := range Names(t.Context(), w.options(t)).Named {
		out = append(out, r.Addr.String())
	}
	return strings.Join(out, " ")
}

// TestNames: of files with mistakes, and with values that are not known, what can be read is found.
func TestNames(t *testing.T) {
	t.Parallel()
	depot := func(name, body string) string { return "server \"depot\" \"" + name + "\" {\n" + body + "}\n" }
	for name, c := range map[string]struct{ text, want string }{
		"a mistake in a body":      {depot("a", "  url = = 1\n") + depot("b", ""), "server.depot.a server.depot.b"},
		"an unknown type":          {"server \"shed\" \"a\" {\n}\n", "server.shed.a"},
		"a word without a meaning": {depot("a", "") + "bogus {\n}\n", "server.depot.a"},
		"an open block":            {depot("a", "") + "locals {\n" + depot("b", ""), "server.depot.a server.depot.b"},
		"an open text": {depot("a", "") + "locals {\n  x = \"y\n}\n" + depot("b", ""),
			"server.depot.a server.depot.b"},
		"an unknown key":             {"variable \"v\" {}\n" + depot("a", "for_each = toset([var.v])\n"), "server.depot.a"},
		"a wrong for_each":           {depot("a", "for_each = [1]\n"), "server.depot.a"},
		"a mistake in what it needs": {"locals { x = upper() }\n" + depot("a", "for_each = local.x\n"), "server.depot.a"},
		"needless mistakes": {"locals { x = upper() }\n" + depot("a", "for_each = toset([\"k\"])\nurl = local.x\n"),
			`server.depot.a["k"]`},
		"a module that is not there": {depot("a", "") + "module \"m\" {\n  source = \"./no\"\n}\n", "server.depot.a"},
		"twice":                      {depot("a", "") + depot("a", ""), "server.depot.a"},
		"twice the same argument":    {depot("a", "enabled = true\nenabled = false\n"), "server.depot.a"},
		"nothing":                    {"", ""},
	} {
		w := world{files: map[string]string{"main.sync.hcl": c.text}}
		if got := w.addresses(t); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	w := world{files: map[string]string{"a.sync.hcl.json": "{", "b.sync.hcl": depot("b", ""),
		"c.sync.hcl.json": `{"server": {"depot": {"c": {"for_each": {"k": 1}}}}}`}}
	if got := w.addresses(t); got != `server.depot.b server.depot.c["k"]` {
		t.Error("JSON: " + got)
	}
}

// TestNamesOfKeys: keys are spelled as Load spells them, whether they are written as names or as texts, and are one
// where Load takes them for one.
func TestNamesOfKeys(t *testing.T) {
	for _, keys := range []string{
		"cafe\u0301 = 1", "\"cafe\u0301\" = 1", "caf\u00e9 = 1", "cafe\u0301 = 1, caf\u00e9 = 2",
	} {
		w := world{files: map[string]string{"main.sync.hcl": "server \"depot\" \"a\" {\n  for_each = { " + keys + " }\n" +
			"  url = \"https://a.test\"\n  user = \"u\"\n  password = \"p\"\n}\n"}}
		cfg, diags := Load(t.Context(), w.options(t))
		if got := w.addresses(t); got != "server.depot.a[\"caf\u00e9\"]" || len(cfg.Resources) != 1 {
			t.Errorf("%s: %s, %v", keys, got, diags)
		}
		checkNames(t, w.options(t), cfg)
	}
}

// TestNamesEnd: there are no more instances than Load would make, however their number is written.
func TestNamesEnd(t *testing.T) {
	var keys strings.Builder
	for i := range 150 {
		fmt.Fprintf(&keys, "\"k%d\", ", i)
	}
	room := Room{bytes: 1 << 16, signs: 1 << 20, time: time.Minute, values: 1 << 20}
	most := int(room.values+2*room.bytes) / instanceCost
	set := "toset([" + keys.String() + "])"
	for name, text := range map[string]string{
		"written": "server \"depot\" \"a\" {\n  for_each = " + set + "\n}\n",
		"evaluated": "locals {\n  a = \"a\"\n}\nserver \"depot\" \"a\" {\n" +
			"  for_each = toset([local.a, " + keys.String() + "])\n}\n",
		"plain": fleet(75, true),
	} {
		w := world{files: map[string]string{"m/main.sync.hcl": text,
			"main.sync.hcl": "module \"m\" {\n  source = \"./m\"\n  for_each = " + set + "\n}\n"}}
		opts := w.options(t)
		opts.Room = room
		if got := len(Names(t.Context(), opts).Named); got < 150 || got > most {
			t.Errorf("%s: %d declarations, at most %d", name, got, most)
		}
	}
}

// TestNamesOfWhatDoesNotParse: a text that was skimmed is shown even if the parser would refuse it, without secrets.
func TestNamesOfWhatDoesNotParse(t *testing.T) {
	text := []byte("locals {\n  shown = 1\n  password = \"canary\"\n}\n" + skims["deep"].text)
	f := maskFiles(map[string]source{"x": {text: text, parses: true}}, nil, nil, nil)["x"]
	got := string(f.Bytes)
	if len(got) != len(text) || !strings.Contains(got, "shown") || strings.Contains(got, "canary") {
		t.Errorf("it is shown as %q", got)
	}
}

// TestNamesOfEachKind: declarations of each kind are found behind a mistake.
func TestNamesOfEachKind(t *testing.T) {
	for _, kind := range Kinds {
		body := &hclsyntax.Body{}
		withHeaders(body, []byte(string(kind)+" \"a\" \"b\" {\n"), "x")
		if len(body.Blocks) != 1 || body.Blocks[0].Type != string(kind) || len(body.Blocks[0].Labels) != 2 {
			t.Errorf("%s: %v", kind, body.Blocks)
		}
	}
}

// TestNamesReachNothing: what names do not depend on is not read.
func TestNamesReachNothing(t *testing.T) {
	asked := map[string]bool{}
	w := world{files: map[string]string{"main.sync.hcl": `
locals { other = env("OTHER") }
server "depot" "a" { url = env("URL") }
server "depot" "b" {
  for_each = toset(split(",", env("KEYS")))
  url      = local.other
}
output "o" { value = env("OUTPUT") }
`}}
	opts := w.options(t)
	opts.Env = func(name string) (string, bool) { asked[name] = true; return "x,y", true }
	cfg := Names(t.Context(), opts)
	if len(cfg.Named) != 3 || !asked["KEYS"] || asked["URL"] || asked["OTHER"] || asked["OUTPUT"] {
		t.Errorf("%d declarations, asked for %v", len(cfg.Named), asked)
	}
	w.files["main.sync.hcl"] = "variable \"v\" {}\nserver \"depot\" \"a\" {\n  url = var.v\n}\n"
	clear(asked)
	opts.Fs = w.options(t).Fs
	if cfg := Names(t.Context(), opts); len(cfg.Named) != 1 || len(cfg.Variables()) != 1 || len(asked) > 0 {
		t.Errorf("%d declarations, asked for %v, though no value decides which there are", len(cfg.Named), asked)
	}
}

// TestNamesWork: the bodies of declarations are not parsed, however many there are, and a declaration costs little.
func TestNamesWork(t *testing.T) {
	const n = 500
	for name, text := range map[string]string{
		"plain": fleet(n, true),
		"indexed": fleet(n, true) + "server \"depot\" \"more\" {\n  for_each = toset([\"x\", \"y\"])\n" +
			"  url = each.key\n}\n",
		"needed": fleet(n, true) + "server \"depot\" \"more\" {\n  for_each = toset([server.depot.s1.url])\n" +
			"  url = each.key\n}\n",
	} {
		opts := world{files: map[string]string{"main.sync.hcl": text}}.options(t)
		out, ctx := newOutside(t.Context(), Room{})
		opts.namesOnly = true
		l := newLoader(ctx, opts, out)
		cfg, _ := l.loadNames(ctx)
		if len(cfg.Named) < 2*n || l.signs > 200 || name != "needed" && len(l.root.nodes) > 2 {
			t.Errorf("%s: %d declarations, %d signs are parsed, %d nodes", name, len(cfg.Named), l.signs, len(l.root.nodes))
		}
		out.close()
		most := 3.0
		if name == "needed" {
			most = 6
		}
		if got := testing.AllocsPerRun(2, func() { Names(t.Context(), opts) }) / (2 * n); got > most {
			t.Errorf("%s: %.1f allocations a declaration, at most %.0f", name, got, most)
		}
	}
}

func BenchmarkNames(b *testing.B) {
	for _, written := range []bool{false, true} {
		b.Run(fmt.Sprintf("written=%v", written), func(b *testing.B) {
			opts := world{files: map[string]string{"main.sync.hcl": fleet(5000, written)}}.options(b)
			opts.Room = Large
			b.ReportAllocs()
			for b.Loop() {
				Names(b.Context(), opts)
			}
		})
	}
}

// checkSkim compares with the parser, and tells whether the text was read without it.
func checkSkim(t *testing.T, src []byte) bool {
	t.Helper()
	file, diags := hclsyntax.ParseConfig(src, "x", hcl.InitialPos)
	var got, want []string
	deciding := func(names ...string) string {
		slices.Sort(names)
		return strings.Join(names, ",")
	}
	read := map[int]bool{} // blocks of local values whose arguments were found
	ok := skim(src, "x", func(b skimmed) bool {
		var args []string
		read[len(got)] = len(b.args) > 0
		for _, a := range b.args {
			checkTextSet(t, a)
			of, diags := hclsyntax.ParseConfig(a.src, "x", a.at)
			for name, attr := range of.Body.(*hclsyntax.Body).Attributes {
				args = append(args, name+" "+attr.SrcRange.String())
			}
			if len(diags) > 0 {
				args = append(args, diags.Error())
			}
		}
		got = append(got, fmt.Sprintf("%q %s %s", b.words, b.header, deciding(args...)))
		return true
	})
	if len(diags) > 0 || !ok {
		return ok
	}
	for i, b := range file.Body.(*hclsyntax.Body).Blocks {
		var args []string
		for name, attr := range b.Body.Attributes {
			if b.Type == "locals" && read[i] || isKind(b.Type) && (name == "for_each" || name == "enabled") {
				args = append(args, name+" "+attr.SrcRange.String())
			}
		}
		want = append(want, fmt.Sprintf("%q %s %s", append([]string{b.Type}, b.Labels...), b.DefRange(), deciding(args...)))
	}
	if len(file.Body.(*hclsyntax.Body).Attributes) > 0 || !slices.Equal(got, want) {
		t.Errorf("%s\nblocks:\n%s\nwant:\n%s", src, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	return ok
}

// checkTextSet compares with the parser, and tells whether an argument was read without it.
func checkTextSet(t *testing.T, p part) bool {
	t.Helper()
	set := textSet(p, "x")
	if set == nil {
		return false
	}
	of, diags := hclsyntax.ParseConfig(p.src, "x", p.at)
	toset := &hcl.EvalContext{Functions: map[string]function.Function{"toset": stdlib.MakeToFunc(cty.Set(cty.String))}}
	attrs := of.Body.(*hclsyntax.Body).Attributes
	for name, attr := range set.Attributes {
		got, more := attr.Expr.Value(toset)
		if diags = append(diags, more...); attrs[name] == nil {
			t.Errorf("%s: there is no %s", p.src, name)
			continue
		}
		want, more := attrs[name].Expr.Value(toset)
		if diags = append(diags, more...); !got.RawEquals(want) {
			t.Errorf("%s is %#v, want %#v", p.src, got, want)
		}
	}
	if len(set.Attributes) != 1 || len(attrs) != 1 || diags.HasErrors() {
		t.Errorf("%s: %v, want %v, %v", p.src, set.Attributes, attrs, diags)
	}
	return true
}

// TestTextSet: nothing but a set of texts that stand for themselves is read without the parser.
func TestTextSet(t *testing.T) {
	for text, want := range map[string]bool{
		"x = toset([\"b\", \"a b\", \"b\"])\n":                                         true,
		"for_each=toset( [ # one\n \"a\" /* a */,\r\n \"b\" // b\n ,\n] \n) # end\r\n": true,
		"x = toset([])\n":              true,
		"x = toset([\"a\", y])\n":      false,
		"x = toset([\"a\", 1])\n":      false,
		"x = toset([\"\"])\n":          false,
		"x = toset([\"a${b}\"])\n":     false,
		"x = toset([\"%{if a}\"])\n":   false,
		"x = toset([\"\\u0041\"])\n":   false,
		"x = toset([\"\u00e4\"])\n":    false,
		"x = toset([\"a\" \"b\"])\n":   false,
		"x = toset([\"a\",, \"b\"])\n": false,
		"x = toset([\"a\"], [])\n":     false,
		"x = toset([\"a\"]...)\n":      false,
		"x = toset([\"a\"])[0]\n":      false,
		"x = tolist([\"a\"])\n":        false,
		"x = [\"a\"]\n":                false,
		"x = # y\n  toset([\"a\"])\n":  false,
		"x = toset\n([\"a\"])\n":       false,
		"x = toset([\"a\"])\ny = 1\n":  false,
		"x = toset([\"a":               false,
	} {
		if got := checkTextSet(t, part{src: []byte(text), at: hcl.InitialPos}); got != want {
			t.Errorf("%q is read without the parser: %v", text, got)
		}
	}
}

var skims = map[string]struct {
	text string
	ok   bool
}{
	"plain":             {"server \"depot\" \"a\" {\n  url = \"u\"\n}\n\nsync depot b-1 { # one\r\n}\r\n", true},
	"on one line":       {"locals { a = 1 }\nserver \"depot\" \"a\" { for_each = { a = 1 } }", true},
	"an empty file":     {"", true},
	"a brace in a text": {"sync \"depot\" \"a\" {\n  label = \"} \\\" }\"\n}\noutput \"o\" {}\n", true},
	"templates": {"sync \"depot\" \"a\" {\n  a = \"${f(\"}\", { \"x\" = \"%{if a}}%{endif}\" })} $${ %%{ $ %\"\n" +
		"  enabled = \"$${\" == \"\"\n}\n", true},
	"a heredoc": {"locals {\n  a = <<EOT\nserver \"depot\" \"z\" {\n${upper(\"}\")} $${ 5 %\nEOT\n}\n" +
		"server \"depot\" \"a\" {\n  b = <<-EOT\n}\n  EOT\n  enabled = f(<<X\n  }\nX\n  )\n}\n", true},
	"comments": {"# a {\n// b {\n/* server \"depot\" \"z\" {\n*/\nserver \"depot\" \"a\" { // {\n # {\n" +
		"  a = 1 / 2 # }\n  for_each = [ /* ] */ 1, # ]\n  2]\n} /* x */ # y\n", true},
	"blocks inside": {"sync \"depot\" \"a\" {\n  dynamic \"field\" {\n    for_each = {}\n  }\n  x \"${y}\" {}\n" +
		"  for_each = a ? {\n    b = [1]\n  } : {}\n  enabled=x==y\n}\n", true},
	"letters": {"locals {\n  ä = \"ö\" # ü\n}\nserver \"depot\" \"a\" {\n  b = \"ä\"\n  enabled = ä\n}\n", true},
	"local values": {"locals {\n  a = toset([ # one\n    \"a\", \"b-1\",\n  ])\n  b = { a = [1]\n  }\n" +
		"  c = toset([\"${a}\"])\n}\nlocals { d = toset( [\"a\"\n] ) }\n", true},
	"a name with letters": {"server \"depot\" \"ä\" {\n}\n", false},
	"behind a comment":    {"/* ä */ server \"depot\" \"a\" {\n}\n", false},
	"a mark in front":     {"\ufeffserver \"depot\" \"a\" {\n}\n", false},
	"an argument":         {"a = 1\n", false},
	"two on a line":       {"locals {} locals {}\n", false},
	"open":                {"locals {\n", false},
	"an open text":        {"locals {\n  a = \"b\n}\n", false},
	"an open heredoc":     {"locals {\n  a = <<EOT\n}\n", false},
	"deep":                {"locals {\n  a = " + strings.Repeat("[", 200) + strings.Repeat("]", 200) + "\n}\n", false},
	"deep templates":      {"locals {\n  a = " + strings.Repeat("\"${", 200) + strings.Repeat("}\"", 200) + "\n}\n", false},
}

// TestSkim: what is found without parsing is what the parser finds, at the same places.
func TestSkim(t *testing.T) {
	t.Parallel()
	for name, c := range skims {
		if ok := checkSkim(t, []byte(c.text)); ok != c.ok {
			t.Errorf("%s: read without the parser: %v", name, ok)
		}
	}
}

func FuzzSkim(f *testing.F) {
	for _, c := range skims {
		f.Add([]byte(c.text))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		if tooDeep(src, "x") == nil {
			checkSkim(t, src)
		}
	})
}

// options writes the files and returns how to load them.
func (w world) options(t testing.TB) Options {
	t.Helper()
	fs := afero.NewMemMapFs()
	if err := fs.MkdirAll("conf", 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range w.files {
		if err := afero.WriteFile(fs, "conf/"+name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return Options{
		Fs: fs, Dir: "conf", Catalog: depots(), Version: "1.4.0", Vars: w.vars, AllowUnset: w.unset,
		Env: func(name string) (string, bool) { v, ok := w.env[name]; return v, ok },
	}
}

// TestSecretsOfWhatHasNoTree: a file that is not parsed at all, because it is nested too deeply, is shown without
// secrets, whoever reads it.
func TestSecretsOfWhatHasNoTree(t *testing.T) {
	deep := strings.Repeat("(", maxNesting+1) + `"canary"` + strings.Repeat(")", maxNesting+1)
	deepJSON := strings.Repeat("[", 20*maxNesting) + `"canary"` + strings.Repeat("]", 20*maxNesting)
	for name, text := range map[string]string{
		"main.sync.hcl":      "locals {\n  shown    = 1\n  password = " + deep + "\n  token = canary7\n}\n",
		"main.sync.hcl.json": "{\"locals\": {\"shown\": 1,\n\"token\": canary7,\n\"password\": " + deepJSON + "}}\n",
		"a.synctest.hcl":     "variables {\n  shown    = 1\n  password = " + deep + "\n  token = canary7\n}\nrun \"x\" {}\n",
	} {
		opts := world{files: map[string]string{name: text}}.options(t)
		cfg, diags := Load(t.Context(), opts)
		all := map[string]map[string]*hcl.File{"load": cfg.Files(), "names": Names(t.Context(), opts).Files()}
		if strings.Contains(name, "test") {
			_, tests, found := ReadTests(t.Context(), opts)
			all, diags = map[string]map[string]*hcl.File{"tests": tests}, found
		}
		if len(diags) == 0 || diags[0].Subject == nil {
			t.Errorf("%s: %v", name, diags)
		}
		for who, files := range all {
			for path, f := range files {
				if f.Body != nil || strings.Contains(string(f.Bytes), "canary") || !strings.Contains(string(f.Bytes), "shown") {
					t.Errorf("%s shows %s as %s", who, path, f.Bytes)
				}
			}
			if len(files) != 1 {
				t.Errorf("%s: %d files", who, len(files))
			}
		}
	}
}

// TestSecretsOfExpressions: a typed expression, which is kept without a syntax tree, is shown without secrets.
func TestSecretsOfExpressions(t *testing.T) {
	cfg, _ := Load(t.Context(), world{files: map[string]string{"main.sync.hcl": "locals {\n  x = 1\n}\n"}}.options(t))
	_, diags := cfg.Evaluate(t.Context(), "local.x + {\n  shown    = 1\n  password = \"canary\"\n}", nil)
	text := string(cfg.Files()[expressionFile].Bytes)
	if !diags.HasErrors() || !strings.Contains(text, "shown    = 1") || strings.Contains(text, "canary") {
		t.Errorf("%s, %v", text, diags)
	}
}
