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

// The values of How, see the table of Next.
const (
	HowExecute     How = "execute"      // carry it out
	HowVerifyFirst How = "verify_first" // verify; carry it out only if it is not done
	HowVerifyOnce  How = "verify_once"  // verify; carry it out if not done; if unknown or partial, a person resolves it
	HowVerify      How = "verify"       // it was carried out: verify and record
)

// Phase is the state of progress of a step.
type Phase string

// The phases of a step.
const (
	PhaseBlocked Phase = "blocked" // a step that it needs is not done
	PhaseReady   Phase = "ready"   // it may start now
	PhaseRunning Phase = "running" // it is carried out
	PhaseWaiting Phase = "waiting" // a person has to do it
	PhaseFailed  Phase = "failed"  // it has failed, and may be tried again
	PhaseStuck   Phase = "stuck"   // it is unknown whether it was carried out: a person must resolve it
	PhaseDone    Phase = "done"    // it is done and verified, or counts as done
	PhaseAway    Phase = "away"    // another site must act first: carry the step out, approve the plan, or verify a guard
)

// StepState is what a journal says about a step.
type StepState struct {
	Phase   Phase
	How     How               // if ready
	Why     string            // why it is blocked, waiting, stuck or failed
	Outputs map[string]string // merged from all entries, later ones win
	Entry   journal.Entry     // the last entry; zero if there is none
	WasDone bool              // it was done, and no person has said otherwise, even if it must be verified again
	Renew   bool              // a check that is done and must be verified again for another site
	WaitFor []string          // the sites that must act first, if away
	Before  bool              // it was once verified as done, whatever a person has said since
	Begun   bool              // it may have been carried out: it was started, and is not known to have changed nothing
}

// Attestable reports whether the step waits for a person and no interface can tell whether the work is done.
func (s StepState) Attestable() bool {
	return s.Phase == PhaseWaiting && s.Entry.Data[dataVerdict] == string(Unknown)
}

// Failure says how the last attempt failed. It is zero if it did not fail.
func (s StepState) Failure() Failure {
	f, _ := failureOf(s.Entry)
	return f
}

// Decision says what may happen next.
type Decision struct {
	Start    []string // IDs of steps that may start now, in plan order
	Steps    map[string]StepState
	Finished bool      // every step is done
	Wake     time.Time // the next time at which a failed step may start again; zero: none
}

// Next decides which steps may start now. It is a pure function: the same plan, entries and time give the same
// decision.
//
//	the journal says           idempotent      check first                 once
//	nothing, or failed unsent  execute         verify, execute unless done  verify, execute unless done
//	started (died inside)      execute         verify, execute unless done  verify; unknown or partial: a person resolves
//	executed                   verify, execute unless done  verify, record  verify, record
//	done, resolved             skip            skip                        skip
//
// A failure that may have been sent counts as "started (died inside)". A step that failed, waits or is stuck is not
// started again by the same process, unless its failure says when.
//
// A step counts as done only if all steps that it needs are done, and were done before it. So when a person has a step
// carried out again, everything after it is verified again. The exception is a step on which only completed
// irreversible steps depend: its verification would find what the run itself has removed since.
//
// In a run over sites, entries is the Union of the sites' journals, and only steps of the given site start: other
// steps are done when their own site's entries say so. An irreversible step starts only after the sites in its
// Approvals have approved the plan. Any step starts only while its guards at other sites are fresh. Without sites,
// site is "".
func Next(p *planner.Plan, entries []journal.Entry, site string, now time.Time) Decision {
	return historyOf(p, entries, site).next(p, now)
}

// next returns the decision of Next, for the entries that were added and from the history's site.
func (h *history) next(p *planner.Plan, now time.Time) Decision {
	d := Decision{Steps: make(map[string]StepState, len(p.Steps)), Finished: true}
	past := behind(p, h)
	busy := map[string]string{}
	for i := range p.Steps {
		s := &p.Steps[i]
		var newest latest // the last entry of all steps that it needs
		open := ""        // the first of those steps that is not done
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

// mayBeBlocked reports whether the step, in this state, becomes blocked if a step that it needs is not done.
func (s StepState) mayBeBlocked() bool {
	return s.Phase == PhaseReady || s.Phase == PhaseDone || s.Phase == PhaseAway
}

// behind marks the steps on which only completed irreversible steps depend, directly or through other such steps.
func behind(p *planner.Plan, h *history) map[string]bool {
	out := map[string]bool{}
	needed := map[string]bool{}
	open := map[string]bool{} // needed by a step that is neither irreversible and done, nor itself marked
	some := false             // such a step is done; as long as there is none, nothing is marked
	for i := range p.Steps {
		some = some || h.final(&p.Steps[i])
	}
	for i := len(p.Steps) - 1; i >= 0 && some; i-- {
		s := &p.Steps[i]
		out[s.ID] = needed[s.ID] && !open[s.ID]
		final := h.final(s)
		for _, n := range s.Needs {
			needed[n] = true
			open[n] = open[n] || !final && !out[s.ID]
		}
	}
	return out
}

func stateOf(s *planner.Step, e journal.Entry, opened int, now time.Time) StepState {
	st := StepState{Phase: PhaseReady, Entry: e, Why: e.Data[dataError]}
	here := e.Seq > opened // written by this process
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

// howAfter implements the table of Next.
func howAfter(s *planner.Step, e journal.Entry) How {
	f, _ := failureOf(e)
	switch {
	case s.Mark == planner.MarkCheck, e.Event == EventExecuted, f.Executed:
		return HowVerify
	case s.Manual != nil:
		return HowVerifyFirst // the person is asked again in any case
	case s.Repeat == planner.Idempotent:
		return HowExecute
	case s.Repeat == planner.Once && diedInside(e):
		return HowVerifyOnce
	}
	return HowVerifyFirst
}
