package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// typedWhole are the pages whose commands another test types as they are written, by that test.
var typedWhole = map[string]string{
	"testing.md": "TestReadme", "tutorials/backbone.md": "TestTutorials", "tutorials/fleet.md": "TestTutorials",
	"tutorials/teamwork-cloud.md": "TestTutorials", "two-companies.md": "TestRunbook",
	"review.md": "cli/testdata/script/reviewpage.txtar",
}

// typedIn has the other commands of the pages. Their names stand for the reader's own, so that a script types them with
// names of its own: which file, and what stands there.
var typedIn = map[string][2]string{
	`syncctl plan -target='module.plant["north"]'`: {"cli/testdata/script/fleet.txtar",
		`exec syncctl plan '-target=module\.\w+\["`},
	"syncctl init": {"cli/testdata/script/initask.txtar", `syncctl init$`},
	"syncctl import server.TYPE.NAME -out=found.sync.hcl": {"cli/testdata/script/json.txtar",
		`exec syncctl import server\.\S+ .*-out=found\.sync\.hcl`},
	"syncctl plan": {"cli/testdata/script/importurl.txtar", `syncctl plan`},
	"syncctl import server.TYPE.NAME -url=https://HOST -user=USER -out=found.sync.hcl": {
		"cli/testdata/script/importurl.txtar", `exec syncctl import server\.\S+ -url=\S+ -user=\S+ .*-out=found\.sync\.hcl`},
	"syncctl import keystore.pkcs12.hub": {"cmd/syncctl/testdata/script/keystoreimport.txtar",
		`exec syncctl import keystore\.pkcs12\.hub$`},
	"syncctl import keystore.pkcs12.hub -update": {"cmd/syncctl/testdata/script/keystoreimport.txtar",
		`exec syncctl import keystore\.pkcs12\.hub -update$`},
	"syncctl plan -generate-config-out=found.sync.hcl": {"cli/testdata/script/import.txtar",
		`^syncctl plan -generate-config-out=\$1`},
	"syncctl import server.teamwork_cloud.hub -from=server.teamwork_cloud.plant -out=found.sync.hcl": {
		"cli/testdata/script/import.txtar", `syncctl -chdir=ex import server\.\S+ -from=server\.`},
	"syncctl bundle inspect acme-3.syncbundle": {"cli/testdata/script/exchange.txtar",
		`exec syncctl bundle inspect .*globex-2\.syncbundle`},
	"syncctl bundle verify acme-3.syncbundle": {"cli/testdata/script/exchange.txtar",
		`exec syncctl bundle verify -key=\S+ globex-2\.syncbundle`},
	"syncctl bundle verify -signers=acme.pub acme-3.syncbundle": {"cli/testdata/script/exchange.txtar",
		`exec syncctl bundle verify -signers=\S+ .*globex-2\.syncbundle`},
	"syncctl send":                      {"cli/testdata/script/exchange.txtar", `exec syncctl send `},
	"syncctl receive acme-3.syncbundle": {"cli/testdata/script/exchange.txtar", `exec syncctl receive .*\.syncbundle`},
	"syncctl policy init -out ~/.config/syncctl/policy.hcl": {"cli/testdata/script/policy.txtar",
		`exec syncctl policy init -out=\S+/syncctl/policy\.hcl`},
	"syncctl validate -untrusted": {"cli/testdata/script/policy.txtar", `exec syncctl validate -untrusted`},
	"syncctl plan -untrusted -policy=/etc/syncctl/policy.hcl": {"cli/testdata/script/policy.txtar",
		`syncctl plan -untrusted`},
	"syncctl init -examples":         {"cli/testdata/script/init.txtar", `exec syncctl init -examples$`},
	"syncctl init -example=NAME DIR": {"cli/testdata/script/init.txtar", `exec syncctl init -example=example first`},
	"syncctl rehearse DIR":           {"cli/testdata/script/rehearse.txtar", `syncctl rehearse`},
}

var (
	indentedCommand = regexp.MustCompile(`(?m)^    (syncctl .*)$`)
	afterCommand    = regexp.MustCompile(` {2,}.*$`) // a remark
)

// commandsOf returns the commands of syncctl on a page, but for its conversations.
func commandsOf(page string) []string {
	var lines []string
	for _, m := range shellBlocks.FindAllStringSubmatch(page, -1) {
		lines = append(lines, strings.Split(strings.TrimSpace(m[1]), "\n")...)
	}
	for _, m := range indentedCommand.FindAllStringSubmatch(page, -1) {
		lines = append(lines, m[1])
	}
	var out []string
	for _, line := range lines {
		line = strings.TrimSpace(afterCommand.ReplaceAllString(line, ""))
		if strings.HasPrefix(line, "syncctl ") && !strings.HasSuffix(line, "{") {
			out = append(out, line)
		}
	}
	return out
}

// TestEveryCommandOfPagesIsTyped: each command in the guides is typed by a test, and takes the flags that it is shown
// with.
func TestEveryCommandOfPagesIsTyped(t *testing.T) {
	root := filepath.Join("..", "..")
	bin := linkedProgram(t)
	left := map[string]bool{}
	for command := range typedIn {
		left[command] = true
	}
	for name := range typedWhole {
		left[name] = true
	}
	for name, page := range pages(t, filepath.Join(root, "docs")) {
		if strings.HasPrefix(name, "reference/") || typedWhole[name] != "" {
			delete(left, name)
			continue
		}
		for _, command := range commandsOf(page) {
			in, ok := typedIn[command]
			if !ok {
				t.Errorf("docs/%s: no test types %q: add it to typedIn", name, command)
				continue
			}
			delete(left, command)
			script, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(in[0])))
			if err != nil || !regexp.MustCompile("(?m)"+in[1]).Match(script) {
				t.Errorf("docs/%s: %q is not typed in %s any more: %v", name, command, in[0], err)
			}
			cmd := exec.CommandContext(t.Context(), "sh", "-c", command+" -help")
			cmd.Env, cmd.Dir = append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH")), t.TempDir()
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("docs/%s: %q: %v\n%s", name, command, err, out)
			}
		}
	}
	for what := range left {
		t.Errorf("there is no %q any more", what)
	}
}
