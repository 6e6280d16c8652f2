package host

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"

	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/printable"
)

// checkTarget refuses invalid addresses. It is the same check for all machines.
func checkTarget(address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" || printable.Line(host) != host || strings.ContainsAny(host, " \t") {
		return errors.New("the address is not of the form host:port")
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || port[0] == '+' {
		return fmt.Errorf("the port %q is not between 1 and 65535", port)
	}
	return nil
}

// dialing describes an attempt to connect, for errors.
func dialing(address string) string { return "connecting to " + wording.Message(address, 200) }

// Dial implements Host.
func (h *local) Dial(ctx context.Context, address string) (net.Conn, error) {
	conn, err := h.dial(ctx, address)
	if err != nil {
		return nil, &Error{Host: h.Name(), Doing: dialing(address), Message: printable.Line(wording.Closed(err).Error()),
			Started: StartedNo, cause: err}
	}
	return conn, nil
}

func (h *local) dial(ctx context.Context, address string) (net.Conn, error) {
	if err := checkTarget(address); err != nil {
		return nil, err
	}
	if !h.begin() {
		return nil, ErrClosed
	}
	defer h.running.Done()
	within, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(h.life, func() { cancel(ErrClosed) })()
	conn, err := h.o.Dial(within, "tcp", address)
	if err != nil {
		words := unreachable(err)
		return nil, because(within, &inWords{words.Error(), errors.Join(ErrRefused, err)})
	}
	d := &dialed{Conn: conn, conns: &h.conns}
	if !h.conns.add(d) {
		conn.Close()
		return nil, ErrClosed
	}
	return d, nil
}

// dialed is a connection that was dialed from this machine.
type dialed struct {
	net.Conn

	conns *conns
}

// Close implements net.Conn.
func (d *dialed) Close() error {
	defer d.conns.drop(d)
	return d.Conn.Close()
}

// CloseWrite ends what is sent; see Host.Dial.
func (d *dialed) CloseWrite() error {
	if c, ok := d.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return errors.ErrUnsupported
}

func (d *dialed) end(error) { d.Close() }

// ender is a connection that can be ended for a reason.
type ender interface{ end(why error) }

// conns holds the connections that were dialed from a machine and have not ended.
type conns struct {
	mu      sync.Mutex
	open    map[ender]bool
	ended   bool
	running sync.WaitGroup // counts the open connections
}

// add adds a connection, unless the host is closed.
func (c *conns) add(conn ender) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return false
	}
	if c.open == nil {
		c.open = map[ender]bool{}
	}
	c.open[conn] = true
	c.running.Add(1)
	return true
}

func (c *conns) drop(conn ender) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open[conn] {
		delete(c.open, conn)
		c.running.Done()
	}
}

// end ends all connections, and waits until they have ended.
func (c *conns) end() {
	c.mu.Lock()
	c.ended = true
	var left []ender
	for conn := range c.open {
		left = append(left, conn)
	}
	c.mu.Unlock()
	for _, conn := range left {
		conn.end(ErrClosed)
	}
	c.running.Wait()
}
