package executor

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
)

// The events of a run's journal. Entries of a step have the step's id as key.
const (
	EventOpened   = "opened"   // a process took the run up; key RunKey. What was started before and not ended died inside
	EventStarted  = "started"  // on disk before the driver is called
	EventExecuted = "executed" // the driver's Execute returned without error, or the person said it is done
	EventDone     = "done"     // verified against the live server
	EventFailed   = "failed"   // data: error, sent ("no": certainly nothing was changed)
	EventWaiting  = "waiting"  // a person is asked and has not done it yet
	EventStuck    = "stuck"    // it cannot be told whether the step was carried out: a person resolves
	EventResolved = "resolved" // a person said that the step counts as done
	EventReopened = "reopened" // a person said that the step is to be carried out (again)
	EventFinished = "finished" // all steps are done; key RunKey
	EventGivenUp  = "given_up" // a person gave the run up; key RunKey
)

// RunKey is the key of entries about the run itself.
const RunKey = "run"

// How says what to do with a step that may start.
type How string

// What may be done with a step, from the table of interrupted runs.
const (
	HowExecute     How = "execute"      // carry it out
	HowVerifyFirst How = "verify_first" // verify; carry it out unless it is done
	HowVerifyOnce  How = "verify_once"  // verify; done: record; not done: carry it out; unknown or partial: a person resolves
	HowVerify      How = "verify"       // it was carried out: verify and record
)

// Phase is where a step stands.
type Phase string

// The phases of a step.
const (
	PhaseBlocked Phase = "blocked" // a step it needs is not done
	PhaseReady   Phase = "ready"
	PhaseRunning Phase = "running"
	PhaseWaiting Phase = "waiting"
	PhaseFailed  Phase = "failed"
	PhaseStuck   Phase = "stuck"
	PhaseDone    Phase = "done"
)

// StepState is what a journal says of a step.
type StepState struct {
	Phase   Phase
	How     How               // when ready
	Why     string            // why it is blocked, waiting, stuck or failed
	Outputs map[string]string // of its entries so far, later ones win
	Entry   journal.Entry     // the last one; zero when there is none
	WasDone bool              // it was done, and no person has said otherwise, even if it is to be looked at again
}

// Attestable: a person is waited for, and no interface can tell whether the work is done.
func (s StepState) Attestable() bool {
	return s.Phase == PhaseWaiting && s.Entry.Data["verdict"] == string(Unknown)
}

// Decision is what may happen next.
type Decision struct {
	Start    []string // step ids that may start now, in plan order
	Steps    map[string]StepState
	Finished bool      // every step is done
	Wake     time.Time // when something may start that may not yet; zero: nothing waits for time alone
}

// Outputs are those of all steps that are done, by step id.
func (d Decision) Outputs() map[string]map[string]string {
	out := map[string]map[string]string{}
	for id, s := range d.Steps {
		if s.Phase == PhaseDone {
			out[id] = s.Outputs
		}
	}
	return out
}

// Done are the ids of the steps that this run has done. What comes after a step that is carried out again is still among
// them: it is looked at again, but it did happen.
func (d Decision) Done() map[string]bool {
	out := map[string]bool{}
	for id, s := range d.Steps {
		if s.WasDone {
			out[id] = true
		}
	}
	return out
}

// Next decides what may start now. It is a pure function: the same plan, entries and time give the same answer.
//
//	the journal says           idempotent      check first                 once
//	nothing, or failed unsent  execute         verify, execute unless done  verify, execute unless done
//	started (died inside)      execute         verify, execute unless done  verify; unknown or partial: a person resolves
//	executed                   verify, execute unless done  verify, record  verify, record
//	done, resolved             skip            skip                        skip
//
// What is done counts as done only as long as all it needs is done, and was so before: when a person has a step carried out
// again, everything after it is looked at again too. A failure of which it is not known whether the request was carried out counts as "started (died inside)". A step
// that failed, waits or is stuck is not taken up again by the same process, except where its entry says when
// ("again_at").
func Next(p *planner.Plan, entries []journal.Entry, now time.Time) Decision {
	d := Decision{Steps: make(map[string]StepState, len(p.Steps)), Finished: true}
	last, outputs, opened := replay(entries)
	busy := map[string]string{}
	for i := range p.Steps {
		s := &p.Steps[i]
		st := stateOf(s, last[s.ID], opened, now)
		st.Outputs = outputs[s.ID]
		st.WasDone = st.Phase == PhaseDone
		rests := st.Phase == PhaseDone || st.Phase == PhaseReady && st.How == HowVerify // on what it was carried out after
		if rests && st.Entry.Seq > 0 && slices.ContainsFunc(s.Needs, func(n string) bool { return d.Steps[n].Entry.Seq > st.Entry.Seq }) {
			st.Phase, st.How = PhaseReady, howAfter(s, journal.Entry{}) // which has been done anew
		}
		if st.Phase == PhaseReady || st.Phase == PhaseDone {
			if need := slices.IndexFunc(s.Needs, func(n string) bool { return d.Steps[n].Phase != PhaseDone }); need >= 0 {
				st.Phase, st.Why = PhaseBlocked, "it needs "+s.Needs[need]
			}
		}
		if st.Phase == PhaseRunning {
			for _, word := range s.Exclusive {
				busy[word] = s.ID
			}
		}
		if at := againAt(st.Entry); st.Phase == PhaseFailed && at.After(now) && (d.Wake.IsZero() || at.Before(d.Wake)) {
			d.Wake = at
		}
		d.Steps[s.ID] = st
		d.Finished = d.Finished && st.Phase == PhaseDone
	}
	for i := range p.Steps {
		s := &p.Steps[i]
		if d.Steps[s.ID].Phase != PhaseReady {
			continue
		}
		if at := slices.IndexFunc(s.Exclusive, func(w string) bool { return busy[w] != "" }); at >= 0 {
			st := d.Steps[s.ID]
			st.Phase, st.Why = PhaseBlocked, fmt.Sprintf("only one step at a time may use %s, and %s does", s.Exclusive[at], busy[s.Exclusive[at]])
			d.Steps[s.ID] = st
			continue
		}
		for _, word := range s.Exclusive {
			busy[word] = s.ID
		}
		d.Start = append(d.Start, s.ID)
	}
	return d
}

// replay returns the last entry and the joined outputs of every key, and the sequence number of the last EventOpened.
func replay(entries []journal.Entry) (map[string]journal.Entry, map[string]map[string]string, int) {
	last := map[string]journal.Entry{}
	outputs := map[string]map[string]string{}
	opened := 0
	for _, e := range entries {
		if e.Event == EventOpened {
			opened = e.Seq
		}
		last[e.Key] = e
		for k, v := range e.Data {
			name, ok := strings.CutPrefix(k, outputPrefix)
			if !ok {
				continue
			}
			if outputs[e.Key] == nil {
				outputs[e.Key] = map[string]string{}
			}
			outputs[e.Key][name] = v
		}
	}
	return last, outputs, opened
}

const outputPrefix = "out."

func stateOf(s *planner.Step, e journal.Entry, opened int, now time.Time) StepState {
	st := StepState{Phase: PhaseReady, Entry: e, Why: e.Data["error"]}
	here := e.Seq > opened // written by the process that runs now
	switch e.Event {
	case EventDone, EventResolved:
		st.Phase = PhaseDone
		return st
	case EventStuck:
		st.Phase = PhaseStuck
		return st
	case EventStarted, EventExecuted:
		if here {
			st.Phase = PhaseRunning
		}
	case EventFailed:
		if at := againAt(e); here && (at.IsZero() || at.After(now)) {
			st.Phase = PhaseFailed
		}
	case EventWaiting:
		if here {
			st.Phase = PhaseWaiting
		}
	}
	st.How = howAfter(s, e)
	return st
}

// howAfter is the table.
func howAfter(s *planner.Step, e journal.Entry) How {
	inside := e.Event == EventStarted || e.Event == EventFailed && e.Data["sent"] != "no"
	switch {
	case s.Mark == planner.MarkCheck, e.Event == EventExecuted, e.Event == EventFailed && e.Data["after"] == EventExecuted:
		return HowVerify
	case s.Manual != nil:
		return HowVerifyFirst // the person is asked again, whatever happened
	case s.Repeat == planner.Idempotent:
		return HowExecute
	case s.Repeat == planner.Once && inside:
		return HowVerifyOnce
	}
	return HowVerifyFirst
}

func againAt(e journal.Entry) time.Time {
	at, err := time.Parse(time.RFC3339Nano, e.Data["again_at"])
	if err != nil {
		return time.Time{}
	}
	return at
}
