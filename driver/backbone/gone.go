package backbone

import (
	"context"
	"fmt"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// gone is the verb with which a person confirms that a half of the original is gone. It is planned if the server's
// list of the project is empty, which proves nothing.
var gone = driver.Verb[*Driver]{Name: opGone, Verify: (*Driver).verifyGone}

func (s *standing) gone(role string) planner.Step {
	e := s.from.end(role)
	return forEnd(word(e.server, "the overview", "confirm_gone", []planner.Value{{Name: "project",
		Label: "Project", Value: e.Project}},
		fmt.Sprintf("project %s has no synchronization by %s with project %s any more", e.Project, s.from.Transport,
			s.from.end(other(role)).Project)),
		opGone, role)
}

func (d *Driver) verifyGone(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	l, err := d.locate(ctx, t, t.Step.Args[endArg])
	switch {
	case err != nil:
		return executor.Verdict{}, err
	case l.found():
		return executor.Verdict{}, executor.Final(fmt.Errorf("%s is there: plan again", l.Key))
	case l.unlisted:
		return executor.Unknown.Because("%s lists nothing at all of project %s, which proves nothing",
			l.end.server.Addr(), l.end.Project), nil
	}
	return executor.Done.Because("project %s has other synchronizations only", l.end.Project), nil
}
