package cli

import (
	"fmt"
	"sync"
	"time"

	"github.com/syncctl/syncctl/cli/internal/view"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/schema"
)

// waits reports at once that a driver waits for a server: in the current display or on a line of its own, and as an
// event. Several requests that wait for the same are reported once.
type waits struct {
	mu    sync.Mutex
	until map[schema.Addr]time.Time
	show  func(line string) // of the display; nil if there is none

	patient bool
}

// patience is how long an apply waits for something that becomes free by itself, while it reads the servers before its
// steps. During steps, the step is deferred instead, so that an interrupt ends the wait. A plan does not wait, because
// its user wants an answer.
const patience = 17 * time.Minute

func (w *waits) patience() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.patient {
		return patience
	}
	return 0
}

// bePatient sets whether to wait with patience, until the returned function is called.
func (w *waits) bePatient(is bool) (end func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	before := w.patient
	w.patient = is
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.patient = before
	}
}

// within shows waits in a display until the returned function is called.
func (w *waits) within(show func(line string)) (end func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	before := w.show
	w.show = show
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.show = before
	}
}

// waiting is called by drivers when they wait.
func (c *command) waiting(w driver.Wait) {
	c.waits.mu.Lock()
	defer c.waits.mu.Unlock()
	until := c.app.clock.Now().Add(w.For)
	if !until.After(c.waits.until[w.Server].Add(time.Second)) {
		return
	}
	if c.waits.until == nil {
		c.waits.until = map[schema.Addr]time.Time{}
	}
	c.waits.until[w.Server] = until
	text := schema.SanitizeLine(fmt.Sprintf("Waiting %s: %s %s.", w.For.Round(time.Second), w.Server, w.Why))
	if c.events != nil {
		c.events.Write("warn", text, view.WaitingForServerEvent{
			Server: w.Server.String(), Seconds: w.For.Seconds(), Why: w.Why,
		})
	}
	switch {
	case c.waits.show != nil:
		c.waits.show(text)
	case c.events == nil || !c.flags.json:
		fmt.Fprintln(c.err, text)
	}
}
