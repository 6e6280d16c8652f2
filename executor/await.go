package executor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/syncctl/syncctl/planner"
)

// settle waits, with the context look, until the server shows that the step is done, and records that, unless an entry
// before it could not be written (see recording); recorded may be nil.
func (a *attempt) settle(ctx, look context.Context, recorded func(wait bool) error) error {
	a.t.Executed = true
	v, err := a.await(look)
	if recorded != nil {
		if err := recorded(false); err != nil {
			return err
		}
	}
	if err != nil {
		return a.fail(ctx, a.s, Failure{Err: err, Executed: a.s.Mark != planner.MarkCheck})
	}
	return a.done(ctx, a.s, outcome{event: EventDone, note: v.Why, outputs: v.Outputs})
}

// await verifies with growing pauses until the step is done, its time is up, or the run is to stop.
func (a *attempt) await(ctx context.Context) (Verdict, error) {
	deadline := a.Clock.Now().Add(a.within())
	pause := a.pauses()
	for {
		v, err := a.d.Verify(ctx, a.t)
		switch {
		case err == nil && v.State == Done:
			return v, nil
		case err != nil && ctx.Err() != nil:
			return v, fmt.Errorf("interrupted while verifying: %w", ctx.Err())
		case isLater(err):
			return v, err
		}
		missing := v.Why
		if err != nil {
			missing = err.Error()
		}
		next := pause.NextBackOff()
		final := errors.As(err, new(*finalError)) || err == nil && v.State == Unknown && attested(a.s)
		if final || !a.Clock.Now().Add(next).Before(deadline) {
			return v, &unverified{why: missing, state: v.State}
		}
		if ctx.Err() != nil { // Verify has not noticed
			return v, fmt.Errorf("interrupted while verifying: %w", ctx.Err())
		}
		a.tell(EventVerifying, a.s, missing)
		select {
		case <-a.Clock.After(next):
		case <-ctx.Done():
		case <-a.Stop:
			return v, &unverified{why: "interrupted while waiting: " + missing, state: v.State, stopped: true}
		}
	}
}

func (a *attempt) pauses() *backoff.ExponentialBackOff {
	p := &backoff.ExponentialBackOff{InitialInterval: a.Poll.First, RandomizationFactor: 0, Multiplier: 1.6,
		MaxInterval: a.Poll.Most}
	p.Reset()
	return p
}

// look verifies before anything is done. If the server is still working on an earlier attempt, look waits for it
// instead of sending the request again.
func (a *attempt) look(ctx context.Context) (Verdict, error) {
	deadline := a.Clock.Now().Add(a.within())
	pause := a.pauses()
	for {
		v, err := a.d.Verify(ctx, a.t)
		if err != nil || !v.Working || v.State == Done || !a.Clock.Now().Before(deadline) {
			return v, err
		}
		a.tell(EventVerifying, a.s, v.Why)
		select {
		case <-a.Clock.After(pause.NextBackOff()):
		case <-ctx.Done():
			return v, ctx.Err()
		case <-a.Stop:
			return v, fmt.Errorf("%w while the server was still working", errStopped)
		}
	}
}

func (a *attempt) within() time.Duration {
	if a.s.Within > 0 {
		return time.Duration(a.s.Within)
	}
	return a.Poll.Within
}

// unverified is the error for a step that was not verified in time.
type unverified struct {
	why     string
	state   State
	stopped bool // by an interrupt
}

func (e *unverified) Is(target error) bool {
	return e.stopped && target == errStopped
}

func (e *unverified) Error() string {
	if e.why == "" {
		return "not verified: the server shows " + strings.ReplaceAll(string(e.state), "_", " ")
	}
	return e.why
}

// finalError marks a verification error that waiting does not resolve.
type finalError struct{ error }

func (e *finalError) Unwrap() error { return e.error }

// Final marks an error of Verify that waiting does not resolve, such as an issue with status error. The step then
// fails at once.
func Final(err error) error { return &finalError{err} }
