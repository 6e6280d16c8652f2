package cli

import (
	"context"
	"errors"
	"io"
	"testing"

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
		{said(exitWaiting), exitWaiting, false},
		{failf(exitStale, "stale"), exitStale, true},
		{errors.New("x"), exitError, true},
		{errors.Join(&journal.LockedError{Path: "lock"}), exitLocked, true},
		{errors.Join(said(exitStopped), nil), exitStopped, false},
	} {
		if code, left := codeOf(c.err); code != c.code || (left != nil) != c.left {
			t.Errorf("%v: %d, %v", c.err, code, left)
		}
	}
}

// TestStages: the first interrupt ends nothing, the second everything, a third is no harm.
func TestStages(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stop := make(chan struct{})
	s := &stages{stop: stop, cancel: cancel, tell: func(string) {}}
	if s.hit() {
		t.Error("interrupted before any interrupt")
	}
	s.next(nil)
	select {
	case <-stop:
	default:
		t.Error("the first interrupt does not stop the run")
	}
	if ctx.Err() != nil {
		t.Error("the first interrupt reaches what runs")
	}
	s.next(nil)
	if ctx.Err() == nil {
		t.Error("the second interrupt does not end what runs")
	}
	s.next(nil)
}

// TestStoppable: a person who is being asked when the run is to stop is not waited for.
func TestStoppable(t *testing.T) {
	stop := make(chan struct{})
	close(stop)
	op := stoppable{asking{newLines(block{})}, stop}
	reply, err := op.Perform(t.Context(), executor.Ask{})
	if reply != executor.Deferred || err != nil {
		t.Errorf("%v, %v", reply, err)
	}
}

type asking struct{ in *lines }

func (a asking) Perform(ctx context.Context, _ executor.Ask) (executor.Reply, error) {
	_, err := a.in.read(ctx)
	return "", err
}

// block is an input at which nobody types.
type block struct{}

func (block) Read([]byte) (int, error) { select {} }

// TestLines: a line that comes late answers the next question, and an end without a line is nobody.
func TestLines(t *testing.T) {
	r, w := io.Pipe()
	in := newLines(r)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := in.read(gone); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want the context's end", err)
	}
	go func() {
		_, _ = io.WriteString(w, "yes\r\nlast")
		_ = w.Close()
	}()
	for _, want := range []string{"yes", "last"} {
		if got, err := in.read(t.Context()); got != want || err != nil {
			t.Errorf("%q, %v, want %q", got, err, want)
		}
	}
	if _, err := in.read(t.Context()); !errors.Is(err, errNobody) {
		t.Errorf("%v, want nobody", err)
	}
}
