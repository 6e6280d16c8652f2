package backbone_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/sandbox"
)

// fleet is a seed and a configuration of n direct synchronizations between two Jira servers; with made, they are all
// there as declared.
func fleet(n int, made bool) (seed []byte, hcl string) {
	type m = map[string]any
	servers, syncs := m{}, []m{}
	for _, s := range []string{"a", "b"} {
		upper := strings.ToUpper(s)
		var projects []m
		for i := range n {
			projects = append(projects, m{"key": fmt.Sprintf("P%d", i), "name": fmt.Sprint("Project ", i),
				"issue_types": []string{"Bug"}})
		}
		servers[s] = m{"deployment": "data_center", "backbone_version": "5.21", "jira_version": "9.12.2",
			"sync_user": "backbone", "projects": projects,
			"env": m{"url": "JIRA_" + upper + "_URL", "user": "JIRA_" + upper + "_USER",
				"password": "SYNCCTL_VAR_jira_" + s + "_password"},
			"users": []m{{"name": "syncctl", "display_name": "S", "email": "s@x.example", "password": "geheim-" + s,
				"permission": "system_admin"}, {"name": "backbone", "display_name": "B", "email": "b@x.example",
				"permission": "none"}}}
	}
	var declared strings.Builder
	for i := range n {
		key := fmt.Sprintf("P%d", i)
		fmt.Fprintf(&declared, `
sync "backbone" %[1]q {
  transport = "direct"
  first {
    server  = server.backbone.a
    project = %[1]q
  }
  second {
    server  = server.backbone.b
    project = %[1]q
  }
  issue_types = { Bug = "Bug" }
  field "summary" {}
}
`, key)
		if made {
			syncs = append(syncs, m{"transport": "direct", "name": key, "issue_types": []m{{"first": "Bug", "second": "Bug"}},
				"first":  m{"server": "a", "project": key, "status": "RUNNING"},
				"second": m{"server": "b", "project": key}, "fields": []m{{"first": "summary", "second": "summary"}}})
		}
	}
	seed, err := json.Marshal(m{"backbone": m{"now": "2026-01-01T00:00:00Z", "servers": servers, "syncs": syncs}})
	if err != nil {
		panic(err)
	}
	return seed, declared.String()
}

// TestRequests is the table of how many requests a plan makes of both servers together, and that none asks for the
// same twice. Validating asks for nothing. A plan lists the synchronizations of each project on the Jira that
// configures them: a list of all projects needs an administrator of Jira, and does not say what it leaves out for
// others (HC/5.2/cloud/integration-synchronization-actions). Of each that is there it reads the configuration and its
// conflicts, which no listing shows.
func TestRequests(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		what string
		made bool
		want map[int]int // by number of synchronizations
	}{
		{"nothing there yet", false, map[int]int{1: 1, 10: 10, 100: 100}},
		{"all there", true, map[int]int{1: 3, 10: 30, 100: 300}},
	} {
		for n, want := range c.want {
			t.Run(fmt.Sprintf("%s, %d", c.what, n), func(t *testing.T) {
				t.Parallel()
				var log syncBuffer
				seed, hcl := fleet(n, c.made)
				b := newBenchOf(t, t.TempDir(), seed, benchLog{&log})
				b.write(hcl)
				b.load()
				if log := log.Bytes(); len(log) > 0 {
					t.Errorf("validating made requests: %s", log)
				}
				p := b.plan()
				if err := b.box.Close(); err != nil {
					t.Error(err)
				}
				if (len(p.Steps) == 0) != c.made || len(p.Refusals()) > 0 {
					t.Errorf("%d steps, %+v", len(p.Steps), p.Refusals())
				}
				asked, all := map[string]bool{}, 0
				for dec := json.NewDecoder(bytes.NewReader(log.Bytes())); dec.More(); all++ {
					var l sandbox.AccessLine
					if err := dec.Decode(&l); err != nil {
						t.Fatal(err)
					}
					what := l.Server + " " + l.Method + " " + l.Path + "?" + l.Query
					if asked[what] {
						t.Errorf("asked twice: %s", what)
					}
					asked[what] = true
				}
				if all != want {
					t.Errorf("%d requests, want %d", all, want)
				}
			})
		}
	}
}
