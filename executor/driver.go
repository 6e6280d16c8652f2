// Package executor carries a plan out: the order of steps, retries, the operator, verification, and the run's files.
// It knows no product.
package executor

import (
	"context"
	"fmt"
	"io"
	"maps"

	"github.com/hashicorp/go-hclog"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// Driver is what the executor requires of a product.
type Driver interface {
	// Facts reads the named facts (planner.Fact) again. Facts that can no longer be read are left out of the answer.
	Facts(ctx context.Context, r *schema.Resource, names []string) (map[string]string, error)

	// Execute carries the step out. Wrap the error with NotSent if it is certain that nothing was changed.
	Execute(ctx context.Context, t *Task) (Result, error)

	// Verify asks the live server whether the step is done. It changes nothing.
	Verify(ctx context.Context, t *Task) (Verdict, error)
}

// Task is a step in a run.
type Task struct {
	Run      string // the run's ID
	Step     planner.Step
	Resource *schema.Resource
	Files    Files
	Log      hclog.Logger

	// Executed is true if Execute is known to have returned without error, or the person said that the step is done.
	// Verify then only waits for the effect.
	Executed bool

	// Progress is called with the progress of a long step. It may be nil: call it through Report.
	Progress func(Progress)

	// Redact removes secrets from a text. It may be nil: call it through Redacted.
	Redact func(string) string

	past func(id string) Past // nil if nothing is recorded
}

// Past is what a run has recorded of a step.
type Past struct {
	// Outputs are those of a step that is done; for the task's own step also those of an interrupted attempt. They must
	// not be changed.
	Outputs map[string]string
	Done    bool // this run has done the step
	Begun   bool // this run may have carried it out: it was started, and is not known to have changed nothing
}

func (p Past) equal(q Past) bool {
	return p.Done == q.Done && p.Begun == q.Begun && maps.Equal(p.Outputs, q.Outputs)
}

// Past returns what was recorded of a step of the same declaration when this task began.
func (t *Task) Past(op string) Past {
	if t.past == nil {
		return Past{}
	}
	return t.past(planner.StepID(t.Step.Addr, op))
}

// Remember replaces what Past returns for a step of the same declaration.
func (t *Task) Remember(op string, past Past) {
	id, before := planner.StepID(t.Step.Addr, op), t.past
	t.past = func(of string) Past {
		switch {
		case of == id:
			return past
		case before == nil:
			return Past{}
		}
		return before(of)
	}
}

// Output returns an output of an earlier step of the same declaration, or "" if there is none.
func (t *Task) Output(op, name string) string { return t.Past(op).Outputs[name] }

// IsDone reports whether another step of the same declaration is done.
func (t *Task) IsDone(op string) bool { return t.Past(op).Done }

// HasBegun reports whether another step of the same declaration may have been carried out.
func (t *Task) HasBegun(op string) bool { return t.Past(op).Begun }

// Report reports the step's progress.
func (t *Task) Report(p Progress) {
	if t.Progress != nil {
		t.Progress(p)
	}
}

// Redacted returns a text of another program or a server without secrets, for a file of the run that a person reads.
func (t *Task) Redacted(text string) string {
	if t.Redact == nil {
		return text
	}
	return t.Redact(text)
}

// Progress says how far a step is. Total is zero if it is unknown.
type Progress struct {
	Done, Total int64
	Unit        string // such as "pairs" or "bytes"
}

// Result is what Execute returns. Outputs are journaled: they must be small and never secret.
type Result struct {
	Note    string
	Outputs map[string]string
}

// State is the result of Verify.
type State string

// The four states.
const (
	Unknown State = "unknown" // the interface cannot tell
	NotDone State = "not_done"
	Partial State = "partial"
	Done    State = "done"
)

// Because returns a verdict with that state and the reason: what was seen, or what is missing.
func (s State) Because(format string, args ...any) Verdict {
	return Verdict{State: s, Why: fmt.Sprintf(format, args...)}
}

// Verdict is Verify's answer. Why says what is missing or, if done, what was seen. Outputs are added to the step's.
type Verdict struct {
	State   State
	Working bool // the server is still working: the verdict will change by itself
	Why     string
	Outputs map[string]string
}

// Files holds the bulk data of a run. Files are streamed, hashed, written completely or not at all, and kept until the
// run is purged.
type Files interface {
	// Create streams the output of write into the run's file of that name, with a temporary file, sync and rename.
	Create(ctx context.Context, name string, write func(io.Writer) error) (FileInfo, error)
	// Open reads a file of the run. The error is fs.ErrNotExist if there is no such file.
	Open(name string) (io.ReadCloser, error)
	// Path returns the path at which a person finds the file.
	Path(name string) string
}

// FileInfo describes a run's file.
type FileInfo struct {
	Name   string `json:"name"`   // in the run's folder files/
	Bytes  int64  `json:"bytes"`  // its length
	SHA256 string `json:"sha256"` // hex
}
