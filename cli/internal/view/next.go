package view

import (
	"fmt"
	"strings"

	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// Commands are how a person goes on, as they are typed where that person is.
type Commands struct {
	Apply   string
	Resolve string // without STEP and flags
}

// standing is how far a step is, as far as going on depends on it.
type standing struct {
	number         int
	step           *planner.Step
	phase          executor.Phase
	refused, moved bool
	attestable     bool // no interface can tell whether the person has done it
}

// advice is what helps an unfinished run on.
type advice struct {
	first   []string // what a person has to do before
	choices []string // commands of which a person chooses
	apply   bool     // apply goes on when that is done
}

func advise(list []standing, c Commands) advice {
	a := advice{apply: true}
	for _, s := range list {
		name := fmt.Sprintf("step %d (%s)", s.number, one(s.step.ID))
		switch {
		case s.phase == executor.PhaseStuck:
			done, retry := c.Resolve+" "+s.step.ID+" -done", c.Resolve+" "+s.step.ID+" -retry"
			a.choices = append(a.choices, done, retry)
			a.first = append(a.first, "Look on the servers whether "+name+" was carried out, and say so:\n  "+one(done)+"   it was\n  "+one(retry)+"  it was not")
		case s.phase == executor.PhaseFailed && s.moved:
			abandon := c.Resolve + " -abandon"
			a.apply = false
			a.choices = append(a.choices, abandon)
			a.first = append(a.first, "What "+name+" relies on has moved since the plan was made, so apply cannot carry it out. Put that back as it was, or give the run up and plan anew from what is there now:\n  "+one(abandon))
		case s.phase == executor.PhaseFailed && s.refused:
			a.first = append(a.first, "Mend what the guard of "+name+" found; until then apply is refused again.")
		case s.phase == executor.PhaseFailed:
			a.first = append(a.first, "Mend what made "+name+" fail.")
		case s.phase == executor.PhaseWaiting && s.attestable:
			done := c.Resolve + " " + s.step.ID + " -done"
			a.choices = append(a.choices, done)
			a.first = append(a.first, "Do "+name+". No interface can verify it, so say when it is done:\n  "+one(done))
		case s.phase == executor.PhaseWaiting:
			a.first = append(a.first, "Do "+name+" as it is described; apply looks for it.")
		}
	}
	return a
}

func (a advice) write(b *strings.Builder, s Style, c Commands) {
	for _, f := range a.first {
		head, rest, more := strings.Cut(f, "\n")
		s.block(b, 0, "", head)
		if more {
			b.WriteString(s.Bold(rest) + "\n") // never broken: commands are there to be copied
		}
	}
	if a.apply {
		b.WriteString("Go on with: " + s.Bold(one(c.Apply)) + "\n")
	} else {
		b.WriteString("Only when it is as it was, go on with: " + s.Bold(one(c.Apply)) + "\n")
	}
}

// Advice tells how to go on with a run that nobody carries out now.
func Advice(s Style, r RunState, c Commands) string {
	var list []standing
	for i := range r.Run.Plan.Steps {
		step := &r.Run.Plan.Steps[i]
		list = append(list, standing{number: i + 1, step: step, phase: r.Phase(step.ID), attestable: r.Decision.Steps[step.ID].Attestable()})
	}
	var b strings.Builder
	advise(list, c).write(&b, s, c)
	return b.String()
}

func (e End) advice() advice {
	var list []standing
	for i := range e.Report.Steps {
		st := &e.Report.Steps[i]
		list = append(list, standing{i + 1, &st.Step, st.Phase, st.Refused, st.Moved, st.Attest})
	}
	return advise(list, e.Next)
}
