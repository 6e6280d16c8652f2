package backbone

import (
	"context"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// panel is the verb of a person's step that looks at the sync info panel of issues on both Jiras. The resync is meant
// to restore it, and no interface shows it.
var panel = driver.Verb[*Driver]{Name: opPanel, Verify: (*Driver).verifyPanel}

func (s *standing) panel() planner.Step {
	name := s.to.name()
	step := word(s.stay(), name, "confirm_info_panel", directValues(s.to),
		"the sync info panel of a few synchronized issues, on either Jira, names the partner issue")
	step.Op = opPanel
	return step
}

// verifyPanel leaves the verdict to the person. It is an error if the new synchronization is not found.
func (d *Driver) verifyPanel(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	l, err := d.locateExisting(ctx, t, first)
	if err != nil {
		return executor.Verdict{}, err
	}
	return executor.Unknown.Because("the sync info panel of the issues of %s cannot be read over REST", l.Key), nil
}
