package share

import (
	"maps"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/planner"
	"github.com/zclconf/go-cty/cty"
)

// Plan combines a synchronization with what was observed. It makes the steps, for its own plan or for that of a
// migration.
type Plan struct {
	Sync  *survey.Sync
	Facts *survey.Facts
	Items []Standing // one for each of Facts.Items

	owner      string // address of the declaration that the steps belong to
	encryption Encryption
	pair       *Pair // nil: not encrypted, or the source declares no sync_tls
	confirmed  map[string]planner.Confirmation
}

// New returns a plan for a synchronization and what was observed. owner is the address of the declaration that its
// steps belong to.
func New(owner string, s *survey.Sync, f *survey.Facts, e Encryption, pair *Pair,
	confirmed map[string]planner.Confirmation) *Plan {
	p := &Plan{Sync: s, Facts: f, owner: owner, encryption: e, pair: pair, confirmed: confirmed}
	for i := range f.Items {
		p.Items = append(p.Items, p.stand(&f.Items[i]))
	}
	p.doubt()
	return p
}

// Outline returns the plan of a synchronization that is not owned by a migration.
func Outline(s *survey.Sync, f *survey.Facts, e Encryption, pair *Pair,
	confirmed map[string]planner.Confirmation, replace bool) planner.Outline {
	p, q := New(s.Address(), s, f, e, pair, confirmed), &planner.Sequence{Addr: s.Address()}
	if replace {
		p.replace()
	}
	out := planner.Outline{Action: planner.Update}
	if s.IsRemoved() {
		p.takeDown(q)
		out.Action = planner.Delete
	} else {
		p.setUp(q)
		if p.isNew() {
			out.Action = planner.Create
		}
	}
	out.Steps = q.Steps
	Unaffected(out.Steps, s)
	out.Findings = p.Findings(q)
	out.Actual = p.actual()
	if len(out.Steps) == 0 {
		out.Action = planner.NoChange
	}
	return out
}

// actual returns the part of the declaration that the target shows: the category of the copies, if there are any.
func (p *Plan) actual() cty.Value {
	if p.Sync.IsRemoved() || p.Facts.Category.ID == "" && p.Facts.Category.Problem == "" {
		return cty.NullVal(cty.EmptyObject)
	}
	in := map[string]bool{}
	for _, r := range p.Facts.Resources() {
		if r.Target.IsPresent() && (r.Coming || r.Diff.IsCopy()) {
			in[r.Target.Path] = true
		}
	}
	if len(in) == 0 {
		return cty.NullVal(cty.EmptyObject)
	}
	delete(in, p.Facts.Category.Path)
	category := p.Sync.TargetCategory
	if len(in) > 0 {
		category = strings.Join(slices.Sorted(maps.Keys(in)), ", ")
	}
	return cty.ObjectVal(map[string]cty.Value{"target_category": cty.StringVal(category)})
}

// isNew reports whether nothing of the synchronization exists yet.
func (p *Plan) isNew() bool {
	return !slices.ContainsFunc(p.Items, func(s Standing) bool { return s.Appeared > 0 || s.Configured || s.Replaces })
}

// setUp adds the steps that bring the configurations to what is declared, and verify that what they bring has arrived.
func (p *Plan) setUp(q *planner.Sequence) {
	todo := p.unconfigured()
	if p.Sync.OverSites() && p.looksAtCopies(todo) {
		q.Then(p.OriginalsStep())
	}
	if p.Secures() {
		q.Then(p.SecuredStep())
	}
	if len(todo) > 0 {
		p.Prepare(q)
	}
	var obsolete []planner.Step
	for _, key := range p.forgotten() {
		if k, ok := p.Facts.Known[key]; ok {
			obsolete = append(obsolete, p.unconfigureForgotten(key, k))
		}
	}
	for _, s := range todo {
		if s.Replaces && !p.CannotReplace(s) {
			because := "it needs other values, and a configuration cannot be edited"
			if s.Again {
				because = madeAgain
			}
			obsolete = append(obsolete, p.UnconfigureStep(s.Key(), because, s))
		}
	}
	q.Then(obsolete...)
	var made []planner.Step
	for _, s := range todo {
		made = append(made, p.ConfigureStep(s))
	}
	for _, s := range p.unencrypted() {
		made = append(made, p.encryptStep(s))
	}
	q.Then(made...)
	first := p.neverSynchronized()
	if len(first) > 0 {
		q.Then(p.synchronizeStep(first))
	}
	for _, s := range todo {
		if p.promises(s) {
			first = append(first, s)
		}
	}
	if len(first) > 0 {
		q.Then(p.ArrivedStep(false, first...))
	}
}

// madeAgain is the reason for replacing a configuration that is as declared.
const madeAgain = "it is to be made again (-replace)"

// replace has the existing configurations created again. The copies stay, as with every configuration that is
// replaced.
func (p *Plan) replace() {
	for i := range p.Items {
		if s := &p.Items[i]; s.Problem == "" && s.Waits == "" && (s.Configured || s.Asked && !s.Unconfigured) {
			s.Configured, s.Replaces, s.Again = false, true, true
		}
	}
}

// looksAtCopies reports whether a step of setUp compares with the source.
func (p *Plan) looksAtCopies(todo []*Standing) bool {
	known := func(key string) bool { _, ok := p.Facts.Known[key]; return ok }
	return len(todo)+len(p.unencrypted())+len(p.neverSynchronized()) > 0 || slices.ContainsFunc(p.forgotten(), known)
}

// Prepare adds what must exist before a configuration can be created.
func (p *Plan) Prepare(q *planner.Sequence) {
	if c := p.Facts.Category; c.ID == "" && c.Problem == "" {
		q.Then(p.createCategoryStep())
	}
	if r := p.Facts.Role; r.Known && !r.Held && r.MayGrant {
		q.Then(p.grantRoleStep())
	}
}

// unconfigured returns the items that have no configuration as declared, as far as known.
func (p *Plan) unconfigured() []*Standing {
	var out []*Standing
	for i := range p.Items {
		if s := &p.Items[i]; s.Problem == "" && s.Waits == "" && !s.Configured && !s.IsRemoved() {
			out = append(out, s)
		}
	}
	return out
}

// takeDown adds the steps that remove the configurations and keep the data.
func (p *Plan) takeDown(q *planner.Sequence) {
	var existing []*Standing
	for i := range p.Items {
		asked, _ := p.lastConfigured(p.Items[i].Key())
		if s := &p.Items[i]; !s.Unconfigured && (asked != "" || s.Appeared > 0) {
			existing = append(existing, s)
		}
	}
	var steps []planner.Step
	if len(existing) > 0 {
		steps = append(steps, p.UnconfigureStep(keyOf(p.Facts.Items), "state is declared as removed", existing...))
	}
	for _, key := range p.forgotten() {
		if k, ok := p.Facts.Known[key]; ok {
			steps = append(steps, p.unconfigureForgotten(key, k))
		}
	}
	if len(steps) > 0 && p.Sync.OverSites() {
		q.Then(p.OriginalsStep())
	}
	q.Then(steps...)
}

// CannotReplace reports whether a configuration cannot be replaced. Before 2024x Refresh1 a deleted configuration
// leaves a record that prevents another one. Only Data Manager can remove it, together with the copy (TWCloud2024x
// 137987228).
func (p *Plan) CannotReplace(s *Standing) bool {
	return s.Appeared > 0 && p.oldTarget()
}

func (p *Plan) oldTarget() bool { return p.Facts.Target.Release.OlderThan(osmc.SyncTLS2024R1) }

// With returns the same plan with other facts.
func (p *Plan) With(f *survey.Facts) *Plan {
	return New(p.owner, p.Sync, f, p.encryption, p.pair, p.confirmed)
}
