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

// product is the prefix of the IDs of findings.
const product = "keystore"

var _ driver.Driver = (*Driver)(nil)

// Driver is the driver of keystores. It keeps one connection to the machine of each keystore until Close.
type Driver struct {
	env    driver.Env
	random io.Reader
	encode func(s *standing, random io.Reader) ([]byte, *Store, error) // makes a file's content; replaced in tests

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

// host returns the machine that has a declaration's file.
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

// verbs is the table of the driver's verbs.
var verbs = driver.Verbs[*Driver]{write}

// Verbs are the names of the verbs.
func (d *Driver) Verbs() []string { return verbs.Names() }

// Execute carries out a step.
func (d *Driver) Execute(ctx context.Context, t *executor.Task) (executor.Result, error) {
	return verbs.Execute(ctx, d, t)
}

// Verify checks whether a step is done.
func (d *Driver) Verify(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	return verbs.Verify(ctx, d, t)
}
