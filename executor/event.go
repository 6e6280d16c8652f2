package executor

import (
	"errors"
	"time"

	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
)

// What happens to a step or a run: one vocabulary for the journal and for whoever watches. Entries of a step have the
// step's id as key, those of the run RunKey.
const (
	EventOpened    = "opened"   // a process took the run up. What was started before and has not ended died inside
	EventStarted   = "started"  // on disk before the driver is called
	EventExecuted  = "executed" // the driver's Execute returned without error, or the person said it is done
	EventDone      = "done"     // verified against the live server
	EventFailed    = "failed"   // see Failure
	EventWaiting   = "waiting"  // a person is asked and has not done it yet
	EventStuck     = "stuck"    // it cannot be told whether the step was carried out: a person resolves
	EventResolved  = "resolved" // a person said that the step counts as done
	EventReopened  = "reopened" // a person said that the step is to be carried out (again)
	EventFinished  = "finished" // all steps are done
	EventAbandoned = "given_up" // a person abandoned the run
	EventRevised   = "revised"  // the files were mended: the run has a new plan from here on

	// These are told and not journaled.
	EventProgress  = "progress"     // how far a long step is
	EventVerifying = "verifying"    // Message: what is still missing
	EventAsked     = "asked"        // the operator is asked
	EventPutOff    = "put_off"      // it failed, and is tried again at a time; journaled as EventFailed
	EventAlready   = "already_done" // the step was done before this try; journaled as EventDone
)

// RunKey is the key of entries about the run itself.
const RunKey = "run"

// Event is something that happens to a step, as it happens.
type Event struct {
	Name     string // one of the constants above
	Step     *planner.Step
	Message  string
	Progress *Progress
	Script   string // of EventAsked, see Ask
}

// Names of what an entry's data holds, beside outputs, whose names begin with outputPrefix.
const (
	dataError    = "error"
	dataSent     = "sent" // "no": certainly nothing was changed
	dataAfter    = "after"
	dataAgainAt  = "again_at"
	dataVerdict  = "verdict"
	dataNote     = "note"
	dataStopped  = "interrupted" // "yes": an interrupt ended the try
	dataCause    = "cause"       // "moved": the servers have changed since the plan; "refused": by a guard
	outputPrefix = "out."
)

// Failure is how a try at a step failed.
type Failure struct {
	Err      error
	Unsent   bool      // certainly nothing was changed
	Executed bool      // the step was carried out, and its end could not be verified
	Stopped  bool      // an interrupt ended the try: there is nothing to fix
	Moved    bool      // the servers have changed since the plan was made
	Refused  bool      // a guard refused it
	Again    time.Time // when the server wants to be asked again; zero: not by this process
}

// data is the failure as an entry of the journal holds it.
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

// failureOf reads an entry's failure; ok is false where the entry is not one.
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
		f.Again, _ = time.Parse(time.RFC3339Nano, at) // what cannot be read is zero
	}
	return f, true
}

// diedInside tells whether a step's last entry leaves it open whether the step was carried out.
func diedInside(e journal.Entry) bool {
	f, failed := failureOf(e)
	return e.Event == EventStarted || failed && !f.Unsent
}
