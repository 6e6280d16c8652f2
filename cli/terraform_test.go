package cli

import (
	"strings"
	"testing"

	"github.com/syncctl/syncctl/docs"
)

// TestWordsOfTerraform: each word and flag of Terraform that syncctl does not have gets a line that says what to use,
// and no table holds a word that syncctl has.
func TestWordsOfTerraform(t *testing.T) {
	tried := map[string]bool{}
	for line, want := range map[string]string{
		"plan -input=false": "SYNCCTL_INPUT", "apply -input=false": "SYNCCTL_INPUT", "init -input=false": "SYNCCTL_INPUT",
		"plan -lock=false": "lock", "apply -lock=false": "lock", "plan -lock-timeout=3m": "exit code 7",
		"plan -refresh-only": "syncctl plan", "apply -refresh-only": "syncctl plan", "apply -refresh=false": "-observations",
		"plan -destroy": "removed", "apply -destroy": "removed",
		"plan -state=x":      "no state file",
		"apply -state-out=x": "no state file", "apply -backup=x": "no state file", "output -state=x": "no state file",
		"validate -recursive": "fmt", "fmt -write=false": "-check", "plan -parallelism=3": "apply",
		"init -upgrade": "no init", "init -backend=false": "no init", "init -backend-config=x": "no init",
		"init -migrate-state": "no init", "init -reconfigure": "no init", "init -force-copy": "no init",
		"init -get=false": "nothing to fetch", "init -plugin-dir=x": "built in", "init -lockfile=readonly": "built in",
		"init -from-module=x": "-example", "apply -out=x": "syncctl plan -out=FILE",
		"apply -detailed-exitcode": "apply --help", "plan -allow-missing": "resolve",
		"apply -generate-config-out=x": "syncctl import", "import -id=x": "syncctl import SERVER",
		"import -config=x": "-chdir", "import -provider=x": "syncctl import SERVER",
		"destroy": "removed", "state": "no state file", "state list": "no state file", "refresh": "every plan",
		"taint x": "resolve STEP -retry", "untaint x": "resolve STEP -done", "force-unlock 1": "syncctl status",
		"workspace new x": "folder", "env list": "folder", "providers": "built in",
		"providers lock": "built in", "get": "nothing to fetch", "login x": "blocks declare", "logout x": "log out",
		"push x": "syncctl apply", "modules": "metadata", "stacks": "folder", "show terraform.tfstate": "no state file",
	} {
		c := &command{app: &app{env: func(string) (string, bool) { return "", false }}}
		root := c.root()
		words := strings.Fields(line)
		given, err := c.arguments(root, words)
		if err == nil && words[0] != "show" {
			found, rest, _ := root.Find(given)
			if err = found.ParseFlags(rest); err == nil {
				t.Errorf("%s is there: take it out of the test", line)
				continue
			}
			err = flagError(found, err)
		}
		if words[0] == "show" {
			err = tfstate(words[1])
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", line, err, want)
		}
		if len(words) > 1 && words[1][0] == '-' {
			flag, _, _ := strings.Cut(words[1][1:], "=")
			tried[flag], tried[words[0]+" "+flag] = true, true
		}
		tried[words[0]] = true
	}
	root := (&command{app: &app{}}).root()
	for _, table := range []map[string]string{otherFlags, otherCommands} {
		for word := range table {
			if !tried[word] {
				t.Errorf("%s is in a table and not in this test", word)
			}
		}
	}
	page, err := docs.Files.ReadFile("terraform.md")
	if err != nil {
		t.Fatal(err)
	}
	for word := range otherCommands {
		if !strings.Contains(string(page), "`"+strings.ReplaceAll(word, "-", "_")) && !strings.Contains(string(page), " "+word+"`") {
			t.Errorf("docs/terraform.md says nothing of %s", word)
		}
		if cmd, _, err := root.Find([]string{word}); err == nil && cmd != root {
			t.Errorf("%s is a command of syncctl", word)
		}
	}
}
