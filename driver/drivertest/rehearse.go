package drivertest

import (
	"context"
	"fmt"
	"io"
	"maps"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/sandbox"
)

// Rehearsal says what happens while a case is rehearsed.
type Rehearsal struct {
	Faults    []sandbox.Fault
	Processes int // the maximum number of processes that carry out the run, one after the other; 0: 1

	Hide  []sandbox.Hidden // hidden from what servers and machines say
	Parts *sandbox.Parts   // collects what they say; may be nil

	Within  time.Duration // the maximum duration of a step's verification, whatever the plan says; 0: as planned
	Longest time.Duration // a process is killed after this time; 0: never

	// Before and After are called once for each step whose op begins with the key, however often it is carried out.
	// Before is called right before the driver or the person is first asked about the step's own work, ahead of its
	// guards. After is called when the step is done, before anything else begins. act does what a person could do, by
	// the simulator's Person. The test fails if the simulator refuses it.
	Before, After map[string]func(act func(action string, values map[string]string))
}

// Outcome says how a rehearsal ended.
type Outcome struct {
	Plan   *planner.Plan    // nil if Diags has errors
	Diags  hcl.Diagnostics  // of the plan
	Report *executor.Report // of the last process; nil if there is no plan or it is refused
	Again  *planner.Plan    // the second plan; nil unless every step is done
	Lines  []sandbox.AccessLine
	State  []byte // of all servers and machines when nothing is in progress any more; use WithoutTimes to compare two
}

// Rehearse plans, carries out the plan with a stand-in for the person, and plans again, with new servers. It checks
// only that no secret is shown; the caller checks the rest.
func Rehearse(t *testing.T, b Bench, c Case, o Rehearsal) Outcome {
	t.Helper()
	w := openBox(t, b, c, sandbox.Options{Faults: o.Faults, Hide: o.Hide, Parts: o.Parts})
	var out Outcome
	out.Plan, out.Diags = w.tryPlan(nil)
	if out.Diags.HasErrors() {
		out.Plan = nil
		w.clean("the diagnostics of the plan", out.Diags.Error())
	}
	if out.Plan != nil {
		w.clean("the plan", encoded(t, out.Plan))
		if len(out.Plan.Refusals()) == 0 {
			out.Report = w.rehearse(out.Plan, o)
		}
	}
	if out.Report != nil && out.Report.Finished {
		again, diags := w.tryPlan(nil)
		if diags.HasErrors() && len(o.Hide) == 0 {
			t.Errorf("the second plan: %v", diags)
		}
		out.Again = again
	}
	out.State = w.rest()
	w.close()
	out.Lines = w.requests()
	return out
}

func (w *world) rehearse(p *planner.Plan, o Rehearsal) *executor.Report {
	w.t.Helper()
	if len(p.Steps) == 0 {
		return &executor.Report{Finished: true}
	}
	r, err := w.store.Create(p, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	h := newHooks(w, o)
	w.watch, w.within = h.journaled, planner.Duration(o.Within)
	ctx := w.t.Context()
	if o.Longest > 0 {
		bounded, cancel := context.WithTimeout(ctx, o.Longest)
		defer cancel()
		ctx = bounded
	}
	var rep *executor.Report
	for range max(o.Processes, 1) {
		rep = w.carry(ctx, r, func(d executor.Driver, o executor.Operator) (executor.Driver, executor.Operator) {
			return &hookedDriver{d, h}, &hookedPerson{o, h}
		})
		if rep.Finished {
			break
		}
	}
	w.cleanFolder(r)
	return rep
}

// hooks calls a rehearsal's functions.
type hooks struct {
	world         *world
	before, after *once
}

func newHooks(w *world, o Rehearsal) *hooks {
	return &hooks{w, &once{funcs: o.Before, called: map[string]bool{}}, &once{funcs: o.After, called: map[string]bool{}}}
}

// once calls the functions of each step once.
type once struct {
	mu     sync.Mutex
	funcs  map[string]func(func(string, map[string]string))
	called map[string]bool // by step id
}

func (o *once) call(step string, act func(string, map[string]string)) {
	o.mu.Lock() // the step continues only after they have returned
	defer o.mu.Unlock()
	if o.called[step] {
		return
	}
	o.called[step] = true
	op := step[strings.LastIndex(step, "/")+1:]
	for _, prefix := range slices.Sorted(maps.Keys(o.funcs)) {
		if strings.HasPrefix(op, prefix) {
			o.funcs[prefix](act)
		}
	}
}

func (h *hooks) act(action string, values map[string]string) {
	if _, err := h.world.box.Person(context.WithoutCancel(h.world.t.Context()), action, values); err != nil {
		h.world.t.Errorf("what happens meanwhile could not be done: %v", err)
	}
}

// journaled is called for every entry of the run's journal. The run waits for it.
func (h *hooks) journaled(stage journal.Stage, e journal.Entry) {
	if stage == journal.Synced && e.Event == executor.EventDone {
		h.after.call(e.Key, h.act)
	}
}

// recovered turns a panic of the driver into a failure of the test and of the step, so that other tests continue.
func (h *hooks) recovered(t *executor.Task, err *error) {
	if p := recover(); p != nil {
		h.world.t.Errorf("%s: the driver panicked: %v\n%s", t.Step.ID, p, debug.Stack())
		*err = fmt.Errorf("the driver panicked: %v", p)
	}
}

// hookedDriver sits between the executor and the driver.
type hookedDriver struct {
	executor.Driver

	hooks *hooks
}

// Execute implements executor.Driver.
func (d *hookedDriver) Execute(ctx context.Context, t *executor.Task) (_ executor.Result, err error) {
	defer d.hooks.recovered(t, &err)
	d.hooks.before.call(forStep(t), d.hooks.act)
	return d.Driver.Execute(ctx, t)
}

// Verify implements executor.Driver.
func (d *hookedDriver) Verify(ctx context.Context, t *executor.Task) (_ executor.Verdict, err error) {
	defer d.hooks.recovered(t, &err)
	d.hooks.before.call(forStep(t), d.hooks.act)
	return d.Driver.Verify(ctx, t)
}

// hookedPerson sits between the executor and the person.
type hookedPerson struct {
	executor.Operator

	hooks *hooks
}

// Perform implements executor.Operator.
func (p *hookedPerson) Perform(ctx context.Context, ask executor.Ask) (executor.Reply, error) {
	p.hooks.before.call(ask.Step.ID, p.hooks.act)
	return p.Operator.Perform(ctx, ask)
}

// named returns a log without output that keeps the arguments that the executor adds to it.
func named() hclog.Logger {
	return hclog.New(&hclog.LoggerOptions{Output: io.Discard, Level: hclog.Off})
}

// forStep returns the ID of the step for which the driver is asked about a task. If a guard is verified once more, it
// is the step that it guards; the executor notes it in the task's log.
func forStep(t *executor.Task) string {
	args := t.Log.ImpliedArgs()
	for i := 0; i+1 < len(args); i += 2 {
		if id, ok := args[i+1].(string); ok && args[i] == "step" {
			return id
		}
	}
	return t.Step.ID
}
