package cli

import (
	"context"

	"github.com/syncctl/syncctl/bundle"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// planAgain repeats the planning of another site, from the configuration here and the inputs of the plan there, and
// refuses a plan that differs: a plan's own statements are not trusted. No server is contacted.
func (r *receiving) planAgain(ctx context.Context, h *handed) error {
	theirs, from := h.Cargo.Plan, h.Cargo.Origin
	if from == nil || from.Seen == nil || from.Earlier == nil || len(theirs.Turns) == 0 {
		return bundle.Refuse(unfoundedPlan, "it does not have what its plan was made from, so that the plan cannot be made "+
			"again here. Have %q abandon the run (syncctl resolve -abandon), and plan again there, with a program of the "+
			"same version",
			h.From)
	}
	p, err := r.load(ctx, r.vars, false) // planning takes all values, not only those needed to verify a bundle
	if err != nil {
		return err
	}
	maker := theirs.Turns[0].Site
	wrong, err := r.store().CheckSeen(p.cfg, theirs, h.From, from)
	if err != nil {
		return err
	}
	if wrong != nil {
		return bundle.Refuse(unfoundedPlan, "its plan cannot be made again here: %v. Send to %q, abandon the run there "+
			"(syncctl resolve -abandon), and plan again there", wrong, maker)
	}
	here, err := r.store().Earlier("")
	if err != nil {
		return err
	}
	only, err := choose(p.cfg, from.Selection)
	if err != nil {
		return bundle.Refuse(unfoundedPlan, "its plan is not one of the configuration: %v", err)
	}
	in := planner.Input{
		Config: p.cfg, Drivers: p.planner, Version: version(), Targets: only.targets, Replace: only.replace,
		Observations: from.Seen, ObservedOnly: true, Again: maker, Now: r.app.clock.Now,
	}
	var ours *planner.Plan
	for _, known := range []*executor.Earlier{from.Earlier.Known(here, func(string) bool { return false }), nil} {
		if known == nil {
			known = from.Earlier.Known(here, func(step string) bool {
				s := ours.Step(step)
				return s != nil && s.Site != p.cfg.Site
			})
		}
		in.Retired, in.Confirmed, in.Acted, in.Abandoned = known.Retired, known.Confirmed, known.Acted, known.Abandoned
		made, diags := planner.Make(ctx, in)
		if diags.HasErrors() {
			return bundle.Refuse(unfoundedPlan, "its plan cannot be made again here: %v", diags)
		}
		if ours = made; samePlan(ours, theirs) {
			theirs.Sites = ours.Sites // the hash does not cover all of it
			return nil
		}
	}
	return bundle.Refuse(unfoundedPlan, "its plan is another one than is made here from the same configuration, and the "+
		"same observations. Have %q abandon the run (syncctl resolve -abandon), and find out who has changed the plan. What "+
		"differs, from the plan that is made here to the one of %q:\n%s", h.From, h.From, planDifference(ours, theirs))
}
