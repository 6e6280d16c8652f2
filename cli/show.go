package cli

import (
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/syncctl/syncctl/cli/internal/args"
	"github.com/syncctl/syncctl/cli/internal/view"
	"github.com/syncctl/syncctl/executor"
)

func (c *command) showCommand() *cobra.Command {
	var detail bool
	cmd := jsonCommand(&cobra.Command{
		Use: "show [PLAN|RUN|latest]", Args: atMost(1),
		Short: "Show a saved plan as plan does, or a run with its journal; contacts no server",
		RunE: func(_ *cobra.Command, given []string) error {
			what := "latest"
			if len(given) == 1 {
				what = given[0]
			}
			return c.show(what, detail)
		},
	})
	cmd.Flags().BoolVar(&detail, "detail", false, detailHelp)
	return cmd
}

func (c *command) show(what string, detail bool) error {
	runs, err := c.store().List()
	if err != nil {
		return err
	}
	var ids []string
	for _, r := range runs {
		ids = append(ids, r.ID)
		if r.ID == what {
			return c.showRun(r)
		}
	}
	if info, err := c.app.fs.Stat(c.abs(what)); err == nil && !info.IsDir() {
		plan, _, err := c.readPlan(what)
		if err != nil {
			return err
		}
		if err := c.showPlan(plan, nil, detail); err != nil || c.flags.json || len(plan.Refusals()) == 0 {
			return err
		}
		return view.Refusals(c.out, c.outStyle, plan)
	}
	switch {
	case what == "latest" && len(runs) > 0:
		return c.showRun(runs[len(runs)-1])
	case what == "latest":
		return failf(exitError, "this folder has no runs")
	}
	return failf(exitError, "%s is neither a plan file nor a run of this folder.%s",
		what, args.DidYouMean(filepath.Base(what), ids, ""))
}

func (c *command) showRun(r *executor.Run) error {
	if c.flags.json {
		d := c.runDoc(r, true)
		for _, e := range r.Entries {
			d.Record = append(d.Record, runEntryDoc{e.Seq, e.Time, e.Key, e.Event, e.Data})
		}
		return c.document(d)
	}
	if err := view.Run(c.out, c.outStyle, c.state(r)); err != nil {
		return err
	}
	c.say("\nJournal:")
	return view.Entries(c.out, c.outStyle, r.Entries)
}
