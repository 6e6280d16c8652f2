package teamworkcloud

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/machine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/driver/teamworkcloud/revision"
	"github.com/syncctl/syncctl/driver/teamworkcloud/share"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// offloadVerbs are the verbs of an offload beside those of its synchronization and of its maintenance windows.
var offloadVerbs = driver.Verbs[*Driver]{
	{Name: opPreflight, Verify: (*Driver).verifyPreflight},
	{Name: verbAllArrived, Verify: (*Driver).verifyAllArrived},
	{Name: verbUnconfigured, Verify: (*Driver).verifyUnconfigured},
	{Name: opIdle + atSource, Verify: (*Driver).verifySourceIdle},
	{Name: opIdle + atTarget, Verify: (*Driver).verifyTargetIdle},
	{Name: opUnchanged, Verify: (*Driver).verifyUnchanged},
	{Name: opRemove, Execute: (*Driver).removeResources, Verify: (*Driver).verifyRemoval},
	{Name: opMaintain + atSource, Verify: (*Driver).verifyMaintainedSource},
	{Name: opMaintain + atTarget, Verify: (*Driver).verifyMaintainedTarget},
	{Name: opReactivate, Execute: (*Driver).reactivateResources, Verify: (*Driver).verifyReactivated},
	{Name: verbEditable, Verify: (*Driver).verifyEditable},
	{Name: opFinished, Verify: (*Driver).verifyFinished},
}

// verifyMigration asks the live servers, and the machines behind them, whether a step's end is reached.
func (d *Driver) verifyMigration(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	if err := notDeclared(t); err != nil {
		return executor.Verdict{}, executor.Final(err)
	}
	return offloadVerbs.Verify(ctx, d, t)
}

// executeMigration carries out what is done at the machines. What is done on web pages, or where no machine is
// declared, are a person's steps and never come here.
func (d *Driver) executeMigration(ctx context.Context, t *executor.Task) (executor.Result, error) {
	if err := notDeclared(t); err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	return offloadVerbs.Execute(ctx, d, t)
}

// notDeclared is nil where the synchronization that a step's offload owns is declared.
func notDeclared(t *executor.Task) error {
	if o := declaredOffload(t.Resource); o.Sync == nil {
		return fmt.Errorf("%s is no longer declared", o.Reference("sync"))
	}
	return nil
}

// syncOf is the synchronization that a step's offload owns.
func syncOf(t *executor.Task) *survey.Sync { return survey.Declared(declaredOffload(t.Resource).Sync) }

func serverOf(t *executor.Task, end string) *schema.Resource {
	if end == atSource {
		return syncOf(t).Source
	}
	return syncOf(t).Target
}

// verifiedHere are the resources that this run has verified, and what they were like.
func verifiedHere(t *executor.Task) (revision.Records, error) {
	all, err := revision.DecodeRecords(t.Output(share.VerbArrived, revision.RecordsOutput))
	if err != nil {
		return nil, executor.Final(err)
	}
	return all, nil
}

// errNothingVerified: this run has verified no resource, so it removes none.
var errNothingVerified = errors.New("this run has not verified any resource yet")

// verifyPreflight looks at everything once more, right before anything is touched.
func (d *Driver) verifyPreflight(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	f, err := d.observeOffload(ctx, t.Resource)
	if err != nil {
		return executor.Verdict{}, err
	}
	o := d.newOffloading(t.Resource, f, nil)
	for i := range o.plan.Items {
		o.plan.Items[i].Configured = true // what runs have confirmed is not known here, and was looked at when planning
	}
	if t.Step.Args[argBrings] == "true" {
		o.out = o.plan.Findings(o.l)
		o.bringing()
		if o.removes() {
			o.removing()
			o.marked()
		}
	}
	if o.reactivates() {
		o.reactivating()
	}
	var refused []string
	for _, f := range o.out {
		if f.Severity == planner.Refuse {
			refused = append(refused, f.Summary)
		}
	}
	if len(refused) > 0 {
		return executor.Verdict{}, executor.Final(errors.New(strings.Join(refused, "; ")))
	}
	if got := fingerprint(o.ids()); got != t.Step.Args[argResources] {
		return executor.Verdict{},
			executor.Final(fmt.Errorf("what is selected on %s is not what was planned: it is %s now; make the plan again",
				o.addr(atSource), wording.Plural(len(o.present), "resource")))
	}
	for _, end := range strings.Fields(t.Step.Args[argStops]) {
		if why, err := d.unfitFor(ctx, o, end); err != nil || why != "" {
			return executor.Verdict{State: executor.NotDone, Why: why}, err
		}
	}
	return executor.Done.Because("%s of %s, %s has %d of them already", wording.Plural(len(o.present), "resource"),
		o.addr(atSource), o.addr(atTarget), countThere(o.present)), nil
}

func countThere(all []*survey.Resource) int {
	n := 0
	for _, r := range all {
		if r.Target.Exists {
			n++
		}
	}
	return n
}

// unfitFor looks at the machine of an end: its services run, and its Data Manager lists what is there now.
func (d *Driver) unfitFor(ctx context.Context, o *offloading, end string) (string, error) {
	if !o.hasHost(end) {
		return "", nil
	}
	resources := map[string]string{}
	if end == atSource {
		for _, r := range o.present {
			resources[r.ID] = r.Name
		}
	} else {
		for _, c := range o.facts.Copies {
			resources[c.ID] = c.Name
		}
	}
	m, err := d.reach(o.server(end).Resource(), o.observed(end).Release.String())
	if err != nil {
		return "", err
	}
	if state, why, err := m.Status(ctx); err != nil || state == machine.RunningPartly {
		return fmt.Sprintf("of the services of %s only some run: %s; say in host.status, host.stop and host.start of %s "+
			"which there are on %s",
			o.addr(end), why, o.addr(end), m.Host.Name()), err
	}
	return m.Unfit(ctx, resources)
}

// looked is what a fresh look at both servers shows.
type looked struct {
	facts     *survey.Facts
	target    *survey.Inventory
	histories map[string]pair
}

type pair struct{ source, target *revision.History }

// look looks at what is selected and its histories, on both servers.
func (d *Driver) look(ctx context.Context, t *executor.Task) (*looked, error) {
	l, sync := &looked{}, syncOf(t)
	err := survey.Gather(ctx, d.observer(serversOf(syncOf(t))...), func(v *survey.View) {
		l.histories = map[string]pair{}
		l.target = v.Inventory(sync.TargetServer())
		l.facts = v.Copies(sync, time.Time{}, func(r *survey.Resource, source, target *revision.History) {
			l.histories[r.ID] = pair{source, target}
		})
	})
	return l, err
}

// verifyAllArrived compares every branch, revision and tag of every resource, and notes what they are like: nothing
// else is ever removed.
func (d *Driver) verifyAllArrived(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	l, err := d.look(ctx, t)
	if err != nil {
		return executor.Verdict{}, err
	}
	f, all := l.facts, revision.Records{}
	before, err := verifiedHere(t)
	if err != nil {
		return executor.Verdict{}, err
	}
	if len(before) > 0 {
		if err := l.sameSelection(before); err != nil {
			return executor.Verdict{}, executor.Final(err)
		}
	}
	revisions := 0
	var missing []string
	var compared []*revision.Comparison
	for i := range f.Items {
		if item := &f.Items[i]; item.Problem != "" && !l.movedEarlier(item) {
			missing = append(missing, fmt.Sprintf("%s %q: %s", item.Kind, item.Declared, item.Problem))
		}
	}
	for _, r := range f.Resources() {
		if r.Target.Exists && !r.Target.Removed && r.Diff.State == revision.Differs {
			return executor.Verdict{}, executor.Final(share.NotCopied(f, r))
		}
		if r.Diff.State == revision.Unknown {
			return executor.Verdict{}, executor.Final(share.NotComparable(syncOf(t), r))
		}
		if lacks := share.NotArrived(syncOf(t), r, true); lacks != "" {
			missing = append(missing, fmt.Sprintf("%q (%s): %s", r.Name, r.ID, lacks))
			continue
		}
		h := l.histories[r.ID]
		if h.source == nil || h.target == nil {
			missing = append(missing, fmt.Sprintf("%q (%s): it could not be read", r.Name, r.ID))
			continue
		}
		all[r.ID] = revision.RecordOf(r.Name, h.source, h.target)
		compared = append(compared, &r.Diff)
		revisions += len(h.source.Revisions)
	}
	if len(missing) > 0 {
		return executor.NotDone.Because("%s of %s: %s", f.Target.Addr, wording.Plural(len(f.Resources()), "resource"),
			strings.Join(wording.FirstTen(missing), "; ")), nil
	}
	if want := t.Step.Args[argResources]; fingerprint(all.IDs()) != want {
		return executor.Verdict{},
			executor.Final(fmt.Errorf("what is selected on %s is not what was planned: it is %s now; make the plan again",
				f.Source.Addr, wording.Plural(len(all), "resource")))
	}
	v := executor.Done.Because("%s with %s on %s compared with %s one by one, %s", wording.Plural(len(all), "resource"),
		wording.Plural(revisions, "revision"),
		f.Target.Addr, f.Source.Addr, revision.Basis(compared))
	v.Outputs, err = all.Outputs()
	return v, err
}

// movedEarlier tells of something that is not on the source whether it is on the target, from where an earlier run or
// somebody has left off.
func (l *looked) movedEarlier(item *survey.Item) bool {
	if item.Kind == survey.KindCategory {
		return l.facts.Category.ID != "" && len(l.target.Members(l.facts.Category.ID)) > 0
	}
	return l.target.CopyOf(item.Declared, l.facts.Category.ID) != nil
}

// verifyUnconfigured: no interface shows configurations; that the copies are still there is verified.
func (d *Driver) verifyUnconfigured(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	verified, err := verifiedHere(t)
	if err != nil {
		return executor.Verdict{}, err
	}
	if len(verified) > 0 {
		if err := d.kept(ctx, t, verified, (*revision.Record).Lost); err != nil {
			return executor.Verdict{}, err
		}
	}
	return executor.Unknown.Because(
		"the copies are there as before; no interface shows configurations"), nil
}

// kept is nil when the target has what was verified. compare says what has become of one of them. What is not as it
// was is a Final error that names it.
func (d *Driver) kept(
	ctx context.Context, t *executor.Task, verified revision.Records,
	compare func(*revision.Record, *revision.History) string,
) error {
	target := syncOf(t).TargetServer()
	return survey.Gather(ctx, d.observer(serversOf(syncOf(t))...), func(v *survey.View) {
		inv := v.Inventory(target)
		if inv == nil {
			return
		}
		for _, id := range verified.IDs() {
			was := verified[id]
			switch r := inv.Resource(id); {
			case r == nil:
				v.Fail(executor.Final(fmt.Errorf("%q (%s) is gone from %s since it was verified: was DELETE ALL chosen? What "+
					"is on %s still "+
					"must stay there", was.Name, id, target.Address(), serverOf(t, atSource).Addr)))
			case r.Removed:
				v.Fail(executor.Final(fmt.Errorf("%q (%s) was marked as deleted on %s since it was verified", was.Name, id,
					target.Address())))
			default:
				h := v.CopyHistory(target, id, was.Name)
				if h == nil {
					continue
				}
				if why := compare(&was, h); why != "" {
					v.Fail(executor.Final(fmt.Errorf("%q (%s) on %s is not what was verified: %s", was.Name, id, target.Address(),
						why)))
				}
			}
		}
	})
}

// verifyMaintainedSource: a person has removed them at the machine; the server, up again, knows none of them.
func (d *Driver) verifyMaintainedSource(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	verified, err := verifiedHere(t)
	if err != nil || len(verified) == 0 {
		return executor.Verdict{State: executor.NotDone, Why: errNothingVerified.Error()}, err
	}
	v, err := d.healthy(ctx, serverOf(t, atSource))
	if err != nil || v.State != executor.Done {
		return v, err
	}
	left, err := d.left(ctx, serverOf(t, atSource), verified.IDs())
	switch {
	case err != nil:
		return executor.Verdict{}, err
	case len(left) == len(verified):
		return executor.NotDone.Because("%s has %s still", serverOf(t, atSource).Addr, allOf(len(left))), nil
	case len(left) > 0:
		return executor.Verdict{State: executor.Partial, Why: fmt.Sprintf("%s still has %d of %d: %s",
			serverOf(t, atSource).Addr, len(left), len(verified), wording.List(left))}, nil
	}
	return executor.Done.Because("%s; it has none of the %s any more", v.Why, wording.Plural(len(verified), "resource")),
		nil
}

// left are those that a server still has, also as marked as deleted.
func (d *Driver) left(ctx context.Context, server *schema.Resource, ids []string) ([]string, error) {
	var inv *survey.Inventory
	err := survey.Gather(ctx, d.observer(server), func(v *survey.View) { inv = v.Inventory(connect.Declared(server)) })
	if err != nil {
		return nil, err
	}
	c, err := d.reader(server)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, id := range ids {
		if inv.Lists(id) {
			out = append(out, id)
			continue
		}
		switch _, err := c.Resource(ctx, id); {
		case osmc.IsGone(err):
		case err != nil:
			return nil, fmt.Errorf("asking whether %s still has %s: %w", server.Addr, id, err)
		default:
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out, nil
}
