package teamworkcloud

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/driver/rest"
	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/encrypt"
	"github.com/syncctl/syncctl/driver/teamworkcloud/machine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

var _ driver.Doctor = (*Driver)(nil)

// Examine examines a server, and its machine at the same time.
func (d *Driver) Examine(ctx context.Context, r *schema.Resource, users []*schema.Resource) []driver.Examination {
	if connect.Declared(r).Host == nil {
		return d.examineServer(ctx, r, users)
	}
	var found, onMachine []driver.Examination
	_ = rest.Beside(ctx, func(ctx context.Context) error { // an examination has no error, only a result that says so
		found = d.examineServer(ctx, r, users)
		return nil
	}, func(ctx context.Context) error {
		onMachine = d.examineMachine(ctx, r)
		return nil
	})
	return append(found, onMachine...)
}

// failed returns the result for an examination that could not be made, or that the server refused.
func failed(ctx context.Context, what string, err error, advice string) driver.Examination {
	state := driver.Unknown
	if rest.IsStatus(err, http.StatusUnauthorized, http.StatusForbidden) {
		state = driver.Fail
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return driver.Examination{What: what, State: state, Seen: wording.OneLine(err.Error()), Advice: advice}
}

// examineServer examines the REST interface of a server: release, ports, and the rights of the user.
func (d *Driver) examineServer(
	ctx context.Context, r *schema.Resource, users []*schema.Resource,
) []driver.Examination {
	c, err := d.reader(r)
	if err != nil {
		return []driver.Examination{{
			What: driver.WhatReached, State: driver.Fail, Seen: wording.OneLine(err.Error()),
			Advice: "Correct its declaration.",
		}}
	}
	server := connect.Declared(r)
	about, err := survey.ReadServer(ctx, c, server)
	found := driver.ExamineEndpoint(ctx, c.Endpoint(), server.URL.String(), err, d.env.Now())
	if c.Endpoint() == nil || errors.Is(err, rest.ErrAddress) {
		return found
	}
	if err != nil {
		return append(found, failed(ctx, driver.WhatCredentials, err, "Check user, and password or token."))
	}
	credentials := driver.Examination{What: driver.WhatCredentials, State: driver.OK, Seen: "accepted, as " + about.User}
	if about.User == "" {
		credentials.State, credentials.Seen = driver.Unknown, "accepted, and the server does not say whose token it is"
		credentials.Advice = "Declare user beside the token."
	}
	found = append(found, credentials, examineRelease(about, server), examinePorts(about, server))
	if slices.ContainsFunc(users, func(user *schema.Resource) bool {
		return user.Addr.Kind == schema.Sync && survey.Declared(user).Target == r
	}) {
		found = append(found, examineRole(ctx, c, server))
	}
	return found
}

func examineRelease(about *survey.Server, server *connect.Server) driver.Examination {
	x := driver.Examination{What: whatRelease, State: driver.OK, Seen: cmp.Or(about.Release.String(), about.Text)}
	switch {
	case about.Major == "":
		x.State, x.Seen = driver.Unknown, "the server says "+wording.Quote(about.Text)
		x.Advice = "Look at it in the web application: both servers of a synchronization must be of one major version."
	case server.Expect != nil && server.Expect.Major != "" && server.Expect.Major != about.Major:
		x.State = driver.Fail
		x.Advice = fmt.Sprintf("expect.major is %s: is this the server that is meant?", server.Expect.Major)
	case about.Release.IsZero():
		x.Seen = fmt.Sprintf("%s by its database %s", about.Major, about.Keyspace)
	}
	return x
}

// examinePorts examines which ports a server has. Without sync_tls, an unknown port is only a warning: it affects only
// values that a person enters, which are verified, and a plan assumes the vendor's.
func examinePorts(about *survey.Server, server *connect.Server) driver.Examination {
	x := driver.Examination{What: whatPorts, State: driver.OK}
	if !about.Ports {
		x.State, x.Seen = driver.Unknown, "the server does not say which ports it has"
		if server.SyncTLS == nil {
			x.State = driver.Warn
			x.Seen += fmt.Sprintf("; a plan takes %d, the vendor's", connect.PlainPort)
		}
		x.Advice = "Let the user read the server's health (Server Administrator), or look at its settings."
		return x
	}
	encrypted := "no encrypted one"
	if about.TLSPort != 0 {
		encrypted = fmt.Sprintf("%d encrypted", about.TLSPort)
	}
	x.Seen = fmt.Sprintf("%d plain, %s", about.PlainPort, encrypted)
	return x
}

// examineRole examines whether the user has the role that the target of a synchronization needs, on any category, or
// may grant it.
func examineRole(ctx context.Context, c osmc.Reader, server *connect.Server) driver.Examination {
	body, err := survey.Observe(ctx, c, server, planner.Need{Server: server.Address(), What: survey.AboutRole})
	if err != nil {
		return failed(ctx, whatRole, err, "Look at the user's roles in the web application.")
	}
	rights := body.(*survey.Rights)
	x := driver.Examination{What: whatRole, State: driver.OK}
	advice := fmt.Sprintf("Give %s the role %s on the target category.", cmp.Or(rights.User, "the user"), rights.Name)
	switch own := rights.Own; {
	case own == nil:
		x.State, x.Seen, x.Advice = driver.Unknown, "the server does not say which roles the user has", advice
	case own.Everywhere:
		x.Seen = rights.Name + " everywhere"
	case len(own.Objects) > 0:
		x.Seen = fmt.Sprintf("%s on %s", rights.Name, wording.Plural(len(own.Objects), "object"))
	case own.Unknown:
		x.State, x.Advice = driver.Unknown, advice
		x.Seen = rights.Name + ", and the server does not say on what"
	case rights.MayGrant:
		x.Seen = "not yet " + rights.Name + "; a plan gives it"
	default:
		x.State, x.Seen, x.Advice = driver.Fail, "not "+rights.Name+", and the user may not give it", advice
	}
	return x
}

// examineMachine examines the machine of a server: the login, its services and who may restart them, Data Manager, and
// the settings files that encryption needs.
func (d *Driver) examineMachine(ctx context.Context, r *schema.Resource) []driver.Examination {
	const advice = "Check ssh, key, known_hosts and jump of host."
	h, err := d.machine(r)
	if err != nil {
		x := failed(ctx, whatMachine, err, advice)
		x.State = driver.Fail
		return []driver.Examination{x}
	}
	server, release := connect.Declared(r), d.releaseOf(ctx, r)
	m := machine.New(h, machine.CommandsFor(server, release))
	state, why, err := m.Status(ctx)
	if err != nil {
		x := failed(ctx, whatMachine, err, advice)
		x.State = driver.Fail
		return []driver.Examination{x}
	}
	seen := h.Name()
	if !server.Host.Local {
		seen += ": logged in, and its host key is known"
	}
	found := []driver.Examination{
		{What: whatMachine, State: driver.OK, Seen: seen}, examineServices(state, why),
	}
	if x := examineSudo(ctx, m); x != nil {
		found = append(found, *x)
	}
	found = append(found, examineDataManager(ctx, m))
	for _, name := range encrypt.Files(server, release) {
		found = append(found, examineFile(ctx, h, whatFile, name))
	}
	return found
}

// releaseWithin is the timeout for asking the server for its release before its machine is examined. A server that
// does not answer says nothing about its machine.
const releaseWithin = 5 * time.Second

// releaseOf returns the release of a server, or zero if it is unknown.
func (d *Driver) releaseOf(ctx context.Context, r *schema.Resource) osmc.Release {
	c, err := d.reader(r)
	if err != nil {
		return osmc.Release{}
	}
	ctx, cancel := context.WithTimeout(ctx, releaseWithin)
	defer cancel()
	_, release, _ := c.Version(ctx) // an unknown release counts as new, as in every plan
	return release
}

func examineServices(state machine.Running, why string) driver.Examination {
	x := driver.Examination{What: whatServices, State: driver.OK, Seen: "all run"}
	switch state {
	case machine.RunningAll:
	case machine.RunningPartly:
		x.State, x.Seen, x.Advice = driver.Fail, "some are stopped: "+why, "Start them."
	case machine.Stopped:
		x.State, x.Seen, x.Advice = driver.Fail, "stopped: "+why, "Start them; or is this the machine of another server?"
	default:
		x.State, x.Seen, x.Advice = driver.Unknown, why, "See host.status."
	}
	return x
}

// examineSudo asks sudo whether the login may stop and start the services without a password: sudo lists the command
// and does not run it. examineSudo returns nil if no command needs sudo.
func examineSudo(ctx context.Context, m *machine.Machine) *driver.Examination {
	x := &driver.Examination{What: whatSudo, State: driver.OK,
		Seen: "lists stopping and starting the services as allowed"}
	asked := false
	for _, args := range slices.Concat(m.Stop, m.Start) {
		if len(args) < 2 || args[0] != "sudo" || strings.HasPrefix(args[1], "-") {
			continue
		}
		asked = true
		out, err := m.Host.Run(ctx, host.Command{Args: append([]string{"sudo", "-n", "-l"}, args[1:]...)})
		switch {
		case err != nil:
			f := failed(ctx, x.What, err, "Try it by hand.")
			return &f
		case out.Code == 127:
			x.State, x.Seen = driver.Fail, "there is no sudo on the machine"
			x.Advice = "Declare host.stop and host.start."
			return x
		case out.Code != 0:
			x.State, x.Seen = driver.Fail, "may not run without a password: "+host.Quote(args[1:])
			x.Advice = "Allow it in sudoers with NOPASSWD, or declare host.stop and host.start."
			return x
		}
	}
	if !asked {
		return nil
	}
	return x
}

// examineDataManager checks that the program exists. It does not run it.
func examineDataManager(ctx context.Context, m *machine.Machine) driver.Examination {
	for _, word := range slices.Backward(m.DataManager) {
		if strings.HasPrefix(word, "/") {
			return examineFile(ctx, m.Host, whatDataManager, word)
		}
	}
	return driver.Examination{
		What: whatDataManager, State: driver.Unknown,
		Seen:   host.Quote(m.DataManager) + " is looked for when it is first run",
		Advice: "Name it with its folder in host.datamanager.",
	}
}

// examineFile checks that a file exists and may be read.
func examineFile(ctx context.Context, h host.Host, what, name string) driver.Examination {
	x := driver.Examination{What: what, State: driver.OK, Seen: name}
	f, err := h.Files(ctx).Open(name)
	if err == nil {
		err = f.Close()
	}
	switch {
	case err == nil:
	case errors.Is(err, fs.ErrNotExist):
		x.State, x.Seen, x.Advice = driver.Fail, name+" does not exist", "Correct host.home, or name the file in host."
	case errors.Is(err, fs.ErrPermission):
		x.State, x.Seen = driver.Fail, name+" may not be read by this login"
		x.Advice = "Let the login read it."
	default:
		return failed(ctx, what, fmt.Errorf("%s: %w", name, err), "Try it by hand.")
	}
	return x
}
