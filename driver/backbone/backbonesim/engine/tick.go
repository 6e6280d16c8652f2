// Package engine does what Backbone does by itself: halves agree on a configuration, changes become messages, and
// messages are applied.
package engine

import (
	"time"

	"github.com/syncctl/syncctl/driver/backbone/backbonesim/state"
)

// Tick advances the clock to now, never back. Messages are carried between the halves of email and file
// synchronizations, and every running synchronization looks for changes and applies the messages that have arrived.
func Tick(w *state.World, now time.Time) {
	w.Mu.Lock()
	defer w.Mu.Unlock()
	if now.After(w.Now) {
		w.Now = now
	}
	integrations := w.Integrations()
	for _, in := range integrations {
		Deliver(w, in, false)
	}
	for _, in := range integrations {
		for _, c := range in.Connectors {
			process(w, c)
		}
	}
	for _, in := range integrations {
		for _, c := range in.Connectors {
			scan(w, c)
		}
	}
}
