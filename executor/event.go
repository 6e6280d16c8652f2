package executor

import (
	"errors"
	"time"

	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
)

// Events of a step or a run, for the journal and for observers. The key of a step's entries is the step's ID; the key
// of the run's own entries is RunKey.
const (
	EventOpened    = "opened"   // a process opened the run; steps started before and not ended were interrupted
	EventStarted   = "started"  // durable before the driver is called
	EventExecuted  = "executed" // the driver's Execute returned without error, or the person said it is done
	EventDone      = "done"     // verified against the live server
	EventFailed    = "failed"   // see Failure
	EventWaiting   = "waiting"  // a person was asked and has not done the step yet
	EventStuck     = "stuck"    // it is unknown whether the step was carried out: a person must resolve it
	EventResolved  = "resolved" // a person said that the step counts as done
	EventReopened  = "reopened" // a person said that the step must be carried out (again)
	EventFinished  = "finished" // all steps are done
	EventAbandoned = "given_up" // a person abandoned the run
	EventRevised   = "revised"  // the files were changed: the run has a new plan from here on

	// These are observed but not journaled under these names.
	EventProgress  = "progress"     // the progress of a long step
	EventVerifying = "verifying"    // Message says what is still missing
	EventAsked     = "asked"        // the operator is asked
	EventPutOff    = "put_off"      // the step failed and will be tried again later; journaled as EventFailed
	EventAlready   = "already_done" // the step was found to be done already; journaled as EventDone
)

// RunKey is the key of entries about the run itself.
const RunKey = "run"

// Event is reported to observers when it happens.
type Event struct {
	Name     string // one of the constants above
	Step     *planner.Step
	Message  string
	Progress *Progress
	Script   string // set for EventAsked, see Ask
}

// Names in an entry's data. The names of outputs begin with outputPrefix.
const (
	dataError    = "error"
	dataSent     = "sent" // "no": it is certain that nothing was changed
	dataAfter    = "after"
	dataAgainAt  = "again_at"
	dataVerdict  = "verdict"
	dataNote     = "note"
	dataStopped  = "interrupted" // "yes": an interrupt ended the attempt
	dataCause    = "cause"       // "moved": the servers have changed since the plan was made; "refused": a guard refused
	outputPrefix = "out."
)

// Failure says how an attempt at a step failed.
type Failure struct {
	Err      error
	Unsent   bool      // it is certain that nothing was changed
	Executed bool      // the step was carried out, but could not be verified
	Stopped  bool      // an interrupt ended the attempt: there is nothing to fix
	Moved    bool      // the servers have changed since the plan was made
	Refused  bool      // a guard refused the step
	Again    time.Time // when the server wants to be asked again; zero: this process does not try again
}

// data returns the failure as data of a journal entry.
func (f Failure) data() map[string]string {
	data := map[string]string{dataError: f.Err.Error()}
	if f.Unsent {
		data[dataSent] = "no"
	}
	if f.Executed {
		data[dataAfter] = EventExecuted
	}
	if f.Stopped {
		data[dataStopped] = "yes"
	}
	switch {
	case f.Moved:
		data[dataCause] = "moved"
	case f.Refused:
		data[dataCause] = "refused"
	}
	if !f.Again.IsZero() {
		data[dataAgainAt] = f.Again.UTC().Format(time.RFC3339Nano)
	}
	return data
}

// failureOf returns the failure in an entry; ok is false if the entry is not a failure.
func failureOf(e journal.Entry) (f Failure, ok bool) {
	if e.Event != EventFailed {
		return Failure{}, false
	}
	f = Failure{
		Err: errors.New(e.Data[dataError]), Unsent: e.Data[dataSent] == "no", Executed: e.Data[dataAfter] == EventExecuted,
		Stopped: e.Data[dataStopped] == "yes", Moved: e.Data[dataCause] == "moved",
		Refused: e.Data[dataCause] == "refused",
	}
	if at := e.Data[dataAgainAt]; at != "" {
		f.Again, _ = time.Parse(time.RFC3339Nano, at) // zero if it cannot be parsed
	}
	return f, true
}

// diedInside reports whether, after a step's last entry, it is unknown whether the step was carried out.
func diedInside(e journal.Entry) bool {
	f, failed := failureOf(e)
	return e.Event == EventStarted || failed && !f.Unsent
}
