package executor

import (
	"testing"
	"time"
)

func (c *fastClock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// TestClocksMakeNothingFresh checks that what another site has verified is too old after its max_age of a day, also if
// the clock here was set back since, or if the clock there was ahead.
func TestClocksMakeNothingFresh(t *testing.T) {
	for name, c := range map[string]struct {
		ahead   time.Duration   // of the clock of b
		waits   []time.Duration // of a, one after the other, before it applies
		deleted bool
	}{
		"in time":           {0, []time.Duration{20 * time.Hour}, true},
		"late":              {0, []time.Duration{25 * time.Hour}, false},
		"set back":          {0, []time.Duration{25 * time.Hour, -20 * time.Hour}, false},
		"set back, to then": {0, []time.Duration{25 * time.Hour, -25 * time.Hour}, false},
		"ahead":             {10 * time.Hour, []time.Duration{20 * time.Hour}, true},
		"ahead, late":       {10 * time.Hour, []time.Duration{25 * time.Hour}, false},
		"far ahead":         {30 * time.Hour, []time.Duration{0}, false},
		"far ahead, later":  {30 * time.Hour, []time.Duration{7 * time.Hour}, false},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := sitesConfig()
			a, b := twoCompanies()
			b.clock = &fastClock{now: a.clock.now.Add(c.ahead)}
			b.store.Now = b.clock.Now
			if _, err := b.store.Create(overTwo(), nil); err != nil {
				t.Fatal(err)
			}
			hand := func(from, to *company) {
				t.Helper()
				if err := to.receive(from.pack(t)); err != nil {
					t.Fatal(err)
				}
			}
			for range 2 {
				b.apply(t, cfg)
				hand(b, a)
				a.apply(t, cfg)
				hand(a, b)
			}
			b.apply(t, cfg) // it verifies
			hand(b, a)
			for i, d := range c.waits {
				a.clock.move(d)
				if n := len(c.waits) - 1; i < n {
					a.apply(t, cfg)
				}
			}
			a.apply(t, cfg)
			if got := a.depot.thrown[addr+"/delete_a"] == 1; got != c.deleted {
				t.Errorf("deleted: %v", got)
			}
			if c.deleted {
				return
			}
			a.clock.move(25*time.Hour + c.ahead) // both clocks are right again, and b verifies again
			b.clock.move(50*time.Hour + a.clock.Now().Sub(b.clock.Now()))
			a.clock.move(50 * time.Hour)
			hand(a, b)
			b.apply(t, cfg)
			hand(b, a)
			a.apply(t, cfg)
			if a.depot.thrown[addr+"/delete_a"] != 1 {
				t.Errorf("a does not go on: %v", a.depot.thrown)
			}
		})
	}
}
