package schema_test

import (
	"strings"
	"testing"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/schema"
)

// TestSecretsInTexts checks that excerpts hide what a text assigns to a name of a secret, passwords in addresses, and
// whatever repeats a constant under such a name, in both syntaxes.
func TestSecretsInTexts(t *testing.T) {
	for name, src := range map[string]string{
		"main.sync.hcl": `locals {
  password = "hidden-1234"
  again    = [["tool", "-p", "hidden-1234"], "a hidden-1234 b"]
  inside   = { api_token = "hidden-5678", copy = "hidden-5678" }
  url      = "https://me:hidden@host.example/path?x=shown1"
  option   = "--password=hidden --user=hidden"
  header   = "Authorization: Bearer hidden"
  json     = "{\"shown2\": 1, \"token\": \"hidden\"}"
  text     = <<-EOT
    shown3 = 1
    client_secret: hidden
    shown4 = 2
  EOT
  plain    = "shown5=1 https://shown6:8080/a@b compass=shown7"
  short    = { pass = "shown", copy = "shown8" }
}
`,
		"main.sync.hcl.json": `{"locals": {
  "password": "hidden-1234",
  "again": [["tool", "-p", "hidden-1234"], "a hidden-1234 b"],
  "url": "https://me:hidden@host.example/path?x=1",
  "option": "--password=hidden --user=hidden",
  "json": "{\"a\": 1, \"token\": \"hidden\"}",
  "plain": "shown1=1 https://shown2:8080/a@b compass=shown3 shown4 shown5 shown6 shown7 shown8"
}}
`,
	} {
		fsys := afero.NewMemMapFs()
		if err := afero.WriteFile(fsys, "/"+name, []byte(src), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, _ := schema.Load(t.Context(), schema.Options{Fs: fsys, Dir: "/"})
		for _, f := range cfg.Files() {
			got := string(f.Bytes)
			if len(got) != len(src) || strings.Contains(got, "hidden") {
				t.Errorf("%s is shown as\n%s", name, got)
			}
			for _, word := range []string{"shown1", "shown2", "shown3", "shown4", "shown5", "shown6", "shown7", "shown8"} {
				if !strings.Contains(got, word) {
					t.Errorf("%s hides %s:\n%s", name, word, got)
				}
			}
		}
		if len(cfg.Files()) != 1 {
			t.Errorf("%d files", len(cfg.Files()))
		}
	}
}
