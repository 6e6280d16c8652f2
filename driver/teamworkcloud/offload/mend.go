package offload

import (
	"cmp"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/driver/teamworkcloud/machine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/share"
	"github.com/syncctl/syncctl/planner"
)

// unaffected sets which arguments of the declarations each step does not depend on. These can be corrected in the
// files once the step is done. Who may be logged in matters only to the steps that check it, and a machine only to
// those that use it: what preflight has seen of a machine is checked again before the services are stopped.
func (o *plan) unaffected(steps []planner.Step) {
	share.Unaffected(steps, o.sync)
	own := o.l.Addr + "."
	hosts := []string{o.addr(atSource) + ".host", o.addr(atTarget) + ".host"}
	for i := range steps {
		s := &steps[i]
		verb := cmp.Or(s.Verb, s.Op)
		looks := verb == machine.Announce || verb == machine.Idle || strings.HasPrefix(s.Op, opIdle)
		if !looks {
			s.UnaffectedBy = append(s.UnaffectedBy, own+"allow_logged_in")
		}
		switch {
		case slices.Contains(beforeMachines, verb) && !o.sharing.Secures(): // a handshake may be made from a machine
			s.UnaffectedBy = append(s.UnaffectedBy, hosts...)
		case verb == machine.Backup || verb == opUnused:
			s.UnaffectedBy = append(s.UnaffectedBy, hosts...)
		case verb == machine.Stop || verb == machine.Start:
			for _, host := range hosts {
				s.UnaffectedBy = append(s.UnaffectedBy, host+".database", host+".datamanager")
			}
		}
	}
}

// beforeMachines are the verbs of steps that use no machine, and come before those that do.
var beforeMachines = []string{opPreflight, share.VerbCreateCategory, share.VerbGrantRole, share.VerbConfigure,
	verbAllArrived, verbUnconfigured, share.VerbUnconfigure}
