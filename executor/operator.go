package executor

import (
	"context"
	"errors"
	"time"

	"github.com/syncctl/syncctl/planner"
)

// Operator represents the person who does what has no interface. It must be safe for concurrent use.
type Operator interface {
	Perform(ctx context.Context, ask Ask) (Reply, error)
}

// Ask is a request to the operator.
type Ask struct {
	Step    planner.Step
	Attempt int               // from 0; if above, the person said that it was done, but it was not
	Missing string            // what the last verification found, in words
	Files   map[string]string // paths of the run's files that the step's values name, by the name of the value
	Script  string            // the path of the run's file with the step's commands; "" if they are short
}

// Reply is the operator's answer.
type Reply struct {
	Done bool   // the person says it is done; it is verified before anything relies on it. false: the step waits
	By   string // who says so, for the record; "" if unknown
}

// Replies without a name.
var (
	Performed = Reply{Done: true}
	Deferred  = Reply{}
)

// Clock provides the time, so that tests can replace it.
type Clock interface {
	Now() time.Time
	After(time.Duration) <-chan time.Time
}

// notSent marks an error that certainly changed nothing.
type notSent struct{ error }

func (e notSent) Unwrap() error { return e.error }

// NotSent marks err to say that certainly nothing was changed on any server.
func NotSent(err error) error {
	if err == nil {
		return nil
	}
	return notSent{err}
}

// WasNotSent reports whether err is marked by NotSent.
func WasNotSent(err error) bool {
	var n notSent
	return errors.As(err, &n)
}

// mayContinue marks an error after which what was begun may still go on.
type mayContinue struct{ error }

func (e mayContinue) Unwrap() error { return e.error }

// Unended marks err to say that what was begun may still go on, such as a command on a machine to which the connection
// broke. The step then fails without being verified: a person has to make sure that nothing goes on any more, so err
// says how. The next process verifies it first.
func Unended(err error) error {
	if err == nil {
		return nil
	}
	return mayContinue{err}
}

// MayContinue reports whether err is marked by Unended.
func MayContinue(err error) bool { return errors.As(err, new(mayContinue)) }

// Later is an error that means: nothing was changed, try again after that duration. It is a server's Retry-After, or a
// pause after another temporary failure.
type Later struct {
	After time.Duration
	Err   error
}

func (e *Later) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *Later) Unwrap() error { return e.Err }
