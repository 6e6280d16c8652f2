package backbone

import (
	"context"
	"fmt"
	"time"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// stop is the verb that stops a synchronization, or one half of it. stopByHand is used when the status cannot be
// read: the request could be sent, but nothing would show its effect, so a person stops it.
var (
	stop       = driver.Verb[*Driver]{Name: opStop, Execute: (*Driver).stop, Verify: (*Driver).verifyStopped}
	stopByHand = driver.Verb[*Driver]{Name: opStopByHand, Verify: (*Driver).verifyStopped}
)

// stillStopped is the verb with which a person confirms that a half is still stopped, before the verification that
// precedes a deletion.
var stillStopped = driver.Verb[*Driver]{Name: opStillStopped, Verify: (*Driver).verifyStopped}

// settling is the time within which a start or a stop must show.
const settling = planner.Duration(2 * time.Minute)

func (s *standing) stop(role string) planner.Step {
	h := s.half(role)
	step := planner.Act("", planner.MarkChange, planner.CheckFirst,
		fmt.Sprintf("stop the %s's half %s on %s (project %s, now %s)", role, h.Key, h.end.server.Addr(), h.end.Project,
			h.Status))
	step.Because = guide + ", step 1: the exported data must not change any more"
	step.Within, step.Facts, step.Effect = settling, s.facts(role), &planner.Effect{}
	step.Args = map[string]string{"integration": h.Key}
	step.Undo = fmt.Sprintf("start %s on %s again", h.Key, h.end.server.Addr())
	step = at(step, h.end.server)
	if h.Status != "" {
		return forEnd(step, opStop, role)
	}
	step.Summary = fmt.Sprintf("stop the %s's half %s on %s (project %s)", role, h.Key, h.end.server.Addr(),
		h.end.Project)
	return forEnd(byHand(step, h.end.server, "stop_sync", "Stop "+h.Key+" in the overview.", keyValue(h.Key),
		h.Key+" is STOPPED"), opStopByHand, role)
}

func (s *standing) stillStopped(role string) planner.Step {
	h := s.half(role)
	return forEnd(word(h.end.server, h.Key, "confirm_stopped", keyValue(h.Key), h.Key+" is still STOPPED"),
		opStillStopped, role)
}

// byHand makes a step a person's, because its effect cannot be read over REST.
func byHand(s planner.Step, server *serverBlock, action, do string, values []planner.Value,
	attest string) planner.Step {
	s.Mark, s.Within = planner.MarkPerson, briefly
	s.Because += "; its status cannot be read over REST, so a person does it"
	s.Manual = &planner.Manual{
		Where: server.URL.String() + ", Backbone", Action: action, Do: []string{do},
		Values: append([]planner.Value{{Name: "server", Label: "Jira", Value: server.URL.String()}}, values...),
		Attest: attest,
	}
	return s
}

// stateStep returns the step that starts or stops a synchronization that is declared on its own, or one half of it.
func (p *syncPlan) stateStep(verb, status string, l *live) planner.Step {
	undo := "start it again"
	if verb == opStart {
		undo = "stop it again"
	}
	s := planner.Act(verb, planner.MarkChange, planner.CheckFirst, fmt.Sprintf("%s %s on %s (now %s)", verb,
		p.name(), l.end.server.Addr(), status))
	s.Because, s.Within, s.Undo, s.Facts = "state is declared as "+p.State, settling, undo, p.facts(l)
	s.Effect = &planner.Effect{Change: 1}
	if p.create {
		s.Effect.Change = 0 // already counted as added
	}
	if !p.direct() {
		s = forEnd(s, verb, l.end.name)
	}
	return at(s, l.end.server)
}

func (d *Driver) stop(ctx context.Context, t *executor.Task) (executor.Result, error) {
	return executor.Result{}, d.startStop(ctx, t, opStop)
}

func (d *Driver) startStop(ctx context.Context, t *executor.Task, what string) error {
	l, err := d.locateExisting(ctx, t, t.Step.Args[endArg])
	if err != nil {
		return executor.NotSent(err)
	}
	w, err := d.writer(l.end.server)
	if err != nil {
		return executor.NotSent(err)
	}
	return w.startStop(ctx, l.Key, what)
}

func (d *Driver) verifyStopped(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	return d.verifyStatus(ctx, t, "STOPPED")
}

func (d *Driver) verifyStatus(ctx context.Context, t *executor.Task, want string) (executor.Verdict, error) {
	l, err := d.locateExisting(ctx, t, t.Step.Args[endArg])
	if err != nil {
		return executor.Verdict{}, err
	}
	h, err := l.health(ctx)
	switch {
	case err != nil:
		return executor.Verdict{}, err
	case h.Status == "":
		return executor.Unknown.Because("the status of %s cannot be read", l.Key), nil
	case h.Status != want:
		return executor.NotDone.Because("%s is %s", l.Key, h.Status), nil
	}
	return executor.Done.Because("%s is %s", l.Key, want), nil
}
