package executor

import (
	"strings"
	"time"

	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
)

// history holds what a journal says about each step. Entries are added one by one.
type history struct {
	records map[string]*record // by the key of the entries
	opened  int                // the sequence number of the last EventOpened
	entries int                // how many were added

	finished, abandoned bool            // the run, as its own entries say
	revised             []journal.Entry // those that gave it a new plan

	// These are used for a run over sites.
	site     string          // the site from whose view the entries are read
	approved map[string]bool // the sites that have approved the plan
	plan     *planner.Plan   // nil if the run is not over sites
	planHash string          // "" until it is computed
	guards   map[string]*planner.Step
	guarding map[string][]*planner.Step // by check: the steps that it guards
	ends     map[guardedAt]bool         // set if the check guards an irreversible step of the site
	last     time.Time                  // the time of this site's last entry
	back     time.Duration              // by how much its clock was set back between its entries, in total

	unreceived map[string][]verification // by other site, in the order of its journal: what this site has not received
}

// guardedAt is a check together with a site whose steps it guards.
type guardedAt struct{ guard, site string }

// record holds what a journal says about one step.
type record struct {
	last     journal.Entry     // zero if there is none
	outputs  map[string]string // merged, later entries win; copied before each change, since readers share it
	verified bool              // it was once found to be done
	begun    bool              // it may have been carried out
	earlier  bool              // begun, as it was before the last attempt
	fresh    verified          // when it was last verified
}

func historyOf(p *planner.Plan, entries []journal.Entry, site string) *history {
	h := &history{records: map[string]*record{}, site: site}
	h.overSites(p)
	for _, e := range entries {
		h.add(e)
	}
	return h
}

// of returns the record of a step, or an empty one if the journal has no entry of it.
func (h *history) of(id string) record {
	if r := h.records[id]; r != nil {
		return *r
	}
	return record{}
}

// add adds the next entry.
func (h *history) add(e journal.Entry) {
	h.entries++
	if h.plan != nil {
		h.written(e)
		if h.addOfSites(e) {
			return
		}
	}
	r := h.records[e.Key]
	if r == nil {
		r = &record{}
		h.records[e.Key] = r
	}
	r.last = e
	r.last.Prev, r.last.Hash = "", "" // a long run has many
	if e.Key == RunKey {
		h.addOfRun(e)
	}
	switch f, failed := failureOf(e); {
	case e.Event == EventOpened:
		h.opened = e.Seq
	case e.Event == EventDone:
		r.verified = true
		h.verify(e)
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

// addOfRun adds an entry about the run itself.
func (h *history) addOfRun(e journal.Entry) {
	switch e.Event {
	case EventFinished:
		h.finished = true
	case EventAbandoned:
		h.abandoned = true
	case EventRevised:
		h.revised = append(h.revised, e)
	}
}

// state returns the state of a step, apart from whether its needs are done and from Exclusive. newest is the last
// entry of all steps that it needs. past is true if all steps that need it are irreversible and done, directly or
// through others that are past.
func (h *history) state(s *planner.Step, newest *latest, past bool, now time.Time) StepState {
	r := h.of(s.ID)
	st := stateOf(s, r.last, h.opened, now)
	st.Outputs, st.WasDone, st.Before, st.Begun = r.outputs, st.Phase == PhaseDone, r.verified, r.begun
	carriedOut := st.Phase == PhaseDone || st.Phase == PhaseReady && st.How == HowVerify
	if carriedOut && st.Entry.Seq > 0 && !past && newest.after(st.Entry) {
		st.Phase, st.How = PhaseReady, howAfter(s, journal.Entry{}) // a step that it needs was done again since
	}
	if h.plan != nil {
		return h.stateOverSites(s, st, now)
	}
	return st
}

// final reports whether a step is irreversible and done.
func (h *history) final(s *planner.Step) bool { return s.Irreversible() && h.closed(s) }

// closed reports whether a step's own entries say that it is done.
func (h *history) closed(s *planner.Step) bool {
	event := h.of(s.ID).last.Event
	return event == EventDone || event == EventResolved
}
