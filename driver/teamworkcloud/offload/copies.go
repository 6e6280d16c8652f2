package offload

import (
	"cmp"
	"context"
	"fmt"

	"github.com/syncctl/syncctl/driver/teamworkcloud/revision"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/executor"
)

// comparison returns what has changed in a copy since it was verified, "" if nothing is wrong.
type comparison func(was *revision.Record, projectID string, now *revision.History) string

// changed guards a removal: the copy must belong to the same project, and have exactly what was verified.
func changed(was *revision.Record, projectID string, now *revision.History) string {
	return cmp.Or(was.OtherProject(projectID), was.Changed(now))
}

// altered is like changed for when nothing is removed, so that the project does not matter.
func altered(was *revision.Record, _ string, now *revision.History) string { return was.Changed(now) }

// lost allows people to have added to the copy.
func lost(was *revision.Record, _ string, now *revision.History) string { return was.Lost(now) }

// kept returns nil if the target still has what was verified. compare checks each resource. What differs from its
// verified state is a Final error that names it.
func (w *Offloading) kept(
	ctx context.Context, verified revision.Records, compare comparison,
) error {
	target := w.sync().TargetServer()
	return survey.Gather(ctx, w.Observe.In(survey.Near), func(v *survey.View) {
		for _, id := range verified.IDs() {
			was := verified[id]
			switch r, seen := v.Resource(target, id); {
			case !seen:
			case r == nil:
				v.Fail(executor.Final(fmt.Errorf("%q (%s) is gone from %s since it was verified: was DELETE ALL chosen? What "+
					"is on %s still must stay there", was.Name, id, target.Address(), w.server(atSource).Address())))
			case r.Removed:
				v.Fail(executor.Final(fmt.Errorf("%q (%s) was marked as deleted on %s since it was verified", was.Name, id,
					target.Address())))
			default:
				h := v.CopyHistory(w.sync(), id, was.Name)
				if h == nil {
					continue
				}
				if why := compare(&was, r.ProjectID, h); why != "" {
					v.Fail(executor.Final(fmt.Errorf("%q (%s) on %s is not what was verified: %s", was.Name, id, target.Address(),
						why)))
				}
			}
		}
	})
}
