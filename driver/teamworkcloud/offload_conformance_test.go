package teamworkcloud_test

import (
	"slices"
	"testing"

	"github.com/syncctl/syncctl/driver/drivertest"
	"github.com/syncctl/syncctl/driver/teamworkcloud/encrypt"
	"github.com/syncctl/syncctl/driver/teamworkcloud/machine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/share"
)

// TestOffloadConformance checks what every driver promises, for offloads: whatever step is disturbed, the result is
// the same, and nothing is done twice.
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
	bench.Elsewhere = slices.Concat(share.Verbs.Names(), encrypt.Verbs.Names(),
		[]string{machine.Announce, machine.Idle})
	bench.ImportsElsewhere = true
	drivertest.Run(t, bench)
}
