package source

import (
	"runtime"
	"strings"
	"testing"
)

var inJSON = JSON{
	Blocks: func(in *Block) map[string]int {
		switch in.Type.Text {
		case "":
			return map[string]int{"server": 2, "locals": 0, "variable": 1}
		case "server":
			return map[string]int{"field": 1, "lifecycle": 0}
		}
		return nil
	},
	Plain: func(_ *Block, name string) bool { return name == "depends_on" },
}

// outlineJSON returns the content of a file in one line.
func outlineJSON(src string) string {
	tree := ReadJSON(src, inJSON)
	var out []string
	for _, b := range tree.File.Blocks {
		words := []string{b.Type.Text}
		for _, l := range b.Labels {
			words = append(words, l.Text)
		}
		for _, a := range b.Arguments {
			words = append(words, a.Name.Text+"=")
		}
		out = append(out, strings.Join(words, " "))
	}
	for _, r := range tree.References {
		var steps []string
		for _, s := range r.Steps {
			steps = append(steps, s.Text)
			if src[s.From:s.To] != s.Text {
				steps = append(steps, "("+src[s.From:s.To]+")")
			}
		}
		out = append(out, strings.Join(steps, "."))
	}
	return strings.Join(out, "; ")
}

func TestReadJSON(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{`{"server": {"depot": {"north": {"url": "${var.url}/x", "depends_on": ["server.depot.south"]}}}}`,
			"server depot north url= depends_on=; var.url; server.depot.south"},
		{`{"server": {"depot": [{"a": {}}, {"b": [{}, {"x": 1}]}]}}`, "server depot a; server depot b; server depot b x="},
		{`{"locals": {"a": "${x[\"k\"].y}", "b": {"${var.c}": [true, null, -1.5e3]}}}`, "locals a= b=; x.k.y; var.c"},
		{`{"locals": {"a": "\u0024{var.\u0061b}"}}`, `locals a=; var.ab.(\u0061b)`},
		{`{"locals": {"a": "%{ for s in var.l }${s.x}%{ endfor }"`, "locals a=; var.l; s.x"},
		{`{"locals": {"a": "x`, "locals a="},
		{`{"variable": {"v": {}}, "locals": `, "variable v; locals"},
		{`[]`, ""},
		{`{"server": {"depot": {"a": {"x": , "field": {"f": {"b": "${c}"}}}, "b": {"lifecycle": [{}, {"d": 1}]}}}}`,
			"server depot a x=; server depot b; c"},
		{"{\"locals\": {\"a\": \"x\n, \"b\" 1, c: 2, \"d\": [1 2}, \"server\": {\"x\": {\"y\": {]}, \"z\": {}}}}",
			"locals a= d=; server x y; server x z"},
		{`{"locals": {"a": {"b": }}, "variable": {"v": 1, "w": {}}}`, "locals a=; variable v; variable w"},
	} {
		if got := outlineJSON(c.src); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.src, got, c.want)
		}
	}
}

// TestAtJSON checks the place at the end of a text.
func TestAtJSON(t *testing.T) {
	for _, c := range []struct {
		src   string
		kind  PlaceKind
		typed string
		in    string
	}{
		{`{`, AtItem, "", ""},
		{`{"lo`, AtItem, "lo", ""},
		{`{lo`, AtItem, "lo", ""},
		{`{"server"`, Nothing, "", ""},
		{`{"server": {"de`, AtLabel, "de", ""},
		{`{"server": {"depot": {"a": {"field": {"`, AtLabel, "", "server"},
		{`{"server": {"depot": {"a": [{}, {"x": 1, "fi`, AtItem, "fi", "server"},
		{`{"server": {"depot": {"a": {"x": `, AtValue, "", "server"},
		{`{"server": {"depot": {"a": {"x": tr`, AtValue, "tr", "server"},
		{`{"server": {"depot": {"a": {"x": ["a", "b`, AtText, "b", "server"},
		{`{"server": {"depot": {"a": {"x": "\u0041${up`, AtValue, "up", "server"},
		{`{"server": {"depot": {"a": {"depends_on": ["server.de`, AtValue, "de", "server"},
		{`{"locals": {"a": {"b`, Nothing, "", ""},
		{`{"locals": {"a": {"b": "c`, AtText, "c", "locals"},
	} {
		p := AtJSON(c.src, len(c.src), inJSON)
		if p.Kind != c.kind || c.src[p.Typed.From:p.Typed.To] != c.typed || p.In.Type.Text != c.in {
			t.Errorf("%s: %+v", c.src, p)
		}
	}
}

func FuzzReadJSON(f *testing.F) {
	f.Add(`{"server": {"depot": {"north": {"url": "${var.url}/\u0041", "depends_on": ["server.depot.south"]}}}}`)
	f.Add(`{"locals": [{"a": "%{ for s in x }${s.\"}`)
	f.Add(strings.Repeat(`{"a":[`, 120))
	f.Fuzz(func(t *testing.T, src string) {
		tree := ReadJSON(src, inJSON)
		for _, r := range tree.References {
			for _, s := range r.Steps {
				if s.From < 0 || s.From > s.To || s.To > len(src) {
					t.Fatalf("%q: step %+v", src, s)
				}
			}
		}
		for at := range min(len(src), 200) {
			if p := AtJSON(src, at, inJSON); p.In == nil || p.Typed.From > p.Typed.To || p.Typed.To > at {
				t.Fatalf("%q at %d: %+v", src, at, p)
			}
		}
		for _, b := range tree.File.Blocks {
			if b.From > b.To || b.To > len(src) {
				t.Fatalf("%q: block %+v", src, b)
			}
		}
	})
}

// TestDeepTextInJSON checks that a text that is nested too deeply or too dense is cut off before it is lexed, as in
// native syntax, and that nothing is offered after the cut.
func TestDeepTextInJSON(t *testing.T) {
	for _, sign := range []string{"${[(", "a+"} {
		src := `{"locals": {"a": "${` + strings.Repeat(sign, 1<<21/len(sign))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		ReadJSON(src+`}"}}`, inJSON)
		p := AtJSON(src, len(src), inJSON)
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > 512<<20 || p.Kind != Nothing || p.Typed.From != len(src) {
			t.Errorf("%q: %d MiB, %+v", sign, n>>20, p)
		}
	}
}

// TestBindingsInJSON checks the positions in the file of names that for expressions bind, also after escapes.
func TestBindingsInJSON(t *testing.T) {
	for _, src := range []string{
		`{"locals": {"a": "${[for word in var.l : upper(word, word)]}"}}`,
		`{"locals": {"a": "\"${[for word in var.l : upper(word, word)]}"}}`,
	} {
		tree := ReadJSON(src, inJSON)
		bound := 0
		for _, r := range tree.References {
			if r.Bound == nil {
				continue
			}
			if bound++; r.Bound.From != strings.Index(src, "word") || src[r.Bound.From:r.Bound.To] != "word" {
				t.Errorf("%s: it stands at %v", src, r.Bound.Span)
			}
		}
		if bound != 2 {
			t.Errorf("%s: %d references have it", src, bound)
		}
	}
}
