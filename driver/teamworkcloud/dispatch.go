package teamworkcloud

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/encrypt"
	"github.com/syncctl/syncctl/driver/teamworkcloud/machine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/offload"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/driver/teamworkcloud/share"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// Needs returns what is observed for a plan. For a server without sync_tls, that is nothing: its declaration only says
// how to use it.
func (d *Driver) Needs(r *schema.Resource, seen *planner.Observations) ([]planner.Need, hcl.Diagnostics) {
	v := survey.NewView(seen)
	switch r.Addr.Kind {
	case schema.Sync:
		d.lookAtSync(v, survey.Declared(r))
	case schema.Migration:
		d.offloading(r, nil).Needs(v)
	case schema.Server:
		d.encryption().Needs(v, connect.Declared(r))
	}
	if err := v.Err(); err != nil && !errors.Is(err, planner.ErrNotObserved) {
		return nil, cannotPlan(r, err)
	}
	return v.Needs(), nil
}

// Observe makes one observation of a server.
func (d *Driver) Observe(ctx context.Context, r *schema.Resource, n planner.Need) (any, error) {
	if encrypt.Observes(n.What) {
		return d.encryption().Observe(ctx, r, n)
	}
	c, err := d.reader(r)
	if err != nil {
		return nil, err
	}
	return d.listings.Observe(ctx, c, connect.Declared(r), n)
}

// observer makes observations of the servers in a configuration, for verifications. A server is found by its address.
func (d *Driver) observer(all iter.Seq[*schema.Resource], t *executor.Task, s *survey.Sync) survey.Observer {
	ask := func(ctx context.Context, n planner.Need) (any, error) {
		for r := range all {
			if r.Addr.String() == n.Server {
				return d.Observe(ctx, r, n)
			}
		}
		return nil, fmt.Errorf("observing %s: it is not declared any more", n)
	}
	return share.Knowing(ask, t, s)
}

func (d *Driver) lookAtSync(v *survey.View, s *survey.Sync) (*survey.Facts, *share.Pair) {
	f := v.Facts(s, nil)
	if f == nil {
		return nil, nil
	}
	return f, d.encryption().Look(v, s, f)
}

// Plan plans the steps of one change.
func (d *Driver) Plan(c planner.Change) (planner.Outline, hcl.Diagnostics) {
	switch c.Resource.Addr.Kind {
	case schema.Sync:
		v, s := survey.NewView(c.Seen), survey.Declared(c.Resource)
		f, pair := d.lookAtSync(v, s)
		if err := v.Err(); err != nil {
			return planner.Outline{}, cannotPlan(c.Resource, err)
		}
		return share.Outline(s, f, d.encryption(), pair, c.Confirmed, c.Replace), nil
	case schema.Migration:
		return outline(c, func(v *survey.View) (planner.Outline, error) {
			return d.offloading(c.Resource, nil).Plan(v, c.Confirmed)
		})
	}
	return outline(c, func(v *survey.View) (planner.Outline, error) {
		return d.encryption().Plan(v, connect.Declared(c.Resource), c.Confirmed)
	})
}

var _ planner.Replacer = (*Driver)(nil)

// Replaces: of what can be replaced at all, there are only synchronizations here.
func (d *Driver) Replaces(of schema.Addr) bool { return of.Kind == schema.Sync }

// Irreplaceable returns why a declaration cannot be replaced, "" if it can. Replacing a synchronization creates its
// remote resource configurations again; the copies that they have brought stay.
func (d *Driver) Irreplaceable(r *schema.Resource, _ []schema.Addr) string {
	if survey.Declared(r).IsRemoved() {
		return "Its state is declared as removed: declare it as active, and it is made again."
	}
	return ""
}

// outline plans with what was observed.
func outline(
	c planner.Change, plan func(*survey.View) (planner.Outline, error),
) (planner.Outline, hcl.Diagnostics) {
	out, err := plan(survey.NewView(c.Seen))
	if err != nil {
		return planner.Outline{}, cannotPlan(c.Resource, err)
	}
	return out, nil
}

// Facts reads the named facts again. A synchronization has the facts "source.major" and "target.major".
func (d *Driver) Facts(ctx context.Context, r *schema.Resource, names []string) (map[string]string, error) {
	out, err := d.facts(ctx, r, names)
	return out, connect.Later(err)
}

func (d *Driver) facts(ctx context.Context, r *schema.Resource, names []string) (map[string]string, error) {
	switch r.Addr.Kind {
	case schema.Migration:
		return d.offloading(r, nil).Facts(ctx, names)
	case schema.Server:
		return d.encryption().Facts(ctx, connect.Declared(r), names)
	}
	out := map[string]string{}
	for _, name := range names {
		end, ok := strings.CutSuffix(name, ".major")
		if !ok || end != survey.AtSource && end != survey.AtTarget {
			return nil, fmt.Errorf("reading fact %q: a synchronization has no such fact", name)
		}
		major, err := d.major(ctx, survey.Declared(r), end)
		if err != nil {
			return nil, err
		}
		out[name] = major
	}
	return out, nil
}

// major returns the major version of the server at an end.
func (d *Driver) major(ctx context.Context, s *survey.Sync, end string) (string, error) {
	server := s.Server(end)
	c, err := d.reader(server.Resource())
	if err != nil {
		return "", err
	}
	return survey.ReadMajor(ctx, c, server)
}

// Execute executes what the interface can do. What it cannot do are steps for people, which never come here.
func (d *Driver) Execute(ctx context.Context, t *executor.Task) (executor.Result, error) {
	result, err := d.execute(ctx, t)
	if executor.WasNotSent(err) {
		err = connect.Later(err)
	}
	return result, err
}

func (d *Driver) execute(ctx context.Context, t *executor.Task) (executor.Result, error) {
	if machine.Verbs.Has(t.Step.Verb) {
		w, err := d.windowFor(t)
		if err != nil {
			return executor.Result{}, executor.NotSent(err)
		}
		return machine.Verbs.Execute(ctx, w, t)
	}
	if share.Verbs.Has(t.Step.Verb) {
		w, err := d.sharing(t)
		if err != nil {
			return executor.Result{}, executor.NotSent(err)
		}
		return share.Verbs.Execute(ctx, w, t)
	}
	switch t.Resource.Addr.Kind {
	case schema.Migration:
		return d.offloading(t.Resource, t).Execute(ctx, t)
	case schema.Server:
		return d.encryption().Execute(ctx, t)
	}
	return executor.Result{}, executor.NotSent(fmt.Errorf("carrying out %s: Teamwork Cloud has no such step", t.Step.ID))
}

// Verify verifies a step against the live servers.
func (d *Driver) Verify(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	v, err := d.verify(ctx, t)
	return v, connect.Later(err)
}

func (d *Driver) verify(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	if machine.Verbs.Has(t.Step.Verb) {
		w, err := d.windowFor(t)
		if err != nil {
			return executor.Verdict{}, err
		}
		return machine.Verbs.Verify(ctx, w, t)
	}
	if share.Verbs.Has(t.Step.Verb) {
		w, err := d.sharing(t)
		if err != nil {
			return executor.Verdict{}, err
		}
		return share.Verbs.Verify(ctx, w, t)
	}
	switch t.Resource.Addr.Kind {
	case schema.Migration:
		return d.offloading(t.Resource, t).Verify(ctx, t)
	case schema.Server:
		return d.encryption().Verify(ctx, t)
	}
	return executor.Verdict{State: executor.Unknown, Why: "Teamwork Cloud has no such step"}, nil
}

// Verbs returns the names of all verbs, sorted.
func (d *Driver) Verbs() []string {
	return slices.Sorted(slices.Values(slices.Concat(
		machine.Verbs.Names(), share.Verbs.Names(), offload.Verbs.Names(), encrypt.Verbs.Names())))
}

// sharing returns the synchronization that a step belongs to: the declaration itself, or the one that a migration
// owns.
func (d *Driver) sharing(t *executor.Task) (*share.Sharing, error) {
	r := t.Resource
	if r.Addr.Kind == schema.Migration {
		r = offload.Declared(r).Sync
	}
	if r == nil {
		return nil, executor.Final(fmt.Errorf("the synchronization of step %s is not declared any more", t.Step.ID))
	}
	s := survey.Declared(r)
	return &share.Sharing{Sync: s, Servers: servers{d}, Observe: d.observer(serversOf(s), t, s),
		Encryption: d.encryption()}, nil
}

// offloading returns the declared offload. t is the step to work on, or nil.
func (d *Driver) offloading(r *schema.Resource, t *executor.Task) *offload.Offloading {
	decl := offload.Declared(r)
	var all iter.Seq[*schema.Resource] = func(func(*schema.Resource) bool) {}
	sync := survey.Declared(decl.Sync)
	if sync != nil {
		all = serversOf(sync)
	}
	return &offload.Offloading{
		Declaration: decl, Servers: servers{d}, Observe: d.observer(all, t, sync), Encryption: d.encryption(),
	}
}

// serversOf returns the declarations of all servers that a synchronization may have to observe, beginning with its
// own.
func serversOf(s *survey.Sync) iter.Seq[*schema.Resource] {
	return func(yield func(*schema.Resource) bool) {
		own := func(s *survey.Sync) bool {
			if !yield(s.Source) || !yield(s.Target) {
				return false
			}
			for _, hop := range s.Chain() {
				if !yield(hop.Source) {
					return false
				}
			}
			return true
		}
		if !own(s) {
			return
		}
		for p := range s.ActivePeers() {
			if !own(p) {
				return
			}
		}
	}
}

// encryption returns what manages the servers that declare sync_tls.
func (d *Driver) encryption() *encrypt.Encryption {
	return &encrypt.Encryption{Servers: servers{d}, Env: d.env, Random: d.random}
}

// servers connects to the declared servers.
type servers struct{ d *Driver }

func (s servers) Reader(r *schema.Resource) (osmc.Reader, error) { return s.d.reader(r) }

func (s servers) Writer(r *schema.Resource) (osmc.Writer, error) { return s.d.writer(r) }

func (s servers) Machine(r *schema.Resource) (host.Host, error) { return s.d.machine(r) }

func (s servers) Window(r *schema.Resource, end, release string) (*machine.Window, error) {
	return s.d.window(r, end, release)
}

func (s servers) Session(r *schema.Resource) machine.Session { return session{s.d, r} }
