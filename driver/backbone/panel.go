package backbone

import (
	"context"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// panel is a person who looks at the sync info panel of issues on both Jiras: it is what the resync is for, and no
// interface shows it.
var panel = driver.Verb[*Driver]{Name: opPanel, Verify: (*Driver).verifyPanel}

func (s *standing) panel() planner.Step {
	name := s.to.name()
	step := word(s.stay(), name, "confirm_info_panel", directValues(s.to),
		"the sync info panel of a few synchronized issues, on either Jira, names the partner issue")
	step.Op = opPanel
	return step
}

// verifyPanel leaves it to the person, unless the new synchronization is not there to be looked at.
func (d *Driver) verifyPanel(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	l, err := d.locateExisting(ctx, t, first)
	if err != nil {
		return executor.Verdict{}, err
	}
	return executor.Unknown.Because("the sync info panel of the issues of %s cannot be read over REST", l.Key), nil
}
