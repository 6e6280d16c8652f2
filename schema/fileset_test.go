package schema

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/schema/functions"
)

// TestGlob: patterns mean what they mean to Terraform.
func TestGlob(t *testing.T) {
	for pattern, c := range map[string][2]string{ // paths that fit, and paths that do not
		"*":               {"a a.b .hidden", "a/b"},
		"a?c":             {"abc aäc", "ac a/c abbc"},
		"*.tf":            {"x.tf .tf", "x/y.tf x.tfx"},
		"**":              {"a a/b a/b/c", ""},
		"**/*.tf":         {"a.tf b/a.tf b/c/a.tf", "a.tfx"},
		"a/**":            {"a/b a/b/c", "b/c ab/c"},
		"a/**/b":          {"a/b a/x/b a/x/y/b", "a/xb ab"},
		"a**":             {"abc", "a/b"},
		"[a-cx].[!0-9]":   {"b.z x.-", "d.z b.1 b./"},
		"[]a]":            {"] a", "b"},
		"[+-9]":           {"5 .", "/ a"},
		"{north,south}/*": {"north/a south/b", "west/a"},
		"{a,b{c,d}}.txt":  {"a.txt bc.txt bd.txt", "b.txt"},
		`\\*`:             {"*", "a"},
		"a.b+(c)":         {"a.b+(c)", "axb+(c)"},
	} {
		re, err := functions.Glob(strings.ReplaceAll(pattern, `\\`, `\`))
		if err != nil {
			t.Errorf("%s: %v", pattern, err)
			continue
		}
		for at, want := range []bool{true, false} {
			for _, p := range strings.Fields(c[at]) {
				if re.MatchString(p) != want {
					t.Errorf("%s fits %s: %v (%s)", p, pattern, !want, re)
				}
			}
		}
	}
}

// TestFileset: files of the folder alone, sorted; links are refused where the pattern looks.
func TestFileset(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"c/b.yaml", "c/a.yaml", "c/d/e.yaml", "c/note.txt", "u/cafe\u0301.md",
		".syncctl/runs/x.yaml", "l/deep/x", "v/.git/x.yaml", "v/x.yaml"} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	outside := filepath.Join(t.TempDir(), "outside.yaml")
	if err := os.WriteFile(outside, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for link, to := range map[string]string{"l/deep/link.yaml": outside, "linked": filepath.Join(dir, "c")} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	for expr, want := range map[string]string{
		`join(" ", fileset("c", "*.yaml"))`:                   "a.yaml b.yaml",
		`join(" ", fileset("./c/", "**/*.yaml"))`:             "a.yaml b.yaml d/e.yaml",
		`join(" ", fileset("c", "d/*"))`:                      "d/e.yaml",
		`length(fileset(".syncctl", "**"))`:                   "0",
		`length(fileset("v/.git", "**"))`:                     "0",
		`join(" ", fileset("v", "**"))`:                       "x.yaml",
		"length(fileset(\"u\", \"caf\u00e9.*\"))":             "1",
		`length(fileset("none", "**"))`:                       "0",
		`length(fileset("l", "*"))`:                           "0",
		`length(fileset("l", "**"))`:                          "!deep/link.yaml: it is a link",
		`length(fileset("linked", "*"))`:                      "!it is a link",
		`length(fileset("../" , "*"))`:                        "!outside",
		`length(fileset("/", "*"))`:                           "!outside",
		`length(fileset("c/../..", "*"))`:                     "!outside",
		`join(" ", fileset(".", "{c,nothing}/{a,note}.???"))`: "!it is a link",
	} {
		src := "output \"o\" {\n  value = " + expr + "\n}\n"
		if err := os.WriteFile(filepath.Join(dir, "main.sync.hcl"), []byte(src), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, diags := Load(t.Context(), Options{Fs: afero.NewOsFs(), Dir: dir, Catalog: draftTypes})
		if want, bad := strings.CutPrefix(want, "!"); bad {
			if !diags.HasErrors() || !strings.Contains(diags.Error(), want) {
				t.Errorf("%s: %v, want an error with %q", expr, diags, want)
			}
			continue
		}
		if diags.HasErrors() || Text(cfg.Outputs[0].Value) != want {
			t.Errorf("%s: %v %v, want %q", expr, diags, cfg.Outputs, want)
		}
	}
}
