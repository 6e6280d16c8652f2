package executor

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
)

// A run over several sites consists of a plan and one journal for each site. A site writes only to its own journal,
// and has copies of the others as far as they were handed over. All journals together give the state of the run.
//
// These are the additional events of such a run. The key of their entries is RunKey, except for EventVerified.
const (
	// EventApproved: the site's people have approved the plan, for the site's own steps. Data: plan (its hash), by.
	EventApproved = "approved"
	// EventReceived: the site has received entries of another site and knows them from here on. Data: site, entries (how
	// many of that site's entries are known), head (the hash of the last of these in a chain without a key), by (who
	// vouches for them).
	EventReceived = "received"
	// EventVerified: a check that was done has been verified again, because another site's step relies on it. The key is
	// the check's ID.
	EventVerified = "verified"
)

// DataSite is the name in the data of an entry with RunKey for the site whose journal contains it.
const DataSite = "at"

// Names in the data of these events.
const (
	dataSite    = "site"
	dataEntries = "entries"
	dataHead    = "head"
	dataBy      = "by"
	dataOwn     = DataSite // the site whose journal contains the entry, if its key is RunKey
	filePrefix  = "file."  // prefix for a file that a step has written: its SHA-256 and its length in bytes
)

// ReceivedData is the data of EventReceived.
type ReceivedData struct {
	Site    string
	Entries int
	Head    string
	By      string
}

func (r ReceivedData) data() map[string]string {
	return map[string]string{dataSite: r.Site, dataEntries: strconv.Itoa(r.Entries), dataHead: r.Head, dataBy: r.By}
}

// receivedOf returns the data of EventReceived; ok is false if the entry is another one.
func receivedOf(e journal.Entry) (r ReceivedData, ok bool) {
	if e.Event != EventReceived || e.Key != RunKey {
		return ReceivedData{}, false
	}
	n, err := strconv.Atoi(e.Data[dataEntries])
	return ReceivedData{e.Data[dataSite], n, e.Data[dataHead], e.Data[dataBy]}, err == nil && n >= 0
}

// Union merges the journals of a run's sites into one list, from the view of the site own. Every entry follows the
// entries that were known when it was made. Seq becomes the position in the list. EventOpened of other sites is left
// out, and so is what own has not recorded as received. The same journals always give the same list. An error means
// that some entries wait for each other; those are not in the list.
func Union(own string, chains map[string][]journal.Entry) ([]journal.Entry, error) {
	var out []journal.Entry
	chains = recorded(own, chains)
	sites := slices.Sorted(maps.Keys(chains))
	at, knows := map[string]int{}, map[string]map[string]int{}
	for moved := true; moved; {
		moved = false
		for _, site := range sites {
			for at[site] < len(chains[site]) {
				e := chains[site][at[site]]
				r, received := receivedOf(e)
				if received && at[r.Site] < min(r.Entries, len(chains[r.Site])) {
					break
				}
				if received && r.Entries > knows[site][r.Site] {
					next := maps.Clone(knows[site])
					if next == nil {
						next = map[string]int{}
					}
					next[r.Site] = r.Entries
					knows[site] = next
				}
				at[site]++
				moved = true
				if e.Event == EventOpened && site != own {
					continue
				}
				e.Site, e.Own, e.Knows, e.Seq = site, e.Seq, knows[site], len(out)+1
				out = append(out, e)
			}
		}
	}
	var stuck []string
	for _, site := range sites {
		if n := at[site]; n < len(chains[site]) {
			r, _ := receivedOf(chains[site][n])
			stuck = append(stuck, fmt.Sprintf("entry %d of site %q claims to know %d entries of site %q", n+1, site, r.Entries,
				r.Site))
		}
	}
	if len(stuck) > 0 {
		return out, fmt.Errorf("the sites' journals contradict each other, and cannot be put into an order: %s",
			strings.Join(stuck, ", and "))
	}
	return out, nil
}

// recorded returns journals as far as a site has recorded that it received them. If receiving was interrupted before
// that, the rest counts as not received yet. It returns all of them if own is "".
func recorded(own string, chains map[string][]journal.Entry) map[string][]journal.Entry {
	if own == "" {
		return chains
	}
	known := map[string]int{own: len(chains[own])}
	for _, e := range chains[own] {
		if r, ok := receivedOf(e); ok && r.Site != own {
			known[r.Site] = max(known[r.Site], r.Entries)
		}
	}
	out := map[string][]journal.Entry{}
	for site, chain := range chains {
		out[site] = chain[:min(len(chain), known[site])]
	}
	return out
}

// latest is the last of several entries, by cause. In one journal that is the entry with the greatest number; for
// several journals it is the last entry of each.
type latest struct {
	seq int
	of  map[string]int
}

func (l *latest) take(e journal.Entry) {
	switch {
	case e.Site == "":
		l.seq = max(l.seq, e.Seq)
	case e.Own > l.of[e.Site]:
		if l.of == nil {
			l.of = map[string]int{}
		}
		l.of[e.Site] = e.Own
	}
}

// after reports whether one of the entries came after e, or was unknown when e was made.
func (l *latest) after(e journal.Entry) bool {
	for site, n := range l.of {
		if site == e.Site && n > e.Own || site != e.Site && n > e.Knows[site] {
			return true
		}
	}
	return l.seq > e.Seq
}

// overSites prepares the history for a run over sites.
func (h *history) overSites(p *planner.Plan) {
	if p == nil || len(p.Sites) == 0 {
		return
	}
	h.plan, h.approved, h.guarding = p, map[string]bool{}, map[string][]*planner.Step{}
	h.ends = map[guardedAt]bool{}
	guards := map[string]bool{}
	for i := range p.Steps {
		s := &p.Steps[i]
		for _, id := range s.Guards {
			h.guarding[id], guards[id] = append(h.guarding[id], s), true
			if s.Irreversible() {
				h.ends[guardedAt{id, s.Site}] = true
			}
		}
	}
	h.guards, h.unreceived = map[string]*planner.Step{}, map[string][]verification{}
	for i := range p.Steps {
		if guards[p.Steps[i].ID] {
			h.guards[p.Steps[i].ID] = &p.Steps[i]
		}
	}
}

// addOfSites adds an entry of a kind that only runs over sites have. It returns false for other entries.
func (h *history) addOfSites(e journal.Entry) (ok bool) {
	switch e.Event {
	case EventApproved:
		if h.planHash == "" {
			h.planHash, _ = h.plan.Hash() // without the hash nothing is approved
		}
		if approves(e, h.planHash) {
			h.approved[e.Site] = true
		}
	case EventReceived:
		h.receive(e)
	case EventVerified:
		if h.records[e.Key] != nil {
			h.verify(e)
		}
	default:
		return false
	}
	return true
}

// approves reports whether an entry approves the plan with the given hash.
func approves(e journal.Entry, plan string) bool {
	return e.Key == RunKey && e.Event == EventApproved && plan != "" && e.Data[dataPlan] == plan
}

// isOwn reports whether this site carries the step out.
func (h *history) isOwn(s *planner.Step) bool {
	return h.plan == nil || s.Site == "" || s.Site == h.site
}

// stateOverSites adjusts the state of a step by what depends on other sites.
func (h *history) stateOverSites(s *planner.Step, st StepState, now time.Time) StepState {
	if !h.isOwn(s) {
		return h.stateAway(s, st)
	}
	switch {
	case st.Phase == PhaseDone && h.mustVerifyAgain(s, now):
		st.Phase, st.How, st.Renew = PhaseReady, HowVerify, true
	case st.Phase == PhaseReady && s.Irreversible():
		for _, site := range s.Approvals {
			if !h.approved[site] {
				st.WaitFor = append(st.WaitFor, site)
			}
		}
		if len(st.WaitFor) > 0 {
			st.Phase, st.Why = PhaseAway, "it cannot be undone, and not yet approved by "+strings.Join(st.WaitFor, " and ")
			break
		}
		return h.guarded(s, st, now)
	case st.Phase == PhaseReady:
		return h.guarded(s, st, now)
	}
	return st
}

// guarded makes a step that could start wait for other sites whose guards it relies on and which are not fresh.
//
// It does not wait if the step was already carried out and is only verified, or was done before: those sites no longer
// verify for it. If such a step must be carried out again after all, the attempt checks the guards (until) and is
// refused if they are stale. The step then no longer counts as done, and the other sites verify again.
func (h *history) guarded(s *planner.Step, st StepState, now time.Time) StepState {
	if st.WasDone || st.How == HowVerify && s.Mark != planner.MarkCheck {
		return st
	}
	for _, id := range s.Guards {
		g := h.guards[id]
		if g == nil || h.isOwn(g) || h.isFresh(s, g, now) || slices.Contains(st.WaitFor, g.Site) {
			continue
		}
		st.WaitFor = append(st.WaitFor, g.Site)
		why := ""
		if s.Irreversible() {
			why = "it cannot be undone, and "
		}
		st.Phase, st.Why = PhaseAway, fmt.Sprintf("%sits guard %s was verified %s: %s has to verify it again, with "+
			"`syncctl apply`", why, id, h.when(g), g.Site)
	}
	return st
}

// GuardedAway returns the first step of another site that is not done and that a check guards, or nil if there is
// none. That site cannot verify the check itself, so no person's word can replace the verification.
func (r *Run) GuardedAway(check string, d Decision) *planner.Step {
	own := r.Plan.Step(check)
	for i := range r.Plan.Steps {
		s := &r.Plan.Steps[i]
		if slices.Contains(s.Guards, check) && s.Site != own.Site && d.Steps[s.ID].Phase != PhaseDone {
			return s
		}
	}
	return nil
}

// turnsAt returns the next time after now at which a check's freshness changes by time alone; zero means never.
func (h *history) turnsAt(g *planner.Step, now time.Time) time.Time {
	site, v := h.plan.SiteOf(g.Site), h.of(g.ID).fresh
	if site == nil || v.at.IsZero() {
		return time.Time{}
	}
	at := v.at.Add(-h.backSince(v, now))
	var next time.Time
	whole := time.Duration(site.MaxAge)
	for _, most := range []time.Duration{whole, early(whole), whole / 2} {
		for _, t := range []time.Time{at.Add(-most), at.Add(most + 1)} { // a clock may be ahead
			if t.After(now) {
				next = first(next, t)
			}
		}
	}
	return next
}

// until returns the time until which a step may start, as far as other sites' guards go; zero means no limit. It is
// before now if one of the guards is not fresh, also if its time is unknown or ahead of the clock.
func (h *history) until(s *planner.Step, now time.Time) (end time.Time) {
	if h.plan == nil {
		return end
	}
	for _, id := range s.Guards {
		g := h.guards[id]
		if g == nil || h.isOwn(g) {
			continue
		}
		if !h.isFresh(s, g, now) {
			return now.Add(-1)
		}
		end = first(end, h.staleAfter(s, g, now))
	}
	return end
}

// Reliance says how long other sites' unfinished steps may rely on a site's checks.
type Reliance struct {
	Verified time.Time // when the site last verified them; of several checks, the oldest
	Until    time.Time // until when all these steps may start
}

// Reliances returns the reliance on each site's checks in a run over sites, by site. It has no entry for a site if no
// unfinished step of another site relies on its checks, or if one of these checks is not done, or is of unknown age to
// the site of such a step, which may not have received it. It does not depend on the site that asks. The times are by
// the clocks of the steps' sites, as of their last entries.
func Reliances(p *planner.Plan, entries []journal.Entry) map[string]Reliance {
	h := historyOf(p, entries, "") // from no site's view: a check that must only be verified again is done
	out, open := map[string]Reliance{}, map[string]bool{}
	if h.plan == nil {
		return out
	}
	d, of := h.next(p, time.Time{}), map[string]*history{}
	for _, site := range p.Sites {
		of[site.Name] = historyOf(p, entries, site.Name)
	}
	for i := range p.Steps {
		s := &p.Steps[i]
		if h.closed(s) {
			continue
		}
		for _, id := range s.Guards {
			g := h.guards[id]
			at := of[s.Site]
			if g == nil || g.Site == s.Site || at == nil || p.SiteOf(g.Site) == nil {
				continue
			}
			v := at.of(id).fresh
			open[g.Site] = open[g.Site] || !v.received || v.ahead || d.Steps[id].Phase != PhaseDone
			r := out[g.Site]
			out[g.Site] = Reliance{first(r.Verified, v.at), first(r.Until, at.staleAfter(s, g, at.last))}
		}
	}
	maps.DeleteFunc(out, func(site string, _ Reliance) bool { return open[site] })
	return out
}

// stateAway returns the state of another site's step, as far as it is known here.
func (h *history) stateAway(s *planner.Step, st StepState) StepState {
	if st.Phase == PhaseDone {
		return st
	}
	why := ""
	switch st.Entry.Event {
	case EventStarted, EventExecuted:
		why = ", which has begun it"
	case EventFailed:
		why = ", where it failed: " + st.Entry.Data[dataError]
	case EventWaiting:
		why = ", where a person has to do it"
	case EventStuck:
		why = ", where a person has to resolve it: " + st.Entry.Data[dataError]
	}
	st.Phase, st.How, st.WaitFor, st.Why = PhaseAway, "", []string{s.Site}, "it is carried out by "+s.Site+why
	return st
}

// isFresh reports whether a step may still rely on what another site has verified: its guard.
func (h *history) isFresh(s, g *planner.Step, now time.Time) bool {
	v := h.of(g.ID).fresh
	return h.plan.SiteOf(g.Site) != nil && v.received && !v.ahead &&
		planner.Fresh(v.at, now.Add(h.backSince(v, now)), h.most(s, g))
}

// staleAfter returns until when a step may rely on the last verification of its guard, by the clock here as it is set
// now. If now has a monotonic reading, so has the result: setting the clock back later does not move it.
func (h *history) staleAfter(s, g *planner.Step, now time.Time) time.Time {
	v := h.of(g.ID).fresh
	return now.Add(h.most(s, g) - now.Sub(v.at) - h.backSince(v, now))
}

// most returns how long a step may rely on another site's guard. A step that comes before an irreversible step with
// the same guard, such as stopping services, gets less time. That leaves time for the irreversible step: otherwise the
// work could stop halfway until the other site sends again.
func (h *history) most(s, g *planner.Step) time.Duration {
	whole := time.Duration(h.plan.SiteOf(g.Site).MaxAge)
	if !s.Irreversible() && h.ends[guardedAt{g.ID, s.Site}] {
		return early(whole)
	}
	return whole
}

// early leaves a quarter of the time. The rest is more than the half after which a check is verified again
// (mustVerifyAgain), so that waiting for that ends.
func early(whole time.Duration) time.Duration { return whole - whole/4 }

// when returns in words when a check was last verified.
func (h *history) when(g *planner.Step) string {
	v := h.of(g.ID).fresh
	switch {
	case v.at.IsZero():
		return "at an unknown time"
	case v.ahead:
		return "at an unknown time (its clock was ahead: " + v.at.UTC().Format(time.RFC3339) + ")"
	case !v.received:
		return "at an unknown time (its receipt is not recorded here: receive the bundle again)"
	}
	return "at " + v.at.UTC().Format(time.RFC3339)
}

// mustVerifyAgain reports whether a completed check must be verified again for an unfinished step of another site:
// after half of this site's max_age.
func (h *history) mustVerifyAgain(s *planner.Step, now time.Time) bool {
	if s.Mark != planner.MarkCheck {
		return false
	}
	for _, rests := range h.guarding[s.ID] {
		if h.isOwn(rests) || h.closed(rests) {
			continue
		}
		site := h.plan.SiteOf(s.Site)
		if site == nil || !planner.Fresh(h.of(s.ID).fresh.at, now, time.Duration(site.MaxAge)/2) {
			return true
		}
	}
	return false
}

// verifyAgain verifies a completed check again, and records when.
func (a *attempt) verifyAgain(ctx context.Context) error {
	a.t.Executed = true
	v, err := a.await(ctx)
	if err != nil {
		return a.fail(ctx, a.s, Failure{Err: err})
	}
	data := map[string]string{}
	if v.Why != "" {
		data[dataNote] = v.Why
	}
	if err := a.write(ctx, a.s, EventVerified, data); err != nil {
		return err
	}
	a.tell(EventAlready, a.s, v.Why)
	return nil
}

// nameFiles adds the hashes of the files that a step has written for other sites to the data of its entry.
func (x *run) nameFiles(ctx context.Context, s *planner.Step, data map[string]string) error {
	if x.Site == "" {
		return nil
	}
	for _, name := range s.Writes {
		info, err := infoOf(ctx, x.Files, name)
		if err != nil {
			return err
		}
		data[filePrefix+name] = fmt.Sprintf("%s %d", info.SHA256, info.Bytes)
	}
	return nil
}

// infoOf reads a file and returns its size and hash.
func infoOf(ctx context.Context, files Files, name string) (FileInfo, error) {
	src, err := files.Open(name)
	if err != nil {
		return FileInfo{}, err
	}
	defer func() { _ = src.Close() }()
	h := sha256.New()
	counted := &counter{w: h, ctx: ctx}
	if _, err := io.Copy(counted, src); err != nil {
		return FileInfo{}, fmt.Errorf("reading the run's file %s: %w", name, err)
	}
	return FileInfo{Name: name, Bytes: counted.n, SHA256: hex.EncodeToString(h.Sum(nil))}, nil
}
