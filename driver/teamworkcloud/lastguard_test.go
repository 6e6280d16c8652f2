package teamworkcloud_test

import (
	"context"
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/drivertest"
	"github.com/syncctl/syncctl/driver/teamworkcloud"
	"github.com/syncctl/syncctl/executor"
)

// The tests in this file change the task of a step's Execute, or the world right before it. They test the last checks
// before something is irreversibly removed or changed. No flow reaches these, because earlier guards refuse before.

// meddler is a driver that gives Execute of one step a changed task.
type meddler struct {
	*teamworkcloud.Driver

	op     string
	meddle func(t *executor.Task)
	err    error // what Execute of that step returned
}

// Execute implements executor.Driver.
func (x *meddler) Execute(ctx context.Context, t *executor.Task) (executor.Result, error) {
	if t.Step.Op != x.op {
		return x.Driver.Execute(ctx, t)
	}
	changed := *t
	changed.Step.Args = maps.Clone(t.Step.Args)
	x.meddle(&changed)
	var res executor.Result
	res, x.err = x.Driver.Execute(ctx, &changed)
	return res, x.err
}

// meddled applies an offload with a meddler. The step must fail, and Data Manager must not have changed anything on
// the machine of the server.
func meddled(t *testing.T, o *offloaded, server string, x *meddler, r drivertest.Rehearsal) {
	t.Helper()
	b := twc()
	b.New = func(env driver.Env) driver.Driver {
		x.Driver = teamworkcloud.New(env).(*teamworkcloud.Driver)
		return x
	}
	out := drivertest.Rehearse(t, b, o.kase(t), r)
	if out.Plan == nil {
		t.Fatal(out.Diags)
	}
	if s := phase(t, out, x.op); s.Phase != executor.PhaseFailed || !executor.WasNotSent(x.err) {
		t.Errorf("%s is %s, and its error %v; want one that says nothing was sent", x.op, s.Phase, x.err)
	}
	for _, line := range ran(out, server) {
		if strings.Contains(line, "datamanager") {
			t.Errorf("the machine of %s ran %s", server, line)
		}
	}
}

// recorded changes the JSON object that a step has recorded under a name.
func recorded(t *testing.T, task *executor.Task, op, name string, change func(map[string]json.RawMessage)) {
	t.Helper()
	var all map[string]json.RawMessage
	if err := json.Unmarshal([]byte(task.Output(op, name)), &all); err != nil {
		t.Errorf("%s of %s is %q: %v", name, op, task.Output(op, name), err)
		return
	}
	change(all)
	text, err := json.Marshal(all)
	if err != nil {
		t.Error(err)
		return
	}
	nowSays(task, op, name, string(text))
}

// nowSays changes what a step has recorded under a name.
func nowSays(task *executor.Task, op, name, text string) {
	past := task.Past(op)
	past.Outputs = maps.Clone(past.Outputs)
	past.Outputs[name] = text
	task.Remember(op, past)
}

// TestRemovesOnlyWhatWasPlanned checks that the resources verified by the run must be those in the plan.
func TestRemovesOnlyWhatWasPlanned(t *testing.T) {
	t.Parallel()
	for name, meddle := range map[string]func(t *testing.T, task *executor.Task){
		"the plan is about others": func(_ *testing.T, task *executor.Task) { task.Step.Args["resources"] = "000000000000" },
		"the plan names none":      func(_ *testing.T, task *executor.Task) { delete(task.Step.Args, "resources") },
		"one less was verified": func(t *testing.T, task *executor.Task) {
			recorded(t, task, "arrived", "verified", func(all map[string]json.RawMessage) { delete(all, ids["Gearbox"]) })
		},
		"one more was verified": func(t *testing.T, task *executor.Task) {
			recorded(t, task, "arrived", "verified", func(all map[string]json.RawMessage) {
				all[ids["Frame"]] = all[ids["Gearbox"]]
			})
		},
		"none was verified": func(_ *testing.T, task *executor.Task) {
			task.Remember("arrived", executor.Past{})
		},
		"the record is broken": func(_ *testing.T, task *executor.Task) {
			nowSays(task, "arrived", "verified", "{")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := &meddler{op: "remove", meddle: func(task *executor.Task) { meddle(t, task) }}
			meddled(t, newOffload(removing), "a", x, drivertest.Rehearsal{})
		})
	}
}

// TestReactivatesOnlyWhereItMay checks that before the read-only flag is cleared, the machine must be the target's,
// with its services stopped and its database up, and the resources must be those in the plan.
func TestReactivatesOnlyWhereItMay(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		meddle func(t *testing.T, task *executor.Task)
		before doing
	}{
		"another machine":          {nil, do("tamper", "server", "b", "resource", "Engine", "what", "gone")},
		"the database is down":     {nil, do("cassandra", "server", "b", "up", "false")},
		"the services are started": {nil, do("run_maintenance", "server", "b", "commands", "systemctl start twcloud")},
		"the plan is about others": {func(_ *testing.T,
			task *executor.Task) {
			task.Step.Args["resources"] = "000000000000"
		}, nil},
		"one less was looked at": {func(t *testing.T, task *executor.Task) {
			recorded(t, task, "idle_target", "verified", func(all map[string]json.RawMessage) { delete(all, ids["Gearbox"]) })
		}, nil},
		"a strange category": {func(_ *testing.T, task *executor.Task) {
			nowSays(task, "idle_target", "category", "$(reboot)")
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var act func(string, map[string]string)
			r := drivertest.Rehearsal{After: map[string]func(func(string, map[string]string)){
				"preflight": func(a func(string, map[string]string)) { act = a },
			}}
			x := &meddler{op: "reactivate", meddle: func(task *executor.Task) {
				if c.before != nil {
					c.before(act)
				}
				if c.meddle != nil {
					c.meddle(t, task)
				}
			}}
			meddled(t, newOffload(removing, reactivating), "b", x, r)
		})
	}
}
