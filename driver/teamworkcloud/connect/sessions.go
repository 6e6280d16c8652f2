package connect

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/declare"
	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/driver/rest"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/fault"
	"github.com/syncctl/syncctl/schema"
)

// Sessions keeps one session and one connection to the machine for each server, until Close.
type Sessions struct {
	env driver.Env

	mu      sync.Mutex
	clients map[*schema.Resource]*osmc.Client
	hosts   map[*schema.Resource]host.Host
}

// NewSessions connects to nothing yet. Servers are connected to when they are first used.
func NewSessions(env driver.Env) *Sessions {
	if env.Log == nil {
		env.Log = hclog.NewNullLogger()
	}
	return &Sessions{env: env, clients: map[*schema.Resource]*osmc.Client{}, hosts: map[*schema.Resource]host.Host{}}
}

// Close logs out of all servers. A session that stays open holds a licence until it expires.
func (s *Sessions) Close(ctx context.Context) error {
	s.mu.Lock()
	clients, hosts := s.clients, s.hosts
	s.clients, s.hosts = map[*schema.Resource]*osmc.Client{}, map[*schema.Resource]host.Host{}
	s.mu.Unlock()
	var mu sync.Mutex
	var errs []error
	var all sync.WaitGroup
	failed := func(server *schema.Resource, err error) {
		if err != nil {
			mu.Lock()
			defer mu.Unlock()
			errs = append(errs, fmt.Errorf("%s: %w", server.Addr, err))
		}
	}
	for server, c := range clients {
		all.Go(func() { failed(server, fault.Do(func() error { return c.Close(ctx) })) })
	}
	for server, h := range hosts {
		all.Go(func() { failed(server, fault.Do(h.Close)) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// Reader returns a client that can only read from the server.
func (s *Sessions) Reader(server *schema.Resource) (osmc.Reader, error) {
	c, err := s.client(server)
	if err != nil {
		return osmc.Reader{}, err
	}
	return c.Reader(), nil
}

// Writer returns a client that can change things on the server. Only Execute may use it.
func (s *Sessions) Writer(server *schema.Resource) (osmc.Writer, error) {
	c, err := s.client(server)
	if err != nil {
		return osmc.Writer{}, err
	}
	return c.Writer(), nil
}

func (s *Sessions) client(server *schema.Resource) (*osmc.Client, error) {
	if server == nil {
		return nil, errors.New("connecting: the server is not declared any more")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.clients[server]; c != nil {
		return c, nil
	}
	c, err := s.connect(server, 0)
	if err != nil {
		return nil, fmt.Errorf("connecting to %s: %w", server.Addr, err)
	}
	s.clients[server] = c
	return c, nil
}

// connect returns a new client. retries limits the retries of requests that are safe to repeat; 0 means the default.
func (s *Sessions) connect(server *schema.Resource, retries int) (*osmc.Client, error) {
	d := Declared(server)
	o, err := d.Rest(s.env)
	if err != nil {
		return nil, err
	}
	o.MaxRetries = retries
	return osmc.New(osmc.Options{
		Rest: o, User: d.User.Reveal(), Password: d.Password.Reveal(), Token: d.Token.Reveal(), TokenKind: d.TokenKind,
		Patience: s.env.Patience,
	})
}

// Host returns the machine of a server, or nil if none is declared.
func (s *Sessions) Host(server *schema.Resource) (host.Host, error) {
	d := Declared(server)
	if d == nil || d.Host == nil {
		return nil, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if h := s.hosts[server]; h != nil {
		return h, nil
	}
	h, err := d.Host.Open(s.env)
	if err != nil {
		return nil, fmt.Errorf("reaching the machine of %s: %w", server.Addr, err)
	}
	s.hosts[server] = h
	return h, nil
}

// Open returns the machine. It connects at first use.
func (h *Host) Open(env driver.Env) (host.Host, error) {
	if err := declare.Reachable(h.Resource()); err != nil {
		return nil, err
	}
	if h.Local {
		return declare.Local(env, afero.NewOsFs()), nil
	}
	return h.Host.Open(env)
}

// Answers reports whether a server's REST interface answers at all, even with an error. A gateway without a server
// behind it does not count.
func (s *Sessions) Answers(ctx context.Context, server *schema.Resource) (bool, error) {
	const retries = 1 // no answer is expected: retrying for long only keeps the server down for longer
	c, err := s.connect(server, retries)
	if err != nil {
		return false, fmt.Errorf("connecting to %s: %w", server.Addr, err)
	}
	defer func() { s.warn(server, c.Close(ctx)) }()
	_, _, err = c.Reader().Version(ctx)
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	var failed *rest.Error
	if errors.As(err, &failed) {
		return failed.Status != 0 && !slices.Contains([]int{502, 503, 504}, failed.Status), nil
	}
	return true, nil // anything else is not silence
}

// LogOut ends the session at a server whose services are about to be stopped, because that is not possible afterwards.
func (s *Sessions) LogOut(ctx context.Context, server *schema.Resource) {
	c, err := s.client(server)
	if err == nil {
		err = c.Close(ctx)
	}
	s.warn(server, err)
}

func (s *Sessions) warn(server *schema.Resource, err error) {
	if err != nil {
		s.env.Log.Warn("logging out", "server", server.Addr.String(), "error", err)
	}
}
