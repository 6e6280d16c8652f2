package share

import (
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/planner"
)

// Unaffected sets what none of the steps depends on: verify.within, how long copies may take to arrive. The steps that
// wait for them have their own copy of it, so the declaration can be corrected while they wait.
func Unaffected(steps []planner.Step, s *survey.Sync) {
	for i := range steps {
		steps[i].UnaffectedBy = append(steps[i].UnaffectedBy, s.Address()+".verify.within")
	}
}
