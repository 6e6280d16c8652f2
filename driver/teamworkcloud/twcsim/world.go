package twcsim

import (
	"context"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/build"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/engine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/machine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/network"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/person"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/rest"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/state"
	"github.com/syncctl/syncctl/sandbox/seed"
)

// World is a set of simulated Teamwork Cloud servers and their machines. All of its methods are safe for concurrent
// use.
type World struct{ *state.World }

// Open makes a World from a seed, which Seed describes. Errors in its JSON have line and column,
// others the member.
func Open(text []byte) (*World, error) {
	w, err := build.World(text)
	if err != nil {
		return nil, err
	}
	return &World{w}, nil
}

// Seed describes the members of the seed.
func Seed() ([]seed.Member, error) { return build.Describe() }

// Handler serves one server's REST interface under /osmc; see rest.Handler.
func (w *World) Handler(server string) http.Handler { return rest.Handler(w.World, server) }

// Person does what people do in Teamwork Cloud's web application, in modelling tools and on the machine; see
// person.Act.
func (w *World) Person(ctx context.Context, action string, values map[string]string) (string, error) {
	return person.Act(ctx, w.World, action, values)
}

// Tick advances the time: services come up, and the synchronization engines process their configurations.
func (w *World) Tick(now time.Time) { engine.Tick(w.World, now) }

// Run executes a command line in the login shell of a machine; see machine.Run.
func (w *World) Run(ctx context.Context, name, command string, stdin io.Reader, stdout, stderr io.Writer) int {
	return machine.Run(ctx, w.World, name, command, stdin, stdout, stderr)
}

// Reads reports whether a command line changes nothing.
func (w *World) Reads(name, command string) bool { return machine.Reads(w.World, name, command) }

// Ports returns the names of the ports that can be connected to, sorted: "prod/tls".
func (w *World) Ports() []string { return network.Ports(w.World) }

// SetPort sets the address at which the sandbox accepts connections to a port. Unknown ports are ignored.
func (w *World) SetPort(port, address string) { network.SetPort(w.World, port, address) }

// Resolve finds the port that a program on a machine reaches at an address; see network.Resolve.
func (w *World) Resolve(name, address string) (port string, ok bool) {
	return network.Resolve(w.World, name, address)
}

// Serve handles a connection to a port; see network.Serve.
func (w *World) Serve(ctx context.Context, port string, conn net.Conn) {
	network.Serve(ctx, w.World, port, conn)
}
