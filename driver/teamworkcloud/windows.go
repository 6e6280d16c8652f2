package teamworkcloud

import (
	"context"
	"fmt"
	"slices"

	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/encrypt"
	"github.com/syncctl/syncctl/driver/teamworkcloud/machine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/offload"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/schema"
)

// window returns the maintenance window of a server. The release comes from the plan, because a server cannot be asked
// while its services are stopped.
func (d *Driver) window(server *schema.Resource, end, release string) (*machine.Window, error) {
	r, _ := osmc.ParseRelease(release) // an unknown release counts as a new one
	w := machine.WindowOf(connect.Declared(server), end, r)
	w.Session = session{d, server}
	h, err := d.machine(server)
	if h != nil {
		w.Host = h
	}
	return w, err
}

// windowFor returns the window that a step belongs to.
func (d *Driver) windowFor(t *executor.Task) (*machine.Window, error) {
	release := t.Step.Args[machine.ArgRelease]
	if server := t.Resource; server.Addr.Kind == schema.Server {
		tls := connect.Declared(server).SyncTLS
		if tls == nil {
			return nil, executor.Final(fmt.Errorf("%s no longer declares sync_tls", server.Addr))
		}
		w, err := d.window(server, encrypt.End, release)
		if err == nil {
			w.AllowLoggedIn = tls.AllowLoggedIn
		}
		return w, err
	}
	if sync := survey.Declared(offload.Declared(t.Resource).Sync); sync != nil {
		for _, end := range []string{survey.AtSource, survey.AtTarget} {
			if server := sync.Server(end); server != nil && slices.Contains(t.Step.Servers, server.Address()) {
				return d.offloading(t.Resource, t).Window(end, release)
			}
		}
	}
	return nil, executor.Final(fmt.Errorf("the server of step %s is not declared any more", t.Step.ID))
}

// session is the REST interface of one server, for its window.
type session struct {
	d      *Driver
	server *schema.Resource
}

func (s session) Reader() (machine.Reader, error) { return s.d.reader(s.server) }
func (s session) Answers(ctx context.Context) (bool, error) {
	return s.d.sessions.Answers(ctx, s.server)
}
func (s session) LogOut(ctx context.Context) { s.d.sessions.LogOut(ctx, s.server) }
