package cli

import (
	"bytes"
	"fmt"
	"sync"
	"time"

	"github.com/syncctl/syncctl/cli/internal/view"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// readObservations reads a file of observations. Without a name it returns none.
func (c *command) readObservations(name string) (*planner.Observations, error) {
	if name == "" {
		return planner.NewObservations(), nil
	}
	if info, err := c.app.fs.Stat(c.abs(name)); err == nil && !info.Mode().IsRegular() { // a pipe may never end
		return nil, failf(exitError, "-observations=%s: it is not a regular file", schema.SanitizeLine(name))
	}
	f, err := c.foreign().Open(c.abs(name))
	if err != nil {
		return nil, fmt.Errorf("opening the observations: %w", err)
	}
	defer func() { _ = f.Close() }()
	return planner.DecodeObservations(f)
}

// saveObservations writes a file of observations, if a name was given. They contain no secrets.
func (c *command) saveObservations(seen *planner.Observations, name string) error {
	if name == "" {
		return nil
	}
	var b bytes.Buffer
	if err := seen.Encode(&b); err != nil {
		return err
	}
	return c.replace(name, b.Bytes())
}

// reading shows which servers are being read, until finish is called.
func (c *command) reading() (begin func(server string) (end func()), finish func()) {
	live := c.app.tty.err && !c.app.is("TERM", "dumb") && !c.app.set("CI")
	r := view.NewReading(c.err, live, c.width, c.app.clock.Now)
	ticks, stop := time.NewTicker(200*time.Millisecond), make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-ticks.C:
				r.Look()
			}
		}
	})
	told := c.waits.within(r.Note)
	return r.Begin, sync.OnceFunc(func() {
		told()
		ticks.Stop()
		close(stop)
		done.Wait()
		r.Close()
	})
}
