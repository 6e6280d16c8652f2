package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/cli/internal/view"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// revision is the new plan of an unfinished run whose files were changed.
type revision struct {
	*planner.Revision

	kept  *executor.Kept // the inputs of the new plan
	where []string       // the changed arguments, each with its position in the files
}

// revise plans an unfinished run again, from the changed files and from what the servers showed when the run began,
// because their current state is in part the run's own work. Only what the new files need in addition is read from
// servers. It returns an error if a step is affected that may have been carried out.
func (c *command) revise(ctx context.Context, p *project, run *executor.Run) (*revision, error) {
	kept, err := c.store().Kept(run)
	switch {
	case errors.Is(err, executor.ErrNotKept):
		return nil, cannotRevise(run, "the configuration has changed since the run started, and what its plan was made from "+
			"was not kept: the plan was saved to a file and came out differently when it was applied, or the run was started "+
			"by an older program")
	case err != nil:
		return nil, err
	}
	only, err := reselect(p.cfg, kept.Basis.Selection)
	if err != nil {
		return nil, cannotRevise(run, err.Error())
	}
	is := planner.NewBasis(p.cfg, kept.Basis.Selection)
	fixed := executor.Fixed(run.Plan, run.Entries)
	if r := planner.Forbidden(run.Plan, kept.Basis, is, fixed); len(r.Touched) > 0 {
		return nil, c.touched(p.cfg, run, r)
	}
	seen := kept.Seen.Without(kept.Basis.Altered(is))
	plan, err := c.makePlan(ctx, p, planning{chosen: only, seen: seen, except: run.ID})
	if err != nil {
		return nil, err
	}
	r := &revision{
		Revision: planner.Revise(run.Plan, plan, kept.Basis, is, fixed),
		kept:     &executor.Kept{Basis: is, Seen: seen},
	}
	if len(r.Touched) > 0 {
		return nil, c.touched(p.cfg, run, r.Revision)
	}
	r.where = places(p.cfg, r.Arguments)
	return r, nil
}

// reselect applies the run's original selection to changed files. New declarations are selected too if a pattern
// matches them and -exclude does not. Patterns of -exclude and -replace may match nothing any more.
func reselect(cfg *schema.Config, only planner.Selection) (chosen, error) {
	for {
		out, err := choose(cfg, only)
		var none *planner.NoMatchError
		if !errors.As(err, &none) || none.Flag == planner.Target {
			return out, err
		}
		from := &only.Excludes
		if none.Flag == planner.ReplaceFlag {
			from = &only.Replaces
		}
		*from = slices.DeleteFunc(slices.Clone(*from), func(p string) bool { return p == none.Pattern })
	}
}

// keepSaved keeps the inputs of a plan that comes from a file, so that the run can be resumed with changed files. If
// they cannot be determined, a run of one site continues without them. A run over several sites cannot, because each
// other site repeats the planning before it trusts the plan.
func (c *command) keepSaved(ctx context.Context, a *application) error {
	kept, diags, err := c.keep(ctx, a)
	a.kept = kept
	switch {
	case kept != nil:
		return nil
	case len(a.plan.Sites) <= 1:
		c.log.Info("what the plan was made from is not kept: the servers do not give the same plan now", "error", err,
			"problems", len(diags))
		return nil
	case err != nil:
		return err
	case diags.HasErrors():
		return c.unplanned(a.project, diags)
	}
	return failf(exitStale, "the plan is stale: the servers give another one now, as a whole, and another site takes "+
		"part in it, which makes the plan again before it believes it. Plan again, or `syncctl apply` without a file")
}

// keep reads the servers for a plan that comes from a file. It returns nil if there are problems, or if the servers
// now lead to another plan.
func (c *command) keep(ctx context.Context, a *application) (*executor.Kept, hcl.Diagnostics, error) {
	kept, only := keptOf(a.cfg, a.plan)
	plan, diags, err := c.tryPlan(ctx, a.project, planning{chosen: only, seen: kept.Seen})
	if err != nil || diags.HasErrors() || !samePlan(plan, a.plan) {
		return nil, diags, err
	}
	return kept, nil, nil
}

// keptOf returns the inputs for repeating a plan from a file, except observations. A plan does not record its
// selection, so the declarations with changes are selected, which is equivalent: the dependencies of a target are
// among them. The changes also say what is replaced.
func keptOf(cfg *schema.Config, plan *planner.Plan) (*executor.Kept, chosen) {
	var only planner.Selection
	var out chosen
	in, again := map[string]bool{}, map[string]bool{}
	for _, c := range plan.Changes {
		in[c.Addr], again[c.Addr] = true, c.Action == planner.Replace
	}
	whole := true
	for _, r := range cfg.Resources {
		switch {
		case r.Owner != (schema.Addr{}): // its owner includes it
		case in[r.Addr.String()]:
			only.Targets, out.targets = append(only.Targets, r.Addr.String()), append(out.targets, r.Addr)
		default:
			whole = false
		}
		if again[r.Addr.String()] {
			only.Replaces, out.replace = append(only.Replaces, r.Addr.String()), append(out.replace, r.Addr)
		}
	}
	if whole {
		only.Targets, out.targets = nil, nil
	}
	return &executor.Kept{Basis: planner.NewBasis(cfg, only), Seen: planner.NewObservations()}, out
}

// touched says which steps prevent the run from being resumed with the changed files, and what affects them.
func (c *command) touched(cfg *schema.Config, run *executor.Run, r *planner.Revision) error {
	number := view.Numbers(run.Plan)
	var reasons []string
	steps := map[string][]string{} // by reason
	unnamed := false
	for _, t := range r.Touched {
		reason := t.Why
		if len(t.By) > 0 {
			reason += ", for it depends on\n      " + strings.Join(places(cfg, t.By), "\n      ")
		}
		unnamed = unnamed || len(t.By) == 0
		if steps[reason] == nil {
			reasons = append(reasons, reason)
		}
		steps[reason] = append(steps[reason], fmt.Sprintf("  step %d (%s)", number[t.Step], t.Step))
	}
	var lines []string
	for _, reason := range reasons {
		lines = append(append(lines, steps[reason]...), "    "+reason)
	}
	if unnamed {
		lines = append(lines, "  changed in the files: "+strings.Join(places(cfg, r.Arguments), ", "))
	}
	return cannotRevise(run, "the files have changed in what the run has carried out, or begun, or in a guard.\n"+
		schema.Sanitize(strings.Join(lines, "\n")))
}

func cannotRevise(run *executor.Run, why string) error {
	return failf(exitStale, "cannot resume run %s: %s\nNothing was changed. Either restore the files there and run "+
		"`syncctl apply` again, or abandon the run with `syncctl resolve -abandon` and make a new plan",
		schema.SanitizeLine(run.ID), why)
}

// places returns arguments, each with its position in the files.
func places(cfg *schema.Config, arguments []string) []string {
	var out []string
	for _, argument := range arguments {
		out = append(out, argument+place(cfg, argument))
	}
	return out
}

// place returns the position of an argument, to be appended to a line.
func place(cfg *schema.Config, argument string) string {
	for _, r := range cfg.Resources {
		rest, ok := strings.CutPrefix(argument, r.Addr.String())
		if !ok || rest != "" && rest[0] != '.' {
			continue
		}
		rng := r.RangeOf(strings.Split(strings.TrimPrefix(rest, "."), ".")...)
		return fmt.Sprintf(" (%s:%d)", rng.Filename, rng.Start.Line)
	}
	return " (removed)"
}

// announceRevision shows how the changed files affect the steps.
func (c *command) announceRevision(run *executor.Run, r *revision) error {
	if c.events != nil {
		c.events.Write("warn", "the files were mended since the run was planned", view.RevisedEvent{
			Run: run.ID, Arguments: r.Arguments, Changed: r.Changed, Added: r.Added, Removed: r.Removed,
		})
	}
	if c.flags.json {
		return nil
	}
	return view.Revised(c.out, c.outStyle, run.Plan, r.Revision, r.where)
}

// revisedRun returns the run with its new plan.
func (r *revision) revisedRun(run *executor.Run) *executor.Run {
	after := *run
	after.Plan = r.Plan
	return &after
}
