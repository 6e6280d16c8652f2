package depot

import (
	"context"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// inspect is a check: it changes nothing, and guards what cannot be undone.
var inspect = driver.Verb[*Driver]{Name: "inspect", Verify: (*Driver).inspected}

func (s state) inspectStep() planner.Step {
	return planner.Check(inspect.Name, "verify that "+s.Box+" is as declared", 0)
}

func (d *Driver) inspected(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	v, err := d.painted(ctx, t)
	if err != nil || v.State != executor.Done {
		return v, err
	}
	return d.labelled(ctx, t)
}
