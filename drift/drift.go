// Package drift determines which differences between declarations and servers come from outside, that is, neither from
// these files nor from syncctl. It compares what a plan has found with what the last finished runs have applied. It
// reads no server and writes nothing: it has neither an executor nor a file system.
package drift

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// Cause says where a difference comes from.
type Cause string

// The causes. Outside is drift. Pending has not been applied yet. Unknown means that it cannot be determined which of
// the two it is: it never counts as either. Ignored is covered by an ignore_drift block.
const (
	Outside Cause = "outside"
	Pending Cause = "pending"
	Unknown Cause = "unknown"
	Ignored Cause = "ignored"
)

// The kinds of differences of a declaration.
const (
	Argument   = "argument"   // the declared and the actual value of Path differ
	Missing    = "missing"    // there is no counterpart
	Steps      = "steps"      // no compared value differs, but the plan has steps
	Uncompared = "uncompared" // something could not be compared, or its plan is refused: Why has the finding
)

// Difference is one difference between a declaration and its counterpart.
type Difference struct {
	Addr     string `json:"addr"`               // the declaration
	What     string `json:"what"`               // argument (its values differ), missing, steps or uncompared
	Path     string `json:"path,omitempty"`     // the argument
	Declared string `json:"declared,omitempty"` // as HCL text
	Actual   string `json:"actual,omitempty"`   // as HCL text
	Steps    int    `json:"steps,omitempty"`    // how many a plan would have
	Cause    Cause  `json:"cause"`              // where it comes from
	Why      string `json:"why"`                // why the cause is known, or why it is unknown
	Run      string `json:"run,omitempty"`      // the run that it is compared with
	Reason   string `json:"reason,omitempty"`   // why it is ignored
	Until    string `json:"until,omitempty"`    // the last day on which it is ignored
}

// Report holds all differences, sorted by address and path, and the plan's findings about what was compared.
type Report struct {
	At          time.Time         `json:"at"`          // when it was compared
	Digest      string            `json:"digest"`      // of the configuration
	Compared    []string          `json:"compared"`    // the addresses of the declarations that were
	Differences []Difference      `json:"differences"` // by address and path
	Findings    []planner.Finding `json:"findings"`    // of the plan, about what was compared

	// Sent holds the age of the observations of other sites' servers used here, sorted by site.
	Sent []Sent `json:"sent,omitempty"`
}

// Sent is the age of the oldest observation that a site has sent.
type Sent struct {
	Site string `json:"site"` // the name of its block
	planner.Age
}

// Count counts the differences with a cause.
func (r *Report) Count(c Cause) int {
	n := 0
	for i := range r.Differences {
		if r.Differences[i].Cause == c {
			n++
		}
	}
	return n
}

// ByAddr returns the differences by declaration.
func (r *Report) ByAddr() map[string][]Difference {
	out := map[string][]Difference{}
	for i := range r.Differences {
		addr := r.Differences[i].Addr
		out[addr] = append(out[addr], r.Differences[i])
	}
	return out
}

// Input is what a report is made from.
type Input struct {
	Config *schema.Config
	Plan   *planner.Plan // of the servers as they are now
	Past   Past
	Now    time.Time

	// Applied is set if a person says that everything declared has been applied, so every difference comes from outside.
	Applied bool

	// Uncompared reports whether a finding with this rule means that something could not be compared, see planner.Rule.
	// It may be nil if no rule does.
	Uncompared func(rule string) bool
}

// finder is an Input with values that are computed once for all differences.
type finder struct {
	Input
	stepIDs map[string]bool          // of the plan
	basis   *planner.Basis           // of the configuration; nil until it is computed
	since   map[*Run]map[string]bool // declarations that have changed since a run
	hashed  *bothArguments           // of the current declaration
}

// Find returns the differences that a plan has found, with their causes.
func Find(input Input) *Report {
	in := &finder{Input: input, stepIDs: map[string]bool{}, since: map[*Run]map[string]bool{}}
	for i := range in.Plan.Steps {
		in.stepIDs[in.Plan.Steps[i].ID] = true
	}
	r := &Report{At: in.Now.UTC(), Digest: in.Plan.Digest, Compared: []string{}, Differences: []Difference{},
		Findings: []planner.Finding{}}
	steps, findings := stepsByAddr(in.Plan), findingsByAddr(in.Plan)
	for i := range in.Plan.Changes {
		c := &in.Plan.Changes[i]
		res := lookup(in.Config, c.Addr)
		if res == nil || res.Elsewhere {
			continue
		}
		r.Compared = append(r.Compared, c.Addr)
		found := differences(c, steps[c.Addr])
		for i := range found {
			in.explain(&found[i], res)
			ignore(&found[i], res, in.Now)
		}
		for _, d := range in.uncompared(found, findings[c.Addr]) {
			ignore(&d, res, in.Now)
			found = append(found, d)
		}
		r.Differences = append(r.Differences, found...)
		r.Findings = append(append(r.Findings, findings[c.Addr]...), expired(res, in.Now)...)
	}
	slices.SortStableFunc(r.Differences, func(a, b Difference) int {
		return cmp.Or(strings.Compare(a.Addr, b.Addr), strings.Compare(a.Path, b.Path))
	})
	return r
}

func lookup(cfg *schema.Config, addr string) *schema.Resource {
	a, err := schema.ParseAddr(addr)
	if err != nil {
		return nil
	}
	return cfg.Lookup(a)
}

func stepsByAddr(p *planner.Plan) map[string]int {
	out := map[string]int{}
	for i := range p.Steps {
		out[p.Steps[i].Addr]++
	}
	return out
}

func findingsByAddr(p *planner.Plan) map[string][]planner.Finding {
	out := map[string][]planner.Finding{}
	for _, f := range p.Findings {
		out[f.Addr] = append(out[f.Addr], f)
	}
	return out
}

// uncompared returns a difference for each finding that makes it uncertain whether a declaration is as applied:
// findings that something could not be compared, and, if nothing differs, those that refuse the plan. It returns none
// if another difference needs attention anyway. It skips findings about a step of the plan, such as asking a person:
// that step itself is the difference.
func (in *finder) uncompared(found []Difference, findings []planner.Finding) []Difference {
	if slices.ContainsFunc(found, func(d Difference) bool { return d.Cause != Pending }) {
		return nil
	}
	var out []Difference
	for i := range findings {
		f := &findings[i]
		asked := f.Op != "" && in.stepIDs[planner.StepID(f.Addr, f.Op)]
		counts := in.Uncompared != nil && in.Uncompared(f.Rule) && !asked
		if counts || f.Severity == planner.Refuse && len(found) == 0 {
			d := Difference{Addr: f.Addr, What: Uncompared}
			d.because(Unknown, "%s [%s]", f.Summary, f.Rule)
			out = append(out, d)
		}
	}
	return out
}

// differences returns the differences of one declaration. If its counterpart is missing, that is the only one.
func differences(c *planner.ResourceChange, steps int) []Difference {
	missing := len(c.Diff) > 0 && c.Action == planner.Create && !slices.ContainsFunc(c.Diff,
		func(d planner.Difference) bool { return d.Actual != "null" })
	switch {
	case missing:
		return []Difference{{Addr: c.Addr, What: Missing, Steps: steps}}
	case len(c.Diff) == 0 && steps > 0:
		return []Difference{{Addr: c.Addr, What: Steps, Steps: steps}}
	}
	var out []Difference
	for _, d := range c.Diff {
		out = append(out, Difference{Addr: c.Addr, What: Argument, Path: d.Path, Declared: d.Declared, Actual: d.Actual})
	}
	return out
}

// ignore marks a difference as ignored if an ignore_drift block covers it and has not expired.
func ignore(d *Difference, res *schema.Resource, now time.Time) {
	if d.Cause != Outside && d.Cause != Unknown {
		return
	}
	for i := range res.IgnoredDrift {
		ig := &res.IgnoredDrift[i]
		if now.Before(ig.Until) && (d.What == Argument || ig.Argument == "") && ig.Covers(d.Path) {
			d.Cause, d.Reason, d.Until = Ignored, ig.Reason, ig.Day()
			return
		}
	}
}
