package cli

import (
	"fmt"

	"github.com/spf13/cobra"
	"github.com/syncctl/syncctl/cli/internal/view"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// approved identifies the plan that somebody has approved: by its hash, by a file, or by both.
type approved struct {
	hash string // -expect
	file string // -against

	plan *planner.Plan // of the file; nil if there is none
}

// againstHelp is the help of -against, of plan and apply.
const againstHelp = "show what has changed since the plan in `FILE` was made"

func (a *approved) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&a.hash, "expect", "", "apply only the plan of this `HASH`, as plan prints it")
	cmd.Flags().StringVar(&a.file, "against", "", "apply only the plan in FILE, made again; "+againstHelp)
}

// plansOrFiles completes a flag with the saved plans of the folder, and with other files if none is meant.
func (c *command) plansOrFiles(
	cmd *cobra.Command, args []string, typed string,
) ([]cobra.Completion, cobra.ShellCompDirective) {
	out, _ := c.words(c.completePlans)(cmd, args, typed)
	return out, cobra.ShellCompDirectiveDefault
}

// given reports whether there is one.
func (a *approved) given() bool { return a.hash != "" || a.file != "" }

// openApproved reads the file, and checks that both flags mean the same plan.
func (c *command) openApproved(a *approved) error {
	if a.hash != "" && !planner.IsHash(a.hash) {
		return failf(exitError, "-expect=%s is not the hash of a plan: `syncctl plan` prints it, as sha256: and 64 digits",
			schema.SanitizeLine(a.hash))
	}
	if a.file == "" {
		return nil
	}
	plan, _, err := c.readPlan(a.file)
	if err != nil {
		return err
	}
	hash, err := plan.Hash()
	if err != nil {
		return err
	}
	if a.hash != "" && a.hash != hash {
		return failf(exitError, "-against=%s is not the plan that is expected: its hash is %s", a.file, hash)
	}
	a.plan, a.hash = plan, hash
	return nil
}

// is reports whether a plan is the approved one.
func (a *approved) is(plan *planner.Plan) (bool, error) {
	hash, err := plan.Hash()
	return hash == a.hash, err
}

// unlike returns the error for a plan that is not the approved one, and prints the differences if they are known.
func (c *command) unlike(a *approved, plan *planner.Plan) error {
	hash, err := plan.Hash()
	if err != nil {
		return err
	}
	done, err := c.store().CarriedOut(a.hash)
	if err != nil {
		return err
	}
	differs := "To see what differs, give the approved plan as a file, too: -against=FILE"
	if a.plan != nil {
		d, err := planner.DiffPlans(a.plan, plan)
		if err != nil {
			return err
		}
		differs = "What differs is shown above"
		if c.events != nil {
			c.events.Write("error", "the plan is not the approved one", view.PlanDiffersEvent{Diff: d})
		}
		if !c.flags.json {
			if err := view.PlanDiff(c.out, c.outStyle, d); err != nil {
				return err
			}
			c.say("")
		}
	}
	if done != "" {
		return failf(exitStale, "run %s has already carried out the plan %s. What is planned now is another: %s",
			schema.SanitizeLine(done), a.hash, hash)
	}
	return failf(exitStale, "the plan is not the approved one: expected %s, it is %s.\nNothing was changed. %s",
		a.hash, hash, differs)
}

// writeDiff shows the differences between two plans, for people or as JSON.
func (c *command) writeDiff(old, made *planner.Plan) (*planner.PlanDiff, error) {
	d, err := planner.DiffPlans(old, made)
	if err != nil {
		return nil, err
	}
	if c.wantsJSON() {
		err := c.document(struct {
			Same bool `json:"same"`
			*planner.PlanDiff
		}{d.Same(), d})
		if err != nil || c.flags.json {
			return d, err
		}
	}
	return d, view.PlanDiff(c.out, c.outStyle, d)
}

// oldPlan reads the plan to compare with. It returns nil if name is "".
func (c *command) oldPlan(name string) (*planner.Plan, error) {
	if name == "" {
		return nil, nil
	}
	plan, _, err := c.readPlan(name)
	return plan, err
}

// showAgainst prints a plan, and its differences from an older one if there is one. differs reports whether there are
// differences; without an older plan, whether the plan has steps.
func (c *command) showAgainst(
	old, plan *planner.Plan, o view.PlanOptions,
) (differs bool, err error) {
	if old == nil {
		return len(plan.Steps) > 0, c.showPlan(plan, o)
	}
	if !c.flags.json {
		if err := view.Plan(c.out, plan, o); err != nil {
			return false, err
		}
		c.say("")
	}
	d, err := c.writeDiff(old, plan)
	return err == nil && !d.Same(), err
}

// sayHash prints a plan's hash, by which it can be approved.
func (c *command) sayHash(plan *planner.Plan) error {
	hash, err := plan.Hash()
	if err == nil {
		_, err = fmt.Fprintln(c.out, view.PlanHash(hash))
	}
	return err
}
