package drivertest

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/sandbox"
)

// command is a command that changes something on a machine.
type command struct {
	machine, line string
	nth           int // its number among equal commands, from 1
}

// recorder records which commands each step sends. It carries out one step at a time, so that it can tell whose they
// are.
type recorder struct {
	executor.Driver

	world *world
	mu    sync.Mutex
	sent  map[string][]command
}

// Execute implements executor.Driver.
func (x *recorder) Execute(ctx context.Context, t *executor.Task) (executor.Result, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	before := len(x.world.requests())
	res, err := x.Driver.Execute(ctx, t)
	seen := map[command]int{}
	for i, l := range x.world.requests() {
		if l.Protocol != sandbox.ProtocolSSH || !x.world.changing(l) {
			continue
		}
		c := command{machine: l.Server, line: l.Path}
		seen[c]++
		if i >= before {
			c.nth = seen[c]
			x.sent[t.Step.ID] = append(x.sent[t.Step.ID], c)
		}
	}
	return res, err
}

// commandFault is a command of a step, and what happens to it.
type commandFault struct {
	step    planner.Step
	number  int // its number among the step's commands, from 1
	command command
	kind    sandbox.FaultKind
}

// commandFaults returns all ways to disturb the commands: a command is carried out but its end is not seen, or it is
// never carried out, or refused.
func commandFaults(u undisturbed) []commandFault {
	var all []commandFault
	for _, s := range u.plan.Steps {
		for i, cmd := range u.commands[s.ID] {
			for _, kind := range []sandbox.FaultKind{sandbox.Lost, sandbox.Cut, sandbox.Fail} {
				all = append(all, commandFault{s, i + 1, cmd, kind})
			}
		}
	}
	return all
}

// checkCommand carries out the case with one command disturbed. It must end in the same state.
func checkCommand(t *testing.T, b Bench, c Case, f commandFault, u undisturbed) {
	s, cmd := f.step, f.command
	w := openWith(t, b, c, sandbox.Fault{
		Server: cmd.machine, Method: sandbox.MethodExec, Path: cmd.line, First: cmd.nth, Kind: f.kind,
	})
	r, err := w.store.Create(w.plan(), nil)
	if err != nil {
		t.Fatal(err)
	}
	w.finish(r, w.carry(t.Context(), r, nil))
	end := w.state()
	w.close()
	if !slices.ContainsFunc(w.requests(), func(l sandbox.AccessLine) bool { return l.Fault != "" }) {
		t.Fatalf("%s was not sent again: %s", cmd.line, cmd.machine)
	}
	got := w.changes()
	if s.Repeat != planner.Once { // of several commands the first ones may be sent twice
		for _, own := range u.commands[s.ID] {
			name := request(sandbox.AccessLine{Server: own.machine, Method: sandbox.MethodExec, Path: own.line})
			got[name] = min(got[name], u.changes[name])
		}
	}
	u.compare(t, got, end)
}
