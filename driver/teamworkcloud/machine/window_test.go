package machine

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"syscall"
	"testing"

	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/driver/rest"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// fakeServer is a server's REST interface.
type fakeServer struct {
	users     []string
	mayNotSee bool // who is logged in is hidden
	health    osmc.Health
	silent    bool
	fails     error // returned instead of a failed connection
	loggedOut int
}

func (f *fakeServer) Reader() (Reader, error)               { return f, nil }
func (f *fakeServer) Answers(context.Context) (bool, error) { return !f.silent, nil }
func (f *fakeServer) LogOut(context.Context)                { f.loggedOut++ }

func (f *fakeServer) Version(context.Context) (string, osmc.Release, error) {
	if f.silent {
		if f.fails != nil {
			return "", osmc.Release{}, f.fails
		}
		return "", osmc.Release{}, syscall.ECONNREFUSED
	}
	return "2024x", osmc.Release{Year: 2024}, nil
}

func (f *fakeServer) Health(context.Context) (*osmc.Health, error) { return &f.health, nil }

func (f *fakeServer) LoggedIn(context.Context) ([]string, error) {
	if f.mayNotSee {
		return nil, &rest.Error{Status: http.StatusForbidden}
	}
	return append([]string{"syncctl"}, f.users...), nil
}

func (f *fakeServer) CurrentUser(context.Context) (*osmc.User, error) {
	return &osmc.User{Name: "syncctl"}, nil
}

func windowAt(f *fakeServer, status host.Output) *Window {
	h := &fakeHost{answers: map[string]host.Output{"status": status, "stop": {}, "start": {}}}
	c := CommandsOf("server.x.a", Declared{Stop: [][]string{{"stop"}}, Start: [][]string{{"start"}},
		Status: []string{"status"}}, osmc.Release{})
	return &Window{End: "source", Server: "server.x.a", URL: "https://a", Commands: c, Host: h, Session: f}
}

func task(op string) *executor.Task {
	return &executor.Task{Step: planner.Step{Op: op}}
}

// TestWindow checks each verb of the window, with a server and its machine.
func TestWindow(t *testing.T) {
	up, down := host.Output{Stdout: "active\nactive\n"}, host.Output{Stdout: "inactive\ninactive\n", Code: 3}
	healthy := osmc.Health{Nodes: []osmc.Node{{Name: "n1", Status: "UP"}}}
	for name, c := range map[string]struct {
		verb    string
		server  fakeServer
		status  host.Output
		want    executor.State
		working bool
	}{
		"announced, nobody is left":     {Announce, fakeServer{}, up, executor.Done, false},
		"announced, somebody is left":   {Announce, fakeServer{users: []string{"eve"}}, up, executor.NotDone, false},
		"announced, and nobody can see": {Announce, fakeServer{mayNotSee: true}, up, executor.Unknown, false},
		"idle":                          {Idle, fakeServer{}, up, executor.Done, false},
		"idle, but somebody is in":      {Idle, fakeServer{users: []string{"eve"}}, up, executor.NotDone, false},
		"idle, and nobody can see":      {Idle, fakeServer{mayNotSee: true}, up, executor.NotDone, false},
		"idle, status unknown": {Idle, fakeServer{}, host.Output{Code: 1,
			Stderr: "sudo: a password is required\n"}, executor.Unknown, false},
		"a backup":                {Backup, fakeServer{}, up, executor.Unknown, false},
		"stopped":                 {Stop, fakeServer{silent: true}, down, executor.Done, false},
		"stopped, but it answers": {Stop, fakeServer{}, down, executor.NotDone, false},
		"not stopped":             {Stop, fakeServer{silent: true}, up, executor.NotDone, false},
		"stopping": {Stop, fakeServer{silent: true},
			host.Output{Stdout: "inactive\ndeactivating\n", Code: 3}, executor.NotDone, false},
		"stopped, status unknown": {Stop, fakeServer{silent: true},
			host.Output{Code: 1, Stderr: "Failed to connect to bus\n"}, executor.Unknown, false},
		"started":            {Start, fakeServer{health: healthy}, up, executor.Done, false},
		"started, coming up": {Start, fakeServer{silent: true}, up, executor.NotDone, true},
		"started in part": {Start, fakeServer{health: healthy},
			host.Output{Stdout: "active\ninactive\n", Code: 3}, executor.NotDone, false},
		"started, a node is down": {Start, fakeServer{health: osmc.Health{Nodes: []osmc.Node{{Name: "n1",
			Status: "DOWN"}}}}, up, executor.NotDone, true},
		"started, a node says nothing": {Start, fakeServer{health: osmc.Health{Nodes: []osmc.Node{{Name: "n1"}}}}, up,
			executor.NotDone, true},
		"started, no node": {Start, fakeServer{}, up, executor.NotDone, true},
		"started, database away": {Start, fakeServer{health: osmc.Health{
			Nodes: []osmc.Node{{Name: "n1", Status: "UP"}}, CassandraUnreachable: []string{"10.0.0.2"},
		}}, up, executor.NotDone, true},
	} {
		w := windowAt(&c.server, c.status)
		s := task(w.Op(c.verb))
		s.Step.Verb = c.verb
		v, err := Verbs.Verify(t.Context(), w, s)
		if err != nil || v.State != c.want || v.Working != c.working || v.Why == "" {
			t.Errorf("%s: %+v, %v; want %s", name, v, err, c.want)
		}
	}
}

// TestStartedAndNotLetIn checks that a failed login says nothing about services that run. Errors for which a run can
// wait are passed on unchanged, and a refused login or a wrong certificate ends the step at once.
func TestStartedAndNotLetIn(t *testing.T) {
	status := func(code int) error { return &rest.Error{Status: code} }
	noLicence := fmt.Errorf("%w: %w", osmc.ErrLogin, osmc.ErrNoLicence)
	unknownCA := &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}
	for name, c := range map[string]struct {
		fails error
		final bool
	}{
		"refused":            {fmt.Errorf("%w: %w", osmc.ErrLogin, status(http.StatusUnauthorized)), true},
		"no licence":         {fmt.Errorf("%w (%w)", noLicence, status(http.StatusForbidden)), false},
		"no licence, by 503": {fmt.Errorf("%w (%w)", noLicence, status(http.StatusServiceUnavailable)), false},
		"another CA":         {unknownCA, true},
		"no network":         {errors.New("network is unreachable"), false},
	} {
		w := windowAt(&fakeServer{silent: true, fails: c.fails}, host.Output{Stdout: "active\nactive\n"})
		s := task(w.Op(Start))
		s.Step.Verb = Start
		v, err := Verbs.Verify(t.Context(), w, s)
		if !errors.Is(err, c.fails) || v.Working || (reflect.TypeOf(err) == reflect.TypeOf(executor.Final(err))) != c.final {
			t.Errorf("%s: %+v, %v", name, v, err)
		}
	}
}

// TestWindowSteps checks that every step is one of the window's verbs, has the suffix of its end, and names its
// server.
func TestWindowSteps(t *testing.T) {
	w := windowAt(&fakeServer{}, host.Output{})
	steps := []planner.Step{w.AnnounceStep(LoggedIn{Known: true, Users: []string{"eve"}}), w.IdleStep("nobody is in"),
		w.BackupStep("x"), w.StopStep("x"), w.StartStep("x")}
	var verbs []string
	for _, s := range steps {
		verbs = append(verbs, s.Verb)
		if !Verbs.Has(s.Verb) || s.Op != s.Verb+"_source" || len(s.Servers) != 1 || s.Servers[0] != "server.x.a" ||
			s.Because == "" || s.Repeat == "" {
			t.Errorf("%+v", s)
		}
	}
	if len(verbs) != len(Verbs) {
		t.Errorf("steps for %s, verbs %s", verbs, Verbs.Names())
	}
}

// TestStopLogsOutFirst checks the logout before stopping, since otherwise a session would stay open.
func TestStopLogsOutFirst(t *testing.T) {
	f := &fakeServer{}
	w := windowAt(f, host.Output{})
	for verb, loggedOut := range map[string]int{Start: 0, Stop: 1} {
		f.loggedOut = 0
		s := task(w.Op(verb))
		s.Step.Verb = verb
		if _, err := Verbs.Execute(t.Context(), w, s); err != nil || f.loggedOut != loggedOut {
			t.Errorf("%s: logged out %d times, %v", verb, f.loggedOut, err)
		}
	}
	w.Host = nil
	s := task(w.Op(Stop))
	s.Step.Verb = Stop
	if _, err := Verbs.Execute(t.Context(), w, s); !executor.WasNotSent(err) ||
		!strings.Contains(err.Error(), "no host block") {
		t.Errorf("without a machine: %v", err)
	}
}

// TestHealthOfAServerThatStarts checks that a starting server is asked again until an interrupt.
func TestHealthOfAServerThatStarts(t *testing.T) {
	f := &fakeServer{silent: true}
	w := windowAt(f, host.Output{})
	if v, err := w.VerifyHealthy(t.Context()); err != nil || v.State != executor.NotDone || v.Working {
		t.Errorf("%+v, %v", v, err)
	}
	for _, early := range []error{
		&rest.Error{Status: http.StatusServiceUnavailable}, fmt.Errorf("%w: %w", osmc.ErrLogin, io.EOF), syscall.ECONNRESET,
	} {
		f.fails = early
		if v, err := w.VerifyHealthy(t.Context()); err != nil || v.State != executor.NotDone {
			t.Errorf("%v: %+v, %v", early, v, err)
		}
	}
	for _, other := range []error{&rest.Error{Status: http.StatusUnauthorized}, errors.New("network is unreachable")} {
		f.fails = other
		if v, err := w.VerifyHealthy(t.Context()); err == nil {
			t.Errorf("%v counts as a server that starts: %+v", other, v)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if v, err := w.VerifyHealthy(ctx); err == nil {
		t.Errorf("interrupted: %+v", v)
	}
	f.silent, f.health = false, osmc.Health{Nodes: []osmc.Node{{Name: "n1", Status: "UP"}}}
	if v, err := w.VerifyHealthy(t.Context()); err != nil || v.State != executor.Done {
		t.Errorf("%+v, %v", v, err)
	}
}
