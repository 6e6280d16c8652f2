package planner

import (
	"context"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/kballard/go-shellquote"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

// Driver is what the planner requires of a product.
type Driver interface {
	// Needs returns the observations that are needed to plan a declaration. It has no I/O. It is called again with the
	// observations made so far until it returns no new ones, since what is needed from one server may depend on another.
	Needs(r *schema.Resource, seen *Observations) ([]Need, hcl.Diagnostics)

	// Observe makes one observation of the server that r declares, and contacts no other server. It changes nothing: its
	// client has no writing methods. The body is a pointer to a type of the driver that survives being written as JSON
	// and read again. It holds no secret.
	Observe(ctx context.Context, r *schema.Resource, n Need) (body any, err error)

	// Plan turns one change into steps. It has no I/O: the same declarations and observations give the same steps. Needs
	// of a step holds IDs of steps of the same change; the planner orders the steps of different declarations.
	Plan(Change) (Outline, hcl.Diagnostics)
}

// Change is one declaration together with the observations.
type Change struct {
	Resource *schema.Resource
	Seen     *Observations

	// Confirmed holds the manual steps of this declaration that were done in earlier runs, by op. The journal remembers
	// what a server cannot show. Not all of it may still hold: what a server shows takes precedence.
	Confirmed map[string]Confirmation

	// Abandoned holds the IDs of runs that a person has abandoned: what they have left on servers may be taken over.
	Abandoned []string

	// Replace asks to create the object again even if it is as declared. It is set only for a Replacer.
	Replace bool
}

// Confirmation says when a person's step was done.
type Confirmation struct {
	Run string // the run's ID; IDs sort by time
	Seq int    // number of the journal's entry within the run
}

// After reports whether c was done later than other.
func (c Confirmation) After(other Confirmation) bool {
	if c.Run != other.Run {
		return c.Run > other.Run
	}
	return c.Seq > other.Seq
}

// Outline is a driver's answer for one change.
type Outline struct {
	Action Action
	Steps  []Step // the planner fills in Addr, ID and Print, sorts Servers, and sets an empty Verb to Op
	// Actual is the live counterpart in the shape of the declaration's own value. It is used to show drift, whatever is
	// done about it. It is cty.NilVal if nothing can be compared, and null if there is no counterpart. Attributes that
	// cannot be read are left out.
	Actual cty.Value
	// Compared says that Diff is what Compare finds between the declaration's value and Actual. Otherwise the planner
	// compares them itself.
	Compared bool
	Diff     []Difference
	// Seen holds the few observed values that a picture shows, such as the date until which a certificate is valid.
	Seen     []Shown
	Replaced []Replaced
	Findings []Finding // what the person must know; one of severity Refuse stops the plan from being applied
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
	Replace  Action = "replace" // an update that creates the object again because a person asked for it
)

// Difference is one attribute whose declared and actual values differ. Sensitive values read "(sensitive value)".
type Difference struct {
	Path     string `json:"path"`     // of the argument in the declaration, such as "label"
	Declared string `json:"declared"` // as HCL text; "null" when absent
	Actual   string `json:"actual"`   // what the server shows, likewise
}

// Severity of a finding.
type Severity string

// Refuse stops a plan from being applied. Warn and Note only inform the reader.
const (
	Refuse Severity = "refuse"
	Warn   Severity = "warn"
	Note   Severity = "note"
)

// Finding is what a rule reports about a plan, with the rule's ID.
type Finding struct {
	Rule     string   `json:"rule"`             // PRODUCT/RULE, such as "plan/retired"; a Rule explains it
	Severity Severity `json:"severity"`         // refuse stops the plan from being applied
	Addr     string   `json:"addr"`             // the declaration; the planner fills it in
	Op       string   `json:"op,omitempty"`     // the step that it is about, if it is about one
	Summary  string   `json:"summary"`          // one line
	Detail   string   `json:"detail,omitempty"` // more about it, in sentences
}

// Plan is one deterministic document with no secret in it.
type Plan struct {
	Format   int              `json:"format"`
	Syncctl  string           `json:"syncctl"`            // version of the program that made it
	Digest   string           `json:"digest"`             // of the configuration (schema.Config.Digest)
	Declared []Declared       `json:"declared,omitempty"` // sorted by address; older programs wrote none
	Changes  []ResourceChange `json:"changes"`            // one for each declaration, sorted by address
	Steps    []Step           `json:"steps"`              // in an order in which they can be carried out
	Findings []Finding        `json:"findings,omitempty"` // what a person must know before

	// Sites holds the sites that take part, by name; Turns says who acts when. Without sites there is one process and one
	// journal.
	Sites []PlanSite `json:"sites,omitempty"`
	Turns []Turn     `json:"turns,omitempty"` // who acts when, in order

	// Secrets is the digest of the configuration with its secrets (schema.Config.KeyedDigest). It is "" if unknown.
	Secrets string `json:"secrets,omitempty"`

	MAC string `json:"-"` // see Authenticate
}

// ResourceChange is one declaration's line in a plan.
type ResourceChange struct {
	Addr   string       `json:"addr"`           // the declaration
	Action Action       `json:"action"`         // what is done to what it declares
	Diff   []Difference `json:"diff,omitempty"` // the arguments whose values differ; none if it is created

	// Replaced lists the parts that are lost or changed when a new object replaces an old one.
	Replaced []Replaced `json:"replaced,omitempty"`
}

// Replaced compares one part of a replaced object with the same part of its replacement. It is listed only if the two
// differ, or if the original is unknown.
type Replaced struct {
	Part     string   `json:"part"`               // the name by which the declaration accepts the loss
	Original string   `json:"original"`           // in words or as text, for people
	New      string   `json:"new"`                // likewise, of the new object
	Becomes  Becoming `json:"becomes"`            // what happens to the part
	Accepted bool     `json:"accepted,omitempty"` // the declaration accepts it by name
}

// Becoming says what happens to a part of a replaced object.
type Becoming string

// The values of Becoming. Unknown means that it is not known whether the part is kept.
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

// StepID returns the ID of a declaration's step: address/op. It stays the same when planning again.
func StepID(addr, op string) string { return addr + "/" + op }

// TypedID returns StepID as a person types it in a shell.
func TypedID(addr, op string) string { return Typed(StepID(addr, op)) }

// Typed returns a step's ID as a person types it in a shell: the key of a for_each must be quoted there.
func Typed(id string) string { return shellquote.Join(id) }

// cutStepID splits a step's ID into address and op. No op contains a slash.
func cutStepID(id string) (addr, op string, ok bool) {
	at := strings.LastIndexByte(id, '/')
	if at < 0 {
		return "", "", false
	}
	return id[:at], id[at+1:], true
}

// Step returns the step with the given ID, or nil if there is none.
func (p *Plan) Step(id string) *Step {
	for i := range p.Steps {
		if p.Steps[i].ID == id {
			return &p.Steps[i]
		}
	}
	return nil
}

// byID returns all steps by ID.
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

// Count adds one step to the tally.
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

// Refusals returns the findings that stop the plan from being applied.
func (p *Plan) Refusals() []Finding {
	var out []Finding
	for _, f := range p.Findings {
		if f.Severity == Refuse {
			out = append(out, f)
		}
	}
	return out
}
