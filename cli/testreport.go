package cli

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/cli/internal/view"
	"github.com/syncctl/syncctl/printable"
	"github.com/syncctl/syncctl/redact"
	"github.com/syncctl/syncctl/schema"
)

// status is the result of a run.
type status string

const (
	statusPass  status = "pass"
	statusFail  status = "fail"  // something was not as expected
	statusError status = "error" // it ended half-way
	statusSkip  status = "skip"  // it was not carried out, or was interrupted
)

// runResult is the result of one run of a test.
type runResult struct {
	run      *schema.TestRun
	status   status
	took     time.Duration
	diags    hcl.Diagnostics
	files    map[string]*hcl.File // for the diagnostics
	redactor *redact.Set
}

// fileResult is the results of one file.
type fileResult struct {
	name string
	runs []*runResult
}

func (f *fileResult) count(s status) int {
	n := 0
	for _, r := range f.runs {
		if r.status == s {
			n++
		}
	}
	return n
}

// status returns the worst status of the runs.
func (f *fileResult) status() status {
	for _, s := range []status{statusError, statusFail, statusSkip} {
		if f.count(s) > 0 {
			return s
		}
	}
	return statusPass
}

// paint returns a status with its colour.
func (t *tester) paint(s status) string {
	switch s {
	case statusPass:
		return t.outStyle.Good(string(s))
	case statusSkip:
		return t.outStyle.Dim(string(s))
	}
	return t.outStyle.Bad(string(s))
}

// ended reports the end of a run.
func (t *tester) ended(file *fileResult, r *runResult) error {
	file.runs = append(file.runs, r)
	t.tell("  run %q... %s", r.run.Name, t.paint(r.status))
	if len(r.diags) > 0 && !t.flags.json {
		if err := t.printDiagnostics(r.diags, r.files); err != nil {
			return err
		}
	}
	if t.events == nil {
		return nil
	}
	level := "info"
	if r.status == statusFail || r.status == statusError {
		level = "error"
	}
	t.events.Write(level, fmt.Sprintf("%s, run %q: %s", file.name, r.run.Name, r.status), view.TestRunEvent{
		File: file.name, Run: r.run.Name, Status: string(r.status), Seconds: r.took.Seconds(),
		Diagnostics: schema.Views(r.diags, r.files),
	})
	return nil
}

// fileEnded reports the end of a file.
func (t *tester) fileEnded(file *fileResult) {
	t.tell("%s... %s", schema.SanitizeLine(file.name), t.paint(file.status()))
	if t.events == nil {
		return
	}
	t.events.Write("info", fmt.Sprintf("%s: %s", file.name, file.status()),
		view.TestFileEvent{File: file.name, Status: string(file.status())})
}

// end reports the end of all tests, and writes the report for CI systems.
func (t *tester) end(ctx context.Context, junit string) error {
	passed, failed, skipped := 0, 0, 0
	for _, f := range t.results {
		passed += f.count(statusPass)
		failed += f.count(statusFail) + f.count(statusError)
		skipped += f.count(statusSkip)
	}
	code, word, painted := exitDone, "Success!", t.outStyle.Good
	switch {
	case t.interrupted(ctx):
		code, word, painted = exitInterrupted, "Interrupted!", t.outStyle.Bad
	case failed > 0 || late(ctx) && skipped > 0:
		code, word, painted = exitError, "Failure!", t.outStyle.Bad
	}
	counts := fmt.Sprintf("%d passed, %d failed", passed, failed)
	if skipped > 0 {
		counts += fmt.Sprintf(", %d skipped", skipped)
	}
	t.tell("\n%s %s.", painted(word), counts)
	if t.events != nil {
		t.events.Write("info", word+" "+counts+".", view.TestSummaryEvent{
			Passed: passed, Failed: failed, Skipped: skipped, Interrupted: code == exitInterrupted,
		})
	}
	if junit != "" {
		if err := t.writeJUnit(junit); err != nil {
			return err
		}
	}
	if code == exitError && late(ctx) && skipped > 0 {
		return failf(code, "%v", errLate)
	}
	return exitQuietly(code)
}

// writeJUnit writes the report for CI systems.
func (t *tester) writeJUnit(name string) error {
	var doc junitSuites
	for _, f := range t.results {
		suite := junitSuite{Name: f.name, Tests: len(f.runs), Failures: f.count(statusFail), Errors: f.count(statusError),
			Skipped: f.count(statusSkip)}
		for _, r := range f.runs {
			one, err := r.junit(f.name)
			if err != nil {
				return err
			}
			suite.Cases = append(suite.Cases, one)
		}
		doc.Suites = append(doc.Suites, suite)
	}
	return t.saveJUnit(name, doc)
}

func (r *runResult) junit(file string) (junitCase, error) {
	one := junitCase{Name: r.run.Name, Class: strings.TrimSuffix(file, ".synctest.hcl"),
		Seconds: fmt.Sprintf("%.3f", r.took.Seconds())}
	if r.status == statusSkip {
		one.Skipped = &junitDetail{}
	}
	if len(r.diags) == 0 {
		return one, nil
	}
	var b bytes.Buffer
	if err := schema.WriteText(&b, r.diags, r.files, schema.TextOptions{}); err != nil {
		return one, err
	}
	clean := func(text string) string {
		if r.redactor != nil {
			text = r.redactor.String(text)
		}
		return printable.Text(text)
	}
	detail := &junitDetail{Message: clean(r.diags[0].Summary), Text: clean(b.String())}
	if one.Failure = detail; r.status == statusError {
		one.Failure, one.Error = nil, detail
	}
	return one, nil
}
