package executor

import (
	"github.com/syncctl/syncctl/planner"
)

// Report says how a run ended, step by step in plan order.
type Report struct {
	Finished bool
	Steps    []StepReport
}

// StepReport says how one step ended.
type StepReport struct {
	Step    planner.Step
	Phase   Phase
	Why     string   // why it is not done
	Moved   bool     // its facts have changed since the plan was made
	Refused bool     // a guard refused it
	Attest  bool     // it waits for a person, and no interface can tell whether the work is done
	Stopped bool     // an interrupt ended it: there is nothing to fix
	Before  bool     // it was once verified as done, even if it must be carried out again
	WaitFor []string // the sites that must act first, if it is another site's turn
	Here    bool     // it was done by this process, not by an earlier one
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
	r := &Report{Finished: d.Finished, Steps: make([]StepReport, 0, len(x.Plan.Steps))}
	for i := range x.Plan.Steps {
		s := x.Plan.Steps[i]
		st := d.Steps[s.ID]
		phase := st.Phase
		if phase == PhaseRunning {
			phase = PhaseReady // it was interrupted: nothing is running any more
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
