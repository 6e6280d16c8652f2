package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"
)

// portServer accepts connections to one port on loopback.
type portServer struct {
	door

	sandbox *Sandbox
	product product
	port    string
}

// serverOf returns the server that a port belongs to.
func serverOf(port string) string {
	server, _, _ := strings.Cut(port, "/")
	return server
}

// listenPorts gives every port its address. No connection is accepted before start.
func (s *Sandbox) listenPorts(ctx context.Context) error {
	for _, p := range s.products {
		if p.network == nil {
			continue
		}
		for _, port := range p.network.Ports() {
			if !slices.Contains(p.names(), serverOf(port)) {
				return fmt.Errorf("the port %s of %s belongs to no server", port, p.name)
			}
			socket, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
			if err != nil {
				return fmt.Errorf("listening for port %s: %w", port, err)
			}
			s.ports = append(s.ports, &portServer{door: door{socket: socket, conns: map[net.Conn]bool{}}, sandbox: s,
				product: p, port: port})
			p.network.SetPort(port, socket.Addr().String())
		}
	}
	return nil
}

// serve serves one connection on loopback.
func (p *portServer) serve(conn net.Conn) {
	c := &connection{
		sandbox: p.sandbox, product: p.product.name, network: p.product.network, server: serverOf(p.port),
		port: p.port, path: p.port,
		local: conn.LocalAddr(), remote: conn.RemoteAddr(),
		accept: func() (io.ReadWriteCloser, error) { return conn, nil },
		refuse: func() { _ = conn.Close() },
	}
	c.serve()
}

// leadOn handles a request to the machine to connect to an address (RFC 4254, 7.2).
func (m *sshServer) leadOn(offered ssh.NewChannel) {
	var to struct {
		Host     string
		Port     uint32
		From     string
		FromPort uint32
	}
	switch {
	case m.network == nil:
		_ = offered.Reject(ssh.Prohibited, "no connections are led on here") // the client may be gone, here and below
		return
	case ssh.Unmarshal(offered.ExtraData(), &to) != nil:
		_ = offered.Reject(ssh.ConnectionFailed, "this is not an address")
		return
	}
	address := net.JoinHostPort(to.Host, strconv.FormatUint(uint64(to.Port), 10))
	c := &connection{
		sandbox: m.sandbox, product: m.product, network: m.network, server: m.machine, path: address,
		local: place(address), remote: place(m.machine),
		refuse: func() { _ = offered.Reject(ssh.ConnectionFailed, "Connection refused") },
		accept: func() (io.ReadWriteCloser, error) {
			channel, asked, err := offered.Accept()
			if err != nil {
				return nil, err
			}
			m.running.Go(func() { ssh.DiscardRequests(asked) })
			return channel, nil
		},
	}
	if port, ok := m.network.Resolve(m.machine, address); ok {
		c.server, c.port = serverOf(port), port
	}
	c.serve()
}

// connection is one connection to a port.
type connection struct {
	sandbox       *Sandbox
	product       string
	network       Network
	server        string // the machine that was asked, if the connection leads nowhere
	port          string // "" if it leads nowhere
	path          string
	local, remote net.Addr

	accept func() (io.ReadWriteCloser, error) // returns the client's side: a socket, or an SSH channel
	refuse func()
}

// serve serves a connection until it ends: faults first, the access log last.
func (c *connection) serve() {
	s := c.sandbox
	line := AccessLine{Time: s.now(), Server: c.server, Product: c.product, Protocol: ProtocolTCP,
		Method: MethodConnect, Path: c.path, Reading: true}
	// Written before the connection closes, so that a client that sees its end finds the line.
	end := sync.OnceFunc(func() {
		line.DurationMS = s.sinceMS(line.Time)
		s.access.write(line)
	})
	var fault *Fault
	if c.port != "" {
		fault = s.faults.next(c.server, MethodConnect, c.path)
	}
	if fault != nil {
		line.Fault = string(fault.Kind)
	}
	if c.port == "" || fault != nil && fault.Kind == Fail {
		end()
		c.refuse()
		return
	}
	client, err := c.accept()
	if err != nil { // it is gone
		end()
		return
	}
	w := newWire(c.local, c.remote)
	var hearing, saying sync.WaitGroup
	hearing.Go(func() { w.hear(client) })
	saying.Go(func() { w.say(client) })
	line.CarriedOut, line.OK = c.inject(fault, w, end)
	_ = w.Close()
	saying.Wait() // all data has been sent
	line.BytesIn, line.BytesOut = w.heard.Load(), w.said.Load()
	end()
	_ = client.Close()
	hearing.Wait()
}

// inject serves a connection with a fault. It calls log if the line must be written before the connection has ended.
func (c *connection) inject(f *Fault, w *wire, log func()) (carriedOut, ok bool) {
	if f == nil {
		return c.talk(w)
	}
	switch {
	case f.Kind == Hang:
		log()
		_, _ = io.Copy(io.Discard, w) // until the client gives up or the sandbox closes
	case f.Kind == Late && c.sandbox.sleepUntilClose(context.Background(), f.Delay) == nil:
		return c.talk(w)
	}
	return false, false // it is closed
}

// talk makes the simulated server talk. If the simulator panics, that ends the connection, and is written to the
// error log.
func (c *connection) talk(w *wire) (carriedOut, ok bool) {
	ctx, release := c.sandbox.untilClose(context.Background())
	defer release()
	defer func() {
		p := recover()
		switch {
		case p == nil:
		case p == http.ErrAbortHandler: //nolint:errorlint // as for requests: a server that is down
			carriedOut, ok = false, false
		default:
			c.sandbox.errorLog.Printf("%s: a connection to %s panicked: %v\n%s", c.port, c.path, p, debug.Stack())
			carriedOut, ok = true, false
		}
	}()
	c.network.Serve(ctx, c.port, w)
	return true, true
}

// wire is the connection that a World talks through. It has a pipe for each direction, so that deadlines work
// although SSH channels have none, and a client that has sent everything still receives the rest. It counts the data
// that is read.
type wire struct {
	in, fromThem  net.Conn // what the client sends: the World's end, and the end that it is copied to
	out, toThem   net.Conn // what the World sends: its end, and the end that is copied to the client
	local, remote net.Addr
	heard, said   atomic.Int64
}

func newWire(local, remote net.Addr) *wire {
	w := &wire{local: local, remote: remote}
	w.in, w.fromThem = net.Pipe()
	w.out, w.toThem = net.Pipe()
	return w
}

// hear copies what the client sends, and its end, until the World has closed the connection.
func (w *wire) hear(client io.Reader) {
	_, _ = io.Copy(w.fromThem, client)
	_ = w.fromThem.Close()
}

// say copies what the World sends, until it closes the connection or the client is gone.
func (w *wire) say(client io.Writer) {
	_, _ = io.Copy(client, w.toThem)
	_ = w.toThem.Close()
}

// Read implements net.Conn.
func (w *wire) Read(p []byte) (int, error) {
	n, err := w.in.Read(p)
	w.heard.Add(int64(n))
	return n, err
}

// Write implements net.Conn.
func (w *wire) Write(p []byte) (int, error) {
	n, err := w.out.Write(p)
	w.said.Add(int64(n))
	return n, err
}

// Close implements net.Conn.
func (w *wire) Close() error { return errors.Join(w.in.Close(), w.out.Close()) }

// LocalAddr implements net.Conn.
func (w *wire) LocalAddr() net.Addr { return w.local }

// RemoteAddr implements net.Conn.
func (w *wire) RemoteAddr() net.Addr { return w.remote }

// SetDeadline implements net.Conn.
func (w *wire) SetDeadline(t time.Time) error {
	return errors.Join(w.SetReadDeadline(t), w.SetWriteDeadline(t))
}

// SetReadDeadline implements net.Conn.
func (w *wire) SetReadDeadline(t time.Time) error { return w.in.SetReadDeadline(t) }

// SetWriteDeadline implements net.Conn.
func (w *wire) SetWriteDeadline(t time.Time) error { return w.out.SetWriteDeadline(t) }

// place is an address in the simulated network.
type place string

func (place) Network() string  { return "tcp" }
func (p place) String() string { return string(p) }
