// Package teamworkcloud is all there is to know about Teamwork Cloud: its words in the language, how resources are
// shared one way between clusters, and how dormant ones are offloaded.
//
// Documents are cited as in the vendor's addresses: MCS, DEVG and VN are spaces of https://docs.nomagic.com, and
// "seed" is the vendor's page "Cross-cluster resource synchronization".
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

// Driver knows Teamwork Cloud.
type Driver struct {
	env      driver.Env
	random   io.Reader
	sessions *connect.Sessions
	listings *survey.Listings
}

// New makes the driver.
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

// Close logs out everywhere.
func (d *Driver) Close(ctx context.Context) error { return d.sessions.Close(ctx) }

// reader asks a server and cannot change anything.
func (d *Driver) reader(server *schema.Resource) (osmc.Reader, error) {
	return d.sessions.Reader(server)
}

// writer is for Execute alone.
func (d *Driver) writer(server *schema.Resource) (osmc.Writer, error) {
	return d.sessions.Writer(server)
}

// machine is the host behind a server, nil where none is declared.
func (d *Driver) machine(server *schema.Resource) (host.Host, error) { return d.sessions.Host(server) }
