package executor

import (
	"time"

	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
)

// verified says when a check was last verified. The time is by the clock of the check's site. Once this site has
// received it, its age also counts by how much the clock here was set back since: that makes nothing fresh.
type verified struct {
	at       time.Time
	own      int           // the number of the entry in the journal of the check's site
	received bool          // this site has received the entry; until then, the age is unknown to it
	back     time.Duration // by how much the clock here had been set back when it received the entry
	ahead    bool          // it was dated too far after its receipt, so its age is unknown
}

// verification is an entry of another site that says that a check was verified.
type verification struct {
	check string
	own   int
}

// verify notes that a check was verified.
func (h *history) verify(e journal.Entry) {
	h.records[e.Key].fresh = verified{at: e.Time, own: e.Own}
	if g := h.guards[e.Key]; g != nil && g.Site == e.Site && e.Site != h.site {
		h.unreceived[e.Site] = append(h.unreceived[e.Site], verification{e.Key, e.Own})
	}
}

// written notes the time of an entry of this site.
func (h *history) written(e journal.Entry) {
	if h.site == "" || e.Site != h.site {
		return
	}
	at := e.Time.Round(0) // by the clock that people set: only that one can be compared with other sites'
	h.back, h.last = h.setBack(at), at
}

// setBack returns by how much the clock here was set back until now, all in all.
func (h *history) setBack(now time.Time) time.Duration { return h.back + max(0, h.last.Sub(now)) }

// receive notes that this site has received other sites' verifications. They are never newer than their receipt.
func (h *history) receive(e journal.Entry) {
	got, ok := receivedOf(e)
	if !ok || e.Site != h.site || got.Site == h.site {
		return
	}
	all := h.unreceived[got.Site]
	for ; len(all) > 0 && all[0].own <= got.Entries; all = all[1:] {
		v := &h.records[all[0].check].fresh
		if v.own != all[0].own { // it was verified again since
			continue
		}
		v.received, v.back = true, h.back
		if site, at := h.plan.SiteOf(got.Site), e.Time.Round(0); v.at.After(at) {
			if v.ahead = site == nil || !planner.Fresh(v.at, at, time.Duration(site.MaxAge)); !v.ahead {
				v.at = at
			}
		}
	}
	h.unreceived[got.Site] = all
}

// backSince returns by how much the clock here was set back since this site received a verification.
func (h *history) backSince(v verified, now time.Time) time.Duration {
	if !v.received {
		return 0
	}
	return h.setBack(now) - v.back
}
