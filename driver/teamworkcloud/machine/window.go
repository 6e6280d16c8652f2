package machine

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/driver/rest"
	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// Window is a maintenance window, in which the services of one server are stopped. The users are told, nobody is
// logged in, the database is backed up, and the services are stopped and started again. All plans that work on a
// machine use these steps.
type Window struct {
	End           string // suffix of the steps' names: "source", "target", "server"
	Server        string // address of the declaration
	URL           string // the server's URL, for people
	User          string // user of syncctl on the server; "" if only the server knows
	Commands      Commands
	AllowLoggedIn bool // services may be stopped while other people are logged in
	Discreet      bool // other companies read what steps find, so nobody is named

	// Not needed for planning.
	Host    host.Host // nil: no machine is declared
	Session Session
}

// WindowOf returns the window of a declared server, for planning. end is the suffix of its steps' names.
func WindowOf(server *connect.Server, end string, release osmc.Release) *Window {
	return &Window{
		End: end, Server: server.Address(), URL: server.URL.String(), User: server.User.String(),
		Commands: CommandsFor(server, release),
	}
}

// Session is the part of the server's REST interface that a window needs.
type Session interface {
	Reader() (Reader, error)
	Answers(ctx context.Context) (bool, error) // whether the interface answers at all, even with an error
	LogOut(ctx context.Context)
}

// Reader reads from a server what it reports about itself.
type Reader interface {
	Version(ctx context.Context) (text string, release osmc.Release, err error)
	Health(ctx context.Context) (*osmc.Health, error)
	LoggedIn(ctx context.Context) ([]string, error)
	CurrentUser(ctx context.Context) (*osmc.User, error)
}

// The verbs of a window. The name of a step is the verb and the suffix, for example "stop_source".
const (
	Announce = "announce" // a person has the users log out
	Idle     = "idle"     // nobody else is logged in, and the machine can be reached
	Backup   = "backup"   // a person backs up the database
	Stop     = "stop"
	Start    = "start"
)

// Verbs are the verbs of a window.
var Verbs = driver.Verbs[*Window]{
	{Name: Announce, Verify: (*Window).verifyAnnounced},
	{Name: Idle, Verify: (*Window).verifyIdle},
	{Name: Backup, Verify: (*Window).verifyBackup},
	{Name: Stop, Execute: (*Window).stop, Verify: (*Window).verifyStopped},
	{Name: Start, Execute: (*Window).start, Verify: (*Window).verifyStarted},
}

// ArgRelease is the argument of a window's steps that holds the server's release. A server cannot be asked while its
// services are stopped.
const ArgRelease = "release"

// Op returns the name of the step for a verb.
func (w *Window) Op(verb string) string { return verb + "_" + w.End }

// lookWithin is how long a check waits for what only people can change. It is short.
const lookWithin = 5 * time.Second

// step fills in what all steps of the window have in common.
func (w *Window) step(verb string, s planner.Step) planner.Step {
	s.Verb, s.Servers = verb, []string{w.Server}
	return s
}

// AnnounceStep returns the step in which a person has the users log out of the server.
func (w *Window) AnnounceStep(in LoggedIn) planner.Step {
	who := "syncctl's user may not see who is logged in"
	switch {
	case in.Unasked:
		who = "who is logged in is looked at when its turn comes"
	case in.Known:
		who = "now " + wording.List(in.Users)
	}
	s := planner.Person(w.Op(Announce), fmt.Sprintf("have everybody commit their work and log out of %s (%s)", w.Server,
		who), planner.Manual{
		Where: "the users of " + w.URL, Action: "announce",
		Do: []string{
			fmt.Sprintf("Tell the users that %s goes down, and from when to when.", w.URL),
			"Wait until they have committed their work, released their locks and logged out.",
		},
		Values: []planner.Value{{Name: "server", Label: "Server", Value: w.URL}},
		Attest: "nobody works on the server any more (its user may not see who is logged in)",
	})
	s.Within = planner.Duration(20 * time.Second)
	s.Because = "its services are going to be stopped, and what is not committed by then is lost"
	return w.step(Announce, s)
}

// verifyAnnounced verifies that nobody else is logged in.
func (w *Window) verifyAnnounced(ctx context.Context, _ *executor.Task) (executor.Verdict, error) {
	in, err := w.LoggedIn(ctx)
	switch {
	case err != nil:
		return executor.Verdict{}, err
	case !in.Known:
		return executor.Unknown.Because("who is logged in to %s cannot be read", w.Server), nil
	case len(in.Users) > 0:
		return executor.NotDone.Because("logged in to %s: %s", w.Server, in.words(w.Discreet)), nil
	}
	return executor.Done.Because("nobody else is logged in to %s", w.Server), nil
}

// LoggedIn returns who is logged in except the user of syncctl.
func (w *Window) LoggedIn(ctx context.Context) (LoggedIn, error) {
	r, err := w.Session.Reader()
	if err != nil {
		return LoggedIn{}, err
	}
	user := w.User
	if user == "" {
		me, err := r.CurrentUser(ctx)
		switch {
		case osmc.NotAllowed(err):
		case err != nil:
			return LoggedIn{}, fmt.Errorf("asking %s whose token it is: %w", w.Server, err)
		default:
			user = me.Name
		}
	}
	return ReadLoggedIn(ctx, r, w.Server, user)
}

// NotAlone returns who is logged in although nobody may be, "" if nobody is. If the server does not show it, what
// counts is that a person has confirmed the step that announces the window.
func (w *Window) NotAlone(ctx context.Context, t *executor.Task) (string, error) {
	if w.AllowLoggedIn {
		return "", nil
	}
	in, err := w.LoggedIn(ctx)
	if err != nil {
		return "", err
	}
	return in.forbid(w.Server, t.IsDone(w.Op(Announce)), w.Discreet), nil
}

// IdleStep returns the check that guards the stop of the services. people says in words who may be logged in.
func (w *Window) IdleStep(people string) planner.Step {
	s := planner.Check(w.Op(Idle), people+", and its machine is reached", lookWithin)
	s.Because = "what somebody has not committed when services are stopped is lost"
	return w.step(Idle, s)
}

// verifyIdle verifies that nobody else is logged in, and that the machine knows the services.
func (w *Window) verifyIdle(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	if why, err := w.NotAlone(ctx, t); err != nil || why != "" {
		return executor.NotDone.Because("%s", why), err
	}
	m, err := w.Reach()
	if err != nil {
		return executor.Verdict{}, err
	}
	state, why, err := m.Status(ctx)
	switch {
	case err != nil:
		return executor.Verdict{}, err
	case state == RunningUnknown:
		return executor.Unknown.Because("it is unknown whether the services of %s run: %s", w.Server, why), nil
	}
	return executor.Done.Because("nobody works on %s: %s", w.Server, why), nil
}

// BackupStep returns the step in which a person backs up the database.
func (w *Window) BackupStep(because string) planner.Step {
	s := planner.Person(w.Op(Backup), "back up the database of "+w.Server, planner.Manual{
		Where: "the database (Cassandra) of " + w.URL, Action: "confirm_backup",
		Do: []string{
			"Make a full backup of the database, of all of its nodes, as you would before an upgrade.",
			"Make sure that it can be restored.",
		},
		Values: []planner.Value{{Name: "server", Label: "Server", Value: w.URL}},
		Attest: "there is a full backup of the database from after the verification, and it can be restored",
	})
	s.Because = because
	return w.step(Backup, s)
}

func (w *Window) verifyBackup(context.Context, *executor.Task) (executor.Verdict, error) {
	return executor.Unknown.Because("no interface shows backups"), nil
}

// Reach returns the machine of the server.
func (w *Window) Reach() (*Machine, error) {
	if w.Host == nil {
		return nil, fmt.Errorf("%s has no host block: its machine cannot be reached", w.Server)
	}
	return New(w.Host, w.Commands), nil
}

// StopStep returns the step that stops the services.
func (w *Window) StopStep(because string) planner.Step {
	s := planner.Act(w.Op(Stop), planner.MarkChange, planner.CheckFirst,
		fmt.Sprintf("stop the services of %s", w.Server))
	s.Commands = Lines(w.Commands.Stop...)
	s.Undo = "start them by hand, with the commands of step " + w.Op(Start)
	return w.servicesStep(Stop, because, s)
}

// StartStep returns the step that starts the services and waits until the server is healthy.
func (w *Window) StartStep(because string) planner.Step {
	s := planner.Act(w.Op(Start), planner.MarkChange, planner.CheckFirst,
		fmt.Sprintf("start the services of %s, and wait until it is healthy", w.Server))
	s.Commands = Lines(w.Commands.Start...)
	s.Undo = "stop them again, with the commands of step " + w.Op(Stop)
	return w.servicesStep(Start, because, s)
}

func (w *Window) servicesStep(verb, because string, s planner.Step) planner.Step {
	s.Because, s.Effect, s.Exclusive = because, &planner.Effect{}, Exclusive(w.Server)
	s.Within = planner.Duration(w.Commands.Within)
	return w.step(verb, s)
}

// stop logs out first, because that is not possible once the services are stopped.
func (w *Window) stop(ctx context.Context, t *executor.Task) (executor.Result, error) {
	m, err := w.Reach()
	if err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	w.Session.LogOut(ctx)
	return m.manage(ctx, t, m.Stop)
}

// verifyStopped verifies that the machine reports the services as stopped, and that the server does not answer. A
// cluster has several machines, and a unit may have another name: a server that answers is not stopped.
func (w *Window) verifyStopped(ctx context.Context, _ *executor.Task) (executor.Verdict, error) {
	m, err := w.Reach()
	if err != nil {
		return executor.Verdict{}, err
	}
	v, err := m.VerifyStopped(ctx)
	if err != nil || v.State != executor.Done {
		return v, err
	}
	answers, err := w.Session.Answers(ctx)
	switch {
	case err != nil:
		return executor.Verdict{}, err
	case answers:
		return executor.NotDone.Because("%s says that the services are stopped, but %s still answers: is it another "+
			"machine, "+
			"or one of several of a cluster? Name all of them in host.stop and host.status of %s", m.Host.Name(), w.URL,
			w.Server), nil
	}
	return executor.Done.Because("the services of %s are stopped; start them by hand with: %s", w.Server,
		JoinLines(m.Start...)), nil
}

func (w *Window) start(ctx context.Context, t *executor.Task) (executor.Result, error) {
	m, err := w.Reach()
	if err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	return m.manage(ctx, t, m.Start)
}

// verifyStarted verifies that the machine reports the services as running, and that the server is healthy.
func (w *Window) verifyStarted(ctx context.Context, _ *executor.Task) (executor.Verdict, error) {
	m, err := w.Reach()
	if err != nil {
		return executor.Verdict{}, err
	}
	state, why, err := m.Status(ctx)
	switch {
	case err != nil:
		return executor.Verdict{}, err
	case state == Stopped || state == RunningPartly:
		return executor.NotDone.Because("the services of %s do not all run: %s", w.Server, why), nil
	}
	v, err := w.VerifyHealthy(ctx)
	refused := errors.Is(err, osmc.ErrLogin) && rest.IsStatus(err, http.StatusUnauthorized, http.StatusForbidden) &&
		!errors.Is(err, osmc.ErrNoLicence)
	if refused || errors.As(err, new(*tls.CertificateVerificationError)) { // waiting does not help in either case
		return v, executor.Final(err)
	}
	v.Working = err == nil && v.State == executor.NotDone && state == RunningAll
	return v, err
}

// VerifyHealthy asks the server itself whether it is healthy. If its user may not see that, any answer is enough. A
// server is starting if it refuses connections, closes them without an answer, or its proxy reports that it is
// unavailable. Any other error, such as a refused login, a missing licence or a network that is down, says nothing
// about the server and is returned.
func (w *Window) VerifyHealthy(ctx context.Context) (executor.Verdict, error) {
	r, err := w.Session.Reader()
	if err != nil {
		return executor.Verdict{}, err
	}
	text, _, err := r.Version(ctx)
	if err != nil {
		return w.starting(ctx, err)
	}
	health, err := r.Health(ctx)
	if osmc.NotAllowed(err) || osmc.IsGone(err) {
		return executor.Done.Because("%s answers: %s", w.Server, wording.OneLine(text)), nil
	}
	if err != nil {
		return w.starting(ctx, err)
	}
	for _, n := range health.Nodes {
		if !strings.EqualFold(n.Status, "UP") {
			return executor.NotDone.Because("node %s of %s is %q, not UP", n.Name, w.Server, n.Status), nil
		}
	}
	switch {
	case len(health.Nodes) == 0:
		return executor.NotDone.Because("%s lists no node of its cluster", w.Server), nil
	case len(health.CassandraUnreachable) > 0:
		return executor.NotDone.Because("%s does not reach Cassandra's %s", w.Server,
			wording.List(health.CassandraUnreachable)), nil
	}
	return executor.Done.Because("%s is healthy: %s", w.Server, wording.OneLine(text)), nil
}

func (w *Window) starting(ctx context.Context, err error) (executor.Verdict, error) {
	var answer *rest.Error
	proxy := errors.As(err, &answer) && slices.Contains([]int{http.StatusBadGateway, http.StatusServiceUnavailable,
		http.StatusGatewayTimeout}, answer.Status)
	closed := errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF)
	if ctx.Err() != nil || errors.Is(err, osmc.ErrNoLicence) || !proxy && !closed {
		return executor.Verdict{}, fmt.Errorf("waiting for %s: %w", w.Server, err)
	}
	return executor.NotDone.Because("waiting for %s: %s", w.Server, wording.OneLine(err.Error())), nil
}
