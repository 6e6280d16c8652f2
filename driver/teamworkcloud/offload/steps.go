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

// The arguments of steps.
const (
	argRelease   = machine.ArgRelease
	argResources = "resources" // fingerprint of the resources that the step is about
	argEarlier   = "earlier"   // "true": also about what earlier runs have moved
	argBrings    = "brings"    // "true": something is brought to the target
	argLines     = "lines"     // the state of the resources for which a person's commands were written
	argStops     = "stops"     // the ends whose services are stopped
)

// lookWithin is how long a check waits for what only people can change. It is short.
const lookWithin = 5 * time.Second

// fingerprint identifies a set of resources.
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

// window returns the maintenance window at an end.
func (o *plan) window(end string) *machine.Window {
	return machine.WindowOf(o.server(end), end, o.observed(end).Release)
}

func (o *plan) commands(end string) machine.Commands { return o.window(end).Commands }

// overSites reports whether one of the servers is in a site. Each step then contacts only one of them.
func (o *plan) overSites() bool { return o.sync.OverSites() }

// guardedBy returns the guards of a step at an end. Over sites, what the source loses also depends on the verification
// on the target. Otherwise, check itself includes that.
func (o *plan) guardedBy(check, end string) []string {
	guards := []string{o.l.ID(check)}
	if o.overSites() && end == atSource {
		guards = append(guards, o.l.ID(share.VerbArrived))
	}
	return guards
}

// removalFacts returns the facts that a removal depends on, in addition to its guards. Over sites the target is not
// asked.
func (o *plan) removalFacts() []planner.Fact {
	if o.overSites() {
		return nil
	}
	return []planner.Fact{o.targetFact()}
}

// targetFact is the fact about the target that removals depend on: resources are removed because this target has them.
func (o *plan) targetFact() planner.Fact {
	return planner.Fact{Name: "target.major", Value: o.facts.Sync.Target.Major}
}

// sourceResources is the name of the fact about which resources are on the source.
const sourceResources = "source.resources"

// resourcesFact is the fact about which resources are on the source, and their state.
func (o *plan) resourcesFact() planner.Fact {
	return planner.Fact{Name: sourceResources, Value: resourcesText(o.present)}
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

// stopStep returns the step that stops the services. The check that the server is idle guards it, since that compares
// everything again.
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

// contacted returns the servers that a step contacts if it does not say so itself.
func (o *plan) contacted(op string) []string {
	if o.overSites() {
		end := atSource
		if strings.HasSuffix(op, "_"+atTarget) || op == opReactivate || strings.HasPrefix(op, opEditable) {
			end = atTarget
		}
		return []string{o.addr(end)}
	}
	switch op {
	case opPreflight, opIdle + atSource, opIdle + atTarget: // they check everything again
		return slices.Clone(o.facts.Servers)
	}
	return []string{o.addr(atSource), o.addr(atTarget)}
}

// quiet adds the steps before a server's services are stopped.
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
