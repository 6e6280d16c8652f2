package teamworkcloud_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/driver/drivertest"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/sandbox"
)

// TestHops checks that what is still to come is planned from where it comes from, in order, and verified hop by hop.
func TestHops(t *testing.T) {
	onward := func(what string, more ...string) string {
		return strings.NewReplacer("categories      = [\"From A\"]", what, "upstream ",
			strings.Join(more, "\n  ")+"\n  upstream ").Replace(hop())
	}
	for name, c := range map[string]struct {
		hcl string
		ops string
	}{
		"a category": {cars + hop(), "create_category configure arrived create_category configure arrived"},
		"a resource to come": {cars + onward(`resources = ["Engine"]`),
			"create_category configure arrived create_category configure arrived"},
		"by its path there": {cars + onward(`resources = ["From A/Engine"]`),
			"create_category configure arrived create_category configure arrived"},
		"by its id": {cars + onward(`resources = ["`+ids["Engine"]+`"]`),
			"create_category configure arrived create_category configure arrived"},
		"by hand": {with(cars, `trigger = "manual"`) + onward(`categories = ["From A"]`,
			`trigger = "manual"`), "create_category configure synchronize arrived create_category configure synchronize " +
			"arrived"},
		"by a tag": {with(cars, `trigger = "commit_tag"`, `tag = "R1"`) + onward(`resources = ["Engine"]`),
			"create_category configure arrived create_category configure arrived"},
		"what nobody tags": {with(cars, `trigger = "commit_tag"`, `tag = "R9"`) + onward(`resources = ["Engine"]`),
			"create_category configure"},
		"a category nobody tags": {with(cars, `trigger = "commit_tag"`, `tag = "R9"`) + hop(),
			"create_category configure create_category configure"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(c.hcl)
			out := w.goes(t, drivertest.Rehearsal{})
			wants(t, out.Plan, c.ops)
			if name == "what nobody tags" {
				says(t, out.Plan, "waits-upstream",
					`resources[0] "Engine" is not on server.teamwork_cloud.b yet: sync.teamwork_cloud.cars brings it `+
						`with the first commit that is tagged "R9"`)
				return
			}
			last := slices.IndexFunc(out.Plan.Steps, func(s planner.Step) bool {
				return s.Op == "arrived" &&
					s.Addr == "sync.teamwork_cloud.cars"
			})
			on := slices.IndexFunc(out.Plan.Steps, func(s planner.Step) bool {
				return strings.HasPrefix(s.Op, "configure_") && s.Addr == "sync.teamwork_cloud.on"
			})
			if last > on {
				t.Errorf("the second hop begins before the first has arrived: %s", ops(out.Plan))
			}
		})
	}
}

// TestVersions checks that with any release a sync is either refused or completed, also over several hops. It uses a
// sample of the releases, or all of them (drivertest.AllVariable).
func TestVersions(t *testing.T) {
	const most = 5
	all := []string{
		"2021x", "2021x Refresh1", "2021x Refresh2", "2021x Refresh2 Hot Fix 5", "2022x", "2022x Refresh1", "2022x Refresh2",
		"2024x", "2024x Refresh1", "2024x Refresh2 Hot Fix 1", "2024x Refresh3", "2026x", "2026x Refresh1",
	}
	for _, version := range drivertest.Sample(drivertest.Random(t), all, most) {
		i := slices.Index(all, version)
		for _, hops := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, several hops %v", version, hops), func(t *testing.T) {
				t.Parallel()
				hcl := cars
				if hops {
					hcl += hop()
				}
				out := newWorld(hcl).versions(version).rehearse(t, drivertest.Rehearsal{})
				refused := len(out.Plan.Refusals()) > 0
				if want := i < 2 || hops && i < 6; refused != want {
					t.Fatalf("refused: %v: %+v", refused, out.Plan.Refusals())
				}
				if !refused && (!out.Report.Finished || len(out.Again.Steps) > 0) {
					t.Errorf("%s\n%s", ended(out), ops(out.Again))
				}
				changed := slices.ContainsFunc(out.Lines, func(l sandbox.AccessLine) bool { return !l.Reading && l.OK })
				if refused && changed {
					t.Error("it was refused, and something was changed")
				}
			})
		}
	}
}

// TestDefects checks that the verifying step reports everything that is missing or different in a copy, with resource
// and revision.
func TestDefects(t *testing.T) {
	for name, c := range map[string]struct {
		what     string
		revision int
		want     string
	}{
		"a lost revision": {"lose", 2, `resource "Engine" (` + ids["Engine"] +
			`) on server.teamwork_cloud.b is not what server.teamwork_cloud.a has: revision 2 of branch trunk is ` +
			`missing on the target, although later ones are there`},
		"the last one is lost": {"lose", 6, `"Engine": the target lacks revision 6 of branch dev`},
		"another author": {"author", 3,
			`revision 3 of branch dev differs in its author: "ann" on the source, "twcSynchronizationManager" on the target`},
		"another date": {"date", 5,
			`revision 5 (4 on the target) of branch trunk differs in its date: "2025-03-05T10:00:00Z" on the ` +
				`source, "2025-03-05T11:00:00Z" on the target`},
		"another description": {"description", 1,
			`revision 1 of branch trunk differs in its description: "change 1" on the source`},
		"a history that is cut off": {"truncate", 5,
			`"Engine": the target lacks revision 6 of branch dev; revision 5 of branch trunk`},
		"a resource left out": {"skip", 0, `"Engine": missing (5 revisions, the newest is 6)`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(with(cars, `verify { within = "1s" }`))
			w.set("b", "defects", []any{j{"resource": "Engine", "what": c.what, "revision": c.revision}})
			out := w.rehearse(t, drivertest.Rehearsal{})
			at := slices.IndexFunc(out.Report.Steps, func(s executor.StepReport) bool {
				return s.Step.Op == "arrived" || strings.HasPrefix(s.Step.Op, "configure_") && s.Phase == executor.PhaseFailed
			})
			if out.Report.Finished || !strings.Contains(out.Report.Steps[at].Why, c.want) {
				t.Errorf("want %s, got\n%s", c.want, ended(out))
			}
		})
	}
}
