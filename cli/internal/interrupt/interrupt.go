// Package interrupt decides what an interrupt does: it ends the command, or lets the running steps of a run finish.
package interrupt

import (
	"context"
	"os"
	"sync"
)

// Interrupts hands signals to the current handler.
type Interrupts struct {
	mu     sync.Mutex
	handle func(os.Signal)
	seen   bool
	early  os.Signal // came before there was a handler
}

// Deliver passes a signal to the current handler. If there is none, the next handler gets the latest such signal.
func (i *Interrupts) Deliver(s os.Signal) {
	i.mu.Lock()
	handle := i.handle
	i.seen = true
	if handle == nil {
		i.early = s
	}
	i.mu.Unlock()
	if handle != nil {
		handle(s)
	}
}

// During makes handle the current handler until restore is called.
func (i *Interrupts) During(handle func(os.Signal)) (restore func()) {
	i.mu.Lock()
	before, early := i.handle, i.early
	i.handle, i.early = handle, nil
	i.mu.Unlock()
	if early != nil {
		handle(early)
	}
	return func() {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.handle = before
	}
}

// Happened reports whether there was a signal.
func (i *Interrupts) Happened() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.seen
}

// Context returns a context that is canceled by the next signal, unless another handler is current at that time.
func (i *Interrupts) Context(parent context.Context) (ctx context.Context, release func()) {
	ctx, cancel := context.WithCancel(parent)
	restore := i.During(func(os.Signal) { cancel() })
	return ctx, func() { restore(); cancel() }
}

// Stages are the two stages of interrupting a run: the first interrupt lets running steps finish and starts no
// others, the second stops at once.
type Stages struct {
	mu     sync.Mutex
	count  int
	stop   chan struct{}
	cancel func()
	tell   func(string)
}

// NewStages makes Stages. cancel stops running steps; tell reports what happens.
func NewStages(cancel func(), tell func(string)) *Stages {
	return &Stages{stop: make(chan struct{}), cancel: cancel, tell: tell}
}

// Stop is closed by the first interrupt.
func (s *Stages) Stop() <-chan struct{} { return s.stop }

// Next handles an interrupt.
func (s *Stages) Next(os.Signal) {
	s.mu.Lock()
	s.count++
	n := s.count
	s.mu.Unlock()
	switch n {
	case 1:
		close(s.stop)
		s.tell("interrupted: no more steps are started, and running steps are finished. " +
			"Interrupt again to stop at once; both are safe.")
	case 2:
		s.tell("interrupted again: stopping at once.")
		s.cancel()
	}
}

// Interrupted reports whether there was an interrupt.
func (s *Stages) Interrupted() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count > 0
}
