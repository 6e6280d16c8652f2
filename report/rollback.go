package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// MayBeDone reports whether a step that is not done may have been carried out nevertheless.
func MayBeDone(st executor.StepState) bool {
	stuck := st.Phase == executor.PhaseStuck || st.Entry.Event == executor.EventStuck
	return st.Phase != executor.PhaseDone && (st.Begun || st.WasDone || st.Before || stuck)
}

// Limits holds the irreversible steps that decide what can still be undone. Each is nil if there is none.
type Limits struct {
	Past  *planner.Step // the last one that is done
	Doubt *planner.Step // the first one that may have been carried out but is not known to be done
	Next  *planner.Step // the first one that is not done

	// From and To are the range of the steps that can be undone: those after Past and before the next irreversible one.
	From, To int

	number map[*planner.Step]int
}

// LimitsOf returns the limits of a plan. done and begun hold the IDs of the steps that are done, and of those that may
// have been carried out.
func LimitsOf(steps []planner.Step, done, begun map[string]bool) Limits {
	l := Limits{To: len(steps), number: map[*planner.Step]int{}}
	for i := range steps {
		s := &steps[i]
		if !s.Irreversible() {
			continue
		}
		l.number[s] = i + 1
		if done[s.ID] {
			l.Past, l.From, l.To = s, i+1, len(steps)
			continue
		}
		l.To = min(l.To, i)
		if l.Next == nil {
			l.Next = s
		}
		if l.Doubt == nil && begun[s.ID] {
			l.Doubt = s
		}
	}
	return l
}

// Name returns the name of one of these steps for people.
func (l Limits) Name(s *planner.Step) string { return fmt.Sprintf("step %d (%s)", l.number[s], s.Op) }

// Words say until when the work can be undone. undo says that some step describes how it is undone.
func (l Limits) Words(undo bool) []string {
	var parts []string
	switch {
	case l.Doubt != nil:
		parts = append(parts, "not known whether still possible: "+l.Name(l.Doubt)+" may have been carried out")
	case l.Next != nil:
		parts = append(parts, "possible until "+l.Name(l.Next)+", which cannot be undone")
	case l.Past == nil && undo:
		parts = append(parts, "possible at any time")
	}
	if l.Past != nil {
		parts = append(parts, "no longer possible for what was done up to "+l.Name(l.Past))
	}
	return parts
}

func (r *Report) limits() Limits {
	done, begun := map[string]bool{}, map[string]bool{}
	for _, s := range r.Steps {
		done[s.ID], begun[s.ID] = s.State == Done, s.MayBeDone
	}
	return LimitsOf(r.Plan.Steps, done, begun)
}

// Rollback says until when the work can be undone.
func (r *Report) Rollback() string { return strings.Join(r.limits().Words(len(r.Undo()) > 0), "; ") }

// Undoing says how a group of steps is undone together.
type Undoing struct {
	Steps []*Step
	How   string
}

// Undo returns how the steps are undone that can be: those after the last irreversible step that is done and before
// the next one. The last step comes first.
func (r *Report) Undo() []Undoing {
	type key struct{ addr, undo string }
	place := map[key]int{}
	var out []Undoing
	l := r.limits()
	for _, s := range slices.Backward(r.Steps[l.From:l.To]) {
		if s.Undo == "" {
			continue
		}
		k := key{s.Addr, s.Undo}
		at, known := place[k]
		if !known {
			at = len(out)
			place[k] = at
			out = append(out, Undoing{How: s.Undo})
		}
		out[at].Steps = append(out[at].Steps, s)
	}
	for i := range out {
		slices.Reverse(out[i].Steps)
	}
	return out
}
