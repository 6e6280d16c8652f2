package drivertest

import (
	"slices"
	"sync"
	"testing"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/planner"
)

// verbsPlanned holds the verbs of all steps that the cases of a bench have planned.
type verbsPlanned struct {
	mu    sync.Mutex
	names map[string]bool
	cases int
}

func (v *verbsPlanned) add(p *planner.Plan) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.cases++
	for i := range p.Steps {
		v.names[p.Steps[i].Verb] = true
	}
}

// check compares the planned verbs with the driver's: the driver must have each planned verb. If all cases were run,
// they must have planned each verb of the driver.
func (v *verbsPlanned) check(t *testing.T, b Bench) {
	t.Helper()
	d, ok := b.New(driver.Env{}).(interface{ Verbs() []string })
	if !ok || t.Failed() {
		return
	}
	have := d.Verbs()
	for name := range v.names {
		if !slices.Contains(have, name) {
			t.Errorf("a step with the verb %q is planned, and the driver does not have it", name)
		}
	}
	if v.cases < len(b.Cases) { // some cases were not run
		return
	}
	for _, name := range have {
		if !v.names[name] && !slices.Contains(b.Elsewhere, name) {
			t.Errorf("no case plans a step with the verb %q: nothing tests it", name)
		}
	}
}
