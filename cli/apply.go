package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/syncctl/syncctl/cli/internal/prompt"
	"github.com/syncctl/syncctl/cli/internal/view"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/report"
	"github.com/syncctl/syncctl/schema"
)

type applyFlags struct {
	vars        variables
	only        planner.Selection
	approve     bool
	parallelism int

	parallelismSet bool   // by the flag, which overrules the settings
	plan           string // file; "" to make one
	approved       approved
	serve          serveFlags
	told           *notifier // tells the user that a person is asked; nil: nobody is told
}

func (c *command) applyCommand() *cobra.Command {
	f := &applyFlags{}
	cmd := jsonCommand(&cobra.Command{
		Use: "apply [PLAN|DIR]", Args: atMost(1),
		Short: "Carry out the steps, verify each, and resume where an earlier apply stopped",
		Long: `Shows the plan, asks for approval, and carries it out: every step is recorded before it starts and
verified against the live servers afterwards. After an interrupt, a crash or an error, the same command resumes
where the run stopped, and repeats nothing.

With PLAN, a file written by "plan -out", it carries out exactly that plan, or nothing if the files or the
servers have changed since. If somebody else has signed it, it is made again, and must come out the same. With
-expect=HASH it plans again, and carries the plan out only if it is the one of that hash, which "plan" has printed to
whoever approved it; nothing has to be carried from there to here.

With -serve, the run can be followed in a browser at the address that is printed, and with -serve-answers steps for
a person can be answered there. Where nobody is at a terminal, such a step is left for later if it has not been
answered for an hour, or for -serve-wait: the run waits, and can be resumed.

Where a server asks to wait, or has no licence left, it says so and waits, for a bounded time. The first
interrupt lets running steps finish and starts no others; the second stops at once. Both are safe.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case c.flags.untrusted:
				return failf(exitError, "apply changes servers, and -untrusted is for files that nobody has reviewed")
			case len(args) == 1 && c.isDir(args[0]):
				if err := c.enter(args[0]); err != nil {
					return err
				}
			case len(args) == 1:
				f.plan = args[0]
			}
			if cmd.Flags().Changed("serve-wait") && !f.serve.answers {
				return failf(exitError, "-serve-wait is for -serve-answers: give both")
			}
			f.parallelismSet = cmd.Flags().Changed("parallelism")
			if err := c.openEvents(); err != nil {
				return err
			}
			return c.apply(cmd.Context(), f)
		},
	})
	c.varFlags(cmd, &f.vars)
	c.targetFlags(cmd, &f.only)
	c.replaceFlag(cmd, &f.only)
	cmd.Flags().BoolVar(&f.approve, "auto-approve", false, "do not ask; approves the plan, never a person's step")
	f.approved.flags(cmd)
	f.serve.flags(cmd)
	cmd.Flags().BoolVar(&f.serve.answers, "serve-answers", false, "let a person's steps be answered on the live page, by "+
		"whoever has the token that is printed")
	cmd.Flags().DurationVar(&f.serve.wait, "serve-wait", time.Hour, "where nobody is at a terminal, leave a step for "+
		"later that has not been answered on the live page for `DURATION`")
	cmd.Flags().IntVar(&f.parallelism, "parallelism", 0, "steps at a time, as `N`, where their order allows it "+
		"(default: parallelism of the settings, or 4)")
	return cmd
}

// application is a plan to be carried out.
type application struct {
	*project

	plan    *planner.Plan
	run     *executor.Run // nil: a new one is begun
	decided executor.Decision
	saved   bool             // the plan was read from a file
	signer  string           // of the plan, if the user has not made it
	agreed  bool             // it is the plan named by -expect or -against
	kept    *executor.Kept   // the inputs of a new plan; nil: unknown
	revised *revision        // the run's files were changed; nil: they were not
	report  *executor.Report // the end of the run; nil before it begins
}

func (c *command) apply(ctx context.Context, f *applyFlags) error {
	p, err := c.loadLive(ctx, f.vars.list)
	if err != nil {
		return err
	}
	if err := c.openApproved(&f.approved); err != nil {
		return err
	}
	if f.parallelism < 0 || f.parallelism == 0 && f.parallelismSet {
		return failf(exitError, "-parallelism is the number of steps at a time, not %d", f.parallelism)
	}
	if f.parallelism == 0 {
		f.parallelism = p.cfg.Settings.Parallelism
	}
	release, err := c.listen(ctx, &f.serve)
	if err != nil {
		return err
	}
	defer release()
	if err := c.fitsPage(p.cfg.Settings, &f.serve); err != nil {
		return err
	}
	if f.told, err = c.openNotifier(); err != nil {
		return err
	}
	lock, err := c.lock(ctx, "apply")
	if err != nil {
		return err
	}
	err = c.applyLocked(ctx, p, f)
	return errors.Join(err, lock.Release())
}

// lock locks the working folder for this process.
func (c *command) lock(ctx context.Context, what string) (*journal.Lock, error) {
	if err := c.makeDataDir(); err != nil {
		return nil, err
	}
	if _, err := c.makeKey(); err != nil {
		return nil, err
	}
	host, _ := os.Hostname() // only shown to people
	holder := journal.Holder{PID: os.Getpid(), Host: host, Since: c.app.clock.Now().UTC(), What: what}
	return journal.Acquire(ctx, c.lockPath(), holder)
}

func (c *command) lockPath() string { return filepath.Join(c.dataDir(), "lock") }

func (c *command) applyLocked(ctx context.Context, p *project, f *applyFlags) error {
	defer c.waits.bePatient(true)()
	a, err := c.choose(ctx, p, f)
	if err != nil {
		return err
	}
	if f.approved.given() {
		if a.agreed, err = f.approved.is(a.plan); err != nil {
			return err
		}
	}
	if err := c.announce(a, f); err != nil {
		return err
	}
	if f.approved.given() && !a.agreed {
		return c.unlike(&f.approved, a.plan)
	}
	if len(a.plan.Refusals()) > 0 {
		return c.refused(a.plan)
	}
	if len(a.plan.Steps) == 0 && a.run == nil {
		return nil
	}
	if a.decided.Finished && a.revised == nil {
		return c.carry(ctx, a, f) // only the end of the run is still to be recorded
	}
	if !f.approve {
		if err := c.approve(ctx, "Do you want to carry out these steps?"); err != nil {
			return err
		}
	}
	if err := c.checkFacts(ctx, a, f); err != nil {
		return err
	}
	return c.carry(ctx, a, f)
}

// choose returns the plan of the unfinished run, the given plan, or a new one.
func (c *command) choose(ctx context.Context, p *project, f *applyFlags) (*application, error) {
	a := &application{project: p}
	run, err := c.unfinished(p.cfg)
	if err != nil {
		return nil, err
	}
	var given *planner.Plan
	var content []byte
	if f.plan != "" {
		if given, content, err = c.readPlan(f.plan); err != nil {
			return nil, err
		}
		if !f.only.IsEmpty() {
			return nil, failf(exitError,
				"a saved plan is carried out as a whole; -target, -exclude and -replace are not allowed")
		}
	}
	switch {
	case run != nil && run.Damage != nil:
		return nil, failf(exitError, "%s", c.damaged(run))
	case run != nil:
		a.run, a.plan = run, run.Plan
		if err := c.fitsSite(p.cfg, run); err != nil {
			return nil, err
		}
		if err := c.fitsRun(p.cfg, run, given, f); err != nil {
			return nil, err
		}
		if p.cfg.Digest() != run.Plan.Digest {
			if a.revised, err = c.revise(ctx, p, run); err != nil {
				return nil, err
			}
			a.plan = a.revised.Plan
		}
		a.decided = executor.Next(a.plan, run.Entries, run.Site, c.app.clock.Now())
		return a, nil
	case given != nil:
		a.plan, a.saved = given, true
		if err := c.fitsPlan(p.cfg, given); err != nil {
			return nil, err
		}
		if a.signer, err = c.vouched(p.cfg, given, content, f.plan); err == nil && a.signer != "" {
			a.kept, err = c.madeHere(ctx, p, given, a.signer, f.plan)
		}
		return a, err
	}
	only, err := c.targets(p.cfg, &f.only)
	if err != nil {
		return nil, err
	}
	a.kept = &executor.Kept{Basis: planner.NewBasis(p.cfg, f.only), Seen: planner.NewObservations()}
	a.plan, err = c.makePlan(ctx, p, planning{chosen: only, seen: a.kept.Seen})
	return a, err
}

// fitsRun returns an error unless the unfinished run may be resumed.
func (c *command) fitsRun(cfg *schema.Config, run *executor.Run, given *planner.Plan, f *applyFlags) error {
	if given != nil && !samePlan(given, run.Plan) {
		return failf(exitError, "%s is not the plan of run %s, which is unfinished: resume that run first "+
			"(`syncctl apply` without a plan), or abandon it with `syncctl resolve -abandon`", f.plan,
			schema.SanitizeLine(run.ID))
	}
	if !f.only.IsEmpty() {
		return failf(exitError, noTarget, schema.SanitizeLine(run.ID))
	}
	if given != nil && cfg.Digest() != run.Plan.Digest {
		return failf(exitStale, "cannot resume run %s with %s: the configuration has changed since the plan was made.\n"+
			"Restore the files, or run `syncctl apply` without a plan: it shows whether the run can be resumed with the "+
			"changed files", schema.SanitizeLine(run.ID), f.plan)
	}
	return nil
}

const noTarget = "run %s is unfinished and must be resumed as a whole; -target, -exclude and -replace are not allowed"

// fitsPlan returns an error unless a saved plan may be carried out.
func (c *command) fitsPlan(cfg *schema.Config, plan *planner.Plan) error {
	if cfg.Digest() != plan.Digest {
		return failf(exitStale, "the plan is stale: "+
			"the configuration (files or variables) changed after the plan was made. Plan again")
	}
	hash, err := plan.Hash()
	if err != nil {
		return err
	}
	id, err := c.store().CarriedOut(hash)
	if err != nil {
		return err
	}
	if id != "" {
		return failf(exitStale, "the plan is stale: run %s has already carried it out. `syncctl apply` without a file makes "+
			"a new plan, and carries that out, also if it is the same once more", schema.SanitizeLine(id))
	}
	return nil
}

// samePlan reports whether two plans are equal, whoever signed them.
func samePlan(a, b *planner.Plan) bool {
	x, errX := a.Hash()
	y, errY := b.Hash()
	return errX == nil && errY == nil && x == y
}

// announce shows what will be done.
func (c *command) announce(a *application, f *applyFlags) error {
	if a.revised != nil {
		if err := c.announceRevision(a.run, a.revised); err != nil {
			return err
		}
	}
	if c.events != nil {
		c.events.Of(a.plan)
		t := a.plan.Tally()
		hash, err := a.plan.Hash()
		if err != nil {
			return err
		}
		fields := view.PlanEvent{Hash: hash, Add: t.Add, Change: t.Change, Destroy: t.Destroy,
			Steps: t.Steps, Person: t.Person, Irreversible: t.Irreversible}
		if a.run != nil {
			done := len(doneSteps(a.decided))
			fields.Run, fields.Done = a.run.ID, &done
		}
		message := report.NoChanges
		if len(a.plan.Steps) > 0 {
			message = report.Counts(t)
		}
		c.events.Write("info", message, fields)
	}
	if c.flags.json {
		return nil
	}
	var decided executor.Decision
	if a.run != nil {
		decided = a.decided
		run := a.run
		if a.revised != nil {
			run = a.revised.revisedRun(run)
		}
		if err := view.Resumed(c.out, c.outStyle, c.state(run)); err != nil {
			return err
		}
		if a.decided.Finished && a.revised == nil {
			return nil // only the end of the run is still to be recorded
		}
	}
	o := c.planOptions(decided, false)
	o.Foreign = a.signer != "" || madeElsewhere(a.run)
	show := view.Plan
	if (a.saved || a.agreed) && f.approve {
		show = view.Tally // a person who approves a plan in advance has read it
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
			c.events.Write("error", f.Summary, view.RefusedEvent{Rule: f.Rule, Addr: f.Addr, Detail: f.Detail})
		}
	}
	if c.flags.json {
		return exitQuietly(exitRefused)
	}
	if err := view.Refusals(c.err, c.errStyle, plan); err != nil {
		return err
	}
	return exitQuietly(exitRefused)
}

// approve asks for approval: only yes counts.
func (c *command) approve(ctx context.Context, question string) error {
	if c.flags.json || !c.mayAsk() {
		return failf(exitError, "nobody can be asked for approval. "+useAutoApprove)
	}
	question = c.outStyle.Bold(question)
	_, err := fmt.Fprintf(c.out, "%s\n  Only 'yes' will be accepted to approve.\n\n  Enter a value: ", question)
	if err != nil {
		return err
	}
	if c.unread() {
		return failf(exitError, "nobody can be asked for approval: the reader of the output is gone. "+useAutoApprove)
	}
	answer, err := c.app.input.Read(ctx)
	switch {
	case errors.Is(err, prompt.ErrNobody):
		c.say("")
		return failf(exitError, "nobody can be asked for approval: standard input has ended. "+useAutoApprove)
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

const useAutoApprove = "Read the plan first, then use -auto-approve"

// mayAsk reports whether a person may be at the other end of standard input. In automation only a terminal counts: a
// question into an open pipe would wait for ever.
func (c *command) mayAsk() bool {
	if c.app.is("SYNCCTL_INPUT", "0") || c.app.is("SYNCCTL_INPUT", "false") {
		return false
	}
	return c.app.tty.in || !c.app.set("CI") && !c.app.set("SYNCCTL_IN_AUTOMATION")
}

// checkFacts reads the facts that the plan relies on again. It skips that for a new plan that was approved in advance.
func (c *command) checkFacts(ctx context.Context, a *application, f *applyFlags) error {
	if a.run == nil && !a.saved && f.approve {
		return nil
	}
	var entries []journal.Entry
	if a.run != nil {
		entries = a.run.Entries
	}
	moved, err := executor.Moved(ctx, a.plan, entries, a.cfg, a.executor, a.cfg.Site, c.app.clock.Now())
	if err != nil {
		return err
	}
	var lines []string
	changing := a.changing()
	for _, m := range moved {
		if !changing(m) {
			lines = append(lines, "  "+m.String()+" (relied on by step "+m.Step+")")
		}
	}
	if len(lines) == 0 {
		return nil
	}
	if a.run == nil {
		return failf(exitStale, "the plan is stale: the servers have changed since it was made.\n%s\n"+
			"Nothing was changed. Plan again", strings.Join(lines, "\n"))
	}
	return failf(exitStale, "cannot resume run %s: the servers have changed since it was planned.\n%s\n"+
		"Nothing was changed. Restore what has changed, or abandon the run with `syncctl resolve -abandon` and plan again",
		schema.SanitizeLine(a.run.ID), strings.Join(lines, "\n"))
}

// changing returns a function that reports whether a started step may itself have changed a fact. Such a fact is
// verified when the step is resumed.
func (a *application) changing() func(executor.FactMoved) bool {
	type fact struct{ addr, name string }
	begun, addrs := map[fact]bool{}, map[string]string{}
	for i := range a.plan.Steps {
		s := &a.plan.Steps[i]
		addrs[s.ID] = s.Addr
		st := a.decided.Steps[s.ID]
		if st.Phase == executor.PhaseDone || st.Entry.Event == "" {
			continue
		}
		for _, f := range s.Facts {
			begun[fact{s.Addr, f.Name}] = true
		}
	}
	return func(m executor.FactMoved) bool { return begun[fact{addrs[m.Step], m.Name}] }
}
