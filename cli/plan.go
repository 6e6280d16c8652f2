package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/cobra"
	"github.com/syncctl/syncctl/cli/internal/view"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/report"
	"github.com/syncctl/syncctl/schema"
)

type planFlags struct {
	vars     variables
	only     planner.Selection
	sign     string
	out      string
	detail   bool
	detailed bool
	against  string // a plan file
	generate string // a file to write, for import blocks
	docs     documentFiles

	observations     string // a file to plan from
	refresh          bool   // read from servers what is missing there
	saveObservations string // a file to write
}

// detailHelp is the help of -detail, of plan and show.
const detailHelp = "also show why each step is there, what it waits for, how it behaves, and all differences"

func (c *command) planCommand() *cobra.Command {
	f := &planFlags{}
	cmd := jsonCommand(&cobra.Command{
		Use: "plan [DIR]", Args: atMost(1),
		Short: "Show the steps from the live servers to what is declared; changes nothing",
		Long: `Reads the live servers, compares them with the declarations, and shows the steps between the two as a
numbered list. It changes nothing. The marks: + adds, ~ changes, - removes, ! cannot be undone, = verifies, ? a
person does it.

With -replace=ADDRESS it plans to make something again though it is as declared, where that loses nothing: the
self-signed certificates of a keystore, with their keys, or the configurations of a synchronization whose product keeps
what they have brought. Where it would lose something, or nothing can be made again, that is refused, with what to do
instead. A declaration is named by its whole address, and prevent_destroy holds.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.enterArg(args); err != nil {
				return err
			}
			if err := c.mayWritePlan(f, cmd.Flags().Changed("out")); err != nil {
				return err
			}
			return c.plan(cmd.Context(), f)
		},
	})
	c.varFlags(cmd, &f.vars)
	c.targetFlags(cmd, &f.only)
	c.replaceFlag(cmd, &f.only)
	cmd.Flags().StringVar(&f.out, "out", "", "save the plan to `FILE` for apply")
	cmd.Flags().StringVar(&f.generate, generateFlag, "", "write what import blocks name, and is not declared, into this "+
		"new `FILE` of the configuration, and plan with it")
	cmd.Flags().StringVar(&f.sign, "sign", "", "sign the saved plan with the SSH key in `FILE`, for somebody else to "+
		"apply; a public key means that of your SSH agent")
	cmd.Flags().BoolVar(&f.detail, "detail", false, detailHelp)
	cmd.Flags().BoolVar(&f.detailed, "detailed-exitcode", false, "exit 2 if there are changes; with -against, if the "+
		"plan is another one, whether or not it has steps")
	cmd.Flags().StringVar(&f.against, "against", "", againstHelp+"; with -json, that is what is written")
	f.docs.flags(cmd)
	cmd.Flags().StringVar(&f.saveObservations, "save-observations", "", "save what the servers showed to `FILE`; "+
		"with sites, what those of -site show, for another site's plan, and make no plan here")
	c.seenFlags(cmd, f)
	return cmd
}

// seenFlags adds the flags that say from what a plan is made.
func (c *command) seenFlags(cmd *cobra.Command, f *planFlags) {
	cmd.Flags().BoolVar(&f.refresh, "refresh", true, "with =false, no server is read: the plan is made from "+
		"-observations alone, and what is missing there is an error")
	cmd.Flags().StringVar(&f.observations, "observations", "",
		"plan from what servers showed before, as saved in `FILE`; only what is missing there is read from servers")
}

// mayWritePlan refuses the files to write that must not be replaced, before anything is read.
func (c *command) mayWritePlan(f *planFlags, save bool) error {
	if save {
		if err := c.mayReplace(f.out); err != nil {
			return err
		}
	}
	if f.saveObservations != "" {
		// What was read from a file may be saved there, with what was missing.
		err := c.freeToWrite("save-observations", f.saveObservations, "seen.jsonl", "observations")
		if err == nil {
			err = c.wasSuch("save-observations", f.saveObservations, documentJSON)
		}
		if err != nil {
			return err
		}
	}
	if f.generate != "" {
		if err := c.mayCreate(generateFlag, f.generate); err != nil {
			return err
		}
	}
	return c.mayWrite(&f.docs)
}

func (c *command) plan(ctx context.Context, f *planFlags) error {
	p, run, err := c.planned(ctx, f)
	if err == nil {
		if err := f.fits(p.cfg, run); err != nil { // before an earlier document is overwritten
			return err
		}
	}
	if emptied := c.empty(&f.docs); err == nil {
		err = emptied
	}
	if err != nil {
		return err
	}
	switch {
	case run != nil && run.Damage != nil:
		c.warn("%s", c.damaged(run))
	case run != nil:
		return c.planUnfinished(ctx, p, run, f)
	}
	if f.generate != "" {
		if p, err = c.generate(ctx, p, &f.vars, f.generate); err != nil {
			return err
		}
	}
	return c.planNew(ctx, p, f)
}

// planned returns the inputs of a plan: the configuration, and the unfinished run of this folder, if there is one.
func (c *command) planned(ctx context.Context, f *planFlags) (*project, *executor.Run, error) {
	p, err := c.loadLive(ctx, f.vars.list)
	if err != nil {
		return nil, nil, err
	}
	if err := c.ownDataDir(); err != nil {
		return nil, nil, err
	}
	run, err := c.unfinished(p.cfg)
	return p, run, err
}

// fits refuses flags that would have no effect, because only the remaining steps of a run are shown, or only
// observations are saved. An exit code without differences, or a file that is not written, would mislead.
func (f *planFlags) fits(cfg *schema.Config, run *executor.Run) error {
	switch {
	case f.sign != "" && f.out == "":
		return failf(exitError, "-sign signs a saved plan: add -out=FILE")
	case run != nil && run.Damage == nil:
		switch {
		case f.out != "":
			return failf(exitError, "cannot save a new plan while run %s is unfinished: resume it with `syncctl apply`, "+
				"or abandon it with `syncctl resolve -abandon`", schema.SanitizeLine(run.ID))
		case !f.only.IsEmpty():
			return failf(exitError, noTarget, schema.SanitizeLine(run.ID))
		}
		if name := given(append(f.ofObservations(), flagGiven{"-" + generateFlag, f.generate != ""})); name != "" {
			return failf(exitError, "%s: run %s is unfinished, so that its remaining steps are shown and no plan is made. "+
				"Resume it with `syncctl apply`, or leave out %s", name, schema.SanitizeLine(run.ID), name)
		}
	case f.generate != "" && !f.refresh:
		return failf(exitError, "-%s reads servers, and -refresh=false has none read: leave out one of the two", generateFlag)
	case cfg.Site != "" && f.saveObservations != "": // for another site that plans: this one may be unable to
		if name := given(append(f.ofPlan(), append(f.ofObservations()[1:],
			flagGiven{"-" + generateFlag, f.generate != ""})...)); name != "" {
			return failf(exitError, "%s: with a site, -save-observations saves what its servers show, and no plan is made. "+
				"Leave out one of the two", name)
		}
	case !f.refresh && f.observations == "":
		return failf(exitError, "-refresh=false plans from what servers showed before: give its file with "+
			"-observations=FILE. `syncctl plan -save-observations=FILE` writes it")
	}
	return nil
}

// flagGiven is a flag, and whether it was given.
type flagGiven struct {
	name string
	is   bool
}

// given returns the first flag that was given, or "" if there is none.
func given(flags []flagGiven) string {
	for _, f := range flags {
		if f.is {
			return f.name
		}
	}
	return ""
}

// ofObservations returns the flags that say where a new plan reads and saves observations.
func (f *planFlags) ofObservations() []flagGiven {
	return []flagGiven{
		{"-save-observations", f.saveObservations != ""}, {"-observations", f.observations != ""},
		{"-refresh=false", !f.refresh},
	}
}

// ofPlan returns the flags that use a plan.
func (f *planFlags) ofPlan() []flagGiven {
	return []flagGiven{
		{"-against", f.against != ""}, {"-detailed-exitcode", f.detailed}, {"-out", f.out != ""}, {"-sign", f.sign != ""},
		{"-markdown-into", f.docs.markdown != ""}, {"-html-into", f.docs.html != ""},
	}
}

// planNew makes a plan and shows it.
func (c *command) planNew(ctx context.Context, p *project, f *planFlags) error {
	old, err := c.oldPlan(f.against)
	if err != nil {
		return err
	}
	from, err := c.asked(p, f)
	if err != nil {
		return err
	}
	if p.cfg.Site != "" && f.saveObservations != "" { // for another site that plans: this one may be unable to
		return c.saveOwn(ctx, p, from.targets, f.saveObservations)
	}
	plan, err := c.makePlan(ctx, p, from)
	if err != nil {
		return err
	}
	if err := c.saveObservations(from.seen, f.saveObservations); err != nil {
		return err
	}
	c.saySent(p.cfg, from.seen)
	if err := c.writeDocuments(&f.docs, old, plan, nil); err != nil {
		return err
	}
	differs, err := c.showAgainst(old, plan, c.planOptions(executor.Decision{}, f.detail))
	if err != nil {
		return err
	}
	if len(plan.Refusals()) > 0 {
		return errors.Join(view.Refusals(c.err, c.errStyle, plan), exitQuietly(exitRefused))
	}
	if err := c.savePlan(ctx, p.cfg, plan, f); err != nil {
		return err
	}
	if f.detailed && differs {
		return exitQuietly(exitChanges)
	}
	return nil
}

// planning holds the inputs of a plan in addition to the configuration and the servers.
type planning struct {
	chosen

	seen *planner.Observations // earlier observations; new ones are added
	// seenOnly: no server is read.
	seenOnly bool
	except   string // the ID of a run to ignore
}

// asked returns what the flags say of a new plan.
func (c *command) asked(p *project, f *planFlags) (planning, error) {
	seen, err := c.readObservations(f.observations)
	if err != nil {
		return planning{}, err
	}
	only, err := c.targets(p.cfg, &f.only)
	return planning{chosen: only, seen: seen, seenOnly: !f.refresh}, err
}

// makePlan compares the declarations with the servers.
func (c *command) makePlan(ctx context.Context, p *project, from planning) (*planner.Plan, error) {
	plan, diags, err := c.tryPlan(ctx, p, from)
	if err != nil {
		return nil, err
	}
	if diags.HasErrors() {
		return nil, c.unplanned(p, diags)
	}
	return plan, c.diagnostics(diags, p.cfg.Files)
}

// unplanned prints why there is no plan, and returns the error that ends the command.
func (c *command) unplanned(p *project, diags hcl.Diagnostics) error {
	if err := c.diagnostics(diags, p.cfg.Files); err != nil {
		return err
	}
	if planner.Lacking(diags) {
		return exitQuietly(exitWaiting)
	}
	return exitQuietly(exitError)
}

// tryPlan is like makePlan, but prints nothing.
func (c *command) tryPlan(ctx context.Context, p *project, from planning) (*planner.Plan, hcl.Diagnostics, error) {
	if diags := p.cfg.CheckImports(); diags.HasErrors() {
		return nil, diags, nil
	}
	earlier, err := c.store().Earlier(from.except)
	if err != nil {
		return nil, nil, err
	}
	if from.seen, err = c.withSent(p.cfg, from.seen); err != nil {
		return nil, nil, err
	}
	changed, err := c.changedElsewhere(p.cfg)
	if err != nil {
		return nil, nil, err
	}
	reading, finish := c.reading()
	defer finish()
	plan, diags := planner.Make(ctx, planner.Input{
		Config: p.cfg, Drivers: p.planner, Version: version(), Targets: from.targets, Replace: from.replace,
		Retired: earlier.Retired, Confirmed: earlier.Confirmed, Acted: earlier.Acted, Abandoned: earlier.Abandoned,
		Observations: from.seen, ObservedOnly: from.seenOnly, Changed: changed,
		Now: c.app.clock.Now, By: c.whoami(), Reading: reading,
	})
	if ctx.Err() != nil {
		err = fmt.Errorf("reading the servers: %w", ctx.Err()) // whatever errors the interrupt has caused
	}
	return plan, diags, err
}

// planUnfinished shows the remaining steps of an unfinished run instead of a new plan.
func (c *command) planUnfinished(ctx context.Context, p *project, run *executor.Run, f *planFlags) error {
	run, err := c.mended(ctx, p, run)
	if err != nil {
		return err
	}
	state := c.state(run)
	if !c.flags.json {
		if err := view.Unfinished(c.out, state); err != nil {
			return err
		}
	}
	old, err := c.oldPlan(f.against)
	if err != nil {
		return err
	}
	if err := c.writeDocuments(&f.docs, old, nil, run); err != nil {
		return err
	}
	o := c.planOptions(state.Decision, f.detail)
	o.Foreign = madeElsewhere(run)
	differs, err := c.showAgainst(old, run.Plan, o)
	if err != nil {
		return err
	}
	if f.detailed && differs && (old != nil || !state.Decision.Finished) {
		return exitQuietly(exitChanges)
	}
	return nil
}

// mended returns the run as apply would resume it if its files were changed, and says so. If apply would not resume
// it, mended returns it unchanged.
func (c *command) mended(ctx context.Context, p *project, run *executor.Run) (*executor.Run, error) {
	if p.cfg.Digest() == run.Plan.Digest {
		return run, nil
	}
	var r *revision
	err := c.fitsSite(p.cfg, run)
	if err == nil {
		r, err = c.revise(ctx, p, run)
	}
	switch code, message := codeOf(err); {
	case code == exitStale && message != nil:
		c.warn("%s", message)
		return run, nil
	case err != nil:
		return nil, err
	}
	if !c.flags.json {
		if err := c.announceRevision(run, r); err != nil {
			return nil, err
		}
	}
	return r.revisedRun(run), nil
}

// doneSteps returns the set of steps that are done.
func doneSteps(d executor.Decision) map[string]bool {
	done := map[string]bool{}
	for id, s := range d.Steps {
		if s.Phase == executor.PhaseDone {
			done[id] = true
		}
	}
	return done
}

// begunSteps returns the set of steps that may have been carried out and are not known to be done.
func begunSteps(d executor.Decision) map[string]bool {
	begun := map[string]bool{}
	for id, s := range d.Steps {
		if report.MayBeDone(s) {
			begun[id] = true
		}
	}
	return begun
}

// planOptions returns the options for showing the remaining part of a plan.
func (c *command) planOptions(d executor.Decision, detail bool) view.PlanOptions {
	return view.PlanOptions{Style: c.outStyle, Detail: detail, Compact: c.flags.compact, Done: doneSteps(d),
		Begun: begunSteps(d)}
}

// madeElsewhere reports whether another site has made the plan of a run.
func madeElsewhere(run *executor.Run) bool {
	return run != nil && len(run.Plan.Turns) > 0 && run.Plan.Turns[0].Site != run.Site
}

// showPlan prints the remaining part of a plan for people, or as JSON.
func (c *command) showPlan(plan *planner.Plan, o view.PlanOptions) error {
	if c.wantsJSON() {
		if err := c.writeJSON(plan.Encode); err != nil || c.flags.json {
			return err
		}
	}
	if err := view.Plan(c.out, plan, o); err != nil {
		return err
	}
	if len(plan.Steps) == 0 || c.app.scratch { // nothing to approve
		return nil
	}
	return c.sayHash(plan)
}

// mayReplace refuses to write a plan over a file that is not a plan.
func (c *command) mayReplace(name string) error {
	if name == "" {
		return failf(exitError, "-out needs the name of a file, as in -out=p.syncplan.json")
	}
	if configurationName(name) {
		return failf(exitError, "-out=%s: a file of that name is read as configuration; choose another name, "+
			"such as p.syncplan.json", name)
	}
	info, err := c.app.fs.Stat(c.abs(name))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil // a missing folder is reported when the file is written
	case err != nil:
		return fmt.Errorf("looking at %s: %w", name, err)
	case info.IsDir():
		return failf(exitError, "-out=%s is a folder; name a file in it, such as %s",
			name, filepath.Join(name, "p.syncplan.json"))
	case info.Size() == 0 || !info.Mode().IsRegular() || strings.HasSuffix(name, planSuffix):
		return nil
	}
	if _, _, err := c.readPlan(name); err != nil {
		return failf(exitError, "-out=%s: a file of that name exists and is not a plan, so it is not replaced. "+
			"Choose another name, or remove it first", name)
	}
	return nil
}
