package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// Party is a site that takes part in a plan: its steps, and until when others may rely on what it has observed and
// verified.
type Party struct {
	planner.PlanSite

	Plans   bool      // it has made the plan, with observations of its own servers
	Until   time.Time // until when a plan may be made from its observations; zero: unknown
	Numbers []int     // of its steps
	Done    int       // how many of these are done; set for a run

	// Verified is when the site verified the guards of other sites' unfinished steps, the oldest if there are several.
	// Holds is until when those steps may rely on it. Both are zero if there is none.
	Verified, Holds time.Time

	run bool
}

// Parties returns the sites that take part in a plan, or in a run of it. It returns none without sites.
func Parties(p *planner.Plan, run *Run) []Party {
	if len(p.Sites) == 0 {
		return nil
	}
	steps := make(map[string]*planner.Step, len(p.Steps))
	for i := range p.Steps {
		steps[p.Steps[i].ID] = &p.Steps[i]
	}
	var out []Party
	for _, site := range p.Sites {
		t := Party{PlanSite: site, Plans: len(p.Turns) > 0 && p.Turns[0].Site == site.Name, run: run != nil}
		if site.Observed != nil {
			t.Until = site.Observed.At.Add(time.Duration(site.MaxAge))
		}
		for i := range p.Steps {
			if p.Steps[i].Site != site.Name {
				continue
			}
			t.Numbers = append(t.Numbers, i+1)
			if run != nil && run.Decision.Steps[p.Steps[i].ID].Phase == executor.PhaseDone {
				t.Done++
			}
		}
		if run != nil {
			t.Verified = verified(steps, run, site.Name)
		}
		if !t.Verified.IsZero() {
			t.Holds = t.Verified.Add(time.Duration(site.MaxAge))
		}
		out = append(out, t)
	}
	return out
}

// verified returns when a site verified the guards of other sites' unfinished steps: the earliest of its last
// verifications. It returns zero if there is no such guard, or one is not verified yet.
func verified(steps map[string]*planner.Step, run *Run, site string) time.Time {
	rests := map[string]bool{}
	for _, s := range steps {
		if s.Site == site || run.Decision.Steps[s.ID].Phase == executor.PhaseDone {
			continue
		}
		for _, id := range s.Guards {
			if g := steps[id]; g != nil && g.Site == site {
				rests[id] = true
			}
		}
	}
	last := map[string]time.Time{}
	for _, e := range run.Entries {
		if rests[e.Key] && (e.Event == executor.EventDone || e.Event == executor.EventVerified) {
			last[e.Key] = e.Time
		}
	}
	var oldest time.Time
	for id := range rests {
		at, known := last[id]
		if !known {
			return time.Time{}
		}
		if oldest.IsZero() || at.Before(oldest) {
			oldest = at
		}
	}
	return oldest
}

// Words describes a site, without its name.
func (t *Party) Words() string {
	var parts []string
	if steps := StepList(t.Numbers); steps != "" {
		if t.run {
			steps += fmt.Sprintf(" (%d done)", t.Done)
		}
		parts = append(parts, steps)
	}
	if t.Plans {
		parts = append(parts, "has made the plan")
	}
	if o := t.Observed; o != nil {
		by := ""
		if o.By != "" {
			by = " by " + o.By
		}
		parts = append(parts, fmt.Sprintf("servers as seen at %s%s, which may be planned from until %s", moment(o.At), by,
			moment(t.Until)))
	}
	if !t.Verified.IsZero() {
		parts = append(parts, fmt.Sprintf("what others rest on was verified at %s, and holds until %s", moment(t.Verified),
			moment(t.Holds)))
	}
	return strings.Join(append(parts, "max_age "+Length(time.Duration(t.MaxAge))), "; ")
}

func moment(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// Length returns a duration as people write it, without zeros at the end.
func Length(d time.Duration) string {
	s := d.String()
	if d >= time.Minute {
		s = strings.TrimSuffix(s, "m0s") + map[bool]string{true: "m"}[strings.HasSuffix(s, "m0s")]
	}
	if d >= time.Hour {
		s = strings.TrimSuffix(s, "h0m") + map[bool]string{true: "h"}[strings.HasSuffix(s, "h0m")]
	}
	return s
}
