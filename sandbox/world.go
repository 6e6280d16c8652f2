// Package sandbox serves simulated servers on loopback with a throw-away certificate authority, seeds them, and
// injects faults. It knows no product. A simulator can implement World with only the standard library, and Machines
// with afero in addition.
package sandbox

import (
	"context"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/spf13/afero"
)

// World holds one product's simulated servers.
type World interface {
	Servers() []string                  // names, sorted
	Handler(server string) http.Handler // serves that server's answers
	SetURL(server, url string)          // sets the address of a server
	// the variables that the example's files read, name -> value; also called for machines
	Environment(server string) map[string]string
	// Person does what only a person can do, through the product's web page. It returns a description of what was
	// done.
	Person(ctx context.Context, action string, values map[string]string) (string, error)
	Tick(now time.Time) // advances the time
	State() any         // the whole state, as JSON-encodable data in a fixed order, without passwords
}

// Machines is a World that also simulates the machines of its servers. Each machine is reached over a real SSH server
// on loopback, for commands and, by SFTP, for files.
type Machines interface {
	Machines() []string            // names, sorted; a machine may have the name of a server
	Files(machine string) afero.Fs // the machine's files, by absolute names with slashes

	// Run does what the login shell does with a command line, and returns the exit code. Several may run at once. ctx
	// ends when the sandbox closes or the client sends the command a signal. If the client disappears, its command
	// runs on, as with sshd.
	Run(ctx context.Context, machine, command string, stdin io.Reader, stdout, stderr io.Writer) int
	Reads(machine, command string) bool // whether a command line only reads and changes nothing

	// SetSSH tells a machine how it is reached: the address as "admin@127.0.0.1:PORT", the private key in PEM, and
	// the lines of a known_hosts file, the same for all machines of a sandbox. It is called before anything is served
	// and before Environment is called.
	SetSSH(machine, address string, privateKey, knownHosts []byte)
}

// Network is a World whose servers accept connections that are not HTTP, such as those of desktop clients. The
// sandbox accepts them on loopback, and those that its machines are asked to make over SSH ("direct-tcpip").
type Network interface {
	// Ports returns the names of what can be connected to, sorted: "prod/tls". The part before the slash is the
	// server, or the machine.
	Ports() []string

	// SetPort sets the loopback address, "127.0.0.1:PORT", at which the sandbox accepts connections for a port. It is
	// called before anything is served and before Environment is called.
	SetPort(port, address string)

	// Resolve returns the port that a program on a machine reaches at an address, "host:port", in the simulated
	// network. If it returns false, the connection is refused.
	Resolve(machine, address string) (port string, ok bool)

	// Serve serves a connection to a port, until either side is done, and closes it. The connection has deadlines.
	// The client sees the end when Serve has returned. Serve sees the end of what a client sends, and may still send
	// to it. Several may run at once. ctx ends when the sandbox closes. A panic with http.ErrAbortHandler simulates a
	// server that is down.
	Serve(ctx context.Context, port string, conn net.Conn)
}

// Open makes a World from its part of the sandbox's seed.
type Open func(seed []byte) (World, error)
