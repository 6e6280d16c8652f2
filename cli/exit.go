package cli

import (
	"errors"
	"fmt"

	"github.com/syncctl/syncctl/fault"
	"github.com/syncctl/syncctl/journal"
)

// The exit codes.
const (
	exitDone        = 0
	exitError       = 1
	exitChanges     = 2 // with -detailed-exitcode, or drift
	exitUnformatted = 3 // fmt -check found a difference
	exitWaiting     = 4 // waiting for a person's step
	exitStopped     = 5 // after some steps were done; resumable
	exitStale       = 6 // the configuration or the servers have changed since the plan was made
	exitLocked      = 7
	exitRefused     = 8  // by a guard
	exitDeclined    = 9  // at the prompt
	exitFault       = 70 // of the program itself, as sysexits.h has it
	exitInterrupted = 130
	exitCrashed     = 134 // the runtime has ended the process, for example because it ran out of memory
)

// exit is an error with an exit code. If err is nil, the message was printed already.
type exit struct {
	code int
	err  error
}

func (e *exit) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit %d", e.code)
	}
	return e.err.Error()
}

func (e *exit) Unwrap() error { return e.err }

// exitQuietly returns an error with an exit code and without a message, which was printed already.
func exitQuietly(code int) error {
	if code == exitDone {
		return nil
	}
	return &exit{code: code}
}

// failf returns an error with an exit code and a message.
func failf(code int, format string, args ...any) error {
	return &exit{code: code, err: fmt.Errorf(format, args...)}
}

// codeOf returns the exit code for the error of a command, and the error itself if it has not been printed yet.
func codeOf(err error) (int, error) {
	var e *exit
	var locked *journal.LockedError
	switch {
	case errors.As(err, new(*fault.Error)):
		return exitFault, nil // faulty prints it
	case err == nil:
		return exitDone, nil
	case errors.As(err, &e) && e.err == nil:
		return e.code, nil
	case errors.As(err, &e):
		return e.code, err
	case errors.As(err, &locked):
		return exitLocked, err
	}
	return exitError, err
}
