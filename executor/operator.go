package executor

import (
	"context"
	"errors"
	"time"

	"github.com/syncctl/syncctl/planner"
)

// Operator stands for the person who does what has no interface. It must be safe for use by several goroutines.
type Operator interface {
	Perform(ctx context.Context, ask Ask) (Reply, error)
}

// Ask is what the operator is asked.
type Ask struct {
	Step    planner.Step
	Attempt int               // from 0; above, the work was claimed before and found missing
	Missing string            // what the last verification found, in words
	Files   map[string]string // where the files of the run that the step's values name lie: value name -> path
	Script  string            // the path of the run's file with the step's commands; "" where they are short
}

// Reply is the operator's answer.
type Reply struct {
	Done bool   // it is done, says the person: verified before anything relies on it. Else later: the step waits
	By   string // who says so, for the record; "" where nobody is known
}

// The replies of nobody in particular.
var (
	Performed = Reply{Done: true}
	Deferred  = Reply{}
)

// Clock is the time, from outside.
type Clock interface {
	Now() time.Time
	After(time.Duration) <-chan time.Time
}

// notSent marks an error after which it is certain that nothing was changed.
type notSent struct{ error }

func (e notSent) Unwrap() error { return e.error }

// NotSent marks err: it is certain that nothing was changed on any server.
func NotSent(err error) error {
	if err == nil {
		return nil
	}
	return notSent{err}
}

// WasNotSent tells whether err is marked by NotSent.
func WasNotSent(err error) bool {
	var n notSent
	return errors.As(err, &n)
}

// Later marks an error that means: nothing was changed, ask again after that time (a server's Retry-After).
type Later struct {
	After time.Duration
	Err   error
}

func (e *Later) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *Later) Unwrap() error { return e.Err }
