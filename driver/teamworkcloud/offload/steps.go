package offload

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
	argRelease   = machine.ArgRelease
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

func (o *plan) args(end string) map[string]string {
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

// window is the maintenance window at an end.
func (o *plan) window(end string) *machine.Window {
	return machine.WindowOf(o.server(end), end, o.observed(end).Release)
}

func (o *plan) commands(end string) machine.Commands { return o.window(end).Commands }

// overSites tells whether one of the servers is in a site: then each step contacts one of them alone.
func (o *plan) overSites() bool { return o.sync.OverSites() }

// guardedBy are the guards of a step at an end. Over sites, what the source loses rests also on what was verified on
// the target, which elsewhere the check itself looks at.
func (o *plan) guardedBy(check, end string) []string {
	guards := []string{o.l.ID(check)}
	if o.overSites() && end == atSource {
		guards = append(guards, o.l.ID(share.VerbArrived))
	}
	return guards
}

// removalFacts are what a removal rests on, beside its guards: over sites the target is not asked.
func (o *plan) removalFacts() []planner.Fact {
	if o.overSites() {
		return nil
	}
	return []planner.Fact{o.targetFact()}
}

// targetFacts: what is removed is removed because this target has it.
func (o *plan) targetFact() planner.Fact {
	return planner.Fact{Name: "target.major", Value: o.facts.Sync.Target.Major}
}

// resourcesFact is which resources there are on the source and what they are like.
func (o *plan) resourcesFact() planner.Fact {
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

func (o *plan) backupStep(end string) planner.Step {
	return o.window(end).BackupStep(
		"Data Manager writes straight into the database, and what it does cannot be undone (" + managerPage +
			")")
}

// stopStep has one guard: looking whether the server is idle compares all again.
func (o *plan) stopStep(end string) planner.Step {
	s := o.window(end).StopStep("Data Manager works on the database itself, with the services stopped (" + managerPage +
		")")
	s.Args, s.Guards = o.args(end), o.guardedBy(opIdle+end, end)
	return s
}

func (o *plan) startStep(end string) planner.Step {
	s := o.window(end).StartStep("they were stopped for Data Manager")
	s.Args = o.args(end)
	return s
}

// contacted are the servers that a step which says nothing else contacts.
func (o *plan) contacted(op string) []string {
	if o.overSites() {
		end := atSource
		if strings.HasSuffix(op, "_"+atTarget) || op == opReactivate || strings.HasPrefix(op, opEditable) {
			end = atTarget
		}
		return []string{o.addr(end)}
	}
	switch op {
	case opPreflight, opIdle + atSource, opIdle + atTarget: // they look at everything once more
		return slices.Clone(o.facts.Servers)
	}
	return []string{o.addr(atSource), o.addr(atTarget)}
}

// quiet adds what comes before a server's services are stopped.
func (o *plan) quiet(end string) {
	in := o.facts.SourceIn
	if end == atTarget {
		in = o.facts.TargetIn
	}
	if (len(in.Users) > 0 || !in.Known) && !o.decl.AllowLoggedIn {
		o.l.Then(o.window(end).AnnounceStep(in))
	}
	o.l.Then(o.idleStep(end))
	o.l.Then(o.backupStep(end))
}
