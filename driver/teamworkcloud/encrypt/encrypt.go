// Package encrypt manages the encryption of synchronization: a server's encrypted port, its settings files and trust
// stores, and the proof by a TLS handshake that the other end accepts what the server presents.
package encrypt

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/machine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/schema"
)

// product is the prefix of the IDs of findings.
const product = "teamwork_cloud"

// Encryption manages the encryption of servers that declare sync_tls.
type Encryption struct {
	Servers Servers
	Env     driver.Env // used to read keystores and to connect to ports
	Random  io.Reader
}

// Servers connects to the declared servers.
type Servers interface {
	Reader(server *schema.Resource) (osmc.Reader, error)
	Writer(server *schema.Resource) (osmc.Writer, error) // only for Execute
	Machine(server *schema.Resource) (host.Host, error)  // nil if none is declared
	Session(server *schema.Resource) machine.Session
}

// Verbs are the verbs of a server that declares sync_tls, in addition to those of its maintenance window.
var Verbs = driver.Verbs[*Encryption]{openPort, editSettings, addTrust, byHand, presented}

// End is the suffix of the step names of a server's own maintenance window.
const End = "server"

// The arguments of steps: values needed in addition to the declaration. A server cannot be asked while its services
// are stopped.
const (
	argRelease = machine.ArgRelease
	argFile    = "file"
	argPort    = "port"
)

// Verify verifies a step.
func (e *Encryption) Verify(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	if connect.Declared(t.Resource).SyncTLS == nil {
		return executor.Verdict{}, executor.Final(fmt.Errorf("%s no longer declares sync_tls", t.Resource.Addr))
	}
	return Verbs.Verify(ctx, e, t)
}

// Execute executes a step.
func (e *Encryption) Execute(ctx context.Context, t *executor.Task) (executor.Result, error) {
	if connect.Declared(t.Resource).SyncTLS == nil {
		return executor.Result{}, executor.NotSent(fmt.Errorf("%s no longer declares sync_tls", t.Resource.Addr))
	}
	return Verbs.Execute(ctx, e, t)
}

// machine returns the machine of a server. It is an error if none is declared.
func (e *Encryption) machine(server *schema.Resource) (host.Host, error) {
	h, err := e.Servers.Machine(server)
	if err == nil && h == nil {
		err = executor.Final(fmt.Errorf("%s no longer declares its machine (host)", server.Addr))
	}
	return h, err
}

var errNoMachine = errors.New("no machine is declared (host)")
