package cli

import (
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/driver/drivertest"
)

// TestClockSetBack: a run that was made while the clock was ahead does not hide the ones after it from other sites,
// once the clock is right again: neither while they are unfinished, nor when they have ended.
func TestClockSetBack(t *testing.T) {
	c := newCourier(t, drivertest.Random(t))
	osFs := afero.NewOsFs()
	hand := func(from string) {
		t.Helper()
		if code, out := c.send(osFs, from); code != exitDone {
			t.Fatalf("%s sends: exit code %d: %s", from, code, out)
		}
		all := c.sent[from]
		if code, out := c.deliver(osFs, otherSite(from), all[len(all)-1].content); code != exitDone {
			t.Fatalf("%s receives: exit code %d: %s", otherSite(from), code, out)
		}
	}
	c.clock.now = c.clock.now.Add(12 * time.Hour)
	hand("globex")
	if code, out := c.run(osFs, "acme", "apply", "-auto-approve"); code != exitWaiting {
		t.Fatalf("exit code %d: %s", code, out)
	}
	hand("acme")
	if code, out := c.run(osFs, "acme", "resolve", "-abandon", "-auto-approve"); code != exitDone {
		t.Fatalf("exit code %d: %s", code, out)
	}
	hand("acme")
	c.clock.now = c.clock.now.Add(-12 * time.Hour)
	hand("globex")
	c.finish() // plans without changes wait for the time at which acme has last changed something
	if !c.world.moved() {
		t.Errorf("it does not end: %v\n%v", c.world.shelves, c.log)
	}
	for _, site := range sites {
		if run, err := c.command(site).store().Unfinished(); err != nil || run != nil {
			t.Errorf("%s has not heard of the end: %v, %v", site, run, err)
		}
	}
}

// TestRunOfTheFuture: a run that another site dates in the future is not taken in: it would come after all later ones.
func TestRunOfTheFuture(t *testing.T) {
	for ahead, want := range map[time.Duration]int{47 * time.Hour: exitDone, 49 * time.Hour: exitRefused} {
		c := newCourier(t, drivertest.Random(t))
		osFs := afero.NewOsFs()
		now := c.clock.now
		c.clock.now = now.Add(ahead)
		c.send(osFs, "globex")
		c.deliver(osFs, "acme", c.sent["globex"][0].content)
		c.run(osFs, "acme", "apply", "-auto-approve")
		c.send(osFs, "acme")
		c.clock.now = now
		if code, out := c.deliver(osFs, "globex", c.sent["acme"][0].content); code != want {
			t.Errorf("%v ahead: exit code %d: %s", ahead, code, out)
		}
	}
}
