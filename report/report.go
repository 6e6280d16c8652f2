// Package report prepares a plan, and a run of it if there is one, for pictures and documents: one struct, made once.
// It draws nothing, does no I/O and knows no product. Its texts are those of the plan and the journal: code that shows
// them must make them safe, see package printable.
package report

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
)

// Report holds what a picture or a document needs.
type Report struct {
	Plan  *planner.Plan
	Hash  string
	Tally planner.Tally
	Run   *Run // nil if there is only a plan

	// Since is the difference from an older plan, such as the approved one. It is nil if they were not compared.
	Since *planner.PlanDiff

	Steps        []*Step           // in the order of the plan
	Declarations []*Declaration    // those with steps, by first step; then those with differences or findings
	Refusals     []planner.Finding // they stop the plan from being applied
	Findings     []planner.Finding // the others that belong to no step or declaration
	Notes        []Alike           // notes that say the same about several declarations and belong to no step
	Parties      []Party           // the sites that take part; none without sites
	Topology     *Topology         // servers and their links
	Lanes        []*Lane           // steps by server, sorted by site and address
	Slots        int               // length of the longest chain of steps, see Step.Slot
	Counts       map[State]int     // steps by state; empty without a run
	From, To     time.Time         // time of the first and of the last entry about a step
}

// Run says how a plan was carried out.
type Run struct {
	ID       string
	State    string // in a word, such as "finished"
	Live     bool   // a process is carrying it out
	Decision executor.Decision
	Entries  []journal.Entry
}

// Abandoned reports whether a person abandoned the run: nothing waits any more.
func (r *Run) Abandoned() bool { return (&executor.Run{Entries: r.Entries}).Abandoned() }

// State is the state of a step of a run, for people.
type State string

// The states of a step. A blocked or ready step is not begun, unless the journal has entries of it.
const (
	Open        State = "not begun"
	Away        State = "with another site"    // which carries it out, or must act before it
	Again       State = "to be verified again" // it was done, or a person has reopened it
	Running     State = "running"
	Waiting     State = "waiting"
	Failed      State = "failed"
	Interrupted State = "interrupted"
	Stuck       State = "stuck"
	Done        State = "done"
)

// Step is a step with everything that belongs to it.
type Step struct {
	*planner.Step

	Number   int               // from 1
	Findings []planner.Finding // about it
	Needs    []int             // the numbers of the steps that it needs directly, sorted
	Site     string            // the site that carries it out, or that of its servers; "" if none or several

	// Slot is the length of the longest chain of steps that must be done before it.
	Slot int

	State       State         // "" without a run
	MayBeDone   bool          // it is not known to be done, but may have been carried out
	Why         string        // why it is not done
	Began, Took time.Duration // start after the run's first step, if Timed; duration, if Measured
	Timed       bool
	Measured    bool // the end of each of its starts is known
}

// Declaration is what the plan says of one declaration.
type Declaration struct {
	planner.ResourceChange

	Steps    []*Step
	Findings []planner.Finding // those that belong to none of its steps, without Report.Notes
}

// Lane is a place where steps work: a server or machine, or this computer.
type Lane struct {
	Addr  string // of the declaration; "" for steps that contact no server
	Site  string
	Steps []*Step
}

// New returns the report of a plan and, unless run is nil, of a run of it.
func New(plan *planner.Plan, run *Run) (*Report, error) {
	hash, err := plan.Hash()
	if err != nil {
		return nil, err
	}
	r := &Report{Plan: plan, Hash: hash, Tally: plan.Tally(), Run: run, Refusals: plan.Refusals(),
		Counts: map[State]int{}}
	r.steps()
	r.findings()
	r.timing()
	r.Parties = Parties(plan, run)
	r.Topology = topology(r)
	r.lanes()
	return r, nil
}

func (r *Report) steps() {
	sites := map[string]string{}
	for i := range r.Plan.Declared {
		sites[r.Plan.Declared[i].Addr] = r.Plan.Declared[i].Site
	}
	byID := make(map[string]*Step, len(r.Plan.Steps))
	for i := range r.Plan.Steps {
		s := &Step{Step: &r.Plan.Steps[i], Number: i + 1}
		s.Site = cmp.Or(s.Step.Site, siteOf(s.Servers, sites))
		for _, id := range s.Step.Needs {
			if n := byID[id]; n != nil {
				s.Needs = append(s.Needs, n.Number)
				s.Slot = max(s.Slot, n.Slot+1)
			}
		}
		slices.Sort(s.Needs)
		r.Slots = max(r.Slots, s.Slot+1)
		if r.Run != nil {
			st := r.Run.Decision.Steps[s.ID]
			s.State, s.Why, s.MayBeDone = stateOf(st, r.Run.Live), st.Why, MayBeDone(st)
			r.Counts[s.State]++
		}
		byID[s.ID] = s
		r.Steps = append(r.Steps, s)
	}
}

// siteOf returns the site that all servers have in common, or "".
func siteOf(servers []string, sites map[string]string) string {
	site := ""
	for i, addr := range servers {
		if i > 0 && sites[addr] != site {
			return ""
		}
		site = sites[addr]
	}
	return site
}

func stateOf(st executor.StepState, live bool) State {
	switch st.Phase {
	case executor.PhaseDone:
		return Done
	case executor.PhaseWaiting:
		return Waiting
	case executor.PhaseStuck:
		return Stuck
	case executor.PhaseAway:
		if st.Entry.Event == executor.EventStuck {
			return Stuck
		}
		return Away
	case executor.PhaseFailed:
		if st.Failure().Stopped {
			return Interrupted
		}
		return Failed
	case executor.PhaseRunning:
		if live {
			return Running
		}
		return Interrupted
	}
	// A step that an earlier process or another site has left is ready to start again, or blocked. Its last entry says
	// how it ended.
	switch st.Entry.Event {
	case executor.EventStuck:
		return Stuck
	case executor.EventFailed:
		if st.Failure().Stopped {
			return Interrupted
		}
		return Failed
	case executor.EventWaiting:
		return Waiting
	case executor.EventDone, executor.EventResolved, executor.EventReopened:
		return Again
	case "":
		if !st.Begun && !st.WasDone {
			return Open
		}
	}
	return Interrupted
}

// findings assigns each finding to a step, a declaration or the report.
func (r *Report) findings() {
	changes := map[string]planner.ResourceChange{}
	for _, c := range r.Plan.Changes {
		changes[c.Addr] = c
	}
	byAddr := map[string]*Declaration{}
	of := func(addr string) *Declaration {
		if byAddr[addr] == nil {
			c := changes[addr]
			c.Addr = addr
			byAddr[addr] = &Declaration{ResourceChange: c}
			r.Declarations = append(r.Declarations, byAddr[addr])
		}
		return byAddr[addr]
	}
	steps := map[string]*Step{}
	for _, s := range r.Steps {
		d := of(s.Addr)
		d.Steps = append(d.Steps, s)
		steps[s.ID] = s
	}
	for _, c := range r.Plan.Changes {
		if len(c.Diff)+len(c.Replaced) > 0 {
			of(c.Addr)
		}
	}
	var apart []planner.Finding
	for _, f := range r.Plan.Findings {
		switch s := steps[planner.StepID(f.Addr, f.Op)]; {
		case f.Severity == planner.Refuse: // they are listed separately, in Refusals
		case s != nil:
			s.Findings = append(s.Findings, f)
		default:
			apart = append(apart, f)
		}
	}
	for _, f := range SumUp(apart) {
		switch {
		case len(f.Addrs) > 1:
			r.Notes = append(r.Notes, f)
		case f.Addr == "":
			r.Findings = append(r.Findings, f.Finding)
		default:
			of(f.Addr).Findings = append(of(f.Addr).Findings, f.Finding)
		}
	}
}

// timing determines from the journal when each step began, and for how long it was worked on.
func (r *Report) timing() {
	if r.Run == nil {
		return
	}
	spans := map[string]*span{}
	for _, e := range r.Run.Entries {
		if e.Key == executor.RunKey {
			if e.Event == executor.EventOpened { // it is unknown when the previous process ended its steps
				for _, t := range spans {
					t.cut(e.Site)
				}
			}
			continue
		}
		if spans[e.Key] == nil {
			spans[e.Key] = &span{began: e.Time}
		}
		spans[e.Key].take(e)
		if r.From.IsZero() || e.Time.Before(r.From) {
			r.From = e.Time
		}
		if e.Time.After(r.To) {
			r.To = e.Time
		}
	}
	for _, s := range r.Steps {
		if t := spans[s.ID]; t != nil {
			s.Began, s.Timed = max(0, t.began.Sub(r.From)), true
			waits := s.State == Waiting || s.State == Away // it is unknown how long it will take
			if t.pairs > 0 && !t.unknown && t.from.IsZero() && !waits {
				s.Took, s.Measured = t.took, true
			}
		}
	}
}

// span measures how long a step was worked on, from each start to its end.
type span struct {
	began, from time.Time // the first entry; the start that has not ended yet
	site        string    // the site of that start
	verifying   time.Time // when it was executed, and its verification began
	took        time.Duration
	pairs       int
	unknown     bool // some start has no end
}

func (t *span) take(e journal.Entry) {
	switch e.Event {
	case executor.EventStarted:
		t.unknown = t.unknown || !t.from.IsZero()
		t.from, t.verifying, t.site = e.Time, time.Time{}, e.Site
	case executor.EventExecuted:
		t.end(e.Time)
		t.verifying, t.site = e.Time, e.Site
	case executor.EventDone, executor.EventFailed, executor.EventWaiting, executor.EventStuck:
		if t.from.IsZero() && !t.verifying.IsZero() {
			t.from = t.verifying
		}
		t.end(e.Time)
		t.verifying = time.Time{}
	}
}

func (t *span) end(at time.Time) {
	if t.from.IsZero() {
		return
	}
	d := at.Sub(t.from)
	t.unknown = t.unknown || d < 0
	t.took, t.from = t.took+d, time.Time{}
	t.pairs++
}

// cut ends what an earlier process of a site left unfinished.
func (t *span) cut(site string) {
	if t.site == site {
		t.unknown = t.unknown || !t.from.IsZero()
		t.from, t.verifying = time.Time{}, time.Time{}
	}
}

// lanes groups the steps by server. A step that contacts several servers is in the lane of each.
func (r *Report) lanes() {
	byAddr := map[string]*Lane{}
	for _, s := range r.Steps {
		where := s.Servers
		if len(where) == 0 {
			where = []string{""}
		}
		for _, addr := range where {
			if byAddr[addr] == nil {
				byAddr[addr] = &Lane{Addr: addr, Site: r.Topology.site(addr)}
				r.Lanes = append(r.Lanes, byAddr[addr])
			}
			byAddr[addr].Steps = append(byAddr[addr].Steps, s)
		}
	}
	slices.SortStableFunc(r.Lanes, func(a, b *Lane) int {
		switch {
		case (a.Addr == "") != (b.Addr == ""):
			if a.Addr == "" {
				return 1
			}
			return -1
		case a.Site != b.Site:
			return strings.Compare(a.Site, b.Site)
		}
		return strings.Compare(a.Addr, b.Addr)
	})
}

// Where returns the steps for which holds is true.
func (r *Report) Where(holds func(*Step) bool) []*Step {
	var out []*Step
	for _, s := range r.Steps {
		if holds(s) {
			out = append(out, s)
		}
	}
	return out
}

// In returns the steps in a state.
func (r *Report) In(state State) []*Step {
	return r.Where(func(s *Step) bool { return s.State == state })
}
