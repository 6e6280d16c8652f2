package cli

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/syncctl/syncctl/cli/internal/prompt"
	"github.com/syncctl/syncctl/cli/internal/view"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

type applyFlags struct {
	vars        variables
	targets     []string
	approve     bool
	parallelism int
	plan        string // file; "" to make one
}

func (c *command) applyCommand() *cobra.Command {
	f := &applyFlags{}
	cmd := jsonCommand(&cobra.Command{
		Use: "apply [PLAN|DIR]", Short: "Carry the steps out, verify each, and go on where an earlier apply stopped", Args: atMost(1),
		Long: `Shows the plan, asks, and carries it out: every step is recorded before it begins and verified against the live servers
after it. Interrupted, killed, or stopped by an error, the same command goes on where it stopped, and does nothing twice.

With PLAN, a file that "plan -out" wrote, exactly that plan is carried out, or nothing if the files or the servers have
changed since. The first interrupt finishes what runs and starts nothing more; the second stops at once. Both are safe.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) == 1 && c.isDir(args[0]):
				if err := c.enter(args[0]); err != nil {
					return err
				}
			case len(args) == 1:
				f.plan = args[0]
			}
			if c.flags.json {
				c.events = view.NewEvents(c.out, c.app.clock.Now)
				c.events.Write("info", "version", "syncctl "+version(), nil)
			}
			return c.apply(cmd.Context(), f)
		},
	})
	f.vars.flags(cmd.Flags())
	c.targetFlag(cmd, &f.targets)
	cmd.Flags().BoolVar(&f.approve, "auto-approve", false, "do not ask; approves the plan, never a person's step")
	cmd.Flags().IntVar(&f.parallelism, "parallelism", 0, "steps at a time, where their order allows it (default 4)")
	return cmd
}

// application is a plan on its way to be carried out.
type application struct {
	*project

	plan    *planner.Plan
	run     *executor.Run // nil: a new one is made
	decided executor.Decision
	saved   bool // the plan comes from a file
}

func (c *command) apply(ctx context.Context, f *applyFlags) error {
	p, err := c.load(ctx, f.vars.list, false)
	if err != nil {
		return err
	}
	if f.parallelism < 0 {
		return failf(exitError, "-parallelism is the number of steps at a time, not %d", f.parallelism)
	}
	if f.parallelism == 0 {
		f.parallelism = p.cfg.Settings.Parallelism
	}
	lock, err := c.lock(ctx, "apply")
	if err != nil {
		return err
	}
	err = c.applyLocked(ctx, p, f)
	return errors.Join(err, lock.Release())
}

// lock takes the working folder for one process.
func (c *command) lock(ctx context.Context, what string) (*journal.Lock, error) {
	if err := c.makeDataDir(); err != nil {
		return nil, err
	}
	host, _ := os.Hostname() // only shown to people
	return journal.Acquire(ctx, c.lockPath(), journal.Holder{PID: os.Getpid(), Host: host, Since: c.app.clock.Now().UTC(), What: what})
}

func (c *command) lockPath() string { return filepath.Join(c.dataDir(), "lock") }

func (c *command) applyLocked(ctx context.Context, p *project, f *applyFlags) error {
	a, err := c.choose(ctx, p, f)
	if err != nil {
		return err
	}
	if err := c.announce(a, f); err != nil {
		return err
	}
	if len(a.plan.Refusals()) > 0 {
		return c.refused(a.plan)
	}
	if len(a.plan.Steps) == 0 {
		return nil
	}
	if a.decided.Finished {
		return c.carry(ctx, a, f) // nothing is left but to say so in the record
	}
	if !f.approve {
		if err := c.approve(ctx, "Do you want to carry these steps out?"); err != nil {
			return err
		}
	}
	if err := c.unmoved(ctx, a, f); err != nil {
		return err
	}
	return c.carry(ctx, a, f)
}

// choose finds the plan: that of the unfinished run, the given file's, or a new one.
func (c *command) choose(ctx context.Context, p *project, f *applyFlags) (*application, error) {
	a := &application{project: p}
	run, err := c.store().Unfinished()
	if err != nil {
		return nil, err
	}
	var given *planner.Plan
	if f.plan != "" {
		if given, err = c.readPlan(f.plan); err != nil {
			return nil, err
		}
		if len(f.targets) > 0 {
			return nil, failf(exitError, "a saved plan is carried out as it is: -target has no place beside it")
		}
	}
	switch {
	case run != nil && run.Damage != nil:
		return nil, failf(exitError, "%s", c.damaged(run))
	case run != nil:
		a.run, a.plan, a.decided = run, run.Plan, run.Decision(c.app.clock.Now())
		return a, c.fitsRun(p.cfg, run, given, f)
	case given != nil:
		a.plan, a.saved = given, true
		return a, c.fitsPlan(p.cfg, given)
	}
	a.plan, err = c.makePlan(ctx, p, f.targets)
	return a, err
}

// fitsRun tells whether the unfinished run may be gone on with.
func (c *command) fitsRun(cfg *schema.Config, run *executor.Run, given *planner.Plan, f *applyFlags) error {
	if given != nil && !samePlan(given, run.Plan) {
		return failf(exitError, "%s is not the plan of run %s, which is unfinished: go on with it first (`syncctl apply` without a plan), or give it up with `syncctl resolve -abandon`", f.plan, run.ID)
	}
	if len(f.targets) > 0 {
		return failf(exitError, "run %s is unfinished and is gone on with as a whole; -target has no place in it", run.ID)
	}
	if cfg.Digest() != run.Plan.Digest {
		return failf(exitStale, "the configuration changed after run %s was begun, so it cannot be gone on with.\nEither restore the files as they were and run `syncctl apply` again, or give the run up with `syncctl resolve -abandon` and make a new plan from what is there now", run.ID)
	}
	return nil
}

// fitsPlan tells whether a saved plan may be carried out.
func (c *command) fitsPlan(cfg *schema.Config, plan *planner.Plan) error {
	if cfg.Digest() != plan.Digest {
		return failf(exitStale, "the plan is stale: the configuration (files or variables) changed after the plan was made. Make the plan again")
	}
	runs, err := c.store().List()
	if err != nil {
		return err
	}
	for _, r := range runs {
		if r.Finished() && !r.Abandoned() && samePlan(r.Plan, plan) {
			return failf(exitStale, "the plan is stale: it was carried out already, by run %s. Make the plan again", r.ID)
		}
	}
	return nil
}

func samePlan(a, b *planner.Plan) bool {
	var x, y bytes.Buffer
	return a.Encode(&x) == nil && b.Encode(&y) == nil && bytes.Equal(x.Bytes(), y.Bytes())
}

// announce shows what is going to be done.
func (c *command) announce(a *application, f *applyFlags) error {
	if c.events != nil {
		c.events.Of(a.plan)
		t := a.plan.Tally()
		fields := map[string]any{"add": t.Add, "change": t.Change, "destroy": t.Destroy, "steps": t.Steps, "person": t.Person, "irreversible": t.Irreversible}
		if a.run != nil {
			fields["run"], fields["done"] = a.run.ID, len(doneSteps(a.decided))
		}
		message := view.NoChanges
		if len(a.plan.Steps) > 0 {
			message = view.Counts(t)
		}
		c.events.Write("info", "plan", message, fields)
		return nil
	}
	done := map[string]bool{}
	if a.run != nil {
		done = doneSteps(a.decided)
		if err := view.Resumed(c.out, c.outStyle, c.state(a.run)); err != nil {
			return err
		}
		if a.decided.Finished {
			return nil // only the record's last line is missing
		}
	}
	o := view.PlanOptions{Style: c.outStyle, Done: done}
	show := view.Plan
	if a.saved && f.approve {
		show = view.Tally // whoever approves a saved plan beforehand has read it
	}
	if err := show(c.out, a.plan, o); err != nil {
		return err
	}
	if len(a.plan.Steps) > 0 {
		c.say("")
	}
	return nil
}

func (c *command) refused(plan *planner.Plan) error {
	if c.events != nil {
		for _, f := range plan.Refusals() {
			c.events.Write("error", "refused", f.Summary, map[string]any{"rule": f.Rule, "addr": f.Addr, "detail": f.Detail})
		}
		return exitQuietly(exitRefused)
	}
	if err := view.Refusals(c.err, c.errStyle, plan); err != nil {
		return err
	}
	return exitQuietly(exitRefused)
}

// approve asks for the one word that counts.
func (c *command) approve(ctx context.Context, question string) error {
	if c.events != nil || !c.mayAsk() {
		return failf(exitError, "nobody can be asked for approval here. Look at the plan first, then use -auto-approve")
	}
	_, err := c.out.Write([]byte(c.outStyle.Bold(question) + "\n  Only 'yes' will be accepted to approve.\n\n  Enter a value: "))
	if err != nil {
		return err
	}
	if c.unread() {
		return failf(exitError, "nobody can be asked for approval here: whoever read the output has gone. Look at the plan first, then use -auto-approve")
	}
	answer, err := c.app.input.Read(ctx)
	switch {
	case errors.Is(err, prompt.ErrNobody):
		c.say("")
		return failf(exitError, "nobody can be asked for approval here: standard input has ended. Look at the plan first, then use -auto-approve")
	case err != nil:
		c.say("")
		return err
	case strings.TrimSpace(answer) != "yes":
		c.say("\nDeclined. Nothing was changed.")
		return exitQuietly(exitDeclined)
	}
	c.say("")
	return nil
}

// mayAsk tells whether somebody may be at the other end of standard input. In automation only a terminal is: a question
// into an open pipe would wait for ever.
func (c *command) mayAsk() bool {
	if c.app.is("SYNCCTL_INPUT", "0") || c.app.is("SYNCCTL_INPUT", "false") {
		return false
	}
	return c.app.tty.in || !c.app.set("CI") && !c.app.set("SYNCCTL_IN_AUTOMATION")
}

// unmoved reads again what the plan was made from. A plan that was made a moment ago and not asked about is fresh.
func (c *command) unmoved(ctx context.Context, a *application, f *applyFlags) error {
	if a.run == nil && !a.saved && f.approve {
		return nil
	}
	var entries []journal.Entry
	if a.run != nil {
		entries = a.run.Entries
	}
	moved, err := executor.Moved(ctx, a.plan, entries, a.cfg, a.executor, c.app.clock.Now())
	if err != nil {
		return err
	}
	var lines []string
	for _, m := range moved {
		if !a.begun(m) {
			lines = append(lines, "  "+m.String()+" (relied on by step "+m.Step+")")
		}
	}
	if len(lines) == 0 {
		return nil
	}
	what := "the plan is stale: the world has moved since it was made"
	if a.run != nil {
		what = "run " + a.run.ID + " cannot be gone on with: the world has moved since its plan was made"
	}
	return failf(exitStale, "%s.\n%s\nNothing was changed. Make the plan again%s", what, strings.Join(lines, "\n"), map[bool]string{
		true: ", after giving the run up with `syncctl resolve -abandon`, or put things back as they were",
	}[a.run != nil])
}

// begun: a step that was begun may have moved the fact itself; it is looked at when it is taken up again.
func (a *application) begun(m executor.FactMoved) bool {
	moved := a.plan.Step(m.Step)
	for i := range a.plan.Steps {
		s := &a.plan.Steps[i]
		st := a.decided.Steps[s.ID]
		if s.Addr != moved.Addr || st.Phase == executor.PhaseDone || st.Entry.Event == "" {
			continue
		}
		for _, fact := range s.Facts {
			if fact.Name == m.Name {
				return true
			}
		}
	}
	return false
}
