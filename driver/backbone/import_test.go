package backbone_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/backbone"
	"github.com/syncctl/syncctl/schema"
)

// importing returns as HCL what is imported from a server.
func (b *bench) importing(server string) string {
	b.t.Helper()
	cfg, found := b.found(server)
	return string(schema.WriteDrafts(cfg, found))
}

// found returns what is found on a server.
func (b *bench) found(server string) (*schema.Config, []schema.Draft) {
	b.t.Helper()
	cfg, d := b.load()
	found, err := d.(driver.Importer).Import(b.t.Context(), driver.ImportRequest{Declared: cfg.Resources,
		Server: cfg.Lookup(schema.Addr{Kind: schema.Server, Type: "backbone", Name: server})})
	if err != nil {
		b.t.Fatal(err)
	}
	return cfg, found
}

// adopt imports from a server into a file of the configuration, and expects that a plan has nothing to do.
func (b *bench) adopt(server string) (string, *schema.Config) {
	b.t.Helper()
	text := b.importing(server)
	if err := os.WriteFile(filepath.Join(b.dir, "imported.sync.hcl"), []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
	if p := b.plan(); len(p.Steps) != 0 || len(p.Findings) != 0 {
		b.t.Fatalf("after importing\n%s\nthere is something to do: %s", text, p.Findings)
	}
	cfg, _ := b.load()
	return text, cfg
}

// serversOf returns a bench on the servers of an example, with only the servers declared.
func serversOf(t *testing.T, example string, change ...string) *bench {
	t.Helper()
	b := edited(t, example, change...)
	headers := []string{`migration "backbone_to_cloud" "support"`, `sync "backbone" "support"`}
	for _, name := range []string{"support_files", "support_mail"} {
		if src, err := os.ReadFile(filepath.Join(b.dir, "main.sync.hcl")); err == nil && strings.Contains(string(src), name) {
			headers = append(headers, `sync "backbone" "`+name+`"`)
		}
	}
	b.without(headers...)
	return b
}

func TestImportHalves(t *testing.T) {
	t.Parallel()
	for example, transport := range map[string]string{"behind-firewall-slave": "file", "email-in-error": "email"} {
		for _, from := range []string{"a", "b"} {
			t.Run(example+" from "+from, func(t *testing.T) {
				t.Parallel()
				b := serversOf(t, example)
				_, cfg := b.adopt(from)
				r := cfg.Lookup(schema.Addr{Kind: schema.Sync, Type: "backbone", Name: "support_a_support_b"})
				if r == nil {
					t.Fatal("the synchronization is not declared")
				}
				for path, want := range map[string]string{
					"transport": transport, "name": "Support A <> Support B", "state": "running",
					"master.server": "server.backbone.a", "master.project": "SAM2",
					"slave.server": "server.backbone.b", "slave.project": "SP2", "slave.key": "",
					"issue_types.Bug": "Bug", "issue_types.Task": "Task", "comments": "true", "attachments": "true",
					"field.assignee.mapping": "user_passthrough_by_username", "field.summary.mapping": "passthrough",
				} {
					if got := r.Text(strings.Split(path, ".")...); got != want {
						t.Errorf("%s is %q, want %q", path, got, want)
					}
				}
				for _, server := range []string{"a", "b"} {
					if again := b.importing(server); again != "" {
						t.Errorf("imported from %s once more: %s", server, again)
					}
				}
			})
		}
	}
}

// TestImportDirect checks that the new synchronization is found after the migration, and its other end by its
// address.
func TestImportDirect(t *testing.T) {
	t.Parallel()
	b := edited(t, "behind-firewall-slave")
	if rep := b.apply(b.plan()); !rep.Finished {
		t.Fatal(unfinished(rep))
	}
	b.without(`migration "backbone_to_cloud" "support"`, `sync "backbone" "support"`, `sync "backbone" "support_files"`)
	_, cfg := b.adopt("a")
	r := cfg.Lookup(schema.Addr{Kind: schema.Sync, Type: "backbone", Name: "support_sam2_sp2"})
	if r == nil || r.Text("second", "server") != "server.backbone.b_cloud" || r.Text("first", "key") != "" ||
		r.Text("field", "assignee", "mapping") != "user_passthrough_by_email" {
		t.Fatalf("%#v", r)
	}
	if text := b.importing("b_cloud"); strings.Contains(text, "{") {
		t.Errorf("imported from the cloud, which has no interface: %s", text)
	}

	// If its other end is not declared, it is drafted with its address.
	if err := os.Remove(filepath.Join(b.dir, "imported.sync.hcl")); err != nil {
		t.Fatal(err)
	}
	b.without(`server "backbone" "b_cloud"`)
	if text := b.importing("a"); !strings.Contains(text, `"`+b.env["JIRA_B_CLOUD_URL"]+`"`) ||
		!strings.Contains(text, "server  = server.backbone.server_") {
		t.Error(text)
	}
}

// TestImportWithoutTheOtherEnd checks that what no server shows becomes a variable, not a guess.
func TestImportWithoutTheOtherEnd(t *testing.T) {
	t.Parallel()
	b := serversOf(t, "behind-firewall-slave")
	b.without(`server "backbone" "b"`, `server "backbone" "b_cloud"`, `variable "jira_b_password"`,
		`variable "jira_b_cloud_token"`)
	text := b.importing("a")
	if err := os.WriteFile(filepath.Join(b.dir, "imported.sync.hcl"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, diags := schema.Load(t.Context(), schema.Options{
		Fs: afero.NewOsFs(), Dir: b.dir, Catalog: backbone.New(driver.Env{}).Types(), AllowUnset: true,
		Env: func(name string) (string, bool) { v, ok := b.env[name]; return v, ok },
	})
	if diags.HasErrors() {
		t.Fatalf("%v\n%s", diags, text)
	}
	server := cfg.Lookup(schema.Addr{Kind: schema.Server, Type: "backbone", Name: "a_int_4_slave"})
	sync := cfg.Lookup(schema.Addr{Kind: schema.Sync, Type: "backbone", Name: "support_a_support_b"})
	if server == nil || sync == nil || server.Text("url") != "(unknown)" || !schema.IsSensitive(server.Get("password")) ||
		sync.Ref("slave", "server") != server || sync.Text("slave", "project") != "SP2" {
		t.Fatal(text)
	}
	if !slices.Contains(cfg.Variables(), "a_int_4_slave_url") || !cfg.SecretVariable("a_int_4_slave_password") {
		t.Error(cfg.Variables())
	}
}

// TestImportDocumentedMembersOnly checks that nothing is guessed if a server shows only documented members.
func TestImportDocumentedMembersOnly(t *testing.T) {
	t.Parallel()
	b := serversOf(t, "behind-firewall-master", `"random": 2,`, `"random": 2, "assumed_members": false,`)
	if text := b.importing("a"); strings.Contains(text, "{") || !strings.Contains(text, "INT-4") {
		t.Errorf("%s", text)
	}
}

// TestImportUnreachable checks that if another Jira cannot be reached, its end is left open, without an error.
func TestImportUnreachable(t *testing.T) {
	t.Parallel()
	b := serversOf(t, "behind-firewall-slave")
	b.env["JIRA_B_URL"] = "https://127.0.0.1:1"
	if text := b.importing("a"); !strings.Contains(text, "server.backbone.a_int_4_slave") ||
		!strings.Contains(text, "server.backbone.b could not be asked") {
		t.Error(text)
	}
}

// TestImportUnreachableSecondEnd checks that another Jira that cannot be reached is still referred to by its address.
func TestImportUnreachableSecondEnd(t *testing.T) {
	t.Parallel()
	b := serversOf(t, "behind-firewall-slave") // with a half that the other Jira is asked about
	b.env["SYNCCTL_VAR_jira_b_password"] = "not-the-password"
	b.person("create_sync", "server", "a", "first_project", "SAM2", "second_project", "SP2", "transport", "direct",
		"name", "One <> Two", "second_server_url", b.env["JIRA_B_URL"])
	text := b.importing("a")
	if !strings.Contains(text, `sync "backbone" "one_two"`) || !strings.Contains(text, "= server.backbone.b\n") ||
		strings.Contains(text, b.env["JIRA_B_URL"]+`"`) || !strings.Contains(text, "server.backbone.a_int_4_slave") {
		t.Error(text)
	}
}

// TestImportBothHalves checks that two halves on one Jira are one draft, which says that it declares the other key,
// too.
func TestImportBothHalves(t *testing.T) {
	t.Parallel()
	const more = `"projects": [{"key": "ONE", "name": "One", "issue_types": ["Bug", "Task"]},
		{"key": "TWO", "name": "Two", "issue_types": ["Bug", "Task"]},`
	b := serversOf(t, "behind-firewall-slave", `"projects": [`, more)
	b.without(`server "backbone" "b"`, `server "backbone" "b_cloud"`, `variable "jira_b_password"`,
		`variable "jira_b_cloud_token"`)
	// The simulated Jiras make no two halves of one: that on b, which nobody has declared, only lets the slave be made.
	halves := [][]string{{"a", "ONE", "master", "TWO"}, {"b", "ONE", "master", "TWO"}, {"a", "TWO", "slave", "ONE"}}
	for _, h := range halves {
		b.person("create_half", "server", h[0], "project", h[1], "role", h[2], "transport", "email", "partner_project", h[3])
	}
	_, found := b.found("a")
	var got []string
	for i := range found {
		if found[i].ID != "" {
			got = append(got, found[i].ID+" with "+strings.Join(found[i].With, " "))
		}
	}
	if want := []string{"INT-4 with ", "INT-5 with INT-6"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestImportAlike checks that synchronizations of a project that look the same are drafted with their keys.
func TestImportAlike(t *testing.T) {
	t.Parallel()
	b := serversOf(t, "behind-firewall-master")
	for range 2 {
		b.person("create_sync", "server", "a", "first_project", "SAM2", "second_project", "SP2", "transport", "direct",
			"name", "One <> Two", "second_server_url", b.env["JIRA_B_URL"])
	}
	text, cfg := b.adopt("a")
	one := cfg.Lookup(schema.Addr{Kind: schema.Sync, Type: "backbone", Name: "one_two"})
	two := cfg.Lookup(schema.Addr{Kind: schema.Sync, Type: "backbone", Name: "one_two_2"})
	if one == nil || two == nil || one.Text("first", "key") == "" || one.Text("first", "key") == two.Text("first", "key") {
		t.Error(text)
	}
}

// TestImportFolded checks that synchronizations that differ only in a few arguments become one block with for_each,
// whose plan is empty.
func TestImportFolded(t *testing.T) {
	t.Parallel()
	b := serversOf(t, "behind-firewall-master")
	for _, name := range []string{"One", "Two", "Three", "Four"} {
		b.person("create_sync", "server", "a", "first_project", "SAM2", "second_project", "SP2", "transport", "direct",
			"name", name, "second_server_url", b.env["JIRA_B_URL"])
	}
	text, cfg := b.adopt("a")
	keys := map[string]bool{}
	for _, name := range []string{"one", "two", "three", "four"} {
		r := cfg.Lookup(schema.Addr{Kind: schema.Sync, Type: "backbone", Name: "imported", Index: `["` + name + `"]`})
		if r == nil {
			t.Fatal(text)
		}
		keys[r.Text("first", "key")] = true
	}
	if len(keys) != 4 {
		t.Error(keys, text)
	}
}
