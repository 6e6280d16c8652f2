package teamworkcloud

import (
	"context"
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/driver/teamworkcloud/machine"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

// Read returns the facts that a plan is made from, as {facts}. A server without sync_tls is declared to be used, not to be made: it
// is an empty object.
func (d *Driver) Read(ctx context.Context, r *schema.Resource) (cty.Value, error) {
	switch r.Addr.Kind {
	case schema.Sync:
		return d.readSync(ctx, r)
	case schema.Migration:
		return d.readMigration(ctx, r)
	}
	return d.readServerDeclaration(ctx, r)
}

// Plan turns one change into steps.
func (d *Driver) Plan(c planner.Change) (planner.Outline, hcl.Diagnostics) {
	switch c.Resource.Addr.Kind {
	case schema.Sync:
		return planSync(c)
	case schema.Migration:
		return planMigration(c)
	}
	return planServer(c)
}

// Facts reads the named facts again. Those of a sync are "source.major" and "target.major".
func (d *Driver) Facts(ctx context.Context, r *schema.Resource, names []string) (map[string]string, error) {
	switch r.Addr.Kind {
	case schema.Migration:
		return d.migrationFacts(ctx, r, names)
	case schema.Server:
		return d.factsOfServer(ctx, r, names)
	}
	out := map[string]string{}
	for _, name := range names {
		end, ok := map[string]string{"source.major": "source", "target.major": "target"}[name]
		if !ok {
			return nil, fmt.Errorf("reading fact %q: it is none of Teamwork Cloud's", name)
		}
		server := r.Ref(end)
		c, err := d.reader(server)
		if err != nil {
			return nil, err
		}
		f, err := readServer(ctx, c, server)
		if err != nil {
			return nil, planner.About(server, fmt.Errorf("reading %s: %w", server.Addr, err))
		}
		out[name] = f.Major
	}
	return out, nil
}

// Execute carries out what the interface can do. What it cannot do are a person's steps and never come here.
func (d *Driver) Execute(ctx context.Context, t *executor.Task) (executor.Result, error) {
	if machine.Verbs.Has(t.Step.Verb) {
		w, err := d.windowFor(t)
		if err != nil {
			return executor.Result{}, executor.NotSent(err)
		}
		return machine.Verbs.Execute(ctx, w, t)
	}
	if sync := setUpBy(t); sync != nil {
		return d.executeSync(ctx, t, sync)
	}
	switch t.Resource.Addr.Kind {
	case schema.Migration:
		return d.executeMigration(ctx, t)
	case schema.Server:
		return d.executeServer(ctx, t)
	}
	return executor.Result{}, executor.NotSent(fmt.Errorf("carrying out %s: Teamwork Cloud has no such step", t.Step.ID))
}

// Verify asks the live servers whether a step's end is reached.
func (d *Driver) Verify(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	if machine.Verbs.Has(t.Step.Verb) {
		w, err := d.windowFor(t)
		if err != nil {
			return executor.Verdict{}, err
		}
		return machine.Verbs.Verify(ctx, w, t)
	}
	if sync := setUpBy(t); sync != nil {
		return d.verifySync(ctx, t, sync)
	}
	switch t.Resource.Addr.Kind {
	case schema.Migration:
		return d.verifyMigration(ctx, t)
	case schema.Server:
		return d.verifyServer(ctx, t)
	}
	return executor.Verdict{State: executor.Unknown, Why: "Teamwork Cloud has no such step"}, nil
}

// setUpBy is the sync that a step sets up, nil when it is a migration's own. What a migration verifies before it removes
// anything, and how it takes configurations away, is its own.
func setUpBy(t *executor.Task) *schema.Resource {
	switch {
	case !isSyncOp(t.Step.Op):
		return nil
	case t.Resource.Addr.Kind == schema.Sync:
		return t.Resource
	case slices.Contains([]string{opArrived, opRemoveConfiguration}, t.Step.Op):
		return nil
	}
	return t.Resource.Ref("sync")
}

func done(format string, args ...any) executor.Verdict {
	return executor.Verdict{State: executor.Done, Why: fmt.Sprintf(format, args...)}
}

func notDone(format string, args ...any) executor.Verdict {
	return executor.Verdict{State: executor.NotDone, Why: fmt.Sprintf(format, args...)}
}

func unknown(format string, args ...any) executor.Verdict {
	return executor.Verdict{State: executor.Unknown, Why: fmt.Sprintf(format, args...)}
}
