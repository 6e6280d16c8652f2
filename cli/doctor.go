package cli

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"github.com/syncctl/syncctl/cli/internal/view"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/fault"
	"github.com/syncctl/syncctl/schema"
)

type doctorFlags struct {
	vars    variables
	timeout time.Duration
}

// doctorTimeout is the default timeout for the examination of one server.
const doctorTimeout = 30 * time.Second

// doctorGrace is the additional time for a driver to return after the timeout.
const doctorGrace = 2 * time.Second

func (c *command) doctorCommand() *cobra.Command {
	f := &doctorFlags{}
	cmd := jsonCommand(&cobra.Command{
		Use: "doctor [DIR]", Args: atMost(1),
		Short: "Examine every server, machine, certificate, role, version and clock; changes nothing",
		Long: `Examines every declared server and keystore, all at once, and shows in a table what works and what does not:
whether each is reached and accepts the credentials, with which rights, in which version, until when its certificates
are valid, and what its clock says. It changes nothing. The exit code is 1 if anything failed or is unknown.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.enterArg(args); err != nil {
				return err
			}
			if f.timeout <= 0 {
				return failf(exitError, "-timeout=%s: it must be above zero", f.timeout)
			}
			return c.doctor(cmd.Context(), f)
		},
	})
	c.varFlags(cmd, &f.vars)
	cmd.Flags().DurationVar(&f.timeout, "timeout", doctorTimeout, "how long one server may take, as `DURATION`")
	return cmd
}

func (c *command) doctor(ctx context.Context, f *doctorFlags) error {
	p, err := c.loadLive(ctx, f.vars.list)
	if err != nil {
		return err
	}
	all := c.examine(ctx, p, f.timeout)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := c.document(view.ExaminationsJSON(all)); err != nil {
		return err
	}
	if !c.flags.json {
		if err := view.Examinations(c.out, c.outStyle, all); err != nil {
			return err
		}
	}
	for _, one := range all {
		for _, x := range one.Found {
			if x.State != driver.OK && x.State != driver.Warn {
				return exitQuietly(exitError)
			}
		}
	}
	return nil
}

// examine examines all servers and keystores concurrently.
func (c *command) examine(ctx context.Context, p *project, within time.Duration) []view.Examined {
	begin, finish := c.reading()
	defer finish()
	var all []view.Examined
	var declared []*schema.Resource
	for _, r := range p.cfg.Resources {
		if (r.Addr.Kind == schema.Server || r.Addr.Kind == schema.Keystore) && !r.Elsewhere {
			declared = append(declared, r)
			all = append(all, view.Examined{Address: r.Addr.String()})
		}
	}
	faults := make([]error, len(declared))
	var examining sync.WaitGroup
	for i, r := range declared {
		examining.Go(func() {
			defer fault.Catch(&faults[i])
			defer begin(all[i].Address)()
			all[i].Found = examineOne(ctx, p, r, within)
		})
	}
	examining.Wait()
	fault.Raise(errors.Join(faults...))
	return all
}

// examineOne examines one server or keystore. It does not wait for a driver that does not return in time.
func examineOne(ctx context.Context, p *project, r *schema.Resource, within time.Duration) []driver.Examination {
	d, ok := p.drivers[typeKey{r.Addr.Kind, r.Addr.Type}].(driver.Doctor)
	if !ok {
		return []driver.Examination{{
			What: driver.WhatReached, State: driver.Unknown, Seen: "this product examines nothing",
			Advice: "See with syncctl plan whether it can be read.",
		}}
	}
	var users []*schema.Resource
	for _, user := range p.cfg.Resources {
		if user.Referred(r.Addr) != nil {
			users = append(users, user)
		}
	}
	late := fmt.Errorf("nothing was found out within %s (-timeout)", within)
	limited, cancel := context.WithTimeoutCause(ctx, within, late)
	defer cancel()
	found, broken := make(chan []driver.Examination, 1), make(chan error, 1)
	go func() {
		var err error
		defer func() { broken <- err }()
		defer fault.Catch(&err)
		found <- d.Examine(limited, r, users)
	}()
	most := time.NewTimer(within + doctorGrace)
	defer most.Stop()
	select {
	case x := <-found:
		return x
	case err := <-broken:
		fault.Raise(err)
		return <-found
	case <-ctx.Done():
		return nil
	case <-most.C:
		return []driver.Examination{{
			What: driver.WhatReached, State: driver.Unknown, Seen: fmt.Sprintf("the examination did not end within %s", within),
			Advice: "Try again, with a longer -timeout.",
		}}
	}
}
