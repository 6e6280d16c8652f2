// Package fault makes an error of a panic, so that a fault of the program ends it with one report and an exit code of
// its own. The runtime's way, a dump of goroutines and the exit code 2, could show a secret, and would read as "there
// are changes". Imports nothing of ours.
//
// A panic can be taken only in the goroutine where it happens. Whoever starts one that does more than copy defers Catch
// in it, and calls Raise where its end is waited for:
//
//	go func() {
//		var err error
//		defer func() { done <- err }()
//		defer fault.Catch(&err)
//		...
//	}()
//	err := <-done
//	fault.Raise(err)
package fault

import (
	"errors"
	"fmt"
	"runtime/debug"
)

// Error is a panic. Its text may hold whatever the program was working on: it is shown only with secrets taken out.
type Error struct {
	Text  string // what the panic said
	Stack string // of the goroutine where it happened; without values
}

func (e *Error) Error() string { return "a fault of the program: " + e.Text }

// Catch is deferred: it ends a panic, and sets err to it. What Raise has raised stays what it was.
func Catch(err *error) {
	switch p := recover().(type) {
	case nil:
	case *Error:
		*err = p
	default:
		*err = &Error{Text: fmt.Sprint(p), Stack: string(debug.Stack())}
	}
}

// Do calls f. It returns the error of f, or the panic in which f ends, as Catch does.
func Do(f func() error) (err error) {
	defer Catch(&err)
	return f()
}

// Is tells whether an error wraps a fault. Where several goroutines end with errors, a fault is the one to report.
func Is(err error) bool {
	_, ok := errors.AsType[*Error](err)
	return ok
}

// Raise panics with the fault that an error wraps. It does nothing with other errors, nor with nil.
func Raise(err error) {
	if f, ok := errors.AsType[*Error](err); ok {
		panic(f)
	}
}
