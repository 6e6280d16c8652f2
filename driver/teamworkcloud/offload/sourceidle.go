package offload

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/teamworkcloud/revision"
	"github.com/syncctl/syncctl/driver/teamworkcloud/share"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

var sourceIdle = driver.Verb[*Offloading]{Name: opIdle + atSource, Verify: (*Offloading).verifySourceIdle}

func (o *plan) idleStep(end string) planner.Step {
	step := planner.Step{
		Op: opIdle + end, Mark: planner.MarkCheck, Repeat: planner.Idempotent, Within: planner.Duration(lookWithin),
		Args: o.args(end),
	}
	people := ", and nobody else is logged in"
	if o.decl.AllowLoggedIn {
		people = ""
	}
	if end == atTarget {
		step.Summary = fmt.Sprintf("%s on %s as verified%s", wording.Plural(len(o.moved()), "resource"), o.addr(atTarget),
			people)
		step.Because = "what somebody has not committed when services are stopped is lost"
		if o.overSites() {
			step.Reads = []string{share.OriginalsFile(o.l.Addr)}
		}
		return step
	}
	where := "there or on " + o.addr(atTarget)
	if o.overSites() {
		where = "there"
	}
	step.Summary = fmt.Sprintf("no locks on %s of %s, and no change of them %s since the verification%s",
		wording.Plural(len(o.present), "resource"), o.addr(atSource), where, people)
	step.Because = "what is not committed, or was committed after the verification, would be lost"
	if !o.hasHost(atSource) {
		step.Args[argLines] = resourcesText(o.present) // the commands for the person contain its numbers
	}
	return step
}

// verifySourceIdle guards the stop of the source's services: nobody works on what is to be removed, and none of it has
// changed on either server since it was verified.
func (w *Offloading) verifySourceIdle(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	verified, err := verifiedHere(t)
	if err != nil || len(verified) == 0 {
		return executor.Verdict{State: executor.NotDone, Why: errNothingVerified.Error()}, err
	}
	if !t.IsDone(opUnused) && !t.HasBegun(opUnused) { // every later step comes after this one
		return executor.Verdict{}, executor.Final(fmt.Errorf("this run was planned by an older syncctl, without the step "+
			"%s, in which a person sees that no other model needs what is removed. Nothing is removed without. Give the run up "+
			"with syncctl resolve -abandon, and plan again: what is done counts as done", opUnused))
	}
	if !t.IsDone(opUnused) {
		return executor.NotDone.Because("nobody has said that no other model needs them"), nil
	}
	l, err := w.look(ctx, true)
	if err != nil {
		return executor.Verdict{}, err
	}
	if err := l.sameAs(t, verified); err != nil {
		return executor.Verdict{}, executor.Final(err)
	}
	if planned, now := t.Step.Args[argLines], resourcesText(l.facts.Resources()); planned != "" && planned != now {
		return executor.Verdict{},
			executor.Final(fmt.Errorf("%s has %s, and the lines for a person were written for %s. %s", l.facts.Source.Addr,
				now, planned, planAgain))
	}
	var locks []lockFacts
	err = survey.Gather(ctx, w.Observe.In(survey.Near), func(v *survey.View) {
		locks = lookLocks(v, w.sync().SourceServer(), l.facts.Resources())
	})
	if err != nil {
		return executor.Verdict{}, err
	}
	if len(locks) > 0 {
		return executor.NotDone.Because("%s; have them commit, or release the locks", w.lockWords(locks)), nil
	}
	if why, err := w.notReady(ctx, t, atSource, verified); err != nil || why != "" {
		return executor.Verdict{State: executor.NotDone, Why: why}, err
	}
	return executor.Done.Because("nobody works on the %s, and nothing of them has changed since it was verified",
		wording.Plural(len(verified), "resource")), nil
}

// lockWords describes who has locked what. If a server is in a site, it only says how much is locked, because other
// companies read it.
func (w *Offloading) lockWords(locks []lockFacts) string {
	if w.sync().OverSites() {
		n := 0
		for _, lock := range locks {
			n += lock.Elements
		}
		return fmt.Sprintf("%s locked on %s", arePlural(n, "element"), w.server(atSource).Address())
	}
	var words []string
	for _, lock := range locks {
		words = append(words, lock.String())
	}
	return wording.List(words)
}

func arePlural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun + " is"
	}
	return wording.Plural(n, noun) + " are"
}

// notReady returns why the services of an end must not be stopped, "" if they may: nobody else may be logged in, and
// the machine, if one is declared, must be the one with these resources.
func (w *Offloading) notReady(
	ctx context.Context, t *executor.Task, end string, resources revision.Records,
) (string, error) {
	window, err := w.Window(end, t.Step.Args[argRelease])
	if err != nil {
		return "", err
	}
	if why, err := window.NotAlone(ctx, t); err != nil || why != "" || window.Host == nil {
		return why, err
	}
	m, err := window.Reach()
	if err != nil {
		return "", err
	}
	return m.Unfit(ctx, resources.Names())
}

// sameSelection returns nil if the selected resources are those that were verified.
func (l *looked) sameSelection(verified revision.Records) error {
	now := map[string]string{}
	for _, r := range l.facts.Resources() {
		now[r.ID] = r.Name
	}
	for _, id := range verified.IDs() {
		if _, ok := now[id]; !ok {
			return fmt.Errorf("%q (%s) was verified, and is no longer selected on %s: was it moved, or removed? %s",
				verified[id].Name, id, l.facts.Source.Addr, planAgain)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(now)) {
		if _, ok := verified[id]; !ok {
			return fmt.Errorf("%q (%s) is selected on %s now, and was not verified. %s", now[id], id, l.facts.Source.Addr,
				planAgain)
		}
	}
	return nil
}

// sameAs returns nil if the selected resources are those that were verified, and have not changed since on either
// server.
func (l *looked) sameAs(t *executor.Task, verified revision.Records) error {
	if err := l.sameSelection(verified); err != nil {
		return err
	}
	for _, r := range l.facts.Resources() {
		was, h := verified[r.ID], l.histories[r.ID]
		switch {
		case h.source == nil:
			return fmt.Errorf("%q (%s) can no longer be read on %s", r.Name, r.ID, l.facts.Source.Addr)
		case !was.IsOf(h.source):
			return fmt.Errorf("%q (%s) has changed on %s since it was verified: %s. %s", r.Name, r.ID, l.facts.Source.Addr,
				cmp.Or(was.Newer(h.source), "its branches, revisions or tags are not those of then"), verifyAgain(t))
		case l.onSource: // the target is verified by the step that this one depends on
		case h.target == nil:
			return fmt.Errorf("%q (%s) is gone from %s since it was verified: was DELETE ALL chosen? What is on %s still "+
				"must stay there", r.Name, r.ID, l.facts.Target.Addr, l.facts.Source.Addr)
		case changed(&was, h.project, h.target) != "":
			return fmt.Errorf("%q (%s) on %s is not what was verified: %s", r.Name, r.ID, l.facts.Target.Addr,
				changed(&was, h.project, h.target))
		case !r.Diff.IsEqual():
			return fmt.Errorf("%q (%s) on %s is not what %s has: %s", r.Name, r.ID, l.facts.Target.Addr, l.facts.Source.Addr,
				r.Diff.Why())
		}
	}
	return nil
}

// planAgain says what to do if the run is about other resources than those that exist now.
const planAgain = "Give the run up (syncctl resolve -abandon) and make the plan again"

// verifyAgain says what to do if the source has changed.
func verifyAgain(t *executor.Task) string {
	if t.IsDone(share.VerbUnconfigure) {
		return "Its configuration is removed, so that it does not come by itself. " + planAgain +
			": it brings it and verifies it again"
	}
	from := share.VerbArrived
	if s := survey.Declared(Declared(t.Resource).Sync); s != nil && s.OverSites() {
		from = share.VerbOriginals // the target's site verifies again with what is written down here
	}
	return fmt.Sprintf("Have it verified again once it has come: syncctl resolve %s -retry",
		planner.TypedID(t.Step.Addr, from))
}
