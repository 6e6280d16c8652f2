// Package backbone is all there is to know about K15t Backbone Issue Sync: its words in the language, its REST interface,
// and how a synchronization over e-mail or files becomes a direct one with the cloud.
//
// Documents are cited as in the vendor's addresses: H is https://help.k15t.com/backbone-issue-sync, HC is
// https://help-cloud.k15t.com/backbone-issue-sync, W is https://help.k15t.com/backbone-work-sync.
package backbone

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/rest"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// Driver knows Backbone.
type Driver struct {
	env driver.Env

	mu      sync.Mutex
	clients map[*schema.Resource]*reader // one for each server, so that its rate limit and its verb hold for all steps
}

// New makes the driver.
func New(env driver.Env) driver.Driver {
	return &Driver{env: env, clients: map[*schema.Resource]*reader{}}
}

// Plan turns one change into steps.
func (d *Driver) Plan(c planner.Change) (planner.Outline, hcl.Diagnostics) {
	var out planner.Outline
	var err error
	switch c.Resource.Addr.Kind {
	case schema.Sync:
		out, err = planSync(c.Resource, c.Actual, c.Resource.Addr.String())
	case schema.Migration:
		var f migrationFacts
		if err = unpack(c.Actual.GetAttr("facts"), &f); err != nil {
			break
		}
		m := newMigrating(c.Resource, f)
		if !m.ended() {
			return planMigration(m)
		}
		// What the migration has led to is looked after like any other synchronization.
		out, err = planSync(m.to, c.Actual.GetAttr("new"), c.Resource.Addr.String())
	default:
		return planner.Outline{Action: planner.NoChange}, nil
	}
	if err != nil {
		return out, hcl.Diagnostics{problem(c.Resource, "Cannot plan", err.Error())}
	}
	return out, nil
}

// reader returns the client of a server that cannot change anything.
func (d *Driver) reader(server *schema.Resource) (*reader, error) {
	if server == nil {
		return nil, errors.New("connecting: the server is not declared any more")
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if c := d.clients[server]; c != nil {
		return c, nil
	}
	c, err := d.connect(server)
	if err != nil {
		return nil, planner.About(server, fmt.Errorf("connecting to %s: %w", server.Addr, err))
	}
	d.clients[server] = c
	return c, nil
}

func (d *Driver) writer(server *schema.Resource) (writer, error) {
	c, err := d.reader(server)
	return writer{c}, err
}

// connect is where a server's secrets are taken out of the configuration.
func (d *Driver) connect(server *schema.Resource) (*reader, error) {
	user, secret := reveal(server, "user"), reveal(server, "password")
	if secret == "" {
		secret = reveal(server, "token")
	}
	ca, err := d.authorities(server)
	if err != nil {
		return nil, err
	}
	timeout, err := parseDuration(server.Text("request_timeout"))
	if err != nil {
		timeout = 30 * time.Second
	}
	perSecond, _ := server.Get("requests_per_second").AsBigFloat().Float64()
	client, err := rest.New(rest.Options{
		BaseURL: reveal(server, "url"),
		Authorize: func(r *http.Request) {
			if user == "" {
				r.Header.Set("Authorization", "Bearer "+secret)
				return
			}
			r.SetBasicAuth(user, secret)
		},
		CAPEM: ca, Secrets: []string{secret, user + ":" + secret},
		Timeout: timeout, RatePerSecond: perSecond,
		Log: d.env.Log.Named(server.Addr.Name), UserAgent: "syncctl/" + d.env.Version,
	})
	if err != nil {
		return nil, err
	}
	c := &reader{server: server, rest: client, cloud: server.Text("deployment") == cloud, verb: &atomic.Value{}}
	switch server.Text("start_stop_verb") {
	case "put":
		c.verb.Store(http.MethodPut)
	case "post":
		c.verb.Store(http.MethodPost)
	}
	return c, nil
}

func reveal(r *schema.Resource, path ...string) string {
	v := schema.Reveal(r.Get(path...))
	if v.IsNull() || !v.IsKnown() {
		return ""
	}
	return v.AsString()
}

// authorities are the certificates trusted beside the system's.
func (d *Driver) authorities(server *schema.Resource) ([]byte, error) {
	pem := []byte(reveal(server, "ca"))
	name := reveal(server, "ca_file")
	if name == "" {
		return pem, nil
	}
	b, err := afero.ReadFile(d.env.Fs, name)
	if err != nil {
		return nil, fmt.Errorf("reading ca_file: %w", err)
	}
	return append(append(pem, '\n'), b...), nil
}
