//go:build unix

package host

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/printable"
	"golang.org/x/crypto/ssh"
)

// listens returns an address that accepts connections until the test ends. It closes a connection after talk.
func listens(t *testing.T, talk func(conn *net.TCPConn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	var conns []net.Conn
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, conn)
			mu.Unlock()
			all.Go(func() {
				defer conn.Close()
				talk(conn.(*net.TCPConn))
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		for _, conn := range conns {
			conn.Close()
		}
		mu.Unlock()
		all.Wait()
	})
	return l.Addr().String()
}

// silent reads and says nothing.
func silent(conn *net.TCPConn) { _, _ = io.Copy(io.Discard, conn) }

func echo(conn *net.TCPConn) { _, _ = io.Copy(conn, conn) }

func dial(t *testing.T, h Host, address string) net.Conn {
	t.Helper()
	conn, err := h.Dial(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// refuses dials an address, which must fail.
func refuses(t *testing.T, h Host, address string, want ...string) error {
	t.Helper()
	conn, err := h.Dial(t.Context(), address)
	var e *Error
	if conn != nil || !errors.As(err, &e) || WasStarted(err) != StartedNo {
		t.Fatalf("%q: got %v, %v", address, conn, err)
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

func TestDial(t *testing.T) {
	eachHost(t, func(t *testing.T, h Host) {
		_, port, _ := net.SplitHostPort(listens(t, echo))
		conn := dial(t, h, "localhost:"+port) // the machine resolves the name
		defer conn.Close()
		if at := conn.RemoteAddr(); at.Network() != "tcp" || !strings.HasSuffix(at.String(), ":"+port) ||
			conn.LocalAddr().String() == "" {
			t.Errorf("from %s to %s", conn.LocalAddr(), at)
		}
		sent := bytes.Repeat([]byte("0123456789abcdef"), 400_000) // more than any window
		go func() {
			if _, err := conn.Write(sent); err != nil {
				t.Error(err)
			}
			if err := conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
				t.Error(err)
			}
		}()
		got, err := io.ReadAll(conn)
		if err != nil || !bytes.Equal(got, sent) {
			t.Errorf("%d of %d bytes came back, %v", len(got), len(sent), err)
		}
		if _, err := conn.Write([]byte("x")); err == nil {
			t.Error("it says more after its end")
		}
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
		for name, err := range map[string]error{"read": second(conn.Read(make([]byte, 1))),
			"write": second(conn.Write([]byte("x")))} {
			if !errors.Is(err, net.ErrClosed) {
				t.Errorf("%s after Close: %v", name, err)
			}
		}
		works(t, h)
	})
}

func second(_ int, err error) error { return err }

// TestCloseLosesNothing checks that everything that is written before a connection is closed arrives.
func TestCloseLosesNothing(t *testing.T) {
	eachHost(t, func(t *testing.T, h Host) {
		got := make(chan int64)
		conn := dial(t, h, listens(t, func(conn *net.TCPConn) {
			n, _ := io.Copy(io.Discard, conn)
			got <- n
		}))
		sent := make([]byte, 3<<20)
		if _, err := conn.Write(sent); err != nil {
			t.Error(err)
		}
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
		if n := <-got; n != int64(len(sent)) {
			t.Errorf("%d of %d bytes", n, len(sent))
		}
	})
}

func TestDialRefused(t *testing.T) {
	eachHost(t, func(t *testing.T, h Host) {
		at := nobody(t)
		for _, address := range []string{at, "no-such-machine.invalid:1"} {
			err := refuses(t, h, address, h.Name()+": connecting to "+address+": it")
			if !errors.Is(err, ErrRefused) || errors.Is(err, ErrForbidden) {
				t.Errorf("got %v", err)
			}
		}
		refuses(t, h, at, "it cannot be reached", "refused")
		works(t, h)
	})
}

func TestDialNeedsAnAddress(t *testing.T) {
	eachHost(t, func(t *testing.T, h Host) {
		for _, address := range []string{"", "db", ":1", "d b:1", "db\x1b[31m:1", "db\x00:1", "::1:1"} {
			if err := refuses(t, h, address, "not of the form host:port"); errors.Is(err, ErrRefused) {
				t.Errorf("got %v", err)
			}
		}
		for _, address := range []string{"db:", "db:0", "db:70000", "db:+1", "db:http", "[::1]:\x1b"} {
			refuses(t, h, address, "is not between 1 and 65535")
		}
	})
}

func TestDialThatIsNotLedOn(t *testing.T) {
	for name, c := range map[string]struct {
		change    func(*server)
		want      string
		forbidden bool
	}{
		"prohibited": {func(s *server) { s.noForward = true }, `(AllowTcpForwarding and PermitOpen in its sshd_config): ` +
			`ssh: rejected: administratively prohibited ("not\x1b[31m here")`, true},
		"unknown": {func(s *server) { s.reject = ssh.UnknownChannelType }, "does not forward connections", true},
		"too many": {func(s *server) { s.reject = ssh.ResourceShortage },
			"the machine opens no more connections", false},
		"sessions are few": {func(s *server) { s.full = true }, "the machine opens no more connections", false},
	} {
		t.Run(name, func(t *testing.T) {
			s, h := pair(t, c.change)
			err := refuses(t, h, listens(t, echo), c.want)
			if errors.Is(err, ErrForbidden) != c.forbidden || errors.Is(err, ErrRefused) {
				t.Errorf("got %v", err)
			}
			refuses(t, h, "db.example:1", c.want)
			if n, _ := s.count(); n != 1 {
				t.Errorf("%d connections", n)
			}
		})
	}
}

func TestDeadlines(t *testing.T) {
	eachHost(t, func(t *testing.T, h Host) {
		talk := make(chan struct{})
		conn := dial(t, h, listens(t, func(conn *net.TCPConn) {
			<-talk
			echo(conn)
		}))
		defer conn.Close()
		expired := func(err error) bool {
			var timeout net.Error
			return errors.Is(err, os.ErrDeadlineExceeded) && errors.As(err, &timeout) && timeout.Timeout()
		}
		if err := conn.SetDeadline(time.Now().Add(10 * time.Millisecond)); err != nil {
			t.Error(err)
		}
		if _, err := conn.Read(make([]byte, 1)); !expired(err) {
			t.Errorf("reading: %v", err)
		}
		if err := conn.SetWriteDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
			t.Error(err)
		}
		var sent int
		for {
			n, err := conn.Write(make([]byte, 1<<16))
			sent += n
			if err != nil {
				if !expired(err) {
					t.Errorf("writing: %v", err)
				}
				break
			}
		}
		// A deadline that has passed ends nothing.
		close(talk)
		if err := conn.SetDeadline(time.Time{}); err != nil {
			t.Error(err)
		}
		if n, err := io.ReadFull(conn, make([]byte, sent)); err != nil {
			t.Errorf("%d of %d bytes came back: %v", n, sent, err)
		}
	})
}

func TestHandshakeThatIsCancelled(t *testing.T) {
	eachHost(t, func(t *testing.T, h Host) {
		ctx, cancel := context.WithCancel(t.Context())
		conn := dial(t, h, listens(t, func(conn *net.TCPConn) {
			_, _ = conn.Read(make([]byte, 1))
			cancel()
			silent(conn)
		}))
		defer conn.Close()
		client := tls.Client(conn, &tls.Config{ServerName: "db.example", MinVersion: tls.VersionTLS12})
		if err := client.HandshakeContext(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

func TestDialIsCancelled(t *testing.T) {
	test := func(t *testing.T, h Host, begun <-chan struct{}) {
		ctx, cancel := context.WithCancel(t.Context())
		go func() { <-begun; cancel() }()
		if conn, err := h.Dial(ctx, "127.0.0.1:1"); conn != nil || !errors.Is(err, context.Canceled) || errors.Is(err,
			ErrRefused) || WasStarted(err) != StartedNo {
			t.Errorf("got %v", err)
		}
		ended := make(chan error)
		go func() {
			_, err := h.Dial(t.Context(), "127.0.0.1:1")
			ended <- err
		}()
		<-begun
		if err := h.Close(); err != nil {
			t.Error(err)
		}
		if err := <-ended; !errors.Is(err, ErrClosed) || WasStarted(err) != StartedNo {
			t.Errorf("got %v", err)
		}
	}
	begun := make(chan struct{})
	t.Run("here", func(t *testing.T) {
		test(t, Local(LocalOptions{Fs: afero.NewMemMapFs(), Dial: func(ctx context.Context, network,
			address string) (net.Conn, error) {
			if network != "tcp" || address != "127.0.0.1:1" {
				t.Errorf("%s, %s", network, address)
			}
			begun <- struct{}{}
			<-ctx.Done()
			return nil, ctx.Err()
		}}), begun)
	})
	t.Run("over SSH", func(t *testing.T) {
		at := listens(t, silent)
		release := make(chan struct{})
		_, h := pair(t, func(s *server) {
			s.connect = func(string) (net.Conn, error) {
				begun <- struct{}{}
				<-release
				return net.Dial("tcp", at) // too late: the client has given up
			}
		})
		defer close(release)
		test(t, h, begun)
	})
}

func TestCloseEndsConnections(t *testing.T) {
	eachHost(t, func(t *testing.T, h Host) {
		at := listens(t, silent)
		conn, idle := dial(t, h, at), dial(t, h, listens(t, func(conn *net.TCPConn) {
			_, _ = conn.Write(make([]byte,
				1<<20))
		}))
		ended := make(chan error)
		go func() { ended <- second(conn.Read(make([]byte, 1))) }()
		if err := h.Close(); err != nil {
			t.Error(err)
		}
		want := ErrClosed
		if _, here := h.(*local); here {
			want = net.ErrClosed
		}
		if err := <-ended; !errors.Is(err, want) {
			t.Errorf("what was read: %v", err)
		}
		for _, c := range []net.Conn{conn, idle} {
			if _, err := c.Write([]byte("x")); !errors.Is(err, want) {
				t.Errorf("what is written: %v", err)
			}
		}
		if err := refuses(t, h, at); !errors.Is(err, ErrClosed) {
			t.Errorf("afterwards: %v", err)
		}
	})
}

// TestForwardedConnectionThatBreaks checks that a forwarded connection does not seem to end normally if the SSH
// connection breaks.
func TestForwardedConnectionThatBreaks(t *testing.T) {
	s, h := pair(t, nil)
	at := listens(t, func(conn *net.TCPConn) {
		_, _ = io.WriteString(conn, "half")
		silent(conn)
	})
	conn := dial(t, h, at)
	defer conn.Close()
	if _, err := io.ReadFull(conn, make([]byte, 4)); err != nil {
		t.Error(err)
	}
	s.cut()
	var e *Error
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, ErrBroken) || !errors.As(err, &e) ||
		!strings.Contains(err.Error(), "talking to "+at) {
		t.Errorf("reading: %v", err)
	}
	for {
		if _, err := conn.Write([]byte("x")); err != nil {
			if !errors.Is(err, ErrBroken) {
				t.Errorf("writing: %v", err)
			}
			break
		}
	}
	again := dial(t, h, at)
	defer again.Close()
	if n, _ := s.count(); n != 2 {
		t.Errorf("%d connections", n)
	}
	s.cut()
	works(t, h)
	dial(t, h, at).Close()
}

func TestOtherSideThatCloses(t *testing.T) {
	eachHost(t, func(t *testing.T, h Host) {
		conn := dial(t, h, listens(t, func(conn *net.TCPConn) { _, _ = io.WriteString(conn, "all") }))
		defer conn.Close()
		if got, err := io.ReadAll(conn); err != nil || string(got) != "all" {
			t.Errorf("got %q, %v", got, err)
		}
		for {
			if _, err := conn.Write([]byte("x")); err != nil {
				if !errors.Is(err, syscall.EPIPE) && !errors.Is(err, syscall.ECONNRESET) {
					t.Errorf("got %v", err)
				}
				break
			}
		}
		works(t, h)
	})
}
