package schema

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/spf13/afero"
)

// TestLimits: work and memory without bound is refused before it is done, at its place, in both syntaxes.
func TestLimits(t *testing.T) {
	t.Parallel()
	doubled := func(each string) []string {
		locals := []string{`"xxxxxxxxxxxxxxxx"`}
		for i := 1; i <= 60; i++ {
			locals = append(locals, strings.ReplaceAll(each, "L", fmt.Sprintf("local.a%d", i-1)))
		}
		return locals
	}
	many, lots := `split("", format("%1000s", ""))`, `split("", format("%15000s", ""))`
	for name, locals := range map[string][]string{
		"number": {`tostring(1e99999999)`}, "small": {`tostring(1e-99999999)`}, "negative": {`"${-1e99999999}"`},
		"number of text": {`tostring(tonumber("1e99999999"))`}, "operand": {`"${"1e99999999" * 1}"`},
		"product": doubled(`L == "xxxxxxxxxxxxxxxx" ? 1e1000 : L * L`), "decoded": {`jsonencode(jsondecode("1e99999999"))`},
		"key": {`{ (1e99999999) = 1 }`}, "digits": {strings.Repeat("1", 5000)},
		"digits of text":    {`tonumber(replace("` + strings.Repeat("x", 3000) + `", "x", "1"))`},
		"operand of digits": {`1 + replace("` + strings.Repeat("x", 3000) + `", "x", "1")`},
		"texts":             doubled(`"${L}${L}"`), "lists": doubled(`[L, L]`), "objects": doubled(`{ a = L, b = L }`),
		"loops":    {many, `[for a in local.a0 : [for b in local.a0 : [for c in local.a0 : 1]]]`},
		"filtered": {many, `[for a in local.a0 : [for b in local.a0 : [for c in local.a0 : [for d in local.a0 : 1 if false]]]]`},
		"template": {many, `"%{for a in local.a0}%{for b in local.a0}%{for c in local.a0}xx%{endfor}%{endfor}%{endfor}"`},
		"width":    {`format("%999999999d", 1)`}, "precision": {`format("%.999999999f", 1)`},
		"formats": {`formatlist("%900000000s", ["a", "b"])`}, "repeated": {`format("%9000000s", "")`, `join(local.a0, ` + many + `)`},
		"indent":  {`indent(999999999, "a\n\nb")`},
		"replace": doubled(`replace(L, "x", L)`), "replaced by": doubled(`replace(L, "/x/", "$0$0$0$0")`),
		"setproduct": {many, `setproduct(local.a0, local.a0, local.a0)`},
		"joined":     doubled(`join(L, ["a", "b", "c", "d"])`), "concat": doubled(`concat([L], [L], flatten([L, L]))`),
		"compared": {many, `[for a in local.a0 : [for b in local.a0 : local.a0 == local.a0]]`},
		"encoded":  doubled(`jsonencode([L, L])`), "tried": doubled(`try("${L}${L}", "")`),
		"regular":          {`format("%1000000s", "")`, `regexall("(a?){1000}(b?){1000}", local.a0)`},
		"index":            {`["a"]`, `local.a0["` + strings.Repeat("1", 1<<18) + `"]`},
		"escaped index":    {`["a"]`, `local.a0["` + strings.Repeat(`\u0031`, 1<<18) + `"]`},
		"index of element": {`["a"]`, `[local.a0][0]["` + strings.Repeat(`\u0031`, 1<<18) + `"]`},
		"sorted":           {many, `[for i in range(50) : length(sort(local.a0))]`},
		"sets":             {`toset(range(1000))`, `[for i in range(100) : length(local.a0)]`},
		"conditions":       {`[for i in range(1000) : i]`, `[for i in range(600) : i < 0 ? local.a0 : []]`},
		"conditions with objects": {`[for i in range(1000) : i < 500 ? { a = i } : null]`,
			`[for i in range(600) : i < 0 ? local.a0 : []]`},
		"coalesced":      {`split("", format("%40000s", ""))`, `coalesce([for a in local.a0 : ""]...)`},
		"concatenated":   {lots, `tolist(["a"])`, `length(concat([for a in local.a0 : local.a1]...))`},
		"united sets":    {lots, `tolist(["a"])`, `length(setunion([for a in local.a0 : local.a1]...))`},
		"common of sets": {lots, `tolist(["a"])`, `length(setintersection([for a in local.a0 : local.a1]...))`},
		"combined":       {lots, `length(setproduct([for a in local.a0 : a], [1]))`},
		"united": {`split("", format("%3000s", ""))`,
			`length(tolist([for i, a in local.a0 : [for b in range(i % 10) : b]]))`},
		"united conditions": {`split("", format("%3000s", ""))`,
			`length(true ? [for i, a in local.a0 : [for b in range(i % 10) : b]] : [[1]])`},
		"escaped": {`length(yamlencode(replace(format("%3000000s", ""), " ", "<")))`},
		"pattern": {`can(regex(replace(format("%20000s", ""), " ", "a"), "x"))`},
		"splat":   doubled(`[L, L][*]`), "caught": {`try(format("%999999999d", 1), 1)`},
	} {
		var native strings.Builder
		values := map[string]string{}
		for i, expr := range locals {
			fmt.Fprintf(&native, "  a%d = %s\n", i, expr)
			values[fmt.Sprintf("a%d", i)] = "${" + expr + "}"
		}
		text, err := json.Marshal(map[string]any{"locals": values})
		if err != nil {
			t.Fatal(err)
		}
		for file, src := range map[string]string{"main.sync.hcl": "locals {\n" + native.String() + "}\n",
			"main.sync.hcl.json": string(text)} {
			fs := afero.NewMemMapFs()
			if err := afero.WriteFile(fs, "conf/"+file, []byte(src), 0o600); err != nil {
				t.Fatal(err)
			}
			_, diags := Load(t.Context(), Options{Fs: fs, Dir: "conf"})
			if !diags.HasErrors() || diags[0].Subject == nil || !strings.Contains(diags[0].Summary+diags[0].Detail, "umber") &&
				!strings.Contains(diags[0].Summary, "Too much") && !strings.Contains(diags[0].Detail, "too many values") {
				t.Errorf("%s in %s: %v", name, file, diags)
			}
		}
	}
}

// TestLargeFleet: what a fleet of tens of thousands needs is within the limits of somebody's own configuration, where
// work without bound is refused still.
func TestLargeFleet(t *testing.T) {
	t.Parallel()
	var set, objects strings.Builder
	for i := range 30_000 {
		fmt.Fprintf(&set, "%q, %q, ", fmt.Sprint("P", i), fmt.Sprint("Q", i))
		fmt.Fprintf(&objects, `,{"key":"P%d","type":"Bug","owner":"a@x.example","remote":"R%[1]d","on":true}`, i)
	}
	hundreds := `split("", format("%300s", ""))`
	for name, c := range map[string]struct {
		expr  string
		taken bool
	}{
		"set":   {"toset([" + set.String() + "])", true},
		"json":  {`{ for p in jsondecode(file("p.json")) : p.key => p if p.on }`, true},
		"loops": {`[for a in L : [for b in L : [for c in L : { a = 1 }]]]`, false},
		"texts": {`[for a in L : format("%1000000s", "")]`, false},
	} {
		fs := withFile(t, "locals {\n  a = "+strings.ReplaceAll(c.expr, "L", hundreds)+"\n}\n")
		if err := afero.WriteFile(fs, "conf/p.json", []byte("["+objects.String()[1:]+"]"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, diags := Load(t.Context(), Options{Fs: fs, Dir: "conf", Room: Large})
		if diags.HasErrors() == c.taken || !c.taken && diags[0].Summary != "Too much to evaluate" {
			t.Errorf("%s: %v", name, diags)
		}
	}
}

// TestLimitsOfReferences: what stands in place of a reference is not evaluated again without limits, to hint at a text.
func TestLimitsOfReferences(t *testing.T) {
	elems := "[" + strings.Repeat("1, ", 50) + "1]"
	fs := withFile(t, fmt.Sprintf("sync \"depot\" \"a\" {\n  upstream = [for a in %[1]s : [for b in %[1]s : "+
		"[for c in %[1]s : [for d in %[1]s : 1]]]]\n}\n", elems))
	got := testing.AllocsPerRun(1, func() {
		if _, diags := Load(t.Context(), Options{Fs: fs, Dir: "conf", Catalog: depots()}); !diags.HasErrors() {
			t.Error("taken")
		}
	})
	const most = 10e6
	if got > most {
		t.Errorf("%.0f allocations, at most %.0f", got, most)
	}
}

// TestLimitsOfValues: the same holds for what is given to variables.
func TestLimitsOfValues(t *testing.T) {
	digits := strings.Repeat("1", 5000)
	for _, typ := range []string{"number", "list(number)", "any"} {
		for _, value := range []string{"1e99999999", digits, "[1e99999999]", "[" + digits + "]"} {
			if typ == "any" && !strings.HasPrefix(value, "[") { // a text
				continue
			}
			fs := withFile(t, "variable \"v\" {\n  type = "+typ+"\n}\nlocals {\n  a = jsonencode(var.v)\n}\n")
			for how, opts := range map[string]Options{
				"-var": {Vars: []VarSource{{Assign: "v=" + value}}},
				"env":  {Env: func(name string) (string, bool) { return value, name == EnvPrefix+"v" }},
			} {
				if typ == "any" {
					continue // stays a text
				}
				opts.Fs, opts.Dir = fs, "conf"
				if _, diags := Load(t.Context(), opts); !diags.HasErrors() {
					t.Errorf("%s of %.20s by %s: taken", typ, value, how)
				}
			}
			if err := afero.WriteFile(fs, "conf/x.auto.syncvars.hcl", []byte("v = "+value+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, diags := Load(t.Context(), Options{Fs: fs, Dir: "conf"}); !diags.HasErrors() {
				t.Errorf("%s of %.20s in a file: taken", typ, value)
			}
		}
	}
}

// TestLimitsOfTypes: the same holds for the defaults in the type of a variable, and for filling them in.
func TestLimitsOfTypes(t *testing.T) {
	t.Parallel()
	hundred := "[" + strings.Repeat("1, ", 100) + "]"
	loop := "[for a in L : [for b in L : [for c in L : [for d in L : 1]]]]"
	many, some := strings.Repeat("{}, ", 20000), strings.Repeat("{}, ", 200)
	for name, typ := range map[string]struct{ typ, def string }{
		"loops":  {"object({ a = optional(any, " + strings.ReplaceAll(loop, "L", hundred) + ") })", "{}"},
		"inner":  {"list(object({ b = object({ a = optional(any, " + strings.ReplaceAll(loop, "L", hundred) + ") }) }))", "[]"},
		"number": {"object({ a = optional(number, 1e99999999) })", "{}"},
		"digits": {"object({ a = optional(number, \"" + strings.Repeat("1", 1<<16) + "\") })", "{}"},
		"filled": {"list(object({ a = optional(list(number), " + hundred + ") }))", "[" + many + "]"},
		"filled inside": {"list(object({ a = optional(list(object({ b = optional(list(number), " + hundred + ") })), [" + some + "]) }))",
			"[" + some + "]"},
		"mixed":  {"object({ a = list(list(any)) })", "{ a = [[1, " + strings.Repeat(`"a", `, 40000) + "]] }"},
		"nested": {strings.Repeat("list(", 200000) + "any" + strings.Repeat(")", 200000), "[]"},
	} {
		text, err := json.Marshal(map[string]any{"variable": map[string]any{"v": map[string]any{"type": typ.typ}}})
		if err != nil {
			t.Fatal(err)
		}
		for file, src := range map[string]string{
			"main.sync.hcl":      "variable \"v\" {\n  type = " + typ.typ + "\n}\n",
			"main.sync.hcl.json": string(text),
		} {
			fs := afero.NewMemMapFs()
			for name, text := range map[string]string{file: src, "x.auto.syncvars.hcl": "v = " + typ.def + "\n"} {
				if err := afero.WriteFile(fs, "conf/"+name, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			_, diags := Load(t.Context(), Options{Fs: fs, Dir: "conf"})
			if !diags.HasErrors() || diags[0].Subject == nil || !strings.Contains(diags[0].Summary+diags[0].Detail, "umber") &&
				!strings.Contains(diags[0].Summary, "Nested") && !strings.Contains(diags[0].Summary+diags[0].Detail, "oo much") &&
				!strings.Contains(diags[0].Detail, "too many values") {
				t.Errorf("%s in %s: %v", name, file, diags)
			}
		}
	}
}

// TestLimitsOfIterators: the name of an iterator is read, not evaluated.
func TestLimitsOfIterators(t *testing.T) {
	t.Parallel()
	loop := strings.ReplaceAll("[for a in L : [for b in L : [for c in L : [for d in L : 1]]]]", "L",
		"["+strings.Repeat("1, ", 100)+"]")
	for iterator, wrong := range map[string]bool{"it": false, loop: true} {
		text, err := json.Marshal(iterator)
		if err != nil {
			t.Fatal(err)
		}
		for file, src := range map[string]string{
			"main.sync.hcl": "server \"depot\" \"a\" {\n  url = \"u\"\n  dynamic \"host\" {\n    for_each = [\"h\"]\n" +
				"    iterator = " + iterator + "\n    content {\n      ssh = it.value\n    }\n  }\n}\n",
			"main.sync.hcl.json": `{"server": {"depot": {"a": {"url": "u", "dynamic": {"host": {"for_each": ["h"], ` +
				`"iterator": ` + string(text) + `, "content": {"ssh": "${it.value}"}}}}}}}`,
		} {
			cfg, diags := world{files: map[string]string{file: src}}.load(t)
			if wrong != (len(diags) == 1 && diags[0].Summary == "Invalid iterator") || diags.HasErrors() != wrong {
				t.Errorf("%.20s in %s: %s", iterator, file, textOf(t, cfg, diags))
			}
		}
	}
}

// TestDefaultsOfTypes: what a person writes is within the limits.
func TestDefaultsOfTypes(t *testing.T) {
	t.Parallel()
	for file, text := range map[string]string{
		"main.sync.hcl":      "variable \"v\" {\n  type = list(object({ a = optional(list(number), [1, 2]) }))\n}\n",
		"main.sync.hcl.json": `{"variable": {"v": {"type": "list(object({ a = optional(list(number), [1, 2]) }))"}}}`,
	} {
		w := world{files: map[string]string{file: text, "b.sync.hcl": `server "barn" "b" { url = "${var.v[1].a[1]}" }`},
			vars: []VarSource{{Assign: "v=[{}, {}]"}}}
		cfg, diags := w.load(t)
		if diags.HasErrors() || cfg.Lookup(Addr{Kind: Server, Type: "barn", Name: "b"}).Text("url") != "2" {
			t.Errorf("%s: %s", file, textOf(t, cfg, diags))
		}
	}
}

// TestLoadInterrupted: an interrupted Load returns, with one diagnostic.
func TestLoadInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	release := make(chan struct{})
	defer close(release)
	env := func(string) (string, bool) { cancel(); <-release; return "", false }
	fs := withFile(t, "locals {\n  a = env(\"A\", \"\")\n}\n")
	cfg, diags := Load(ctx, Options{Fs: fs, Dir: "conf", Env: env})
	if len(diags) != 1 || diags[0].Subject == nil || diags[0].Subject.Start.Line != 2 || cfg.Redactor() == nil {
		t.Errorf("got %v", diags)
	}
}

// TestConfigurationSize: files of a folder have a largest size together.
func TestConfigurationSize(t *testing.T) {
	t.Parallel()
	fs := afero.NewMemMapFs()
	for _, name := range []string{"a.sync.hcl", "b.sync.hcl"} {
		if err := afero.WriteFile(fs, "conf/"+name, make([]byte, int(Usual.Bytes())+1), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, diags := Load(t.Context(), Options{Fs: fs, Dir: "conf"}); len(diags) != 2 {
		t.Errorf("got %v", diags)
	}
}

// TestRoom: somebody's own configuration may be larger than one that nobody has reviewed, which is the rule.
func TestRoom(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]struct{ usual, large bool }{
		Usual.signs: {true, true}, Usual.signs + 1: {false, true}, Large.signs + 1: {false, false},
	} {
		usual, large := tooDense(n, Room{}, "x") == nil, tooDense(n, Large, "x") == nil
		if usual != want.usual || large != want.large {
			t.Errorf("%d words and signs: %v, %v", n, usual, large)
		}
	}
}

// TestFormattingEnds: with its context, whatever the text takes.
func TestFormattingEnds(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	open := []byte("locals {\n" + strings.Repeat("  x = <<A\n", 30000))
	out, diags := FormatWithin(ctx, "x.sync.hcl", open, Large)
	if !hasSummary(diags, "Interrupted") || len(out) != len(open) {
		t.Errorf("%v", diags)
	}
	out, diags = FormatWithin(t.Context(), "x.sync.hcl", []byte("a=1\n"), Large)
	if string(out) != "a = 1\n" || diags != nil {
		t.Errorf("%q, %v", out, diags)
	}
}

// TestTooManySecrets: what cannot be looked for in all that is shown is refused, and nothing else is said.
func TestTooManySecrets(t *testing.T) {
	var lines strings.Builder
	for i := range 600_000 {
		fmt.Fprintf(&lines, "secret-line-%d\n", i)
	}
	fs := withFile(t, "locals {\n  a = sensitive(file(\"t\"))\n  b = secret-line-1\n}\n")
	if err := afero.WriteFile(fs, "conf/t", []byte(lines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, diags := Load(t.Context(), Options{Fs: fs, Dir: "conf"})
	if len(diags) != 1 || diags[0].Summary != "Too many secrets" || cfg.Redactor().Full() {
		t.Errorf("got %v", diags)
	}
}
