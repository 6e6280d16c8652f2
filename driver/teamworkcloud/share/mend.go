package share

import (
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/planner"
)

// Unaffected says of steps what none of them depends on: how long copies may take to arrive stands in the steps that
// wait for them, and so it can be mended while they do.
func Unaffected(steps []planner.Step, s *survey.Sync) {
	for i := range steps {
		steps[i].UnaffectedBy = append(steps[i].UnaffectedBy, s.Address()+".verify.within")
	}
}
