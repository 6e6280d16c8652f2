package host

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/printable"
	"golang.org/x/crypto/ssh"
)

// Dial implements Host.
func (h *sshHost) Dial(ctx context.Context, address string) (net.Conn, error) {
	doing := dialing(address)
	if err := checkTarget(address); err != nil {
		return nil, h.fail(doing, StartedNo, err)
	}
	within, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(h.life, func() { cancel(ErrClosed) })()
	c, err := opened(within, h, func(l *link) (*forwarded, error) { return l.forward(within, address) })
	if err == nil {
		c.host = h
		if h.conns.add(c) {
			go c.pump()
			return c, nil
		}
		c.channel.Close()
		err = ErrClosed
	}
	failed := h.fail(doing, StartedNo, because(within, err))
	h.o.Log.Debug("no connection from the machine", "host", h.Name(), "to", printable.Line(address), "error",
		failed.Error())
	return nil, failed
}

// forward makes the machine connect to an address (RFC 4254, 7.2).
func (l *link) forward(ctx context.Context, address string) (*forwarded, error) {
	host, port, _ := net.SplitHostPort(address) // it was checked before
	n, _ := strconv.ParseUint(port, 10, 16)
	channel, requests, err := l.channel(ctx, "direct-tcpip", ssh.Marshal(struct {
		Host     string
		Port     uint32
		From     string
		FromPort uint32
	}{host, uint32(n), net.IPv4zero.String(), 0})) // as the library does
	if err != nil {
		return nil, notConnected(err)
	}
	c := &forwarded{link: l, channel: channel, requests: requests, address: address, over: make(chan struct{})}
	c.in, c.fromThem = net.Pipe()
	c.out, c.toThem = net.Pipe()
	return c, nil
}

func notConnected(err error) error {
	var refused *ssh.OpenChannelError
	if !errors.As(err, &refused) {
		return err
	}
	switch refused.Reason {
	case ssh.Prohibited, ssh.UnknownChannelType:
		return &inWords{"the machine does not forward connections (AllowTcpForwarding and PermitOpen in its " +
			"sshd_config): " + foreign(err), errors.Join(ErrForbidden, err)}
	case ssh.ConnectionFailed:
		return &inWords{"it cannot be reached from there: " + foreign(err), errors.Join(ErrRefused, err)}
	}
	return &inWords{"the machine opens no more connections: " + foreign(err), err}
}

// forwarded is a connection that the machine makes for us. An SSH channel has no deadlines. A pipe for each direction
// has them, and can be closed for one direction.
type forwarded struct {
	host     *sshHost
	link     *link
	channel  ssh.Channel
	requests <-chan *ssh.Request
	address  string

	in, fromThem net.Conn // what the other side sends: our end, and the end that the channel is copied to
	out, toThem  net.Conn // what we send: our end, and the end that is copied to the channel

	over chan struct{} // closed by Close, and with the host

	mu     sync.Mutex
	why    error // why it was closed. Set before over is closed; lost and unsaid are set before their pipes are closed
	lost   error // why the data ended early; nil if it was complete
	unsaid error // why nothing more can be sent
}

// pump copies in both directions until both have ended, or the connection is closed.
func (c *forwarded) pump() {
	defer c.host.conns.drop(c)
	var others, both sync.WaitGroup
	others.Go(func() { ssh.DiscardRequests(c.requests) })
	others.Go(func() { _, _ = io.Copy(io.Discard, c.channel.Stderr()) }) // if unread, it would block the rest
	said, done := make(chan struct{}), make(chan struct{})
	both.Go(func() { defer close(said); c.say() })
	both.Go(c.hear)
	go func() { both.Wait(); close(done) }()
	select {
	case <-done:
	case <-c.link.gone:
	case <-c.over:
		select { // data that was written before closing is still sent
		case <-said:
		case <-c.link.gone:
		case <-c.link.after(c.link.grace):
		}
	}
	c.link.shut(c.channel)
	if !c.link.patiently(func() { <-done; others.Wait() }) {
		c.end(ErrBroken) // for whoever still reads
	}
}

// say sends the data that is written, and then its end.
func (c *forwarded) say() {
	_, err := io.Copy(c.channel, c.toThem)
	if err == nil {
		_ = c.channel.CloseWrite() // the other side needs no end if it has closed the channel
		return
	}
	why := c.loss()
	if why == nil {
		why = c.failed(&inWords{"the other side has closed it", syscall.EPIPE})
	}
	c.mu.Lock()
	c.unsaid = why
	c.mu.Unlock()
	c.toThem.Close()
}

// hear receives until the other side has sent everything. On a channel, this looks the same as the end of the
// connection under it.
func (c *forwarded) hear() {
	if _, err := io.Copy(c.fromThem, c.channel); err == nil {
		why := c.loss()
		c.mu.Lock()
		c.lost = why
		c.mu.Unlock()
	}
	c.fromThem.Close()
}

// loss returns why the connection to the machine ended, or nil if it did not end.
func (c *forwarded) loss() error {
	select {
	case <-c.over: // nobody asks any more
		return nil
	default:
	}
	if err := c.link.alive(c.host.life); err != nil {
		return c.failed(err)
	}
	return nil
}

func (c *forwarded) failed(err error) error {
	return c.host.fail("talking to "+wording.Message(c.address, 200), StartedMaybe, err)
}

func (c *forwarded) end(why error) { c.finish(c.failed(why)) }

func (c *forwarded) finish(why error) {
	c.mu.Lock()
	if c.why == nil {
		c.why = why
		close(c.over)
	}
	c.mu.Unlock()
	c.in.Close()
	c.out.Close()
}

// Read implements net.Conn.
func (c *forwarded) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrClosedPipe) {
		c.mu.Lock()
		defer c.mu.Unlock()
		err = cmp.Or(c.why, c.lost, err)
	}
	return n, err
}

// Write implements net.Conn.
func (c *forwarded) Write(p []byte) (int, error) {
	n, err := c.out.Write(p)
	if errors.Is(err, io.ErrClosedPipe) {
		c.mu.Lock()
		defer c.mu.Unlock()
		err = cmp.Or(c.why, c.unsaid, net.ErrClosed) // net.ErrClosed after CloseWrite
	}
	return n, err
}

// Close implements net.Conn.
func (c *forwarded) Close() error {
	c.finish(net.ErrClosed)
	return nil
}

// CloseWrite ends what is sent; see Host.Dial.
func (c *forwarded) CloseWrite() error { return c.out.Close() }

// SetDeadline implements net.Conn.
func (c *forwarded) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetReadDeadline implements net.Conn.
func (c *forwarded) SetReadDeadline(t time.Time) error { return c.in.SetReadDeadline(t) }

// SetWriteDeadline implements net.Conn.
func (c *forwarded) SetWriteDeadline(t time.Time) error { return c.out.SetWriteDeadline(t) }

// LocalAddr implements net.Conn.
func (c *forwarded) LocalAddr() net.Addr { return place(c.host.Name()) }

// RemoteAddr implements net.Conn.
func (c *forwarded) RemoteAddr() net.Addr { return place(c.address) }

// place is an end of a connection, as far as it is known here.
type place string

func (place) Network() string  { return "tcp" }
func (p place) String() string { return string(p) }
