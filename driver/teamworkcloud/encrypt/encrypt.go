// Package encrypt is the encryption of synchronization: a server's encrypted port, its settings files and trust
// stores, and the proof by a handshake that the other end accepts what it presents.
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

// product is what the ids of findings begin with.
const product = "teamwork_cloud"

// Encryption looks after the encryption of servers that declare sync_tls.
type Encryption struct {
	Servers Servers
	Env     driver.Env // keystores are read, and ports are dialed, with it
	Random  io.Reader
}

// Servers reaches the servers that are declared.
type Servers interface {
	Reader(server *schema.Resource) (osmc.Reader, error)
	Writer(server *schema.Resource) (osmc.Writer, error) // for Execute alone
	Machine(server *schema.Resource) (host.Host, error)  // nil where none is declared
	Session(server *schema.Resource) machine.Session
}

// Verbs are the verbs of a server that declares sync_tls, beside those of its maintenance window.
var Verbs = driver.Verbs[*Encryption]{openPort, editSettings, addTrust, byHand, presented}

// End is how the steps of a server's own maintenance window end.
const End = "server"

// The arguments of steps: what is needed beyond the declaration. A server whose services are stopped cannot be asked.
const (
	argRelease = machine.ArgRelease
	argFile    = "file"
	argPort    = "port"
)

// Verify asks whether the end of a step is reached.
func (e *Encryption) Verify(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	if connect.Declared(t.Resource).SyncTLS == nil {
		return executor.Verdict{}, executor.Final(fmt.Errorf("%s no longer declares sync_tls", t.Resource.Addr))
	}
	return Verbs.Verify(ctx, e, t)
}

// Execute carries a step out.
func (e *Encryption) Execute(ctx context.Context, t *executor.Task) (executor.Result, error) {
	if connect.Declared(t.Resource).SyncTLS == nil {
		return executor.Result{}, executor.NotSent(fmt.Errorf("%s no longer declares sync_tls", t.Resource.Addr))
	}
	return Verbs.Execute(ctx, e, t)
}

// machine is the machine of a server; an error where none is declared.
func (e *Encryption) machine(server *schema.Resource) (host.Host, error) {
	h, err := e.Servers.Machine(server)
	if err == nil && h == nil {
		err = executor.Final(fmt.Errorf("%s no longer declares its machine (host)", server.Addr))
	}
	return h, err
}

var errNoMachine = errors.New("no machine is declared (host)")
