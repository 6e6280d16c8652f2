package cli

import (
	"context"
	"errors"
	"testing"

	"github.com/syncctl/syncctl/cli/internal/prompt"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/journal"
)

func TestEndCode(t *testing.T) {
	step := func(p executor.Phase) executor.StepReport { return executor.StepReport{Phase: p} }
	done, failed, waiting := step(executor.PhaseDone), step(executor.PhaseFailed), step(executor.PhaseWaiting)
	blocked, stuck := step(executor.PhaseBlocked), step(executor.PhaseStuck)
	moved, refused := failed, failed
	moved.Moved, refused.Refused = true, true
	for _, c := range []struct {
		name        string
		interrupted bool
		steps       []executor.StepReport
		want        int
	}{
		{"finished", false, []executor.StepReport{done, done}, exitDone},
		{"finished although interrupted", true, []executor.StepReport{done}, exitDone},
		{"interrupted", true, []executor.StepReport{done, blocked}, exitInterrupted},
		{"failed at once", false, []executor.StepReport{failed, blocked}, exitError},
		{"failed later", false, []executor.StepReport{done, failed}, exitStopped},
		{"stuck", false, []executor.StepReport{done, stuck}, exitStopped},
		{"waiting", false, []executor.StepReport{done, waiting, blocked}, exitWaiting},
		{"waiting and failed", false, []executor.StepReport{done, waiting, failed}, exitStopped},
		{"moved", false, []executor.StepReport{done, moved}, exitStale},
		{"refused", false, []executor.StepReport{done, refused, blocked}, exitRefused},
	} {
		r := &executor.Report{Steps: c.steps, Finished: c.want == exitDone}
		if got := endCode(r, c.interrupted); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

func TestCodeOf(t *testing.T) {
	for _, c := range []struct {
		err  error
		code int
		left bool
	}{
		{nil, exitDone, false},
		{exitQuietly(exitWaiting), exitWaiting, false},
		{failf(exitStale, "stale"), exitStale, true},
		{errors.New("x"), exitError, true},
		{errors.Join(&journal.LockedError{Path: "lock"}), exitLocked, true},
		{errors.Join(exitQuietly(exitStopped), nil), exitStopped, false},
	} {
		if code, left := codeOf(c.err); code != c.code || (left != nil) != c.left {
			t.Errorf("%v: %d, %v", c.err, code, left)
		}
	}
}

// TestStoppable: when the run is to stop, it does not wait for the answer of a person.
func TestStoppable(t *testing.T) {
	stop := make(chan struct{})
	close(stop)
	op := stoppable{asking{prompt.NewLines(block{})}, stop}
	reply, err := op.Perform(t.Context(), executor.Ask{})
	if reply != executor.Deferred || err != nil {
		t.Errorf("%v, %v", reply, err)
	}
}

type asking struct{ in *prompt.Lines }

func (a asking) Perform(ctx context.Context, _ executor.Ask) (executor.Reply, error) {
	_, err := a.in.Read(ctx)
	return executor.Reply{}, err
}

// block is an input without anybody who types.
type block struct{}

func (block) Read([]byte) (int, error) { select {} }
