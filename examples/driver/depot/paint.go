package depot

import (
	"context"
	"net/http"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/rest"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

var paint = driver.Verb[*Driver]{Name: "paint", Execute: (*Driver).paint, Verify: (*Driver).painted}

// paintStep paints the box, which adds it if it is missing. It relies on a fact that it changes itself, so
// after an interruption syncctl first looks whether it is done.
func (s state) paintStep() planner.Step {
	before := colorOf(s.now)
	step := planner.Act(paint.Name, planner.MarkChange, planner.CheckFirst, "paint "+s.Box+" "+s.Color)
	step.Because = "it is " + before + " at the depot"
	step.Effect = &planner.Effect{Change: 1}
	step.Undo = "paint it " + before
	if s.now == nil {
		step.Mark, step.Effect, step.Undo = planner.MarkAdd, &planner.Effect{Add: 1}, "scrap it"
	}
	step.Facts = []planner.Fact{{Name: factColor, Value: before}}
	return step
}

func (d *Driver) paint(ctx context.Context, t *executor.Task) (executor.Result, error) {
	b, c, err := d.open(t.Resource)
	if err != nil {
		return executor.Result{}, err
	}
	err = writer{c}.paint(ctx, b.Box, b.Color)
	t.Report(executor.Progress{Done: 1, Total: 1, Unit: "boxes"}) // a step that takes long says how far it is
	return executor.Result{}, err
}

func (w writer) paint(ctx context.Context, name, color string) error {
	return w.change(ctx, "painting box "+name, rest.Request{
		Method: http.MethodPut, Path: boxPath(name), JSON: map[string]string{"color": color},
	})
}

func (d *Driver) painted(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	declared, c, err := d.open(t.Resource)
	if err != nil {
		return executor.Verdict{}, err
	}
	b, err := c.box(ctx, declared.Box)
	switch {
	case err != nil:
		return executor.Verdict{}, err
	case b == nil:
		return executor.NotDone.Because("the depot has no box %s", declared.Box), nil
	case b.Color != declared.Color:
		return executor.NotDone.Because("%s", b), nil
	}
	return executor.Done.Because("%s", b), nil
}
