package serve

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
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

// mostConnections is the maximum number of connections at a time; others wait.
const mostConnections = 64

// limited is a listener with a bounded number of connections.
type limited struct {
	net.Listener

	places chan struct{}
	closed chan struct{}
	once   sync.Once
}

func limit(l net.Listener) net.Listener {
	return &limited{Listener: l, places: make(chan struct{}, mostConnections), closed: make(chan struct{})}
}

func (l *limited) Accept() (net.Conn, error) {
	select {
	case l.places <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	conn, err := l.Listener.Accept()
	if err != nil {
		<-l.places
		return nil, err
	}
	return &placed{Conn: conn, leave: sync.OnceFunc(func() { <-l.places })}, nil
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

	leave func()
}

func (c *placed) Close() error {
	defer c.leave()
	return c.Conn.Close()
}
