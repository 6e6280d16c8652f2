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

	// Verified is when the site verified the guards of other sites' unfinished steps, and Holds until when those steps
	// may rely on it; see executor.Reliances. Both are zero if there is none, or one is not done.
	Verified, Holds time.Time

	run bool
}

// Parties returns the sites that take part in a plan, or in a run of it. It returns none without sites.
func Parties(p *planner.Plan, run *Run) []Party {
	if len(p.Sites) == 0 {
		return nil
	}
	var relied map[string]executor.Reliance
	if run != nil {
		relied = executor.Reliances(p, run.Entries)
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
		t.Verified, t.Holds = relied[site.Name].Verified, relied[site.Name].Until
		out = append(out, t)
	}
	return out
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
