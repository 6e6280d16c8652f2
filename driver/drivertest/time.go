package drivertest

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// NoSleep is the Sleep of a driver.Env in tests, where nobody is to wait for a rate limit.
func NoSleep(ctx context.Context, _ time.Duration) error { return ctx.Err() }

// Time is the time of a sandbox's simulated servers: real, until it is told to leap. Its Now and Ticks are those of
// sandbox.Options.
type Time struct {
	ticks   chan time.Time
	leaping atomic.Bool
	stop    chan struct{}
	end     sync.Once
	running sync.WaitGroup
}

const (
	tick = 10 * time.Millisecond
	leap = time.Hour // longer than anything that a simulated server has under way takes, and than a session lasts
)

// NewTime begins to tick.
func NewTime() *Time {
	c := &Time{ticks: make(chan time.Time), stop: make(chan struct{})}
	c.running.Go(func() {
		every := time.NewTicker(tick)
		defer every.Stop()
		for {
			select {
			case <-c.stop:
				return
			case now := <-every.C:
				c.pass(now)
			}
		}
	})
	return c
}

func (c *Time) pass(now time.Time) {
	select {
	case c.ticks <- now:
	case <-c.stop:
	}
}

// Now is the time that the servers see.
func (c *Time) Now() time.Time {
	if c.leaping.Load() {
		return time.Now().Add(leap)
	}
	return time.Now()
}

// Ticks is when they are told that time has passed.
func (c *Time) Ticks() <-chan time.Time { return c.ticks }

// Rest lets the servers finish what they have under way, so that two states can be compared. From then on it is
// later.
func (c *Time) Rest() {
	c.leaping.Store(true)
	for range 50 {
		c.pass(time.Now())
	}
}

// Stop ends it. It may be called again.
func (c *Time) Stop() {
	c.end.Do(func() { close(c.stop) })
	c.running.Wait()
}
