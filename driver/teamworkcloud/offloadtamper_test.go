package teamworkcloud_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/drivertest"
	"github.com/syncctl/syncctl/driver/teamworkcloud"
	"github.com/syncctl/syncctl/executor"
)

// doing is what somebody does in the meantime.
type doing func(act func(action string, values map[string]string))

func do(action string, values ...string) doing {
	return func(act func(string, map[string]string)) {
		m := map[string]string{}
		for i := 0; i < len(values); i += 2 {
			m[values[i]] = values[i+1]
		}
		act(action, m)
	}
}

func after(op string, what doing) drivertest.Rehearsal {
	return drivertest.Rehearsal{After: map[string]func(func(string, map[string]string)){op: what}}
}

// nothingRemoved checks that the source has everything it had, and that Data Manager was never told to remove
// anything.
func nothingRemoved(t *testing.T, out drivertest.Outcome, left int) {
	t.Helper()
	if on := resourcesOn(t, out, "a"); len(on) != left {
		t.Errorf("the source has %v", on)
	}
	for _, line := range ran(out, "a") {
		if strings.Contains(line, "-dr") {
			t.Errorf("the source's machine ran %s", line)
		}
	}
}

// TestNothingIsRemovedWhenTheWorldMoves checks that any change after the verification is reported, and nothing is
// removed.
func TestNothingIsRemovedWhenTheWorldMoves(t *testing.T) {
	commit := do("commit", "server", "a", "resource", "Engine", "branch", "trunk", "author", "zoe", "description", "late")
	const late = "revision 7 by zoe"
	for name, c := range sampled(t, map[string]struct {
		lines   string // besides removing
		when    drivertest.Rehearsal
		fails   string // the step
		says    []string
		stopped bool // the source's services were stopped by then
		left    int  // resources on the source; 0: all three
	}{
		"a commit after the verification": {"", after("remove_configuration", commit), "idle_source",
			[]string{"\"Engine\"", late, "of branch trunk"}, false, 0},
		"a commit after the last look": {"", after("idle_source", commit), "stop_source",
			[]string{"refused by its guard", late}, false, 0},
		"a commit during the backup": {"", after("backup_source", commit), "stop_source", []string{late},
			false, 0},
		"a commit that the copy got too": {asDocumented, after("idle_source", commit), "stop_source",
			[]string{late, "syncctl resolve migration.teamwork_cloud_offload.cars/arrived -retry"}, false, 0},
		"a tag": {"", after("arrived",
			do("tag", "server", "a", "resource", "Engine", "revision", "1", "name", "R0")), "remove_configuration",
			[]string{"\"Engine\"", "the target lacks tag \"R0\" of revision 1"}, false, 0},
		"a tag after the last look": {"", after("idle_source",
			do("tag", "server", "a", "resource", "Engine", "revision", "1", "name", "R0")), "stop_source",
			[]string{"\"Engine\"", "branches, revisions or tags"}, false, 0},
		// Before the configuration is removed, the copy may get the branch in time.
		"a branch": {"", after("remove_configuration",
			do("new_branch", "server", "a", "resource", "Gearbox", "name", "variant")), "idle_source",
			[]string{"\"Gearbox\"", "of branch variant"}, false, 0},
		"a lock": {"", after("arrived",
			do("lock", "server", "a", "resource", "Engine", "user", "zoe", "branch", "dev")), "idle_source",
			[]string{"zoe has 1 element of Engine locked (branch dev)"}, false, 0},
		"a lock after the last look": {"", after("backup_source",
			do("lock", "server", "a", "resource", "Gearbox", "user", "zoe")), "stop_source",
			[]string{"refused by its guard", "zoe has 1 element of Gearbox locked"}, false, 0},
		"somebody logs in": {"", after("backup_source", do("login", "server", "a", "user", "zoe")),
			"stop_source", []string{"refused by its guard", "logged in to server.teamwork_cloud.a: zoe"}, false, 0},
		"one is moved out of the category": {"", after("arrived",
			do("move", "server", "a", "resource", "Gearbox", "category", "Bikes")), "remove_configuration",
			[]string{"\"Gearbox\"", "no longer selected"}, false, 0},
		"one is moved into it": {"", after("arrived",
			do("move", "server", "a", "resource", "Frame", "category", "Cars")), "remove_configuration",
			[]string{"\"Frame\"", "was not verified"}, false, 0},
		"one is marked as deleted": {"", after("arrived",
			do("remove", "server", "a", "resource", "Gearbox")), "remove_configuration",
			[]string{"\"Gearbox\"", "no longer selected"}, false, 0},
		"a copy is gone": {"", after("remove_configuration", do("tamper", "server", "b", "resource", "Engine", "what",
			"gone")), "idle_source", []string{"\"Engine\"", "is gone from server.teamwork_cloud.b", "DELETE ALL"}, false, 0},
		"a copy is gone with the services stopped": {"", after("stop_source",
			do("tamper", "server", "b", "resource", "Engine", "what", "gone")), "unchanged",
			[]string{"\"Engine\"", "is gone from server.teamwork_cloud.b"}, true, 0},
		"a copy is gone at the last moment": {"", after("unchanged",
			do("tamper", "server", "b", "resource", "Engine", "what", "gone")), "remove",
			[]string{"refused by its guard", "\"Engine\"", "is gone"}, true, 0},
		"DELETE ALL": {asDocumented, after("unchanged",
			do("delete_configuration", "target", "b", "items", carsID, "keep", "false")), "remove",
			[]string{"refused by its guard", "is gone from server.teamwork_cloud.b"}, true, 0},
		"DELETE ALL instead": {"", drivertest.Rehearsal{Before: map[string]func(func(string,
			map[string]string)){"remove_configuration": do("delete_configuration", "target", "b", "items", carsID, "keep",
			"false")}}, "remove_configuration", []string{"is gone from server.teamwork_cloud.b", "DELETE ALL"}, false, 0},
		"a copy is marked as deleted": {"", after("unchanged",
			do("remove", "server", "b", "resource", "Gearbox")), "remove",
			[]string{"\"Gearbox\"", "marked as deleted on server.teamwork_cloud.b"}, true, 0},
		"a copy loses a revision": {"", after("stop_source",
			do("tamper", "server", "b", "resource", "Engine", "what", "lose", "revision", "4")), "unchanged",
			[]string{"\"Engine\"", "revision 4 of branch trunk (5 on the source) is missing"}, true, 0},
		"a copy's author changes": {"", after("unchanged",
			do("tamper", "server", "b", "resource", "Gearbox", "what", "author", "revision", "3")), "remove",
			[]string{"\"Gearbox\"", "revision 3 of branch trunk is not what was verified"}, true, 0},
		"a copy becomes another project's": {"", after("remove_configuration",
			do("tamper", "server", "b", "resource", "Engine", "what", "project_id")), "idle_source",
			[]string{"\"Engine\"", "its PROJECT_ID is PROJECT-"}, false, 0},
		"a copy becomes another project's at the last moment": {"", after("unchanged",
			do("tamper", "server", "b", "resource", "Gearbox", "what", "project_id")), "remove",
			[]string{"refused by its guard", "\"Gearbox\"", "its PROJECT_ID is PROJECT-"}, true, 0},
		"a copy is truncated": {"", after("unchanged",
			do("tamper", "server", "b", "resource", "Gearbox", "what", "truncate", "revision", "2")), "remove",
			[]string{"\"Gearbox\"", "revision 2 of branch trunk is missing"}, true, 0},
		"the copy loses one before the guard": {"", after("backup_source",
			do("tamper", "server", "b", "resource", "Engine", "what", "lose", "revision", "4")), "stop_source",
			[]string{"refused by its guard", "\"Engine\"", "revision 4 of branch trunk (5 on the source) is missing"}, false,
			0},
		"somebody removes one": {"", after("stop_source",
			do("tamper", "server", "a", "resource", "Engine", "what", "gone")), "unchanged",
			[]string{"does not list Engine", "has not removed it"}, true, 2},
		"somebody removes one at the last moment": {"", after("unchanged",
			do("tamper", "server", "a", "resource", "Engine", "what", "gone")), "remove",
			[]string{"refused by its guard", "does not list Engine", "has not removed it"}, true, 2},
		"Cassandra goes down": {"", after("stop_source", do("cassandra", "server", "a", "up", "false")),
			"unchanged", []string{"nodetool status"}, true, 0},
		"Cassandra goes down at the last moment": {"", after("unchanged", do("cassandra", "server", "a", "up", "false")),
			"remove", []string{"refused by its guard", "nodetool status"}, true, 0},
		"somebody starts the services": {"", after("stop_source", do("run_maintenance", "server", "a", "commands",
			"systemctl start twcloud")), "unchanged", []string{"the services of server.teamwork_cloud.a run",
			"syncctl resolve migration.teamwork_cloud_offload.cars/stop_source -retry"}, true, 0},
	}) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffload(removing, c.lines)
			o.servers["a"]["users"] = append(o.servers["a"]["users"].([]any), j{"name": "zoe", "password": "z"})
			o.servers["a"]["categories"].([]any)[0].(j)["id"] = carsID
			out := o.rehearse(t, c.when)
			if refused := out.Plan.Refusals(); len(refused) > 0 {
				t.Fatalf("refused: %+v", refused)
			}
			s := phase(t, out, c.fails)
			if s.Phase != executor.PhaseFailed {
				t.Fatalf("%s is %s:\n%s", c.fails, s.Phase, ended(out))
			}
			for _, want := range c.says {
				if !strings.Contains(s.Why, want) {
					t.Errorf("it says %s\nwithout %q", s.Why, want)
				}
			}
			if c.left == 0 {
				c.left = 3
			}
			nothingRemoved(t, out, c.left)
			if stopped := len(ran(out, "a")) > 0; stopped != c.stopped {
				t.Errorf("on the source's machine ran %q", ran(out, "a"))
			}
		})
	}
}

const carsID = "ca000000-0000-4000-8000-000000000001"

// TestNothingIsRemovedThatHasNotArrived checks that every error of the target's engine is reported, and nothing is
// removed.
func TestNothingIsRemovedThatHasNotArrived(t *testing.T) {
	for what, says := range map[string][]string{
		"lose":        {"Engine", "revision 3 of branch dev"},
		"author":      {"Engine", "revision 3 of branch dev", "author"},
		"date":        {"Engine", "revision 3 of branch dev", "date"},
		"description": {"Engine", "revision 3 of branch dev", "description"},
		"truncate":    {"Engine"},
		"skip":        {"Engine", "missing (5 revisions, the newest is 6)"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			o := newOffload(removing)
			within := "30s" // such an error ends the step at once
			if what == "skip" || what == "truncate" {
				within = "2s"
			}
			o.hcl = with(cars, fmt.Sprintf("verify { within = %q }", within))
			d := j{"resource": "Engine", "what": what}
			if what != "skip" {
				d["revision"] = 3
			}
			o.set("b", "defects", []any{d})
			out := o.rehearse(t, drivertest.Rehearsal{})
			why := ""
			for _, s := range out.Report.Steps {
				if s.Phase == executor.PhaseFailed {
					why += s.Step.Op + ": " + s.Why
				}
			}
			for _, want := range says {
				if !strings.Contains(why, want) {
					t.Errorf("it says %q\nwithout %q", why, want)
				}
			}
			nothingRemoved(t, out, 3)
			if len(ran(out, "a")) > 0 {
				t.Errorf("on the source's machine ran %q", ran(out, "a"))
			}
		})
	}
}

// intruder is a driver during which somebody does something when a step is executed, or at one of its verifications.
type intruder struct {
	*teamworkcloud.Driver

	execute map[string]func()
	verify  map[string]func(n int)
	mu      sync.Mutex
	n       map[string]int
}

func (x *intruder) Execute(ctx context.Context, t *executor.Task) (executor.Result, error) {
	if f := x.execute[t.Step.Op]; f != nil {
		f()
	}
	return x.Driver.Execute(ctx, t)
}

func (x *intruder) Verify(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	x.mu.Lock()
	x.n[t.Step.Op]++
	n := x.n[t.Step.Op]
	x.mu.Unlock()
	if f := x.verify[t.Step.Op]; f != nil {
		f(n)
	}
	return x.Driver.Verify(ctx, t)
}

// rehearseWith has an intruder act as the world's person.
func (o *offloaded) rehearseWith(
	t *testing.T, r drivertest.Rehearsal, set func(x *intruder, act func(string, ...string)),
) drivertest.Outcome {
	t.Helper()
	var do func(string, map[string]string)
	if r.After == nil {
		r.After = map[string]func(func(string, map[string]string)){}
	}
	r.After["preflight"] = func(act func(string, map[string]string)) { do = act }
	act := func(action string, values ...string) {
		m := map[string]string{}
		for i := 0; i < len(values); i += 2 {
			m[values[i]] = values[i+1]
		}
		do(action, m)
	}
	bench := twc()
	bench.New = func(env driver.Env) driver.Driver {
		x := &intruder{Driver: teamworkcloud.New(env).(*teamworkcloud.Driver), execute: map[string]func(){},
			verify: map[string]func(int){}, n: map[string]int{}}
		set(x, act)
		return x
	}
	out := drivertest.Rehearse(t, bench, o.kase(t), r)
	if out.Plan == nil {
		t.Fatal(out.Diags)
	}
	return out
}

// TestCommitWhileServicesAreBeingStopped commits after the guard was verified and before the services are stopped:
// Data Manager's list shows it.
func TestCommitWhileServicesAreBeingStopped(t *testing.T) {
	t.Parallel()
	out := newOffload(removing).rehearseWith(t, drivertest.Rehearsal{}, func(x *intruder, act func(string, ...string)) {
		x.execute["stop_source"] = func() {
			act("commit", "server", "a", "resource", "Gearbox", "author", "zoe", "description", "at the last moment")
		}
	})
	s := phase(t, out, "unchanged")
	if s.Phase != executor.PhaseFailed || !strings.Contains(s.Why, "Gearbox") ||
		!strings.Contains(s.Why, "revision 5 on branch trunk") {
		t.Fatalf("unchanged is %s: %s", s.Phase, s.Why)
	}
	nothingRemoved(t, out, 3)
	byHand := phase(t, out, "start_source").Step.Commands
	if !slices.Equal(byHand, []string{"sudo systemctl start twcloud", "sudo systemctl start webapp"}) ||
		!strings.Contains(phase(t, out, "stop_source").Step.Undo, "start_source") {
		t.Error("nothing says how to start the services by hand")
	}
}

// TestLockIsWaitedFor checks that a run waits briefly for a lock, and continues when it is released.
func TestLockIsWaitedFor(t *testing.T) {
	t.Parallel()
	out := newOffload(removing).rehearseWith(t, after("arrived",
		do("lock", "server", "a", "resource", "Engine", "user", "zoe")), func(x *intruder, act func(string, ...string)) {
		x.verify["idle_source"] = func(n int) {
			if n == 2 {
				act("unlock", "server", "a", "resource", "Engine")
			}
		}
	})
	if !out.Report.Finished || len(out.Again.Steps) > 0 {
		t.Fatal(ended(out))
	}
}

// TestRemovesOnlyWhatIsThere checks that if one resource is already gone, Data Manager is told to remove only the
// other.
func TestRemovesOnlyWhatIsThere(t *testing.T) {
	t.Parallel()
	out := newOffload(removing).rehearseWith(t, drivertest.Rehearsal{}, func(x *intruder, act func(string, ...string)) {
		x.execute["remove"] = func() { act("tamper", "server", "a", "resource", "Engine", "what", "gone") }
	})
	if !out.Report.Finished || len(out.Again.Steps) > 0 {
		t.Fatal(ended(out))
	}
	for _, line := range ran(out, "a") {
		if strings.Contains(line, "-dr") && !strings.HasSuffix(line, "-dr "+ids["Gearbox"]) {
			t.Errorf("the source's machine ran %s", line)
		}
	}
}
