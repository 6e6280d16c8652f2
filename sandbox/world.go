// Package sandbox serves simulated servers on loopback with a throw-away certificate authority, seeds them, and
// injects faults. It knows no product: a simulator satisfies World with nothing but the standard library, and
// Machines with afero beside it.
package sandbox

import (
	"context"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/spf13/afero"
)

// World is one product's simulated servers.
type World interface {
	Servers() []string                  // names, sorted
	Handler(server string) http.Handler // what that server answers
	SetURL(server, url string)          // tells a server the address it is reached at
	// the variables the example's files read: name -> value; asked of machines, too
	Environment(server string) map[string]string
	// Person does what only a person can do, through the product's web page. It returns what was done in words.
	Person(ctx context.Context, action string, values map[string]string) (string, error)
	Tick(now time.Time) // time passes
	State() any         // everything, as JSON-encodable data in a fixed order, without passwords
}

// Machines is a World that also simulates the machines behind its servers. Each is reached over a real SSH server on
// loopback, for commands and, by SFTP, for files.
type Machines interface {
	Machines() []string            // names, sorted; a machine may be called like a server
	Files(machine string) afero.Fs // the machine's files, by absolute names with slashes

	// Run is what the login shell does with a command line; it returns the exit code. Several may run at once. ctx
	// ends when the sandbox closes or the client sends the command a signal; a client that goes away leaves its
	// command running, as sshd does.
	Run(ctx context.Context, machine, command string, stdin io.Reader, stdout, stderr io.Writer) int
	Reads(machine, command string) bool // a command line that only looks and changes nothing

	// SetSSH tells a machine how it is reached, before anything is served and before Environment is asked: the
	// address as "admin@127.0.0.1:PORT", the private key in PEM, and the lines of a known_hosts file, the same for
	// all machines of a sandbox.
	SetSSH(machine, address string, privateKey, knownHosts []byte)
}

// Network is a World whose servers take connections that are no HTTP, such as those of desktop clients. The
// sandbox takes them on loopback, and those that its machines are asked to make over SSH ("direct-tcpip").
type Network interface {
	// Ports are the names of what can be connected to, sorted: "prod/tls". What stands before the slash is the
	// server, or the machine.
	Ports() []string

	// SetPort tells under which loopback address, "127.0.0.1:PORT", the sandbox takes connections for a port, before
	// anything is served and before Environment is asked.
	SetPort(port, address string)

	// Resolve finds the port that a program on a machine reaches under an address, "host:port", in the simulated
	// network; false: the connection is refused.
	Resolve(machine, address string) (port string, ok bool)

	// Serve talks to whoever has connected to a port, until either is done, and closes the connection, which has
	// deadlines. The other side is told when Serve has returned. It reads the end of what a client says, and may go
	// on talking to it. Several may run at once. ctx ends when the sandbox closes. Panicking with
	// http.ErrAbortHandler is a server that is down.
	Serve(ctx context.Context, port string, conn net.Conn)
}

// Open makes a World from its part of the sandbox's seed.
type Open func(seed []byte) (World, error)
