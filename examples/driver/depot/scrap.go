package depot

import (
	"context"
	"fmt"
	"net/http"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/rest"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

var scrap = driver.Verb[*Driver]{Name: "scrap", Execute: (*Driver).scrap, Verify: (*Driver).scrapped}

// scrapStep cannot be undone. So it says what is lost, relies on a fact, and has a guard, which is verified
// once more right before.
func (s state) scrapStep(guard string) planner.Step {
	step := planner.Final(scrap.Name, "scrap "+s.Replaces, 1, "the box "+s.Replaces, guard)
	step.Because = s.Box + " replaces it"
	step.Facts = []planner.Fact{{Name: factReplaced, Value: colorOf(s.old)}}
	return step
}

// scrap looks itself, too: what cannot be undone does not rest on what was seen earlier.
func (d *Driver) scrap(ctx context.Context, t *executor.Task) (executor.Result, error) {
	b, c, err := d.open(t.Resource)
	if err != nil {
		return executor.Result{}, err
	}
	v, err := d.inspected(ctx, t)
	if err == nil && v.State != executor.Done {
		err = fmt.Errorf("%s is not as declared: %s", b.Box, v.Why)
	}
	if err != nil {
		return executor.Result{}, executor.NotSent(fmt.Errorf("scrapping box %s: %w", b.Replaces, err))
	}
	return executor.Result{}, writer{c}.change(ctx, "scrapping box "+b.Replaces, rest.Request{
		Method: http.MethodDelete, Path: boxPath(b.Replaces),
	})
}

func (d *Driver) scrapped(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	declared, c, err := d.open(t.Resource)
	if err != nil {
		return executor.Verdict{}, err
	}
	b, err := c.box(ctx, declared.Replaces)
	switch {
	case err != nil:
		return executor.Verdict{}, err
	case b != nil:
		return executor.NotDone.Because("%s is still at the depot", declared.Replaces), nil
	}
	return executor.Done.Because("the depot has no box %s", declared.Replaces), nil
}
