package backbone_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// TestNothingIsDeletedWhenTheWorldMoves checks that nothing is deleted if anything happens to the original or to the
// pairs during the migration.
func TestNothingIsDeletedWhenTheWorldMoves(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name string
		at   string // it happens at the end of this step
		what func(b *bench)
		want string
	}{
		{"the original is started again", "configure", func(b *bench) {
			b.person("start_sync", "server", "a",
				"integration", "INT-4")
		}, "must stay stopped"},
		{"the original works again and is stopped", "configure", func(b *bench) {
			b.person("start_sync", "server", "a", "integration", "INT-4")
			b.person("edit_issue", "server", "a", "issue", "SAM2-1", "field", "summary", "value", "edited late", "user",
				"amelie")
			b.until(b.inFlight)
			b.person("stop_sync", "server", "a", "integration", "INT-4")
		}, "has sent messages since it was exported"},
		{"one half is deleted by somebody", "configure", func(b *bench) {
			b.person("delete_sync", "server", "b",
				"integration", "INT-5")
		}, "is gone, and this run did not delete it"},
		{"an exported pair is lost on a connector", "resync_second", func(b *bench) {
			b.deletePair("b", "CON-6-SP2",
				"SP2-1")
		}, "missing in connector CON-6-SP2"},
		{"the summaries differ", "resync_second", func(b *bench) {
			b.person("edit_issue", "server", "a_cloud", "issue", "SAM2-1", "field", "summary", "value",
				"edited by the sync user", "user", "712020:0b-backbone")
		}, "the summaries of SP2-1 and SAM2-1 differ"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := small(t)
			p := impatient(t, b.plan())
			run, err := b.store.Create(p, nil)
			if err != nil {
				t.Fatal(err)
			}
			b.seen = func(e executor.Event) {
				if e.Name == executor.EventDone && e.Step.Op == c.at {
					c.what(b)
				}
			}
			rep := b.carry(run)
			why := ""
			for _, s := range rep.Steps {
				if s.Phase == executor.PhaseFailed {
					why += s.Step.Op + ": " + s.Why + "\n"
				}
				if strings.HasPrefix(s.Step.Op, "delete_") && s.Phase == executor.PhaseDone {
					t.Errorf("%s was carried out", s.Step.Op)
				}
			}
			if !strings.Contains(why, c.want) {
				t.Errorf("stopped by %q, want %q", why, c.want)
			}
		})
	}
}

// impatient returns the plan with a shorter timeout of its verification.
func impatient(t *testing.T, p *planner.Plan) *planner.Plan {
	t.Helper()
	for i := range p.Steps {
		if p.Steps[i].Within > planner.Duration(time.Second) {
			p.Steps[i].Within = planner.Duration(time.Second)
		}
	}
	return p
}

// until waits for the simulated time, which has its own ticks.
func (b *bench) until(reached func() bool) {
	b.t.Helper()
	for range 6000 {
		if reached() {
			return
		}
		<-time.After(10 * time.Millisecond)
	}
	b.t.Error("it did not come about")
}

func (b *bench) person(action string, values ...string) {
	b.t.Helper()
	m := map[string]string{}
	for i := 0; i < len(values); i += 2 {
		m[values[i]] = values[i+1]
	}
	if _, err := b.box.Person(context.Background(), action, m); err != nil {
		b.t.Error(err)
	}
}

// deletePair removes a pair from a connector, as an administrator could with curl.
func (b *bench) deletePair(server, connector, issue string) {
	b.t.Helper()
	if err := b.request("DELETE", server,
		"/connectors/"+connector+"/syncInformation?localIssueKey="+issue); err != nil {
		b.t.Error(err)
	}
}

// TestFactsMove checks that facts that have changed since the plan are found.
func TestFactsMove(t *testing.T) {
	t.Parallel()
	b := small(t)
	p := b.plan()
	cfg, d := b.load()
	moved, err := executor.Moved(t.Context(), p, nil, cfg, onlyDriver(d), "", time.Now())
	if err != nil || len(moved) != 0 {
		t.Fatal(moved, err)
	}
	b.person("delete_sync", "server", "b", "integration", "INT-5")
	moved, err = executor.Moved(t.Context(), p, nil, cfg, onlyDriver(d), "", time.Now())
	if err != nil || len(moved) != 2 || moved[1].String() != "from.slave.integration was INT-5 and is now none" {
		t.Fatal(moved, err)
	}
}

// TestCanary checks that no plan, journal, log or file of the run has a password, in any form.
func TestCanary(t *testing.T) {
	t.Parallel()
	const canary = `c4n"a\ry$%&<>'+/=ü`
	quoted, err := json.Marshal(canary)
	if err != nil {
		t.Fatal(err)
	}
	seed := smaller(t, "behind-firewall-master", `"b-password"`, string(quoted))
	b := newBenchOf(t, filepath.Join("..", "..", "examples", "behind-firewall-master"), seed)
	if got := b.env["SYNCCTL_VAR_jira_b_password"]; got != canary {
		t.Fatalf("the canary is not in place: %q", got)
	}
	if rep := b.apply(b.plan()); !rep.Finished {
		t.Fatal(unfinished(rep))
	}
	b.env["SYNCCTL_VAR_jira_b_password"] = canary + "!" // refused; the error must not show it either
	_, diags := b.tryPlan()
	if len(diags) == 0 {
		t.Fatal("a wrong password was taken")
	}
	found := string(b.log.Bytes()) + diags.Error()
	err = filepath.Walk(b.store.Dir, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		src, err := os.ReadFile(path)
		found += string(src)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	// Plain, and the beginning of its base64, alone and after "syncctl:".
	for _, form := range []string{"c4n", "YzRu", "c3luY2N0bDpjNG4"} {
		if at := strings.Index(found, form); at >= 0 {
			t.Errorf("%q is in what the run left: …%s…", form, found[max(0, at-80):min(len(found), at+80)])
		}
	}
}

// TestInFlightIsNamedAndWaitedFor checks a migration that begins while messages are in flight. It names them and
// waits for the person who moves the files. The run continues once they have arrived.
func TestInFlightIsNamedAndWaitedFor(t *testing.T) {
	t.Parallel()
	b := newBenchOf(t, filepath.Join("..", "..", "examples", "behind-firewall-master"), smaller(t,
		"behind-firewall-master",
		`"transport": "file",`,
		`"transport": "file", "delivery": "manual",`+
			` "in_flight": [{"from": "master", "issue": "SAM2-1", "fields": {"summary": "under way"}}],`))
	p := b.plan()
	named := false
	for _, f := range p.Findings {
		named = named || f.Rule == "backbone/in-flight" && strings.Contains(f.Detail, "SAM2-1") &&
			strings.Contains(f.Detail, "SP2-1")
	}
	if !named || len(p.Refusals()) != 0 {
		t.Fatalf("the message under way is not named: %s", text(t, p))
	}
	run, err := b.store.Create(impatient(t, p), nil)
	if err != nil {
		t.Fatal(err)
	}
	rep := b.carry(run)
	if s := rep.Steps[5]; s.Step.Op != "drained" || s.Phase != executor.PhaseFailed || !strings.Contains(s.Why,
		"start both halves again") {
		t.Fatalf("%s is %s: %s", s.Step.Op, s.Phase, s.Why)
	}
	for _, one := range []struct{ server, integration, way string }{
		{"b", "INT-5", "syncctl resolve migration.backbone_to_cloud.support/stop_slave -retry"},
		{"a", "INT-4", "syncctl resolve migration.backbone_to_cloud.support/stop_master -retry"},
	} { // the master is checked first
		b.person("start_sync", "server", one.server, "integration", one.integration)
		rep = b.carry(run)
		if s := rep.Steps[5]; s.Phase != executor.PhaseFailed || !strings.Contains(s.Why, one.way) {
			t.Fatalf("%s is %s: %s", s.Step.Op, s.Phase, s.Why)
		}
	}
	b.until(func() bool { // somebody moves the files until nothing is left to move
		b.person("deliver", "from", "a", "to", "b")
		b.person("deliver", "from", "b", "to", "a")
		return !b.inFlight()
	})
	b.person("stop_sync", "server", "a", "integration", "INT-4")
	b.person("stop_sync", "server", "b", "integration", "INT-5")
	if rep = b.carry(run); !rep.Finished {
		t.Fatal(unfinished(rep))
	}
}
