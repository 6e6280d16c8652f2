package backbone_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/executor"
)

// TestServersThatDiffer checks the points in which the documents disagree and servers differ. None of them alone may
// keep a migration from its end.
func TestServersThatDiffer(t *testing.T) {
	t.Parallel()
	b := `"deployment": "data_center",`
	variants := map[string][]string{
		"dates with a colon":             {`"random": 2,`, `"random": 2, "dates": "colon",`},
		"status words with underscores":  {b, b + `"status_words": "enum",`},
		"start and stop with POST only":  {b, b + `"verbs": ["POST"],`},
		"start and stop with PUT only":   {b, b + `"verbs": ["PUT"],`},
		"start of a running one refused": {b, b + `"repeat": "refuse",`},
		"no XSRF check":                  {`"require_xsrf": true`, `"require_xsrf": false`},
		"a context path":                 {b, b + `"context_path": "/jira",`},
		"slow appliance of messages":     {`"random": 2,`, `"random": 2, "messages_per_tick": 1,`},
		"project administrators": {`"permission": "system_admin"`, `"permission": "project_admin"`,
			`{"url": "JIRA_A_URL"`, `{"account": "syncctl", "url": "JIRA_A_URL"`, `{"url": "JIRA_B_URL"`,
			`{"account": "syncctl", "url": "JIRA_B_URL"`, `{"url": "JIRA_A_CLOUD_URL"`,
			`{"account": "712020:0a-syncctl", "url": "JIRA_A_CLOUD_URL"`},
	}
	for name, change := range variants {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bench := newBenchOf(t, filepath.Join("..", "..", "examples", "behind-firewall-master"), smaller(t,
				"behind-firewall-master", change...))
			if rep := bench.apply(bench.plan()); !rep.Finished {
				t.Fatal(unfinished(rep))
			}
			if p := bench.plan(); len(p.Steps) != 0 {
				t.Fatalf("the second plan is not empty: %s", text(t, p))
			}
		})
	}
}

// TestOnlyDocumentedMembers checks that nothing is assumed about a server that answers with documented members only.
// The plan says what cannot be read. A person confirms the configuration, and does the resync that cannot be
// requested.
func TestOnlyDocumentedMembers(t *testing.T) {
	t.Parallel()
	b := blind(t)
	b.change("  migrating = ",
		"  accept    = [\"issue_types\", \"field\", \"first.jql\", \"second.jql\"]\n  migrating = ")
	p := b.plan()
	notes := 0
	for _, f := range p.Findings {
		if f.Rule == "backbone/not-readable" {
			notes++
		}
	}
	if notes != 2 || len(p.Refusals()) != 0 {
		t.Fatalf("%d notes: %s", notes, text(t, p))
	}
	run, err := b.store.Create(p, nil)
	if err != nil {
		t.Fatal(err)
	}
	rep := b.carry(run)
	for _, s := range rep.Steps {
		switch s.Step.Op {
		case "resync_first":
			if s.Phase != executor.PhaseFailed || !strings.Contains(s.Why, "syncctl resolve "+s.Step.ID+" -done") {
				t.Fatalf("%s: %s", s.Phase, s.Why)
			}
		case "delete_master", "delete_slave":
			if s.Phase != executor.PhaseBlocked {
				t.Fatalf("%s is %s", s.Step.Op, s.Phase)
			}
		}
	}
	for _, end := range []string{"first", "second"} {
		b.record(run, "resync_"+end, executor.EventResolved)
	}
	if rep = b.carry(run); !rep.Finished {
		t.Fatal(unfinished(rep))
	}
}
