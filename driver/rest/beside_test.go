package rest_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/syncctl/syncctl/driver/rest"
	"github.com/syncctl/syncctl/fault"
)

// TestBeside checks that both functions run at the same time. If both fail, the error is that of the first argument,
// whichever failed first. A panic stays a panic.
func TestBeside(t *testing.T) {
	one, two := errors.New("one"), errors.New("two")
	for name, c := range map[string]struct {
		first, second error // nil: none
		panics        bool  // the second one panics
		want          error
	}{
		"both are read": {}, "the first fails": {first: one, want: one}, "the second fails": {second: two, want: two},
		"both fail": {first: one, second: two, want: one}, "a fault": {panics: true},
		"a fault beside an error": {first: one, panics: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				meet := make(chan bool)
				err := func() (err error) {
					defer fault.Catch(&err)
					return rest.Beside(t.Context(), func(context.Context) error {
						<-meet
						synctest.Wait() // the second one has failed, if it fails
						return c.first
					}, func(ctx context.Context) error {
						meet <- true
						if c.panics {
							panic("impossible")
						}
						if c.second == nil && c.first != nil {
							<-ctx.Done()
							return ctx.Err()
						}
						return c.second
					})
				}()
				if c.panics != fault.Is(err) || !c.panics && !errors.Is(err, c.want) {
					t.Errorf("%v, want %v", err, c.want)
				}
			})
		})
	}
}
