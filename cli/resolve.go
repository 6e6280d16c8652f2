package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"
	"github.com/syncctl/syncctl/cli/internal/hook"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/schema"
)

// resolveDoc is the document of resolve -json. Its members are those of an entry in the record of a run, but for two.
type resolveDoc struct {
	Run      string            `json:"run"`                 // its id
	Key      string            `json:"key,omitempty"`       // the step, or run for the whole run
	Event    string            `json:"event,omitempty"`     // resolved (-done), reopened (-retry), given_up (-abandon)
	Data     map[string]string `json:"data,omitempty"`      // such as the reason, and who has decided
	SetAside string            `json:"set_aside,omitempty"` // the folder of a damaged run that was set aside
}

type resolveFlags struct {
	done, retry, abandon bool
	approve              bool
	reason               string
}

func (c *command) resolveCommand() *cobra.Command {
	f := &resolveFlags{}
	cmd := jsonCommand(&cobra.Command{
		Use:   "resolve [STEP -done|-retry] [-abandon]",
		Short: "Decide what syncctl cannot: a step is done, is tried again, or the run is abandoned",
		Long: `When syncctl cannot tell whether a step was carried out, a person checks the servers and decides:

  syncctl resolve STEP -done    it was carried out: the steps after it may start
  syncctl resolve STEP -retry   it was not: the next apply carries it out
  syncctl resolve -abandon      abandon the whole run; what was done stays done

STEP is the id of a step, its number, or the last part of its id. The decision and its reason are recorded in
the journal of the run.`,
		Args: atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error { return c.resolve(cmd.Context(), args, f) },
		ValidArgsFunction: func(
			_ *cobra.Command, args []string, _ string,
		) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return c.completeSteps(), cobra.ShellCompDirectiveNoFileComp
		},
	})
	cmd.Flags().BoolVar(&f.done, "done", false, "the step was carried out")
	cmd.Flags().BoolVar(&f.retry, "retry", false, "the next apply carries out the step (again)")
	cmd.Flags().BoolVar(&f.abandon, "abandon", false, "abandon the run")
	cmd.Flags().BoolVar(&f.approve, "auto-approve", false, "do not ask")
	cmd.Flags().StringVar(&f.reason, "reason", "", "why, as `TEXT` for the journal")
	return cmd
}

func (c *command) completeSteps() []cobra.Completion {
	if c.begin() != nil {
		return nil
	}
	run, err := c.store().Unfinished()
	if err != nil || run == nil {
		return nil
	}
	d := run.Decision(c.app.clock.Now())
	var out []cobra.Completion
	for _, id := range stepIDs(run) {
		if d.Steps[id].Phase != executor.PhaseDone && c.offeredAddress(id) {
			out = append(out, cobra.CompletionWithDesc(id, string(d.Steps[id].Phase)))
		}
	}
	return out
}

func (c *command) resolve(ctx context.Context, args []string, f *resolveFlags) error {
	switch {
	case f.abandon && (f.done || f.retry || len(args) > 0):
		return failf(exitError, "-abandon is for the whole run: STEP, -done and -retry are not allowed")
	case !f.abandon && f.done == f.retry:
		return failf(exitError, "give either -done or -retry for the step, or -abandon for the whole run")
	case !f.abandon && len(args) == 0:
		return failf(exitError, "give the STEP to resolve; `syncctl status` lists the steps")
	}
	if _, err := c.app.fs.Stat(c.store().Dir); err != nil {
		return failf(exitError, "this folder has no unfinished run")
	}
	lock, err := c.lock(ctx, "resolve")
	if err != nil {
		return err
	}
	return errors.Join(c.resolveLocked(ctx, args, f), lock.Release())
}

func (c *command) resolveLocked(ctx context.Context, args []string, f *resolveFlags) error {
	run, err := c.store().Unfinished()
	if err != nil {
		return err
	}
	if run == nil {
		return failf(exitError, "this folder has no unfinished run")
	}
	if run.Damage != nil {
		return c.resolveDamaged(ctx, run, f)
	}
	key, event, assumed := executor.RunKey, executor.EventAbandoned, c.assumeAbandoned(run)
	if !f.abandon {
		if key, err = stepOf(run, args[0]); err != nil {
			return err
		}
		if event, assumed, err = c.assumeStep(run, key, f.done); err != nil {
			return err
		}
	}
	if !c.flags.json {
		c.say("%s\n", schema.Sanitize(assumed))
	}
	if !f.approve {
		if err := c.approve(ctx, "Is this what you want recorded?"); err != nil {
			return err
		}
	}
	j, err := c.store().Journal(run, journal.Options{Now: c.app.clock.Now, Watch: hook.Journal})
	if err != nil {
		return err
	}
	data, err := c.resolution(run, key, f)
	if err == nil {
		_, err = j.Append(ctx, key, event, data)
	}
	if err := errors.Join(err, j.Close()); err != nil {
		return err
	}
	doc := resolveDoc{Run: run.ID, Key: key, Event: event, Data: data}
	if err := c.document(doc); err != nil || c.flags.json {
		return err
	}
	if f.abandon {
		c.say("Recorded. Run %s is abandoned.", schema.SanitizeLine(run.ID))
		return nil
	}
	c.say("Recorded. Resume with: %s", c.outStyle.Bold(c.resumption(nil, &applyFlags{}).Apply))
	return nil
}

// resolution returns what the journal records with what a person says of a run or of one of its steps.
func (c *command) resolution(run *executor.Run, key string, f *resolveFlags) (map[string]string, error) {
	data := map[string]string{}
	if f.abandon {
		var err error
		if data, err = run.EndData(run.Decision(c.app.clock.Now())); err != nil {
			return nil, err
		}
	}
	if f.reason != "" {
		data["reason"] = f.reason
	}
	if user := c.whoami(); user != "" {
		data["by"] = user
	}
	if key == executor.RunKey && run.Site != "" {
		data[executor.DataSite] = run.Site
	}
	return data, nil
}

// resolveDamaged sets aside a run whose record cannot be continued.
func (c *command) resolveDamaged(ctx context.Context, run *executor.Run, f *resolveFlags) error {
	if !f.abandon {
		return failf(exitError, "%s", c.damaged(run))
	}
	if !c.flags.json {
		c.say("%s\n", schema.Sanitize(c.damaged(run)))
	}
	if !f.approve {
		if err := c.approve(ctx, "Do you want to set the run aside?"); err != nil {
			return err
		}
	}
	to, err := c.store().SetAside(run)
	if err != nil {
		return err
	}
	if err := c.document(resolveDoc{Run: run.ID, SetAside: c.near(to)}); err != nil || c.flags.json {
		return err
	}
	c.say("Run %s is abandoned. Its plan, its record and its files are now in %s.",
		schema.SanitizeLine(run.ID), schema.SanitizeLine(c.near(to)))
	return nil
}

func (c *command) assumeAbandoned(run *executor.Run) string {
	s := c.state(run)
	text := "Run " + schema.SanitizeLine(run.ID) +
		" will be abandoned. What its steps did stays done, and nothing is undone"
	if s.Done() > 0 {
		text += "; these are done:"
		for _, id := range stepIDs(run) {
			if s.Phase(id) == executor.PhaseDone {
				text += "\n  " + id
			}
		}
	}
	return text + "\nThe next plan is made from the servers as they are then."
}

// assumeStep returns what will be assumed about a step, and the event that records it.
func (c *command) assumeStep(run *executor.Run, id string, done bool) (event, assumed string, err error) {
	d := c.state(run).Decision
	st := d.Steps[id]
	if step := run.Plan.Step(id); step.Site != run.Site {
		return "", "", failf(exitError, "step %s is carried out by site %q, and only its people can resolve it", id,
			step.Site)
	}
	if st.Phase == executor.PhaseDone && done {
		return "", "", failf(exitError, "step %s is already done", id)
	}
	if rests := run.GuardedAway(id, d); rests != nil && done {
		return "", "", failf(exitError, "step %s guards %s of site %q, which cannot verify it by itself and relies on no "+
			"word: it has to be verified here, by `syncctl apply`. If it cannot be: syncctl resolve -abandon", id, rests.ID,
			rests.Site)
	}
	if st.Phase == executor.PhaseBlocked && done {
		return "", "", failf(exitError, "step %s cannot be done yet: %s", id, st.Why)
	}
	step := run.Plan.Step(id)
	text := "Step " + id + " (" + step.Summary + ")\n"
	if st.Why != "" {
		text += "  now: " + string(st.Phase) + ", " + st.Why + "\n"
	}
	if done {
		return executor.EventResolved,
			text + "will count as done without being verified. Steps that need it may start.", nil
	}
	return executor.EventReopened, text + "will be verified by the next apply, and carried out if it is not done.", nil
}

// whoami returns the user's name for the record, or "" if it is unknown.
func (c *command) whoami() string {
	user, _ := c.app.env("USER")
	return user
}
