package teamworkcloud_test

import (
	"strings"
	"testing"

	"github.com/syncctl/syncctl/driver/drivertest"
	"github.com/syncctl/syncctl/sandbox"
)

// TestNothingIsRemovedOnSilence checks that nothing is removed because of what servers and machines leave out of their
// answers, or call by another name, unless it would also be removed if they said it.
func TestNothingIsRemovedOnSilence(t *testing.T) {
	offload := func(change ...func(*offloaded)) drivertest.Case {
		o := newOffload(removing)
		o.servers["a"]["users"] = append(o.servers["a"]["users"].([]any), j{"name": "zoe", "password": "z"})
		o.hcl = with(cars, `verify { within = "2s" }`)
		for _, f := range change {
			f(o)
		}
		return o.kase(t)
	}
	defect := func(what string) drivertest.Case {
		return offload(func(o *offloaded) {
			d := j{"resource": "Engine", "what": what}
			if what != "skip" {
				d["revision"] = 3
			}
			o.set("b", "defects", []any{d})
		})
	}
	plain := offload()
	drivertest.Hide(t, twc(), drivertest.Hiding{
		Good: plain,
		Deletes: func(l sandbox.AccessLine) bool {
			return l.Method == sandbox.MethodExec &&
				strings.Contains(l.Path, "-dr")
		},
		Most: 1,
		Bad: []drivertest.BadWorld{
			{Name: "a revision is lost", Case: defect("lose")},
			{Name: "another author", Case: defect("author")},
			{Name: "another date", Case: defect("date")},
			{Name: "another description", Case: defect("description")},
			{Name: "a history cut short", Case: defect("truncate")},
			{Name: "one is not copied", Case: defect("skip")},
			{Name: "a commit", Case: plain, While: after("idle_source",
				do("commit", "server", "a", "resource", "Engine", "branch", "trunk", "author", "zoe", "description", "late"))},
			{Name: "a tag", Case: plain, While: after("idle_source",
				do("tag", "server", "a", "resource", "Engine", "revision", "1", "name", "R0"))},
			{Name: "a branch", Case: plain, While: after("arrived",
				do("new_branch", "server", "a", "resource", "Gearbox", "name", "variant"))},
			{Name: "a lock", Case: plain, While: after("backup_source",
				do("lock", "server", "a", "resource", "Gearbox", "user", "zoe"))},
			{Name: "somebody logs in", Case: plain, While: after("backup_source", do("login", "server", "a", "user", "zoe"))},
			{Name: "one is moved into the category", Case: plain,
				While: after("arrived", do("move", "server", "a", "resource", "Frame", "category", "Cars"))},
			{Name: "a copy is gone", Case: plain,
				While: after("unchanged", do("tamper", "server", "b", "resource", "Engine", "what", "gone"))},
			{Name: "a copy is truncated", Case: plain,
				While: after("unchanged", do("tamper", "server", "b", "resource", "Gearbox", "what", "truncate", "revision",
					"2"))},
			{Name: "the services run", Case: plain,
				While: after("stop_source", do("run_maintenance", "server", "a", "commands", "systemctl start twcloud"))},
			{Name: "the database is down", Case: plain,
				While: after("unchanged", do("cassandra", "server", "a", "up", "false"))},
		},
	})
}
