// Package teamworkcloud is all there is to know about Teamwork Cloud: its words in the language, how resources are shared one
// way between clusters, and how dormant ones are offloaded.
//
// Documents are cited as in the vendor's addresses: MCS, DEVG and VN are spaces of https://docs.nomagic.com, and "seed" is
// the vendor's page "Cross-cluster resource synchronization".
package teamworkcloud

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"sync"
	"time"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/driver/rest"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// Driver knows Teamwork Cloud. It keeps one session and one connection to the machine for each server, until Close.
type Driver struct {
	env    driver.Env
	random io.Reader

	mu      sync.Mutex
	clients map[*schema.Resource]*osmc.Client
	hosts   map[*schema.Resource]host.Host
}

// New makes the driver.
func New(env driver.Env) driver.Driver {
	if env.LookupEnv == nil {
		env.LookupEnv = func(string) (string, bool) { return "", false }
	}
	if env.Now == nil {
		env.Now = time.Now
	}
	return &Driver{env: env, random: rand.Reader, clients: map[*schema.Resource]*osmc.Client{}, hosts: map[*schema.Resource]host.Host{}}
}

// Close logs out everywhere: a session that stays open holds a licence until it expires.
func (d *Driver) Close(ctx context.Context) error {
	d.mu.Lock()
	clients, hosts := d.clients, d.hosts
	d.clients, d.hosts = map[*schema.Resource]*osmc.Client{}, map[*schema.Resource]host.Host{}
	d.mu.Unlock()
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
		all.Go(func() { failed(server, c.Close(ctx)) })
	}
	for server, h := range hosts {
		all.Go(func() { failed(server, h.Close()) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// reader asks a server and cannot change anything.
func (d *Driver) reader(server *schema.Resource) (osmc.Reader, error) {
	c, err := d.client(server)
	if err != nil {
		return osmc.Reader{}, err
	}
	return c.Reader(), nil
}

// writer is for Execute alone.
func (d *Driver) writer(server *schema.Resource) (osmc.Writer, error) {
	c, err := d.client(server)
	if err != nil {
		return osmc.Writer{}, err
	}
	return c.Writer(), nil
}

func (d *Driver) client(server *schema.Resource) (*osmc.Client, error) {
	if server == nil {
		return nil, errors.New("connecting: the server is not declared any more")
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if c := d.clients[server]; c != nil {
		return c, nil
	}
	c, err := d.connect(server, 0)
	if err != nil {
		return nil, planner.About(server, fmt.Errorf("connecting to %s: %w", server.Addr, err))
	}
	d.clients[server] = c
	return c, nil
}

// connect is where a server's secrets are taken out of the configuration. retries are of what is safe to repeat; 0: as many as
// usual.
func (d *Driver) connect(server *schema.Resource, retries int) (*osmc.Client, error) {
	ca, err := d.contents(server, "ca", "ca_file")
	if err != nil {
		return nil, err
	}
	timeout, err := time.ParseDuration(server.Text("request_timeout"))
	if err != nil {
		timeout = rest.DefaultTimeout
	}
	perSecond := 0.0
	if n := server.Get("requests_per_second"); known(n) {
		perSecond, _ = n.AsBigFloat().Float64()
	}
	return osmc.New(osmc.Options{
		Rest: rest.Options{
			BaseURL: reveal(server, "url"), CAPEM: ca, Timeout: timeout, RatePerSecond: perSecond, MaxRetries: retries,
			Log: d.env.Log.Named(server.Addr.Name), UserAgent: "syncctl/" + d.env.Version, Now: d.env.Now,
		},
		User: reveal(server, "user"), Password: reveal(server, "password"), Token: reveal(server, "token"), TokenKind: server.Text("token_kind"),
	})
}

// machine is the host behind a server, nil where none is declared.
func (d *Driver) machine(server *schema.Resource) (host.Host, error) {
	if server == nil || server.Get("host").IsNull() {
		return nil, nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if h := d.hosts[server]; h != nil {
		return h, nil
	}
	h, err := d.openHost(server)
	if err != nil {
		return nil, planner.About(server, fmt.Errorf("reaching the machine of %s: %w", server.Addr, err))
	}
	d.hosts[server] = h
	return h, nil
}

func (d *Driver) openHost(server *schema.Resource) (host.Host, error) {
	if isTrue(server, "host", "local") {
		return host.Local(host.LocalOptions{Fs: afero.NewOsFs()}), nil
	}
	o := host.SSHOptions{Address: reveal(server, "host", "ssh"), Passphrase: reveal(server, "host", "passphrase"), Log: d.env.Log.Named(server.Addr.Name)}
	key, err := d.contents(server, "host", "key", "key_file")
	if err != nil {
		return nil, err
	}
	if len(key) > 0 {
		o.Keys = [][]byte{key}
	}
	if o.KnownHosts, err = d.knownHosts(server); err != nil {
		return nil, err
	}
	o.Jump = texts(server.Get("host", "jump"))
	if isTrue(server, "host", "agent") {
		o.AgentSocket, _ = d.env.LookupEnv("SSH_AUTH_SOCK")
	}
	return host.SSH(o)
}

// knownHosts are the declared lines, else the person's own file.
func (d *Driver) knownHosts(server *schema.Resource) ([]byte, error) {
	b, err := d.contents(server, "host", "known_hosts", "known_hosts_file")
	if err != nil || len(b) > 0 {
		return b, err
	}
	home, ok := d.env.LookupEnv("HOME")
	if !ok || home == "" {
		return nil, nil
	}
	b, err = afero.ReadFile(d.env.Fs, filepath.Join(home, ".ssh", "known_hosts"))
	if err != nil {
		return nil, nil // whoever has none is told at the first connection which line is missing
	}
	return b, nil
}

// contents is what an argument holds, or the file that another one names; path ends in the two names.
func (d *Driver) contents(server *schema.Resource, path ...string) ([]byte, error) {
	within, inline, file := path[:len(path)-2], path[len(path)-2], path[len(path)-1]
	b := []byte(reveal(server, append(append([]string{}, within...), inline)...))
	name := reveal(server, append(append([]string{}, within...), file)...)
	if name == "" {
		return b, nil
	}
	more, err := afero.ReadFile(d.env.Fs, name)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", file, err)
	}
	if len(b) > 0 {
		b = append(b, '\n')
	}
	return append(b, more...), nil
}

func reveal(r *schema.Resource, path ...string) string {
	v := schema.Reveal(r.Get(path...))
	if v.IsNull() || !v.IsKnown() {
		return ""
	}
	return v.AsString()
}
