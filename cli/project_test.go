package cli

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/syncctl/syncctl/driver"
)

type closer func(context.Context) error

func (c closer) Close(ctx context.Context) error { return c(ctx) }

// TestCloseDrivers: every driver is closed once, even after one that fails, and a person does not wait long for
// any.
func TestCloseDrivers(t *testing.T) {
	closed := 0
	one := closer(func(ctx context.Context) error {
		closed++
		if until, ok := ctx.Deadline(); !ok || time.Until(until) > closeWithin {
			t.Errorf("it may take until %v", until)
		}
		return errors.New("the door is stuck")
	})
	c := &command{log: hclog.NewNullLogger(), held: []driver.Closer{one, one}}
	c.closeDrivers()
	c.closeDrivers()
	if closed != 2 {
		t.Errorf("closed %d times, want once for each of 2", closed)
	}
}

// TestSpelled: a name in other letters is not taken for one that stands in an environment.
func TestSpelled(t *testing.T) {
	environ := []string{"JIRA_PASSWORD=x", "SYNCCTL_VAR_db_password=y", "=C:=C:\\"}
	for name, want := range map[string]bool{
		"JIRA_PASSWORD": true, "JIRA_PASSwORD": false, "JIRA_PASS": false, "SYNCCTL_VAR_db_password": true,
		"SYNCCTL_VAR_db_passwOrd": false,
	} {
		if got := spelled(environ, name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
