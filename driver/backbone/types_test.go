package backbone_test

import (
	"cmp"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/backbone"
	"github.com/syncctl/syncctl/driver/backbone/syncinfo"
	"github.com/syncctl/syncctl/schema"
)

// lint loads a configuration without servers and returns what is wrong with it.
func lint(t *testing.T, hcl string) []string {
	t.Helper()
	fsys := afero.NewMemMapFs()
	if err := afero.WriteFile(fsys, "d/main.sync.hcl", []byte(hcl), 0o600); err != nil {
		t.Fatal(err)
	}
	d := backbone.New(driver.Env{Fs: fsys, Log: hclog.NewNullLogger(), Now: time.Now})
	_, diags := schema.Load(t.Context(), schema.Options{Fs: fsys, Dir: "d", Catalog: d.Types(), AllowUnset: true})
	var out []string
	for _, d := range diags {
		if d.Subject == nil || d.Subject.Start.Line == 0 {
			t.Errorf("%s has no place", d.Summary)
		}
		out = append(out, d.Summary)
		ways := map[string]string{"A cloud token without a user": "[[user]]", "Missing end": "[[master slave]]",
			"No issue type is mapped": "[[issue_types]]", "A password without a user": "[[user]]",
			"No secret for the server": "[[password] [token]]"}[d.Summary]
		if got := fmt.Sprint(schema.MissingOf(d).Ways); got != cmp.Or(ways, "[]") {
			t.Errorf("%s: an editor adds %s", d.Summary, got)
		}
	}
	return out
}

// valid is a correct configuration. Each test breaks one thing in it.
const valid = `
server "backbone" "a" {
  url      = "https://a.example"
  user     = "u"
  password = env("A_PASSWORD")
}
server "backbone" "b" {
  url      = "https://b.example"
  user     = "u"
  password = env("B_PASSWORD")
}
server "backbone" "c" {
  url        = "https://c.example"
  deployment = "cloud"
  user       = "u@c.example"
  token      = env("C_TOKEN")
}
sync "backbone" "old" {
  transport = "file"
  master {
    server  = server.backbone.a
    project = "A"
  }
  slave {
    server  = server.backbone.b
    project = "B"
  }
}
sync "backbone" "new" {
  transport = "direct"
  first {
    server  = server.backbone.b
    project = "B"
  }
  second {
    server  = server.backbone.c
    project = "A"
  }
  issue_types = { Bug = "Bug" }
  field "summary" {}
  field "assignee" { mapping = "user_passthrough_by_email" }
}
migration "backbone_to_cloud" "m" {
  from      = sync.backbone.old
  to        = sync.backbone.new
  migrating = "master"
}
`

func TestRulesOfTheProduct(t *testing.T) {
	if got := lint(t, valid); len(got) != 0 {
		t.Fatalf("the valid one: %v", got)
	}
	for _, rule := range syncinfo.Rules() {
		allow := "migrating = \"master\"\n  allow = [\"" + string(rule) + "\"]"
		if got := lint(t, strings.Replace(valid, `migrating = "master"`, allow, 1)); len(got) != 0 {
			t.Errorf("allow = [%q]: %v", rule, got)
		}
	}
	cases := []struct{ name, old, new, want string }{
		{"no secret", `  password = env("A_PASSWORD")`, ``, "No secret for the server"},
		{"two secrets", `password = env("A_PASSWORD")`, "password = env(\"A_PASSWORD\")\n  token = env(\"T\")",
			"Two secrets for one server"},
		{"password without user", `  user     = "u"
  password = env("A_PASSWORD")`, `  password = env("A_PASSWORD")`, "A password without a user"},
		{"cloud without user", `  user       = "u@c.example"`, ``, "A cloud token without a user"},
		{"no requests", `  url      = "https://a.example"`, "  url      = \"https://a.example\"\n  " +
			"requests_per_second = 0", "No requests allowed"},
		{"bad duration", `  url      = "https://a.example"`, "  url      = \"https://a.example\"\n  " +
			"request_timeout = \"soon\"", "Invalid duration"},
		{"missing end", `transport = "direct"`, `transport = "email"`, "Missing end"},
		{"file with the cloud", `    server  = server.backbone.a`, `    server  = server.backbone.c`,
			"No e-mail or file exchange with the cloud"},
		{"the cloud configures", "    server  = server.backbone.b\n    project = \"B\"\n  }\n  second",
			"    server  = server.backbone.c\n    project = \"B\"\n  }\n  second",
			"The cloud cannot configure this synchronization"},
		{"one project twice", "    server  = server.backbone.b\n    project = \"B\"\n  }\n}",
			"    server  = server.backbone.a\n    project = \"A\"\n  }\n}", "One project twice"},
		{"users by name", `mapping = "user_passthrough_by_email"`, `mapping = "user_passthrough_by_username"`,
			"Users must be mapped by e-mail"},
		{"users passed through", `{ mapping = "user_passthrough_by_email" }`, `{}`, "Users must be mapped by e-mail"},
		{"from is direct", `from      = sync.backbone.old`, `from      = sync.backbone.new`,
			"The original must use e-mail or files"},
		{"to is by file", `to        = sync.backbone.new`, `to        = sync.backbone.old`,
			"The new synchronization must be direct"},
		{"the wrong end migrates", `migrating = "master"`, `migrating = "slave"`,
			"The end that stays must configure the new synchronization"},
		{"the key changes", "    server  = server.backbone.c\n    project = \"A\"",
			"    server  = server.backbone.c\n    project = \"AA\"", "The project's key changes"},
		{"no cloud", "  deployment = \"cloud\"\n", "", "The second end must be the cloud"},
		{"no sample", "  migrating = \"master\"\n", "  migrating = \"master\"\n  verify { sample = 0 }\n",
			"Incorrect argument value"},
		{"half a deletion", "  migrating = \"master\"\n", "  migrating = \"master\"\n  delete_original " +
			"{ allow = 1.5 }\n", "Incorrect argument value"},
		{"no scheme", `https://a.example`, `a.example`, "Invalid base URL"},
		{"credentials in the URL", `https://a.example`, `https://u:p@a.example`, "Invalid base URL"},
		{"a secret project", `    project = "A"
  }
  slave`, "    project = env(\"A_TOKEN\")\n  }\n  slave", "Sensitive value where a plain one is needed"},
		{"a secret filter", `    project = "A"
  }
  slave`, "    project = \"A\"\n    jql = env(\"A_TOKEN\")\n  }\n  slave",
			"Sensitive value where a plain one is needed"},
		{"a secret issue type", `{ Bug = "Bug" }`, `{ Bug = env("A_TOKEN") }`,
			"Sensitive value where a plain one is needed"},
		{"no issue types", "  issue_types = { Bug = \"Bug\" }\n", "", "No issue type is mapped"},
		{"an empty map of issue types", `{ Bug = "Bug" }`, `{}`, "No issue type is mapped"},
		{"no such part", `migrating = "master"`, "migrating = \"master\"\n  accept = [\"coments\"]", "No such part"},
		{"an empty project", `project = "B"`, `project = ""`, "Invalid project key"},
		{"a project in lower case", `project = "B"`, `project = "Sp2"`, "Invalid project key"},
		{"unknown check", `migrating = "master"`, "migrating = \"master\"\n  allow = [\"everything\"]", "No such check"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(valid, c.old) {
				t.Fatal("the case does not fit the configuration")
			}
			got := lint(t, strings.Replace(valid, c.old, c.new, 1))
			for _, summary := range got {
				if summary == c.want {
					return
				}
			}
			t.Fatalf("got %v, want %q", got, c.want)
		})
	}
}
