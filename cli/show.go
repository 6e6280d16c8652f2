package cli

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"
	"github.com/syncctl/syncctl/cli/internal/args"
	"github.com/syncctl/syncctl/cli/internal/view"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/report/page"
)

func (c *command) showCommand() *cobra.Command {
	var detail, diff, markdown, html bool
	cmd := jsonCommand(&cobra.Command{
		Use: "show [PLAN|RUN|latest]", Args: atMost(2),
		Short: "Show a saved plan as plan does, or a run with its journal; contacts no server",
		Long: `Shows a plan that was saved by "plan -out", or a run of this folder with its journal.

With -diff it takes two, and shows what has changed from the first to the second: steps that were added, removed
or changed, and in what; facts that servers show differently; findings; differences of declarations; the order.
Two plans are the same if their hashes are: the hash covers all that a plan says and does, and neither when and
where it was made, nor secrets.

  syncctl show -diff approved.syncplan.json now.syncplan.json

-html writes one page that loads nothing and runs no script: the decision, the servers and the steps as pictures,
and every step with its details. -markdown writes a comment for a pull request, of at most 65,536 characters. With
-diff both write what has changed.

  syncctl show -html p.syncplan.json > p.html`,
		RunE: func(_ *cobra.Command, given []string) error {
			switch {
			case diff && len(given) != 2:
				return failf(exitError, "show -diff takes two plans or runs: syncctl show -diff OLD NEW")
			case len(given) > 1 && !diff:
				return failf(exitError, "show takes one plan or run: %q is one too many. To compare two: syncctl show -diff "+
					"OLD NEW", given[1])
			}
			what := "latest"
			if len(given) > 0 {
				what = given[0]
			}
			switch {
			case markdown && html:
				return failf(exitError, "show writes one document: -markdown or -html")
			case (markdown || html) && c.wantsJSON():
				return failf(exitError, "-json, -markdown and -html are documents of their own: ask for one")
			case diff:
				return c.showDiff(given[0], given[1], diffWriter(markdown, html))
			case markdown:
				return c.showDocument(what, writeMarkdown)
			case html:
				return c.showDocument(what, page.HTML)
			}
			return c.show(what, detail)
		},
	})
	cmd.Flags().BoolVar(&detail, "detail", false, detailHelp+"; of a long run every step and entry")
	cmd.Flags().BoolVar(&markdown, "markdown", false, "write Markdown, for a comment on a pull request")
	cmd.Flags().BoolVar(&html, "html", false, "write a page for a browser, in one file")
	cmd.Flags().BoolVar(&diff, "diff", false, "show what has changed from one plan or run to another")
	return cmd
}

// diffWriter returns the function that writes differences as the requested document, or nil if none was requested.
func diffWriter(markdown, html bool) func(io.Writer, *planner.PlanDiff) error {
	switch {
	case markdown:
		return func(w io.Writer, d *planner.PlanDiff) error { return page.DiffMarkdown(w, d, page.MostOfComment) }
	case html:
		return page.DiffHTML
	}
	return nil
}

// showDiff prints the differences, as a document if there is a writer for it.
func (c *command) showDiff(old, made string, write func(io.Writer, *planner.PlanDiff) error) error {
	var plans [2]*planner.Plan
	for i, name := range []string{old, made} {
		plan, run, err := c.find(name, 1)
		if err != nil {
			return err
		}
		if run != nil {
			plan = run.Plan
		}
		if run != nil && run.Damage != nil {
			return failf(exitError, "%s", c.damaged(run))
		}
		plans[i] = plan
	}
	if write == nil {
		_, err := c.writeDiff(plans[0], plans[1])
		return err
	}
	d, err := planner.DiffPlans(plans[0], plans[1])
	if err != nil {
		return err
	}
	if err := write(c.out, d); err != nil {
		return fmt.Errorf("writing the document: %w", err)
	}
	return nil
}

// find reads the plan in a file, or a run of this folder, of which so many of the last entries are kept; 0: all.
func (c *command) find(what string, entries int) (*planner.Plan, *executor.Run, error) {
	if info, err := c.app.fs.Stat(c.abs(what)); err == nil && !info.IsDir() {
		plan, _, err := c.readPlan(what)
		return plan, nil, err
	}
	if err := c.ownDataDir(); err != nil {
		return nil, nil, err
	}
	ids, err := c.store().IDs()
	if err != nil {
		return nil, nil, err
	}
	switch {
	case what == "latest" && len(ids) > 0:
		what = ids[len(ids)-1]
	case what == "latest":
		return nil, nil, failf(exitError, "this folder has no runs")
	case !slices.Contains(ids, what):
		return nil, nil, failf(exitError, "%s is neither a plan file nor a run of this folder.%s",
			what, args.DidYouMean(filepath.Base(what), ids, ""))
	}
	run, err := c.store().Look(what, entries)
	return nil, run, err
}

func (c *command) show(what string, detail bool) error {
	entries := view.MostLines
	if detail || c.wantsJSON() {
		entries = 0
	}
	plan, run, err := c.find(what, entries)
	if err != nil {
		return err
	}
	if run != nil {
		return c.showRun(run, detail)
	}
	key, err := c.userKey()
	if err != nil {
		return err
	}
	o := c.planOptions(executor.Decision{}, detail)
	o.Foreign = key == nil || !plan.Authentic(planKey(key))
	if err := c.showPlan(plan, o); err != nil || c.flags.json || len(plan.Refusals()) == 0 {
		return err
	}
	return view.Refusals(c.out, c.outStyle, plan)
}

func (c *command) showRun(r *executor.Run, detail bool) error {
	if c.wantsJSON() {
		d := c.runDoc(r)
		for _, e := range r.Entries {
			d.Record = append(d.Record, runEntryDoc{e.Seq, e.Time, e.Key, e.Event, e.Data})
		}
		if err := c.document(d); err != nil || c.flags.json {
			return err
		}
	}
	if err := view.Run(c.out, c.outStyle, c.state(r), detail); err != nil {
		return err
	}
	c.say("\nJournal:")
	return view.Entries(c.out, c.outStyle, r.Entries, detail)
}
