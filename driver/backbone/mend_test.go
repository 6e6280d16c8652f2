package backbone_test

import (
	"strings"
	"testing"
	"time"

	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// TestMendedForPairsMadeSince: issues that are created after the start are allowed by a number in the files, and the
// same run is resumed with it: nothing is deleted, stopped or made a second time.
func TestMendedForPairsMadeSince(t *testing.T) {
	t.Parallel()
	b := edited(t, "behind-firewall-master")
	seen := planner.NewObservations()
	plan := func() (*planner.Plan, *planner.Basis) {
		cfg, d := b.load()
		p, diags := planner.Make(t.Context(), planner.Input{
			Config: cfg, Drivers: func(schema.Addr) planner.Driver { return d }, Version: "test", Observations: seen,
		})
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		return p, planner.NewBasis(cfg, nil)
	}
	p, was := plan()
	run, err := b.store.Create(p, nil)
	if err != nil {
		t.Fatal(err)
	}
	b.seen = func(e executor.Event) {
		if e.Name == executor.EventDone && e.Step.Op == "resync_second" {
			b.person("create_issue", "server", "b", "project", "SP2", "type", "Bug", "summary", "made since", "user", "ben")
			b.until(b.hasPairs("b", "CON-6-SP2", 14))
		}
	}
	why := failed(b.carry(run))
	if !strings.Contains(why, "new_pairs = 1") || strings.Contains(why, "delete") || strings.Contains(why, "-abandon") {
		t.Fatal(why)
	}
	b.seen = nil
	b.rewrite("sample = 50", "sample = 50\n    new_pairs = 1")
	if run, err = b.store.Load(run.ID); err != nil {
		t.Fatal(err)
	}
	revised, is := plan()
	if r := planner.Revise(run.Plan, revised, was, is, executor.Fixed(run.Plan, run.Entries)); len(r.Touched) > 0 {
		t.Fatalf("%+v", r.Touched)
	}
	j, err := b.store.Journal(run, journal.Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.store.Revise(t.Context(), run, j, revised, nil, ""); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if rep := b.carry(run); !rep.Finished {
		t.Fatal(unfinished(rep))
	}
}
