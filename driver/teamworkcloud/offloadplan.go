package teamworkcloud

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/driver/declare"
	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/machine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/driver/teamworkcloud/share"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// The verbs of an offload in their order; those of the sync that it owns stand among them. Those with an end's name
// at the back exist once for each server.
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
	opEditable   = verbEditable + "_" // + what it is about
	opFinished   = "finished"

	verbEditable     = "editable"
	verbAllArrived   = "all_arrived"        // the verb of a migration's share.VerbArrived
	verbUnconfigured = "all_configurations" // the verb of a migration's share.VerbUnconfigure
)

// The two ends.
const (
	atSource = "source"
	atTarget = "target"
)

// offloading is an offload beside what was observed.
type offloading struct {
	decl      *Offload
	sync      *survey.Sync
	facts     *offloadFacts
	confirmed map[string]planner.Confirmation
	plan      *share.Plan        // of the synchronization, for what is still on the source
	present   []*survey.Resource // what is on the source, by name and id
	l         *planner.Sequence
	out       []planner.Finding
}

func (d *Driver) newOffloading(
	r *schema.Resource, f *offloadFacts, confirmed map[string]planner.Confirmation,
) *offloading {
	decl := declaredOffload(r)
	o := &offloading{
		decl: decl, sync: survey.Declared(decl.Sync), facts: f, confirmed: confirmed,
		l: &planner.Sequence{Addr: r.Addr.String()},
	}
	if o.sync == nil || f.SyncGone {
		return o
	}
	rest := f.Sync // what was declared and is no longer on the source does not concern the synchronization
	rest.Items = slices.Clone(rest.Items)
	for i := len(rest.Items) - 1; i >= 0; i-- {
		if rest.Items[i].Problem != "" && o.found(i) {
			rest.Items = slices.Delete(rest.Items, i, i+1)
		}
	}
	o.plan = share.New(r.Addr.String(), o.sync, &rest, d.encryption(), f.Pair, confirmed)
	o.present = rest.Resources()
	return o
}

// declaredOffload decodes the declaration of an offload.
func declaredOffload(r *schema.Resource) *Offload {
	o, _ := declare.Once[Offload](r)
	return o
}

// found tells whether something that was selected is on the target, although not on the source any more.
func (o *offloading) found(item int) bool {
	return slices.ContainsFunc(o.facts.Copies, func(c copyFacts) bool { return c.Item == item })
}

func (o *offloading) removes() bool      { return o.decl.RemoveFromSource != nil }
func (o *offloading) reactivates() bool  { return o.decl.Reactivate }
func (o *offloading) unconfigures() bool { return o.decl.RemoveConfiguration }
func (o *offloading) documented() bool   { return o.decl.Order == orderDocumented }

func (o *offloading) server(end string) *connect.Server {
	if end == atSource {
		return o.sync.SourceServer()
	}
	return o.sync.TargetServer()
}

func (o *offloading) hasHost(end string) bool { return o.server(end).Host != nil }

func (o *offloading) observed(end string) *survey.Server {
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

// moved are what the read-only flag is taken off: what is moved by this plan, and what earlier ones have moved unless
// that was made editable already.
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
	_, ever := o.confirmed[share.VerbUnconfigure]
	return ever && !slices.ContainsFunc(o.plan.Items, func(s share.Standing) bool { return !s.Unconfigured })
}

// complete: the target has everything that the source has, to the last revision.
func (o *offloading) complete() bool {
	return !slices.ContainsFunc(o.present, func(r *survey.Resource) bool { return !hasArrived(r) })
}

// isComplete: the target has all of an element.
func isComplete(s *share.Standing) bool {
	return !slices.ContainsFunc(s.Resources, func(r survey.Resource) bool { return !hasArrived(&r) })
}

func hasArrived(r *survey.Resource) bool {
	return !r.Coming && r.Target.IsPresent() && r.Diff.IsEqual()
}

// transfers tells whether something has to be brought to the target, or removed from the source, still.
func (o *offloading) transfers() bool {
	switch {
	case o.removes():
		return len(o.present) > 0
	case o.unconfigures() && o.unconfigured(): // it was one time
		return slices.ContainsFunc(o.present, func(r *survey.Resource) bool { return !r.Target.Exists })
	case o.unconfigures():
		return len(o.present) > 0
	}
	return !o.complete()
}

// planMigration writes the vendor's procedure down as steps, for what of it is left to do.
func (d *Driver) planMigration(c planner.Change) (planner.Outline, hcl.Diagnostics) {
	v := survey.NewView(c.Seen)
	f := d.lookAtOffload(v, c.Resource)
	if err := v.Err(); err != nil {
		return planner.Outline{}, cannotPlan(c.Resource, err)
	}
	o := d.newOffloading(c.Resource, f, c.Confirmed)
	if f.SyncGone {
		return planner.Outline{Action: planner.NoChange, Findings: []planner.Finding{{
			Rule: product + "/sync-gone", Severity: planner.Note,
			Summary: o.decl.Reference("sync") +
				" is no longer declared, so nothing says what is to be offloaded; remove this block too",
		}}}, nil
	}
	o.steps()
	o.findings()
	out := planner.Outline{Action: planner.Migrate, Steps: o.l.Steps, Findings: o.out}
	if len(out.Steps) == 0 {
		out.Action = planner.NoChange
	}
	return out, nil
}

// steps adds all that is left to do, between a look before and a look after.
func (o *offloading) steps() {
	body := &offloading{}
	*body = *o
	body.l = &planner.Sequence{Addr: o.l.Addr}
	body.l.Then(o.preflightStep())
	moves := false
	if o.transfers() {
		body.bring()
		if o.removes() {
			body.remove()
			moves = true
		}
	} else if o.removes() && o.documented() && o.leavesConfigurations() && len(o.facts.Copies) > 0 {
		body.l.Then(o.removeConfigurations()) // the vendor's last step
	}
	if o.reactivates() && len(o.moved()) > 0 && !(o.madeEditable() && !o.transfers()) {
		body.reactivate()
		moves = true
	}
	if len(body.l.Steps) == 1 { // only the look before
		return
	}
	if moves {
		body.l.Then(o.finishedStep())
	}
	o.l = body.l
	for i := range o.l.Steps {
		if s := &o.l.Steps[i]; len(s.Servers) == 0 {
			s.Servers = o.contacted(s.Op)
		}
	}
}

// contacted are the servers that a step which says nothing else contacts.
func (o *offloading) contacted(op string) []string {
	switch op {
	case opPreflight, opIdle + atSource, opIdle + atTarget: // they look at everything once more
		return slices.Clone(o.facts.Servers)
	}
	return []string{o.addr(atSource), o.addr(atTarget)}
}

// todo are the elements that something of is missing still, and that have no configuration as far as can be told.
func (o *offloading) todo() []*share.Standing {
	var todo []*share.Standing
	for i := range o.plan.Items {
		if s := &o.plan.Items[i]; s.Problem == "" && !s.IsRemoved() && !s.Configured && !isComplete(s) {
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
		if o.plan.Secures() {
			o.l.Then(o.plan.SecuredStep())
		}
		o.plan.Prepare(o.l)
		var gone, made []planner.Step
		for _, s := range todo {
			if s.Replaces && !o.plan.CannotReplace(s) {
				gone = append(gone, o.plan.UnconfigureStep(s.Key(),
					"a configuration cannot be edited, and the one there is was made otherwise", s))
			}
			made = append(made, o.plan.ConfigureStep(s))
		}
		o.l.Then(gone...)
		o.l.Then(made...)
	}
	arrived := o.plan.ArrivedStep(true)
	arrived.Verb = verbAllArrived
	arrived.Args[argResources] = fingerprint(o.ids())
	o.l.Then(arrived)
	if o.leavesConfigurations() && !(o.removes() && o.documented()) {
		s := o.removeConfigurations()
		s.Guards = []string{o.l.ID(share.VerbArrived)}
		o.l.Then(s)
	}
}

// removeConfigurations is about all of them: also about those of what is not on the source any more, where the
// vendor's order has them removed last.
func (o *offloading) removeConfigurations() planner.Step {
	p := o.plan
	if o.removes() && o.documented() {
		all := o.facts.Sync
		all.Items = slices.Clone(all.Items)
		for i := range all.Items {
			for _, c := range o.facts.Copies {
				if item := &all.Items[i]; item.Problem != "" && item.Kind == survey.KindResource && c.Item == i {
					item.ID, item.Path = c.ID, c.Name
				}
			}
		}
		p = o.plan.With(&all)
	}
	because := "what a configuration does when its source disappears is not documented, so it goes first; the " +
		"vendor's page has it last (order = \"as_documented\")"
	switch {
	case !o.removes():
		because = "it is brought once (" + share.SyncPage + ")"
	case o.documented():
		because = share.SyncPage + ", step 3"
	}
	step := p.UnconfigureAllStep(because)
	step.Verb = verbUnconfigured
	return step
}

// remove adds what removes the resources from the source.
func (o *offloading) remove() {
	o.quiet(atSource)
	if !o.hasHost(atSource) {
		o.l.Then(o.maintainSourceStep())
	} else {
		o.l.Then(o.stopStep(atSource))
		o.l.Then(o.unchangedStep())
		o.l.Then(o.removeStep())
		o.l.Then(o.startStep(atSource))
	}
	if o.documented() && o.leavesConfigurations() {
		o.l.Then(o.removeConfigurations())
	}
}

// quiet adds what comes before a server's services are stopped.
func (o *offloading) quiet(end string) {
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

// reactivate adds what takes the read-only flag off.
func (o *offloading) reactivate() {
	o.quiet(atTarget)
	if !o.hasHost(atTarget) {
		o.l.Then(o.maintainTargetStep())
	} else {
		o.l.Then(o.stopStep(atTarget))
		o.l.Then(o.reactivateStep())
		o.l.Then(o.startStep(atTarget))
	}
	o.l.Then(o.editableStep())
}

// makeEditable2026R2 is when the Resources application got a button that takes the flag off (VN 261621685).
var makeEditable2026R2 = osmc.Release{Year: 2026, Refresh: 2}
