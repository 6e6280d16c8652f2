package offload

import (
	"slices"
	"strings"

	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/share"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/planner"
)

func (o *plan) movedIDs() []string {
	var out []string
	for _, c := range o.moved() {
		out = append(out, c.ID)
	}
	return out
}

func (o *plan) addr(end string) string { return o.observed(end).Addr }

// stopping returns the ends whose services are stopped.
func (o *plan) stopping() []string {
	var out []string
	if o.removes() && o.transfers() {
		out = append(out, atSource)
	}
	if o.reactivates() {
		out = append(out, atTarget)
	}
	return out
}

// plan combines an offload with what was observed, and makes the steps and findings.
type plan struct {
	decl      *Declaration
	sync      *survey.Sync
	facts     *facts
	confirmed map[string]planner.Confirmation
	sharing   *share.Plan        // plan of the synchronization, for what is still on the source
	present   []*survey.Resource // resources on the source, in the order of the declaration
	l         *planner.Sequence
	out       []planner.Finding
}

func (w *Offloading) newPlan(f *facts, confirmed map[string]planner.Confirmation) *plan {
	o := &plan{
		decl: w.Declaration, sync: w.sync(), facts: f, confirmed: confirmed,
		l: &planner.Sequence{Addr: w.Declaration.Addr().String()},
	}
	if o.sync == nil || f.SyncGone {
		return o
	}
	rest := f.Sync // items that are no longer on the source do not concern the synchronization
	rest.Items = slices.Clone(rest.Items)
	for i := len(rest.Items) - 1; i >= 0; i-- {
		if rest.Items[i].Problem != "" && o.found(i) {
			rest.Items = slices.Delete(rest.Items, i, i+1)
		}
	}
	o.sharing = share.New(o.l.Addr, o.sync, &rest, w.Encryption, f.Pair, confirmed)
	o.present = rest.Resources()
	return o
}

// found reports whether a selected item is on the target although it is no longer on the source.
func (o *plan) found(item int) bool {
	return slices.ContainsFunc(o.facts.Copies, func(c copyFacts) bool { return c.Item == item })
}

func (o *plan) removes() bool { return o.decl.RemoveFromSource != nil }

func (o *plan) reactivates() bool { return o.decl.Reactivate }

func (o *plan) unconfigures() bool { return o.decl.RemoveConfiguration }

func (o *plan) documented() bool { return o.decl.Order == OrderDocumented }

func (o *plan) server(end string) *connect.Server {
	return o.sync.Server(end)
}

func (o *plan) hasHost(end string) bool { return o.server(end).Host != nil }

func (o *plan) observed(end string) *survey.Server {
	if end == atSource {
		return &o.facts.Sync.Source
	}
	return &o.facts.Sync.Target
}

// ids returns the IDs of the resources on the source, sorted.
func (o *plan) ids() []string {
	var out []string
	for _, r := range o.present {
		out = append(out, r.ID)
	}
	slices.Sort(out)
	return out
}

// moved returns the resources whose read-only flag is cleared: those that this plan moves, and those that earlier
// plans have moved unless they are already editable.
func (o *plan) moved() []copyFacts {
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

// madeEditable reports whether a person has confirmed that the resources can be edited, after everything else that
// runs had a person do. No server can tell.
func (o *plan) madeEditable() bool {
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

// unconfigured reports whether runs have removed all configurations that they had made, as a person confirmed.
func (o *plan) unconfigured() bool {
	_, ever := o.confirmed[share.VerbUnconfigure]
	return ever && !slices.ContainsFunc(o.sharing.Items, func(s share.Standing) bool { return !s.Unconfigured })
}

// complete reports whether the target has everything that the source has, to the last revision.
func (o *plan) complete() bool {
	return !slices.ContainsFunc(o.present, func(r *survey.Resource) bool { return !hasArrived(r) })
}

// isComplete reports whether the target has everything of an item.
func isComplete(s *share.Standing) bool {
	return !slices.ContainsFunc(s.Resources, func(r survey.Resource) bool { return !hasArrived(&r) })
}

func hasArrived(r *survey.Resource) bool {
	return !r.Coming && r.Target.IsPresent() && r.Diff.IsEqual()
}

// transfers reports whether something still has to be brought to the target, or removed from the source.
func (o *plan) transfers() bool {
	switch {
	case o.removes():
		return len(o.present) > 0
	case o.unconfigures() && o.unconfigured(): // everything had arrived once
		return slices.ContainsFunc(o.present, func(r *survey.Resource) bool { return !r.Target.Exists })
	case o.unconfigures():
		return len(o.present) > 0
	}
	return !o.complete()
}

// Plan returns the remaining steps of the vendor's procedure.
func (w *Offloading) Plan(v *survey.View, confirmed map[string]planner.Confirmation) (planner.Outline, error) {
	f := w.lookForPlan(v)
	if err := v.Err(); err != nil {
		return planner.Outline{}, err
	}
	o := w.newPlan(f, confirmed)
	if f.SyncGone {
		return planner.Outline{Action: planner.NoChange, Findings: []planner.Finding{{
			Rule: product + "/" + ruleSyncGone, Severity: planner.Note,
			Summary: o.decl.Reference("sync") +
				" is no longer declared, so nothing says what is to be offloaded; remove this block too",
		}}}, nil
	}
	o.steps()
	o.findings(whenPlanned, o.transfers())
	out := planner.Outline{Action: planner.Migrate, Steps: o.l.Steps, Findings: o.out}
	if len(out.Steps) == 0 {
		out.Action = planner.NoChange
	}
	return out, nil
}

// steps adds all remaining steps, between a check before and a check after.
func (o *plan) steps() {
	body := &plan{}
	*body = *o
	body.l = &planner.Sequence{Addr: o.l.Addr}
	if o.overSites() {
		o.preflightsApart(body.l)
	} else {
		body.l.Then(o.preflightStep())
	}
	before := len(body.l.Steps)
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
	if len(body.l.Steps) == before { // only the check before
		return
	}
	switch {
	case moves && o.overSites():
		body.l.Then(o.finishedAt(atTarget))
	case moves:
		body.l.Then(o.finishedStep())
	}
	o.l = body.l
	for i := range o.l.Steps {
		if s := &o.l.Steps[i]; len(s.Servers) == 0 {
			s.Servers = o.contacted(s.Op)
		}
	}
	o.unaffected(o.l.Steps)
}

// todo returns the items that are not complete on the target and have no configuration, as far as known.
func (o *plan) todo() []*share.Standing {
	var todo []*share.Standing
	for i := range o.sharing.Items {
		if s := &o.sharing.Items[i]; s.Problem == "" && !s.IsRemoved() && !s.Configured && !isComplete(s) {
			todo = append(todo, s)
		}
	}
	return todo
}

// leavesConfigurations reports whether configurations have to be removed in the end.
func (o *plan) leavesConfigurations() bool {
	return o.unconfigures() && (!o.unconfigured() || o.transfers() && len(o.todo()) > 0)
}

// bring adds the steps that bring everything to the target and verify it.
func (o *plan) bring() {
	todo := o.todo()
	if len(todo) > 0 {
		if o.sharing.Secures() {
			o.l.Then(o.sharing.SecuredStep())
		}
		o.sharing.Prepare(o.l)
		var gone, made []planner.Step
		for _, s := range todo {
			if s.Replaces && !o.sharing.CannotReplace(s) {
				gone = append(gone, o.sharing.UnconfigureStep(s.Key(),
					"a configuration cannot be edited, and the one there is was made otherwise", s))
			}
			made = append(made, o.sharing.ConfigureStep(s))
		}
		o.l.Then(gone...)
		o.l.Then(made...)
	}
	arrived := o.sharing.ArrivedStep(true)
	arrived.Verb = verbAllArrived
	arrived.Args[argResources] = fingerprint(o.ids())
	o.l.Then(arrived)
	if o.leavesConfigurations() && !(o.removes() && o.documented()) {
		s := o.removeConfigurations()
		s.Guards = []string{o.l.ID(share.VerbArrived)}
		o.l.Then(s)
	}
}

// remove adds the steps that remove the resources from the source.
func (o *plan) remove() {
	o.l.Then(o.unusedStep())
	o.quiet(atSource)
	if !o.hasHost(atSource) {
		o.l.Then(o.maintainSourceStep())
	} else {
		o.l.Then(o.stopStep(atSource))
		o.l.Then(o.unchangedStep())
		o.l.Then(o.removeStep())
		o.l.Then(o.startStep(atSource))
	}
	if o.overSites() {
		o.l.Then(o.finishedAt(atSource))
	}
	if o.documented() && o.leavesConfigurations() {
		o.l.Then(o.removeConfigurations())
	}
}

// reactivate adds the steps that clear the read-only flag.
func (o *plan) reactivate() {
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
