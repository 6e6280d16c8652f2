package executor

import (
	"sort"
	"time"

	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
)

// verified says when a check was last verified. The time is by the clock of the check's site. Once this site has
// received it, it also counts what this site's own journal says: a clock here that was set back makes nothing fresh.
type verified struct {
	at       time.Time
	own      int  // the number of the entry in the journal of the check's site
	received bool // this site has received the entry
	after    int  // how many entries this site had written when it received it
	ahead    bool // it was dated too far after its receipt, so its age is unknown
}

// moment is one of this site's own entries.
type moment struct {
	own int // counted from 1
	at  time.Time
}

// written notes the time of an entry of this site. In late it keeps only entries that no later one has caught up with:
// usually just the last one.
func (h *history) written(e journal.Entry) {
	if h.site == "" || e.Site != h.site {
		return
	}
	h.own++
	for len(h.late) > 0 && !h.late[len(h.late)-1].at.After(e.Time) {
		h.late = h.late[:len(h.late)-1]
	}
	h.late = append(h.late, moment{h.own, e.Time})
}

// receive notes that this site has received other sites' verifications. They are never newer than their receipt.
func (h *history) receive(e journal.Entry) {
	got, ok := receivedOf(e)
	if !ok || e.Site != h.site || got.Site == h.site {
		return
	}
	for id, g := range h.guards {
		r := h.records[id]
		if g.Site != got.Site || r == nil || r.fresh.at.IsZero() || r.fresh.received || r.fresh.own > got.Entries {
			continue
		}
		v := &r.fresh
		v.received, v.after = true, h.own
		if site := h.plan.SiteOf(g.Site); v.at.After(e.Time) {
			if v.ahead = site == nil || !planner.Fresh(v.at, e.Time, time.Duration(site.MaxAge)); !v.ahead {
				v.at = e.Time
			}
		}
	}
}

// nowFor returns the time for the age of a check: not before any entry that this site has written since it received
// the verification.
func (h *history) nowFor(v verified, now time.Time) time.Time {
	i := sort.Search(len(h.late), func(i int) bool { return h.late[i].own > v.after })
	if v.received && i < len(h.late) && h.late[i].at.After(now) {
		return h.late[i].at
	}
	return now
}
