package view

import (
	"fmt"
	"io"
	"strings"

	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// End is all there is to say when apply has ended.
type End struct {
	Report *executor.Report
	RunID  string
	Dir    string // where the run's record and files are
	Next   string // the command to go on with, when it is not finished
}

// Report writes what was done, what waits, what failed and why, what was not tried and why, and how to go on.
func Report(w io.Writer, s Style, e End) error {
	var b strings.Builder
	r := e.Report
	number := map[string]int{}
	here, earlier := 0, 0
	for i := range r.Steps {
		number[r.Steps[i].Step.ID] = i + 1
		if r.Steps[i].Phase == executor.PhaseDone {
			if r.Steps[i].Here {
				here++
			} else {
				earlier++
			}
		}
	}
	b.WriteString("\n")
	if r.Finished {
		b.WriteString(s.paint(green, fmt.Sprintf("Apply complete! Steps: %d done.", here+earlier)) + "\n")
		if earlier > 0 {
			fmt.Fprintf(&b, "%d of them by an earlier process, %d by this one.\n", earlier, here)
		}
		fmt.Fprintf(&b, "Record and files of the run: %s\n", e.Dir)
		_, err := io.WriteString(w, b.String())
		return err
	}
	fmt.Fprintf(&b, "%s %d of %d steps done (%d by this process, %d earlier).\n", s.Bold("Not finished:"), here+earlier, len(r.Steps), here, earlier)
	for _, sec := range sections {
		section(&b, s, r, number, sec)
	}
	fmt.Fprintf(&b, "\nRecord and files of the run: %s\n", e.Dir)
	if e.Next != "" {
		b.WriteString("Go on with: " + s.Bold(e.Next) + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

type reportSection struct {
	title string
	look  string
	has   func(executor.StepReport) bool
}

var sections = []reportSection{
	{"Done by this process:", green, func(r executor.StepReport) bool { return r.Phase == executor.PhaseDone && r.Here }},
	{"Done earlier:", dim, func(r executor.StepReport) bool { return r.Phase == executor.PhaseDone && !r.Here }},
	{"Failed:", red, func(r executor.StepReport) bool { return r.Phase == executor.PhaseFailed }},
	{"Stuck, a person must look and resolve (syncctl resolve STEP -done, or -retry):", red, func(r executor.StepReport) bool { return r.Phase == executor.PhaseStuck }},
	{"Waiting for a person:", cyan, func(r executor.StepReport) bool { return r.Phase == executor.PhaseWaiting }},
	{"Not tried:", dim, func(r executor.StepReport) bool {
		return r.Phase == executor.PhaseBlocked || r.Phase == executor.PhaseReady || r.Phase == executor.PhaseRunning
	}},
}

func section(b *strings.Builder, s Style, r *executor.Report, number map[string]int, sec reportSection) {
	first := true
	for _, st := range r.Steps {
		if !sec.has(st) {
			continue
		}
		if first {
			b.WriteString("\n" + s.paint(sec.look, sec.title) + "\n")
			first = false
		}
		stepLine(b, s, number[st.Step.ID], &st.Step)
		if st.Phase != executor.PhaseDone {
			s.block(b, beneath, "", why(st.Why, st.Phase, number))
		}
	}
}

func stepLine(b *strings.Builder, s Style, n int, step *planner.Step) {
	fmt.Fprintf(b, "%3d %s %s\n", n, s.mark(step.Mark), one(step.ID))
}

// why says why a step is not done, with the number of the step it speaks of.
func why(text string, p executor.Phase, number map[string]int) string {
	if need, ok := strings.CutPrefix(text, "it needs "); ok && number[need] > 0 {
		return fmt.Sprintf("it needs step %d (%s)", number[need], need)
	}
	if text == "" && (p == executor.PhaseReady || p == executor.PhaseRunning) {
		return "it was stopped before its turn"
	}
	return text
}
