package view

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/report"
)

// End is how a run of apply ended.
type End struct {
	Report *executor.Report
	RunID  string
	Dir    string // folder with the journal and the files of the run; "" if it is not kept
	Next   Commands
}

// Report writes which steps were done, were not tried, wait, failed or are stuck, each with the reason, and how to
// resume the run.
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
		e.place(&b)
		if e.Next.Bundle != "" {
			s.block(&b, 0, "", "Wrote "+e.Next.Bundle+": the other sites learn from it that the run is finished.")
		}
		_, err := io.WriteString(w, b.String())
		return err
	}
	fmt.Fprintf(&b, "%s %d of %d steps done (%d by this process, %d earlier).\n",
		s.Bold("Not finished:"), here+earlier, len(r.Steps), here, earlier)
	section(&b, s, r, number, doneHere)
	b.WriteString("\n")
	for _, line := range folded(r, number) {
		s.block(&b, 0, "", line)
	}
	e.place(&b)
	for _, sec := range open { // the most important is last, so that it stays on the screen
		section(&b, s, r, number, sec)
	}
	b.WriteString("\n")
	e.advice().write(&b, s, e.Next)
	_, err := io.WriteString(w, b.String())
	return err
}

type reportSection struct {
	title string
	look  string
	has   func(executor.StepReport) bool
}

var doneHere = reportSection{"Done by this process:", green, func(r executor.StepReport) bool {
	return r.Phase == executor.PhaseDone && r.Here
}}

var open = []reportSection{
	{"Waiting for another site:", cyan, in(executor.PhaseAway)},
	{"Waiting for a person:", cyan, in(executor.PhaseWaiting)},
	{"Interrupted:", yellow, func(r executor.StepReport) bool { return r.Phase == executor.PhaseFailed && r.Stopped }},
	{"Failed:", red, func(r executor.StepReport) bool { return r.Phase == executor.PhaseFailed && !r.Stopped }},
	{"Stuck, a person must check and resolve:", red, in(executor.PhaseStuck)},
}

func in(p executor.Phase) func(executor.StepReport) bool {
	return func(r executor.StepReport) bool { return r.Phase == p }
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

// folded returns lines that list steps only by their numbers, since there is no more to say about them: the steps done
// earlier, and the steps not tried, grouped by what they wait for.
func folded(r *executor.Report, number map[string]int) []string {
	var earlier []int
	var order []string
	waiting := map[string][]int{}
	causes := map[string][]int{} // by step ID, the numbers of the steps that it waits for
	for _, st := range r.Steps {
		n := number[st.Step.ID]
		switch {
		case st.Phase == executor.PhaseDone && !st.Here:
			earlier = append(earlier, n)
		case untried(st.Phase):
			for _, need := range st.Step.Needs { // they are earlier in the plan
				causes[st.Step.ID] = append(causes[st.Step.ID], causes[need]...)
			}
			slices.Sort(causes[st.Step.ID])
			causes[st.Step.ID] = slices.Compact(causes[st.Step.ID])
			key := report.StepList(causes[st.Step.ID])
			if waiting[key] == nil {
				order = append(order, key)
			}
			waiting[key] = append(waiting[key], n)
		case st.Phase != executor.PhaseDone:
			causes[st.Step.ID] = []int{n}
		}
	}
	var lines []string
	if len(earlier) > 0 {
		lines = append(lines, "Done earlier: "+report.StepList(earlier)+".")
	}
	for _, key := range order {
		they, wait, their := "they", "wait", "their"
		if len(waiting[key]) == 1 {
			they, wait, their = "it", "waits", "its"
		}
		because := fmt.Sprintf("%s %s for %s", they, wait, key)
		if key == "" {
			because = "the run was stopped before " + their + " turn"
		}
		lines = append(lines, "Not tried: "+report.StepList(waiting[key])+"; "+because+".")
	}
	return lines
}

func untried(p executor.Phase) bool {
	return p == executor.PhaseBlocked || p == executor.PhaseReady || p == executor.PhaseRunning
}

func stepLine(b *strings.Builder, s Style, n int, step *planner.Step) {
	fmt.Fprintf(b, "%3d %s%s\n", n, s.sign(step), oneLine(step.ID))
}

// why returns why a step is not done. If text names the step that it needs, the step's number is added.
func why(text string, p executor.Phase, number map[string]int) string {
	if need, ok := strings.CutPrefix(text, "it needs "); ok && number[need] > 0 {
		return fmt.Sprintf("it needs step %d (%s)", number[need], need)
	}
	if text == "" && (p == executor.PhaseReady || p == executor.PhaseRunning) {
		return "the run was stopped before its turn"
	}
	return text
}

// place writes where the run's record is, unless the record is not kept.
func (e End) place(b *strings.Builder) {
	if e.Dir != "" {
		fmt.Fprintf(b, "Record and files of the run: %s\n", oneLine(e.Dir))
	}
}
