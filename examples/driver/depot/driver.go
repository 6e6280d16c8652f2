// Package depot is the smallest whole product, to learn from: a depot keeps boxes, which have a colour and a
// label. Its interface paints a box; a label is stuck on by a person, and the interface only shows it.
//
// The files are named as in every driver: types.go is what can be declared, observe.go what a server shows,
// plan.go the steps between the two, findings.go what a person must know first, and then one file for each
// verb, with its step, its execution and its verification.
package depot

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"example.com/syncctl-depot/depot/depotsim"
	"github.com/syncctl/syncctl/cli"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/sandbox"
	"github.com/syncctl/syncctl/schema"
)

// Product is all that syncctl needs to know of the depot: main.go hands it over.
var Product = cli.Product{
	Name:      "depot",
	Driver:    New,
	Simulator: func(seed []byte) (sandbox.World, error) { return depotsim.Open(seed) },
	Tools:     []driver.Tool{paintTool},
}

// verbs are the kinds of steps that Plan makes.
var verbs = driver.Verbs[*Driver]{paint, label, inspect, scrap}

// Verbs are the names of the verbs.
func (d *Driver) Verbs() []string { return verbs.Names() }

// Driver knows the depot. One is made for each command, and serves all declarations of the configuration.
type Driver struct {
	env driver.Env

	mu      sync.Mutex
	clients map[*schema.Resource]*client // one for each server, so that one session serves all steps
}

// New makes the driver. It contacts no server.
func New(env driver.Env) driver.Driver {
	return &Driver{env: env, clients: map[*schema.Resource]*client{}}
}

// reader returns the client of a declared server.
func (d *Driver) reader(server *schema.Resource) (reader, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if c := d.clients[server]; c != nil {
		return reader{c}, nil
	}
	c, err := connect(d.env, server)
	if err != nil {
		return reader{}, fmt.Errorf("connecting to %s: %w", server.Addr, err)
	}
	d.clients[server] = c
	return reader{c}, nil
}

// open gives a step its declaration and the client of its server.
func (d *Driver) open(r *schema.Resource) (*declaredBox, reader, error) {
	b, diags := decodeBox(r)
	if diags.HasErrors() {
		return nil, reader{}, executor.NotSent(diags)
	}
	c, err := d.reader(b.Server)
	return b, c, executor.NotSent(err)
}

// Execute carries a step out.
func (d *Driver) Execute(ctx context.Context, t *executor.Task) (executor.Result, error) {
	return verbs.Execute(ctx, d, t)
}

// Verify asks the server whether the end of a step is reached. A server that does not answer is an error, never
// an answer.
func (d *Driver) Verify(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	return verbs.Verify(ctx, d, t)
}

// Close ends the sessions at the servers. It is called when the command has ended, however it ended.
func (d *Driver) Close(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	var errs []error
	for _, c := range d.clients {
		errs = append(errs, c.logOut(ctx))
	}
	return errors.Join(errs...)
}
