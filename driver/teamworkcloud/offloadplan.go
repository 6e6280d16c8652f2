package teamworkcloud

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/driver/teamworkcloud/machine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// The verbs of an offload in their order; those of the sync that it owns stand among them. Those with an end's name at the back
// exist once for each server.
const (
	opPreflight  = "preflight"
	opAnnounce   = machine.Announce + "_" // + source, target
	opIdle       = machine.Idle + "_"     // + source, target
	opStop       = machine.Stop + "_"     // + source, target
	opUnchanged  = "unchanged"
	opRemove     = "remove"
	opStart      = machine.Start + "_" // + source, target
	opMaintain   = "maintain_"         // + source, target: a person does all of it, where no host is declared
	opReactivate = "reactivate"
	opEditable   = "editable_" // + what it is about
	opFinished   = "finished"
)

// The two ends.
const (
	atSource = "source"
	atTarget = "target"
)

// offloading is an offload beside what is there.
type offloading struct {
	r, sync   *schema.Resource
	facts     *offloadFacts
	confirmed map[string]planner.Confirmation
	plan      *syncPlan        // of the synchronization, for what is on the source still
	present   []*resourceFacts // what is on the source, by name and id
	l         *list
	out       []planner.Finding
}

func newOffloading(r *schema.Resource, f *offloadFacts, confirmed map[string]planner.Confirmation) *offloading {
	o := &offloading{r: r, sync: r.Ref("sync"), facts: f, confirmed: confirmed, l: &list{addr: r.Addr.String()}}
	if o.sync == nil || f.SyncGone {
		return o
	}
	rest := f.Sync // what was declared and is not on the source any more is no matter of the synchronization's
	rest.Items = slices.Clone(rest.Items)
	for i := len(rest.Items) - 1; i >= 0; i-- {
		if rest.Items[i].Problem != "" && o.found(i) {
			rest.Items = slices.Delete(rest.Items, i, i+1)
		}
	}
	o.plan = newSyncPlan(r.Addr.String(), o.sync, &rest, confirmed)
	o.present = rest.resources()
	return o
}

// found tells whether something that was selected is on the target, although not on the source any more.
func (o *offloading) found(item int) bool {
	return slices.ContainsFunc(o.facts.Copies, func(c copyFacts) bool { return c.Item == item })
}

func (o *offloading) removes() bool      { return !o.r.Get("remove_from_source").IsNull() }
func (o *offloading) reactivates() bool  { return isTrue(o.r, "reactivate") }
func (o *offloading) unconfigures() bool { return isTrue(o.r, "remove_configuration") }
func (o *offloading) documented() bool   { return o.r.Text("order") == orderDocumented }

func (o *offloading) server(end string) *schema.Resource { return o.sync.Ref(end) }
func (o *offloading) hasHost(end string) bool            { return !o.server(end).Get("host").IsNull() }

func (o *offloading) serverFacts(end string) *serverFacts {
	if end == atSource {
		return &o.facts.Sync.Source
	}
	return &o.facts.Sync.Target
}

// ids are those of what is on the source, sorted.
func (o *offloading) ids() []string {
	var out []string
	for _, r := range o.present {
		out = append(out, r.ID)
	}
	slices.Sort(out)
	return out
}

// moved are what the read-only flag is taken off: what is moved by this plan, and what earlier ones have moved unless that was
// made editable already.
func (o *offloading) moved() []copyFacts {
	var out []copyFacts
	for _, r := range o.present {
		out = append(out, copyFacts{ID: r.ID, Name: r.Name})
	}
	for _, c := range o.facts.Copies {
		if c.Brought == "" && !o.madeEditable() {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b copyFacts) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// madeEditable: a person has confirmed it after all else that runs had them do here. No server can tell.
func (o *offloading) madeEditable() bool {
	var last, editable planner.Confirmation
	for op, c := range o.confirmed {
		switch {
		case !strings.HasPrefix(op, opEditable):
			if c.After(last) {
				last = c
			}
		case c.After(editable):
			editable = c
		}
	}
	return editable.After(last)
}

// unconfigured: runs have removed all configurations that they had made, as a person confirmed.
func (o *offloading) unconfigured() bool {
	_, ever := o.confirmed[opRemoveConfiguration]
	return ever && !slices.ContainsFunc(o.plan.items, func(s standing) bool { return !s.removed })
}

// complete: the target has everything that the source has, to the last revision.
func (o *offloading) complete() bool {
	return !slices.ContainsFunc(o.present, func(r *resourceFacts) bool { return !r.arrived() })
}

// complete: the target has all of an element.
func (s *standing) complete() bool {
	return !slices.ContainsFunc(s.Resource, func(r resourceFacts) bool { return !r.arrived() })
}

func (r *resourceFacts) arrived() bool {
	return !r.Coming && r.Target.There && !r.Target.Removed && r.Diff.IsEqual()
}

// transfers tells whether something has to be brought to the target, or removed from the source, still.
func (o *offloading) transfers() bool {
	switch {
	case o.removes():
		return len(o.present) > 0
	case o.unconfigures() && o.unconfigured(): // it was one time
		return slices.ContainsFunc(o.present, func(r *resourceFacts) bool { return !r.Target.There })
	case o.unconfigures():
		return len(o.present) > 0
	}
	return !o.complete()
}

// planMigration writes the vendor's procedure down as steps, for what of it is left to do.
func planMigration(c planner.Change) (planner.Outline, hcl.Diagnostics) {
	var f offloadFacts
	if err := unpack(c.Actual, &f); err != nil {
		return planner.Outline{}, hcl.Diagnostics{problem(c.Resource, "Cannot plan", err.Error())}
	}
	o := newOffloading(c.Resource, &f, c.Confirmed)
	if o.sync == nil || f.SyncGone {
		return planner.Outline{Action: planner.NoChange, Findings: []planner.Finding{{
			Rule: product + "/sync-gone", Severity: planner.Note,
			Summary: c.Resource.Text("sync") + " is not declared any more, so that nothing says what is to be offloaded; take this block out too",
		}}}, nil
	}
	o.steps()
	o.findings()
	out := planner.Outline{Action: planner.Migrate, Steps: o.l.steps, Findings: o.out}
	if len(out.Steps) == 0 {
		out.Action = planner.NoChange
	}
	return out, nil
}

// steps adds all that is left to do, between a look before and a look after.
func (o *offloading) steps() {
	body := &offloading{}
	*body = *o
	body.l = &list{addr: o.l.addr, last: []string{o.l.id(opPreflight)}}
	moves := false
	if o.transfers() {
		body.bring()
		if o.removes() {
			body.remove()
			moves = true
		}
	} else if o.removes() && o.documented() && o.leavesConfigurations() && len(o.facts.Copies) > 0 {
		body.l.then(o.removeConfigurations()) // the vendor's last step
	}
	if o.reactivates() && len(o.moved()) > 0 && !(o.madeEditable() && !o.transfers()) {
		body.reactivate()
		moves = true
	}
	if len(body.l.steps) == 0 {
		return
	}
	o.l.then(o.preflightStep())
	o.l.steps = append(o.l.steps, body.l.steps...)
	o.l.last = body.l.last
	if moves {
		o.l.then(o.finishedStep())
	}
}

// todo are the elements that something of is missing still, and that have no configuration as far as can be told.
func (o *offloading) todo() []*standing {
	var todo []*standing
	for i := range o.plan.items {
		if s := &o.plan.items[i]; s.Problem == "" && !s.isRemoved() && !s.configured && !s.complete() {
			todo = append(todo, s)
		}
	}
	return todo
}

// leavesConfigurations: there are some to be removed in the end.
func (o *offloading) leavesConfigurations() bool {
	return o.unconfigures() && (!o.unconfigured() || o.transfers() && len(o.todo()) > 0)
}

// bring adds what brings everything to the target and verifies it.
func (o *offloading) bring() {
	todo := o.todo()
	if len(todo) > 0 {
		if o.plan.secures() {
			o.l.then(o.plan.securedStep())
		}
		o.plan.prepare(o.l)
		var gone, made []planner.Step
		for _, s := range todo {
			if s.replace && !o.plan.cannotReplace(s) {
				gone = append(gone, o.plan.removeStep(s.key(), "a configuration cannot be edited, and the one there is was made otherwise", s))
			}
			made = append(made, o.plan.configureStep(s))
		}
		o.l.then(gone...)
		o.l.then(made...)
	}
	arrived := o.plan.arrivedStep(true)
	arrived.Args[argResources] = fingerprint(o.ids())
	o.l.then(arrived)
	if o.leavesConfigurations() && !(o.removes() && o.documented()) {
		s := o.removeConfigurations()
		s.Guards = []string{o.l.id(opArrived)}
		o.l.then(s)
	}
}

// removeConfigurations is about all of them: also about those of what is not on the source any more, where the vendor's order
// has them removed last.
func (o *offloading) removeConfigurations() planner.Step {
	p := o.plan
	if o.removes() && o.documented() {
		all := o.facts.Sync
		all.Items = slices.Clone(all.Items)
		for i := range all.Items {
			for _, c := range o.facts.Copies {
				if item := &all.Items[i]; item.Problem != "" && item.Kind == kindResource && c.Item == i {
					item.ID, item.Path = c.ID, c.Name
				}
			}
		}
		p = newSyncPlan(o.plan.owner, o.sync, &all, o.confirmed)
	}
	because := "what a configuration does when its source disappears is not documented, so it goes first; the vendor's page has it last (order = \"as_documented\")"
	switch {
	case !o.removes():
		because = "it is brought once (" + syncPage + ")"
	case o.documented():
		because = syncPage + ", step 3"
	}
	return p.removeAllStep(because)
}

// remove adds what removes the resources from the source.
func (o *offloading) remove() {
	o.quiet(atSource)
	if !o.hasHost(atSource) {
		o.l.then(o.maintainSourceStep())
	} else {
		o.l.then(o.stopStep(atSource))
		o.l.then(o.unchangedStep())
		o.l.then(o.removeStep())
		o.l.then(o.startStep(atSource))
	}
	if o.documented() && o.leavesConfigurations() {
		o.l.then(o.removeConfigurations())
	}
}

// quiet adds what comes before a server's services are stopped.
func (o *offloading) quiet(end string) {
	in := o.facts.SourceIn
	if end == atTarget {
		in = o.facts.TargetIn
	}
	if (len(in.Users) > 0 || !in.Known) && !isTrue(o.r, "allow_logged_in") {
		o.l.then(o.window(end).AnnounceStep(in))
	}
	o.l.then(o.idleStep(end))
	o.l.then(o.backupStep(end))
}

// reactivate adds what takes the read-only flag off.
func (o *offloading) reactivate() {
	o.quiet(atTarget)
	if !o.hasHost(atTarget) {
		o.l.then(o.maintainTargetStep())
	} else {
		o.l.then(o.stopStep(atTarget))
		o.l.then(o.reactivateStep())
		o.l.then(o.startStep(atTarget))
	}
	o.l.then(o.editableStep())
}

// makeEditable2026R2 is when the Resources application got a button that takes the flag off (VN 261621685).
var makeEditable2026R2 = osmc.Release{Year: 2026, Refresh: 2}
