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
)

// World is a set of simulated Teamwork Cloud servers and the machines behind them. All of its methods may be
// called by several goroutines at once.
type World struct{ *state.World }

// Open makes a World from a seed; this package's comment describes it. Errors in its JSON name line and column,
// others the member.
func Open(seed []byte) (*World, error) {
	w, err := build.World(seed)
	if err != nil {
		return nil, err
	}
	return &World{w}, nil
}

// Handler serves one server's REST interface under /osmc; see rest.Handler.
func (w *World) Handler(server string) http.Handler { return rest.Handler(w.World, server) }

// Person does by hand what Teamwork Cloud offers only in its web application, in modelling tools and at the
// machine; see person.Act.
func (w *World) Person(ctx context.Context, action string, values map[string]string) (string, error) {
	return person.Act(ctx, w.World, action, values)
}

// Tick lets time pass: services come up, and the synchronization engines look after their configurations.
func (w *World) Tick(now time.Time) { engine.Tick(w.World, now) }

// Run is what the login shell of a machine does with a command line; see machine.Run.
func (w *World) Run(ctx context.Context, name, command string, stdin io.Reader, stdout, stderr io.Writer) int {
	return machine.Run(ctx, w.World, name, command, stdin, stdout, stderr)
}

// Reads tells of a command line whether it changes nothing.
func (w *World) Reads(name, command string) bool { return machine.Reads(w.World, name, command) }

// Ports are the names of what can be connected to, sorted: "prod/tls".
func (w *World) Ports() []string { return network.Ports(w.World) }

// SetPort tells under which address the sandbox takes connections to a port. Unknown ports are ignored.
func (w *World) SetPort(port, address string) { network.SetPort(w.World, port, address) }

// Resolve finds the port that a program on a machine reaches under an address; see network.Resolve.
func (w *World) Resolve(name, address string) (port string, ok bool) {
	return network.Resolve(w.World, name, address)
}

// Serve talks to whoever has connected to a port; see network.Serve.
func (w *World) Serve(ctx context.Context, port string, conn net.Conn) {
	network.Serve(ctx, w.World, port, conn)
}
