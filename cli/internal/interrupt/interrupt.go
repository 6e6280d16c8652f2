// Package interrupt decides what an interrupt does: it ends a command, or lets a run finish what it has begun.
package interrupt

import (
	"context"
	"os"
	"sync"
)

// Interrupts hands signals to whoever takes them at the moment.
type Interrupts struct {
	mu     sync.Mutex
	handle func(os.Signal)
	seen   bool
}

// Deliver hands a signal over.
func (i *Interrupts) Deliver(s os.Signal) {
	i.mu.Lock()
	handle := i.handle
	i.seen = true
	i.mu.Unlock()
	if handle != nil {
		handle(s)
	}
}

// During lets handle take the signals until the returned function is called.
func (i *Interrupts) During(handle func(os.Signal)) (restore func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	before := i.handle
	i.handle = handle
	return func() {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.handle = before
	}
}

// Happened tells whether there was a signal.
func (i *Interrupts) Happened() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.seen
}

// Context returns a context that ends at the next signal, unless somebody else takes the signals then.
func (i *Interrupts) Context(parent context.Context) (ctx context.Context, release func()) {
	ctx, cancel := context.WithCancel(parent)
	restore := i.During(func(os.Signal) { cancel() })
	return ctx, func() { restore(); cancel() }
}

// Stages is what interrupts do to a run: the first one lets it finish what it has begun and start nothing more, the second one
// ends it at once.
type Stages struct {
	mu     sync.Mutex
	count  int
	stop   chan struct{}
	cancel func()
	tell   func(string)
}

// NewStages makes Stages. cancel ends at once what runs; tell says what is going on.
func NewStages(cancel func(), tell func(string)) *Stages {
	return &Stages{stop: make(chan struct{}), cancel: cancel, tell: tell}
}

// Stop is closed by the first interrupt.
func (s *Stages) Stop() <-chan struct{} { return s.stop }

// Next takes an interrupt.
func (s *Stages) Next(os.Signal) {
	s.mu.Lock()
	s.count++
	n := s.count
	s.mu.Unlock()
	switch n {
	case 1:
		close(s.stop)
		s.tell("interrupted: nothing more is started, and the steps that run are finished. " +
			"Interrupt again to stop at once; both are safe.")
	case 2:
		s.tell("interrupted again: stopping at once.")
		s.cancel()
	}
}

// Interrupted tells whether there was an interrupt.
func (s *Stages) Interrupted() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count > 0
}
