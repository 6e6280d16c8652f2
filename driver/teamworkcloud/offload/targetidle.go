package offload

import (
	"cmp"
	"context"
	"fmt"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/teamworkcloud/revision"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
)

var targetIdle = driver.Verb[*Offloading]{Name: opIdle + atTarget, Verify: (*Offloading).verifyTargetIdle}

// verifyTargetIdle guards the stop of the target's services, and records the state of the resources that become
// editable.
func (w *Offloading) verifyTargetIdle(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	verified, err := verifiedHere(t)
	if err != nil {
		return executor.Verdict{}, err
	}
	if err := w.kept(ctx, verified, altered); err != nil {
		return executor.Verdict{}, err
	}
	target := w.sync().TargetServer()
	category, all, err := w.readMoved(ctx, t, verified)
	if err != nil {
		return executor.Verdict{}, err
	}
	if got := fingerprint(all.IDs()); got != t.Step.Args[argResources] {
		var now []string
		for _, id := range all.IDs() {
			now = append(now, fmt.Sprintf("%s (%s)", all[id].Name, id))
		}
		return executor.Verdict{},
			executor.Final(fmt.Errorf("what would become editable on %s is not what was planned; it is now: %s. %s",
				target.Address(), cmp.Or(wording.List(now), "nothing"), planAgain))
	}
	if why, err := w.notReady(ctx, t, atTarget, all); err != nil || why != "" {
		return executor.Verdict{State: executor.NotDone, Why: why}, err
	}
	v := executor.Done.Because("%s has the %s as verified", target.Address(), wording.Plural(len(all), "resource"))
	if v.Outputs, err = all.Outputs(); err != nil {
		return v, err
	}
	v.Outputs[categoryOutput] = category
	return v, nil
}

// categoryOutput is the name under which a category that becomes editable as a whole is journaled.
const categoryOutput = "category"

// wholeCategory returns the target category if it may be given to Data Manager together with its resources: a category
// was synchronized, and it contains only what becomes editable. It returns "" otherwise, since anything else in it
// would lose its flag too.
func wholeCategory(v *survey.View, sync *survey.Sync, all revision.Records) string {
	if len(sync.Categories) == 0 || len(all) == 0 {
		return ""
	}
	category := ""
	for _, id := range all.IDs() {
		r, seen := v.Resource(sync.TargetServer(), id)
		if seen && r != nil && r.Category == "" { // the category itself may list the resource
			v.Doubt(sync.TargetServer())
		}
		if !seen || r == nil || r.Category == "" || category != "" && r.Category != category {
			return ""
		}
		category = r.Category
	}
	members, _ := v.Members(sync.TargetServer(), category)
	for _, id := range members {
		if _, moved := all[id]; !moved {
			return ""
		}
	}
	return category
}

// readMoved reads what this run has moved and, if the plan says so, what earlier runs have moved: the state of each on
// the target, and their wholeCategory.
func (w *Offloading) readMoved(
	ctx context.Context, t *executor.Task, verified revision.Records,
) (category string, all revision.Records, err error) {
	sync, scope := w.sync(), survey.Near
	before := t.Step.Args[argEarlier] == "true" || len(verified) == 0
	if before {
		scope = survey.Whole // what earlier runs have moved is known only from complete lists of both servers
	}
	err = survey.Gather(ctx, w.Observe.In(scope), func(v *survey.View) {
		called := verified.Names()
		if before {
			w.movedBefore(v, t, called)
		}
		all = revision.Records{}
		if v.Lacks() {
			return
		}
		for id, name := range called {
			if h := v.CopyHistory(sync, id, name); h != nil {
				all[id] = revision.RecordOf(name, nil, h)
			}
		}
		category = wholeCategory(v, sync, all)
	})
	return category, all, err
}

// movedBefore adds what earlier runs have moved: what is only on the target, if the plan says so, and what the source
// has kept.
func (w *Offloading) movedBefore(v *survey.View, t *executor.Task, called map[string]string) {
	f, inv := v.Selected(w.sync()), v.Inventory(w.sync().TargetServer())
	if f == nil || inv == nil {
		return
	}
	if t.Step.Args[argEarlier] == "true" {
		for _, c := range offloadedCopies(v, w.sync(), f) {
			if c.Brought == "" {
				called[c.ID] = c.Name
			}
		}
	}
	for _, r := range f.Resources() {
		if c := inv.Resource(r.ID); c != nil && !c.Removed {
			called[r.ID] = r.Name
		}
	}
}
