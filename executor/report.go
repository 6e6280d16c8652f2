package executor

import (
	"github.com/syncctl/syncctl/planner"
)

// Report tells how a run ended, step by step in plan order.
type Report struct {
	Finished bool
	Steps    []StepReport
}

// StepReport is one step's end.
type StepReport struct {
	Step    planner.Step
	Phase   Phase
	Why     string   // why it is not done
	Moved   bool     // it found the world changed since the plan was made
	Refused bool     // a guard refused it
	Attest  bool     // a person is waited for, and no interface can tell whether the work is done
	Stopped bool     // an interrupt ended it: there is nothing to fix
	Before  bool     // it was done before, and a person has had it, or what it needs, carried out again
	WaitFor []string // the sites that have to go on, when it is another one's turn
	Here    bool     // it was done by this process rather than an earlier one
}

// Count returns how many steps are in a phase.
func (r *Report) Count(p Phase) int {
	n := 0
	for i := range r.Steps {
		if r.Steps[i].Phase == p {
			n++
		}
	}
	return n
}

func (x *run) report(d Decision) *Report {
	opened := 0
	for _, e := range x.Journal.Entries() {
		if e.Event == EventOpened {
			opened = e.Seq
		}
	}
	r := &Report{Finished: d.Finished}
	for i := range x.Plan.Steps {
		s := x.Plan.Steps[i]
		st := d.Steps[s.ID]
		phase := st.Phase
		if phase == PhaseRunning {
			phase = PhaseReady // it was interrupted: nothing runs any more
		}
		r.Steps = append(r.Steps, StepReport{
			Step: s, Phase: phase, Why: st.Why, WaitFor: st.WaitFor,
			Moved: x.moved.ids[s.ID], Refused: x.refused.ids[s.ID],
			Attest: st.Attestable(), Stopped: st.Failure().Stopped, Before: st.Before,
			Here: st.Phase == PhaseDone && st.Entry.Seq > opened,
		})
	}
	return r
}
