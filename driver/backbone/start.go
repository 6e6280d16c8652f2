package backbone

import (
	"context"
	"fmt"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// start is the verb that starts a synchronization, or one half of it. startByHand is used when the status cannot be
// read: a person starts it.
var (
	start       = driver.Verb[*Driver]{Name: opStart, Execute: (*Driver).start, Verify: (*Driver).verifyStarted}
	startByHand = driver.Verb[*Driver]{Name: opStartByHand, Verify: (*Driver).verifyStarted}
)

// start returns the step that starts the new synchronization.
func (s *standing) start(guards []string) planner.Step {
	name := s.to.name()
	step := planner.Act(opStart, planner.MarkChange, planner.CheckFirst, fmt.Sprintf("start %s on %s", name,
		s.stay().Addr()))
	step.Because, step.Within, step.Undo = guide+", step 4.1", settling, "stop it again"
	step.Guards, step.Effect = guards, &planner.Effect{}
	step = at(step, s.stay())
	if s.likeNew().Status != "" {
		return step
	}
	step.Op = opStartByHand
	return byHand(step, s.stay(), "start_sync", "Start "+name+" in the overview.", directValues(s.to),
		name+" is RUNNING")
}

func (d *Driver) start(ctx context.Context, t *executor.Task) (executor.Result, error) {
	return executor.Result{}, d.startStop(ctx, t, opStart)
}

func (d *Driver) verifyStarted(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	return d.verifyStatus(ctx, t, "RUNNING")
}
