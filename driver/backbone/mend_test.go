package backbone_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// mended is a run whose configuration files are corrected.
type mended struct {
	*bench
	seen *planner.Observations // kept by the run
	run  *executor.Run
	was  *planner.Basis
}

func (b *bench) beginToMend() *mended {
	b.t.Helper()
	m := &mended{bench: b, seen: planner.NewObservations()}
	p, was := m.plan()
	run, err := b.store.Create(p, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	m.run, m.was = run, was
	return m
}

func (m *mended) plan() (*planner.Plan, *planner.Basis) {
	m.t.Helper()
	cfg, d := m.load()
	p, diags := planner.Make(m.t.Context(), planner.Input{
		Config: cfg, Drivers: func(schema.Addr) planner.Driver { return d }, Version: "test", Observations: m.seen,
	})
	if diags.HasErrors() {
		m.t.Fatal(diags)
	}
	return p, planner.NewBasis(cfg, planner.Selection{})
}

// revise plans with the current files. touched are the steps that make it impossible to resume the run with that
// plan.
func (m *mended) revise() (run *executor.Run, revised *planner.Plan, touched []string) {
	m.t.Helper()
	run, err := m.store.Load(m.run.ID)
	if err != nil {
		m.t.Fatal(err)
	}
	revised, is := m.plan()
	for _, touch := range planner.Revise(run.Plan, revised, m.was, is, executor.Fixed(run.Plan, run.Entries)).Touched {
		touched = append(touched, run.Plan.Step(touch.Step).Op)
	}
	return run, revised, touched
}

// resume resumes the run with the current files.
func (m *mended) resume() *executor.Report {
	m.t.Helper()
	run, revised, touched := m.revise()
	if len(touched) > 0 {
		m.t.Fatal(touched)
	}
	j, err := m.store.Journal(run, journal.Options{Now: time.Now})
	if err != nil {
		m.t.Fatal(err)
	}
	if err := m.store.Revise(m.t.Context(), run, j, revised, nil, ""); err != nil {
		m.t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		m.t.Fatal(err)
	}
	return m.carry(run)
}

// TestMendedForPairsMadeSince checks that issues that are created after the start can be allowed by a number in the
// files. The same run is resumed then, and nothing is deleted, stopped or created a second time.
func TestMendedForPairsMadeSince(t *testing.T) {
	t.Parallel()
	m := edited(t, "behind-firewall-master").beginToMend()
	m.bench.seen = func(e executor.Event) {
		if e.Name == executor.EventDone && e.Step.Op == "resync_second" {
			m.person("create_issue", "server", "b", "project", "SP2", "type", "Bug", "summary", "made since", "user", "ben")
			m.until(m.hasPairs("b", "CON-6-SP2", 14))
		}
	}
	why := failed(m.carry(m.run))
	if !strings.Contains(why, "new_pairs = 1") || strings.Contains(why, "delete") || strings.Contains(why, "-abandon") {
		t.Fatal(why)
	}
	m.bench.seen = nil
	m.rewrite("sample = 50", "sample = 50\n    new_pairs = 1")
	if rep := m.resume(); !rep.Finished {
		t.Fatal(unfinished(rep))
	}
}

// TestMendedForTheMerge checks that a run refuses to merge what the tool refuses, and says which argument of the
// declaration allows it. With the argument the same run is resumed. An argument that finished checks used cannot be
// added.
func TestMendedForTheMerge(t *testing.T) {
	t.Parallel()
	m := edited(t, "behind-firewall-master", `"comments": [{"localId": "10019"}]`,
		`"comments": [{"localId": "10019"}, {"localId": "10019"}]`).beginToMend()
	if why := failed(m.carry(m.run)); !strings.HasPrefix(why, "merge: ") || !strings.Contains(why, "SAM2-1 with SP2-1") ||
		!strings.Contains(why, `allow = ["repeated-comment"] in migration.backbone_to_cloud.support`) ||
		strings.Contains(why, "--allow") {
		t.Fatal(why)
	}
	const none = `migrating = "master"`
	m.rewrite(none, none+"\n  allow = [\"repeated-comment\", \"sequence\"]")
	if _, _, touched := m.revise(); !slices.Contains(touched, "preflight") || !slices.Contains(touched, "drained") {
		t.Errorf("a word that checks went by only touches %q", touched)
	}
	m.rewrite(`, "sequence"]`, "]")
	if rep := m.resume(); !rep.Finished {
		t.Fatal(unfinished(rep))
	}
}
