package keystore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/schema"
)

// product is what the ids of findings begin with.
const product = "keystore"

var _ driver.Driver = (*Driver)(nil)

// Driver knows keystores. It keeps one connection to the machine of each keystore until Close.
type Driver struct {
	env    driver.Env
	random io.Reader
	encode func(s *standing, random io.Reader) ([]byte, *Store, error) // makes a file's content; tests have a faulty one

	mu    sync.Mutex
	hosts map[*schema.Resource]host.Host
}

// New makes the driver.
func New(env driver.Env) driver.Driver {
	if env.Now == nil {
		env.Now = time.Now
	}
	return &Driver{env: env, random: rand.Reader, encode: (*standing).encode, hosts: map[*schema.Resource]host.Host{}}
}

// Close closes the connections.
func (d *Driver) Close(context.Context) error {
	d.mu.Lock()
	hosts := d.hosts
	d.hosts = map[*schema.Resource]host.Host{}
	d.mu.Unlock()
	var errs []error
	for r, h := range hosts {
		if err := h.Close(); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", r.Addr, err))
		}
	}
	return errors.Join(errs...)
}

// host is the machine that has a declaration's file.
func (d *Driver) host(decl *declaration) (host.Host, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r := decl.Resource()
	if h := d.hosts[r]; h != nil {
		return h, nil
	}
	h, err := decl.open(d.env)
	if err != nil {
		return nil, err
	}
	d.hosts[r] = h
	return h, nil
}

// verbs are all that the driver's steps do.
var verbs = driver.Verbs[*Driver]{write}

// Verbs are the names of the verbs.
func (d *Driver) Verbs() []string { return verbs.Names() }

// Execute carries a step out.
func (d *Driver) Execute(ctx context.Context, t *executor.Task) (executor.Result, error) {
	return verbs.Execute(ctx, d, t)
}

// Verify asks whether the end of a step is reached.
func (d *Driver) Verify(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	return verbs.Verify(ctx, d, t)
}
