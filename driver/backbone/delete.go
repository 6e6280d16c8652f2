package backbone

import (
	"context"
	"errors"
	"fmt"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// deleteHalf is the verb that deletes one half of the original for good.
var deleteHalf = driver.Verb[*Driver]{Name: opDelete, Execute: (*Driver).delete, Verify: (*Driver).verifyDeleted}

func (s *standing) delete(role, guard string, pairs int, kept string) planner.Step {
	h := s.half(role)
	step := planner.Final("", fmt.Sprintf("delete the %s's half %s of the original on %s", role, h.Key,
		h.end.server.Addr()), 1,
		fmt.Sprintf("synchronization %s with %s, its messages and its information in the sync info panel%s", h.Key,
			wording.Plural(pairs, "pair"), kept), guard)
	step.Because, step.Within = guide+", step 4.3", settling
	step.Args = map[string]string{"integration": h.Key, "connector": h.First.Key}
	step.Facts, step.Retires = s.facts(role), []string{s.from.Addr().String()}
	return at(forEnd(step, opDelete, role), h.end.server)
}

// delete deletes the half of the original that was planned, and no other one. The pairs that are lost with it are in
// the run's files.
func (d *Driver) delete(ctx context.Context, t *executor.Task) (executor.Result, error) {
	l, err := d.locateExisting(ctx, t, t.Step.Args[endArg])
	if err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	if want := t.Step.Args["integration"]; l.Key != want {
		return executor.Result{}, executor.NotSent(fmt.Errorf("deleting %s: the synchronization found is %s: not the "+
			"one that was planned", want, l.Key))
	}
	w, err := d.writer(l.end.server)
	if err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	return executor.Result{}, w.delete(ctx, l.Key)
}

// verifyDeleted checks that the half is gone.
func (d *Driver) verifyDeleted(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	role, key := t.Step.Args[endArg], t.Step.Args["integration"]
	s, err := target(t, role)
	if err != nil {
		return executor.Verdict{}, err
	}
	e := s.end(role)
	c, err := d.reader(e.server)
	if err != nil {
		return executor.Verdict{}, err
	}
	there, err := c.exists(ctx, e.Project, key)
	switch {
	case errors.Is(err, errUnsure):
		return executor.Unknown.Because("%s: %v", key, err), nil
	case err != nil:
		return executor.Verdict{}, err
	case there:
		return executor.NotDone.Because("%s is still there", key), nil
	}
	return executor.Done.Because("%s is gone", key), nil
}

// anyDeleted reports whether this run has already deleted a half.
func anyDeleted(t *executor.Task) bool {
	return t.IsDone(op(opDelete, master)) || t.IsDone(op(opDelete, slave))
}
