package teamworkcloud

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver/teamworkcloud/machine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/share"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/planner"
)

// managerPage is the vendor's page on Data Manager.
const managerPage = "Data Manager, MCS 247046791"

// Words of the arguments that steps have.
const (
	// of the server whose machine is worked on: it cannot be asked while its services are stopped
	argRelease   = "release"
	argResources = "resources" // fingerprint of what the step is about
	argEarlier   = "earlier"   // "true": of what earlier runs have moved too
	argBrings    = "brings"    // "true": something is brought to the target
	argLines     = "lines"     // the state of the resources that lines for a person were written for
	argStops     = "stops"     // the ends whose services are stopped
)

// lookWithin is how long is waited for what only people can bring about: not long.
const lookWithin = 5 * time.Second

// fingerprint stands for a set of resources.
func fingerprint(ids []string) string {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	return survey.Print(16, slices.Compact(ids)...)
}

func (o *offloading) args(end string) map[string]string {
	args := map[string]string{argRelease: o.observed(end).Release.String(), argResources: fingerprint(o.ids())}
	if o.observed(end).Release.IsZero() {
		args[argRelease] = ""
	}
	if end == atTarget {
		args[argResources] = fingerprint(o.movedIDs())
		args[argEarlier] = strconv.FormatBool(len(o.moved()) > len(o.present))
	}
	return args
}

func (o *offloading) movedIDs() []string {
	var out []string
	for _, c := range o.moved() {
		out = append(out, c.ID)
	}
	return out
}

func (o *offloading) addr(end string) string { return o.observed(end).Addr }

// window is the maintenance window at an end.
func (o *offloading) window(end string) *machine.Window {
	return windowOf(o.server(end).Resource(), end, o.observed(end).Release)
}

func (o *offloading) commands(end string) machine.Commands { return o.window(end).Commands }

// targetFacts: what is removed is removed because this target has it.
func (o *offloading) targetFact() planner.Fact {
	return planner.Fact{Name: "target.major", Value: o.facts.Sync.Target.Major}
}

// resourcesFact is which resources there are on the source and what they are like.
func (o *offloading) resourcesFact() planner.Fact {
	return planner.Fact{Name: "source.resources", Value: resourcesText(o.present)}
}

func resourcesText(all []*survey.Resource) string {
	var words []string
	revisions := 0
	for _, r := range all {
		words = append(words, r.ID+" "+r.Source.Digest)
		revisions += r.Source.Revisions
	}
	slices.Sort(words)
	return fmt.Sprintf("%s, %s (%s)", wording.Plural(len(all), "resource"), wording.Plural(revisions, "revision"),
		survey.Print(8, words...))
}

func (o *offloading) preflightStep() planner.Step {
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

// stopping are the ends whose services are stopped.
func (o *offloading) stopping() []string {
	var out []string
	if o.removes() && o.transfers() {
		out = append(out, atSource)
	}
	if o.reactivates() {
		out = append(out, atTarget)
	}
	return out
}

func (o *offloading) idleStep(end string) planner.Step {
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
		return step
	}
	step.Summary = fmt.Sprintf("no locks on %s of %s, and no change of them there or on %s since the verification%s",
		wording.Plural(len(o.present), "resource"), o.addr(atSource), o.addr(atTarget), people)
	step.Because = "what is not committed, or was committed after the verification, would be lost"
	if !o.hasHost(atSource) {
		step.Args[argLines] = resourcesText(o.present) // the lines that a person is given have its numbers
	}
	return step
}

func (o *offloading) backupStep(end string) planner.Step {
	return o.window(end).BackupStep(
		"Data Manager writes straight into the database, and what it does cannot be undone (" + managerPage +
			")")
}

// stopStep has one guard: looking whether the server is idle compares all again.
func (o *offloading) stopStep(end string) planner.Step {
	s := o.window(end).StopStep("Data Manager works on the database itself, with the services stopped (" + managerPage +
		")")
	s.Args, s.Guards = o.args(end), []string{o.l.ID(opIdle + end)}
	return s
}

func (o *offloading) startStep(end string) planner.Step {
	s := o.window(end).StartStep("they were stopped for Data Manager")
	s.Args = o.args(end)
	return s
}

func (o *offloading) unchangedStep() planner.Step {
	u := o.commands(atSource)
	return planner.Step{
		Op: opUnchanged, Mark: planner.MarkCheck, Repeat: planner.Idempotent, Within: planner.Duration(lookWithin),
		Exclusive: machine.Exclusive(o.addr(atSource)),
		Summary: fmt.Sprintf("nothing of %s beyond what was verified in the database of %s, its services stopped (%s; "+
			"datamanager -lb, -lrv); %s still has them as verified",
			wording.Plural(len(o.present), "resource"), o.addr(atSource), machine.JoinLines(u.Database), o.addr(atTarget)),
		Because: "somebody may have committed until the services stood, and a copy may have been deleted",
		Args:    o.args(atSource),
	}
}

// removal is what removing costs, in words.
func (o *offloading) loses() string {
	revisions := 0
	for _, r := range o.present {
		revisions += r.Source.Revisions
	}
	return fmt.Sprintf("%s of %s with %s, their branches, tags, roles and locks; the copies on %s stay",
		wording.Plural(len(o.present), "resource"), o.addr(atSource), wording.Plural(revisions, "revision"),
		o.addr(atTarget))
}

func (o *offloading) removeStep() planner.Step {
	return planner.Step{
		Op: opRemove, Mark: planner.MarkFinal, Repeat: planner.CheckFirst, Within: planner.Duration(time.Minute),
		Exclusive: machine.Exclusive(o.addr(atSource)),
		Guards:    []string{o.l.ID(opUnchanged)},
		Summary: fmt.Sprintf("remove %s from %s for good: %s", wording.Plural(len(o.present), "resource"),
			o.addr(atSource), o.shown(atSource, "datamanager -dr", o.ids(), machine.Remove)),
		Because: share.SyncPage + ", step 2: it frees the source of what was moved",
		Args:    o.args(atSource),
		Facts:   []planner.Fact{o.targetFact()},
		Effect:  &planner.Effect{Destroy: len(o.present), Irreversible: true, Loses: o.loses()},
		Retires: o.retires(),
	}
}

// retires: once nothing is left on the source and no configuration on the target, the synchronization has nothing to
// it.
func (o *offloading) retires() []string {
	if !o.unconfigures() {
		return nil
	}
	return []string{o.sync.Address()}
}

// shown is a command for a step's line; where the ids are many, all of it stands among the findings.
func (o *offloading) shown(end, command string, ids []string, args func([]string) []string) string {
	const most = 3
	if len(ids) > most {
		return fmt.Sprintf("%s with their %d ids", command, len(ids))
	}
	return strings.Join(machine.Lines(machine.Batches(o.commands(end).DataManager, ids, args)...), "; ")
}

func (o *offloading) reactivateStep() planner.Step {
	n := len(o.moved())
	return planner.Step{
		Op: opReactivate, Mark: planner.MarkChange, Repeat: planner.Idempotent, Within: planner.Duration(time.Minute),
		Exclusive: machine.Exclusive(o.addr(atTarget)),
		Summary: fmt.Sprintf("take the read-only flag off %s on %s: %s", wording.Plural(n, "resource"), o.addr(atTarget),
			o.shown(atTarget, "datamanager -rrof --resourceID=", o.movedIDs(),
				machine.Reactivate(o.wholeCategory()))) + o.alsoCategory(),
		Because: share.SyncPage + ", Removing the read-only flag: what was moved once may be made active again",
		Args:    o.args(atTarget),
		Effect:  &planner.Effect{Change: n},
	}
}

// wholeCategory is the target category's id where a category is synchronized and nothing else is in it, as far as can
// be told when planning: the category may be about to be created.
func (o *offloading) wholeCategory() string {
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

// alsoCategory says in a step's line that a category is named too which is only to be created.
func (o *offloading) alsoCategory() string {
	f := &o.facts.Sync
	if len(o.sync.Categories) > 0 && f.Category.ID == "" {
		return ", and --categoryID= with that of " + strconv.Quote(f.Category.Path) + " as long as nothing else is in it"
	}
	return ""
}

// editableStep: whether the flag is off no documented interface shows.
func (o *offloading) editableStep() planner.Step {
	var ids, all []string
	for _, c := range o.moved() {
		ids, all = append(ids, c.ID), append(all, c.Name)
	}
	server := o.server(atTarget)
	return planner.Step{
		Op: opEditable + survey.Print(8, ids...), Verb: verbEditable, Mark: planner.MarkPerson, Repeat: planner.CheckFirst,
		Within:  planner.Duration(20 * time.Second),
		Summary: fmt.Sprintf("see that %s on %s can be edited", wording.Plural(len(ids), "resource"), o.addr(atTarget)),
		Because: "no interface shows the read-only flag",
		Args:    o.args(atTarget),
		Manual: &planner.Manual{
			Where: server.WebPage() + ", Resources, or a modelling tool", Action: "check_editable",
			Do: []string{"Open each of the resources named below as a user with the right to edit it, and see that it can " +
				"be edited. Nothing needs to be committed."},
			Values: []planner.Value{
				{Name: "target", Label: "Server", Value: server.URL.String()},
				{Name: "resources", Label: "Resources", Value: strings.Join(ids, ","), Shown: strings.Join(all, ", ")},
			},
			Attest: "each of them can be edited",
		},
	}
}

func (o *offloading) finishedStep() planner.Step {
	var parts []string
	if o.removes() {
		parts = append(parts, fmt.Sprintf("%s has none of the resources any more, nor any marked as deleted",
			o.addr(atSource)))
	}
	parts = append(parts, fmt.Sprintf("%s has every branch and revision that was verified", o.addr(atTarget)))
	args := map[string]string{argResources: fingerprint(o.movedIDs())}
	return planner.Step{
		Op: opFinished, Mark: planner.MarkCheck, Repeat: planner.Idempotent, Within: planner.Duration(time.Minute),
		Summary: strings.Join(parts, "; "),
		Because: "the end is looked at on both servers, not concluded",
		Args:    args,
	}
}
