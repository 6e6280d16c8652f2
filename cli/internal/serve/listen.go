package serve

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
)

// Listen listens at an address: IP:PORT, or localhost:PORT or :PORT for 127.0.0.1. open reports whether other machines
// can reach it.
func Listen(ctx context.Context, address string) (l net.Listener, open bool, err error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, false, fmt.Errorf("%q is not an address: write it as 127.0.0.1:0, where 0 is any free port", address)
	}
	if host == "" || host == "localhost" {
		host = "127.0.0.1"
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return nil, false, fmt.Errorf("%q is neither an IP address nor localhost: a page is served at an address, such as "+
			"127.0.0.1:0", host)
	}
	var config net.ListenConfig
	if l, err = config.Listen(ctx, "tcp", net.JoinHostPort(host, port)); err != nil {
		return nil, false, fmt.Errorf("listening at %s: %w", address, err)
	}
	return l, !ip.Unmap().IsLoopback(), nil
}

// mostConnections is the maximum number of connections at a time. One more takes the place of the one that has been
// there longest without asking for the page, or waits: other users of this machine keep no reader out.
const mostConnections = 64

// limited is a listener with a bounded number of connections.
type limited struct {
	net.Listener

	places chan struct{}
	closed chan struct{}
	once   sync.Once

	mu        sync.Mutex
	strangers []*placed // connections that have not asked for the page, in the order in which they came
}

func limit(l net.Listener) net.Listener {
	return &limited{Listener: l, places: make(chan struct{}, mostConnections), closed: make(chan struct{})}
}

func (l *limited) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	select {
	case l.places <- struct{}{}:
	default:
		l.turnAway()
		select {
		case l.places <- struct{}{}:
		case <-l.closed:
			return nil, errors.Join(net.ErrClosed, conn.Close())
		}
	}
	c := &placed{Conn: conn, in: l, leave: sync.OnceFunc(func() { <-l.places })}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.strangers = append(l.strangers, c)
	return c, nil
}

// turnAway closes the connection that has been there longest without asking for the page, if there is one.
func (l *limited) turnAway() {
	l.mu.Lock()
	var first *placed
	if len(l.strangers) > 0 {
		first = l.strangers[0]
	}
	l.mu.Unlock()
	if first != nil {
		_ = first.Close() // nothing is known of it that could be lost
	}
}

func (l *limited) Close() error {
	l.once.Do(func() { close(l.closed) })
	err := l.Listener.Close()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// placed is a connection that gives its place back when it is closed.
type placed struct {
	net.Conn

	in    *limited
	leave func()
}

func (c *placed) Close() error {
	defer c.leave()
	c.known()
	return c.Conn.Close()
}

// known notes that the connection has asked for the page, or is closed.
func (c *placed) known() {
	c.in.mu.Lock()
	defer c.in.mu.Unlock()
	c.in.strangers = slices.DeleteFunc(c.in.strangers, func(o *placed) bool { return o == c })
}

// placedKey is the key of a request's connection in its context.
type placedKey struct{}

func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, placedKey{}, c)
}
