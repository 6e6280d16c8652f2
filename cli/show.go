package cli

import (
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"
	"github.com/syncctl/syncctl/cli/internal/args"
	"github.com/syncctl/syncctl/cli/internal/view"
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
	cmd.Flags().BoolVar(&detail, "detail", false, detailHelp+"; of a long run every step and entry")
	return cmd
}

func (c *command) show(what string, detail bool) error {
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
	if err := c.ownDataDir(); err != nil {
		return err
	}
	ids, err := c.store().IDs()
	if err != nil {
		return err
	}
	if slices.Contains(ids, what) {
		return c.showRun(what, detail)
	}
	switch {
	case what == "latest" && len(ids) > 0:
		return c.showRun(ids[len(ids)-1], detail)
	case what == "latest":
		return failf(exitError, "this folder has no runs")
	}
	return failf(exitError, "%s is neither a plan file nor a run of this folder.%s",
		what, args.DidYouMean(filepath.Base(what), ids, ""))
}

func (c *command) showRun(id string, detail bool) error {
	r, err := c.store().Load(id)
	if err != nil {
		return err
	}
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
