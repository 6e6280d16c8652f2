package schema

import (
	"strings"
	"testing"

	"github.com/spf13/afero"
)

// TestHeaders: what is found without parsing is what Load declares, at the same places; where that could differ,
// nothing is.
func TestHeaders(t *testing.T) {
	t.Parallel()
	plain := "# sync \"x\" \"not\" {\n\nserver \"depot\" \"a\" {\n  url = \"https://a.example\"\n}\n" +
		"sync  \"depot\" \"b-1\" { # one\r\n  label = \"sync \\\"depot\\\" {\"\n}\nlocals { a = 1 }\n" +
		"output \"o\" {\n  value = \"{\"\n}\n"
	for name, c := range map[string]struct {
		text string
		ok   bool
	}{
		"plain":            {plain, true},
		"an index":         {plain + "sync \"depot\" \"c\" {\n  for_each = toset([])\n}\n", false},
		"switched off":     {plain + "sync \"depot\" \"c\" {\n  enabled = false\n}\n", false},
		"a heredoc":        {"locals {\n  a = <<EOT\nserver \"depot\" \"z\" {\nEOT\n}\n", false},
		"a comment":        {"/*\nserver \"depot\" \"z\" {\n*/\n", false},
		"a module":         {plain + "module \"m\" {\n  source = \"./m\"\n}\n", false},
		"a list":           {"locals {\n  a = [\n\"x\",\n  ]\n}\n", false},
		"two on a line":    {"server \"depot\" \"a\" { url = \"x\" }\n", false},
		"a mark in front":  {"\ufeffserver \"depot\" \"a\" {\n}\n", false},
		"indented":         {"  server \"depot\" \"a\" { url = \"x\" }\n", false},
		"indented twice":   {"locals {\n\ta = 1\n}\n\tmodule m {\n  source = \"./m\"\n}\n", false},
		"an argument":      {"sync \"depot\" \"a\" {\n  server = server.depot.a\n  end {\n  }\n}\n", true},
		"in one's own way": {"server depot a {\n}\n", false},
	} {
		found, ok := headersOf(c.text, "x")
		if ok != c.ok {
			t.Errorf("%s: found: %v, %v", name, ok, found)
		}
	}
	found, _ := headersOf(plain, "conf/main.sync.hcl")
	var got []string
	for _, h := range found {
		got = append(got, h.Addr.String()+" "+h.Range.String())
	}
	want := "server.depot.a conf/main.sync.hcl:3,1-19, sync.depot.b-1 conf/main.sync.hcl:6,1-20"
	if text := strings.Join(got, ", "); text != want {
		t.Errorf("got %s", text)
	}
	fs := afero.NewMemMapFs()
	for _, c := range []struct {
		name, text string
		ok         bool
	}{{"a.sync.hcl", plain, true}, {"b.sync.hcl.json", "{}", false}} {
		if err := afero.WriteFile(fs, "conf/"+c.name, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		found, ok := Headers(t.Context(), Options{Fs: fs, Dir: "conf"})
		if ok != c.ok || ok && len(found) != 2 {
			t.Errorf("with %s: %v, %v", c.name, ok, found)
		}
	}
}
