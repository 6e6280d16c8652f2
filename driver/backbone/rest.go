package backbone

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/backbone/syncinfo"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// verifyRest is the check before deleting what another run left of the original. The export of that run is not
// available, so the live pairs are compared.
var verifyRest = driver.Verb[*Driver]{Name: opRest, Verify: (*Driver).verifyRest}

func (s *standing) verifyRest(within time.Duration, left ...string) planner.Step {
	var keys []string
	var facts []planner.Fact
	for _, role := range left {
		keys = append(keys, s.half(role).Key)
		facts = append(facts, s.facts(role)...)
	}
	step := planner.Check(opRest, fmt.Sprintf("%s runs without an issue in error, and has every pair of %s",
		s.new.Key, strings.Join(keys, " and ")), within)
	step.Because = "the export of the run that began is not at hand, so the live pairs are compared"
	step.Args, step.Facts = map[string]string{leftArg: strings.Join(left, " ")}, facts
	return at(step, s.from.one.server, s.from.two.server, s.stay())
}

// leftArg is the argument that names the halves of the original that are left.
const leftArg = "left"

// verifyRest checks that the new synchronization has every pair of the halves that are left, that these are stopped,
// and that the other half, if only one is left, is gone. The new synchronization may have more pairs. If both halves
// are left, its configuration is checked too.
func (d *Driver) verifyRest(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	left := strings.Fields(t.Step.Args[leftArg])
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
	if len(left) == 1 {
		if v, err := d.otherGone(ctx, t, other(left[0])); err != nil || v.State != executor.Done {
			return v, err
		}
	} else if v, err := stillConfigured(ctx, t, new); err != nil || v.State != executor.Done {
		return v, err
	}
	var whys []string
	for _, role := range left {
		if t.IsDone(op(opDelete, role)) {
			continue
		}
		v, err := d.hasPairsOf(ctx, t, m, new, role)
		if err != nil || v.State != executor.Done {
			return v, err
		}
		whys = append(whys, v.Why)
	}
	return executor.Done.Because("%s", strings.Join(whys, "; ")), nil
}

// hasPairsOf checks that a half is stopped, and that the new synchronization has all its pairs.
func (d *Driver) hasPairsOf(ctx context.Context, t *executor.Task, m *migration, new *located,
	role string) (executor.Verdict, error) {
	half, v, err := d.stoppedHalf(ctx, t, role, op(opStillStopped, role))
	if err != nil || v.State != executor.Done {
		return v, err
	}
	end := first
	if role == m.moving {
		end = second
	}
	diff, err := syncinfo.ComparePairs(ctx, livePairs(ctx, half.client, half.First.Key), livePairs(ctx, new.client,
		new.connector(end)))
	if err != nil {
		return executor.Verdict{}, err
	}
	if diff.Missing > 0 || diff.GotTwice > 0 {
		return executor.Verdict{}, executor.Final(fmt.Errorf("%s does not have all pairs of %s: %s", new.Key, half.Key,
			oneLine(diff.String())))
	}
	return executor.Done.Because("%s has all %s of %s", new.Key, wording.Plural(diff.WantPairs, "pair"), half.Key), nil
}

// otherGone checks that the other half of the original does not exist. An empty list does not prove it; a person's
// confirmation does.
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
