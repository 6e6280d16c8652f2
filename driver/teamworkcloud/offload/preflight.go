package offload

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

var preflight = driver.Verb[*Offloading]{Name: opPreflight, Verify: (*Offloading).verifyPreflight}

func (o *plan) preflightStep() planner.Step {
	facts := []planner.Fact{o.targetFact()}
	summary := fmt.Sprintf("%s can be worked on", o.addr(atTarget))
	if o.transfers() {
		facts = append(facts, planner.Fact{Name: "source.major", Value: o.facts.Sync.Source.Major}, o.resourcesFact())
		summary = fmt.Sprintf("%s of %s can be moved to %s", wording.Plural(len(o.present), "resource"), o.addr(atSource),
			o.addr(atTarget))
	}
	var machines []string
	for _, end := range o.stopping() {
		if o.hasHost(end) {
			machines = append(machines, o.addr(end))
		}
	}
	if len(machines) > 0 {
		summary += fmt.Sprintf("; machine of %s: reached, the database is up, Data Manager lists what is worked on",
			strings.Join(machines, " and "))
	}
	return planner.Step{
		Op: opPreflight, Mark: planner.MarkCheck, Repeat: planner.Idempotent, Within: planner.Duration(lookWithin),
		Summary: summary,
		Because: "whatever could keep this from its end should do so before anything is touched",
		Args: map[string]string{argResources: fingerprint(o.ids()), argBrings: strconv.FormatBool(o.transfers()),
			argStops: strings.Join(o.stopping(), " ")},
		Facts: facts,
	}
}

// verifyPreflight checks everything again, right before anything is changed.
func (w *Offloading) verifyPreflight(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	if end := t.Step.Args[argEnd]; end != "" {
		return w.verifyPreflightAt(ctx, t, end)
	}
	f, err := w.observe(ctx)
	if err != nil {
		return executor.Verdict{}, err
	}
	o := w.newPlan(f, nil)
	for i := range o.sharing.Items {
		o.sharing.Items[i].Configured = true // confirmations of runs are not known here, and were checked when planning
	}
	o.findings(atPreflight, t.Step.Args[argBrings] == "true")
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
		if why, err := w.unfitFor(ctx, o, end); err != nil || why != "" {
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

// unfitFor checks the machine of an end: its services run, and its Data Manager lists what the server has now.
func (w *Offloading) unfitFor(ctx context.Context, o *plan, end string) (string, error) {
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
	return w.unfitAt(ctx, end, o.observed(end).Release.String(), resources)
}
