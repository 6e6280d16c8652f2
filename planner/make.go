// Package planner compares the declarations with the live servers and writes down ordered steps. It does not carry out
// any step, and it knows no product.
package planner

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

// Format is the version of the plan document.
const Format = 2

// Input is what a plan is made from.
type Input struct {
	Config  *schema.Config
	Drivers func(schema.Addr) Driver // the driver of a declaration's type; never nil for a declaration that was loaded
	Version string                   // of the program
	Targets []schema.Addr            // nil: plan everything; otherwise these and what they depend on
	Replace []schema.Addr            // objects of these are created again, even if they are as declared

	// Retired maps each declaration whose counterpart an earlier run removed for good to the ID of that run. If it is
	// still in the files, it is ignored: it is not created again, and it is not an error.
	Retired map[string]string

	// Confirmed holds the manual steps that people have done in earlier runs, by step ID.
	Confirmed map[string]Confirmation

	// Acted maps each declaration that an earlier run has worked on to the ID of the last such run.
	Acted map[string]string

	// Abandoned holds the IDs of runs that a person has abandoned.
	Abandoned []string

	// Observations were made earlier, here or elsewhere, and are not made again. Make adds those that it makes. nil means
	// that there are none yet.
	Observations *Observations

	// ObservedOnly plans from Observations alone: no server is read, and a missing observation is an error.
	ObservedOnly bool

	// Changed holds, for each other site, when it may last have changed something on its servers, by its own clock and as
	// far as runs report it. Earlier observations of that site are stale.
	Changed map[string]time.Time

	// Again is the site that made the plan, if another site makes the same plan once more from the same Observations. The
	// age of the observations does not count then. It is "" for a new plan.
	Again string

	ownOnly bool // observations of other sites' servers are not needed

	Now func() time.Time // the clock for the times of observations; nil: time.Now
	By  string           // who makes the observations

	// Reading is called when a read from a server begins; the returned function is called when it ends. Several
	// goroutines call it. It may be nil.
	Reading func(server string) (end func())
}

func (in Input) now() time.Time {
	if in.Now == nil {
		return time.Now()
	}
	return in.Now()
}

// planned returns the declarations that are planned by themselves: the wanted ones that no other declaration owns.
func (in Input) planned(wanted func(schema.Addr) bool) []*schema.Resource {
	var out []*schema.Resource
	for _, r := range in.Config.Resources {
		if r.Owner == (schema.Addr{}) && wanted(r.Addr) {
			out = append(out, r)
		}
	}
	return out
}

// Make reads the live servers, compares them with the declarations, and orders the steps. It changes nothing. The same
// configuration and the same servers give the same plan.
func Make(ctx context.Context, in Input) (*Plan, hcl.Diagnostics) {
	in = in.moved()
	plan := &Plan{Format: Format, Syncctl: in.Version, Digest: in.Config.Digest(), Changes: []ResourceChange{}}
	wanted, diags := targets(in)
	if diags.HasErrors() {
		return nil, diags
	}
	planned := in.planned(wanted)
	if diags := in.replaceable(wanted); diags.HasErrors() {
		return nil, diags
	}
	plan.Findings = append(targetFindings(in, len(planned)), gone(in)...)
	seen, diags := observe(ctx, in, planned)
	if diags.HasErrors() {
		return nil, diags
	}
	groups := make(map[schema.Addr][]Step, len(planned))
	shown := map[schema.Addr][]Shown{}
	confirmed := confirmedByAddr(in.Confirmed)
	for _, r := range planned {
		change, out, more := one(in, seen, confirmed[r.Addr.String()], r)
		diags = append(diags, more...)
		plan.Changes = append(plan.Changes, change)
		plan.Findings = append(plan.Findings, out.Findings...)
		if len(out.Steps) > 0 {
			groups[r.Addr] = out.Steps
		}
		if len(out.Seen) > 0 {
			shown[r.Addr] = out.Seen
		}
	}
	diags = append(diags, protected(in.Config, planned, groups)...)
	if diags.HasErrors() {
		return nil, diags
	}
	steps, err := order(in.Config, groups)
	if err != nil {
		return nil, append(diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Steps wait for each other",
			Detail: err.Error()})
	}
	plan.Steps, plan.Declared = steps, declared(planned, shown)
	maker := cmp.Or(in.Again, in.Config.Site)
	if err := plan.takeTurns(in.Config, maker); err != nil {
		return nil, append(diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "A step of two sites",
			Detail: err.Error()})
	}
	ages := seen.agesBut(in.Config, maker)
	for i := range plan.Sites {
		if age, sent := ages[plan.Sites[i].Name]; sent {
			plan.Sites[i].Observed = &age
		}
	}
	plan.hide(in.Config.Redactor().String)
	if err := fingerprint(plan); err != nil {
		return nil, append(diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Plan cannot be written down",
			Detail: err.Error()})
	}
	slices.SortFunc(plan.Changes, func(a, b ResourceChange) int { return strings.Compare(a.Addr, b.Addr) })
	return plan, diags
}

// protected refuses steps that remove what lifecycle.prevent_destroy protects: objects of the declaration that the step
// belongs to, and those of declarations that it retires.
func protected(cfg *schema.Config, planned []*schema.Resource, groups map[schema.Addr][]Step) hcl.Diagnostics {
	var diags hcl.Diagnostics
	refuse := func(r *schema.Resource, s *Step) {
		rng := r.Range
		diags = append(diags, schema.WithAddr(&hcl.Diagnostic{
			Severity: hcl.DiagError, Summary: "Protected from being destroyed", Subject: &rng,
			Detail: fmt.Sprintf("The step %s would remove objects of it (%s), and its lifecycle block says prevent_destroy. "+
				"Take that away if it is meant, or change the files so that nothing is removed.", s.ID, s.Summary),
		}, r.Addr))
	}
	for _, r := range planned {
		for i := range groups[r.Addr] {
			s := &groups[r.Addr][i]
			removes := s.Mark == MarkDelete || s.Irreversible() || s.Effect != nil && s.Effect.Destroy > 0
			if removes && r.PreventDestroy {
				refuse(r, s)
				continue
			}
			for _, name := range s.Retires {
				a, err := schema.ParseAddr(name)
				if to := cfg.Lookup(a); err == nil && removes && to != nil && to.PreventDestroy {
					refuse(to, s)
				}
			}
		}
	}
	return diags
}

// one plans a single declaration.
func one(
	in Input, seen *Observations, confirmed map[string]Confirmation, r *schema.Resource,
) (ResourceChange, Outline, hcl.Diagnostics) {
	addr := r.Addr.String()
	change := ResourceChange{Addr: addr, Action: NoChange}
	out, diags := in.Drivers(r.Addr).Plan(Change{Resource: r, Seen: seen, Confirmed: confirmed,
		Abandoned: in.Abandoned, Replace: slices.Contains(in.Replace, r.Addr)})
	if run, ok := in.Retired[addr]; ok && out.Actual != cty.NilVal && out.Actual.IsNull() {
		return change, Outline{Findings: []Finding{{
			Rule: ruleRetired, Severity: Note, Addr: addr,
			Summary: "its counterpart was removed for good by run " + run + "; the block can be removed from the files",
		}}}, nil
	}
	switch {
	case out.Compared:
		change.Diff = out.Diff
	case out.Actual != cty.NilVal:
		change.Diff = Compare(r.Value, out.Actual)
	}
	change.Action, change.Replaced = out.Action, out.Replaced
	if change.Action == "" || len(out.Steps) == 0 && len(out.Findings) == 0 {
		change.Action = NoChange
	}
	if change.Action == Update && slices.Contains(in.Replace, r.Addr) {
		change.Action = Replace
	}
	for i := range out.Steps {
		s := &out.Steps[i]
		s.Addr, s.ID = addr, StepID(addr, s.Op)
		s.Verb = cmp.Or(s.Verb, s.Op)
		s.Servers = unique(slices.Clone(s.Servers))
	}
	for i := range out.Findings {
		out.Findings[i].Addr = addr
	}
	return change, out, withAddr(diags, r.Addr)
}

// confirmedByAddr groups confirmations by declaration and op.
func confirmedByAddr(all map[string]Confirmation) map[string]map[string]Confirmation {
	out := map[string]map[string]Confirmation{}
	for id, c := range all {
		addr, op, ok := cutStepID(id)
		if !ok {
			continue
		}
		if out[addr] == nil {
			out[addr] = map[string]Confirmation{}
		}
		out[addr][op] = c
	}
	return out
}
