package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/cobra"
	"github.com/syncctl/syncctl/cli/internal/args"
	"github.com/syncctl/syncctl/sandbox"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

type testFlags struct {
	vars    variables
	filter  []string
	verbose bool
	junit   string
	timeout time.Duration // 0: the default
}

// untrustedTests is the default of -timeout with -untrusted: such files may wait for servers that never answer.
const untrustedTests = 10 * time.Minute

func (c *command) testCommand() *cobra.Command {
	f := &testFlags{}
	cmd := jsonCommand(&cobra.Command{
		Use: "test [DIR]", Args: atMost(1),
		Short: "Carry out the tests in *.synctest.hcl files against simulated servers on this machine",
		Long: `Carries out the runs of DIR/*.synctest.hcl in their order: each plans or applies the configuration of DIR, in a
scratch copy, against the simulated servers that DIR/sandbox.json describes, with a stand-in for the person. The runs of
one file share the servers. No other server is reached. What a file can hold: syncctl docs testing.

-filter takes the name of a file, or of a run: of its file, that run is carried out and those before it.
Exit codes: 0 all passed · 1 at least one failed, or the time was over before all were carried out · 130 interrupted,
some were not carried out.`,
		Example: "  syncctl test -junit-xml=report.xml",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.enterArg(args); err != nil {
				return err
			}
			if f.timeout < 0 {
				return failf(exitError, "-timeout=%s: it must not be below zero", f.timeout)
			}
			if err := c.openEvents(); err != nil {
				return err
			}
			return c.test(cmd.Context(), f)
		},
	})
	c.varFlags(cmd, &f.vars)
	cmd.Flags().StringArrayVar(&f.filter, "filter", nil, "only this `FILE|NAME`; may be repeated")
	_ = cmd.RegisterFlagCompletionFunc("filter", c.words(c.completeTests))
	cmd.Flags().BoolVar(&f.verbose, "verbose", false, "also show the plans, and every step as it is carried out")
	cmd.Flags().StringVar(&f.junit, "junit-xml", "", "write a report for CI systems to `FILE`")
	cmd.Flags().DurationVar(&f.timeout, "timeout", 0, "how long all tests together may take, as `DURATION`; 0: as long "+
		"as they do, but with -untrusted 10m")
	return cmd
}

// tester carries out tests.
type tester struct {
	*command

	vars    []schema.VarSource
	verbose bool
	faults  map[*schema.TestRun][]sandbox.Fault
	sources map[string]*hcl.File // of the tests
	results []*fileResult
}

func (c *command) test(ctx context.Context, f *testFlags) error {
	if c.foundPolicy {
		if err := c.comesAlong(c.dir); err != nil {
			return err
		}
	}
	if f.junit != "" {
		if err := c.freeToWrite("junit-xml", f.junit, "junit.xml"); err != nil {
			return err
		}
		if err := c.wasSuch("junit-xml", f.junit, documentXML); err != nil {
			return err
		}
	}
	t := &tester{command: c, verbose: f.verbose, faults: map[*schema.TestRun][]sandbox.Fault{}}
	for _, v := range f.vars.list {
		if v.File != "" {
			v.File = c.abs(v.File) // the runs work in another folder
		}
		t.vars = append(t.vars, v)
	}
	tests, err := t.read(ctx)
	if err != nil {
		return err
	}
	if tests, err = filterTests(tests, f.filter); err != nil {
		return err
	}
	if f.timeout == 0 && c.flags.untrusted {
		f.timeout = untrustedTests
	}
	if f.timeout > 0 {
		var cancel func()
		ctx, cancel = context.WithTimeoutCause(ctx, f.timeout, errLate)
		defer cancel()
	}
	for _, test := range tests {
		if err := t.file(ctx, test); err != nil {
			return err
		}
	}
	return t.end(ctx, f.junit)
}

var errLate = errors.New("the tests have taken as long as they may (-timeout)")

// late reports whether the time of all tests is over.
func late(ctx context.Context) bool { return errors.Is(context.Cause(ctx), errLate) }

// endedBy reports whether an error says no more than that the time of all tests is over.
func endedBy(ctx context.Context, err error) bool {
	return late(ctx) && (errors.Is(err, errLate) || errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, context.Canceled)) // a run that is carried out has a context of its own
}

// configurationName reports whether a file name is that of a part of a configuration or test.
func configurationName(name string) bool {
	name = strings.TrimSuffix(name, ".json")
	return slices.ContainsFunc([]string{".sync.hcl", ".syncvars.hcl", ".synctest.hcl"},
		func(suffix string) bool { return strings.HasSuffix(name, suffix) })
}

// read reads all tests of the folder, and checks their faults. It prints errors.
func (t *tester) read(ctx context.Context) ([]*schema.Test, error) {
	tests, files, diags := schema.ReadTests(ctx, schema.Options{Fs: t.files(), Dir: t.dirName, Access: t.access(),
		Room: t.room()})
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	t.sources = files
	for _, test := range tests {
		for _, run := range test.Runs {
			for _, text := range run.Faults {
				fault, err := sandbox.ParseFault(text.Text)
				if err != nil {
					diags = append(diags, mistake(text.Range, "Invalid fault", "%s. `syncctl sandbox --help` describes faults.", err))
				}
				t.faults[run] = append(t.faults[run], fault)
			}
		}
	}
	if err := t.diagnostics(diags, known(files)); err != nil {
		return nil, err
	}
	switch {
	case diags.HasErrors():
		return nil, exitQuietly(exitError)
	case len(tests) == 0:
		return nil, failf(exitError, "there is no test in %s: no file is named *.synctest.hcl", t.dirName)
	}
	if _, err := t.app.fs.Stat(filepath.Join(t.dir, seedFile)); err != nil {
		return nil, failf(exitError, "tests are carried out against simulated servers, and %s has no %s, which describes "+
			"them", t.dirName, seedFile)
	}
	return tests, nil
}

// mistake makes an error diagnostic about a position in a test.
func mistake(rng hcl.Range, summary, format string, args ...any) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: fmt.Sprintf(format, args...), Subject: &rng}
}

// filterTests returns what the filters name. Each filter must match something.
func filterTests(tests []*schema.Test, filters []string) ([]*schema.Test, error) {
	if len(filters) == 0 {
		return tests, nil
	}
	var out []*schema.Test
	var names []string
	found := map[string]bool{}
	for _, test := range tests {
		last := -1
		names = append(names, test.File)
		if slices.Contains(filters, test.File) {
			found[test.File], last = true, len(test.Runs)-1
		}
		for i, run := range test.Runs {
			names = append(names, run.Name)
			if slices.Contains(filters, run.Name) {
				found[run.Name], last = true, max(last, i)
			}
		}
		if last >= 0 || found[test.File] {
			c := *test
			c.Runs = test.Runs[:last+1]
			out = append(out, &c)
		}
	}
	for _, f := range filters {
		if !found[f] {
			return nil, failf(exitError, "-filter=%s: there is no such file or run.%s", f, args.DidYouMean(f, names, ""))
		}
	}
	return out, nil
}

// file carries out the runs of one file, with their own servers.
func (t *tester) file(ctx context.Context, test *schema.Test) (err error) {
	file := &fileResult{name: test.File}
	t.results = append(t.results, file)
	if t.interrupted(ctx) || late(ctx) {
		return t.skip(file, test)
	}
	t.tell("%s... in progress", schema.SanitizeLine(test.File))
	at := "."
	if filepath.IsLocal(t.dirName) {
		at = t.dirName // so that files have the same paths as outside
	}
	tried, err := t.openScratch(ctx, t.dirName, at, sandbox.Options{Person: true})
	if endedBy(ctx, err) {
		return t.skip(file, test)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tried.close()) }()
	earlier := map[string]cty.Value{}
	skip := false // after a run that ended half-way, later ones would fail because of it
	for _, run := range test.Runs {
		result := &runResult{run: run, status: statusSkip}
		if !skip && !t.interrupted(ctx) && !late(ctx) {
			begun := t.app.clock.Now()
			if result, err = t.run(ctx, tried, at, run, earlier); err != nil {
				return err
			}
			result.took = t.app.clock.Now().Sub(begun)
			skip = result.status == statusError
		}
		if err := t.ended(file, result); err != nil {
			return err
		}
	}
	t.fileEnded(file)
	return nil
}

// skip says of all runs of a file that they are not carried out.
func (t *tester) skip(file *fileResult, test *schema.Test) error {
	t.tell("%s... not begun", schema.SanitizeLine(test.File))
	for _, run := range test.Runs {
		if err := t.ended(file, &runResult{run: run, status: statusSkip}); err != nil {
			return err
		}
	}
	t.fileEnded(file)
	return nil
}

// interrupted reports whether there was an interrupt. While a run is carried out, the run itself handles it.
func (t *tester) interrupted(ctx context.Context) bool {
	return ctx.Err() != nil && !late(ctx) || t.app.interrupts.Happened()
}

// tell prints a line for people.
func (t *tester) tell(format string, args ...any) {
	if !t.flags.json {
		t.say(format, args...)
	}
}
