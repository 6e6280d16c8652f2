package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/afero"
	"github.com/spf13/cobra"
	"github.com/syncctl/syncctl/cli/internal/view"
	"github.com/syncctl/syncctl/drift"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/printable"
	"github.com/syncctl/syncctl/schema"
)

type driftFlags struct {
	vars     variables
	only     planner.Selection
	applied  bool
	markdown bool
	junit    string // a file
}

func (c *command) driftCommand() *cobra.Command {
	f := &driftFlags{}
	cmd := jsonCommand(&cobra.Command{
		Use: "drift [DIR]", Args: atMost(1),
		Short: "Show what was changed on servers from outside since it was applied; changes nothing, there or here",
		Long: `Reads the live servers as plan does, and shows which differences between them and the declarations come from
outside, from somebody or something that is neither these files nor syncctl. What differs only because it has not been
applied yet does not count. The two are told apart by what the last finished runs of this folder have applied: where
that is not known, the difference is shown as unknown, and taken for neither.

-applied is for a folder without runs, such as a fresh checkout: you say that all that the files declare has been
applied, so that whatever differs comes from outside.

What is to stay for a while is ignored with lifecycle { ignore_drift { argument, reason, until } }, until that day.

Over sites, what other sites' servers show is what these sites have sent, and the report says when that was.

Exit codes: 0 nothing was changed from outside · 1 an error, or of a difference it is not known where it comes from ·
2 something was changed from outside · 4 another site has to send first what its servers show.`,
		Example: "  syncctl drift -applied -junit-xml=drift.xml",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.enterArg(args); err != nil {
				return err
			}
			if f.junit != "" {
				if err := c.freeToWrite("junit-xml", f.junit, "junit.xml"); err != nil {
					return err
				}
				if err := c.wasSuch("junit-xml", f.junit, documentXML); err != nil {
					return err
				}
			}
			if f.markdown && c.flags.json {
				return failf(exitError, "-markdown and -json are two forms of the output: give one of them")
			}
			return c.drift(cmd.Context(), f)
		},
	})
	c.varFlags(cmd, &f.vars)
	c.targetFlags(cmd, &f.only)
	cmd.Flags().BoolVar(&f.applied, "applied", false, "all that is declared has been applied: whatever differs comes "+
		"from outside")
	cmd.Flags().BoolVar(&f.markdown, "markdown", false, "write Markdown, for an issue or a chat")
	cmd.Flags().StringVar(&f.junit, "junit-xml", "", "write a report for CI systems to `FILE`")
	return cmd
}

func (c *command) drift(ctx context.Context, f *driftFlags) error {
	writable := c.readOnly()
	r, err := c.findDrift(ctx, f)
	writable()
	if err != nil {
		return err
	}
	if err := c.document(view.DriftJSON(r)); err != nil {
		return err
	}
	shown := withHidden(r, c.redactor.String)
	switch {
	case f.markdown:
		var text bytes.Buffer
		err = view.DriftMarkdown(&text, shown)
		_, writing := c.out.WriteExact([]byte(printable.Text(text.String())))
		err = errors.Join(err, writing)
	case !c.flags.json:
		err = view.Drift(c.out, c.outStyle, r)
	}
	if err != nil {
		return err
	}
	if f.junit != "" {
		if err := c.saveJUnit(f.junit, driftSuite(shown)); err != nil {
			return err
		}
	}
	switch {
	case r.Count(drift.Outside) > 0:
		return exitQuietly(exitChanges)
	case r.Count(drift.Unknown) > 0:
		return exitQuietly(exitError)
	}
	return nil
}

// readOnly prevents the command, and everything that it creates, from writing files until end is called, but for those
// that the command line names.
func (c *command) readOnly() (end func()) {
	was := c.app
	reads := *was
	reads.fs = afero.NewReadOnlyFs(was.fs)
	c.app, c.named = &reads, was.fs
	return func() { c.app, c.named = was, nil }
}

// findDrift makes a plan and sorts its findings.
func (c *command) findDrift(ctx context.Context, f *driftFlags) (*drift.Report, error) {
	p, err := c.loadLive(ctx, f.vars.list)
	if err != nil {
		return nil, err
	}
	if err := c.ownDataDir(); err != nil {
		return nil, err
	}
	only, err := c.targets(p.cfg, &f.only)
	if err != nil {
		return nil, err
	}
	seen := planner.NewObservations()
	plan, err := c.makePlan(ctx, p, planning{chosen: only, seen: seen})
	if err != nil {
		return nil, err
	}
	past, err := c.past(p.cfg)
	if err != nil {
		return nil, err
	}
	r := drift.Find(drift.Input{Config: p.cfg, Plan: plan, Past: past, Now: c.app.clock.Now(), Applied: f.applied,
		Uncompared: c.uncompared()})
	ages := seen.Ages(p.cfg)
	for _, site := range slices.Sorted(maps.Keys(ages)) {
		r.Sent = append(r.Sent, drift.Sent{Site: site, Age: ages[site]})
	}
	return r, nil
}

// uncompared returns a function that reports whether a rule means that something could not be compared.
func (c *command) uncompared() func(rule string) bool {
	rules := map[string]bool{}
	for _, r := range c.rules() {
		rules[r.ID] = rules[r.ID] || r.Uncompared
	}
	return func(rule string) bool { return rules[rule] }
}

// past collects the state in which the runs of this folder left each declaration.
func (c *command) past(cfg *schema.Config) (drift.Past, error) {
	past := drift.Past{Last: map[string]drift.Applied{}, Underway: map[string]drift.Applied{},
		GivenUp: map[string]string{}}
	store := c.store()
	ids, err := store.IDs()
	if err != nil {
		return past, err
	}
	if past.Lost, err = store.LastSetAside(); err != nil {
		return past, err
	}
	where := cfg.WhereMoved()
	for _, id := range ids { // oldest first, because later runs override earlier ones
		run, err := store.Look(id, 1)
		if err != nil {
			return past, err
		}
		if run.Damage != nil {
			c.warn("run %s is damaged, and what it has changed is not known: %s", schema.SanitizeLine(id), run.Damage)
			past.Lost = max(past.Lost, id)
			continue
		}
		if err := c.pastOf(&past, store, run, where); err != nil {
			return past, err
		}
	}
	return past, nil
}

// pastOf adds the results of one run.
func (c *command) pastOf(
	past *drift.Past, store *executor.Store, run *executor.Run, where func(string) string,
) error {
	if run.Finished() && run.Abandoned() {
		for addr := range executor.ActedOn(run.Plan, run.Decision(c.app.clock.Now())) {
			past.GivenUp[where(addr)] = run.ID
		}
		return nil
	}
	basis, err := store.Basis(run)
	if err != nil && !errors.Is(err, executor.ErrNotKept) {
		return err
	}
	left := drift.NewRun(run.ID, run.Plan, basis)
	past.Any = past.Any || run.Finished()
	for i := range run.Plan.Changes {
		was := run.Plan.Changes[i].Addr
		addr := where(was)
		if !run.Finished() {
			past.Underway[addr] = drift.Applied{Run: left, Was: was}
			continue
		}
		past.Last[addr] = drift.Applied{Run: left, Was: was}
		delete(past.GivenUp, addr)
	}
	return nil
}

// driftSuite returns a report for CI systems: a test case for each declaration, which fails if the declaration was
// changed from outside, and has an error if that is unknown.
func driftSuite(r *drift.Report) junitSuites {
	suite := junitSuite{Name: "drift", Tests: len(r.Compared)}
	differences := r.ByAddr()
	for _, addr := range r.Compared {
		one := junitCase{Name: printable.Line(addr), Class: "drift", Seconds: "0.000"}
		texts := map[drift.Cause][]string{}
		for _, d := range differences[addr] {
			texts[d.Cause] = append(texts[d.Cause], printable.Line(view.DriftLine(&d))+"\n  "+printable.Line(d.Why))
		}
		detail := func(c drift.Cause, what string) *junitDetail {
			if len(texts[c]) == 0 {
				return nil
			}
			return &junitDetail{Message: fmt.Sprintf("%d %s", len(texts[c]), what), Text: strings.Join(texts[c], "\n")}
		}
		switch {
		case len(texts[drift.Outside]) > 0:
			one.Failure = detail(drift.Outside, "changed from outside")
			suite.Failures++
		case len(texts[drift.Unknown]) > 0:
			one.Error = detail(drift.Unknown, "of unknown origin")
			suite.Errors++
		case len(texts[drift.Ignored]) > 0:
			one.Skipped = detail(drift.Ignored, "ignored")
			suite.Skipped++
		}
		suite.Cases = append(suite.Cases, one)
	}
	return junitSuites{Suites: []junitSuite{suite}}
}
