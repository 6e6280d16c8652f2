package schema

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/schema/functions"
	"github.com/zclconf/go-cty/cty"
)

// values evaluates expressions, each in a declaration of its own, in one of the two syntaxes.
func values(t testing.TB, w world, json bool, exprs []string) []cty.Value {
	t.Helper()
	w.files = maps.Clone(w.files)
	if w.files == nil {
		w.files = map[string]string{}
	}
	name, text := asNative(t, exprs)
	if json {
		name, text = asJSON(t, exprs)
	}
	w.files[name] = text
	cfg, diags := w.load(t)
	if len(diags) > 0 {
		t.Fatal(textOf(t, cfg, diags))
	}
	out := make([]cty.Value, len(exprs))
	for i := range exprs {
		out[i] = cfg.Lookup(Addr{Kind: Server, Type: "depot", Name: fmt.Sprintf("x%d", i)}).Get("anything")
	}
	return out
}

func asNative(_ testing.TB, exprs []string) (name, text string) {
	var b strings.Builder
	for i, e := range exprs {
		fmt.Fprintf(&b, "server \"depot\" \"x%d\" {\n  url = \"u\"\n  anything = %s\n}\n", i, e)
	}
	return "main.sync.hcl", b.String()
}

func asJSON(t testing.TB, exprs []string) (name, text string) {
	t.Helper()
	depots := map[string]any{}
	for i, e := range exprs {
		depots[fmt.Sprintf("x%d", i)] = map[string]any{"url": "u", "anything": "${" + e + "}"}
	}
	out, err := json.Marshal(map[string]any{"server": map[string]any{"depot": depots}})
	if err != nil {
		t.Fatal(err)
	}
	return "main.sync.hcl.json", string(out)
}

// TestFunctionExamples: each function has an example, and each example gives what it says, in both syntaxes.
func TestFunctionExamples(t *testing.T) {
	t.Parallel()
	w := world{files: map[string]string{}, env: map[string]string{}}
	var exprs []string
	for _, f := range functions.All() {
		if len(f.Examples) == 0 || f.Summary == "" || f.Group == "" || f.Since == "" {
			t.Errorf("%s: an example and all words are needed", f.Name)
		}
		for _, e := range f.Examples {
			if !strings.Contains(e.Code, f.Name+"(") {
				t.Errorf("%s: the example %s does not use it", f.Name, e.Code)
			}
			for name, text := range e.Files {
				if was, taken := w.files[name]; taken && was != text {
					t.Errorf("%s: the file %s is another one in another example", f.Name, name)
				}
				w.files[name] = text
			}
			maps.Copy(w.env, e.Env)
			exprs = append(exprs, e.Code, e.Result)
		}
	}
	for _, json := range []bool{false, true} {
		got := values(t, w, json, exprs)
		for i := 0; i < len(got); i += 2 {
			if !got[i].RawEquals(got[i+1]) {
				t.Errorf("%s (JSON %v) is %#v, want %#v", exprs[i], json, got[i], got[i+1])
			}
		}
	}
}
