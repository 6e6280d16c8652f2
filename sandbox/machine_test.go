package sandbox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/sandbox"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// machineWorld is a product whose servers also have machines: each has a file system, and a shell with few commands.
type machineWorld struct {
	*counterWorld

	files map[string]afero.Fs
	began chan struct{} // closed when a command waits

	mu    sync.Mutex
	ssh   map[string][3]string // by machine: address, key, known hosts
	ran   []string
	ended []string // commands whose context ended
}

func openMachines(name string) sandbox.Open {
	counter := openCounter(name)
	return func(seed []byte) (sandbox.World, error) {
		base, err := counter(seed)
		if err != nil {
			return nil, err
		}
		var s struct{ Machines []string }
		if err := json.Unmarshal(seed, &s); err != nil {
			return nil, err
		}
		w := &machineWorld{counterWorld: base.(*counterWorld), files: map[string]afero.Fs{},
			ssh: map[string][3]string{}, began: make(chan struct{})}
		for _, m := range s.Machines {
			w.files[m] = afero.NewMemMapFs()
		}
		return w, nil
	}
}

func (w *machineWorld) Machines() []string {
	var names []string
	for name := range w.files {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (w *machineWorld) Files(machine string) afero.Fs { return w.files[machine] }

func (w *machineWorld) Reads(_, command string) bool { return strings.HasPrefix(command, "look") }

func (w *machineWorld) SetSSH(machine, address string, key, hosts []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ssh[machine] = [3]string{address, string(key), string(hosts)}
}

func (w *machineWorld) Environment(name string) map[string]string {
	env := map[string]string{}
	if slices.Contains(w.Servers(), name) {
		env = w.counterWorld.Environment(name)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if at, ok := w.ssh[name]; ok {
		env[name+"_SSH"], env["KEY"], env["HOSTS"] = at[0], at[1], at[2]
	}
	return env
}

func (w *machineWorld) Run(ctx context.Context, machine, command string, stdin io.Reader, stdout,
	stderr io.Writer) int {
	w.mu.Lock()
	w.ran = append(w.ran, machine+": "+command)
	w.mu.Unlock()
	switch {
	case command == "wait":
		close(w.began)
		<-ctx.Done()
		w.mu.Lock()
		defer w.mu.Unlock()
		w.ended = append(w.ended, command)
		return 143
	case command == "panic":
		panic("a defect")
	case command == "down":
		panic(http.ErrAbortHandler)
	case strings.HasPrefix(command, "refuse"):
		return 3
	}
	in, _ := io.ReadAll(stdin)
	_, _ = fmt.Fprintf(stdout, "%s read %d bytes", machine, len(in))
	_, _ = io.WriteString(stderr, "a word")
	return 0
}

const twoMachines = `{"yard": {"servers": ["a", "b"], "machines": ["a", "far"]}}`

// yard starts a sandbox with machines and returns its world.
func yard(t *testing.T, o sandbox.Options) (*sandbox.Sandbox, *machineWorld) {
	t.Helper()
	var world *machineWorld
	o.Seed = []byte(twoMachines)
	o.Products = map[string]sandbox.Open{"yard": func(b []byte) (sandbox.World, error) {
		w, err := openMachines("yard")(b)
		world, _ = w.(*machineWorld)
		return w, err
	}}
	return start(t, o), world
}

// login connects to a machine with the values of its environment, and checks the host's key.
func login(t *testing.T, s *sandbox.Sandbox, machine string) *ssh.Client {
	t.Helper()
	c, err := tryLogin(t, s, machine, func(*ssh.ClientConfig) {})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func tryLogin(t *testing.T, s *sandbox.Sandbox, machine string, change func(*ssh.ClientConfig)) (*ssh.Client, error) {
	t.Helper()
	env := s.Environment()
	user, address, _ := strings.Cut(env[machine+"_SSH"], "@")
	signer, err := ssh.ParsePrivateKey([]byte(env["KEY"]))
	if err != nil {
		t.Fatal(err)
	}
	config := &ssh.ClientConfig{User: user, Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)},
		HostKeyCallback: hostKeys(t, env["HOSTS"])}
	change(config)
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	if err != nil {
		return nil, err
	}
	secured, channels, requests, err := ssh.NewClientConn(conn, address, config)
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	c := ssh.NewClient(secured, channels, requests)
	t.Cleanup(func() { _ = c.Close() })
	return c, nil
}

func hostKeys(t *testing.T, lines string) ssh.HostKeyCallback {
	t.Helper()
	file := t.TempDir() + "/known_hosts"
	if err := afero.WriteFile(afero.NewOsFs(), file, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	check, err := knownhosts.New(file)
	if err != nil {
		t.Fatal(err)
	}
	return check
}

// said is the result of a command. Code is -1 if there was no exit code.
type said struct {
	Code           int
	Stdout, Stderr string
}

func command(t *testing.T, c *ssh.Client, line string) said {
	t.Helper()
	session, err := c.NewSession()
	if err != nil {
		return said{Code: -1}
	}
	defer session.Close()
	var stdout, stderr bytes.Buffer
	session.Stdin, session.Stdout, session.Stderr = strings.NewReader("12345"), &stdout, &stderr
	err = session.Run(line)
	var ended *ssh.ExitError
	code := 0
	switch {
	case errors.As(err, &ended):
		code = ended.ExitStatus()
	case err != nil:
		code = -1
	}
	return said{code, stdout.String(), stderr.String()}
}

func TestMachines(t *testing.T) {
	s, world := yard(t, sandbox.Options{})
	for _, m := range s.Machines() {
		c := login(t, s, m.Name)
		if got, want := command(t, c, "work --all"), (said{0, m.Name + " read 5 bytes", "a word"}); got != want {
			t.Errorf("%s: got %+v, want %+v", m.Name, got, want)
		}
		if got := command(t, c, "refuse it"); got.Code != 3 {
			t.Errorf("%s: exit code %d", m.Name, got.Code)
		}
		if m.Product != "yard" || m.Address != s.Environment()[m.Name+"_SSH"] ||
			!strings.HasPrefix(m.Address, "admin@127.0.0.1:") {
			t.Errorf("%+v", m)
		}
	}
	if want := []string{"a: work --all", "a: refuse it", "far: work --all",
		"far: refuse it"}; !slices.Equal(world.ran, want) {
		t.Errorf("ran %q", world.ran)
	}
	if lines := strings.Split(strings.TrimSpace(s.Environment()["HOSTS"]), "\n"); len(lines) != 2 {
		t.Errorf("known hosts: %q", lines)
	}
}

func TestMachinesKnowOneKeyAndOneUser(t *testing.T) {
	var defects lockedBuffer
	s, world := yard(t, sandbox.Options{ErrorLog: &defects})
	other, _ := yard(t, sandbox.Options{})
	stranger, err := ssh.ParsePrivateKey([]byte(other.Environment()["KEY"]))
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*ssh.ClientConfig){
		"another user":     func(c *ssh.ClientConfig) { c.User = "root" },
		"another key":      func(c *ssh.ClientConfig) { c.Auth = []ssh.AuthMethod{ssh.PublicKeys(stranger)} },
		"a password":       func(c *ssh.ClientConfig) { c.Auth = []ssh.AuthMethod{ssh.Password("admin")} },
		"nothing":          func(c *ssh.ClientConfig) { c.Auth = nil },
		"another host key": func(c *ssh.ClientConfig) { c.HostKeyCallback = hostKeys(t, other.Environment()["HOSTS"]) },
	} {
		if _, err := tryLogin(t, s, "a", change); err == nil {
			t.Errorf("%s is let in", name)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if len(world.ran) > 0 || !strings.Contains(defects.buf.String(), "machine a: a login from 127.0.0.1:") {
		t.Errorf("ran %q; %s", world.ran, &defects.buf)
	}
}

// TestMachinesOfferCommandsAlone checks that a session is for one command or for files. There is no shell, no
// terminal, and no way to other machines.
func TestMachinesOfferCommandsAlone(t *testing.T) {
	s, _ := yard(t, sandbox.Options{})
	c := login(t, s, "a")
	session, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	if session.Shell() == nil || session.RequestPty("xterm", 24, 80, nil) == nil ||
		session.RequestSubsystem("netconf") == nil || session.Setenv("A", "b") == nil {
		t.Error("a shell, a terminal, another subsystem or a variable is taken")
	}
	if conn, err := c.DialContext(t.Context(), "tcp", "127.0.0.1:1"); err == nil {
		_ = conn.Close()
		t.Error("it forwards connections")
	}
	if ok, _, err := c.SendRequest("keepalive@openssh.com", true, nil); ok || err != nil {
		t.Errorf("keepalive: %v, %v", ok, err)
	}
}

func TestAccessLogOfCommands(t *testing.T) {
	var log lockedBuffer
	at := time.Date(2031, 1, 2, 3, 4, 5, 0, time.UTC)
	s, _ := yard(t, sandbox.Options{AccessLog: &log, Now: func() time.Time { return at }})
	c := login(t, s, "far")
	for _, line := range []string{"look around", "set --password hush", "refuse"} {
		command(t, c, line)
	}
	line := sandbox.AccessLine{Time: at, Server: "far", Product: "yard", Protocol: "ssh", Method: "EXEC",
		CarriedOut: true}
	look, set, refuse := line, line, line
	look.Path, look.Reading, look.OK, look.BytesIn, look.BytesOut = "look around", true, true, 5, 22
	set.Path, set.OK, set.BytesIn, set.BytesOut = "set --password REDACTED", true, 5, 22
	refuse.Path, refuse.Status = "refuse", 3
	if diff := cmp.Diff([]sandbox.AccessLine{look, set, refuse}, log.lines(t)); diff != "" {
		t.Error(diff)
	}
}

func TestEveryKindOfFaultOnCommands(t *testing.T) {
	for _, c := range []struct {
		fault    string
		got      said
		line     sandbox.AccessLine
		restored bool // the connection is still there
	}{
		{"kind=fail,method=EXEC,path=work**", said{1, "",
			"a fault asked for: method=EXEC,path=work**,nth=1,kind=fail,status=503\n"}, sandbox.AccessLine{Status: 1}, true},
		{"kind=cut,path=work**,method=EXEC,server=a", said{Code: -1}, sandbox.AccessLine{Status: -1}, false},
		{"kind=lost,path=**--al*,method=EXEC", said{Code: -1},
			sandbox.AccessLine{Status: -1, CarriedOut: true, OK: true}, false},
		{"kind=late,delay=7h", said{0, "a read 5 bytes", "a word"}, sandbox.AccessLine{CarriedOut: true, OK: true}, true},
	} {
		t.Run(c.fault, func(t *testing.T) {
			var log lockedBuffer
			var slept time.Duration
			fault := parse(t, c.fault)
			s, world := yard(t, sandbox.Options{
				AccessLog: &log, Faults: []sandbox.Fault{fault},
				Sleep: func(_ context.Context, d time.Duration) error { slept = d; return nil },
			})
			conn := login(t, s, "a")
			if diff := cmp.Diff(c.got, command(t, conn, "work /with/--all")); diff != "" {
				t.Error(diff)
			}
			if slept != fault.Delay {
				t.Errorf("waited %s", slept)
			}
			if lines := log.lines(t); len(lines) != 1 || lines[0].Status != c.line.Status ||
				lines[0].CarriedOut != c.line.CarriedOut ||
				lines[0].OK != c.line.OK || lines[0].Fault != string(fault.Kind) {
				t.Errorf("access log: %+v", lines)
			}
			if ran := len(world.ran) == 1; ran != c.line.CarriedOut {
				t.Errorf("ran %q", world.ran)
			}
			if !c.restored {
				_ = conn.Wait() // x/crypto may wait for ever for a session on a connection that ends this moment
			}
			// It was asked for once.
			if got := command(t, conn, "work").Code == 0; got != c.restored {
				t.Errorf("on the same connection: %v", got)
			}
			if got := command(t, login(t, s, "a"), "work"); got.Code != 0 {
				t.Errorf("on a new connection: %+v", got)
			}
		})
	}
}

func TestFaultsKnowMachines(t *testing.T) {
	_, err := sandbox.Start(t.Context(), sandbox.Options{
		Seed: []byte(twoMachines), Products: map[string]sandbox.Open{"yard": openMachines("yard")},
		Faults: []sandbox.Fault{{Server: "c", Kind: sandbox.Cut}},
	})
	if err == nil || !strings.Contains(err.Error(), `there is no server "c"; the servers are a, b, far`) {
		t.Errorf("got %v", err)
	}
	s, _ := yard(t, sandbox.Options{Faults: []sandbox.Fault{parse(t, "server=far,method=EXEC,kind=fail,nth=*")}})
	if got := command(t, login(t, s, "far"), "work"); got.Code != 1 {
		t.Errorf("%+v", got)
	}
	if got := command(t, login(t, s, "a"), "work"); got.Code != 0 {
		t.Errorf("%+v", got)
	}
}

func TestHangingCommandsEnd(t *testing.T) {
	for name, end := range map[string]func(*sandbox.Sandbox, *ssh.Client) error{
		"with the client":  func(_ *sandbox.Sandbox, c *ssh.Client) error { return c.Close() },
		"with the sandbox": func(s *sandbox.Sandbox, _ *ssh.Client) error { return s.Close() },
	} {
		for _, kind := range []sandbox.FaultKind{sandbox.Hang, sandbox.Late} {
			t.Run(name+" "+string(kind), func(t *testing.T) {
				var log lockedBuffer
				came := make(chan struct{})
				s, _ := yard(t, sandbox.Options{
					AccessLog: &log, Faults: []sandbox.Fault{{Method: sandbox.MethodExec, Kind: kind}},
					Sleep: func(ctx context.Context, _ time.Duration) error { <-ctx.Done(); return ctx.Err() },
					Now:   sync.OnceValue(func() time.Time { close(came); return time.Now() }),
				})
				c := login(t, s, "a")
				var wg sync.WaitGroup
				wg.Go(func() {
					if got := command(t, c, "work"); got.Code != -1 {
						t.Errorf("there was an end: %+v", got)
					}
				})
				<-came
				if err := end(s, c); err != nil {
					t.Error(err)
				}
				wg.Wait()
				if err := s.Close(); err != nil {
					t.Error(err)
				}
				if lines := log.lines(t); len(lines) != 1 || lines[0].Status != -1 || lines[0].OK != (kind == sandbox.Late) {
					t.Errorf("access log: %+v", lines)
				}
			})
		}
	}
}

// TestCommandsOutliveTheirClients checks that a command continues without its client, as on a real machine. A signal
// ends it, and so does the end of the sandbox.
func TestCommandsOutliveTheirClients(t *testing.T) {
	var log lockedBuffer
	s, world := yard(t, sandbox.Options{AccessLog: &log})
	c := login(t, s, "a")
	session, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	if err := session.Start("wait"); err != nil {
		t.Fatal(err)
	}
	<-world.began
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if got := command(t, login(t, s, "a"), "work"); got.Code != 0 { // meanwhile
		t.Errorf("%+v", got)
	}
	world.mu.Lock()
	ended := len(world.ended)
	world.mu.Unlock()
	if ended != 0 {
		t.Error("it ended with its client")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if lines := log.lines(t); len(world.ended) != 1 || len(lines) != 2 || lines[1].Path != "wait" || lines[1].OK {
		t.Errorf("ended %q, access log %+v", world.ended, lines)
	}
}

func TestSignalEndsACommand(t *testing.T) {
	s, world := yard(t, sandbox.Options{})
	session, err := login(t, s, "a").NewSession()
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	if err := session.Start("wait"); err != nil {
		t.Fatal(err)
	}
	<-world.began
	if err := session.Signal(ssh.SIGTERM); err != nil {
		t.Fatal(err)
	}
	var ended *ssh.ExitError
	if err := session.Wait(); !errors.As(err, &ended) || ended.ExitStatus() != 143 {
		t.Errorf("got %v", err)
	}
}

func TestDefectsOfAMachine(t *testing.T) {
	var access, defects lockedBuffer
	s, _ := yard(t, sandbox.Options{AccessLog: &access, ErrorLog: &defects})
	if got := command(t, login(t, s, "a"), "panic"); got.Code != 70 || !strings.Contains(got.Stderr, "a defect") {
		t.Errorf("%+v", got)
	}
	if !strings.Contains(defects.buf.String(), "a: panic panicked: a defect") {
		t.Errorf("the error log holds %q", defects.buf.String())
	}
	if got := command(t, login(t, s, "a"), "down"); got.Code != -1 {
		t.Errorf("%+v", got)
	}
	if lines := access.lines(t); len(lines) != 2 || lines[0].Status != 70 || lines[0].OK ||
		lines[1].Status != -1 || lines[1].OK {
		t.Errorf("access log: %+v", lines)
	}
}
