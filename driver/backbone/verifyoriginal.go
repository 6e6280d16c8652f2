package backbone

import (
	"context"
	"fmt"
	"strconv"

	"github.com/syncctl/syncctl/driver/backbone/syncinfo"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// verifyStill is a step, and the guard of those that build on the export.
func (d *Driver) verifyStill(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	if err := intact(ctx, t, exportFile(master), exportFile(slave)); err != nil {
		return executor.Verdict{}, err
	}
	v, err := d.originalAsExported(ctx, t)
	if err == nil && v.State == executor.Done {
		v.Why = "both halves stand still, and are what was exported"
	}
	return v, err
}

// originalAsExported: the original stands still and is what was exported. A restart of Jira brings synchronizations back to
// life (HC/5.0/server/system-properties); what they do after the export would be lost with them. A half that this run has
// deleted already is passed over.
func (d *Driver) originalAsExported(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	from := t.Resource.Ref("from")
	if from == nil {
		return executor.Verdict{}, executor.Final(fmt.Errorf("%s is not declared any more", t.Resource.Text("from")))
	}
	anew := fmt.Sprintf("stop both halves and have both exported anew: syncctl resolve %s -retry, and the same with %s",
		planner.StepID(t.Step.Addr, opExport+master), planner.StepID(t.Step.Addr, opExport+slave))
	if t.IsDone(opDelete+master) || t.IsDone(opDelete+slave) {
		anew = leftOver
	}
	for _, role := range []string{master, slave} {
		if t.IsDone(opDelete + role) {
			continue
		}
		h, err := d.readHalf(ctx, from, role)
		if err != nil {
			return executor.Verdict{}, err
		}
		if !h.Found {
			return executor.Verdict{}, executor.Final(fmt.Errorf("the %s's half of the original is gone, and this run did not delete it", role))
		}
		word := opStillStopped
		if t.Step.Op == opStill {
			word = opStopByHand
		}
		switch stands(t, h, role, word) {
		case executor.Done:
		case executor.Unknown:
			return unknown("whether the %s's half %s of the original stands still cannot be read", role, h.Key), nil
		default:
			return notDone("the %s's half %s of the original is %s: it must stand still until it is deleted", role, h.Key, h.Status), nil
		}
		c, err := d.reader(from.Ref(role, "server"))
		if err != nil {
			return executor.Verdict{}, err
		}
		diff, err := syncinfo.ComparePairs(ctx, exported(t, role), live(ctx, c, h.Connector))
		if err != nil {
			return executor.Verdict{}, err
		}
		if !diff.Same() {
			return executor.Verdict{}, executor.Final(fmt.Errorf("the %s's half %s is not what was exported: %s; %s", role, h.Key, oneLine(diff.String()), anew))
		}
		tally, err := c.tally(ctx, h.Connector)
		if err != nil {
			return executor.Verdict{}, err
		}
		switch before := t.Output(opExport+role, sentOutput); before {
		case strconv.FormatInt(tally.SumOutgoing, 10):
		case "":
			return executor.Verdict{}, executor.Final(fmt.Errorf("what the %s's half %s had sent when it was exported is not recorded; %s", role, h.Key, anew))
		default:
			return executor.Verdict{}, executor.Final(fmt.Errorf("the %s's half %s has sent messages since it was exported: somebody started it meanwhile; what they carried is not in the export; %s", role, h.Key, anew))
		}
	}
	return done(""), nil
}

// verifyRest: the new synchronization has every pair of the half that is left, and that half stands still. Pairs that the
// new one has made since are its own matter.
func (d *Driver) verifyRest(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	role := t.Step.Args["role"]
	from := t.Resource.Ref("from")
	if from == nil {
		return executor.Verdict{}, executor.Final(fmt.Errorf("%s is not declared any more", t.Resource.Text("from")))
	}
	l, err := d.locateExisting(ctx, t, first)
	if err != nil {
		return executor.Verdict{}, err
	}
	if v, err := d.newFares(ctx, t, l); err != nil || v.State != executor.Done {
		return v, err
	}
	if v, err := d.otherGone(ctx, t, from, other(role)); err != nil || v.State != executor.Done {
		return v, err
	}
	h, err := d.readHalf(ctx, from, role)
	if err != nil {
		return executor.Verdict{}, err
	}
	if !h.Found {
		return notDone("the %s's half was not found", role), nil
	}
	switch stands(t, h, role, opStillStopped) {
	case executor.Done:
	case executor.Unknown:
		return unknown("whether the %s's half %s stands still cannot be read", role, h.Key), nil
	default:
		return notDone("the %s's half %s is %s", role, h.Key, h.Status), nil
	}
	c, err := d.reader(from.Ref(role, "server"))
	if err != nil {
		return executor.Verdict{}, err
	}
	end := first
	if role == t.Resource.Text("migrating") {
		end = second
	}
	diff, err := syncinfo.ComparePairs(ctx, live(ctx, c, h.Connector), live(ctx, l.client, l.connectorOf(end)))
	if err != nil {
		return executor.Verdict{}, err
	}
	if diff.Missing > 0 || diff.GotTwice > 0 {
		return executor.Verdict{}, executor.Final(fmt.Errorf("%s does not have all pairs of %s: %s", l.Key, h.Key, oneLine(diff.String())))
	}
	return done(fmt.Sprintf("%s has all %s of %s", l.Key, plural(diff.WantPairs, "pair"), h.Key)), nil
}

// otherGone: the other half of the original is not there, which an empty list alone does not prove.
func (d *Driver) otherGone(ctx context.Context, t *executor.Task, from *schema.Resource, role string) (executor.Verdict, error) {
	h, err := d.readHalf(ctx, from, role)
	switch {
	case err != nil:
		return executor.Verdict{}, err
	case h.Found:
		return executor.Verdict{}, executor.Final(fmt.Errorf("the %s's half %s is there: plan again", role, h.Key))
	case h.Unlisted && !t.IsDone(opGone+role):
		return unknown("whether the %s's half is gone cannot be told: %s lists nothing at all of project %s", role, h.Server, h.Project), nil
	}
	return done(""), nil
}
