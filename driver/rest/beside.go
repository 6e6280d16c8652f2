package rest

import (
	"context"
	"sync"

	"github.com/syncctl/syncctl/fault"
)

// Beside reads two things side by side. Its error is the one that would come first if one was read after the other:
// that of first, whose failure ends the other.
func Beside(ctx context.Context, first, second func(context.Context) error) error {
	other, stop := context.WithCancel(ctx)
	defer stop()
	var err, broken error
	var both sync.WaitGroup
	both.Go(func() {
		defer fault.Catch(&broken)
		err = second(other)
	})
	failed := fault.Do(func() error { return first(ctx) })
	if failed != nil {
		stop()
	}
	both.Wait()
	fault.Raise(failed)
	fault.Raise(broken)
	if failed != nil {
		return failed
	}
	return err
}
