package drivertest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/sandbox"
)

// undisturbed describes how a case ends if nothing goes wrong.
type undisturbed struct {
	plan     *planner.Plan
	changes  map[string]int
	state    string
	commands map[string][]command // the commands that change something and that each step's Execute sends, by step ID
}

// mostDisturbed and mostCommands are the maximum numbers of steps and commands of a case that are disturbed, unless
// TestsAll.
const (
	mostDisturbed = 5
	mostCommands  = 2
)

// disturbance is a step and how it is disturbed.
type disturbance struct {
	step planner.Step
	how  way
}

// checkFlow carries out the plan, and checks that nothing is left to do. Then it repeats that with one step or
// command disturbed, for a sample of them. Each time it must end in the same state.
func checkFlow(t *testing.T, b Bench, c Case) {
	u := carryUndisturbed(t, b, c)
	var all []disturbance
	for _, s := range u.plan.Steps {
		switch {
		case s.Mark == planner.MarkCheck:
		case s.Manual != nil: // a person is asked again, whatever the first answer was
			all = append(all, disturbance{s, died})
		default:
			all = append(all, disturbance{s, died}, disturbance{s, lost}, disturbance{s, unsent})
		}
	}
	random := Random(t)
	for _, d := range Sample(random, all, mostDisturbed) {
		t.Run(d.step.Op+" "+string(d.how), func(t *testing.T) {
			t.Parallel()
			checkDisturbed(t, b, c, d.step, d.how, u)
		})
	}
	for _, f := range Sample(random, commandFaults(u), mostCommands) {
		t.Run(fmt.Sprintf("%s command %d %s", f.step.Op, f.number, f.kind), func(t *testing.T) {
			t.Parallel()
			checkCommand(t, b, c, f, u)
		})
	}
}

func carryUndisturbed(t *testing.T, b Bench, c Case) undisturbed {
	t.Helper()
	w := open(t, b, c)
	p := w.plan()
	r, err := w.store.Create(p, nil)
	if err != nil {
		t.Fatal(err)
	}
	x := &recorder{world: w, sent: map[string][]command{}}
	rep := w.carry(t.Context(), r, func(d executor.Driver, o executor.Operator) (executor.Driver, executor.Operator) {
		x.Driver = d
		return x, o
	})
	if !rep.Finished {
		t.Fatalf("the plan was not carried out to its end:%s", unfinished(rep))
	}
	w.cleanFolder(r)
	w.nothingLeft()
	state := w.state()
	w.close()
	for _, l := range w.requests() {
		if l.Protocol != sandbox.ProtocolSSH {
			continue
		}
		w.clean("a command", l.Path)
		if strings.Contains(l.Path, "REDACTED") {
			t.Errorf("a secret stands on a command line, where everybody on the machine can read it: %s", l.Path)
		}
	}
	return undisturbed{p, w.changes(), state, x.sent}
}

// nothingLeft checks that the second plan is empty.
func (w *world) nothingLeft() {
	w.t.Helper()
	if p := w.plan(); len(p.Steps) != 0 || len(p.Refusals()) != 0 {
		w.t.Fatalf("the second plan is not empty: %s", encoded(w.t, p))
	}
}

// way is how a step is disturbed.
type way string

const (
	died   way = "carried out, then the process ended"
	lost   way = "carried out, answer lost"
	unsent way = "request lost"
)

// checkDisturbed carries out the case with one step disturbed once. It resumes the run until it has ended.
func checkDisturbed(t *testing.T, b Bench, c Case, s planner.Step, how way, u undisturbed) {
	w := open(t, b, c)
	r, err := w.store.Create(w.plan(), nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	x := &disturber{id: s.ID, how: how, end: cancel}
	rep := w.carry(ctx, r, func(d executor.Driver, o executor.Operator) (executor.Driver, executor.Operator) {
		x.Driver, x.person = d, o
		return x, x
	})
	if !x.used.Load() {
		t.Fatalf("the step was never carried out:%s", unfinished(rep))
	}
	w.finish(r, rep)
	end := w.state()
	w.close()
	got := w.changes()
	if s.Repeat == planner.Idempotent { // the step may be carried out twice
		for request, n := range got {
			got[request] = min(n, max(u.changes[request], 1))
		}
	}
	u.compare(t, got, end)
}

// finish resumes a run up to twice. The run must have ended then, with nothing left to do.
func (w *world) finish(r *executor.Run, rep *executor.Report) {
	w.t.Helper()
	for range 2 {
		if rep.Finished {
			break
		}
		rep = w.carry(w.t.Context(), r, nil)
	}
	if !rep.Finished {
		w.t.Fatalf("taken up again, the run does not end:%s", unfinished(rep))
	}
	w.cleanFolder(r)
	w.nothingLeft()
}

// compare checks that the servers were changed as if nothing had gone wrong, and that they end in the same state.
func (u undisturbed) compare(t *testing.T, changes map[string]int, state string) {
	t.Helper()
	if !maps.Equal(changes, u.changes) {
		t.Errorf("the servers were changed by\n%v\nundisturbed by\n%v", changes, u.changes)
	}
	if state != u.state {
		t.Errorf("the servers end in another state: %s", firstDifference(state, u.state))
	}
}

func firstDifference(got, want string) string {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return strings.TrimSpace(a[i]) + ", undisturbed: " + strings.TrimSpace(b[i])
		}
	}
	return "one is longer than the other"
}

// disturber sits between the executor and the driver, and between the executor and the person.
type disturber struct {
	executor.Driver
	person executor.Operator
	id     string
	how    way
	end    func() // ends the process
	used   atomic.Bool
}

var errDisturbed = errors.New("the connection was closed")

func (x *disturber) Execute(ctx context.Context, t *executor.Task) (executor.Result, error) {
	if t.Step.ID != x.id || x.used.Swap(true) {
		return x.Driver.Execute(ctx, t)
	}
	if x.how == unsent {
		return executor.Result{}, errDisturbed
	}
	if res, err := x.Driver.Execute(ctx, t); err != nil {
		return res, err
	}
	if x.how == died {
		x.end()
	}
	return executor.Result{}, errDisturbed
}

func (x *disturber) Perform(ctx context.Context, ask executor.Ask) (executor.Reply, error) {
	reply, err := x.person.Perform(ctx, ask)
	if ask.Step.ID != x.id || x.used.Swap(true) || err != nil {
		return reply, err
	}
	x.end()
	return executor.Reply{}, errDisturbed
}
