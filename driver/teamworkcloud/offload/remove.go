package offload

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/teamworkcloud/machine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/driver/teamworkcloud/share"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

var remove = driver.Verb[*Offloading]{
	Name:    opRemove,
	Execute: (*Offloading).removeResources, Verify: (*Offloading).verifyRemoval,
}

// loses describes what is lost by removing.
func (o *plan) loses() string {
	revisions := 0
	for _, r := range o.present {
		revisions += r.Source.Revisions
	}
	return fmt.Sprintf("%s of %s with %s, their branches, tags, roles and locks; the copies on %s stay",
		wording.Plural(len(o.present), "resource"), o.addr(atSource), wording.Plural(revisions, "revision"),
		o.addr(atTarget))
}

func (o *plan) removeStep() planner.Step {
	return planner.Step{
		Op: opRemove, Mark: planner.MarkFinal, Repeat: planner.CheckFirst, Within: planner.Duration(time.Minute),
		Exclusive: machine.Exclusive(o.addr(atSource)),
		Guards:    o.guardedBy(opUnchanged, atSource),
		Summary: fmt.Sprintf("remove %s from %s for good, with datamanager -dr", wording.Plural(len(o.present), "resource"),
			o.addr(atSource)),
		Commands: machine.Lines(machine.Batches(o.commands(atSource).DataManager, o.ids(), machine.Remove)...),
		Because:  share.SyncPage + ", step 2: it frees the source of what was moved",
		Args:     o.args(atSource),
		Facts:    o.removalFacts(),
		Effect:   &planner.Effect{Destroy: len(o.present), Irreversible: true, Loses: o.loses()},
		Retires:  o.retires(),
	}
}

// retires returns the synchronization if nothing is left of it afterwards: neither resources on the source nor
// configurations on the target.
func (o *plan) retires() []string {
	if !o.unconfigures() {
		return nil
	}
	return []string{o.sync.Address()}
}

// verifyGone verifies that the database lists none of the resources.
//
// A listing counts only if something confirms it: it contains one of the resources that stay (witnesses). If nothing
// else was in the database, the server itself must report, once it is up, that it no longer has the resources (left).
func verifyGone(
	ctx context.Context, m *machine.Machine, ids []string, witnesses string,
	left func(context.Context, []string) ([]string, error),
) (executor.Verdict, error) {
	held, err := m.Manager.Holds(ctx)
	if err != nil {
		return unreadableVerdict(err)
	}
	listed := held.Of(ids)
	switch {
	case len(listed) == len(ids):
		return executor.NotDone.Because("the database of %s holds %s", m.Server, allOf(len(ids))), nil
	case len(listed) > 0:
		return executor.Verdict{State: executor.Partial, Why: fmt.Sprintf("the database of %s still holds %d of %d: %s",
			m.Server, len(listed), len(ids), wording.List(listed))}, nil
	}
	others := strings.FieldsFunc(witnesses, func(r rune) bool { return r == ',' })
	if len(others) == 0 {
		return verifyGoneByServer(ctx, m, ids, left)
	}
	if len(held.Of(others)) == 0 {
		return executor.Verdict{State: executor.Unknown,
			Why: fmt.Sprintf("datamanager on %s lists none of them, but none of the resources that stay either (%s): that "+
				"is not believed", m.Host.Name(), wording.List(others))}, nil
	}
	return executor.Done.Because("the database of %s holds none of the %s any more", m.Server,
		wording.Plural(len(ids), "resource")), nil
}

func verifyGoneByServer(
	ctx context.Context, m *machine.Machine, ids []string, left func(context.Context, []string) ([]string, error),
) (executor.Verdict, error) {
	still, err := left(ctx, ids)
	switch {
	case err != nil:
		return executor.Unknown.Because("datamanager on %s lists no resources at all, and %s cannot be asked (%v): that "+
			"alone is not believed. Start the services by hand (%s), and resume: syncctl apply", m.Host.Name(), m.Server, err,
			machine.JoinLines(m.Start...)), nil
	case len(still) > 0:
		return executor.Verdict{State: executor.Partial, Why: fmt.Sprintf("%s still has %s", m.Server,
			wording.List(still))}, nil
	}
	return executor.Done.Because("neither %s nor its database has any of the %s any more", m.Server,
		wording.Plural(len(ids), "resource")), nil
}

func allOf(n int) string {
	if n == 1 {
		return "it"
	}
	return fmt.Sprintf("all %d", n)
}

// left returns those resources that the source still has, including those marked as deleted.
func (w *Offloading) left(ctx context.Context, ids []string) ([]string, error) {
	source := w.server(atSource)
	var inv *survey.Inventory
	err := survey.Gather(ctx, w.Observe.In(survey.Near), func(v *survey.View) { inv = v.Listed(source) })
	if err != nil {
		return nil, err
	}
	c, err := w.Servers.Reader(source.Resource())
	if err != nil {
		return nil, err
	}
	var out []string
	for _, id := range ids {
		if inv.Lists(id) {
			out = append(out, id)
			continue
		}
		switch _, err := c.Resource(ctx, id); {
		case osmc.IsGone(err):
		case err != nil:
			return nil, fmt.Errorf("asking whether %s still has %s: %w", source.Address(), id, err)
		default:
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out, nil
}

// verifyRemoval verifies that the database lists none of the resources. The output and exit code of the removal do not
// count.
func (w *Offloading) verifyRemoval(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	verified, err := verifiedHere(t)
	if err != nil || len(verified) == 0 {
		return executor.Verdict{State: executor.NotDone, Why: errNothingVerified.Error()}, err
	}
	m, err := w.reach(atSource, t.Step.Args[argRelease])
	if err != nil {
		return executor.Verdict{}, err
	}
	return verifyGone(ctx, m, verified.IDs(), t.Output(opUnchanged, witnessOutput), w.left)
}

// removeResources removes exactly what this run has verified, as far as it still exists. It must be the same as in the
// plan.
func (w *Offloading) removeResources(ctx context.Context, t *executor.Task) (executor.Result, error) {
	verified, err := verifiedHere(t)
	if err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	ids := verified.IDs()
	if len(ids) == 0 || fingerprint(ids) != t.Step.Args[argResources] {
		return executor.Result{},
			executor.NotSent(fmt.Errorf("removing: the %s that this run has verified are not those that the plan is about",
				wording.Plural(len(ids), "resource")))
	}
	m, err := w.reach(atSource, t.Step.Args[argRelease])
	if err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	held, err := m.Manager.Holds(ctx)
	if err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	left := held.Of(ids)
	if len(left) == 0 {
		return executor.Result{Note: "all of them are removed already"}, nil
	}
	return m.Change(ctx, t, left, machine.Remove)
}
