// Package sandbox serves simulated servers on loopback with a throw-away certificate authority, seeds them, and injects
// faults. It knows no product: a simulator satisfies World with nothing but the standard library.
package sandbox

import (
	"context"
	"net/http"
	"time"
)

// World is one product's simulated servers.
type World interface {
	Servers() []string                           // names, sorted
	Handler(server string) http.Handler          // what that server answers
	SetURL(server, url string)                   // tells a server the address it is reached at
	Environment(server string) map[string]string // the variables the example's files read: name -> value
	// Person does what only a person can do, through the product's web page. It returns what was done in words.
	Person(ctx context.Context, action string, values map[string]string) (string, error)
	Tick(now time.Time) // time passes
	State() any         // everything, as JSON-encodable data in a fixed order, without passwords
}

// Open makes a World from its part of the sandbox's seed.
type Open func(seed []byte) (World, error)
