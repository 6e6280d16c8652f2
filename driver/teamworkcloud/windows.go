package teamworkcloud

import (
	"context"
	"fmt"
	"slices"

	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/machine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/schema"
)

// commandsOf are how the machine of a server is worked on.
func commandsOf(server *schema.Resource, release osmc.Release) machine.Commands {
	return machine.CommandsOf(server.Addr.String(), declaredMachine(server), release)
}

// declaredMachine is what a server declares of its machine.
func declaredMachine(server *schema.Resource) machine.Declared {
	h := connect.Declared(server).Host
	if h == nil {
		return machine.Declared{}
	}
	return machine.Declared{
		Home: h.Home, Stop: h.Stop, Start: h.Start, Status: h.Status, Database: h.Database, DataManager: h.DataManager,
		Within: h.Within,
	}
}

// windowOf is the maintenance window of a server, for planning.
func windowOf(server *schema.Resource, end string, release osmc.Release) *machine.Window {
	return &machine.Window{
		End: end, Server: server.Addr.String(), URL: server.Text("url"), User: server.Text("user"),
		Commands: commandsOf(server, release),
	}
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
	return d.window(serverOf(t, end), end, t.Step.Args[argRelease], isTrue(t.Resource, "allow_logged_in"))
}

// windowFor is the window that a step belongs to.
func (d *Driver) windowFor(t *executor.Task) (*machine.Window, error) {
	if server := t.Resource; server.Addr.Kind == schema.Server {
		if !encrypts(server) {
			return nil, executor.Final(fmt.Errorf("%s declares no sync_tls any more", server.Addr))
		}
		return d.window(server, atServer, t.Step.Args[argRelease], isTrue(server, "sync_tls", "allow_logged_in"))
	}
	if sync := t.Resource.Ref("sync"); sync != nil {
		for _, end := range []string{atSource, atTarget} {
			if server := sync.Ref(end); server != nil && slices.Contains(t.Step.Servers, server.Addr.String()) {
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
