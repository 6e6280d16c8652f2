package cli

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/driver/drivertest"
)

// TestSavedPlanOverSites: a saved plan is stale where the servers give another one. It is not where that could
// not be found out, because a server is down, or what another site has sent is too old: it can be applied later.
func TestSavedPlanOverSites(t *testing.T) {
	c := newCourier(t, drivertest.Random(t))
	disk := afero.NewOsFs()
	for _, site := range sites {
		name := filepath.Join(c.dir, site, "other.sync.hcl")
		if err := os.WriteFile(name, []byte("sync \"shelf\" \"codex\" {\n  from = server.shelf.acme\n"+
			"  to   = server.shelf.globex\n  book = \"codex\"\n}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	must := func(want int, site string, args ...string) {
		t.Helper()
		if code, out := c.run(disk, site, args...); code != want {
			t.Fatalf("%q: exit code %d, want %d: %s", args, code, want, out)
		}
	}
	hear := func() {
		t.Helper()
		if code, out := c.send(disk, "globex"); code != exitDone {
			t.Fatal(out)
		}
		all := c.sent["globex"]
		if code, out := c.deliver(disk, "acme", all[len(all)-1].content); code != exitDone {
			t.Fatal(out)
		}
	}
	apply := []string{"apply", "-auto-approve", "p.json"}
	hear()
	must(exitDone, "acme", "plan", "-out=p.json")

	c.world.down = errors.New("nothing answers")
	must(exitError, "acme", apply...)
	c.world.down = nil

	c.clock.now = c.clock.now.Add(1000 * time.Hour)
	must(exitWaiting, "acme", apply...)
	runs, err := os.ReadDir(filepath.Join(c.dir, "acme", ".syncctl", "runs"))
	if err == nil && len(runs) > 0 {
		t.Error("a run was begun")
	}
	hear()

	books := c.world.shelves["server.shelf.acme"]
	delete(books, "atlas")
	must(exitStale, "acme", apply...)
	books["atlas"] = "maps"

	// What -target has selected is told by what the plan has changes of, here and at the other site.
	must(exitDone, "acme", "plan", "-target=sync.shelf.atlas", "-out=p.json")
	c.world.applied["acme"] = true
	must(exitWaiting, "acme", apply...)
	if code, out := c.send(disk, "acme"); code != exitDone {
		t.Fatal(out)
	}
	if code, out := c.deliver(disk, "globex", c.sent["acme"][0].content); code != exitDone {
		t.Error(out)
	}
}
