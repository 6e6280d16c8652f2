package host

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// link is one connection, through all its jumps.
type link struct {
	raw    net.Conn // to the first machine; all others end with it
	hops   []*ssh.Client
	client *ssh.Client // the client of the target machine

	grace time.Duration
	after func(time.Duration) <-chan time.Time

	once    sync.Once
	why     error          // set before ending is closed
	ending  chan struct{}  // closed when the connection is to end
	gone    chan struct{}  // closed when the connection has ended
	running sync.WaitGroup // the two goroutines that watch the connection

	fileTimeout time.Duration
	opening     chan struct{} // held by the goroutine that uses transfer
	transfer    *transfer
}

// connect connects to the machine, through all jumps.
func (h *sshHost) connect(ctx context.Context) (*link, error) {
	within, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(h.life, func() { cancel(ErrClosed) })()
	timer := time.AfterFunc(h.o.Timeout, func() {
		cancel(fmt.Errorf("no connection within %s: %w", h.o.Timeout, context.DeadlineExceeded))
	})
	defer timer.Stop()
	ids, hangUp, err := h.identities(within)
	if err != nil {
		return nil, h.fail("connecting", StartedNo, because(within, err))
	}
	defer hangUp()
	first := h.route[0]
	raw, err := h.o.Dial(within, "tcp", first.hostPort())
	if err != nil {
		return nil, h.fail(h.doing(0), StartedNo, because(within, unreachable(err)))
	}
	stop := context.AfterFunc(within, func() { raw.Close() })
	l := &link{raw: raw, grace: h.grace, after: h.after, ending: make(chan struct{}), gone: make(chan struct{}),
		fileTimeout: h.o.FileTimeout, opening: make(chan struct{}, 1)}
	conn := raw
	for i, hop := range h.route {
		if i > 0 {
			conn, err = l.client.DialContext(within, "tcp", hop.hostPort())
			if err != nil {
				l.drop()
				return nil, h.fail(h.doing(i), StartedNo, because(within, notForwarded(h.route[i-1], err)))
			}
		}
		client, _, err := await(within, func() (*ssh.Client, struct{}, error) {
			c, err := h.handshake(conn, hop, ids)
			return c, struct{}{}, err
		})
		if err != nil {
			l.drop()
			return nil, h.fail(h.doing(i), StartedNo, because(within, err))
		}
		l.hops, l.client = append(l.hops, client), client
	}
	if !stop() { // too late: it is already being closed
		l.drop()
		return nil, h.fail("connecting", StartedNo, because(within, ErrBroken))
	}
	l.running.Go(l.watchEnd)
	l.running.Go(func() { l.watchLife(h.o.KeepAlive) })
	return l, nil
}

// doing describes connecting to one machine on the way.
func (h *sshHost) doing(hop int) string {
	if hop == len(h.route)-1 && hop > 0 {
		return "connecting through " + h.route[hop-1].String()
	} else if hop == len(h.route)-1 {
		return "connecting"
	}
	return "connecting to " + h.route[hop].String() + " on the way"
}

// because returns the reason why we ended something, if we did, instead of the error that followed from it.
func because(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

func unreachable(err error) error {
	var lookup *net.DNSError
	if errors.As(err, &lookup) {
		return &inWords{"its name is unknown: " + foreign(err), err}
	}
	return &inWords{"it cannot be reached: " + foreign(err), err}
}

func notForwarded(by address, err error) error {
	var refused *ssh.OpenChannelError
	switch {
	case errors.As(err, &refused) && refused.Reason == ssh.Prohibited:
		return &inWords{fmt.Sprintf("%s does not forward connections (AllowTcpForwarding in its sshd_config): %s", by,
			foreign(err)), err}
	case errors.As(err, &refused):
		return &inWords{fmt.Sprintf("it cannot be reached from %s: %s", by, foreign(err)), err}
	}
	return &inWords{fmt.Sprintf("the connection to %s broke: %s", by, foreign(err)), err}
}

// identities returns the declared keys, then those of the agent.
func (h *sshHost) identities(ctx context.Context) (ids []identity, hangUp func(), err error) {
	ids = h.ids
	if h.o.AgentSocket == "" {
		return unlike(ids), func() {}, nil
	}
	more, agent, err := askAgent(ctx, h.o.Dial, h.o.AgentSocket)
	if err != nil && len(ids) == 0 {
		return nil, nil, &inWords{foreign(err), err}
	}
	if err != nil {
		h.o.Log.Warn("continuing without the SSH agent", "host", h.Name(), "error", foreign(err))
		return unlike(ids), func() {}, nil
	}
	return unlike(append(ids[:len(ids):len(ids)], more...)), func() { agent.Close() }, nil
}

// handshake turns a connection to a machine's sshd into an SSH connection.
func (h *sshHost) handshake(conn net.Conn, to address, ids []identity) (*ssh.Client, error) {
	l := &login{address: to, ids: ids}
	strong := ssh.SupportedAlgorithms() // the library's default still allows key exchanges with SHA-1
	config := &ssh.ClientConfig{
		Config:            ssh.Config{KeyExchanges: strong.KeyExchanges, Ciphers: strong.Ciphers, MACs: strong.MACs},
		User:              to.user,
		AuthCallback:      l.next,
		HostKeyAlgorithms: h.known.algorithms(to),
		HostKeyCallback: func(_ string, _ net.Addr, key ssh.PublicKey) error {
			err := h.known.verify(to, key)
			if err == nil && h.o.HostKey != nil {
				err = h.o.HostKey(to.hostPort(), ssh.FingerprintSHA256(proof(key)))
			}
			l.mu.Lock()
			defer l.mu.Unlock()
			l.key, l.verified = err, err == nil
			return err
		},
	}
	c, channels, requests, err := ssh.NewClientConn(conn, to.hostPort(), config)
	if err != nil {
		return nil, l.explain(err)
	}
	return ssh.NewClient(c, channels, requests), nil
}

// drop closes a link that was not completed.
func (l *link) drop() {
	l.raw.Close()
	l.patiently(l.hopsEnd)
}

// hopsEnd waits until the connections to all machines have ended.
func (l *link) hopsEnd() {
	for _, c := range l.hops {
		_ = c.Wait() // its error only says that it was closed; when one ends, all end
	}
}

// patiently waits until act returns, but not longer than the grace. It reports whether act has returned. The library
// never returns if a machine breaks the protocol while it sends more: it stops reading before it waits for the rest.
func (l *link) patiently(act func()) bool {
	done := make(chan struct{})
	go func() { defer close(done); act() }()
	select {
	case <-done:
		return true
	case <-l.after(l.grace):
		return false
	}
}

// shut closes a channel.
func (l *link) shut(c ssh.Channel) { l.patiently(func() { _ = c.Close() }) }

// end closes the connection at once, whatever runs on it.
func (l *link) end(why error) {
	l.once.Do(func() { l.why = why; close(l.ending) })
	l.raw.Close()
}

func (l *link) ended() bool {
	select {
	case <-l.gone:
		return true
	default:
		return false
	}
}

// broken returns why the connection ended. It waits for the reason, because the first sign of an end may come before
// it.
func (l *link) broken() error {
	<-l.gone
	return l.why
}

// watchEnd waits for the end of the connection, and closes what is left of it.
func (l *link) watchEnd() {
	go func() {
		err := l.client.Wait()
		l.end(fmt.Errorf("%w: %s", ErrBroken, foreign(err)))
	}()
	<-l.ending
	l.patiently(l.hopsEnd)
	close(l.gone)
}

// watchLife notices a machine that has disappeared without closing the connection.
func (l *link) watchLife(every time.Duration) {
	for {
		select {
		case <-l.gone:
			return
		case <-l.after(every):
		}
		answer := l.ask()
		select {
		case <-l.gone:
			return
		case err := <-answer:
			if err != nil {
				l.end(fmt.Errorf("%w: %s", ErrBroken, foreign(err)))
			}
		case <-l.after(3 * every):
			l.end(fmt.Errorf("%w: the machine has not answered for %s", ErrBroken, 4*every))
		}
	}
}

// ask checks whether the machine still answers. The content of the answer does not matter.
func (l *link) ask() <-chan error {
	answer := make(chan error, 1)
	go func() {
		_, _, err := l.client.SendRequest("keepalive@openssh.com", true, nil)
		answer <- err
	}()
	return answer
}

// alive checks whether the machine answers. If no answer can come any more, it ends the connection and returns why.
func (l *link) alive(ctx context.Context) error {
	select {
	case err := <-l.ask():
		if err == nil {
			return nil
		}
		l.end(fmt.Errorf("%w: %s", ErrBroken, foreign(err)))
		return l.broken()
	case <-l.gone:
		return l.broken()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// open opens a session. If the error is ErrBroken, the connection has ended, and nothing was asked of the machine.
func (l *link) open(ctx context.Context) (*session, error) {
	channel, requests, err := l.channel(ctx, "session", nil)
	var refused *ssh.OpenChannelError
	switch {
	case errors.As(err, &refused):
		return nil, &inWords{"the machine opens no more sessions: " + foreign(err), err}
	case err != nil:
		return nil, err
	}
	return newSession(l, channel, requests), nil
}

// channel opens a channel. The error is the machine's refusal (*ssh.OpenChannelError), ErrBroken, or the end of ctx.
func (l *link) channel(ctx context.Context, kind string, data []byte) (ssh.Channel, <-chan *ssh.Request, error) {
	type opened struct {
		channel  ssh.Channel
		requests <-chan *ssh.Request
		err      error
	}
	got := make(chan opened)
	go func() {
		channel, requests, err := l.client.OpenChannel(kind, data)
		select {
		case got <- opened{channel, requests, err}:
		case <-l.gone:
		case <-ctx.Done():
			if err == nil {
				channel.Close()
				ssh.DiscardRequests(requests)
			}
		}
	}()
	select {
	case o := <-got:
		var refused *ssh.OpenChannelError
		if o.err != nil && !errors.As(o.err, &refused) {
			l.end(fmt.Errorf("%w: %s", ErrBroken, foreign(o.err)))
			return nil, nil, l.broken()
		}
		return o.channel, o.requests, o.err
	case <-l.gone: // the library may wait forever for a channel on a connection that ends at this moment
		return nil, nil, l.broken()
	case <-ctx.Done():
		return nil, nil, context.Cause(ctx)
	}
}
