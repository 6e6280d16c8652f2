package survey

import (
	"testing"
	"time"

	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/planner"
)

// TestGoneAndListed checks that a resource which the server does not find is absent if it was never listed. Otherwise
// it may be marked as deleted, which only a list shows.
func TestGoneAndListed(t *testing.T) {
	at := connect.Declared(server("a"))
	seen := planner.NewObservations()
	for _, id := range []string{"listed", "new"} {
		n := planner.Need{Server: at.Address(), What: aboutResource, Of: id}
		seen.Put(n, never, "", &Found{Gone: true})
	}
	listing := newInventory(nil, []osmc.Resource{{ID: "listed", Name: "Engine"}})
	seen.Put(planner.Need{Server: at.Address(), What: aboutListing}, never, "", listing)
	for id, want := range map[string]bool{"listed": true, "new": false} {
		v := NewView(seen)
		v.nearby(at).resource(id, true)
		if v.Err() != nil || v.doubts != want {
			t.Errorf("%s: doubted %v, %v", id, v.doubts, v.Err())
		}
	}
}

// TestKeep checks that a reading which reused older details does not replace a complete one that was cached in the
// meantime.
func TestKeep(t *testing.T) {
	known, whole, beside := newInventory(nil, nil), newInventory(nil, nil), newInventory(nil, nil)
	l := &listing{}
	l.keep(l.begin(), known, time.Time{}, nil)
	read := l.begin()
	l.keep(l.begin(), beside, time.Time{}, known)
	if l.last != beside {
		t.Error("what was read beside what is kept is not kept")
	}
	l.keep(l.begin(), whole, time.Time{}, nil)
	l.keep(l.begin(), known, time.Time{}, beside)
	l.keep(read, known, time.Time{}, nil)
	if l.last != whole {
		t.Error("a whole reading is not kept")
	}
}
