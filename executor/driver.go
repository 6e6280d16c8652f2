// Package executor carries a plan out: order, retries, the operator, verification, the run's files. It knows no
// product.
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

// Driver is what carrying out needs of a product.
type Driver interface {
	// Facts reads the named facts (planner.Fact) again. A fact that cannot be had any more is left out of the answer.
	Facts(ctx context.Context, r *schema.Resource, names []string) (map[string]string, error)

	// Execute carries the step out. Wrap an error with NotSent when it is certain that nothing was changed.
	Execute(ctx context.Context, t *Task) (Result, error)

	// Verify asks the live server whether the step's end is reached. It changes nothing.
	Verify(ctx context.Context, t *Task) (Verdict, error)
}

// Task is a step in a run.
type Task struct {
	Run      string // the run's id
	Step     planner.Step
	Resource *schema.Resource
	Files    Files
	Log      hclog.Logger

	// Executed: this step's Execute is known to have returned without error (or the person said it is done), so Verify
	// is only waiting for its effect.
	Executed bool

	// Progress reports how far a long step is; nil-safe through Report.
	Progress func(Progress)

	past func(id string) Past // nil: nothing is recorded
}

// Past is what a run has recorded of a step.
type Past struct {
	// Outputs of a step that is done; of the task's own also what an interrupted try left. They must not be changed.
	Outputs map[string]string
	Done    bool // this run has done it
	Begun   bool // this run may have carried it out: it was started, and is not known to have changed nothing
}

func (p Past) equal(q Past) bool {
	return p.Done == q.Done && p.Begun == q.Begun && maps.Equal(p.Outputs, q.Outputs)
}

// Past is what was recorded of a step of the same declaration when this one's turn came.
func (t *Task) Past(op string) Past {
	if t.past == nil {
		return Past{}
	}
	return t.past(planner.StepID(t.Step.Addr, op))
}

// Remember takes something else for what was recorded of a step of the same declaration.
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

// Output returns what an earlier step of the same declaration recorded, "" if nothing.
func (t *Task) Output(op, name string) string { return t.Past(op).Outputs[name] }

// IsDone tells whether another step of the same declaration is done.
func (t *Task) IsDone(op string) bool { return t.Past(op).Done }

// HasBegun tells whether another step of the same declaration may have been carried out.
func (t *Task) HasBegun(op string) bool { return t.Past(op).Begun }

// Report tells how far the step is.
func (t *Task) Report(p Progress) {
	if t.Progress != nil {
		t.Progress(p)
	}
}

// Progress is how far a step is. Total is zero when it is not known.
type Progress struct {
	Done, Total int64
	Unit        string // "pairs", "bytes"
}

// Result is what Execute leaves behind. Outputs are journaled: small, never secret.
type Result struct {
	Note    string
	Outputs map[string]string
}

// State is what Verify found.
type State string

// The four verdicts.
const (
	Unknown State = "unknown" // the interface cannot tell
	NotDone State = "not_done"
	Partial State = "partial"
	Done    State = "done"
)

// Because is the verdict of that state, with the reason: what was seen, or what is missing.
func (s State) Because(format string, args ...any) Verdict {
	return Verdict{State: s, Why: fmt.Sprintf(format, args...)}
}

// Verdict is Verify's answer. Why says what is missing or, when done, what was seen. Outputs join the step's outputs.
type Verdict struct {
	State   State
	Working bool // the server is at it: the verdict will change without anybody doing anything
	Why     string
	Outputs map[string]string
}

// Files are the bulk data of a run: streamed, hashed, written whole or not at all, kept until the run is purged.
type Files interface {
	// Create streams write's output into the run's file of that name: temporary file, sync, rename.
	Create(ctx context.Context, name string, write func(io.Writer) error) (FileInfo, error)
	// Open reads a file of the run; an error that is fs.ErrNotExist if there is none.
	Open(name string) (io.ReadCloser, error)
	// Path is the name under which the run's file system, and a person, finds the file.
	Path(name string) string
}

// FileInfo describes a run's file.
type FileInfo struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"` // hex
}
