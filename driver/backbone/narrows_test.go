package backbone_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/sandbox"
)

// change replaces text in the files of a bench: each old text is followed by the new one.
func (b *bench) change(pairs ...string) {
	b.t.Helper()
	name := filepath.Join(b.dir, "main.sync.hcl")
	src, err := os.ReadFile(name)
	if err != nil {
		b.t.Fatal(err)
	}
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(string(src), pairs[i]) {
			b.t.Fatalf("no %q in the files", pairs[i])
		}
	}
	if err := os.WriteFile(name, []byte(strings.NewReplacer(pairs...).Replace(string(src))), 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// changed returns the parts that a plan's findings of a rule are about, with their severity.
func changed(p *planner.Plan, rule string) []string {
	var out []string
	for _, f := range p.Findings {
		if f.Rule == "backbone/"+rule {
			part, _, _ := strings.Cut(f.Summary, ":")
			out = append(out, string(f.Severity)+" "+part)
		}
	}
	slices.Sort(out)
	return out
}

// TestNarrowing checks that it is refused until it is accepted by name if the new synchronization loses or changes
// something, whichever end migrates.
func TestNarrowing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		example string
		edit    []string
		want    []string
		notes   []string
	}{
		"nothing": {"behind-firewall-master", nil, nil, []string{"note field.assignee"}},
		"dropped": {"behind-firewall-master", []string{"  attachments = true", "  attachments = false",
			"  comments    = true\n", "", "  field \"description\" {}\n", "", `Task = "Task" `, ""},
			[]string{"refuse attachments", "refuse comments", "refuse field.description", "refuse issue_types.Task"},
			[]string{"note field.assignee"}},
		"accepted in part": {"behind-firewall-slave", []string{"  comments    = true\n", "",
			"  field \"priority\" {}\n", "", "  migrating = ", "  accept    = [\"field.priority\"]\n  migrating = "},
			[]string{"refuse comments", "warn field.priority"}, []string{"note field.assignee"}},
		"changed": {"behind-firewall-slave", []string{
			`field "priority" {}`, "field \"priority\" {\n mapping = \"to_text\"\n}",
			`Task = "Task"`, `Task = "Bug"`, "server  = server.backbone.b_cloud", "server = server.backbone.b_cloud\n" +
				`jql = "labels = x"`},
			[]string{"refuse field.priority", "refuse issue_types.Task", "refuse second.jql"},
			[]string{"note field.assignee"}},
		"the original is kept": {"behind-firewall-slave", []string{"  comments    = true\n", "",
			"  delete_original {\n    allow = 2\n  }\n", ""},
			[]string{"warn comments"}, []string{"note field.assignee"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := edited(t, c.example)
			b.change(c.edit...)
			p := b.plan()
			if got := changed(p, "narrows"); !slices.Equal(got, c.want) {
				t.Errorf("narrows: %v, want %v", got, c.want)
			}
			if got := changed(p, "by-email"); !slices.Equal(got, c.notes) {
				t.Errorf("by e-mail: %v, want %v", got, c.notes)
			}
			refused := slices.ContainsFunc(c.want, func(s string) bool { return strings.HasPrefix(s, "refuse") })
			if got := len(p.Refusals()) > 0; got != refused {
				t.Errorf("refused: %v, want %v", got, refused)
			}
		})
	}
}

// TestWidening checks that additions of the new synchronization are notes.
func TestWidening(t *testing.T) {
	t.Parallel()
	b := edited(t, "behind-firewall-master")
	b.change(`field "priority" {}`, "field \"priority\" {}\nfield \"labels\" {}")
	p := b.plan()
	if got := changed(p, "widens"); !slices.Equal(got, []string{"note field.labels"}) || len(p.Refusals()) > 0 {
		t.Fatal(got, p.Refusals())
	}
}

// TestOriginalUnreadable checks that what can neither be read from the original nor is declared must be accepted.
func TestOriginalUnreadable(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ declared, want string }{
		"nothing declared": {"", "refuse field refuse first.jql refuse issue_types refuse second.jql"},
		"declared": {`issue_types = { Bug = "Bug", Task = "Task" }` + "\nfield \"summary\" {}\nfield \"status\" {}\n",
			"refuse direction refuse field.status refuse first.jql refuse second.jql"},
		"declared with its direction": {`issue_types = { Bug = "Bug", Task = "Task" }` +
			"\nfield \"summary\" {\ndirection = \"bidirectional\"\n}\n", "refuse first.jql refuse second.jql"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := blind(t)
			b.change(`transport = "file"`, "transport = \"file\"\n"+c.declared)
			if got := strings.Join(changed(b.plan(), "narrows"), " "); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

// TestDirection checks that the direction of field mappings is compared if servers show it, whichever end migrates.
// If they do not, it is unknown, and must be declared or accepted by name.
func TestDirection(t *testing.T) {
	t.Parallel()
	const summary, oneWay = `"first": "summary",`, `"direction": "first_to_second", "first": "summary",`
	hidden := []any{}
	for _, route := range []string{"integrations", "integrations/*"} {
		for _, list := range []string{"", "[]."} {
			hidden = append(hidden, sandbox.Hidden{Part: sandbox.Part{Method: "GET",
				Route:  "/plugins/servlet/backbone-issue-sync/api/*/" + route,
				Member: list + "fieldMappings[].direction"}, Way: sandbox.Removed})
		}
	}
	const plain, there, back = "field \"summary\" {}", "field \"summary\" {\ndirection = \"first_to_second\"\n}",
		"field \"summary\" {\ndirection = \"second_to_first\"\n}"
	for name, c := range map[string]struct {
		example string
		seed    []string
		edit    []string
		hide    []any
		want    []string
	}{
		"lost":                     {"behind-firewall-slave", []string{summary, oneWay}, nil, nil, []string{"refuse field.summary"}},
		"kept":                     {"behind-firewall-slave", []string{summary, oneWay}, []string{plain, there}, nil, nil},
		"kept, from the other end": {"behind-firewall-master", []string{summary, oneWay}, []string{plain, back}, nil, nil},
		"turned": {"behind-firewall-master", []string{summary, oneWay}, []string{plain, there}, nil,
			[]string{"refuse field.summary"}},
		"a new one": {"behind-firewall-slave", nil, []string{plain, there}, nil, []string{"refuse field.summary"}},
		"accepted": {"behind-firewall-slave", nil, []string{plain, there,
			"  migrating = ", "  accept = [\"field.summary\"]\n  migrating = "}, nil, []string{"warn field.summary"}},
		"unknown": {"behind-firewall-slave", nil, nil, hidden, []string{"refuse direction"}},
		"unknown, accepted": {"behind-firewall-slave", nil, []string{"  migrating = ",
			"  accept = [\"direction\"]\n  migrating = "}, hidden, []string{"warn direction"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := edited(t, c.example)
			b = newBenchOf(t, b.dir, smaller(t, c.example, c.seed...), c.hide...)
			if c.edit != nil {
				b.change(c.edit...)
			}
			if got := changed(b.plan(), "narrows"); !slices.Equal(got, c.want) {
				t.Errorf("narrows: %v, want %v", got, c.want)
			}
		})
	}
}

// TestReplaced checks that losses and changes are data in the plan, with the original and the new value.
func TestReplaced(t *testing.T) {
	t.Parallel()
	b := edited(t, "behind-firewall-slave")
	b.change("  attachments = true", "  attachments = false", "  field \"priority\" {}\n", "",
		"  field \"description\" {}", "  field \"description\" {\n direction = \"second_to_first\"\n}\n field \"labels\" {}",
		`Task = "Task"`, `Task = "Bug"`, "server  = server.backbone.b_cloud",
		"server = server.backbone.b_cloud\n"+`jql = "labels = x"`,
		"  migrating = ", "  accept    = [\"field.priority\"]\n  migrating = ")
	var got []string
	for _, c := range b.plan().Changes {
		for _, r := range c.Replaced {
			line := fmt.Sprintf("%s: %s | %s | %s", r.Part, r.Original, r.New, r.Becomes)
			if r.Accepted {
				line += " accepted"
			}
			got = append(got, line)
		}
	}
	want := []string{
		"attachments: on | off | lost",
		"field.assignee: assignee (user_passthrough_by_username) | assignee (user_passthrough_by_email) | changed",
		"field.description: description (passthrough) | description (passthrough), second_to_first | changed",
		"field.labels: not mapped | labels (passthrough) | added",
		"field.priority: priority (passthrough) | not mapped | lost accepted",
		"issue_types.Task: Task | Bug | changed",
		"second.jql: no filter | labels = x | changed",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// blind returns a bench whose servers show only what is documented.
func blind(t *testing.T) *bench {
	t.Helper()
	b := edited(t, "behind-firewall-master")
	return newBenchOf(t, b.dir, smaller(t, "behind-firewall-master", `"random": 2,`,
		`"random": 2, "assumed_members": false,`))
}

// TestConflictsAreNotConfigured checks that a new synchronization with conflicts does not count as configured, so it
// is never started.
func TestConflictsAreNotConfigured(t *testing.T) {
	t.Parallel()
	b := edited(t, "behind-firewall-slave")
	b.change(`Task = "Task"`, `Task = "Task", Feature = "Feature"`)
	b.person("move_project_to_cloud", "server", "b", "project", "SP2", "cloud_server", "b_cloud")
	where := []string{"server", "a", "first_project", "SAM2", "second_project", "SP2", "transport", "direct"}
	b.person("create_sync", append(where, "name", "Support SAM2 <> SP2", "second_server_url",
		b.env["JIRA_B_CLOUD_URL"])...)
	b.person("configure_sync", append(where, "comments", "true", "attachments", "true",
		"issue_types", `{"Bug":"Bug","Task":"Task","Feature":"Feature"}`,
		"fields", `[{"first":"summary","second":"summary","mapping":"passthrough"},`+
			`{"first":"description","second":"description","mapping":"passthrough"},`+
			`{"first":"priority","second":"priority","mapping":"passthrough"},`+
			`{"first":"assignee","second":"assignee","mapping":"user_passthrough_by_email"}]`)...)
	d, task := b.task(planner.Step{Op: "configure", Verb: "configure"})
	v, err := d.Verify(t.Context(), task)
	if err != nil || v.State != executor.NotDone || !strings.Contains(v.Why, "Feature does not exist") {
		t.Fatal(v, err)
	}
}

// TestNewWithoutIssueTypes checks that a direct synchronization without a migration is not created without issue
// types.
func TestNewWithoutIssueTypes(t *testing.T) {
	t.Parallel()
	b := edited(t, "behind-firewall-slave")
	b.without(originalHeader, migrationHeader)
	b.change("  issue_types = { Bug = \"Bug\", Task = \"Task\" }\n", "")
	if got := rules(b.plan(), planner.Refuse); !slices.Equal(got, []string{"backbone/no-issue-types"}) {
		t.Fatal(got)
	}
}
