package executor

import (
	"context"

	"github.com/syncctl/syncctl/fault"
	"github.com/syncctl/syncctl/schema"
)

// raising is a driver whose faults end the run, including those in the driver's own goroutines. A fault says nothing
// about the server, and trying again does not help.
type raising struct{ Driver }

func (d raising) Facts(ctx context.Context, r *schema.Resource, names []string) (map[string]string, error) {
	facts, err := d.Driver.Facts(ctx, r, names)
	fault.Raise(err)
	return facts, err
}

func (d raising) Execute(ctx context.Context, t *Task) (Result, error) {
	res, err := d.Driver.Execute(ctx, t)
	fault.Raise(err)
	return res, err
}

func (d raising) Verify(ctx context.Context, t *Task) (Verdict, error) {
	v, err := d.Driver.Verify(ctx, t)
	fault.Raise(err)
	return v, err
}
