package offload

import (
	"context"
	"fmt"
	"slices"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/teamworkcloud/revision"
	"github.com/syncctl/syncctl/driver/teamworkcloud/share"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

var unconfigure = driver.Verb[*Offloading]{Name: verbUnconfigured, Verify: (*Offloading).verifyUnconfigured}

// verifyUnconfigured: no interface shows configurations; that the copies are still there is verified.
func (w *Offloading) verifyUnconfigured(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	verified, err := verifiedHere(t)
	if err != nil {
		return executor.Verdict{}, err
	}
	if len(verified) > 0 {
		if err := w.kept(ctx, t, verified, (*revision.Record).Lost); err != nil {
			return executor.Verdict{}, err
		}
	}
	return executor.Unknown.Because(
		"the copies are there as before; no interface shows configurations"), nil
}

// kept is nil when the target has what was verified. compare says what has become of one of them. What is not as it
// was is a Final error that names it.
func (w *Offloading) kept(
	ctx context.Context, t *executor.Task, verified revision.Records,
	compare func(*revision.Record, *revision.History) string,
) error {
	target := w.sync().TargetServer()
	return survey.Gather(ctx, w.Observe, func(v *survey.View) {
		inv := v.Inventory(target)
		if inv == nil {
			return
		}
		for _, id := range verified.IDs() {
			was := verified[id]
			switch r := inv.Resource(id); {
			case r == nil:
				v.Fail(executor.Final(fmt.Errorf("%q (%s) is gone from %s since it was verified: was DELETE ALL chosen? What "+
					"is on %s still "+
					"must stay there", was.Name, id, target.Address(), w.server(atSource).Address())))
			case r.Removed:
				v.Fail(executor.Final(fmt.Errorf("%q (%s) was marked as deleted on %s since it was verified", was.Name, id,
					target.Address())))
			default:
				h := v.CopyHistory(target, id, was.Name)
				if h == nil {
					continue
				}
				if why := compare(&was, h); why != "" {
					v.Fail(executor.Final(fmt.Errorf("%q (%s) on %s is not what was verified: %s", was.Name, id, target.Address(),
						why)))
				}
			}
		}
	})
}

// removeConfigurations is about all of them: also about those of what is not on the source any more, where the
// vendor's order has them removed last.
func (o *plan) removeConfigurations() planner.Step {
	p := o.sharing
	if o.removes() && o.documented() {
		all := o.facts.Sync
		all.Items = slices.Clone(all.Items)
		for i := range all.Items {
			for _, c := range o.facts.Copies {
				if item := &all.Items[i]; item.Problem != "" && item.Kind == survey.KindResource && c.Item == i {
					item.ID, item.Path = c.ID, c.Name
				}
			}
		}
		p = o.sharing.With(&all)
	}
	because := "what a configuration does when its source disappears is not documented, so it goes first; the " +
		"vendor's page has it last (order = \"as_documented\")"
	switch {
	case !o.removes():
		because = "it is brought once (" + share.SyncPage + ")"
	case o.documented():
		because = share.SyncPage + ", step 3"
	}
	step := p.UnconfigureAllStep(because)
	step.Verb = verbUnconfigured
	return step
}
