package cli

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/cli/internal/args"
	"github.com/syncctl/syncctl/cli/internal/output"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/fault"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/redact"
	"github.com/syncctl/syncctl/sandbox"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

// trial is one run of a test, carried out by its own command in the scratch folder.
type trial struct {
	*command

	run      *schema.TestRun
	project  *project
	made     *application // nil before there is a plan
	failures []trialFailure
}

// trialFailure is something that went wrong.
type trialFailure struct {
	diag   *hcl.Diagnostic
	object string // what failed: var.x, check.x, the address of a declaration; "": nothing that a test can expect
	fatal  bool   // the run did not complete
}

// newTrial makes the command that works in a folder of the scratch.
func (t *tester) newTrial(s *scratch, at string, run *schema.TestRun) (*trial, error) {
	inside := s.inside()
	inside.tty = terminal{} // nobody is asked
	inside.stdout, inside.stderr = io.Discard, t.err
	switch {
	case t.flags.json:
		inside.stderr = io.Discard
	case t.verbose:
		inside.stdout = t.out
	}
	if t.flags.untrusted {
		inside.env = func(name string) (string, bool) { v, ok := s.env[name]; return v, ok }
	}
	c := &command{app: inside, log: t.log, cwd: inside.cwd, testing: run, outStyle: t.outStyle, errStyle: t.errStyle}
	known := func() *redact.Set { return c.redactor }
	c.out, c.err = output.Guard(inside.stdout, known), output.Guard(inside.stderr, known)
	if err := c.openPolicy(); err != nil {
		return nil, err
	}
	return &trial{command: c, run: run}, c.enter(at)
}

// run carries out one run and returns its result. An error is one of the program itself.
func (t *tester) run(
	ctx context.Context, s *scratch, at string, run *schema.TestRun, earlier map[string]cty.Value,
) (*runResult, error) {
	r, err := t.newTrial(s, at, run)
	if err != nil {
		return nil, err
	}
	if r.setFaults(s.box, t.faults[run]) {
		err = r.carryOutRun(ctx, t.vars)
	}
	if err == nil && late(ctx) { // it was cut short, or its assertions would be
		err = errLate
	}
	if r.redactor != nil {
		t.redactor = r.redactor
	}
	fault.Raise(errors.Join(err, r.closeDrivers()))
	if t.interrupted(ctx) && (r.made == nil || r.made.report == nil || !r.made.report.Finished) {
		return &runResult{run: run, status: statusSkip}, nil
	}
	if err != nil {
		text := err.Error()
		if _, left := codeOf(err); left == nil {
			text = "what is wrong was reported"
		}
		if endedBy(ctx, err) {
			text = errLate.Error()
		}
		r.fail("", "Run failed", "The run could not be carried out: %s.", text)
	}
	result := &runResult{run: run, files: t.sources}
	result.diags, result.status = r.judge(ctx, earlier)
	if r.project != nil {
		r.redactor = r.project.cfg.Redactor()
		if len(result.diags) > 0 {
			result.files = r.project.cfg.Files()
		}
		t.redactor = r.redactor
	}
	result.redactor = r.redactor
	return result, nil
}

// fail records a failure that ended the run.
func (r *trial) fail(object, summary, format string, args ...any) {
	d := mistake(r.run.Range, summary, format, args...)
	if a, err := schema.ParseAddr(object); err == nil {
		d = schema.WithAddr(d, a)
	}
	r.failures = append(r.failures, trialFailure{d, object, true})
}

// setFaults sets exactly the faults that the run describes. It reports invalid faults.
func (r *trial) setFaults(box *sandbox.Sandbox, faults []sandbox.Fault) bool {
	for i := range faults {
		if err := box.SetFaults(faults[i : i+1]); err != nil {
			diag := mistake(r.run.Faults[i].Range, "Invalid fault", "%s.", err)
			r.failures = append(r.failures, trialFailure{diag: diag, fatal: true})
		}
	}
	return len(r.failures) == 0 && box.SetFaults(faults) == nil
}

// carryOutRun reads the configuration for the run, and plans or applies it.
func (r *trial) carryOutRun(ctx context.Context, vars []schema.VarSource) error {
	p, diags := r.read(ctx, vars, false)
	r.project = p
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for _, d := range diags {
		r.take(d, schema.FailedObject(d))
	}
	switch {
	case diags.HasErrors():
		return nil
	case !r.run.Apply:
		a, err := r.choosePlan(ctx)
		if a == nil || err != nil {
			return err
		}
		return r.showPlan(a.plan, r.planOptions(a.decided, false))
	}
	lock, err := r.lock(ctx, "test")
	if err != nil {
		return err
	}
	return errors.Join(r.applyRun(ctx), lock.Release())
}

// take records an error, or a warning that counts as a failure.
func (r *trial) take(d *hcl.Diagnostic, object string) {
	fatal := d.Severity == hcl.DiagError
	if !fatal {
		if object == "" {
			return // validate shows it
		}
		c := *d
		c.Severity = hcl.DiagError
		d = &c
	}
	r.failures = append(r.failures, trialFailure{d, object, fatal})
}

// choosePlan makes the plan, or uses that of the unfinished run. If there is none, it records the failures and returns
// nil.
func (r *trial) choosePlan(ctx context.Context) (*application, error) {
	unfinished, err := r.store().Unfinished()
	if err != nil {
		return nil, err
	}
	a := &application{project: r.project}
	if unfinished != nil {
		if a, err = r.choose(ctx, r.project, &applyFlags{approve: true}); err != nil {
			return nil, err
		}
	} else {
		a.kept = &executor.Kept{Basis: planner.NewBasis(r.project.cfg, planner.Selection{}), Seen: planner.NewObservations()}
		var diags hcl.Diagnostics
		a.plan, diags, err = r.tryPlan(ctx, r.project, planning{seen: a.kept.Seen})
		if err != nil {
			return nil, err
		}
		for _, d := range diags {
			if d.Severity == hcl.DiagError {
				r.take(d, addressOf(d))
			}
		}
		if diags.HasErrors() {
			return nil, nil
		}
	}
	for _, f := range a.plan.Refusals() {
		r.fail(f.Addr, f.Summary, "%s\n\nThe rule is %s.", f.Detail, f.Rule)
	}
	r.made = a
	return a, nil
}

// addressOf returns the address of the declaration that a diagnostic is about, or "".
func addressOf(d *hcl.Diagnostic) string {
	if a := schema.AddrOf(d); a != (schema.Addr{}) {
		return a.String()
	}
	return ""
}

// applyRun carries out the plan, approved in advance.
func (r *trial) applyRun(ctx context.Context) error {
	a, err := r.choosePlan(ctx)
	if a == nil || err != nil {
		return err
	}
	f := &applyFlags{approve: true, parallelism: r.project.cfg.Settings.Parallelism}
	if err := r.announce(a, f); err != nil {
		return err
	}
	if len(a.plan.Refusals()) > 0 || len(a.plan.Steps) == 0 && a.run == nil {
		return nil
	}
	if err := r.checkFacts(ctx, a, f); err != nil {
		return err
	}
	err = r.carry(ctx, a, f)
	if _, left := codeOf(err); left != nil || a.report == nil {
		return err
	}
	for _, s := range a.report.Steps {
		switch s.Phase {
		case executor.PhaseFailed, executor.PhaseStuck:
			r.fail(s.Step.Addr, "Step failed", "%s: %s.", s.Step.ID, s.Why)
		case executor.PhaseWaiting:
			r.fail(s.Step.Addr, "Step waits", "%s: %s.", s.Step.ID, s.Why)
		}
	}
	if !a.report.Finished && !slices.ContainsFunc(r.failures, func(f trialFailure) bool { return f.fatal }) {
		r.fail("", "Run not finished", "The run stopped before all steps were carried out.")
	}
	return nil
}

// judge compares what happened with what the run expects.
func (r *trial) judge(ctx context.Context, earlier map[string]cty.Value) (hcl.Diagnostics, status) {
	var out hcl.Diagnostics
	how := statusPass
	happened := map[schema.TestText]bool{}
	for _, f := range r.failures {
		expected := false
		for _, want := range r.run.Failures {
			if covers(want.Text, f.object) {
				happened[want], expected = true, true
			}
		}
		if expected {
			continue
		}
		out = append(out, f.diag)
		if f.fatal {
			how = statusError
		}
	}
	for _, want := range r.run.Failures {
		if !happened[want] && how != statusError {
			out = append(out, mistake(want.Range, "Expected failure did not happen",
				"Run %q expects %s to fail, and it did not.", r.run.Name, want.Text))
		}
	}
	if r.made == nil {
		if n := r.run.Asserts() + len(r.run.Steps); n > 0 && how != statusError {
			out = append(out, mistake(r.run.Range, "Nothing to assert", "Run %q ended before there was a plan, so its "+
				"assertions and expect_steps were not looked at. Leave them out where a failure is expected.", r.run.Name))
		}
	} else if how != statusError {
		value := r.value()
		earlier[r.run.Name] = value
		out = append(out, r.missingSteps()...)
		out = append(out, r.project.cfg.Assert(ctx, r.run, map[string]cty.Value{
			"plan": value, "run": cty.ObjectVal(earlier),
		})...)
	}
	if len(out) > 0 && how == statusPass {
		how = statusFail
	}
	return out, how
}

// covers reports whether an expected failure is that of the object, of all its instances, or of the module around it.
func covers(want, object string) bool {
	return want == object || strings.HasPrefix(object, want+"[") || strings.HasPrefix(object, want+".")
}

// steps returns the steps of the plan that remain when the run begins.
func (r *trial) steps() []planner.Step {
	done := doneSteps(r.made.decided)
	var out []planner.Step
	for _, s := range r.made.plan.Steps {
		if !done[s.ID] {
			out = append(out, s)
		}
	}
	return out
}

// missingSteps reports the first expected step that does not come after the previous one.
func (r *trial) missingSteps() hcl.Diagnostics {
	var ids []string
	for _, s := range r.steps() {
		ids = append(ids, s.ID)
	}
	at := 0
	for _, want := range r.run.Steps {
		from := at
		for at < len(ids) && ids[at] != want.Text {
			at++
		}
		if at++; at <= len(ids) {
			continue
		}
		text := "has no such step." + args.DidYouMean(want.Text, ids, "")
		for _, id := range ids[:from] {
			if id == want.Text {
				text = "has it before the steps that are expected before it."
			}
		}
		list := "\n  " + strings.Join(ids, "\n  ")
		if len(ids) == 0 {
			list = " none"
		}
		return hcl.Diagnostics{mistake(want.Range, "Expected step is missing", "The plan of run %q %s Its steps:%s",
			r.run.Name, text, list)}
	}
	return nil
}

// value returns the value that assertions use as plan, and later runs as run.NAME. Lists are tuples, so that they can
// be compared with literals in brackets.
func (r *trial) value() cty.Value {
	tally := r.made.plan.Tally()
	steps, done, findings := []cty.Value{}, []cty.Value{}, []cty.Value{}
	for _, s := range r.steps() {
		steps = append(steps, cty.StringVal(s.ID))
	}
	if r.made.report != nil {
		for _, s := range r.made.report.Steps {
			if s.Phase == executor.PhaseDone && s.Here {
				done = append(done, cty.StringVal(s.Step.ID))
			}
		}
	}
	for _, f := range r.made.plan.Findings {
		findings = append(findings, cty.ObjectVal(map[string]cty.Value{
			"rule": cty.StringVal(f.Rule), "severity": cty.StringVal(string(f.Severity)), "address": cty.StringVal(f.Addr),
			"summary": cty.StringVal(f.Summary),
		}))
	}
	count := func(n int) cty.Value { return cty.NumberIntVal(int64(n)) }
	return cty.ObjectVal(map[string]cty.Value{
		"steps": cty.TupleVal(steps), "done": cty.TupleVal(done), "findings": cty.TupleVal(findings),
		"add": count(tally.Add), "change": count(tally.Change), "destroy": count(tally.Destroy),
		"person": count(tally.Person), "irreversible": count(tally.Irreversible),
	})
}
