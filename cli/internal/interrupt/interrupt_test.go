package interrupt

import (
	"context"
	"os"
	"testing"
)

// TestStages checks that the first interrupt cancels nothing, the second everything, and a third does no harm.
func TestStages(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s := NewStages(cancel, func(string) {})
	if s.Interrupted() {
		t.Error("interrupted before any interrupt")
	}
	s.Next(nil)
	select {
	case <-s.Stop():
	default:
		t.Error("the first interrupt does not stop the run")
	}
	if ctx.Err() != nil {
		t.Error("the first interrupt reaches what runs")
	}
	s.Next(nil)
	if ctx.Err() == nil {
		t.Error("the second interrupt does not end what runs")
	}
	s.Next(nil)
}

// TestEarly checks that a signal that comes before there is a handler goes to the first handler, and to no other.
func TestEarly(t *testing.T) {
	i := &Interrupts{}
	i.Deliver(os.Interrupt)
	first, release := i.Context(t.Context())
	defer release()
	if first.Err() == nil || !i.Happened() {
		t.Error("it was lost")
	}
	second, release := i.Context(t.Context())
	defer release()
	if second.Err() != nil {
		t.Error("it was delivered twice")
	}
}
