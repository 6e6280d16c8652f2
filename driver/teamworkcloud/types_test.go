package teamworkcloud_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/schema"
)

// lint loads a configuration without servers and returns what is wrong with it.
func lint(t *testing.T, text string) hcl.Diagnostics {
	t.Helper()
	fsys := afero.NewMemMapFs()
	if err := afero.WriteFile(fsys, "d/main.sync.hcl", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	d := newBeside(driver.Env{Fs: fsys, Log: hclog.NewNullLogger(), Now: time.Now})
	_, diags := schema.Load(t.Context(), schema.Options{Fs: fsys, Dir: "d", Catalog: d.Types(), AllowUnset: true})
	return diags
}

// valid is a valid configuration in which each test changes one thing: two hops, one more sync, and an offload.
const valid = `
server "teamwork_cloud" "a" {
  url          = "https://a.example:8111"
  sync_address = "a.example:3579"
  user         = "u"
  password     = env("A_PASSWORD")
  host {
    ssh         = "admin@a.example"
    key_file    = "id"
    stop        = [["sudo", "systemctl", "stop", "twcloud"]]
    datamanager = ["/opt/dm/datamanager"]
  }
}
server "teamwork_cloud" "b" {
  url   = "https://b.example:8111"
  user  = "u"
  token = env("B_TOKEN")
}
server "teamwork_cloud" "c" {
  url      = "https://c.example:8111"
  user     = "u"
  password = env("C_PASSWORD")
  expect { major = "2024x" }
}
sync "teamwork_cloud" "ab" {
  source          = server.teamwork_cloud.a
  target          = server.teamwork_cloud.b
  categories      = ["Released/Powertrain"]
  resources       = ["Interface Library"]
  target_category = "From A"
}
sync "teamwork_cloud" "bc" {
  source          = server.teamwork_cloud.b
  target          = server.teamwork_cloud.c
  categories      = ["From A"]
  target_category = "Shared/From A"
  trigger         = "manual"
  upstream        = sync.teamwork_cloud.ab
}
sync "teamwork_cloud" "dormant" {
  source          = server.teamwork_cloud.a
  target          = server.teamwork_cloud.c
  categories      = ["Dormant"]
  target_category = "Archive"
}
migration "teamwork_cloud_offload" "dormant" {
  sync = sync.teamwork_cloud.dormant
  remove_from_source { allow = 3 }
}
`

func TestValid(t *testing.T) {
	if diags := lint(t, valid); len(diags) > 0 {
		t.Fatal(diags)
	}
}

// TestMistakes checks that mistakes which the files alone show are reported at their line.
func TestMistakes(t *testing.T) {
	for name, c := range map[string]struct {
		old, new string
		want     string // the summary, and a part of the detail
		line     string // text of the line that is shown
	}{
		"a base URL with a path": {`"https://a.example:8111"`, `"https://a.example:8111/osmc"`,
			"Invalid base URL: Leave /osmc out", "url"},
		"credentials in a URL": {`"https://a.example:8111"`, `"https://u:geheim@a.example:8111"`,
			"Invalid base URL: credentials do not belong", "url"},
		"no scheme": {`"https://a.example:8111"`, `"a.example:8111"`, "Invalid base URL: write https", "url"},
		"a scheme in sync_address": {`"a.example:3579"`, `"https://a.example"`,
			"Invalid address for synchronization: without a scheme", "sync_address"},
		"no port": {`"a.example:3579"`, `"a.example:tls"`, "Invalid port: not the number", "sync_address"},
		"two secrets": {`token = env("B_TOKEN")`, "token = env(\"B_TOKEN\")\n  password = env(\"B_PASSWORD\")",
			"Two secrets for one server: not both", "token"},
		"no secret": {`token = env("B_TOKEN")`, ``, "No secret for the server: anonymous",
			`server "teamwork_cloud" "b"`},
		"a password alone": {"user         = \"u\"\n", "", "A password without a user: Add user", "password"},
		"no major version": {`major = "2024x"`, `major = "2024x Refresh1"`,
			"Invalid major version: a year with an x", "major"},
		"no way to the machine": {`ssh         = "admin@a.example"`, ``, "No way to the machine: local = true", "host"},
		"two ways": {`ssh         = "admin@a.example"`, "ssh = \"admin@a.example\"\n    local = true",
			"Two ways to one machine: either", "local"},
		"no login": {`"admin@a.example"`, `"a.example"`, "Invalid SSH address: user@host", "ssh"},
		"a password in a login": {`"admin@a.example"`, `"admin:geheim@a.example"`, "A password in an address: a key",
			"ssh"},
		"no command": {`datamanager = ["/opt/dm/datamanager"]`, `datamanager = []`,
			"No command: must name a program", "datamanager"},
		"an empty command": {`[["sudo", "systemctl", "stop", "twcloud"]]`, `[["sudo"], []]`,
			"No command: must name a program", "stop"},
		"a secret on a command line": {
			`[["sudo", "systemctl", "stop", "twcloud"]]`, `[["stop", "-p", env("A_PASSWORD")]]`,
			"Sensitive value where a plain one is needed: host.stop.0.2", "stop",
		},
		"a secret for the Data Manager": {`["/opt/dm/datamanager"]`, `["/opt/dm/datamanager", env("A_PASSWORD")]`,
			"Sensitive value where a plain one is needed: host.datamanager.1", "datamanager"},
		"no time": {`expect { major = "2024x" }`, `request_timeout = "soon"`,
			"Invalid duration: a positive number with a unit", "request_timeout"},
		"a secret jump host": {`ssh         = "admin@a.example"`,
			"ssh = \"admin@a.example\"\n    jump = [env(\"A_PASSWORD\")]",
			"Sensitive value where a plain one is needed: host.jump.0", "jump"},
		"a secret user": {"user         = \"u\"\n", "user         = env(\"A_PASSWORD\")\n",
			"Sensitive value where a plain one is needed: user is shown", "user"},
		"a secret address": {`"a.example:3579"`, `env("A_PASSWORD")`,
			"Sensitive value where a plain one is needed: sync_address", "sync_address"},
		"two keys": {`key_file    = "id"`, "key_file = \"id\"\n    key = env(\"A_KEY\")",
			"Given twice: either key or key_file", "key_file"},
		"no requests": {`expect { major = "2024x" }`, `requests_per_second = 0`,
			"No requests allowed: above zero", "requests_per_second"},

		"nothing selected": {"categories      = [\"Released/Powertrain\"]\n  resources       = [\"Interface " +
			"Library\"]", "", "Nothing to synchronize: categories or resources", `"ab"`},
		"an empty selection": {"categories      = [\"Dormant\"]", "categories = []", "Nothing to synchronize",
			`"dormant"`},
		"selected twice": {`["Interface Library"]`, `["Interface Library", "Interface Library"]`,
			"Selected twice: stands twice", "resources"},
		"no name": {`["Interface Library"]`, `["/Interface Library"]`,
			"Invalid name: without spaces or slashes", "resources"},
		"a secret name": {`["Interface Library"]`, `[env("A_PASSWORD")]`,
			"Sensitive value where a plain one is needed: resources.0", "resources"},
		"a secret category": {`"Shared/From A"`, `env("A_PASSWORD")`,
			"Sensitive value where a plain one is needed: target_category", "target_category"},
		"a secret tag": {`trigger         = "manual"`,
			"trigger = \"commit_tag\"\n  tag = env(\"RELEASE_TOKEN\")", "Sensitive value where a plain one is needed: tag",
			"tag = "},
		"no category": {`"Shared/From A"`, `"Shared//From A"`, "Invalid category: write the path",
			"target_category"},
		"no tag": {`trigger         = "manual"`, `trigger = "commit_tag"`,
			"No tag to wait for: write the tag", "trigger"},
		"an empty tag": {`trigger         = "manual"`, "trigger = \"commit_tag\"\n  tag = \"\"",
			"No tag to wait for: must not be empty", "tag = "},
		"a tag for nothing": {`trigger         = "manual"`, "trigger = \"manual\"\n  tag = \"R1\"",
			"A tag that triggers nothing: the trigger is \"manual\"", "tag = "},
		"one server": {"target          = server.teamwork_cloud.c\n  categories      = [\"Dormant\"]",
			"target = server.teamwork_cloud.a\n  categories = [\"Dormant\"]", "One server twice: between clusters", "target"},
		"one server, two names": {`"https://c.example:8111"`, `"https://A.example:8111/"`, "One server twice", "target"},
		"a token alone as a source": {"user  = \"u\"\n  token", "token", "No user for the source: write user beside it",
			"source"},
		"hops that do not meet": {"source          = server.teamwork_cloud.b", "source = server.teamwork_cloud.a",
			"The hops do not meet: takes them from server.teamwork_cloud.a", "upstream"},
		"a removed hop before": {`target_category = "From A"`, "target_category = \"From A\"\n  state = \"removed\"",
			"The hop before is removed: no longer brings anything", "upstream"},
		"nothing is waited for": {`trigger         = "manual"`, "trigger = \"manual\"\n  verify { within = \"0s\" }",
			"Invalid duration", "within"},
		"an unknown part": {`trigger         = "manual"`,
			"trigger = \"manual\"\n  verify { compare = [\"colour\"] }", "", "compare"},
		"brought twice": {`categories      = ["Dormant"]`,
			"categories = [\"Dormant\"]\n  target_category = \"Elsewhere\"\n}\nsync \"teamwork_cloud\" \"more\" {\n  source " +
				"= server.teamwork_cloud.a\n  target = server.teamwork_cloud.c\n  categories = [\"Dormant\"]",
			"Synchronized twice: by sync.teamwork_cloud.dormant already", "categories"},
		"an offload by tag": {`target_category = "Archive"`,
			"target_category = \"Archive\"\n  trigger = \"manual\"", "The trigger must be every commit: every new commit",
			"sync "},
		"an offload of what is gone": {`target_category = "Archive"`,
			"target_category = \"Archive\"\n  state = \"removed\"", "The synchronization is removed: leave state out",
			"sync "},
		"editable and synchronized": {`remove_from_source { allow = 3 }`,
			"reactivate = true\n  remove_configuration = false", "Editable while it is synchronized: must stay read-only",
			"reactivate"},
		"not all verified": {`target_category = "Archive"`,
			"target_category = \"Archive\"\n  verify { compare = [\"author\", \"tags\"] }",
			"Not everything is verified before it is removed: date, description", "remove_from_source"},
	} {
		t.Run(name, func(t *testing.T) {
			mistaken(t, valid, c.old, c.new, c.want, c.line)
		})
	}
}

// TestCircles checks circles that the files alone show.
func TestCircles(t *testing.T) {
	sync := func(name, from, to, what, into string) string {
		return "sync \"teamwork_cloud\" \"" + name + "\" {\n  source = server.teamwork_cloud." + from +
			"\n  target = server.teamwork_cloud." + to + "\n  " + what + "\n  target_category = \"" + into + "\"\n}\n"
	}
	for name, c := range map[string]struct {
		more string
		want string
	}{
		"the same name both ways": {sync("ba", "b", "a", `resources = ["Interface Library"]`, "Back"),
			`"Interface Library" would come back to server.teamwork_cloud.a: sync.teamwork_cloud.ab -> sync.teamwork_cloud.ba`},
		"by its path": {sync("ba", "b", "a", `resources = ["From A/Interface Library"]`, "Back"),
			"sync.teamwork_cloud.ab -> sync.teamwork_cloud.ba"},
		"the category it is put into": {sync("ba", "b", "a", `categories = ["From A"]`, "Back"),
			"would come back to server.teamwork_cloud.a: sync.teamwork_cloud.ab -> sync.teamwork_cloud.ba"},
		"over three servers": {sync("ca", "c", "a", `categories = ["Shared/From A"]`, "Back"),
			"sync.teamwork_cloud.ab -> sync.teamwork_cloud.bc -> sync.teamwork_cloud.ca"},
		"something else":   {sync("ba", "b", "a", `resources = ["Brakes"]`, "Back"), ""},
		"another category": {sync("ba", "b", "a", `categories = ["Own"]`, "From B"), ""},
		"removed": {strings.Replace(sync("ba", "b", "a", `categories = ["From A"]`, "Back"),
			"target_category", "state = \"removed\"\n  target_category", 1), ""},
		"one resource over three": {sync("ca", "c", "a", `resources = ["Interface Library"]`, "Back"),
			`"Interface Library" would come back`},
		"something else over three":      {sync("ca", "c", "a", `resources = ["Brakes"]`, "Back"), ""},
		"to a server outside the circle": {sync("bd", "b", "c", `resources = ["Brakes"]`, "Other"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			diags := lint(t, valid+c.more)
			if c.want == "" {
				if len(diags) > 0 {
					t.Fatal(diags)
				}
				return
			}
			if len(diags) != 1 || diags[0].Summary != "Synchronized in a circle" || !strings.Contains(diags[0].Detail, c.want) {
				t.Fatalf("want %q once, got %v", c.want, diags)
			}
		})
	}
}

// TestUnknownValues checks that a configuration can be validated without its variables.
func TestUnknownValues(t *testing.T) {
	text := "variable \"x\" {}\nvariable \"xs\" { type = list(string) }\n" + strings.NewReplacer(
		`"a.example:3579"`, "var.x", `"https://b.example:8111"`, "var.x", `["Interface Library"]`, "var.xs", `["Dormant"]`,
		"[var.x]", `"Archive"`, "var.x", `"admin@a.example"`, "var.x", `"manual"`, "var.x",
	).Replace(valid)
	if diags := lint(t, text); diags.HasErrors() {
		t.Fatal(diags)
	}
}

// mistaken puts one mistake into a valid configuration, and checks what is reported ("summary: part of the detail")
// and at which line.
func mistaken(t *testing.T, right, old, wrong, want, line string) {
	t.Helper()
	if !strings.Contains(right, old) {
		t.Fatalf("%q is not in the configuration", old)
	}
	text := strings.Replace(right, old, wrong, 1)
	diags := lint(t, text)
	summary, detail, _ := strings.Cut(want, ": ")
	i := slices.IndexFunc(diags, func(d *hcl.Diagnostic) bool {
		return strings.Contains(d.Summary, summary) && strings.Contains(d.Detail, detail)
	})
	if i < 0 {
		t.Fatalf("want %q, got %v", want, diags)
	}
	missing := map[string]string{"No way to the machine": "[[ssh] [local]]", "No user for the source": "[[user]]",
		"No tag to wait for: write the tag": "[[tag]]", "No secret for the server": "[[password] [token]]",
		"A password without a user": "[[user]]"}
	if got := fmt.Sprint(schema.MissingOf(diags[i]).Ways); got != cmp.Or(missing[want], missing[summary], "[]") {
		t.Errorf("an editor adds %s", got)
	}
	for _, d := range diags {
		if strings.Contains(d.Summary+d.Detail, "geheim") {
			t.Errorf("a secret shows: %s", d.Detail)
		}
	}
	if at := strings.Split(text, "\n")[diags[i].Subject.Start.Line-1]; !strings.Contains(at, line) {
		t.Errorf("it is told at %q, want %q", at, line)
	}
}
