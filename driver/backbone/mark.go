package backbone

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// A run marks the halves of the original on their servers, where everybody who works on these servers can see it: the
// lock of a folder does not reach another clone of it. The mark of a half is a property of its Jira project. Jira
// cannot write a property only if it does not exist, so every run looks right before it writes. Before each step that
// matters it checks that the mark is still its own: of two runs that write at the same time, the one that wrote last
// continues. The mark of the first half decides; the other one only informs.

// markHalves writes the marks, marked guards the steps that follow, unmark removes the marks.
var (
	markHalves = driver.Verb[*Driver]{Name: opMark, Execute: (*Driver).mark, Verify: (*Driver).verifyMark}
	marked     = driver.Verb[*Driver]{Name: opMarked, Verify: (*Driver).verifyMarked}
	unmark     = driver.Verb[*Driver]{Name: opUnmark, Execute: (*Driver).unmark, Verify: (*Driver).verifyUnmarked}
)

// mark is the value of the property.
type mark struct {
	Run       string    `json:"run"`
	Migration string    `json:"migration"`
	Since     time.Time `json:"since"`
	By        string    `json:"by,omitempty"` // user@host, as far as the environment tells
}

// same reports whether two marks are of one run. A mark is written once, and two runs do not begin at the same
// nanosecond on the same host.
func (m *mark) same(other *mark) bool {
	return m != nil && other != nil && m.Run == other.Run && m.Migration == other.Migration && m.By == other.By &&
		m.Since.Equal(other.Since)
}

func (m *mark) String() string {
	if m.Run == "" {
		return "a mark that cannot be read"
	}
	text := fmt.Sprintf("run %s of %s, since %s", wording.OneLine(m.Run), wording.OneLine(m.Migration),
		m.Since.UTC().Format(time.RFC3339))
	if m.By != "" {
		text += ", by " + wording.OneLine(m.By)
	}
	return text
}

// decodeMark decodes the property. A value in another form is also a mark: that of an unknown run.
func decodeMark(raw json.RawMessage) *mark {
	m := &mark{}
	if json.Unmarshal(raw, m) != nil {
		return &mark{}
	}
	return m
}

// markKey returns the key of the property. It contains the synchronization, because a project may have several.
func markKey(integration string) string { return "syncctl.migration." + integration }

// markPlace returns the name of a half in observations, such as SAM2/INT-4.
func markPlace(project, integration string) string { return project + "/" + integration }

// markSeen is what a server shows of a half's mark.
type markSeen struct {
	Unknown string `json:"unknown,omitempty"` // why it is unknown whether there is one
	Mark    *mark  `json:"mark"`              // nil if there is none, or if it is unknown
}

func (c *reader) seeMark(ctx context.Context, place string) (*markSeen, error) {
	project, integration, _ := strings.Cut(place, "/")
	raw, err := c.property(ctx, project, markKey(integration))
	switch {
	case errors.Is(err, errNotShown):
		return &markSeen{Unknown: err.Error()}, nil
	case err != nil:
		return nil, err
	case raw == nil:
		return &markSeen{}, nil
	}
	return &markSeen{Mark: decodeMark(raw)}, nil
}

func (s *standing) lookAtMarks(seen *planner.Observations, needs *[]planner.Need) error {
	for _, role := range roles {
		h := s.half(role)
		if !h.found() {
			continue
		}
		m, err := observed[markSeen](seen, h.end.need(seeMark, markPlace(h.end.Project, h.Key)), needs)
		if err != nil {
			return err
		}
		s.marks[role] = m
	}
	return nil
}

// markFindings refuses a mark of another run. It also refuses if a mark cannot be read, unless the declaration says
// that there are no marks.
func (s *standing) markFindings(own *mark, roles ...string) []planner.Finding {
	var out []planner.Finding
	if s.Mark == markNone {
		out = append(out, planner.Finding{Rule: product + "/" + ruleNoMark, Severity: planner.Warn,
			Summary: "others cannot see that a run is at this migration (mark = \"none\")",
			Detail: "The lock keeps two runs of this folder apart, and none of another folder: agree on the one that " +
				"applies."})
	}
	for _, role := range roles {
		seen, h := s.marks[role], s.half(role)
		switch {
		case seen == nil || seen.Unknown == "" && (seen.Mark == nil || own.same(seen.Mark)):
		case seen.Unknown != "":
			f := refuse(ruleMarkUnknown, "whether another run is at "+h.halfName()+" cannot be told", seen.Unknown+
				". Let the user browse and administer the project, or set mark = \"none\" in "+s.Addr().String()+
				" once you know that there is none.")
			if s.Mark == markNone {
				f.Severity, f.Op = planner.Warn, ""
			}
			out = append(out, f)
		case takes(s.taken, seen.Mark):
			f := planner.Finding{Rule: product + "/" + ruleMarkTakenOver, Severity: planner.Note,
				Summary: fmt.Sprintf("the mark on %s is of a run that was abandoned: %s", h.halfName(), seen.Mark)}
			if s.Mark == markNone {
				f.Detail = s.howToUnmark(role, seen.Mark)
			}
			out = append(out, f)
		default:
			out = append(out, refuse(ruleMarked, fmt.Sprintf("another run is at %s: %s", h.halfName(), seen.Mark),
				s.howToUnmark(role, seen.Mark)))
		}
	}
	return out
}

// takeOver lets the marks of abandoned runs be overwritten: those of the runs that were abandoned in this folder, and
// of the run that take_over names.
func (s *standing) takeOver(abandoned []string) {
	for _, role := range roles {
		seen := s.marks[role]
		if seen == nil || seen.Mark == nil || seen.Mark.Run == "" || slices.Contains(s.taken, seen.Mark.Run) {
			continue
		}
		if run := seen.Mark.Run; run == s.TakeOver || slices.Contains(abandoned, run) {
			s.taken = append(s.taken, run)
		}
	}
}

// takenArg is the argument of a step with the runs whose marks are taken over.
const takenArg = "taken_over"

func takes(taken []string, of *mark) bool { return of.Run != "" && slices.Contains(taken, of.Run) }

func takenOver(t *executor.Task) []string { return strings.Fields(t.Step.Args[takenArg]) }

// takes adds the runs whose marks are taken over to a step's arguments.
func (s *standing) takes(args map[string]string) map[string]string {
	if len(s.taken) == 0 {
		return args
	}
	out := map[string]string{takenArg: strings.Join(s.taken, " ")}
	maps.Copy(out, args)
	return out
}

// howToUnmark says what to do about another run's mark.
func (s *standing) howToUnmark(role string, of *mark) string {
	e := s.half(role).end
	c := &reader{server: e.server}
	text := "Let it end, or resume it in its folder with syncctl apply."
	if of.Run != "" {
		text += fmt.Sprintf(" If it was abandoned there (syncctl resolve -abandon), take_over = %q in %s takes its place.",
			wording.OneLine(of.Run), s.Addr())
	}
	return text + fmt.Sprintf(" The mark is the property %s of project %s; what is left over is removed with DELETE %s%s.",
		markKey(s.half(role).Key), e.Project, strings.TrimRight(e.server.URL.String(), "/"),
		c.propertyPath(e.Project, markKey(s.half(role).Key)))
}

// guarded adds guards to a step.
func guarded(s planner.Step, guards []string) planner.Step {
	s.Guards = append(s.Guards, guards...)
	return s
}

// markGuards returns the guards of steps that only one run may carry out.
func (s *standing) markGuards(q *planner.Sequence) []string {
	if s.Mark == markNone {
		return nil
	}
	return []string{q.ID(opMarked)}
}

// mark adds the steps that mark the halves, and returns the guards for the steps that follow.
func (s *standing) mark(q *planner.Sequence, roles ...string) []string {
	if s.Mark == markNone {
		return nil
	}
	step := planner.Act(opMark, planner.MarkChange, planner.CheckFirst,
		"mark "+s.markedHalves(roles)+" as being migrated, unless another run has")
	step.Because = "the lock of this folder keeps out no run of another clone; who plans the same migration sees the mark"
	step.Args, step.Effect, step.Within = s.takes(s.places(roles)), &planner.Effect{}, briefly
	step.Undo = "remove the property"
	check := planner.Check(opMarked, "the mark is this run's", time.Duration(briefly))
	check.Args = s.places(roles[:1])
	for _, role := range roles {
		step = at(step, s.half(role).end.server)
	}
	q.Then(step)
	q.Then(at(check, s.half(roles[0]).end.server))
	return s.markGuards(q)
}

// unmark adds the step that removes the marks at the end.
func (s *standing) unmark(q *planner.Sequence, roles ...string) {
	if s.Mark == markNone {
		return
	}
	step := planner.Act(opUnmark, planner.MarkDelete, planner.CheckFirst, "remove the mark from "+s.markedHalves(roles))
	step.Because, step.Within = "the migration is at its end", briefly
	step.Args, step.Effect = s.places(roles), &planner.Effect{}
	for _, role := range roles {
		step = at(step, s.half(role).end.server)
	}
	q.Then(step)
}

func (s *standing) markedHalves(roles []string) string {
	var out []string
	for _, role := range roles {
		h := s.half(role)
		out = append(out, fmt.Sprintf("%s (property of project %s on %s)", h.Key, h.end.Project, h.end.server.Addr()))
	}
	return wording.List(out)
}

// places returns the arguments that name the marked halves: by role, the key of the synchronization.
func (s *standing) places(roles []string) map[string]string {
	out := map[string]string{}
	for _, role := range roles {
		out[role] = s.half(role).Key
	}
	return out
}
