package teamworkcloud

import (
	"context"
	"fmt"
	"slices"

	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/encrypt"
	"github.com/syncctl/syncctl/driver/teamworkcloud/machine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/schema"
)

// windowOf is the maintenance window of a server, for planning.
func windowOf(server *schema.Resource, end string, release osmc.Release) *machine.Window {
	return machine.WindowOf(connect.Declared(server), end, release)
}

// window is the maintenance window of a server. The release comes from the plan: a server whose services are stopped
// cannot be asked.
func (d *Driver) window(server *schema.Resource, end, release string, allowLoggedIn bool) (*machine.Window, error) {
	r, _ := osmc.ParseRelease(release) // one that is unknown counts as new
	w := windowOf(server, end, r)
	w.AllowLoggedIn, w.Session = allowLoggedIn, session{d, server}
	h, err := d.machine(server)
	if h != nil {
		w.Host = h
	}
	return w, err
}

// windowAt is the window at an end of an offload.
func (d *Driver) windowAt(t *executor.Task, end string) (*machine.Window, error) {
	return d.window(serverOf(t, end), end, t.Step.Args[argRelease], declaredOffload(t.Resource).AllowLoggedIn)
}

// windowFor is the window that a step belongs to.
func (d *Driver) windowFor(t *executor.Task) (*machine.Window, error) {
	if server := t.Resource; server.Addr.Kind == schema.Server {
		tls := connect.Declared(server).SyncTLS
		if tls == nil {
			return nil, executor.Final(fmt.Errorf("%s no longer declares sync_tls", server.Addr))
		}
		return d.window(server, encrypt.End, t.Step.Args[argRelease], tls.AllowLoggedIn)
	}
	if syncOf(t) != nil {
		for _, end := range []string{atSource, atTarget} {
			if slices.Contains(t.Step.Servers, serverOf(t, end).Addr.String()) {
				return d.windowAt(t, end)
			}
		}
	}
	return nil, executor.Final(fmt.Errorf("the server of step %s is not declared any more", t.Step.ID))
}

// reach is the machine behind a server.
func (d *Driver) reach(server *schema.Resource, release string) (*machine.Machine, error) {
	w, err := d.window(server, "", release, false)
	if err != nil {
		return nil, err
	}
	return w.Reach()
}

// healthy asks a server itself whether it is healthy.
func (d *Driver) healthy(ctx context.Context, server *schema.Resource) (executor.Verdict, error) {
	w, err := d.window(server, "", "", false)
	if err != nil {
		return executor.Verdict{}, err
	}
	return w.VerifyHealthy(ctx)
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
