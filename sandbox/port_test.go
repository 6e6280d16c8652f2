package sandbox_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/syncctl/syncctl/sandbox"
	"golang.org/x/crypto/ssh"
)

// portWorld is a yard whose servers also take connections.
type portWorld struct {
	*machineWorld

	names []string
	came  chan struct{} // a connection is served

	mu     sync.Mutex
	certs  *tls.Config
	at     map[string]string
	served []string
	errs   []error // of what was read and written
}

func (w *portWorld) Ports() []string { return w.names }

func (w *portWorld) SetPort(port, address string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at[port] = address
}

func (w *portWorld) Environment(name string) map[string]string {
	env := w.machineWorld.Environment(name)
	w.mu.Lock()
	defer w.mu.Unlock()
	for port, at := range w.at {
		if strings.HasPrefix(port, name+"/") {
			env[strings.ReplaceAll(port, "/", "_")+"_ADDRESS"] = at
		}
	}
	return env
}

// Resolve knows "PORT.SERVER.example:7", but not from the machine a.
func (w *portWorld) Resolve(machine, address string) (string, bool) {
	name, _ := strings.CutSuffix(address, ".example:7")
	what, server, _ := strings.Cut(name, ".")
	port := server + "/" + what
	return port, machine == "far" && slices.Contains(w.names, port)
}

func (w *portWorld) Serve(ctx context.Context, port string, conn net.Conn) {
	w.mu.Lock()
	w.served = append(w.served, port)
	certs := w.certs
	w.mu.Unlock()
	w.came <- struct{}{}
	defer conn.Close()
	var err error
	switch port {
	case "a/echo":
		if _, err = io.Copy(conn, conn); err == nil {
			_, err = io.WriteString(conn, " all") // the client has ended what it says, and listens
		}
	case "a/tls":
		secured := tls.Server(conn, certs)
		_, err = io.Copy(secured, io.LimitReader(secured, 5))
		err = errors.Join(err, secured.Close())
	case "a/slow":
		_ = conn.SetReadDeadline(time.Now().Add(time.Millisecond))
		if _, err = conn.Read(make([]byte, 1)); errors.Is(err, os.ErrDeadlineExceeded) {
			_ = conn.SetReadDeadline(time.Time{})
			_, err = io.WriteString(conn, conn.LocalAddr().String()+" "+conn.LocalAddr().Network())
		}
	case "b/deaf":
		<-ctx.Done()
		err = ctx.Err()
	case "b/mute":
		_, err = conn.Read(make([]byte, 1))
	case "b/loud":
		for err == nil {
			_, err = conn.Write(make([]byte, 1<<16))
		}
	case "b/panic":
		panic("a defect")
	case "b/down":
		panic(http.ErrAbortHandler)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.errs = append(w.errs, err)
}

// harbour starts a sandbox with ports and returns its world.
func harbour(t *testing.T, o sandbox.Options) (*sandbox.Sandbox, *portWorld) {
	t.Helper()
	w := &portWorld{at: map[string]string{}, came: make(chan struct{}, 100),
		names: []string{"a/echo", "a/slow", "a/tls", "b/deaf", "b/down", "b/loud", "b/mute", "b/panic"}}
	o.Seed = []byte(twoMachines)
	o.Products = map[string]sandbox.Open{"yard": func(b []byte) (sandbox.World, error) {
		base, err := openMachines("yard")(b)
		w.machineWorld, _ = base.(*machineWorld)
		return w, err
	}}
	return start(t, o), w
}

// reach connects to a port in one of the possible ways.
type reach func(t *testing.T, port string) (net.Conn, error)

// tunnels holds the *ssh.Client by which eachWay reaches the ports of a *sandbox.Sandbox. After the sandbox is closed,
// a test must wait for the client's end: the library waits for ever for a channel that is opened just then.
var tunnels sync.Map

func eachWay(t *testing.T, test func(t *testing.T,
	begin func(sandbox.Options) (*sandbox.Sandbox, *portWorld, reach), overSSH bool)) {
	t.Helper()
	t.Run("on loopback", func(t *testing.T) {
		test(t, func(o sandbox.Options) (*sandbox.Sandbox, *portWorld, reach) {
			s, w := harbour(t, o)
			env := s.Environment()
			return s, w, func(t *testing.T, port string) (net.Conn, error) {
				t.Helper()
				return new(net.Dialer).DialContext(t.Context(), "tcp", env[strings.ReplaceAll(port, "/", "_")+"_ADDRESS"])
			}
		}, false)
	})
	t.Run("over SSH", func(t *testing.T) {
		test(t, func(o sandbox.Options) (*sandbox.Sandbox, *portWorld, reach) {
			s, w := harbour(t, o)
			c := login(t, s, "far")
			tunnels.Store(s, c)
			return s, w, func(t *testing.T, port string) (net.Conn, error) {
				t.Helper()
				return c.DialContext(t.Context(), "tcp", simulated(port))
			}
		}, true)
	})
}

// simulated returns the address of a port in the simulated network.
func simulated(port string) string {
	server, what, _ := strings.Cut(port, "/")
	return what + "." + server + ".example:7"
}

func reached(t *testing.T, to reach, port string) net.Conn {
	t.Helper()
	conn, err := to(t, port)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// ended closes a sandbox, so that the test can read what its world has recorded.
func ended(t *testing.T, s *sandbox.Sandbox) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if c, ok := tunnels.LoadAndDelete(s); ok {
		_ = c.(*ssh.Client).Wait()
	}
}

func TestPorts(t *testing.T) {
	eachWay(t, func(t *testing.T, begin func(sandbox.Options) (*sandbox.Sandbox, *portWorld, reach), overSSH bool) {
		var log lockedBuffer
		at := time.Date(2031, 1, 2, 3, 4, 5, 0, time.UTC)
		s, w, to := begin(sandbox.Options{AccessLog: &log, Now: func() time.Time { return at }})
		conn := reached(t, to, "a/echo")
		sent := bytes.Repeat([]byte("0123456789abcdef"), 300_000)
		go func() {
			if _, err := conn.Write(sent); err != nil {
				t.Error(err)
			}
			_ = conn.(interface{ CloseWrite() error }).CloseWrite()
		}()
		got, err := io.ReadAll(conn)
		if err != nil || string(got) != string(sent)+" all" {
			t.Errorf("%d of %d bytes came back, %v", len(got), len(sent), err)
		}
		want := sandbox.AccessLine{
			Time: at, Server: "a", Product: "yard", Protocol: "tcp", Method: "CONNECT", Path: "a/echo", Reading: true,
			CarriedOut: true, OK: true,
			BytesIn: int64(len(sent)), BytesOut: int64(len(sent) + len(" all")),
		}
		name := w.at["a/slow"]
		if overSSH {
			want.Path, name = simulated("a/echo"), simulated("a/slow")
		}
		// it is there when the client sees the end
		if diff := cmp.Diff([]sandbox.AccessLine{want}, log.lines(t)); diff != "" {
			t.Error(diff)
		}
		if got, err := io.ReadAll(reached(t, to, "a/slow")); err != nil || string(got) != name+" tcp" {
			t.Errorf("got %q, %v", got, err)
		}
		ended(t, s)
		if want := []error{nil, nil}; !slices.Equal(w.errs, want) {
			t.Errorf("got %v", w.errs)
		}
	})
}

// TestPortsSpeakTLS checks that both sides of TLS see a proper end.
func TestPortsSpeakTLS(t *testing.T) {
	eachWay(t, func(t *testing.T, begin func(sandbox.Options) (*sandbox.Sandbox, *portWorld, reach), _ bool) {
		s, w, to := begin(sandbox.Options{})
		certified := httptest.NewTLSServer(http.NotFoundHandler())
		defer certified.Close()
		w.mu.Lock()
		w.certs = certified.TLS
		w.mu.Unlock()
		trust := certified.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
		trust.ServerName = "127.0.0.1"
		conn := tls.Client(reached(t, to, "a/tls"), trust)
		if err := conn.HandshakeContext(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, "12345"); err != nil {
			t.Error(err)
		}
		if got, err := io.ReadAll(conn); err != nil || string(got) != "12345" {
			t.Errorf("got %q, %v", got, err)
		}
		ended(t, s)
		if !slices.Equal(w.errs, []error{nil}) {
			t.Errorf("got %v", w.errs)
		}
	})
}

// refusal returns the reason that a machine gives.
func refusal(err error) ssh.RejectionReason {
	var refused *ssh.OpenChannelError
	if errors.As(err, &refused) {
		return refused.Reason
	}
	return 0
}

func TestConnectionsThatLeadNowhere(t *testing.T) {
	var log lockedBuffer
	s, w := harbour(t, sandbox.Options{AccessLog: &log,
		Faults: []sandbox.Fault{{Method: sandbox.MethodConnect, Kind: sandbox.Cut}}})
	far, a := login(t, s, "far"), login(t, s, "a")
	for address, c := range map[string]*ssh.Client{"echo.c.example:7": far, "[::1]:7": far, simulated("a/echo"): a} {
		if _, err := c.DialContext(t.Context(), "tcp", address); refusal(err) != ssh.ConnectionFailed {
			t.Errorf("%s: got %v", address, err)
		}
	}
	if _, _, err := far.OpenChannel("direct-tcpip", []byte{1}); refusal(err) != ssh.ConnectionFailed {
		t.Errorf("malformed: %v", err)
	}
	if _, _, err := far.OpenChannel("x11", nil); refusal(err) != ssh.UnknownChannelType {
		t.Errorf("another channel: %v", err)
	}
	lines := log.lines(t)
	slices.SortFunc(lines, func(a, b sandbox.AccessLine) int { return strings.Compare(a.Path, b.Path) })
	for i, want := range []string{"far [::1]:7", "a " + simulated("a/echo"), "far echo.c.example:7"} {
		if len(lines) != 3 || lines[i].Server+" "+lines[i].Path != want || lines[i].OK || lines[i].CarriedOut ||
			lines[i].Fault != "" || lines[i].Protocol != "tcp" {
			t.Fatalf("%s: %+v", want, lines)
		}
	}
	if len(w.served) > 0 {
		t.Errorf("served %q", w.served)
	}
}

func TestWorldWithoutPorts(t *testing.T) {
	var log lockedBuffer
	s, _ := yard(t, sandbox.Options{AccessLog: &log})
	if _, err := login(t, s, "a").DialContext(t.Context(), "tcp", "127.0.0.1:1"); refusal(err) != ssh.Prohibited {
		t.Errorf("got %v", err)
	}
	if lines := log.lines(t); len(lines) > 0 {
		t.Errorf("access log: %+v", lines)
	}
}

func TestPortOfNoServer(t *testing.T) {
	_, err := sandbox.Start(t.Context(), sandbox.Options{
		Seed: []byte(twoMachines),
		Products: map[string]sandbox.Open{"yard": func(b []byte) (sandbox.World, error) {
			base, err := openMachines("yard")(b)
			return &portWorld{machineWorld: base.(*machineWorld), at: map[string]string{}, names: []string{"c/echo"}}, err
		}},
	})
	if err == nil || !strings.Contains(err.Error(), "the port c/echo of yard belongs to no server") {
		t.Errorf("got %v", err)
	}
}

func TestEveryKindOfFaultOnConnections(t *testing.T) {
	for _, c := range []struct {
		fault  string
		got    string
		served bool
	}{
		{"kind=fail,server=a,method=CONNECT", "", false},
		{"kind=cut,path=**echo**", "", false},
		{"kind=lost,method=CONNECT", "", false},
		{"kind=late,delay=7h,server=a", "12345 all", true},
	} {
		t.Run(c.fault, func(t *testing.T) {
			eachWay(t, func(t *testing.T, begin func(sandbox.Options) (*sandbox.Sandbox, *portWorld, reach), overSSH bool) {
				var log lockedBuffer
				var slept time.Duration
				fault := parse(t, c.fault)
				s, w, to := begin(sandbox.Options{
					AccessLog: &log, Faults: []sandbox.Fault{fault},
					Sleep: func(_ context.Context, d time.Duration) error { slept = d; return nil },
				})
				refused := false
				talk := func() string {
					conn, err := to(t, "a/echo")
					if err != nil {
						if fault.Kind != sandbox.Fail || refusal(err) != ssh.ConnectionFailed {
							t.Errorf("got %v", err)
						}
						refused = true
						return ""
					}
					if overSSH && fault.Kind == sandbox.Fail && !refused {
						t.Error("it was not refused")
					}
					defer conn.Close()
					_, _ = io.WriteString(conn, "12345") // whether it is closed already is a matter of time
					_ = conn.(interface{ CloseWrite() error }).CloseWrite()
					got, err := io.ReadAll(conn)
					if err != nil && !brokenOff(err) {
						t.Errorf("got %v", err)
					}
					return string(got)
				}
				if got := talk(); got != c.got {
					t.Errorf("got %q", got)
				}
				if slept != fault.Delay {
					t.Errorf("waited %s", slept)
				}
				lines := log.lines(t)
				if len(lines) != 1 || lines[0].Fault != string(fault.Kind) || lines[0].CarriedOut != c.served ||
					lines[0].OK != c.served || !lines[0].Reading {
					t.Errorf("access log: %+v", lines)
				}
				// It was asked for once.
				if got := talk(); got != "12345 all" {
					t.Errorf("the next got %q", got)
				}
				ended(t, s)
				if once := len(w.served) == 1; once == c.served {
					t.Errorf("served %q", w.served)
				}
			})
		})
	}
}

// TestConnectionsEnd checks that a connection ends when its client does, and at once with the sandbox, whatever it
// does and whatever a fault makes it do.
func TestConnectionsEnd(t *testing.T) {
	for _, what := range []string{"b/deaf", "b/mute", "b/loud", "hang", "late"} {
		for _, withClient := range []bool{true, false} {
			if withClient && (what == "b/deaf" || what == "late") { // it does not listen, so it does not notice
				continue
			}
			t.Run(map[bool]string{true: "with the client ", false: "with the sandbox "}[withClient]+what, func(t *testing.T) {
				eachWay(t, func(t *testing.T, begin func(sandbox.Options) (*sandbox.Sandbox, *portWorld, reach), _ bool) {
					var log lockedBuffer
					came := make(chan struct{}, 2)
					o := sandbox.Options{
						AccessLog: &log,
						Now:       func() time.Time { came <- struct{}{}; return time.Now() }, // at its beginning, and at its end
						Sleep:     func(ctx context.Context, _ time.Duration) error { <-ctx.Done(); return ctx.Err() },
					}
					port, served := what, true
					if !strings.HasPrefix(what, "b/") {
						port, served = "a/echo", false
						o.Faults = []sandbox.Fault{{Kind: sandbox.FaultKind(what)}}
					}
					s, w, to := begin(o)
					conn := reached(t, to, port)
					<-came
					if served {
						<-w.came
					}
					if withClient {
						if err := conn.Close(); err != nil {
							t.Error(err)
						}
						<-came
					}
					ended(t, s)
					if _, err := io.Copy(io.Discard, conn); err != nil && !withClient && !brokenOff(err) {
						t.Errorf("got %v", err)
					}
					lines := log.lines(t)
					if len(lines) != 1 || lines[0].Server != port[:1] || lines[0].OK != served || len(w.errs) != len(w.served) {
						t.Errorf("access log: %+v, %v", lines, w.errs)
					}
					if _, err := to(t, port); err == nil {
						t.Error("it takes connections after Close")
					}
				})
			})
		}
	}
}

func TestDefectsOfAPort(t *testing.T) {
	eachWay(t, func(t *testing.T, begin func(sandbox.Options) (*sandbox.Sandbox, *portWorld, reach), _ bool) {
		var access, defects lockedBuffer
		s, _, to := begin(sandbox.Options{AccessLog: &access, ErrorLog: &defects})
		for _, port := range []string{"b/panic", "b/down"} {
			if got, err := io.ReadAll(reached(t, to, port)); err != nil || len(got) > 0 {
				t.Errorf("%s: got %q, %v", port, got, err)
			}
		}
		ended(t, s)
		if !strings.Contains(defects.buf.String(), "b/panic: a connection to ") ||
			strings.Contains(defects.buf.String(), "b/down") {
			t.Errorf("the error log holds %q", defects.buf.String())
		}
		if lines := access.lines(t); len(lines) != 2 || !lines[0].CarriedOut || lines[1].CarriedOut || lines[0].OK ||
			lines[1].OK {
			t.Errorf("access log: %+v", lines)
		}
	})
}
