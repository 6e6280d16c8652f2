package teamworkcloud_test

import (
	"testing"

	"github.com/syncctl/syncctl/driver/drivertest"
)

// TestOffloadConformance holds offloads to what every driver promises: whatever step is disturbed, it ends the same,
// and nothing is done twice.
func TestOffloadConformance(t *testing.T) {
	named := func(name string, o *offloaded) drivertest.Case {
		c := o.kase(t)
		c.Name = name
		return c
	}
	bench := twc()
	bench.Cases = []drivertest.Case{
		named("offload and reactivate", newOffload(removing, reactivating)),
		named("offload by hand, as documented", newOffload(removing, reactivating, asDocumented).reach("")),
	}
	drivertest.Run(t, bench)
}
