package view

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/report"
)

// RunState is the state of a run on disk.
type RunState struct {
	Run      *executor.Run
	Decision executor.Decision
	Holder   *journal.Holder // the process that is carrying it out; nil if none is
	Now      time.Time
}

// Word returns the state of the run in a word.
func (r RunState) Word() string {
	switch {
	case r.Run.Abandoned():
		return "given up"
	case r.Run.Finished():
		return "finished"
	case r.Run.Damage != nil:
		return "damaged"
	case r.Holder != nil:
		return "under way"
	}
	return "unfinished"
}

// Done counts the steps that are done.
func (r RunState) Done() int {
	n := 0
	for _, s := range r.Decision.Steps {
		if s.Phase == executor.PhaseDone {
			n++
		}
	}
	return n
}

// Phase returns the phase of a step. A running step that no process carries out any more is "interrupted".
func (r RunState) Phase(id string) executor.Phase {
	p := r.Decision.Steps[id].Phase
	if p == executor.PhaseRunning && r.Holder == nil {
		return "interrupted"
	}
	return p
}

// MostLines is the number of steps, and of journal entries, up to which all are written one by one without detail.
const MostLines = 200

// Run writes a run, step by step. If it is long and detail is false, steps in a row that are all done, or were all not
// begun, share a line.
func Run(w io.Writer, s Style, r RunState, detail bool) error {
	b := bufio.NewWriter(w)
	fmt.Fprint(b, head(s, r))
	number := Numbers(r.Run.Plan)
	steps := r.Run.Plan.Steps
	long := len(steps) > MostLines && !detail
	left := 0
	for i := 0; i < len(steps); {
		to := i + 1
		for word := r.inRow(steps[i].ID); long && word != "" && to < len(steps) && r.inRow(steps[to].ID) == word; {
			to++
		}
		if to-i > 2 {
			fmt.Fprintf(b, "%3d - %d  %s\n", i+1, to, s.Dim(r.inRow(steps[i].ID)))
			left += to - i
		} else {
			for ; i < to; i++ {
				fmt.Fprint(b, runStep(s, r, &steps[i], number))
			}
		}
		i = to
	}
	if left > 0 {
		fmt.Fprintf(b, "%d steps are not shown one by one; syncctl show %s -detail does so.\n", left, oneLine(r.Run.ID))
	}
	return b.Flush()
}

// inRow returns the word for a step that may share a line with its neighbours, or "" if it has a line of its own.
func (r RunState) inRow(id string) string {
	switch r.Phase(id) {
	case executor.PhaseDone:
		return "done"
	case executor.PhaseReady, executor.PhaseBlocked:
		if st := r.Decision.Steps[id]; st.Entry.Event != "" || st.Begun {
			return "" // it was begun before, and its request was perhaps sent
		}
		return "not begun"
	}
	return ""
}

func runStep(s Style, r RunState, step *planner.Step, number map[string]int) string {
	var b strings.Builder
	st, phase := r.Decision.Steps[step.ID], r.Phase(step.ID)
	look := map[executor.Phase]string{
		executor.PhaseDone: green, executor.PhaseFailed: red, executor.PhaseStuck: red,
		executor.PhaseWaiting: cyan, executor.PhaseRunning: yellow, "interrupted": yellow,
	}[phase]
	if look == "" {
		look = dim
	}
	fmt.Fprintf(&b, "%3d %s%s  %s\n", number[step.ID], s.sign(step), s.paint(look, pad(string(phase), 11)),
		oneLine(step.ID))
	if phase != executor.PhaseDone {
		s.block(&b, beneath, "", why(st.Why, "", number))
	}
	if phase == executor.PhaseWaiting && step.Manual != nil {
		s.block(&b, beneath, "waiting for a person at ", step.Manual.Where)
	}
	return b.String()
}

func head(s Style, r RunState) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: %s, %d of %d steps done\n",
		s.Bold("Run"), oneLine(r.Run.ID), r.Word(), r.Done(), len(r.Run.Plan.Steps))
	if r.Holder != nil {
		fmt.Fprintf(&b, "  carried out by process %d on %s since %s\n",
			r.Holder.PID, oneLine(r.Holder.Host), r.Holder.Since.Format(time.RFC3339))
	}
	if n := len(r.Run.Entries); n > 0 {
		fmt.Fprintf(&b, "  last entry %s\n", r.Run.Entries[n-1].Time.Format(time.RFC3339))
	}
	if r.Run.Site != "" {
		b.WriteString(r.sites(s))
	}
	fmt.Fprintf(&b, "  record and files: %s\n", oneLine(r.Run.Dir))
	return b.String()
}

// sites writes how far each site is, as far as this site knows, and how old that knowledge is.
func (r RunState) sites(s Style) string {
	var b strings.Builder
	for _, site := range report.Parties(r.Run.Plan, &report.Run{Decision: r.Decision, Entries: r.Run.Entries}) {
		known := "nothing received from there"
		switch at := r.KnownOf(site.Name); {
		case site.Name == r.Run.Site:
			known = "this site"
		case !at.IsZero():
			known = "as of " + at.Format(time.RFC3339)
		}
		if !r.Run.Approved(site.Name) {
			known += ", not approved"
		}
		fmt.Fprintf(&b, "  %s: %d of %d steps done (%s)\n", oneLine(site.Name), site.Done, len(site.Numbers), known)
		site.Numbers = nil // they are shown below
		s.block(&b, 4, "", site.Words())
	}
	return b.String()
}

// KnownOf returns the time of a site's last journal entry that is known here, or zero if none is.
func (r RunState) KnownOf(site string) time.Time {
	entries := r.Run.Chains[site]
	if len(entries) == 0 {
		return time.Time{}
	}
	return entries[len(entries)-1].Time
}

// RunLine writes one line about a run that has ended.
func RunLine(w io.Writer, b executor.Brief) error {
	_, err := fmt.Fprintf(w, "%s  %s, %d of %d steps done\n", oneLine(b.ID), EndWord(b.End), b.End.Done, b.End.Of)
	return err
}

// EndWord returns how a run ended, in a word.
func EndWord(e *executor.End) string {
	if e.Abandoned {
		return "given up"
	}
	return "finished"
}

// Entries writes the journal of a run, or the last entries of it, a line for each. If there are many and detail is
// false, only the last ones are written.
func Entries(w io.Writer, s Style, entries []journal.Entry, detail bool) error {
	b := bufio.NewWriter(w)
	if n := len(entries) - MostLines; n > 0 && !detail {
		entries = entries[n:]
	}
	if len(entries) > 0 && entries[0].Seq > 1 {
		fmt.Fprintf(b, "%d earlier entries are not shown; -detail does so.\n", entries[0].Seq-1)
	}
	for _, e := range entries {
		at := e.Time.Format("2006-01-02T15:04:05.000Z07:00")
		fmt.Fprintf(b, "%5d  %s  %s  %s\n", e.Seq, at, pad(oneLine(e.Event), 9), oneLine(e.Key))
		var data strings.Builder
		for _, name := range []string{"reason", "by", "note", "error", "again_at"} {
			s.block(&data, 9, name+": ", e.Data[name])
		}
		fmt.Fprint(b, data.String())
	}
	return b.Flush()
}

// Unfinished writes that there is a run to resume.
func Unfinished(w io.Writer, r RunState) error {
	next := "Resume it with `syncctl apply`, or abandon it with `syncctl resolve -abandon`."
	if r.Holder != nil {
		next = fmt.Sprintf("Process %d on %s is carrying it out.", r.Holder.PID, oneLine(r.Holder.Host))
	}
	_, err := fmt.Fprintf(w, "Run %s is unfinished: %d of %d steps are done, the others are shown below.\n%s\n\n",
		oneLine(r.Run.ID), r.Done(), len(r.Run.Plan.Steps), next)
	return err
}

// Revised writes which steps of a run change because its files were changed. where lists the changed arguments with
// their places.
func Revised(w io.Writer, s Style, old *planner.Plan, r *planner.Revision, where []string) error {
	var b strings.Builder
	b.WriteString(s.Bold("The files have changed since the run was planned:") + "\n")
	for _, one := range where {
		s.block(&b, 2, "", one)
	}
	b.WriteString("What is done, and what was begun, stays as it is. Steps that change:\n")
	for _, part := range []struct {
		title string
		ids   []string
		plan  *planner.Plan
	}{{"changed", r.Changed, r.Plan}, {"added", r.Added, r.Plan}, {"removed", r.Removed, old}} {
		number := Numbers(part.plan)
		for _, id := range part.ids {
			if n := number[id]; n > 0 {
				step := &part.plan.Steps[n-1]
				fmt.Fprintf(&b, "%3d %s%s  %s\n", number[id], s.sign(step), pad(part.title, 7), oneLine(id))
			}
		}
	}
	if len(r.Changed)+len(r.Added)+len(r.Removed) == 0 {
		b.WriteString("  none\n")
	}
	b.WriteString("\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// Resumed writes that an unfinished run is resumed, and which of its steps are done.
func Resumed(w io.Writer, s Style, r RunState) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: %d of %d steps are done.\n",
		s.Bold("Resuming run"), oneLine(r.Run.ID), r.Done(), len(r.Run.Plan.Steps))
	for i := range r.Run.Plan.Steps {
		step := &r.Run.Plan.Steps[i]
		if r.Decision.Steps[step.ID].Phase == executor.PhaseDone {
			fmt.Fprintf(&b, "%3d %s%s  %s\n", i+1, s.sign(step), s.Dim(oneLine(step.ID)), s.paint(green, "done"))
		}
	}
	if !r.Decision.Finished {
		b.WriteString("\nRemaining steps:\n")
	}
	b.WriteString("\n")
	_, err := io.WriteString(w, b.String())
	return err
}
