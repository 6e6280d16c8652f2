package backbone_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/journal"
)

// small returns a bench on the master's example with few pairs.
func small(t *testing.T, more ...any) *bench {
	t.Helper()
	dir := filepath.Join("..", "..", "examples", "behind-firewall-master")
	return newBenchOf(t, dir, smaller(t, "behind-firewall-master"), more...)
}

func (b *bench) begin() *executor.Run {
	b.t.Helper()
	run, err := b.store.Create(b.plan(), nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return run
}

// failed returns why steps failed.
func failed(rep *executor.Report) string {
	var why []string
	for _, s := range rep.Steps {
		if s.Phase == executor.PhaseFailed {
			why = append(why, s.Step.Op+": "+s.Why)
		}
	}
	return strings.Join(why, "\n")
}

func deleted(rep *executor.Report) bool {
	for _, s := range rep.Steps {
		if strings.HasPrefix(s.Step.Op, "delete_") && s.Phase == executor.PhaseDone {
			return true
		}
	}
	return false
}

// TestTheHalfThatIsDeletedIsLookedAt checks that after a failed deletion, the half itself is checked again before the
// next try, not only the other half, as it may have worked in between.
func TestTheHalfThatIsDeletedIsLookedAt(t *testing.T) {
	t.Parallel()
	b := small(t, "method=DELETE,kind=fail,status=403")
	run := b.begin()
	if rep := b.carry(run); rep.Finished || deleted(rep) {
		t.Fatal("the deletion did not fail")
	}
	b.person("start_sync", "server", "a", "integration", "INT-4")
	b.person("start_sync", "server", "b", "integration", "INT-5")
	b.person("create_issue", "server", "a", "project", "SAM2", "type", "Bug", "summary", "made late", "user", "amelie")
	b.until(b.hasPairs("a", "CON-4-SAM2", 14))
	b.person("stop_sync", "server", "a", "integration", "INT-4")
	b.person("stop_sync", "server", "b", "integration", "INT-5")
	if rep := b.carry(run); deleted(rep) || !strings.Contains(failed(rep), "INT-4 is not what was exported") {
		t.Fatalf("deleted: %v\n%s", deleted(rep), failed(rep))
	}
}

// TestAnotherJiraIsNotTheOneThatIsMeant checks that a synchronization between the same project keys, but with another
// Jira, is never used.
func TestAnotherJiraIsNotTheOneThatIsMeant(t *testing.T) {
	t.Parallel()
	b := small(t)
	b.person("create_sync", "server", "b", "name", "wrong", "transport", "direct", "first_project", "SP2",
		"second_server_url", b.env["JIRA_A_URL"], "second_project", "SAM2")
	_, diags := b.tryPlan()
	if len(diags) != 1 || !strings.Contains(diags[0].Detail, "its second end is on") {
		t.Fatal(diags)
	}
}

// TestOne404IsNoDeletion checks that a single 404 does not prove that something is gone.
func TestOne404IsNoDeletion(t *testing.T) {
	t.Parallel()
	for _, nth := range []string{"1", "2", "3", "4", "5", "6", "7", "8", "9"} {
		t.Run(nth, func(t *testing.T) {
			t.Parallel()
			var log syncBuffer
			b := small(t, "method=GET,path=**/integrations/*,kind=fail,status=404,nth="+nth, benchLog{&log})
			run, err := b.store.Create(b.planPatiently(), nil)
			if err != nil {
				t.Fatal(err)
			}
			rep := b.carry(run)
			for range 2 {
				if !rep.Finished {
					rep = b.carry(run)
				}
			}
			deletions := 0
			for request := range sent(t, log.Bytes()) {
				if strings.Contains(request, " DELETE integrations/") {
					deletions++
				}
			}
			if !rep.Finished || deletions != 2 {
				t.Fatalf("%d deletions; %s", deletions, unfinished(rep))
			}
		})
	}
}

// TestNothingIsBuiltWhileTheOriginalRuns checks that nothing is built on the old export if the original is started
// while the project moves.
func TestNothingIsBuiltWhileTheOriginalRuns(t *testing.T) {
	t.Parallel()
	b := small(t)
	run, err := b.store.Create(impatient(t, b.plan()), nil)
	if err != nil {
		t.Fatal(err)
	}
	b.seen = func(e executor.Event) {
		if e.Name == executor.EventDone && e.Step.Op == "move_project" {
			b.person("start_sync", "server", "a", "integration", "INT-4")
		}
	}
	rep := b.carry(run)
	for _, s := range rep.Steps {
		if (strings.HasPrefix(s.Step.Op, "pair") || s.Step.Op == "start" || s.Step.Op == "create_sync") &&
			s.Phase == executor.PhaseDone {
			t.Errorf("%s was carried out", s.Step.Op)
		}
	}
	if !strings.Contains(failed(rep), "still: the master's half INT-4 of the original is RUNNING") {
		t.Error(failed(rep))
	}
}

// TestRunFilesAreChecked checks that the run's files are only used if they are unchanged, and that there is a way to
// continue otherwise.
func TestRunFilesAreChecked(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(path string) error{
		"changed": func(path string) error {
			src, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			return os.WriteFile(path, []byte(strings.Replace(string(src), `"outgoingMessageSequenceId":`,
				`"outgoingMessageSequenceId":1`, 1)), 0o600)
		},
		"gone": os.Remove,
	} {
		t.Run(name, func(t *testing.T) {
			b := small(t)
			run := b.begin()
			b.seen = func(e executor.Event) {
				if e.Name == executor.EventDone && e.Step.Op == "create_sync" {
					if err := spoil(b.store.Files(run).Path("merged.json")); err != nil {
						t.Error(err)
					}
				}
			}
			rep := b.carry(run)
			const way = "syncctl resolve migration.backbone_to_cloud.support/merge -retry"
			if why := failed(rep); !strings.Contains(why, "pair_first: ") || !strings.Contains(why, way) {
				t.Fatal(why)
			}
			b.seen = nil
			b.record(run, "merge", executor.EventReopened)
			if rep = b.carry(run); !rep.Finished {
				t.Fatal(unfinished(rep))
			}
		})
	}
}

// TestPairsMadeSince checks issues that are created after the start, which make more pairs than were exported. It is
// reported at once, and can be allowed by a number.
func TestPairsMadeSince(t *testing.T) {
	t.Parallel()
	b := edited(t, "behind-firewall-master")
	run := b.begin()
	b.seen = func(e executor.Event) {
		if e.Name == executor.EventDone && e.Step.Op == "resync_second" {
			b.person("create_issue", "server", "b", "project", "SP2", "type", "Bug", "summary", "made since", "user", "ben")
			b.until(b.hasPairs("b", "CON-6-SP2", 14))
		}
	}
	rep := b.carry(run)
	if why := failed(rep); deleted(rep) || !strings.Contains(why, "new_pairs = 1") {
		t.Fatal(why)
	}
	b.seen = nil
	b.record(run, executor.RunKey, executor.EventAbandoned)
	b.rewrite("sample = 50", "sample = 50\n    new_pairs = 1")
	if rep = b.apply(b.plan()); !rep.Finished {
		t.Fatal(unfinished(rep))
	}
}

// TestOneHalfIsLeft checks what happens if somebody deletes one half during a run: the run cannot be resumed, and a
// new plan finishes with the other half.
func TestOneHalfIsLeft(t *testing.T) {
	t.Parallel()
	b := edited(t, "behind-firewall-master")
	run := b.begin()
	b.seen = func(e executor.Event) {
		if e.Name == executor.EventDone && e.Step.Op == "verify" {
			b.person("delete_sync", "server", "b", "integration", "INT-5")
		}
	}
	if rep := b.carry(run); rep.Finished || deleted(rep) {
		t.Fatal("it went on although somebody had deleted a half")
	}
	b.seen = nil
	b.record(run, executor.RunKey, executor.EventAbandoned)
	b.reach("~mark =marked ~stop_master =verify_rest !delete_master -unmark")
}

// TestCloudIsAskedFirst checks that wrong credentials of the cloud are found before anything is stopped.
func TestCloudIsAskedFirst(t *testing.T) {
	t.Parallel()
	b := small(t)
	b.env["SYNCCTL_VAR_jira_a_cloud_token"] = "not-the-token"
	_, diags := b.tryPlan()
	if len(diags) != 1 || !strings.Contains(diags[0].Detail, "server.backbone.a_cloud: it does not "+
		"accept the credentials") || diags[0].Subject.Start.Line == 0 {
		t.Fatal(diags)
	}
}

// TestLonelyPairIsNamed checks that the plan names a pair that only one end has.
func TestLonelyPairIsNamed(t *testing.T) {
	t.Parallel()
	b := small(t)
	b.person("stop_sync", "server", "a", "integration", "INT-4")
	b.deletePair("a", "CON-4-SAM2", "SAM2-1")
	for _, f := range b.plan().Refusals() {
		if f.Rule == "backbone/unmatched-pairs" && strings.Contains(f.Detail, "SP2-1 with SAM2-1 is on CON-5-SP2 only") {
			return
		}
	}
	t.Fatal(text(t, b.plan()))
}

// hasPairs returns a function that reports whether a connector has this number of pairs.
func (b *bench) hasPairs(server, connector string, pairs int) func() bool {
	return func() bool {
		body, err := b.fetch(server, "/connectors/"+connector+"/syncInformation")
		if err != nil {
			b.t.Error(err)
		}
		return strings.Count(body, `"localIssueKey"`) >= pairs
	}
}

// record writes a person's decision about a step, or about the run, into the run's journal.
func (b *bench) record(run *executor.Run, op, event string) {
	b.t.Helper()
	j, err := b.store.Journal(run, journal.Options{Now: b.store.Now})
	if err != nil {
		b.t.Fatal(err)
	}
	defer j.Close()
	key := "migration.backbone_to_cloud.support/" + op
	if op == executor.RunKey {
		key = op
	}
	if _, err := j.Append(b.t.Context(), key, event, nil); err != nil {
		b.t.Fatal(err)
	}
}

// rewrite replaces text in the configuration.
func (b *bench) rewrite(old, new string) {
	b.t.Helper()
	name := filepath.Join(b.dir, "main.sync.hcl")
	src, err := os.ReadFile(name)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(strings.Replace(string(src), old, new, 1)), 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// TestWrongConfigurationKeepsTheOriginal checks that the original is not deleted if the configuration is changed
// after it was verified.
func TestWrongConfigurationKeepsTheOriginal(t *testing.T) {
	t.Parallel()
	b := small(t)
	run := b.begin()
	b.seen = func(e executor.Event) {
		if e.Name == executor.EventDone && e.Step.Op == "resync_second" {
			b.person("configure_sync", "server", "b", "first_project", "SP2", "second_project", "SAM2",
				"issue_types", `{"Bug":"Bug"}`, "fields", `[{"first":"summary","second":"summary","mapping":"passthrough"}]`,
				"comments", "false", "attachments", "true")
		}
	}
	rep := b.carry(run)
	if why := failed(rep); deleted(rep) || !strings.Contains(why, "comments is false, declared true") {
		t.Fatal(why)
	}
}

// TestRetryAfterTheFirstDeletion checks that after one half is deleted, a retry of an earlier step takes that into
// account. What the deletion makes impossible counts as done if a person says so, and nothing else must be confirmed.
func TestRetryAfterTheFirstDeletion(t *testing.T) {
	t.Parallel()
	for op, impossible := range map[string]bool{
		"verify": false, "stop_slave": false, "stop_master": true, "preflight": true, "export_master": true,
	} {
		t.Run(op, func(t *testing.T) {
			t.Parallel()
			b := small(t, "server=b,method=DELETE,nth=1,kind=fail,status=500")
			run := b.begin()
			if rep := b.carry(run); rep.Finished || !deleted(rep) {
				t.Fatal("the second deletion did not fail alone")
			}
			b.record(run, op, executor.EventReopened)
			rep := b.carry(run)
			if impossible {
				for _, s := range rep.Steps {
					if s.Phase == executor.PhaseFailed && (s.Step.Op != op || s.Moved || !s.Before) {
						t.Fatalf("%+v", s)
					}
				}
				b.record(run, op, executor.EventResolved)
				rep = b.carry(run)
			}
			if !rep.Finished {
				t.Fatal(unfinished(rep))
			}
		})
	}
}

// TestNewSynchronizationWithOtherPairs checks that a new synchronization that somebody has started without the pairs
// is refused before anything is changed.
func TestNewSynchronizationWithOtherPairs(t *testing.T) {
	t.Parallel()
	b := small(t)
	b.person("move_project_to_cloud", "server", "a", "project", "SAM2", "cloud_server", "a_cloud")
	b.person("create_sync", "server", "b", "name", "early", "transport", "direct", "first_project", "SP2",
		"second_server_url", b.env["JIRA_A_CLOUD_URL"], "second_project", "SAM2")
	b.person("configure_sync", "server", "b", "first_project", "SP2", "second_project", "SAM2",
		"issue_types", `{"Bug":"Bug"}`, "fields", `[{"first":"summary","second":"summary","mapping":"passthrough"}]`,
		"comments", "false", "attachments", "false")
	b.person("start_sync", "server", "b", "first_project", "SP2", "second_project", "SAM2")
	p := b.plan()
	for _, f := range p.Refusals() {
		if f.Rule == "backbone/new-runs" || f.Rule == "backbone/new-has-pairs" {
			return
		}
	}
	t.Fatal(text(t, p))
}
