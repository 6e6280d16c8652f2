package backbone

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// briefly is the time limit for verifying what a person has just done or looked at.
const briefly = planner.Duration(5 * time.Second)

// noErrors is the verb with which a person confirms that a half of the original, or the new synchronization, has no
// errors.
var noErrors = driver.Verb[*Driver]{Name: opNoErrors, Verify: (*Driver).verifyNoErrors}

func (s *standing) noErrors(role string) planner.Step {
	h := s.half(role)
	attest := fmt.Sprintf("no issue of %s is in error, as its troubleshooting tab shows, and no tab of its "+
		"configuration shows a warning", h.Key)
	if s.unseen(role) {
		attest += "; nobody has changed its configuration since this was planned"
	}
	step := word(h.end.server, h.Key, "confirm_no_errors", keyValue(h.Key), attest)
	if s.unseen(role) {
		step.Args = map[string]string{unseenArg: "yes"}
	}
	return forEnd(step, opNoErrors, role)
}

func (s *standing) noErrorsNew() planner.Step {
	name := s.to.name()
	values := append(directValues(s.to), planner.Value{Name: "status", Label: "Status", Value: "RUNNING"})
	step := word(s.stay(), name, "confirm_no_errors", values,
		fmt.Sprintf("%s is RUNNING, no issue of it is in error, as its troubleshooting tab shows, and no message waits",
			name))
	step.Within = planner.Duration(s.within)
	return forEnd(step, opNoErrors, newEnd)
}

// verifyNoErrors checks what can be read. If something is wrong it refuses, whatever the person confirms.
func (d *Driver) verifyNoErrors(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	end := t.Step.Args[endArg]
	l, err := d.locateExisting(ctx, t, end)
	if err != nil {
		return executor.Verdict{}, err
	}
	if end == newEnd {
		return waitForNew(ctx, l)
	}
	s, err := l.client.see(ctx, l.Key)
	if err != nil {
		return executor.Verdict{}, err
	}
	if len(s.Conflicts) > 0 {
		return executor.Verdict{}, executor.Final(fmt.Errorf("%s has %s: %s", l.Key, wording.Plural(len(s.Conflicts),
			"conflict"), wording.Foreign(s.Conflicts)))
	}
	if err := s.errors(l.Key); err != nil {
		return executor.Verdict{}, err
	}
	unknown := (&live{syncSeen: s}).unknowns()
	if t.Step.Args[unseenArg] != "" {
		unknown = append(unknown, "whether its configuration is the one that was planned for")
	}
	if len(unknown) > 0 {
		return executor.Unknown.Because("it cannot be read of %s %s", l.Key, strings.Join(unknown, " and ")), nil
	}
	return executor.Done.Because("no issue of %s is in error, and it has no conflict", l.Key), nil
}

// errors returns an error if issues are known to be in error. Waiting does not fix that.
func (h health) errors(key string) error {
	if h.InError == nil || *h.InError == 0 {
		return nil
	}
	return executor.Final(fmt.Errorf("%s in error on %s: open its troubleshooting tab", wording.Plural(*h.InError,
		"issue"), key))
}

// waitForNew has the step wait, before the person is asked, while the message numbers show that messages are in
// flight.
func waitForNew(ctx context.Context, l *located) (executor.Verdict, error) {
	h, err := l.health(ctx)
	if err != nil {
		return executor.Verdict{}, err
	}
	v, err := fares(l.Key, h, false)
	if err != nil || v.State != executor.Unknown || h.Idle != nil {
		return v, err
	}
	drain, err := compareConnectors(ctx, l.client, l.First.Key, l.client, l.Second.Key)
	if err != nil {
		return executor.Verdict{}, err
	}
	if !drain.Empty() {
		return executor.Verdict{State: executor.Partial, Working: true, Why: oneLine(drain.String())}, nil
	}
	return v, nil
}

// newFares returns the state of the new synchronization: from what can be read, and from a person's confirmation of
// what cannot.
func newFares(ctx context.Context, t *executor.Task, l *located) (executor.Verdict, error) {
	h, err := l.health(ctx)
	if err != nil {
		return executor.Verdict{}, err
	}
	return fares(l.Key, h, t.IsDone(op(opNoErrors, newEnd)))
}

// fares judges whether a synchronization runs with no issue in error and nothing left to do. If a part cannot be
// read, the verdict is unknown, unless a person has confirmed it.
func fares(key string, h health, word bool) (executor.Verdict, error) {
	switch err := h.errors(key); {
	case err != nil:
		return executor.Verdict{}, err
	case h.Status != "" && h.Status != "RUNNING":
		return executor.NotDone.Because("%s is %s", key, h.Status), nil
	case h.Idle != nil && !*h.Idle:
		return executor.NotDone.Because("%s is still working", key), nil
	case h.complete():
		return executor.Done.Because("%s runs, no issue in error", key), nil
	case word:
		return executor.Done.Because("by a person's word %s runs, no issue in error", key), nil
	}
	return executor.Unknown.Because("it cannot be read how %s fares: its status, how many issues are in error, or "+
		"whether it is working", key), nil
}
