package view

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// Commands holds the commands that resume a run, as a person types them in their current folder.
type Commands struct {
	Apply   string
	Resolve string // without STEP and flags
	Send    string
	Receive string // without the bundle

	Bundle string // file that was written for the other sites; "" if there is none
}

// stepState is the state of a step that advice depends on. Nothing has to be done about steps that are done or blocked:
// they are left out, since a long run has many.
type stepState struct {
	number         int
	step           *planner.Step
	phase          executor.Phase
	refused, moved bool
	attestable     bool     // no interface can verify whether the person has done it
	stopped        bool     // an interrupt ended it
	before         bool     // this run had done it before
	waitFor        []string // sites that must act first
}

// advice says how to continue an unfinished run.
type advice struct {
	first   []string // what a person has to do first
	choices []string // commands for a person to choose from
	apply   bool     // apply then resumes the run
	sites   []string // sites that must act first
}

func advise(list []stepState, c Commands) advice {
	a := advice{apply: true}
	for _, s := range list {
		name := fmt.Sprintf("step %d (%s)", s.number, oneLine(s.step.ID))
		switch {
		case s.phase == executor.PhaseStuck:
			done, retry := c.Resolve+" "+planner.Typed(s.step.ID)+" -done", c.Resolve+" "+planner.Typed(s.step.ID)+" -retry"
			a.choices = append(a.choices, done, retry)
			a.first = append(a.first, "Check on the servers whether "+name+" was carried out, and record it:\n  "+
				oneLine(done)+"   it was\n  "+oneLine(retry)+"  it was not")
		case s.phase == executor.PhaseFailed && s.before && !s.stopped && !s.refused:
			done := c.Resolve + " " + planner.Typed(s.step.ID) + " -done"
			a.choices = append(a.choices, done)
			a.first = append(a.first, "This run had done "+name+" before it was to be carried out again. "+
				"If that still counts, record it; otherwise fix what made it fail:\n  "+oneLine(done))
		case s.phase == executor.PhaseFailed && s.moved:
			abandon := c.Resolve + " -abandon"
			a.apply = false
			a.choices = append(a.choices, abandon)
			a.first = append(a.first, "What "+name+" relies on has changed since the plan was made, "+
				"so apply cannot carry it out. Restore it, or abandon the run and plan again:\n  "+oneLine(abandon))
		case s.phase == executor.PhaseFailed && s.refused:
			a.first = append(a.first, "Fix what the guard of "+name+" found; until then apply is refused.")
		case s.phase == executor.PhaseFailed && s.stopped: // there is nothing to fix
		case s.phase == executor.PhaseFailed:
			a.first = append(a.first, "Fix what made "+name+" fail.")
		case s.phase == executor.PhaseWaiting && s.attestable:
			done := c.Resolve + " " + planner.Typed(s.step.ID) + " -done"
			a.choices = append(a.choices, done)
			a.first = append(a.first, "Do "+name+". No interface can verify it, so record when it is done:\n  "+oneLine(done))
		case s.phase == executor.PhaseWaiting:
			a.first = append(a.first, "Do "+name+" as described; apply then verifies it.")
		}
	}
	if a.sites = sitesToGoOn(list); len(a.sites) > 0 {
		names := oneLine(strings.Join(a.sites, " and "))
		if c.Bundle != "" {
			a.first = append(a.first, c.handedOn(names)...)
			return a
		}
		a.first = append(a.first, "Waiting for "+names+": hand over with `"+oneLine(c.Send)+"`, and take in what comes "+
			"back with `"+oneLine(c.Receive)+" BUNDLE`.")
	}
	return a
}

// handedOn returns what to do with the bundle that was written for other sites, and with the bundle that comes back.
func (c Commands) handedOn(names string) []string {
	bundle := oneLine(c.Bundle)
	return []string{
		"Waiting for " + names + ". Bring " + bundle + " to the other sites. It is encrypted and signed: the way there " +
			"need not be safe. There:\n  syncctl receive " + oneLine(filepath.Base(c.Bundle)) + "\n  syncctl apply",
		"Take in what comes back with:\n  " + oneLine(c.Receive) + " BUNDLE",
	}
}

// WaitsFor returns the sites that must act before this site can. It returns nil if there is something else to do here.
func (e End) WaitsFor() []string { return e.advice().sites }

// sitesToGoOn returns the sites that must act before this site can, or nil if there is something else to do here.
func sitesToGoOn(list []stepState) []string {
	var out []string
	for _, s := range list {
		switch s.phase {
		case executor.PhaseAway:
			out = append(out, s.waitFor...)
		default:
			return nil
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (a advice) write(b *strings.Builder, s Style, c Commands) {
	for _, f := range a.first {
		head, rest, more := strings.Cut(f, "\n")
		s.block(b, 0, "", head)
		if more {
			b.WriteString(s.Bold(rest) + "\n") // not wrapped: commands are meant to be copied
		}
	}
	if a.apply {
		b.WriteString("Resume with: " + s.Bold(oneLine(c.Apply)) + "\n")
	} else {
		b.WriteString("Once it is restored, resume with: " + s.Bold(oneLine(c.Apply)) + "\n")
	}
}

// Advice returns a text on how to resume a run that no process is carrying out.
func Advice(s Style, r RunState, c Commands) string {
	var list []stepState
	for i := range r.Run.Plan.Steps {
		step := &r.Run.Plan.Steps[i]
		st := r.Decision.Steps[step.ID]
		if needsNothing(st.Phase) {
			continue
		}
		f := st.Failure()
		list = append(list, stepState{
			refused: f.Refused, moved: f.Moved, stopped: f.Stopped, number: i + 1, step: step,
			phase: r.Phase(step.ID), attestable: st.Attestable(), before: st.Before, waitFor: st.WaitFor,
		})
	}
	var b strings.Builder
	advise(list, c).write(&b, s, c)
	return b.String()
}

func (e End) advice() advice {
	var list []stepState
	for i := range e.Report.Steps {
		if st := &e.Report.Steps[i]; !needsNothing(st.Phase) {
			list = append(list, stepState{
				i + 1, &st.Step, st.Phase, st.Refused, st.Moved, st.Attest, st.Stopped, st.Before, st.WaitFor,
			})
		}
	}
	return advise(list, e.Next)
}

func needsNothing(p executor.Phase) bool {
	return p == executor.PhaseDone || p == executor.PhaseBlocked
}
