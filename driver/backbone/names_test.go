package backbone_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Names that are not in the Unicode form that declarations have: with the ohm sign, and decomposed. A declaration has
// Ω and ä.
const (
	ohm        = "\u2126"     // its Unicode form is U+03A9
	decomposed = "Ta\u0308sk" // its Unicode form is T, U+00E4, sk
)

// TestNamesInTheServersSpelling checks that names are compared in one Unicode form, and that a person enters the
// server's own spelling, whichever end migrates.
func TestNamesInTheServersSpelling(t *testing.T) {
	t.Parallel()
	for _, example := range []string{"behind-firewall-master", "behind-firewall-slave"} {
		t.Run(example, func(t *testing.T) {
			t.Parallel()
			seed := smaller(t, example, `{"first": "Task", "second": "Task"}`, `{"first": "`+decomposed+`", "second": "`+ohm+`"}`,
				`"first": "priority", "second": "priority"`, `"first": "`+ohm+`", "second": "`+decomposed+`"`)
			for _, name := range []string{decomposed, ohm} { // the master's project comes first in the seed
				seed = []byte(strings.Replace(string(seed), `["Bug", "Task", "Epic"]`, `["Bug", "`+name+`", "Epic"]`, 1))
			}
			types, fields := "\"T\u00e4sk\" = \"\u03a9\"", "field \"\u03a9\" { to = \"T\u00e4sk\" }"
			if strings.HasSuffix(example, "master") { // the slave's end configures
				types, fields = "\"\u03a9\" = \"T\u00e4sk\"", "field \"T\u00e4sk\" { to = \"\u03a9\" }"
			}
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(filepath.Join("..", "..", "examples", example))); err != nil {
				t.Fatal(err)
			}
			b := newBenchOf(t, dir, seed)
			b.change(`Task = "Task"`, types, `field "priority" {}`, fields)
			p := b.plan()
			if len(p.Refusals()) != 0 {
				t.Fatalf("%+v", p.Refusals())
			}
			for _, s := range p.Steps {
				if s.Op != "configure" {
					continue
				}
				for _, v := range s.Manual.Values {
					if v.Name == "issue_types" && !(strings.Contains(v.Value, ohm) && strings.Contains(v.Value, decomposed)) {
						t.Errorf("entered is %q", v.Value)
					}
					if v.Name == "fields" && !(strings.Contains(v.Value, ohm) && strings.Contains(v.Value, decomposed)) {
						t.Errorf("entered is %q", v.Value)
					}
				}
			}
			if rep := b.apply(p); !rep.Finished {
				t.Fatal(unfinished(rep))
			}
			if p := b.plan(); len(p.Steps) != 0 {
				t.Fatalf("%s", text(t, p))
			}
		})
	}
}

// TestDriftInTheServersSpelling checks that a synchronization that is declared without a migration keeps its
// spelling.
func TestDriftInTheServersSpelling(t *testing.T) {
	t.Parallel()
	alike := strings.NewReplacer("COMMENTS", "true", "STATE", "stopped", `{ Bug = "Bug" }`,
		"{ \"T\u00e4sk\" = \"\u03a9\" }").Replace(directSync)
	seed := strings.Replace(string(smaller(t, "behind-firewall-master")), `["Bug", "Task", "Epic"]`,
		`["Bug", "`+decomposed+`", "Epic"]`, 1)
	seed = strings.Replace(seed, `["Bug", "Task", "Epic"]`, `["Bug", "`+ohm+`", "Epic"]`, 1)
	seed = strings.Replace(seed, `, {"first": "Task", "second": "Task"}`, "", 1)
	b := newBenchOf(t, t.TempDir(), []byte(seed))
	b.write(alike)
	b.person("create_sync", "server", "a", "transport", "direct", "first_project", "SAM2", "second_server_url",
		b.env["JIRA_B_URL"], "second_project", "SP2", "name", "dev")
	types, err := json.Marshal(map[string]string{decomposed: ohm})
	if err != nil {
		t.Fatal(err)
	}
	b.person("configure_sync", "server", "a", "first_project", "SAM2", "second_project", "SP2", "transport", "direct",
		"issue_types", string(types), "comments", "false")
	b.reach("?configure")
	b.write(strings.Replace(alike, "comments = true", "comments = false", 1))
	b.reach("?configure")
}
