package teamworkcloud

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/driver/teamworkcloud/revision"
	"github.com/syncctl/syncctl/driver/teamworkcloud/share"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// verifySourceIdle guards the stop of the source's services: nobody works on what is to be removed, and nothing of it
// has changed on either server since it was verified.
func (d *Driver) verifySourceIdle(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	verified, err := verifiedHere(t)
	if err != nil || len(verified) == 0 {
		return executor.Verdict{State: executor.NotDone, Why: errNothingVerified.Error()}, err
	}
	l, err := d.look(ctx, t)
	if err != nil {
		return executor.Verdict{}, err
	}
	if err := l.sameAs(t, verified); err != nil {
		return executor.Verdict{}, executor.Final(err)
	}
	if planned, now := t.Step.Args[argLines], resourcesText(l.facts.Resources()); planned != "" && planned != now {
		return executor.Verdict{},
			executor.Final(fmt.Errorf("%s has %s, and the lines for a person were written for %s. %s", l.facts.Source.Addr,
				now, planned, planAnew))
	}
	var locks []lockFacts
	err = survey.Gather(ctx, d.observer(serversOf(syncOf(t))...), func(v *survey.View) {
		locks = lookLocks(v, syncOf(t).SourceServer(), l.facts.Resources())
	})
	if err != nil {
		return executor.Verdict{}, err
	}
	if len(locks) > 0 {
		var words []string
		for _, lock := range locks {
			words = append(words, lock.String())
		}
		return executor.NotDone.Because("%s; have them commit, or release the locks", wording.List(words)), nil
	}
	if why, err := d.notReady(ctx, t, atSource, verified); err != nil || why != "" {
		return executor.Verdict{State: executor.NotDone, Why: why}, err
	}
	return executor.Done.Because("nobody works on the %s, and nothing of them has changed since it was verified",
		wording.Plural(len(verified), "resource")), nil
}

// notReady tells what keeps the services of an end from being stopped, "" if nothing does: nobody else may be logged
// in, and the machine, where one is declared, must be the one with these resources.
func (d *Driver) notReady(
	ctx context.Context, t *executor.Task, end string, resources revision.Records,
) (string, error) {
	w, err := d.windowAt(t, end)
	if err != nil {
		return "", err
	}
	if why, err := w.NotAlone(ctx, t); err != nil || why != "" || w.Host == nil {
		return why, err
	}
	m, err := w.Reach()
	if err != nil {
		return "", err
	}
	return m.Unfit(ctx, resources.Names())
}

// sameSelection is nil when what is selected is what was verified.
func (l *looked) sameSelection(verified revision.Records) error {
	now := map[string]string{}
	for _, r := range l.facts.Resources() {
		now[r.ID] = r.Name
	}
	for _, id := range verified.IDs() {
		if _, ok := now[id]; !ok {
			return fmt.Errorf("%q (%s) was verified, and is no longer selected on %s: was it moved, or removed? %s",
				verified[id].Name, id, l.facts.Source.Addr, planAnew)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(now)) {
		if _, ok := verified[id]; !ok {
			return fmt.Errorf("%q (%s) is selected on %s now, and was not verified. %s", now[id], id, l.facts.Source.Addr,
				planAnew)
		}
	}
	return nil
}

// sameAs is nil when what is selected is what was verified, and both servers have it as it was then.
func (l *looked) sameAs(t *executor.Task, verified revision.Records) error {
	if err := l.sameSelection(verified); err != nil {
		return err
	}
	for _, r := range l.facts.Resources() {
		was, h := verified[r.ID], l.histories[r.ID]
		switch {
		case h.source == nil:
			return fmt.Errorf("%q (%s) can no longer be read on %s", r.Name, r.ID, l.facts.Source.Addr)
		case h.source.Digest() != was.Digest:
			return fmt.Errorf("%q (%s) has changed on %s since it was verified: %s. %s", r.Name, r.ID, l.facts.Source.Addr,
				cmp.Or(was.Newer(h.source), "its branches, revisions or tags are not those of then"), verifyAnew(t))
		case h.target == nil:
			return fmt.Errorf("%q (%s) is gone from %s since it was verified: was DELETE ALL chosen? What is on %s still "+
				"must stay there", r.Name, r.ID, l.facts.Target.Addr, l.facts.Source.Addr)
		case was.Changed(h.target) != "":
			return fmt.Errorf("%q (%s) on %s is not what was verified: %s", r.Name, r.ID, l.facts.Target.Addr,
				was.Changed(h.target))
		case !r.Diff.IsEqual():
			return fmt.Errorf("%q (%s) on %s is not what %s has: %s", r.Name, r.ID, l.facts.Target.Addr, l.facts.Source.Addr,
				r.Diff.Why())
		}
	}
	return nil
}

// planAnew is what helps when the run is about something else than what is there.
const planAnew = "Give the run up (syncctl resolve -abandon) and make the plan again"

// verifyAnew says what helps when the source has moved on.
func verifyAnew(t *executor.Task) string {
	if t.IsDone(share.VerbUnconfigure) {
		return "Its configuration is removed, so that it does not come by itself. " + planAnew +
			": it brings it and verifies it again"
	}
	return fmt.Sprintf("Have it verified again once it has come: syncctl resolve %s -retry",
		planner.StepID(t.Step.Addr, share.VerbArrived))
}

// verifyTargetIdle guards the stop of the target's services, and notes what the resources are like that are to become
// editable.
func (d *Driver) verifyTargetIdle(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	verified, err := verifiedHere(t)
	if err != nil {
		return executor.Verdict{}, err
	}
	if err := d.kept(ctx, t, verified, (*revision.Record).Changed); err != nil {
		return executor.Verdict{}, err
	}
	target := syncOf(t).TargetServer()
	inv, all, err := d.readMoved(ctx, t, verified)
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
				target.Address(), cmp.Or(wording.List(now), "nothing"), planAnew))
	}
	if why, err := d.notReady(ctx, t, atTarget, all); err != nil || why != "" {
		return executor.Verdict{State: executor.NotDone, Why: why}, err
	}
	v := executor.Done.Because("%s has the %s as verified", target.Address(), wording.Plural(len(all), "resource"))
	if v.Outputs, err = all.Outputs(); err != nil {
		return v, err
	}
	v.Outputs[categoryOutput] = wholeCategory(syncOf(t), inv, all)
	return v, nil
}

// categoryOutput is the name under which the category that becomes editable as a whole is journaled.
const categoryOutput = "category"

// wholeCategory is the target category that may be named to Data Manager beside its resources: a category was
// synchronized, and nothing is in it but what becomes editable. "" otherwise, since whatever else is in it would lose
// its flag with them.
func wholeCategory(sync *survey.Sync, inv *survey.Inventory, all revision.Records) string {
	if len(sync.Categories) == 0 {
		return ""
	}
	category := ""
	for _, id := range all.IDs() {
		r := inv.Resource(id)
		if r == nil || r.Category == "" || category != "" && r.Category != category {
			return ""
		}
		category = r.Category
	}
	for _, r := range inv.Members(category) {
		if _, moved := all[r.ID]; !moved {
			return ""
		}
	}
	return category
}

// readMoved are what this run has moved, and where the plan says so what earlier ones have, each as it is on the
// target.
func (d *Driver) readMoved(
	ctx context.Context, t *executor.Task, verified revision.Records,
) (inv *survey.Inventory, all revision.Records, err error) {
	sync := syncOf(t)
	err = survey.Gather(ctx, d.observer(serversOf(syncOf(t))...), func(v *survey.View) {
		called := verified.Names()
		inv = v.Inventory(sync.TargetServer())
		if t.Step.Args[argEarlier] == "true" || len(verified) == 0 {
			movedBefore(v, t, inv, called)
		}
		all = revision.Records{}
		if v.Lacks() {
			return
		}
		for id, name := range called {
			if h := v.CopyHistory(sync.TargetServer(), id, name); h != nil {
				all[id] = revision.RecordOf(name, nil, h)
			}
		}
	})
	return inv, all, err
}

// movedBefore adds what earlier runs have moved: what is on the target alone, if the plan says so, and what the
// source has kept.
func movedBefore(v *survey.View, t *executor.Task, inv *survey.Inventory, called map[string]string) {
	f := v.Selected(syncOf(t))
	if f == nil || inv == nil {
		return
	}
	if t.Step.Args[argEarlier] == "true" {
		for _, c := range offloadedCopies(v, syncOf(t), f) {
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

// verifyMaintainedTarget: the server is up and has them. No interface shows the read-only flag.
func (d *Driver) verifyMaintainedTarget(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	v, err := d.healthy(ctx, serverOf(t, atTarget))
	if err != nil || v.State != executor.Done {
		return v, err
	}
	if err := d.keptEditable(ctx, t); err != nil {
		return executor.Verdict{}, err
	}
	return executor.Unknown.Because("%s; no interface shows the read-only flag", v.Why), nil
}

// verifyReactivated: no interface shows the read-only flag, so Data Manager's word must do until a person has looked.
func (d *Driver) verifyReactivated(_ context.Context, t *executor.Task) (executor.Verdict, error) {
	if t.Executed {
		return executor.Done.Because("Data Manager reported no error; whether they can be edited is checked next"), nil
	}
	return executor.NotDone.Because("no interface shows the read-only flag"), nil
}

// verifyEditable: the resources are there. Whether they can be edited only a person can tell.
func (d *Driver) verifyEditable(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	if err := d.keptEditable(ctx, t); err != nil {
		return executor.Verdict{}, err
	}
	return executor.Unknown.Because("no interface shows whether a resource can be edited"), nil
}

// keptEditable: what became editable has all that it had. People may have added to it.
func (d *Driver) keptEditable(ctx context.Context, t *executor.Task) error {
	all, err := revision.DecodeRecords(t.Output(opIdle+atTarget, revision.RecordsOutput))
	if err != nil {
		return executor.Final(err)
	}
	return d.kept(ctx, t, all, (*revision.Record).Lost)
}

// verifyFinished looks at the end on both servers.
func (d *Driver) verifyFinished(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	verified, err := verifiedHere(t)
	if err != nil {
		return executor.Verdict{}, err
	}
	moved, err := revision.DecodeRecords(t.Output(opIdle+atTarget, revision.RecordsOutput))
	if err != nil {
		return executor.Verdict{}, executor.Final(err)
	}
	all := maps.Clone(moved)
	if all == nil {
		all = revision.Records{}
	}
	maps.Copy(all, verified) // these say more
	if len(all) == 0 {
		return executor.NotDone.Because("%s", errNothingVerified), nil
	}
	if err := d.kept(ctx, t, all, (*revision.Record).Lost); err != nil {
		return executor.Verdict{}, err
	}
	if declaredOffload(t.Resource).RemoveFromSource == nil {
		return executor.Done.Because("%s has every branch and revision of %s that was verified", serverOf(t, atTarget).Addr,
			wording.Plural(len(all), "resource")), nil
	}
	left, err := d.left(ctx, serverOf(t, atSource), all.IDs())
	if err != nil {
		return executor.Verdict{}, err
	}
	if len(left) > 0 {
		return executor.NotDone.Because("%s still has %s", serverOf(t, atSource).Addr,
			strings.Join(wording.FirstTen(left), ", ")), nil
	}
	return executor.Done.Because("%s has none of the %s any more; %s has every branch and revision of them that was "+
		"verified", serverOf(t, atSource).Addr, wording.Plural(len(all), "resource"), serverOf(t, atTarget).Addr), nil
}
