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

// Dial is told at Host.
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

// forward has the machine connect to an address. RFC 4254, 7.2.
func (l *link) forward(ctx context.Context, address string) (*forwarded, error) {
	host, port, _ := net.SplitHostPort(address) // it is checked
	n, _ := strconv.ParseUint(port, 10, 16)
	channel, requests, err := l.channel(ctx, "direct-tcpip", ssh.Marshal(struct {
		Host     string
		Port     uint32
		From     string
		FromPort uint32
	}{host, uint32(n), net.IPv4zero.String(), 0})) // as the library says it
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

// forwarded is a connection that the machine makes for us. A channel knows no deadlines: a pipe each way does, and
// can be closed one way.
type forwarded struct {
	host     *sshHost
	link     *link
	channel  ssh.Channel
	requests <-chan *ssh.Request
	address  string

	in, fromThem net.Conn // what the other side says: our end, the end that the channel is copied to
	out, toThem  net.Conn // what we say: our end, the end that is copied to the channel

	over chan struct{} // closed by Close, and with the host

	mu     sync.Mutex
	why    error // it was closed. Set before over is closed, lost and unsaid before their pipes
	lost   error // why the data ended early; nil: it was all
	unsaid error // why nothing more can be said
}

// pump copies both ways until both have ended, or the connection is closed.
func (c *forwarded) pump() {
	defer c.host.conns.drop(c)
	var others, both sync.WaitGroup
	others.Go(func() { ssh.DiscardRequests(c.requests) })
	others.Go(func() { _, _ = io.Copy(io.Discard, c.channel.Stderr()) }) // unread, it would hold up the rest
	said, done := make(chan struct{}), make(chan struct{})
	both.Go(func() { defer close(said); c.say() })
	both.Go(c.hear)
	go func() { both.Wait(); close(done) }()
	select {
	case <-done:
	case <-c.over:
		select { // what was written before it was closed is still sent
		case <-said:
		case <-c.link.gone:
		case <-c.link.after(c.link.grace):
		}
	}
	c.channel.Close()
	<-done
	others.Wait()
}

// say sends what is written, and the end of it.
func (c *forwarded) say() {
	_, err := io.Copy(c.channel, c.toThem)
	if err == nil {
		_ = c.channel.CloseWrite() // who has closed the channel wants no end of it
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

// hear receives until the other side has said all. To a channel, the end of the connection under it looks the same.
func (c *forwarded) hear() {
	if _, err := io.Copy(c.fromThem, c.channel); err == nil {
		why := c.loss()
		c.mu.Lock()
		c.lost = why
		c.mu.Unlock()
	}
	c.fromThem.Close()
}

// loss is why the connection to the machine ended, nil where it did not.
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

// Read is of net.Conn.
func (c *forwarded) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrClosedPipe) {
		c.mu.Lock()
		defer c.mu.Unlock()
		err = cmp.Or(c.why, c.lost, err)
	}
	return n, err
}

// Write is of net.Conn.
func (c *forwarded) Write(p []byte) (int, error) {
	n, err := c.out.Write(p)
	if errors.Is(err, io.ErrClosedPipe) {
		c.mu.Lock()
		defer c.mu.Unlock()
		err = cmp.Or(c.why, c.unsaid, net.ErrClosed) // the last after CloseWrite
	}
	return n, err
}

// Close is of net.Conn.
func (c *forwarded) Close() error {
	c.finish(net.ErrClosed)
	return nil
}

// CloseWrite is told at Host.
func (c *forwarded) CloseWrite() error { return c.out.Close() }

// SetDeadline is of net.Conn.
func (c *forwarded) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetReadDeadline is of net.Conn.
func (c *forwarded) SetReadDeadline(t time.Time) error { return c.in.SetReadDeadline(t) }

// SetWriteDeadline is of net.Conn.
func (c *forwarded) SetWriteDeadline(t time.Time) error { return c.out.SetWriteDeadline(t) }

// LocalAddr is of net.Conn.
func (c *forwarded) LocalAddr() net.Addr { return place(c.host.Name()) }

// RemoteAddr is of net.Conn.
func (c *forwarded) RemoteAddr() net.Addr { return place(c.address) }

// place is where a connection comes from or leads to, as far as that is known here.
type place string

func (place) Network() string  { return "tcp" }
func (p place) String() string { return string(p) }
