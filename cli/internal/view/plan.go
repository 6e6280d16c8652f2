package view

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/report"
)

// PlanOptions say how to show a plan.
type PlanOptions struct {
	Style

	Detail  bool // attribute differences, and how each step behaves
	Compact bool // warnings and notes in a line each
	// Foreign: somebody else has made the plan. What is really done, and what a person is to enter, is always shown then.
	Foreign bool
	Done    map[string]bool // steps that are done, by ID. They are not shown; the others keep their numbers
	Begun   map[string]bool // steps that may have been carried out but are not known to be done, by ID
}

// Plan writes a plan: a summary line for whoever decides, the numbered steps with their findings, and the counts. By
// default a step is one line, with what is lost for good below it. With Detail, Plan also writes why a step is there,
// what it waits for, how it behaves and how it is undone.
func Plan(w io.Writer, p *planner.Plan, o PlanOptions) error {
	v := &planView{w: w, o: o, p: p, number: Numbers(p), findingsOf: map[string][]planner.Finding{}}
	for _, f := range p.Findings {
		v.findingsOf[planner.StepID(f.Addr, f.Op)] = append(v.findingsOf[planner.StepID(f.Addr, f.Op)], f)
	}
	v.decision()
	v.steps()
	v.drift()
	v.findings()
	v.rollback()
	v.counts()
	v.flush()
	return v.err
}

// Numbers returns the numbers of a plan's steps, from 1, by step ID.
func Numbers(p *planner.Plan) map[string]int {
	n := make(map[string]int, len(p.Steps))
	for i := range p.Steps {
		n[p.Steps[i].ID] = i + 1
	}
	return n
}

// Tally writes only the counts.
func Tally(w io.Writer, p *planner.Plan, o PlanOptions) error {
	v := &planView{w: w, o: o, p: p}
	v.counts()
	v.flush()
	return v.err
}

type planView struct {
	w      io.Writer
	err    error // of the first write that failed
	o      PlanOptions
	p      *planner.Plan
	number map[string]int
	b      strings.Builder

	findingsOf map[string][]planner.Finding // by step ID
}

// flush writes what is in the buffer. What belongs together must be in it together: secrets are removed from each write
// by itself.
func (v *planView) flush() {
	if v.err == nil {
		_, v.err = io.WriteString(v.w, v.b.String())
	}
	v.b.Reset()
}

// blockSize is the number of bytes after which the steps of a plan are written, between two declarations.
const blockSize = 64 << 10

func (v *planView) shown() []*planner.Step {
	out := make([]*planner.Step, 0, len(v.p.Steps))
	for i := range v.p.Steps {
		if !v.o.Done[v.p.Steps[i].ID] {
			out = append(out, &v.p.Steps[i])
		}
	}
	return out
}

// decision writes the one line that everybody should read: how many steps there are, how many of them are for a
// person, and until when they can be undone. Below it are the turns of the sites.
func (v *planView) decision() {
	shown := v.shown()
	if len(shown) == 0 {
		return
	}
	t := v.left()
	line := report.StepCounts(t)
	switch l := v.limits(); {
	case l.Doubt != nil:
		line += ", rollback perhaps no longer possible: " + l.Name(l.Doubt) + " may have been carried out"
	case l.Next != nil:
		line += ", rollback possible until " + l.Name(l.Next)
	}
	v.o.block(&v.b, 0, "", line)
	v.turns()
	v.b.WriteString("\n")
}

// turns writes which site acts when, and how often a bundle is handed over.
func (v *planView) turns() {
	if len(v.p.Turns) == 0 {
		return
	}
	fmt.Fprintf(&v.b, "Exchanges: %d\n", v.p.Exchanges())
	at := 0
	for i, t := range v.p.Turns {
		from, to := at+1, at+t.Steps
		at = to
		what := "hands over the plan"
		if t.Steps > 0 {
			what = fmt.Sprintf("steps %d-%d", from, to)
		}
		if t.Steps == 1 {
			what = fmt.Sprintf("step %d", from)
		}
		fmt.Fprintf(&v.b, "%3d. %s: %s\n", i+1, oneLine(t.Site), what)
	}
	v.b.WriteString("Sites:\n")
	for _, t := range report.Parties(v.p, nil) {
		t.Numbers = nil // they are shown above
		v.o.block(&v.b, 2, t.Name+": ", t.Words())
	}
}

// left counts the steps that are not done, by what they do.
func (v *planView) left() planner.Tally {
	t := planner.Tally{}
	for _, s := range v.shown() {
		t.Count(s)
	}
	return t
}

func (v *planView) steps() {
	shown := v.shown()
	opWidth := 0
	for _, s := range shown {
		opWidth = max(opWidth, utf8.RuneCountInString(oneLine(s.Op)))
	}
	changes := map[string]planner.ResourceChange{}
	for _, c := range v.p.Changes {
		changes[c.Addr] = c
	}
	last := ""
	for _, s := range shown {
		if s.Addr != last {
			if last != "" {
				v.b.WriteString("\n")
			}
			if v.b.Len() > blockSize {
				v.flush()
			}
			v.heading(s.Addr, changes[s.Addr])
			if c := changes[s.Addr]; c.Replaced != nil { // the table is shown only once
				c.Replaced = nil
				changes[s.Addr] = c
			}
		}
		last = s.Addr
		v.step(s, min(opWidth, 24))
	}
	if len(shown) > 0 {
		v.b.WriteString("\n")
	}
}

// heading writes a declaration's address, what the plan does to it, and how it differs from what is there.
func (v *planView) heading(addr string, c planner.ResourceChange) {
	action := ""
	if c.Action != planner.NoChange && c.Action != "" {
		action = " (" + oneLine(string(c.Action)) + ")"
	}
	v.b.WriteString(v.o.Bold(oneLine(addr)) + action + "\n")
	if c.Action != planner.Create || v.o.Detail { // if it is created, everything differs
		v.diff(c.Diff)
	}
	v.replaced(c.Replaced)
}

const (
	beneath   = 7  // indent of the text below a step's line
	mostDiffs = 12 // maximum number of differences of one declaration that are shown without Detail
)

func (v *planView) step(s *planner.Step, opWidth int) {
	op, summary := pad(oneLine(s.Op), opWidth), oneLine(s.Summary)
	head := fmt.Sprintf("%3d %s %s", v.number[s.ID], v.o.stepMark(s), v.o.Bold(op))
	width := beneath + utf8.RuneCountInString(op) + 2
	if v.o.Width == 0 || width+utf8.RuneCountInString(summary) <= v.o.Width {
		v.b.WriteString(strings.TrimRight(head+"  "+summary, " ") + "\n")
	} else {
		v.b.WriteString(strings.TrimRight(head, " ") + "\n")
		v.o.block(&v.b, beneath, "", summary)
	}
	if len(s.Approvals) > 0 {
		v.o.block(&v.b, beneath, "starts only when approved by ", strings.Join(s.Approvals, " and "))
	}
	if v.o.Detail {
		v.o.block(&v.b, beneath, "carried out by ", s.Site)
		v.o.block(&v.b, beneath, "because ", s.Because)
		v.o.block(&v.b, beneath, "waits for ", v.waits(s))
		v.o.block(&v.b, beneath, "verified again right before: ", v.list(s.Guards))
		v.o.block(&v.b, beneath, "if interrupted: ", report.IfInterrupted(s))
	}
	if e := s.Effect; e != nil && (v.o.Detail || e.Irreversible) {
		v.o.block(&v.b, beneath, "", report.Effect(e))
		v.o.block(&v.b, beneath, "loses ", e.Loses)
	}
	for _, f := range v.findingsOf[s.ID] {
		v.finding(f, beneath)
	}
	if len(s.Commands) > 0 {
		v.o.block(&v.b, beneath, "", "runs:")
		commandLines(&v.b, beneath+2, s.Commands)
	}
	if v.o.Detail || v.o.Foreign {
		v.carriedOut(s)
	}
	if v.o.Detail {
		v.behaviour(s)
	}
}

// waits lists the steps that a step needs and that are not done yet.
func (v *planView) waits(s *planner.Step) string {
	var open []string
	for _, n := range s.Needs {
		if !v.o.Done[n] {
			open = append(open, n)
		}
	}
	return v.list(open)
}

// list names steps by their numbers.
func (v *planView) list(ids []string) string {
	numbers := make([]int, 0, len(ids))
	for _, id := range ids {
		numbers = append(numbers, v.number[id])
	}
	slices.Sort(numbers)
	return report.StepList(slices.Compact(numbers))
}

// carriedOut writes what the summary may not say: what a person does, which verb carries the step out, and what values
// the person's program is given.
func (v *planView) carriedOut(s *planner.Step) {
	if s.Manual != nil {
		Manual(&v.b, v.o.Style, beneath, executor.Ask{Step: *s})
	}
	if s.Verb != s.Op {
		v.o.block(&v.b, beneath, "carried out as ", s.Verb)
	}
	if s.Manual != nil {
		for _, val := range s.Manual.Values {
			if val.Shown != "" && val.Shown != val.Value {
				v.o.block(&v.b, beneath, "a program is given ", val.Name+" = "+strconv.Quote(val.Value))
			}
		}
	}
}

func (v *planView) behaviour(s *planner.Step) {
	for _, k := range slices.Sorted(maps.Keys(s.Args)) {
		v.o.block(&v.b, beneath, "", k+" = "+strconv.Quote(s.Args[k]))
	}
	v.o.block(&v.b, beneath, "one at a time: ", strings.Join(s.Exclusive, ", "))
	v.o.block(&v.b, beneath, "undone by: ", s.Undo)
}

// drift lists the differences of declarations that have no step.
func (v *planView) drift() {
	busy := map[string]bool{}
	for i := range v.p.Steps {
		busy[v.p.Steps[i].Addr] = true
	}
	for _, c := range v.p.Changes {
		if busy[c.Addr] || len(c.Diff) == 0 {
			continue
		}
		v.b.WriteString(v.o.Bold(oneLine(c.Addr)) + " (differs, and no step changes it)\n")
		v.diff(c.Diff)
		v.b.WriteString("\n")
	}
}

// diff writes differences, attribute by attribute.
func (v *planView) diff(diff []planner.Difference) {
	shown := diff
	if !v.o.Detail && len(diff) > mostDiffs {
		shown = diff[:mostDiffs]
	}
	width := 0
	for _, d := range shown {
		width = max(width, utf8.RuneCountInString(oneLine(d.Path)))
	}
	for _, d := range shown {
		mark := planner.MarkChange
		switch {
		case d.Actual == "null":
			mark = planner.MarkAdd
		case d.Declared == "null":
			mark = planner.MarkDelete
		}
		path := pad(oneLine(d.Path), width)
		fmt.Fprintf(&v.b, "    %s  %s  %s -> %s\n", v.o.mark(mark), path, oneLine(d.Actual), oneLine(d.Declared))
	}
	if n := len(diff) - len(shown); n > 0 {
		v.o.block(&v.b, beneath, "", fmt.Sprintf("and %d more; -detail shows them", n))
	}
}

func (v *planView) finding(f planner.Finding, indent int) {
	label := v.o.severity(f.Severity) + " "
	if indent == 0 && f.Addr != "" {
		label += oneLine(f.Addr) + ": "
	}
	v.o.block(&v.b, indent, label, f.Summary+" ["+f.Rule+"]")
	if v.o.Compact {
		return
	}
	for _, line := range strings.Split(f.Detail, "\n") {
		v.o.block(&v.b, indent+2, "", line)
	}
}

// rollback writes which steps can be undone, including those that are done, and from which step on they cannot.
func (v *planView) rollback() {
	if !v.o.Detail && len(v.o.Done) == 0 {
		return // the line of decision says it
	}
	if len(v.shown()) == 0 {
		return
	}
	l := v.limits()
	undo := v.undo(v.p.Steps[l.From:l.To])
	words := l.Words(undo != "")
	for _, sentence := range words {
		v.o.block(&v.b, 0, v.o.Bold("Rollback: "), sentence+".")
	}
	if len(words) > 0 {
		v.b.WriteString(undo + "\n")
	}
}

func (v *planView) limits() report.Limits { return report.LimitsOf(v.p.Steps, v.o.Done, v.o.Begun) }

// undo returns how steps are undone, the last first. Steps that are undone together share a line.
func (v *planView) undo(steps []planner.Step) string {
	type key struct{ addr, undo string }
	var order []key
	groups := map[key][]int{}
	done := map[key]int{}
	for i := len(steps) - 1; i >= 0; i-- {
		s := &steps[i]
		if s.Undo == "" {
			continue
		}
		k := key{s.Addr, s.Undo}
		if groups[k] == nil {
			order = append(order, k)
		}
		groups[k] = append(groups[k], v.number[s.ID])
		if v.o.Done[s.ID] {
			done[k]++
		}
	}
	var b strings.Builder
	for _, k := range order {
		slices.Sort(groups[k])
		state := ""
		switch {
		case done[k] == len(groups[k]):
			state = " (done)"
		case done[k] > 0:
			state = fmt.Sprintf(" (%d done)", done[k])
		}
		v.o.block(&b, 2, report.StepList(groups[k])+state+": ", k.undo)
	}
	return b.String()
}

func (v *planView) counts() {
	t := v.left()
	if t.Steps == 0 {
		if len(v.p.Refusals()) == 0 {
			v.b.WriteString(report.Nothing(v.p, "above") + "\n")
		}
		return
	}
	v.b.WriteString(report.Counts(t) + "\n")
	v.b.WriteString(report.StepCounts(t) + "\n")
}

// Refusals writes the findings that stop a plan from being applied.
func Refusals(w io.Writer, s Style, p *planner.Plan) error {
	var b strings.Builder
	list := p.Refusals()
	for _, f := range list {
		b.WriteString(s.paint(red, "Error: ") + s.Bold(oneLine(f.Summary)) + " [" + oneLine(f.Rule) + "]\n")
		if f.Addr != "" {
			b.WriteString("  with " + oneLine(f.Addr) + "\n")
		}
		for _, line := range strings.Split(f.Detail, "\n") {
			s.block(&b, 2, "", line)
		}
		b.WriteString("\n")
	}
	if len(list) == 1 {
		b.WriteString("The plan is refused: a guard found a problem that must be fixed first.\n")
	} else {
		fmt.Fprintf(&b, "The plan is refused: guards found %d problems that must be fixed first.\n", len(list))
	}
	_, err := io.WriteString(w, b.String())
	return err
}
