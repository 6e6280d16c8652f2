package backbone

import (
	"context"
	"fmt"
	"time"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/backbone/syncinfo"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// verifyRest is the verification that the deletion of a half rests on which another run has left over: its export
// is not at hand, so the live pairs are compared.
var verifyRest = driver.Verb[*Driver]{Name: opRest, Verify: (*Driver).verifyRest}

func (s *standing) verifyRest(role string) planner.Step {
	h := s.half(role)
	step := planner.Check(opRest, fmt.Sprintf("%s runs without an issue in error, and has every pair of %s",
		s.new.Key, h.Key), 20*time.Second)
	step.Because = "the export of the run that began is not at hand, so the live pairs are compared"
	step.Args, step.Facts = map[string]string{"role": role}, s.facts(role)
	return at(step, s.from.one.server, s.from.two.server, s.stay())
}

// verifyRest: the new synchronization has every pair of the half that is left, that half is stopped, and the
// other one is gone. Pairs that the new one has made since are its own matter.
func (d *Driver) verifyRest(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	role := t.Step.Args["role"]
	m, err := declared(decodeMigration, t.Resource)
	if err != nil {
		return executor.Verdict{}, err
	}
	new, err := d.locateExisting(ctx, t, first)
	if err != nil {
		return executor.Verdict{}, err
	}
	if v, err := newFares(ctx, t, new); err != nil || v.State != executor.Done {
		return v, err
	}
	if v, err := d.otherGone(ctx, t, other(role)); err != nil || v.State != executor.Done {
		return v, err
	}
	left, v, err := d.stoppedHalf(ctx, t, role, op(opStillStopped, role))
	if err != nil || v.State != executor.Done {
		return v, err
	}
	end := first
	if role == m.moving {
		end = second
	}
	diff, err := syncinfo.ComparePairs(ctx, livePairs(ctx, left.client, left.First.Key), livePairs(ctx, new.client,
		new.connector(end)))
	if err != nil {
		return executor.Verdict{}, err
	}
	if diff.Missing > 0 || diff.GotTwice > 0 {
		return executor.Verdict{}, executor.Final(fmt.Errorf("%s does not have all pairs of %s: %s", new.Key, left.Key,
			oneLine(diff.String())))
	}
	return executor.Done.Because("%s has all %s of %s", new.Key, wording.Plural(diff.WantPairs, "pair"), left.Key), nil
}

// otherGone: the other half of the original was not found. A list without any entry does not prove it; a person's
// word does.
func (d *Driver) otherGone(ctx context.Context, t *executor.Task, role string) (executor.Verdict, error) {
	l, err := d.locate(ctx, t, role)
	switch {
	case err != nil:
		return executor.Verdict{}, err
	case l.found():
		return executor.Verdict{}, executor.Final(fmt.Errorf("the %s's half %s is there: plan again", role, l.Key))
	case l.unlisted && !t.IsDone(op(opGone, role)):
		return executor.Unknown.Because("whether the %s's half is gone cannot be told: %s lists nothing at "+
			"all of project %s",
			role, l.end.server.Addr(), l.end.Project), nil
	}
	return executor.Done.Because("the %s's half is gone", role), nil
}
