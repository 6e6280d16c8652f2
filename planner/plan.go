package planner

import (
	"context"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/kballard/go-shellquote"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

// Driver is what planning needs of a product.
type Driver interface {
	// Needs names the observations that the plan of a declaration is made from. It has no I/O. It is asked again with what
	// has been observed since, until it names nothing new: what is needed of one server may depend on what another showed.
	Needs(r *schema.Resource, seen *Observations) ([]Need, hcl.Diagnostics)

	// Observe makes one observation of the server that r declares, and contacts no other. It changes nothing: it is
	// handed a client without writing methods. The body is a pointer to a type of the driver's that can be written as
	// JSON and read again without loss. It holds no secret.
	Observe(ctx context.Context, r *schema.Resource, n Need) (body any, err error)

	// Plan turns one change into steps. No I/O: the same declarations and observations give the same steps. Needs of a
	// step name step ids of the same change; order between declarations is the planner's.
	Plan(Change) (Outline, hcl.Diagnostics)
}

// Change is one declaration beside what was observed.
type Change struct {
	Resource *schema.Resource
	Seen     *Observations

	// Confirmed are the person's steps of this declaration that earlier runs have done, by op: what no server can tell any
	// more, the journal remembers. Not everything a person did still holds: what a server can tell counts more.
	Confirmed map[string]Confirmation

	// Abandoned are the ids of runs that a person has given up: what they have left on servers may be taken over.
	Abandoned []string

	// Replace asks to make again what there is, though it may be as declared. Only a Replacer is asked.
	Replace bool
}

// Confirmation is when a person's step was done.
type Confirmation struct {
	Run string // the run's id; ids sort by time
	Seq int    // of the journal's entry within the run
}

// After tells whether it was done later than another.
func (c Confirmation) After(other Confirmation) bool {
	if c.Run != other.Run {
		return c.Run > other.Run
	}
	return c.Seq > other.Seq
}

// Outline is a driver's answer for one change.
type Outline struct {
	Action Action
	Steps  []Step // Addr, ID and Print are filled in by the planner from the declaration and Op
	// Actual is the live counterpart in the shape of the declaration's own value, so that drift is shown, whatever is done
	// about it: cty.NilVal where nothing can be compared, null where there is no counterpart. What cannot be read is
	// left out.
	Actual cty.Value
	// Seen are the few things that a picture shows of what was observed, such as until when a certificate is valid.
	Seen     []Shown
	Replaced []Replaced
	Findings []Finding // what the person must know; a finding of severity Refuse stops the plan from being applied
}

// Action says what a plan does to one declaration.
type Action string

// The actions.
const (
	NoChange Action = "none"
	Create   Action = "create"
	Update   Action = "update"
	Delete   Action = "delete"
	Migrate  Action = "migrate"
	Replace  Action = "replace" // an update that makes again what there is, because it was asked for
)

// Difference is one attribute whose declared value is not the actual one. Sensitive values read "(sensitive value)".
type Difference struct {
	Path     string `json:"path"`
	Declared string `json:"declared"` // as HCL text; "null" when absent
	Actual   string `json:"actual"`
}

// Severity of a finding.
type Severity string

// Refuse stops a plan from being applied; Warn and Note are for the reader.
const (
	Refuse Severity = "refuse"
	Warn   Severity = "warn"
	Note   Severity = "note"
)

// Finding is what a rule says about a plan, with the rule's id.
type Finding struct {
	Rule     string   `json:"rule"` // PRODUCT/RULE, such as "plan/retired"; the words of a Rule go with it
	Severity Severity `json:"severity"`
	Addr     string   `json:"addr"` // filled in by the planner
	Op       string   `json:"op,omitempty"`
	Summary  string   `json:"summary"`
	Detail   string   `json:"detail,omitempty"`
}

// Plan is one deterministic document with no secret in it.
type Plan struct {
	Format   int              `json:"format"`
	Syncctl  string           `json:"syncctl"`            // version of the program that made it
	Digest   string           `json:"digest"`             // of the configuration, see schema.Config.Digest
	Declared []Declared       `json:"declared,omitempty"` // sorted by address; older programs wrote none
	Changes  []ResourceChange `json:"changes"`
	Steps    []Step           `json:"steps"` // in an order in which they can be carried out one after the other
	Findings []Finding        `json:"findings,omitempty"`

	// Sites take part in the plan, by name, and Turns says who acts when. None: there is one process, and one journal.
	Sites []PlanSite `json:"sites,omitempty"`
	Turns []Turn     `json:"turns,omitempty"`

	// Secrets is the digest of the configuration with its secrets, see schema.Config.KeyedDigest; "": not known.
	Secrets string `json:"secrets,omitempty"`

	MAC string `json:"-"` // see Authenticate
}

// ResourceChange is one declaration's line in a plan.
type ResourceChange struct {
	Addr   string       `json:"addr"`
	Action Action       `json:"action"`
	Diff   []Difference `json:"diff,omitempty"`

	// Replaced is what gets lost or changes where something new takes the place of what the declaration replaces.
	Replaced []Replaced `json:"replaced,omitempty"`
}

// Replaced is one part of what is replaced beside the same part of the new one, where the two differ or the original's
// is unknown.
type Replaced struct {
	Part     string   `json:"part"`     // by the name that the declaration accepts it by
	Original string   `json:"original"` // in words or as text, for people
	New      string   `json:"new"`
	Becomes  Becoming `json:"becomes"`
	Accepted bool     `json:"accepted,omitempty"` // the declaration accepts it by name
}

// Becoming is what becomes of a part that is replaced.
type Becoming string

// What becomes of a part. Unknown is not known to be kept.
const (
	Lost    Becoming = "lost"
	Altered Becoming = "changed"
	Gained  Becoming = "added"
	Unknown Becoming = "unknown"
)

// Tally counts what a plan does.
type Tally struct {
	Add, Change, Destroy        int
	Steps, Person, Irreversible int
}

// StepID is the id of a declaration's step: address/op. It survives planning again.
func StepID(addr, op string) string { return addr + "/" + op }

// TypedID is StepID as a person types it in a shell.
func TypedID(addr, op string) string { return Typed(StepID(addr, op)) }

// Typed is a step's id as a person types it in a shell: the key of a for_each needs quotes there.
func Typed(id string) string { return shellquote.Join(id) }

// cutStepID takes a step's id apart. No op has a slash in it.
func cutStepID(id string) (addr, op string, ok bool) {
	at := strings.LastIndexByte(id, '/')
	if at < 0 {
		return "", "", false
	}
	return id[:at], id[at+1:], true
}

// Step finds a step by id, or returns nil.
func (p *Plan) Step(id string) *Step {
	for i := range p.Steps {
		if p.Steps[i].ID == id {
			return &p.Steps[i]
		}
	}
	return nil
}

// byID are all steps by their ids.
func (p *Plan) byID() map[string]*Step {
	out := make(map[string]*Step, len(p.Steps))
	for i := range p.Steps {
		out[p.Steps[i].ID] = &p.Steps[i]
	}
	return out
}

// Tally counts what the plan does.
func (p *Plan) Tally() Tally {
	t := Tally{}
	for i := range p.Steps {
		t.Count(&p.Steps[i])
	}
	return t
}

// Count counts one more step.
func (t *Tally) Count(s *Step) {
	t.Steps++
	if s.Manual != nil {
		t.Person++
	}
	if e := s.Effect; e != nil {
		t.Add, t.Change, t.Destroy = t.Add+e.Add, t.Change+e.Change, t.Destroy+e.Destroy
		if e.Irreversible {
			t.Irreversible++
		}
	}
}

// Refusals are the findings that stop the plan from being applied.
func (p *Plan) Refusals() []Finding {
	var out []Finding
	for _, f := range p.Findings {
		if f.Severity == Refuse {
			out = append(out, f)
		}
	}
	return out
}
