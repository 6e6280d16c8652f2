package drivertest

import (
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// mostArgs is the maximum size of a step's arguments in bytes. Bulk data belongs in the run's files.
const mostArgs = 1024

var (
	opForm = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	marks  = []planner.Mark{planner.MarkAdd, planner.MarkChange, planner.MarkDelete, planner.MarkPerson,
		planner.MarkCheck, planner.MarkFinal}
	kinds  = []planner.Repeat{planner.Idempotent, planner.CheckFirst, planner.Once}
	grades = []planner.Severity{planner.Refuse, planner.Warn, planner.Note}
)

// planProblems describes what is missing or wrong in a plan. rules are the driver's.
func planProblems(p *planner.Plan, product string, rules []planner.Rule) []string {
	var out []string
	seen := map[string]bool{}
	for i := range p.Steps {
		s := &p.Steps[i]
		say := func(format string, args ...any) { out = append(out, s.ID+": "+fmt.Sprintf(format, args...)) }
		if seen[s.ID] {
			say("the id is taken")
		}
		for _, n := range s.Needs {
			if !seen[n] {
				say("it needs %s, which does not stand before it", n)
			}
		}
		seen[s.ID] = true
		stepProblems(s, say)
		effectProblems(p, s, say)
		manualProblems(s, say)
	}
	out = append(out, CommandsInProse(p, nil)...)
	out = append(out, Unexplained(p, rules)...)
	for _, f := range p.Findings {
		say := func(format string, args ...any) {
			out = append(out, fmt.Sprintf("finding %s of %s: ", f.Rule, f.Addr)+fmt.Sprintf(format, args...))
		}
		name, ok := strings.CutPrefix(f.Rule, product+"/")
		if !ok && !strings.HasPrefix(f.Rule, "plan/") || ok && name == "" {
			say("its rule does not begin with %s/", product)
		}
		if !slices.Contains(grades, f.Severity) {
			say("unknown severity %q", f.Severity)
		}
		if f.Summary == "" || strings.Contains(f.Summary, "\n") {
			say("its summary is not one line")
		}
		if f.Severity == planner.Refuse && f.Detail == "" {
			say("it refuses and does not say what to do")
		}
		if f.Op != "" && f.Severity != planner.Refuse && !seen[planner.StepID(f.Addr, f.Op)] {
			say("it is about the step %s, which is not in the plan", f.Op)
		}
	}
	return out
}

func stepProblems(s *planner.Step, say func(string, ...any)) {
	if !opForm.MatchString(s.Op) {
		say("its verb %q is not of the form stop_master", s.Op)
	}
	if !slices.Contains(marks, s.Mark) {
		say("unknown mark %q", s.Mark)
	}
	if !slices.Contains(kinds, s.Repeat) {
		say("it does not say whether it can be repeated: %q", s.Repeat)
	}
	if s.Summary == "" || strings.Contains(s.Summary, "\n") {
		say("its summary is not one line: %q", s.Summary)
	}
	if s.Because == "" && s.Mark != planner.MarkCheck {
		say("it does not say why it is there")
	}
	size := 0
	for k, v := range s.Args {
		size += len(k) + len(v)
	}
	if size > mostArgs {
		say("its arguments have %d bytes, more than %d", size, mostArgs)
	}
	for _, f := range s.Facts {
		if f.Name == "" {
			say("a fact has no name")
		}
	}
	for _, r := range s.Retires {
		if _, err := schema.ParseAddr(r); err != nil {
			say("it retires %q: %v", r, err)
		}
	}
}

// effectProblems checks that nothing is lost for good unless the step says so, has a guard, and depends on facts.
func effectProblems(p *planner.Plan, s *planner.Step, say func(string, ...any)) {
	e := s.Effect
	if s.Mark == planner.MarkCheck && e != nil {
		say("it only looks, and has an effect")
	}
	for _, id := range s.Guards {
		g := p.Step(id)
		switch {
		case g == nil:
			say("its guard %s is not in the plan", id)
		case g.Mark != planner.MarkCheck:
			say("its guard %s is not a check", id)
		case !needs(p, s.ID, id):
			say("it does not need its guard %s", id)
		}
	}
	irreversible := e != nil && e.Irreversible
	// a step of a person may be irreversible, too
	if irreversible != (s.Mark == planner.MarkFinal) && !(irreversible && s.Manual != nil) {
		say("it is marked %q, irreversible: %v", s.Mark, irreversible)
	}
	if !irreversible {
		if len(s.Retires) > 0 {
			say("it retires a declaration and is not irreversible")
		}
		return
	}
	if len(s.Guards) == 0 {
		say("it cannot be undone and has no guard")
	}
	if e.Loses == "" {
		say("it cannot be undone and does not say what is lost")
	}
	if len(s.Facts) == 0 {
		say("it cannot be undone and relies on no fact")
	}
}

// needs reports whether a step needs another one, directly or through others.
func needs(p *planner.Plan, from, to string) bool {
	s := p.Step(from)
	return s != nil && slices.ContainsFunc(s.Needs, func(n string) bool { return n == to || needs(p, n, to) })
}

// manualProblems checks that a step tells a person all that is needed to do it.
func manualProblems(s *planner.Step, say func(string, ...any)) {
	m := s.Manual
	if (m != nil) != (s.Mark == planner.MarkPerson) {
		say("it is marked %q, a person's: %v", s.Mark, m != nil)
	}
	if m == nil {
		return
	}
	if m.Where == "" || len(m.Do) == 0 || slices.Contains(m.Do, "") {
		say("it does not say where the person goes and what to do there")
	}
	if m.Action == "" {
		say("it has no name for an operator's command")
	}
	if len(m.Values) == 0 {
		say("it has no values to enter")
	}
	if len(s.Commands) > 0 {
		say("it has commands beside those of the person")
	}
	if why := Unpasteable(m); why != "" {
		say("its commands cannot be pasted: %s", why)
	}
	names, labels := map[string]bool{}, map[string]bool{}
	for _, v := range m.Values {
		if v.Name == "" || v.Label == "" || v.Value == "" {
			say("a value is incomplete: %+v", v)
		}
		if names[v.Name] || labels[v.Label] {
			say("two values are called %s (%s)", v.Name, v.Label)
		}
		names[v.Name], labels[v.Label] = true, true
	}
}

// Unpasteable returns why the commands that a person runs cannot be pasted into a shell, one by one or all at once.
// It returns "" if they can.
func Unpasteable(m *planner.Manual) string {
	for _, c := range append(slices.Clone(m.Commands), strings.Join(m.Commands, "\n")) {
		shell := exec.Command("sh", "-n")
		shell.Stdin = strings.NewReader(c + "\n")
		if out, err := shell.CombinedOutput(); err != nil {
			return fmt.Sprintf("%s: %v: %s", c, err, out)
		}
	}
	for _, c := range m.Commands {
		if strings.HasPrefix(c, "#") && strings.Contains(c, "\n") || strings.TrimSpace(c) == "" {
			return fmt.Sprintf("%q is neither a command nor a comment of one line", c)
		}
		if strings.Contains(strings.Join(m.Do, "\n"), c) {
			return fmt.Sprintf("%q stands in the instructions too, where it may be folded", c)
		}
	}
	return ""
}

// CommandsInProse lists command lines that are part of a step's summary, or of how it is undone. Such text may be
// wrapped, so the command could not be pasted. It looks for the commands of the plan's steps, and for those in more.
func CommandsInProse(p *planner.Plan, more []string) []string {
	lines := slices.Clone(more)
	for i := range p.Steps {
		lines = append(lines, p.Steps[i].Commands...)
		if m := p.Steps[i].Manual; m != nil {
			lines = append(lines, m.Commands...)
		}
	}
	var out []string
	for i := range p.Steps {
		s := &p.Steps[i]
		for _, line := range lines {
			if strings.Contains(s.Summary+"\n"+s.Undo, line) {
				out = append(out, fmt.Sprintf("%s: %q stands in its summary, or in how it is undone", s.ID, line))
			}
		}
	}
	return out
}
