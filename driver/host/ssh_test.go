//go:build unix

package host

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/syncctl/syncctl/printable"
	"golang.org/x/crypto/ssh"
)

// fails runs a command whose connection must fail, and returns the error.
func fails(t *testing.T, h Host, want ...string) error {
	t.Helper()
	_, err := h.Run(t.Context(), Command{Args: []string{"true"}})
	if err == nil || WasStarted(err) != StartedNo {
		t.Fatalf("got %v, started %v", err, WasStarted(err))
	}
	for _, w := range want {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("got %v\nwant %s", err, w)
		}
	}
	if printable.Line(err.Error()) != err.Error() {
		t.Errorf("it speaks to the terminal: %q", err)
	}
	return err
}

func works(t *testing.T, h Host) {
	t.Helper()
	out, err := h.Run(t.Context(), Command{Args: []string{"echo", "works"}})
	if err != nil || out.Stdout != "works\n" {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	_, key := newKey(t)
	for want, o := range map[string]SSHOptions{
		"an SSH address says who logs in":         {Address: "db.example", Keys: [][]byte{key}},
		"jump 2: an SSH address says who":         {Address: "a@b", Jump: []string{"c@d", "e"}, Keys: [][]byte{key}},
		"neither a key to log in with nor an SSH": {Address: "a@b"},
		"key 2: it has no private key":            {Address: "a@b", Keys: [][]byte{key, []byte("nothing")}},
		"line 2 of known_hosts revokes a key": {Address: "a@b", Keys: [][]byte{key},
			KnownHosts: []byte("\n@revoked * ssh-ed25519 x\n")},
	} {
		if _, err := SSH(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	s, h := pair(t, nil)
	if want := "admin@" + s.addr; h.Name() != want {
		t.Errorf("got %s, want %s", h.Name(), want)
	}
	if n, _ := s.count(); n != 0 {
		t.Error("it connected before it was used")
	}
}

func TestJump(t *testing.T) {
	signer, key := newKey(t)
	first := serve(t, nil, signer.PublicKey())
	second := serve(t, nil, signer.PublicKey())
	last := serve(t, nil, signer.PublicKey())
	through := func(t *testing.T, known string, jumps ...string) *sshHost {
		return last.to(t, func(o *SSHOptions) { o.Keys, o.Jump, o.KnownHosts = [][]byte{key}, jumps, []byte(known) })
	}
	all := string(first.known()) + string(second.known()) + string(last.known())
	h := through(t, all, "jump@"+first.addr, "jump@"+second.addr)
	works(t, h)
	if n, lines := last.count(); n != 1 || len(lines) != 1 {
		t.Errorf("%d connections, %v", n, lines)
	}
	if n, lines := first.count(); n != 1 || len(lines) != 0 {
		t.Errorf("%d connections to the first, %v", n, lines)
	}
	t.Run("connects again", func(t *testing.T) {
		first.cut()
		works(t, h)
		second.cut()
		works(t, h)
		last.cut()
		works(t, h)
	})
	t.Run("every host key is verified", func(t *testing.T) {
		for i, s := range []*server{first, second, last} {
			known := strings.ReplaceAll(all, string(s.known()), "")
			err := fails(t, through(t, known, "jump@"+first.addr, "jump@"+second.addr), "no known_hosts line names it",
				strings.TrimSpace(string(s.known())))
			want := []string{"connecting to jump@" + first.addr + " on the way", "connecting to jump@" + second.addr +
				" on the way", "connecting through jump@" + second.addr}[i]
			if !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %s", err, want)
			}
		}
	})
	t.Run("leads to another machine", func(t *testing.T) {
		var offered atomic.Bool
		other := serve(t, func(s *server) {
			s.methods = func(c *ssh.ServerConfig) {
				c.PublicKeyCallback = func(ssh.ConnMetadata, ssh.PublicKey) (*ssh.Permissions, error) {
					offered.Store(true)
					return &ssh.Permissions{}, nil
				}
			}
		})
		middle := serve(t, func(s *server) {
			s.connect = func(string) (net.Conn, error) { return net.Dial("tcp", other.addr) }
		}, signer.PublicKey())
		fails(t, through(t, string(middle.known())+all, "jump@"+middle.addr), "WARNING: the host key has changed")
		if offered.Load() {
			t.Error("it was offered a key")
		}
	})
	t.Run("does not forward", func(t *testing.T) {
		closed := serve(t, func(s *server) { s.noForward = true }, signer.PublicKey())
		fails(t, through(t, string(closed.known())+all, "jump@"+closed.addr), "jump@"+closed.addr+" does not forward "+
			"connections (AllowTcpForwarding")
	})
	t.Run("leads nowhere", func(t *testing.T) {
		fails(t, through(t, all, "jump@"+first.addr, "jump@"+nobody(t)), "it cannot be reached from jump@"+first.addr,
			"refused")
	})
}

// nobody returns an address without a listener.
func nobody(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	return l.Addr().String()
}

func TestUnreachable(t *testing.T) {
	_, key := newKey(t)
	host := func(address string, change func(*SSHOptions)) Host {
		o := SSHOptions{Address: address, Keys: [][]byte{key}}
		if change != nil {
			change(&o)
		}
		h, err := SSH(o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = h.Close() })
		return h
	}
	fails(t, host("admin@"+nobody(t), nil), "connecting: it cannot be reached", "refused")
	fails(t, host("admin@db.invalid", func(o *SSHOptions) {
		o.Dial = func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "db.invalid", IsNotFound: true}}
		}
	}), "its name is unknown", "no such host")
	// A server that accepts the connection and sends nothing.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	err = fails(t, host("admin@"+l.Addr().String(), func(o *SSHOptions) { o.Timeout = 20 * time.Millisecond }),
		"no connection within 20ms")
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	h := host("admin@db.example", func(o *SSHOptions) {
		o.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
			cancel()
			<-ctx.Done()
			return nil, ctx.Err()
		}
	})
	if _, err := h.Run(ctx, Command{Args: []string{"true"}}); !errors.Is(err, context.Canceled) ||
		WasStarted(err) != StartedNo {
		t.Errorf("got %v", err)
	}
	// A server that is no SSH server.
	web, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		conn, err := web.Accept()
		if err == nil {
			_, _ = io.WriteString(conn, "HTTP/1.1 400 Bad Request\r\n\r\n")
			conn.Close()
		}
	}()
	fails(t, host("admin@"+web.Addr().String(), nil), "logging in:")
	web.Close()
	// A server that closes the connection.
	err = fails(t, host("admin@db.example", func(o *SSHOptions) {
		o.Dial = func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			go func() {
				_, _ = theirs.Read(make([]byte, 100))
				theirs.Close()
			}()
			return ours, nil
		}
	}), "logging in:")
	if strings.Contains(err.Error(), "EOF") {
		t.Errorf("got %v", err)
	}
}

// TestConnectionThatBreaks checks that a broken connection is replaced, and that a command that may have been started
// is not started again.
func TestConnectionThatBreaks(t *testing.T) {
	t.Run("between commands", func(t *testing.T) {
		s, h := pair(t, nil)
		works(t, h)
		works(t, h)
		s.cut()
		works(t, h)
		if n, lines := s.count(); n != 2 || len(lines) != 3 {
			t.Errorf("%d connections, %v", n, lines)
		}
	})
	for name, act := range map[string]func(s *server, line string, conn net.Conn) bool{
		"before it was carried out": func(_ *server, _ string, conn net.Conn) bool { conn.Close(); return true },
		"before its reply": func(s *server, line string, conn net.Conn) bool {
			s.t.Log(line)
			conn.Close()
			return true
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, h := pair(t, func(s *server) { s.exec = act })
			_, err := h.Run(t.Context(), Command{Args: []string{"true"}})
			if !errors.Is(err, ErrBroken) || WasStarted(err) != StartedMaybe || !strings.Contains(err.Error(),
				"whether it was carried out, or still runs, is unknown") {
				t.Errorf("got %v", err)
			}
			if n, lines := s.count(); n != 1 || len(lines) != 1 {
				t.Errorf("%d connections, %v", n, lines)
			}
		})
	}
	t.Run("while it runs", func(t *testing.T) {
		s, h := pair(t, nil)
		begun := filepath.Join(t.TempDir(), "begun")
		go func() { running(t, begun); s.cut() }()
		out, err := h.Run(t.Context(), Command{Args: []string{"sh", "-c", `echo begun; touch "$1"; cat; echo ended`,
			"sh", begun}, Stdin: forever{t.Context()}})
		if !errors.Is(err, ErrBroken) || WasStarted(err) != StartedMaybe || strings.Contains(out.Stdout, "ended") {
			t.Errorf("%+v, %v", out, err)
		}
		works(t, h)
	})
}

// forever is an input that does not end before the test.
type forever struct{ ctx context.Context }

func (f forever) Read([]byte) (int, error) {
	<-f.ctx.Done()
	return 0, io.EOF
}

// said makes a host whose server handles sessions as the test wants.
func said(t *testing.T, act func(channel ssh.Channel, conn net.Conn)) *sshHost {
	t.Helper()
	_, h := pair(t, func(s *server) { s.special = act })
	return h
}

func exitStatus(channel ssh.Channel, code uint32) {
	_, _ = channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Code uint32 }{code}))
}

func TestMachineThatSaysLess(t *testing.T) {
	run := func(h *sshHost) (Output, error) { return h.Run(t.Context(), Command{Args: []string{"x"}}) }
	t.Run("no status", func(t *testing.T) {
		out, err := run(said(t, func(c ssh.Channel, _ net.Conn) { _, _ = io.WriteString(c, "half") }))
		if err == nil || WasStarted(err) != StartedMaybe || !strings.Contains(err.Error(),
			"did not report how") || out.Stdout != "half" {
			t.Errorf("%+v, %v", out, err)
		}
	})
	t.Run("a status, and the connection breaks before the end of the output", func(t *testing.T) {
		out, err := run(said(t, func(c ssh.Channel, conn net.Conn) {
			_, _ = io.WriteString(c, "half")
			exitStatus(c, 0)
			conn.Close()
		}))
		if !errors.Is(err, ErrBroken) || WasStarted(err) != StartedMaybe {
			t.Errorf("half an output passes for a whole one: %+v, %v", out, err)
		}
	})
	t.Run("two statuses", func(t *testing.T) {
		out, err := run(said(t, func(c ssh.Channel, _ net.Conn) { exitStatus(c, 3); exitStatus(c, 0) }))
		if err != nil || out.Code != 3 {
			t.Errorf("%+v, %v", out, err)
		}
	})
	t.Run("a signal of its own", func(t *testing.T) {
		_, err := run(said(t, func(c ssh.Channel, _ net.Conn) {
			_, _ = c.SendRequest("exit-signal", false, ssh.Marshal(struct {
				Name string
				Core bool
				A, B string
			}{"X\x1b@example", false, "\x1b", ""}))
		}))
		if err == nil || !strings.Contains(err.Error(), `ended by SIGX\x1b@example`) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("malformed", func(t *testing.T) {
		_, err := run(said(t, func(c ssh.Channel, _ net.Conn) {
			_, _ = c.SendRequest("exit-status", true, []byte{1})
			_, _ = c.SendRequest("keepalive@openssh.com", true, nil)
		}))
		if err == nil || WasStarted(err) != StartedMaybe {
			t.Errorf("got %v", err)
		}
	})
	t.Run("refuses", func(t *testing.T) {
		_, h := pair(t, func(s *server) { s.refuse = true })
		fails(t, h, "running true: the machine refused to run a command")
	})
	t.Run("no more sessions", func(t *testing.T) {
		_, h := pair(t, func(s *server) { s.full = true })
		fails(t, h, "the machine opens no more sessions")
	})
}

// TestKeepAlive checks that a machine that disappears without closing its connection is noticed.
func TestKeepAlive(t *testing.T) {
	signer, key := newKey(t)
	s := serve(t, nil, signer.PublicKey())
	var frozen gate
	tick := make(chan time.Time)
	h := s.to(t, func(o *SSHOptions) {
		o.Keys = [][]byte{key}
		o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
			return &frozenConn{Conn: conn, gate: &frozen}, err
		}
	})
	h.after = func(d time.Duration) <-chan time.Time {
		if d == h.o.KeepAlive || d == 3*h.o.KeepAlive {
			return tick
		}
		return nil
	}
	tickOf := func() { tick <- time.Time{} }
	works(t, h)
	tickOf() // it is asked
	works(t, h)
	tickOf()
	works(t, h)
	begun := filepath.Join(t.TempDir(), "begun")
	ended := make(chan error)
	go func() {
		_, err := h.Run(t.Context(), Command{Args: []string{"sh", "-c", `touch "$1"; cat`, "sh", begun},
			Stdin: forever{t.Context()}})
		ended <- err
	}()
	running(t, begun)
	frozen.close()
	tickOf()
	tickOf() // no answer
	if err := <-ended; !errors.Is(err, ErrBroken) || WasStarted(err) != StartedMaybe ||
		!strings.Contains(err.Error(), "has not answered for 1m0s") {
		t.Errorf("got %v", err)
	}
	frozen.open()
	works(t, h)
}

// gate is either shut or open.
type gate struct {
	mu   sync.Mutex
	shut bool
}

func (g *gate) close() { g.set(true) }

func (g *gate) open() { g.set(false) }

func (g *gate) is() bool { g.mu.Lock(); defer g.mu.Unlock(); return g.shut }

func (g *gate) set(v bool) { g.mu.Lock(); defer g.mu.Unlock(); g.shut = v }

// frozenConn drops incoming data while its gate is shut.
type frozenConn struct {
	net.Conn
	gate *gate
}

func (c *frozenConn) Read(p []byte) (int, error) {
	for {
		n, err := c.Conn.Read(p)
		if err != nil || !c.gate.is() {
			return n, err
		}
	}
}

// TestLog checks that logs contain no secret, and that nothing that a machine says reaches a terminal unescaped.
func TestLog(t *testing.T) {
	signer, key := newKey(t)
	s := serve(t, nil, signer.PublicKey())
	var text bytes.Buffer
	var mu sync.Mutex
	h := s.to(t, func(o *SSHOptions) {
		o.Keys, o.Passphrase, o.AgentSocket = [][]byte{key}, "hush", "/nowhere/agent"
		o.Log = hclog.New(&hclog.LoggerOptions{Output: &text, Level: hclog.Trace, Mutex: &mu})
	})
	works(t, h)
	s.cut()
	works(t, h)
	_, _ = h.Run(t.Context(), Command{Args: []string{"cat"}, Stdin: strings.NewReader("hush")})
	mu.Lock()
	defer mu.Unlock()
	for _, want := range []string{"connected", "running echo works", "continuing without the SSH agent", "code=0"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, &text)
		}
	}
	if strings.Contains(text.String(), "hush") || strings.Contains(text.String(), "PRIVATE") {
		t.Errorf("a secret in\n%s", &text)
	}
}
