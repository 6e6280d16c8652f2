package offload

import (
	"context"
	"slices"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/teamworkcloud/share"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

var unconfigure = driver.Verb[*Offloading]{Name: verbUnconfigured, Verify: (*Offloading).verifyUnconfigured}

// verifyUnconfigured verifies that the copies still exist. No interface shows configurations.
func (w *Offloading) verifyUnconfigured(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	verified, err := verifiedHere(t)
	if err != nil {
		return executor.Verdict{}, err
	}
	if len(verified) > 0 {
		if err := w.kept(ctx, verified, lost); err != nil {
			return executor.Verdict{}, err
		}
	}
	return executor.Unknown.Because(
		"the copies are there as before; no interface shows configurations"), nil
}

// removeConfigurations returns the step that removes all configurations. In the vendor's order it comes last, and
// includes those for what is no longer on the source.
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
