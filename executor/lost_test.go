package executor

import (
	"testing"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/planner"
)

func TestLostAnswerIsSeenOnTheServer(t *testing.T) {
	d := newDepot()
	id := planner.StepID(addr, "send")
	d.lose[id] = true
	if rep := carry(t, afero.NewMemMapFs(), d, sample(), nil, d); !rep.Finished || d.thrown[id] != 1 {
		t.Fatalf("finished %v, sent %d times", rep.Finished, d.thrown[id])
	}
}

// TestUnended: what may still go on is not verified, and nothing follows, before a person has looked. The next process
// sees that it was carried out.
func TestUnended(t *testing.T) {
	d, fsys := newDepot(), afero.NewMemMapFs()
	id := planner.StepID(addr, "send")
	d.lose[id] = true
	d.lost = Unended
	if rep := carry(t, fsys, d, sample(), nil, d); rep.Finished || d.thrown[id] != 1 || rep.Count(PhaseFailed) != 1 {
		t.Fatalf("finished %v, sent %d times, %+v", rep.Finished, d.thrown[id], rep)
	}
	if rep := carry(t, fsys, d, sample(), nil, d); !rep.Finished || d.thrown[id] != 1 {
		t.Errorf("resumed: finished %v, sent %d times", rep.Finished, d.thrown[id])
	}
}
