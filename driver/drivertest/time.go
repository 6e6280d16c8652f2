package drivertest

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// NoSleep is the Sleep of a driver.Env in tests, which must not wait for rate limits.
func NoSleep(ctx context.Context, _ time.Duration) error { return ctx.Err() }

// Time is the time of a sandbox's simulated servers. It is the real time until Rest is called. Its Now and Ticks are
// for sandbox.Options.
type Time struct {
	ticks   chan time.Time
	leaping atomic.Bool
	stop    chan struct{}
	end     sync.Once
	running sync.WaitGroup
}

const (
	tick = 10 * time.Millisecond
	leap = time.Hour // longer than everything that a simulated server does, and than a session
)

// NewTime returns a Time that ticks until Stop is called.
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

// Now returns the time that the servers see.
func (c *Time) Now() time.Time {
	if c.leaping.Load() {
		return time.Now().Add(leap)
	}
	return time.Now()
}

// Ticks returns the channel that tells the servers that time has passed.
func (c *Time) Ticks() <-chan time.Time { return c.ticks }

// Rest lets the servers finish what is in progress, so that two states can be compared. It moves the time an hour
// ahead, for good.
func (c *Time) Rest() {
	c.leaping.Store(true)
	for range 50 {
		c.pass(time.Now())
	}
}

// Stop stops the ticking. It may be called more than once.
func (c *Time) Stop() {
	c.end.Do(func() { close(c.stop) })
	c.running.Wait()
}
