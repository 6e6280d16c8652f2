// Package drift tells which differences between declarations and servers come from outside: from somebody or
// something that is neither these files nor syncctl. It compares what a plan has found with what the last finished
// runs have left. It reads no server and writes nothing: it has neither an executor nor a file system.
package drift

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// Cause is where a difference comes from.
type Cause string

// Outside is what counts as drift. Pending differs because it has not been applied. Where it cannot be told which of
// the two it is, it is Unknown: never taken for either. Ignored is what an ignore_drift block covers.
const (
	Outside Cause = "outside"
	Pending Cause = "pending"
	Unknown Cause = "unknown"
	Ignored Cause = "ignored"
)

// What is different of a declaration.
const (
	Argument   = "argument"   // Path is declared in one way, and is another on the server
	Missing    = "missing"    // there is no counterpart
	Steps      = "steps"      // nothing that is compared differs, but a plan has steps
	Uncompared = "uncompared" // something could not be compared, or a plan of it is refused: Why has the finding
)

// Difference is one between a declaration and its counterpart.
type Difference struct {
	Addr     string `json:"addr"`
	What     string `json:"what"`
	Path     string `json:"path,omitempty"`
	Declared string `json:"declared,omitempty"` // as HCL text
	Actual   string `json:"actual,omitempty"`
	Steps    int    `json:"steps,omitempty"`
	Cause    Cause  `json:"cause"`
	Why      string `json:"why"`           // how the cause is known, or why it is not
	Run      string `json:"run,omitempty"` // the run that it is compared with
	Reason   string `json:"reason,omitempty"`
	Until    string `json:"until,omitempty"` // the last day of what ignores it
}

// Report is all that differs, sorted by address and path, with what the plan says of what was compared.
type Report struct {
	At          time.Time         `json:"at"`
	Digest      string            `json:"digest"` // of the configuration
	Compared    []string          `json:"compared"`
	Differences []Difference      `json:"differences"`
	Findings    []planner.Finding `json:"findings"`

	// Sent is when other sites' servers were as they are compared here, by what these sites have sent; sorted by site.
	Sent []Sent `json:"sent,omitempty"`
}

// Sent is the oldest of what a site has sent of its servers.
type Sent struct {
	Site string `json:"site"`
	planner.Age
}

// Count is how many differences have a cause.
func (r *Report) Count(c Cause) int {
	n := 0
	for i := range r.Differences {
		if r.Differences[i].Cause == c {
			n++
		}
	}
	return n
}

// ByAddr are the differences of each declaration.
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

	// Applied: a person says that all that is declared has been applied, so that whatever differs comes from outside.
	Applied bool

	// Uncompared tells by the rule of a finding whether something could not be compared, see planner.Rule; nil: of none.
	Uncompared func(rule string) bool
}

// finder is an Input with what is made once for all differences.
type finder struct {
	Input
	stepIDs map[string]bool          // of the plan
	basis   *planner.Basis           // of the configuration; nil: not made yet
	since   map[*Run]map[string]bool // what is declared in another way than in a run
	hashed  *bothArguments           // of one declaration
}

// Find sorts what a plan has found by where it comes from.
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

// uncompared are the findings because of which nobody can say that a declaration is as it was applied: those that say
// that something could not be compared and, where nothing differs, those that refuse the plan. Where it is to be asked
// about already, they add nothing. What a step finds out, such as by asking a person, differs by that step.
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

// differences are those of one declaration. What is missing as a whole is one.
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

// ignore marks what an ignore_drift block covers, as long as it holds.
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
