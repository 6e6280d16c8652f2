package executor

import (
	"fmt"
	"slices"
	"time"

	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
)

// How says what to do with a step that may start.
type How string

// What may be done with a step, from the table of interrupted runs.
const (
	HowExecute     How = "execute"      // carry it out
	HowVerifyFirst How = "verify_first" // verify; carry it out unless it is done
	HowVerifyOnce  How = "verify_once"  // verify; carry it out if it is not done; a person resolves unknown and partial
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
	PhaseAway    Phase = "away" // another site has to go on: it carries the step out, or approves, or verifies
)

// StepState is what a journal says of a step.
type StepState struct {
	Phase   Phase
	How     How               // when ready
	Why     string            // why it is blocked, waiting, stuck or failed
	Outputs map[string]string // of its entries so far, later ones win
	Entry   journal.Entry     // the last one; zero when there is none
	WasDone bool              // it was done, and no person has said otherwise, even if it is to be verified again
	Renew   bool              // a check that is done, to be verified once more for another site
	WaitFor []string          // the sites that have to go on, when away
	Before  bool              // it was verified as done at some time, whatever a person has said since
	Begun   bool              // it may have been carried out: it was started, and is not known to have changed nothing
}

// Attestable tells whether the step waits for a person, and no interface can tell whether the work is done.
func (s StepState) Attestable() bool {
	return s.Phase == PhaseWaiting && s.Entry.Data[dataVerdict] == string(Unknown)
}

// Failure is how the last try failed; zero where it did not fail.
func (s StepState) Failure() Failure {
	f, _ := failureOf(s.Entry)
	return f
}

// Decision is what may happen next.
type Decision struct {
	Start    []string // step ids that may start now, in plan order
	Steps    map[string]StepState
	Finished bool      // every step is done
	Wake     time.Time // when a step may start that may not start yet; zero: none waits for time alone
}

// Next decides what may start now. It is a pure function: the same plan, entries and time give the same decision.
//
//	the journal says           idempotent      check first                 once
//	nothing, or failed unsent  execute         verify, execute unless done  verify, execute unless done
//	started (died inside)      execute         verify, execute unless done  verify; unknown or partial: a person resolves
//	executed                   verify, execute unless done  verify, record  verify, record
//	done, resolved             skip            skip                        skip
//
// What is done counts as done only as long as all it needs is done, and was so before: when a person has a step
// carried out again, everything after it is verified again too, except what only irreversible steps rest on that are
// done: it would find the run's own doing. A failure that may have been sent counts as "started (died inside)". A step
// that failed, waits or is stuck is not taken up again by the same process, except where its failure says when.
//
// In a run over sites, entries are the Union of the sites' journals, and only the steps of site start: others' are done
// by their sites' entries alone. An irreversible step starts when all have approved whose approvals it names, and any
// step when what other sites have verified for it is fresh. Without sites, site is "".
func Next(p *planner.Plan, entries []journal.Entry, site string, now time.Time) Decision {
	d := Decision{Steps: make(map[string]StepState, len(p.Steps)), Finished: true}
	h := historyOf(p, entries, site)
	past := behind(p, h)
	busy := map[string]string{}
	for i := range p.Steps {
		s := &p.Steps[i]
		var newest latest // of what it needs: the last entry
		open := ""        // and the first step that is not done
		for _, n := range s.Needs {
			need := d.Steps[n]
			newest.take(need.Entry)
			if open == "" && need.Phase != PhaseDone {
				open = n
			}
		}
		st := h.state(s, &newest, past[s.ID], now)
		if open != "" && st.mayBeBlocked() {
			st.Phase, st.Why = PhaseBlocked, "it needs "+open
		}
		if st.Phase == PhaseRunning && h.isOwn(s) {
			for _, word := range s.Exclusive {
				busy[word] = s.ID
			}
		}
		again := st.Failure().Again
		if st.Phase == PhaseFailed && again.After(now) && (d.Wake.IsZero() || again.Before(d.Wake)) {
			d.Wake = again
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
			word := s.Exclusive[at]
			st.Phase = PhaseBlocked
			st.Why = fmt.Sprintf("only one step at a time may use %s, and %s does", word, busy[word])
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

// mayBeBlocked tells of a state without regard to what the step needs whether that counts.
func (s StepState) mayBeBlocked() bool {
	return s.Phase == PhaseReady || s.Phase == PhaseDone || s.Phase == PhaseAway
}

// behind are the steps that only irreversible steps rest on that are done, directly or through others of them.
func behind(p *planner.Plan, h *history) map[string]bool {
	out := map[string]bool{}
	needed := map[string]bool{}
	open := map[string]bool{} // needed by a step that is neither irreversible and done, nor behind one
	for _, s := range slices.Backward(p.Steps) {
		out[s.ID] = needed[s.ID] && !open[s.ID]
		final := h.final(&s)
		for _, n := range s.Needs {
			needed[n] = true
			open[n] = open[n] || !final && !out[s.ID]
		}
	}
	return out
}

func stateOf(s *planner.Step, e journal.Entry, opened int, now time.Time) StepState {
	st := StepState{Phase: PhaseReady, Entry: e, Why: e.Data[dataError]}
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
		if f, _ := failureOf(e); here && (f.Again.IsZero() || f.Again.After(now)) {
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
	f, _ := failureOf(e)
	switch {
	case s.Mark == planner.MarkCheck, e.Event == EventExecuted, f.Executed:
		return HowVerify
	case s.Manual != nil:
		return HowVerifyFirst // the person is asked again, whatever happened
	case s.Repeat == planner.Idempotent:
		return HowExecute
	case s.Repeat == planner.Once && diedInside(e):
		return HowVerifyOnce
	}
	return HowVerifyFirst
}
