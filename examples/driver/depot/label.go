package depot

import (
	"context"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// label has no Execute: a person does it.
var label = driver.Verb[*Driver]{Name: "label", Verify: (*Driver).labelled}

// labelStep tells the person where to go and what to do there, with the values to enter. syncctl then looks
// whether it is done.
func (s state) labelStep() planner.Step {
	step := planner.Person(label.Name, "label "+s.Box, planner.Manual{
		Where: "the depot", Do: []string{"Stick the label on the box."}, Action: "label_box",
		Values: []planner.Value{
			{Name: "box", Label: "Box", Value: s.Box},
			{Name: "label", Label: "Label text", Value: *s.Label},
		},
	})
	step.Because = "the interface cannot change a label"
	return step
}

func (d *Driver) labelled(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
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
	case declared.Label != nil && b.Label != *declared.Label:
		return executor.NotDone.Because("%s", b), nil
	}
	return executor.Done.Because("%s", b), nil
}
