package executor

import (
	"strings"
	"time"

	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
)

// history is what a journal says of each step, entry by entry.
type history struct {
	records map[string]*record // by the entries' key
	opened  int                // the sequence number of the last EventOpened

	// These are of a run over sites.
	site     string          // the site as which the entries are looked at
	approved map[string]bool // the sites that have approved the plan
	plan     *planner.Plan   // nil: the run is not over sites
	planHash string          // "": not computed yet
	guards   map[string]*planner.Step
	guarding map[string][]*planner.Step // by check, the steps that it guards
	ends     map[guardedAt]bool         // where a check guards a step that cannot be undone
}

// guardedAt is a check, and a site whose steps it guards.
type guardedAt struct{ guard, site string }

// record is what a journal says of one step.
type record struct {
	last     journal.Entry     // zero when there is none
	outputs  map[string]string // of all entries, later ones win; never changed once it was given away
	verified bool              // it was found to be done at some time
	begun    bool              // it may have been carried out
	earlier  bool              // so it was before the last try
	fresh    time.Time         // when it was last verified
}

func historyOf(p *planner.Plan, entries []journal.Entry, site string) *history {
	h := &history{records: map[string]*record{}, site: site}
	h.overSites(p)
	for _, e := range entries {
		h.add(e)
	}
	return h
}

// of is the record of a step; an empty one where the journal says nothing of it.
func (h *history) of(id string) record {
	if r := h.records[id]; r != nil {
		return *r
	}
	return record{}
}

// add takes the next entry in.
func (h *history) add(e journal.Entry) {
	if h.plan != nil && h.addOfSites(e) {
		return
	}
	r := h.records[e.Key]
	if r == nil {
		r = &record{}
		h.records[e.Key] = r
	}
	r.last = e
	switch f, failed := failureOf(e); {
	case e.Event == EventOpened:
		h.opened = e.Seq
	case e.Event == EventDone:
		r.verified, r.fresh = true, e.Time
	case e.Event == EventStarted:
		r.earlier, r.begun = r.begun, true
	case failed && f.Unsent:
		r.begun = r.earlier
	}
	cloned := false
	for k, v := range e.Data {
		name, ok := strings.CutPrefix(k, outputPrefix)
		if !ok {
			continue
		}
		if !cloned {
			r.outputs, cloned = merge(r.outputs, nil), true
		}
		r.outputs[name] = v
	}
}

// state is where a step stands, but for what it needs and for what is exclusive. newest is the last entry of all that
// it needs; past: only irreversible steps rest on it that are done.
func (h *history) state(s *planner.Step, newest *latest, past bool, now time.Time) StepState {
	r := h.of(s.ID)
	st := stateOf(s, r.last, h.opened, now)
	st.Outputs, st.WasDone, st.Before, st.Begun = r.outputs, st.Phase == PhaseDone, r.verified, r.begun
	carriedOut := st.Phase == PhaseDone || st.Phase == PhaseReady && st.How == HowVerify
	if carriedOut && st.Entry.Seq > 0 && !past && newest.after(st.Entry) {
		st.Phase, st.How = PhaseReady, howAfter(s, journal.Entry{}) // what it needs was done again since
	}
	if h.plan != nil {
		return h.stateOverSites(s, st, now)
	}
	return st
}

// final tells whether a step is irreversible and done.
func (h *history) final(s *planner.Step) bool { return s.Irreversible() && h.closed(s) }

// closed tells whether a step's own entries say that it is done.
func (h *history) closed(s *planner.Step) bool {
	event := h.of(s.ID).last.Event
	return event == EventDone || event == EventResolved
}
