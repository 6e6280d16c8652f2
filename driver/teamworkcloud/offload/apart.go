package offload

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver/teamworkcloud/machine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/revision"
	"github.com/syncctl/syncctl/driver/teamworkcloud/share"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// If a server is in a site, the checks before and after are separate for each server. The source's site writes down
// what the source has for the target's site (share.OriginalsStep). What the target has of it is in the outputs of the
// step that compares. That step guards what the source loses, and is as recent as the site's max_age requires.

// argEnd is the server that a check is about; without it, both.
const argEnd = "end"

// preflightsApart adds the checks before the work, and the step that writes down what the source has.
func (o *plan) preflightsApart(l *planner.Sequence) {
	compares := o.transfers() || o.reactivates() && len(o.moved()) > 0
	if compares {
		l.Then(o.preflightAt(atSource))
		l.Then(o.sharing.OriginalsStep())
	}
	step := o.preflightAt(atTarget)
	if compares {
		step.Reads = []string{share.OriginalsFile(o.l.Addr)}
	}
	l.Then(step)
}

func (o *plan) preflightAt(end string) planner.Step {
	step := planner.Check(opPreflight+"_"+end, o.addr(end)+" can be worked on", lookWithin)
	step.Verb, step.Because = opPreflight, "whatever could keep this from its end should do so before anything is touched"
	step.Args = map[string]string{argEnd: end, argRelease: o.args(end)[argRelease], argResources: fingerprint(o.ids())}
	if slices.Contains(o.stopping(), end) {
		step.Args[argStops] = end
		if o.hasHost(end) {
			step.Summary += "; its machine is reached, the database is up, Data Manager lists what is worked on"
		}
	}
	if end == atTarget {
		step.Facts = []planner.Fact{o.targetFact()}
		return step
	}
	if o.transfers() {
		step.Facts = []planner.Fact{{Name: "source.major", Value: o.facts.Sync.Source.Major}, o.resourcesFact()}
	}
	return step
}

// verifyPreflightAt checks one server again, right before anything is changed.
func (w *Offloading) verifyPreflightAt(ctx context.Context, t *executor.Task, end string) (executor.Verdict, error) {
	l := &looked{facts: &survey.Facts{}}
	if end == atSource || len(t.Step.Reads) > 0 {
		var err error
		if l, err = w.look(ctx, end == atSource); err != nil {
			return executor.Verdict{}, err
		}
		if got := fingerprint(l.ids()); got != t.Step.Args[argResources] {
			return executor.Verdict{}, executor.Final(fmt.Errorf("what is selected on %s is not what was planned: it is %s "+
				"now; make the plan again", w.server(atSource).Address(), wording.Plural(len(l.ids()), "resource")))
		}
	}
	resources := map[string]string{}
	var refused []string
	for _, r := range l.facts.Resources() {
		switch {
		case end == atSource && !r.Readable:
			refused = append(refused, fmt.Sprintf("%q (%s) may not be read", r.Name, r.ID))
		case end == atSource:
			resources[r.ID] = r.Name
		default:
			refused = append(refused, standsInTheWay(r)...)
			if r.Target.IsPresent() {
				resources[r.ID] = r.Name
			}
		}
	}
	if len(refused) > 0 {
		return executor.Verdict{}, executor.Final(errors.New(w.server(end).Address() + ": " + strings.Join(refused, "; ")))
	}
	if t.Step.Args[argStops] != "" && w.server(end).Host != nil {
		if why, err := w.unfitAt(ctx, end, t.Step.Args[argRelease], resources); err != nil || why != "" {
			return executor.Verdict{State: executor.NotDone, Why: why}, err
		}
	}
	return executor.Done.Because("%s has %s of what is moved", w.server(end).Address(), wording.Plural(len(resources),
		"resource")), nil
}

// ids returns the IDs of the selected resources that were found on the source.
func (l *looked) ids() []string {
	var out []string
	for _, r := range l.facts.Resources() {
		out = append(out, r.ID)
	}
	return out
}

// standsInTheWay returns what on the target prevents a resource from being copied.
func standsInTheWay(r *survey.Resource) []string {
	var out []string
	for _, c := range r.Taken {
		out = append(out, fmt.Sprintf("another resource (%s) has the %s of %q", c.ID, c.By, r.Name))
	}
	switch {
	case r.Target.Removed:
		out = append(out, fmt.Sprintf("%q (%s) is there, marked as deleted", r.Name, r.ID))
	case r.Target.Exists && r.Diff.State == revision.Differs:
		out = append(out, fmt.Sprintf("%q (%s) is not a copy: %s", r.Name, r.ID, r.Diff.Difference))
	}
	return out
}

// unfitAt checks the machine of an end: its services run, and its Data Manager lists what the server has now.
func (w *Offloading) unfitAt(ctx context.Context, end, release string, resources map[string]string) (string, error) {
	m, err := w.reach(end, release)
	if err != nil {
		return "", err
	}
	addr := w.server(end).Address()
	if state, why, err := m.Status(ctx); err != nil || state == machine.RunningPartly {
		return fmt.Sprintf("of the services of %s only some run: %s; say in host.status, host.stop and host.start of %s "+
			"which there are on %s", addr, why, addr, m.Host.Name()), err
	}
	return m.Unfit(ctx, resources)
}

// finishedAt returns the step that verifies the end result on one server.
func (o *plan) finishedAt(end string) planner.Step {
	summary := fmt.Sprintf("%s has every branch and revision that was verified", o.addr(atTarget))
	if end == atSource {
		summary = fmt.Sprintf("%s has none of the resources any more, nor any marked as deleted", o.addr(atSource))
	}
	step := planner.Check(opFinished+"_"+end, summary, time.Minute)
	step.Verb, step.Because = opFinished, "the end is looked at on both servers, not concluded"
	step.Args = map[string]string{argEnd: end, argResources: fingerprint(o.movedIDs())}
	return step
}
