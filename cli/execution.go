package cli

import (
	"context"
	"errors"
	"time"

	"github.com/syncctl/syncctl/cli/internal/hook"
	"github.com/syncctl/syncctl/cli/internal/interrupt"
	"github.com/syncctl/syncctl/cli/internal/view"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/journal"
)

// verifyWithin is the timeout for verifying a step that does not set one.
const verifyWithin = 2 * time.Minute

// carry begins or resumes the run, carries it out, and reports how it ended.
func (c *command) carry(ctx context.Context, a *application, f *applyFlags) error {
	if a.run == nil && a.saved && a.kept == nil {
		if err := c.keepSaved(ctx, a); err != nil {
			return err
		}
	}
	progress := c.progress(a)
	operator, err := c.operator(a.cfg.Settings, progress)
	if err != nil {
		progress.Close()
		return err
	}
	store := c.store()
	if a.run == nil {
		run, err := store.Create(a.plan, a.kept)
		if err != nil {
			return err
		}
		a.run = run
	}
	c.carrying = a.run.ID
	j, err := store.Journal(a.run, journal.Options{Now: c.app.clock.Now, Watch: hook.Journal})
	if err != nil {
		return err
	}
	if err := c.recordPlan(ctx, a, j); err != nil {
		progress.Close()
		return errors.Join(err, j.Close())
	}
	united := a.run.United(j)
	live, err := c.openPage(ctx, a, &f.serve, united, progress)
	if err != nil {
		progress.Close()
		return errors.Join(err, j.Close())
	}
	defer live.close()
	progress = live.beside(progress)
	defer f.told.begin(ctx, a, progress)()
	report, interrupted, err := c.carryOut(ctx, progress, executor.Options{
		Run: a.run.ID, Plan: a.plan, Config: a.cfg, Drivers: a.executor, Files: store.Files(a.run), Journal: united,
		Site:     a.run.Site,
		Operator: f.told.operator(live.operator(operator, &f.serve, a.plan)),
		Clock:    c.app.clock, Log: c.log, Observe: progress.Observe, Redact: c.redactor.String,
		Parallelism: f.parallelism,
		Poll:        executor.Poll{Within: verifyWithin},
	})
	err = errors.Join(err, j.Close())
	live.close()
	if report == nil {
		return err
	}
	a.report = report
	return c.ended(ctx, a, f, interrupted, err)
}

// ended sends a run to the other sites, if it is over sites, and reports its end. It returns an error if the journal
// could not be written.
func (c *command) ended(ctx context.Context, a *application, f *applyFlags, interrupted bool, err error) error {
	end := view.End{Report: a.report, RunID: a.run.ID, Dir: c.near(a.run.Dir), Next: c.resumption(a.cfg, f)}
	if err == nil && !interrupted {
		end.Next.Bundle = c.handOn(ctx, a.project, end)
	}
	c.reportEnd(end)
	if err != nil {
		return err
	}
	return exitQuietly(endCode(a.report, interrupted))
}

// recordPlan records the new plan of a run whose files were changed, and the site's approval of the plan.
func (c *command) recordPlan(ctx context.Context, a *application, j *journal.Journal) error {
	if a.revised != nil {
		if err := c.store().Revise(ctx, a.run, j, a.plan, a.revised.kept, c.whoami()); err != nil {
			return err
		}
	}
	if site := a.run.Site; site != "" && !a.run.Approved(site) {
		return executor.Approve(ctx, a.run, j, c.whoami())
	}
	return nil
}

// carryOut runs the executor until it ends, or is stopped by the first or second interrupt, or by the end of the time
// of tests.
func (c *command) carryOut(
	ctx context.Context, progress view.Progress, o executor.Options,
) (report *executor.Report, interrupted bool, err error) {
	defer progress.Close()
	if c.events != nil { // the first event that means that this process carries out the run: "plan" comes before approval
		c.events.Write("info", "apply started", view.ApplyStartEvent{Run: o.Run})
	}
	defer c.waits.within(progress.Note)()
	defer c.waits.bePatient(false)()
	// The first interrupt must not stop running steps, so they do not use the context of the command.
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { // tests whose time is over do not wait for running steps
		if late(ctx) {
			cancel()
		}
	})()
	stages := interrupt.NewStages(cancel, func(text string) {
		defer progress.Hold()()
		if c.events != nil {
			c.events.Write("warn", text, view.InterruptedEvent{})
		}
		if c.flags.json {
			return
		}
		c.warn("%s", text)
	})
	defer c.app.interrupts.During(stages.Next)()
	if ctx.Err() != nil && !late(ctx) { // the interrupt came just before
		stages.Next(nil)
	}
	o.Stop, o.Operator = stages.Stop(), stoppable{o.Operator, stages.Stop()}
	report, err = executor.Carry(work, o)
	return report, stages.Interrupted(), err
}

// stoppable defers a person's step if the run is to stop, so that nobody has to answer a question first.
type stoppable struct {
	executor.Operator

	stop <-chan struct{}
}

func (s stoppable) Perform(ctx context.Context, ask executor.Ask) (executor.Reply, error) {
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-s.stop:
			cancel()
		case <-inner.Done():
		}
	}()
	reply, err := s.Operator.Perform(inner, ask)
	if err != nil && inner.Err() != nil && ctx.Err() == nil {
		return executor.Deferred, nil
	}
	return reply, err
}

// endCode returns the exit code of a run. The cause of a failure takes precedence over the run's progress.
func endCode(r *executor.Report, interrupted bool) int {
	done, failed := 0, false
	refused, moved := false, false
	for _, s := range r.Steps {
		switch s.Phase {
		case executor.PhaseDone:
			done++
		case executor.PhaseFailed, executor.PhaseStuck:
			failed = true
			refused, moved = refused || s.Refused, moved || s.Moved
		}
	}
	switch {
	case r.Finished:
		return exitDone
	case interrupted:
		return exitInterrupted
	case refused:
		return exitRefused
	case moved:
		return exitStale
	case failed && done == 0:
		return exitError
	case failed:
		return exitStopped
	case r.Count(executor.PhaseWaiting)+r.Count(executor.PhaseAway) > 0:
		return exitWaiting
	}
	return exitStopped
}

// reportEnd prints the report. If that fails, the run has ended anyway.
func (c *command) reportEnd(end view.End) {
	if c.app.scratch {
		end.Dir = ""
	}
	if c.events != nil {
		message := "apply complete"
		if !end.Report.Finished {
			message = "apply stopped"
		}
		c.events.Write("info", message, view.EndOf(end))
	}
	if c.flags.json {
		return
	}
	if err := view.Report(c.out, c.outStyle, end); err != nil {
		c.warn("cannot print how the run ended: %v. `syncctl status` shows it", err)
	}
}

// progress returns the view that suits the output, together with the events if they are written to a file.
func (c *command) progress(a *application) view.Progress {
	switch {
	case c.flags.json:
		return c.events
	case c.events != nil:
		return c.events.Beside(c.textProgress(a))
	}
	return c.textProgress(a)
}

// textProgress returns the view for people.
func (c *command) textProgress(a *application) view.Progress {
	if c.app.tty.out && !c.app.is("TERM", "dumb") && !c.app.set("CI") {
		ticks := time.NewTicker(200 * time.Millisecond)
		live := view.NewLive(c.out, c.outStyle, c.width, a.plan, len(doneSteps(a.decided)), c.app.clock.Now, ticks.C)
		return &ticking{live, ticks}
	}
	return view.NewPlain(c.out, c.outStyle, a.plan)
}

// ticking stops the ticker together with the view.
type ticking struct {
	view.Progress

	ticker *time.Ticker
}

func (t *ticking) Close() {
	t.ticker.Stop()
	t.Progress.Close()
}
