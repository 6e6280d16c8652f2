package offload

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/teamworkcloud/machine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/revision"
	"github.com/syncctl/syncctl/driver/teamworkcloud/share"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

var reactivate = driver.Verb[*Offloading]{
	Name:    opReactivate,
	Execute: (*Offloading).reactivateResources, Verify: (*Offloading).verifyReactivated,
}

func (o *plan) reactivateStep() planner.Step {
	n := len(o.moved())
	return planner.Step{
		Op: opReactivate, Mark: planner.MarkChange, Repeat: planner.Idempotent, Within: planner.Duration(time.Minute),
		Exclusive: machine.Exclusive(o.addr(atTarget)),
		Summary: fmt.Sprintf("take the read-only flag off %s on %s, with datamanager -rrof", wording.Plural(n, "resource"),
			o.addr(atTarget)) + o.alsoCategory(),
		Commands: machine.Lines(machine.Batches(o.commands(atTarget).DataManager, o.movedIDs(),
			machine.Reactivate(o.wholeCategory()))...),
		Because: share.SyncPage + ", Removing the read-only flag: what was moved once may be made active again",
		Args:    o.args(atTarget),
		Effect:  &planner.Effect{Change: n},
	}
}

// wholeCategory returns the target category's ID if a category is synchronized and nothing else is in it, as far as
// known when planning. It returns "" otherwise, or if the category does not exist yet.
func (o *plan) wholeCategory() string {
	f := &o.facts.Sync
	if len(o.sync.Categories) == 0 {
		return ""
	}
	for _, held := range f.Held {
		if !slices.Contains(o.movedIDs(), held.ID) {
			return ""
		}
	}
	return f.Category.ID
}

// alsoCategory adds to a step's summary that the command also names a category that is still to be created.
func (o *plan) alsoCategory() string {
	f := &o.facts.Sync
	if len(o.sync.Categories) > 0 && f.Category.ID == "" {
		return ", and --categoryID= with that of " + strconv.Quote(f.Category.Path) + " as long as nothing else is in it"
	}
	return ""
}

// reactivateResources clears the flag of the resources that were checked before the services were stopped.
func (w *Offloading) reactivateResources(ctx context.Context, t *executor.Task) (executor.Result, error) {
	all, err := revision.DecodeRecords(t.Output(opIdle+atTarget, revision.RecordsOutput))
	if err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	ids := all.IDs()
	if len(ids) == 0 || fingerprint(ids) != t.Step.Args[argResources] {
		return executor.Result{},
			executor.NotSent(fmt.Errorf(
				"reactivating: the %s that this run has looked at are not those that the plan is about", wording.Plural(len(ids),
					"resource")))
	}
	m, err := w.reach(atTarget, t.Step.Args[argRelease])
	if err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	v, err := m.VerifyStopped(ctx)
	if err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	if v.State != executor.Done {
		return executor.Result{}, executor.NotSent(fmt.Errorf("%s; have them stopped: syncctl resolve %s -retry", v.Why,
			planner.TypedID(t.Step.Addr, opStop+atTarget)))
	}
	if why, err := m.UnfitDatabase(ctx, all.Names()); err != nil || why != "" {
		return executor.Result{}, executor.NotSent(errors.Join(err, textError(why)))
	}
	category := t.Output(opIdle+atTarget, categoryOutput)
	if category != "" {
		if err := machine.CheckIDs([]string{category}); err != nil {
			return executor.Result{}, executor.NotSent(err)
		}
	}
	return m.Change(ctx, t, ids, machine.Reactivate(category))
}

func textError(text string) error {
	if text == "" {
		return nil
	}
	return errors.New(text)
}

// verifyReactivated relies on Data Manager's report until a person has checked, because no interface shows the
// read-only flag.
func (w *Offloading) verifyReactivated(_ context.Context, t *executor.Task) (executor.Verdict, error) {
	if t.Executed {
		return executor.Done.Because("Data Manager reported no error; whether they can be edited is checked next"), nil
	}
	return executor.NotDone.Because("no interface shows the read-only flag"), nil
}
