package report

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/syncctl/syncctl/planner"
)

// NoChanges is a line that other tools read. It must not change.
const NoChanges = "No changes. Your infrastructure matches the configuration."

// Counts returns the line about objects that other tools read. It must not change.
func Counts(t planner.Tally) string {
	return fmt.Sprintf("Plan: %d to add, %d to change, %d to destroy.", t.Add, t.Change, t.Destroy)
}

// StepCounts returns the line about steps that other tools read. It must not change.
func StepCounts(t planner.Tally) string {
	return fmt.Sprintf("Steps: %d (%d for a person, %d irreversible)", t.Steps, t.Person, t.Irreversible)
}

// IfInterrupted says what happens to a step if it is unknown whether it was carried out. It returns "" for a check.
func IfInterrupted(s *planner.Step) string {
	switch {
	case s.Mark == planner.MarkCheck:
		return ""
	case s.Repeat == planner.Idempotent:
		return "repeated, which does no harm"
	case s.Repeat == planner.Once:
		return "checked on the server, never repeated; if in doubt, a person decides"
	}
	return "checked on the server, repeated only if missing"
}

// Effect says what a step does to objects.
func Effect(e *planner.Effect) string {
	var parts []string
	for _, part := range []struct {
		n    int
		verb string
	}{{e.Add, "adds"}, {e.Change, "changes"}, {e.Destroy, "destroys"}} {
		if part.n > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", part.verb, part.n))
		}
	}
	if e.Irreversible {
		parts = append(parts, "cannot be undone")
	}
	return strings.Join(parts, ", ")
}

// StepList writes sorted step numbers as "step 4" or "steps 1-3, 7"; it returns "" if there are none.
func StepList(list []int) string {
	switch len(list) {
	case 0:
		return ""
	case 1:
		return "step " + strconv.Itoa(list[0])
	}
	return "steps " + spans(list)
}

// spans writes sorted numbers as "1-3, 7".
func spans(list []int) string {
	var parts []string
	for i := 0; i < len(list); {
		j := i
		for j+1 < len(list) && list[j+1] == list[j]+1 {
			j++
		}
		if j > i {
			parts = append(parts, fmt.Sprintf("%d-%d", list[i], list[j]))
		} else {
			parts = append(parts, strconv.Itoa(list[i]))
		}
		i = j + 1
	}
	return strings.Join(parts, ", ")
}

// Numbers returns the numbers of steps.
func Numbers(steps []*Step) []int {
	out := make([]int, 0, len(steps))
	for _, s := range steps {
		out = append(out, s.Number)
	}
	return out
}

// Kind says in words what the mark of a step means.
func Kind(s *planner.Step) string {
	words := map[planner.Mark]string{
		planner.MarkAdd: "adds", planner.MarkChange: "changes", planner.MarkDelete: "removes",
		planner.MarkPerson: "for a person", planner.MarkCheck: "verifies", planner.MarkFinal: "cannot be undone",
	}
	word := words[s.Mark]
	if s.Mark == planner.MarkPerson && s.Irreversible() {
		word += ", " + words[planner.MarkFinal]
	}
	return word
}

// SeverityWord returns the word for a severity.
func SeverityWord(v planner.Severity) string {
	switch v {
	case planner.Refuse:
		return "refused"
	case planner.Warn:
		return "warning"
	}
	return "note"
}

// ActionWord says what a plan does to a declaration, or returns "" for nothing.
func ActionWord(a planner.Action) string {
	if a == planner.NoChange {
		return ""
	}
	return string(a)
}

// CutBeside cuts a text to at most the given number of characters, so that the first difference from another text next
// to it is visible.
func CutBeside(s, other string, most int) string {
	r, o := []rune(s), []rune(other)
	if len(r) <= most && len(o) <= most {
		return s
	}
	same := 0
	for same < min(len(r), len(o)) && r[same] == o[same] {
		same++
	}
	from, begin, end := 0, "", ""
	if same > most/2 && s != other {
		from, begin = same-most/8, "…"
	}
	if r = r[from:]; len(r) > most {
		r, end = r[:most], "…"
	}
	return begin + string(r) + end
}

// Warnings counts the findings that are warnings.
func (r *Report) Warnings() int {
	n := 0
	for i := range r.Plan.Findings {
		if r.Plan.Findings[i].Severity == planner.Warn {
			n++
		}
	}
	return n
}

// Nothing says that a plan has no steps. where says where its differences are shown, such as "below".
func Nothing(p *planner.Plan, where string) string {
	n, targeted := 0, false
	for _, c := range p.Changes {
		n += len(c.Diff)
	}
	for _, f := range p.Findings {
		targeted = targeted || f.Rule == planner.RuleTarget
	}
	switch {
	case n == 1:
		return "No changes. No step changes the difference " + where + "."
	case n > 1:
		return fmt.Sprintf("No changes. No step changes the %d differences %s.", n, where)
	case targeted:
		return "No changes for the targets."
	}
	return NoChanges
}

// Earlier says which parts of a run's report are from before the run.
func (r *Report) Earlier() string {
	return "Differences, findings and what is marked \"before\" are from when the run was planned."
}

// Verdict says in a few words what state the plan or its run is in.
func (r *Report) Verdict() string {
	switch {
	case r.Run != nil:
		return fmt.Sprintf("Run %s: %d of %d steps done", r.Run.State, r.Counts[Done], len(r.Steps))
	case len(r.Refusals) > 0:
		return "Refused: nothing will be carried out"
	case len(r.Steps) == 0:
		return "No changes"
	}
	return "Ready to be approved"
}
