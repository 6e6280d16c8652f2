package backbonesim

import (
	"context"
	"net/http"
	"time"

	"github.com/syncctl/syncctl/driver/backbone/backbonesim/build"
	"github.com/syncctl/syncctl/driver/backbone/backbonesim/engine"
	"github.com/syncctl/syncctl/driver/backbone/backbonesim/person"
	"github.com/syncctl/syncctl/driver/backbone/backbonesim/rest"
	"github.com/syncctl/syncctl/driver/backbone/backbonesim/state"
	"github.com/syncctl/syncctl/sandbox/seed"
)

// World is a set of simulated Jiras. Its own methods, and State, SetURL, Environment and Servers, may be called by
// several goroutines at once.
type World struct{ *state.World }

// Open makes a World from a seed, which Seed describes. Errors in its JSON name the line
// and column, other errors name the member.
func Open(text []byte) (*World, error) {
	w, err := build.World(text)
	if err != nil {
		return nil, err
	}
	return &World{w}, nil
}

// Seed describes the members of the seed.
func Seed() ([]seed.Member, error) { return build.Describe() }

// Handler serves one Jira with its Backbone; see rest.Handler.
func (w *World) Handler(server string) http.Handler { return rest.Handler(w.World, server) }

// Person does what only a person can do, through the web pages; see person.Act.
func (w *World) Person(ctx context.Context, action string, values map[string]string) (string, error) {
	return person.Act(ctx, w.World, action, values)
}

// Tick advances the clock; see engine.Tick.
func (w *World) Tick(now time.Time) { engine.Tick(w.World, now) }
