package host

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/printable"
)

// SSHOptions says where a machine is and how to log in there.
type SSHOptions struct {
	Address    string   // user@host or user@host:port; user@[::1]:22 too
	Jump       []string // machines to go through, in order, in the same form
	Keys       [][]byte // private keys, in PEM or OpenSSH's form
	Passphrase string   // of the encrypted keys
	// lines of a known_hosts file. It cannot be switched off: a machine that it does not name is refused
	KnownHosts     []byte
	KnownHostsFrom string // what these lines are called in errors; "": known_hosts
	// HostKey returns an error if a machine (host:port) may not be known by a key, or as one that this key has
	// certified, even if a line says so. fingerprint is that of ssh-keygen -l. If nil, each may be.
	HostKey     func(machine, fingerprint string) error
	AgentSocket string        // socket of an SSH agent; "" for none
	Timeout     time.Duration // to connect and log in, jumps included; 0: 30 s
	// KeepAlive is the interval of checks whether the machine still answers. After three intervals without an answer
	// the connection is given up. 0: 15 s.
	KeepAlive time.Duration
	// FileTimeout is the timeout for one access to a file, such as a STAT or a READ. Then the file transfer is ended,
	// and the next access starts a new one. 0: 30 s.
	FileTimeout time.Duration

	// Dial makes connections: "tcp" to the first machine, "unix" to the agent. If nil, a net.Dialer does.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	Log  hclog.Logger // may be nil
}

// SSH returns a machine that is reached over SSH. It checks the options. The first use connects, and a use after the
// connection broke connects again.
func SSH(o SSHOptions) (Host, error) {
	h := &sshHost{
		o: o, grace: grace, after: time.After, turn: make(chan struct{}, 1), slots: make(chan struct{}, maxSessions),
	}
	to, err := parseAddress(o.Address)
	if err != nil {
		return nil, err
	}
	for i, jump := range o.Jump {
		hop, err := parseAddress(jump)
		if err != nil {
			return nil, fmt.Errorf("jump %d: %w", i+1, err)
		}
		h.route = append(h.route, hop)
	}
	h.route = append(h.route, to)
	if h.ids, err = parseKeys(o.Keys, o.Passphrase); err != nil {
		return nil, err
	}
	if len(h.ids) == 0 && o.AgentSocket == "" {
		return nil, errors.New("neither a key to log in with nor an SSH agent is given")
	}
	if h.known, err = parseKnownHosts(o.KnownHosts, o.KnownHostsFrom); err != nil {
		return nil, err
	}
	if o.Dial == nil {
		h.o.Dial = (&net.Dialer{}).DialContext
	}
	if o.Log == nil {
		h.o.Log = hclog.NewNullLogger()
	}
	if o.Timeout <= 0 {
		h.o.Timeout = 30 * time.Second
	}
	if o.KeepAlive <= 0 {
		h.o.KeepAlive = 15 * time.Second
	}
	if o.FileTimeout <= 0 {
		h.o.FileTimeout = 30 * time.Second
	}
	h.life, h.die = context.WithCancelCause(context.Background())
	return h, nil
}

// maxSessions is the number of commands that run at the same time. sshd allows ten sessions per connection
// (MaxSessions), and file transfer uses one.
const maxSessions = 8

type sshHost struct {
	o     SSHOptions
	route []address // the jumps, then the machine
	ids   []identity
	known *hostKeys

	grace time.Duration
	after func(time.Duration) <-chan time.Time

	life  context.Context // ends with Close
	die   context.CancelCauseFunc
	turn  chan struct{} // held by the goroutine that uses link
	link  *link
	slots chan struct{} // one for each running command

	conns    conns
	closing  sync.Mutex
	unsynced sync.Once // logs once that the machine cannot sync files
}

func (h *sshHost) address() address { return h.route[len(h.route)-1] }

func (h *sshHost) Name() string { return h.address().String() }

// fail returns the error that callers see.
func (h *sshHost) fail(doing string, started Started, err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{
		Host: h.Name(), Doing: doing, Message: printable.Line(wording.Closed(err).Error()), Started: started, cause: err,
	}
}

// connection returns the current connection, or makes one.
func (h *sshHost) connection(ctx context.Context) (*link, error) {
	select {
	case h.turn <- struct{}{}:
		defer func() { <-h.turn }()
	case <-ctx.Done():
		return nil, h.fail("connecting", StartedNo, context.Cause(ctx))
	case <-h.life.Done():
		return nil, h.fail("connecting", StartedNo, ErrClosed)
	}
	if h.life.Err() != nil {
		return nil, h.fail("connecting", StartedNo, ErrClosed)
	}
	if h.link != nil && !h.link.ended() {
		return h.link, nil
	}
	h.link = nil
	l, err := h.connect(ctx)
	if err != nil {
		h.o.Log.Debug("no connection", "host", h.Name(), "error", err.Error())
		return nil, err
	}
	h.o.Log.Debug("connected", "host", h.Name())
	h.link = l
	return l, nil
}

// Run implements Host.
func (h *sshHost) Run(ctx context.Context, c Command) (Output, error) {
	doing := c.doing()
	if err := c.check(); err != nil {
		return Output{}, h.fail(doing, StartedNo, err)
	}
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	case <-ctx.Done():
		return Output{}, h.fail(doing, StartedNo, context.Cause(ctx))
	case <-h.life.Done():
		return Output{}, h.fail(doing, StartedNo, ErrClosed)
	}
	within, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(h.life, func() { cancel(ErrClosed) })()
	within, end := c.during(within)
	defer end()
	s, err := h.session(within)
	if err != nil {
		return Output{}, h.fail(doing, StartedNo, err)
	}
	h.o.Log.Debug(doing, "host", h.Name())
	out, started, err := s.run(within, c)
	if err != nil {
		failed := h.fail(doing, started, err)
		h.o.Log.Debug("failed", "host", h.Name(), "command", doing, "error", failed.Error())
		return out, failed
	}
	h.o.Log.Debug("ended", "host", h.Name(), "command", doing, "code", out.Code)
	return out, nil
}

// session opens a session on the connection.
func (h *sshHost) session(ctx context.Context) (*session, error) {
	return opened(ctx, h, func(l *link) (*session, error) { return l.open(ctx) })
}

// opened opens a channel on the connection. If the connection turns out to be broken, nothing has been asked of the
// machine yet, so it tries once more on a new one.
func opened[T any](ctx context.Context, h *sshHost, open func(*link) (T, error)) (T, error) {
	for again := false; ; again = true {
		l, err := h.connection(ctx)
		if err != nil {
			var none T
			return none, err
		}
		got, err := open(l)
		if err == nil || again || !errors.Is(err, ErrBroken) || h.life.Err() != nil {
			return got, err
		}
		h.o.Log.Debug("the connection had broken", "host", h.Name(), "error", err.Error())
	}
}

// Files implements Host.
func (h *sshHost) Files(ctx context.Context) Files {
	return &sftpFiles{ctx: ctx, name: h.Name(), limit: h.o.FileTimeout, client: h.transfer, noSync: h.noSync}
}

// transfer returns the connection's SFTP session, and opens one if there is none.
func (h *sshHost) transfer(ctx context.Context) (*transfer, error) {
	within, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(h.life, func() { cancel(ErrClosed) })()
	t, err := opened(within, h, func(l *link) (*transfer, error) { return l.files(within) })
	if err != nil {
		return nil, h.fail(reachingFiles, StartedNo, because(within, err))
	}
	return t, nil
}

func (h *sshHost) noSync() {
	h.unsynced.Do(func() {
		h.o.Log.Warn("the machine cannot be told to write files to its disk at once (no fsync@openssh.com): what it "+
			"has taken may be lost if it loses power", "host", h.Name())
	})
}

// Close implements Host.
func (h *sshHost) Close() error {
	h.die(ErrClosed)
	h.closing.Lock()
	defer h.closing.Unlock()
	for range maxSessions { // running commands are being ended
		h.slots <- struct{}{}
	}
	for range maxSessions {
		<-h.slots
	}
	h.turn <- struct{}{}
	defer func() { <-h.turn }()
	if h.link != nil {
		h.link.end(ErrClosed)
		h.link.running.Wait()
		h.link = nil
	}
	h.conns.end()
	return nil
}
