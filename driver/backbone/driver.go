// Package backbone is the driver of K15t Backbone Issue Sync: its block types, its REST interface, and the migration
// of a synchronization over e-mail or files to a direct one with the cloud.
//
// The vendor's documents are cited by short forms of their addresses: H is https://help.k15t.com/backbone-issue-sync,
// HC is https://help-cloud.k15t.com/backbone-issue-sync, W is https://help.k15t.com/backbone-work-sync.
package backbone

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/rest"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// Driver is the driver of Backbone.
type Driver struct {
	env driver.Env

	mu      sync.Mutex
	clients map[schema.Addr]*reader // one per server, so that all steps share its rate limit and its verb
}

// New makes the driver.
func New(env driver.Env) driver.Driver {
	return &Driver{env: env, clients: map[schema.Addr]*reader{}}
}

// Close closes the idle connections to all servers. There are no sessions.
func (d *Driver) Close(context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range d.clients {
		c.rest.Close()
	}
	return nil
}

// verbs is the table of all verbs that the steps of a plan can have.
var verbs = driver.Verbs[*Driver]{
	noErrors, preflight, markHalves, marked, unmark, stop, stopByHand, drained, export, moveProject, merge, still,
	createSync, pair, pairByFile,
	configure,
	start, startByHand, resync, panel, stillStopped, verify, deleteHalf, gone, verifyRest,
}

// Verbs are the names of the verbs.
func (d *Driver) Verbs() []string { return verbs.Names() }

// Execute carries out a step over REST. What the interface cannot do is a person's step, which never gets here. A step
// with guards sends each request once: while a request waits to be sent again, what the guards have shown may change.
// The executor tries the step again later, and verifies the guards again before.
func (d *Driver) Execute(ctx context.Context, t *executor.Task) (executor.Result, error) {
	if len(t.Step.Guards) == 0 {
		return verbs.Execute(ctx, d, t)
	}
	r, err := verbs.Execute(rest.WithoutRetries(ctx), d, t)
	return r, driver.PutOff(err)
}

// Verify checks with the live servers, and in the run's files, whether a step is done.
func (d *Driver) Verify(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	return verbs.Verify(ctx, d, t)
}

// Plan turns one change into steps.
func (d *Driver) Plan(c planner.Change) (planner.Outline, hcl.Diagnostics) {
	switch c.Resource.Addr.Kind {
	case schema.Sync:
		s, diags := decodeSync(c.Resource)
		if diags.HasErrors() {
			return planner.Outline{}, diags
		}
		return planSync(s, c.Seen, c.Resource.Addr)
	case schema.Migration:
		m, diags := decodeMigration(c.Resource)
		if diags.HasErrors() {
			return planner.Outline{}, diags
		}
		return planMigration(m, c)
	}
	return planner.Outline{Action: planner.NoChange}, nil
}

var _ planner.Replacer = (*Driver)(nil)

// Replaces reports false: see Irreplaceable.
func (d *Driver) Replaces(schema.Addr) bool { return false }

// Irreplaceable says why a synchronization must not be replaced: only this one knows which issues belong together.
func (d *Driver) Irreplaceable(*schema.Resource, []schema.Addr) string {
	return "Backbone deletes with a synchronization which issues belong together, for good, and another one would " +
		"create every issue again. To start it again, declare state = \"stopped\", apply, and declare " +
		"state = \"running\" again. To configure it otherwise, change what it declares. To put another one in its " +
		"place that keeps the pairs, declare a migration."
}

// reader returns the read-only client of a server. There is one client per server, made at the first use.
func (d *Driver) reader(server *serverBlock) (*reader, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if c := d.clients[server.Addr()]; c != nil {
		return c, nil
	}
	c, err := d.connect(server)
	if err != nil {
		return nil, fmt.Errorf("connecting to %s: %w", server.Addr(), err)
	}
	d.clients[server.Addr()] = c
	return c, nil
}

func (d *Driver) writer(server *serverBlock) (writer, error) {
	c, err := d.reader(server)
	return writer{c}, err
}

func (d *Driver) connect(server *serverBlock) (*reader, error) {
	o, err := server.Rest(d.env)
	if err != nil {
		return nil, err
	}
	o.Authorize = server.Authorize
	o.Secrets = []string{server.Secret(), server.User.Reveal() + ":" + server.Secret()}
	client, err := rest.New(o)
	if err != nil {
		return nil, err
	}
	c := &reader{server: server, rest: client, verb: &atomic.Value{}}
	switch server.Verb {
	case "put":
		c.verb.Store(http.MethodPut)
	case "post":
		c.verb.Store(http.MethodPost)
	}
	return c, nil
}
