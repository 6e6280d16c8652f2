// Package teamworkcloud is the driver for Teamwork Cloud: its words in the language, how resources are shared in one
// direction between clusters, and how dormant ones are offloaded.
//
// Documents are cited by the vendor's addresses: MCS, DEVG and VN are spaces of https://docs.nomagic.com, and "seed"
// is the vendor's page "Cross-cluster resource synchronization".
package teamworkcloud

import (
	"context"
	"crypto/rand"
	"io"
	"time"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/schema"
)

// Driver is the driver for Teamwork Cloud.
type Driver struct {
	env      driver.Env
	random   io.Reader
	sessions *connect.Sessions
	listings *survey.Listings
}

// New returns the driver.
func New(env driver.Env) driver.Driver {
	if env.LookupEnv == nil {
		env.LookupEnv = func(string) (string, bool) { return "", false }
	}
	if env.Now == nil {
		env.Now = time.Now
	}
	return &Driver{env: env, random: rand.Reader, sessions: connect.NewSessions(env),
		listings: survey.NewListings(env.Now)}
}

// Close logs out of all servers.
func (d *Driver) Close(ctx context.Context) error { return d.sessions.Close(ctx) }

// reader returns a client that can only read from the server.
func (d *Driver) reader(server *schema.Resource) (osmc.Reader, error) {
	return d.sessions.Reader(server)
}

// writer returns a client that can change things on the server. Only Execute may use it.
func (d *Driver) writer(server *schema.Resource) (osmc.Writer, error) {
	return d.sessions.Writer(server)
}

// machine returns the machine of a server, or nil if none is declared.
func (d *Driver) machine(server *schema.Resource) (host.Host, error) { return d.sessions.Host(server) }
