package schema

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestJSONGuide: the two configurations of docs/json.md say the same.
func TestJSONGuide(t *testing.T) {
	page, err := os.ReadFile("../docs/json.md")
	if err != nil {
		t.Fatal(err)
	}
	block := func(lang string) string {
		_, rest, _ := strings.Cut(string(page), "\n```"+lang+"\n")
		text, _, _ := strings.Cut(rest, "\n```\n")
		return text
	}
	var all [2]map[string]string
	for i, w := range []world{
		{files: map[string]string{"a.sync.hcl": block("hcl")}}, {files: map[string]string{"a.sync.hcl.json": block("json")}},
	} {
		cfg, diags := w.load(t)
		if len(diags) > 0 {
			t.Fatal(textOf(t, cfg, diags))
		}
		all[i] = map[string]string{"moved": cfg.Moves[0].From + " " + cfg.Moves[0].To,
			"output": cfg.Outputs[0].Value.GoString()}
		for _, r := range cfg.Resources {
			all[i][r.Addr.String()] = r.Value.GoString()
		}
	}
	if d := cmp.Diff(all[0], all[1]); d != "" || len(all[0]) != 4 {
		t.Error(all[0], d)
	}
}
