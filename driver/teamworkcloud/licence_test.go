package teamworkcloud_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// skipping is a clock that skips long waits.
type skipping struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (c *skipping) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *skipping) After(d time.Duration) <-chan time.Time {
	if d < time.Minute {
		return time.After(d)
	}
	c.mu.Lock()
	c.ahead += d
	c.mu.Unlock()
	return time.After(0)
}

// TestNoLicenceInAPlan checks that a plan reports after one login attempt when licences will be free.
func TestNoLicenceInAPlan(t *testing.T) {
	t.Parallel()
	s := newWorld("").set("b", "licences", 0).open(t)
	cfg, d := s.load(cars)
	defer s.close(d)
	_, diags := planner.Make(t.Context(), planner.Input{Config: cfg, Version: "test",
		Drivers: func(schema.Addr) planner.Driver { return d }})
	if !diags.HasErrors() || !strings.Contains(diags.Error(), "no licence is free") ||
		!strings.Contains(diags.Error(), "quarter of an hour") {
		t.Error(diags)
	}
	logins := 0
	for _, line := range s.log.lines(t) {
		if line.Server == "b" && line.Path == "/osmc/login" {
			logins++
		}
	}
	if logins != 1 {
		t.Errorf("%d logins", logins)
	}
}

// TestNoLicenceInARun checks that a run waits for a licence, says so at once, and continues when one is free. If none
// becomes free, it stops in bounded time with nothing sent.
func TestNoLicenceInARun(t *testing.T) {
	t.Parallel()
	for name, free := range map[string]bool{"one comes back": true, "none does": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newWorld("").set("b", "licences", 2).open(t)
			p := s.plan(cars)
			s.clock = &skipping{}
			for range 2 {
				s.person("login", "server", "b", "user", "syncctl")
			}
			var mu sync.Mutex
			putOff := map[string]int{}
			s.during = func(e executor.Event) {
				if e.Name != executor.EventPutOff {
					return
				}
				mu.Lock()
				defer mu.Unlock()
				putOff[e.Step.ID]++
				if !strings.Contains(e.Message, "trying again in 3m20s") {
					t.Error(e.Message)
				}
				if free && len(putOff) == 1 && putOff[e.Step.ID] == 2 {
					s.person("announce", "server", "b")
				}
			}
			rep := s.carry(p, cars)
			if rep.Finished != free {
				t.Errorf("finished: %v", rep.Finished)
			}
			most := map[bool]int{true: 2, false: 5}[free]
			if len(putOff) != 1 || putOff[p.Steps[0].ID] != most {
				t.Errorf("put off: %v", putOff)
			}
			if free {
				return
			}
			for _, line := range s.log.lines(t) {
				if line.Server == "b" && line.Method != "GET" {
					t.Errorf("sent: %s %s", line.Method, line.Path)
				}
			}
			if x := rep.Steps[0]; x.Phase != executor.PhaseFailed || !strings.Contains(x.Why, "quarter of an hour") {
				t.Errorf("%s: %s", x.Phase, x.Why)
			}
		})
	}
}
