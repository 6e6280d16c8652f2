package planner

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/schema"
)

// Look makes the observations that a plan needs of the servers that this process may contact, for another site that
// makes the plan. Observations of other sites' servers that have not been received are skipped.
func Look(ctx context.Context, in Input) (*Observations, hcl.Diagnostics) {
	in = in.moved()
	in.ownOnly = true
	wanted, diags := targets(in)
	if diags.HasErrors() {
		return nil, diags
	}
	planned := in.planned(wanted)
	seen, diags := observe(ctx, in, planned)
	others := map[string]bool{}
	for _, r := range in.Config.Resources {
		others[r.Addr.String()] = r.Elsewhere
	}
	return seen.Without(others), diags
}

// elsewhere reports whether the server with the given address belongs to another site.
func (in Input) elsewhere(server string) bool {
	addr, err := schema.ParseAddr(server)
	r := in.Config.Lookup(addr)
	return err == nil && r != nil && r.Elsewhere
}

// Age says when the oldest of several observations was made, and by whom.
type Age struct {
	At time.Time `json:"at"`           // when it was observed
	By string    `json:"by,omitempty"` // who asked the server
}

// Ages returns, for each other site, the age of the observations of its servers.
func (o *Observations) Ages(cfg *schema.Config) map[string]Age { return o.agesBut(cfg, cfg.Site) }

// agesBut returns the age of the observations of every site except the given one. It returns nil if site is "".
func (o *Observations) agesBut(cfg *schema.Config, site string) map[string]Age {
	if site == "" {
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	out := map[string]Age{}
	for n, x := range o.made {
		addr, err := schema.ParseAddr(n.Server)
		r := cfg.Lookup(addr)
		if err != nil || r == nil || r.Site == site {
			continue
		}
		if was, known := out[r.Site]; !known || x.at.Before(was.At) || x.at.Equal(was.At) && x.by < was.By {
			out[r.Site] = Age{x.at, x.by}
		}
	}
	return out
}

// Take adds the observations that are missing in o or newer than those in o.
func (o *Observations) Take(from *Observations) {
	from.mu.Lock()
	defer from.mu.Unlock()
	o.mu.Lock()
	defer o.mu.Unlock()
	for n, x := range from.made {
		if had := o.made[n]; had == nil || had.at.Before(x.at) {
			o.made[n] = x.clone()
		}
	}
}

// Fresh reports whether something recorded at the given time is recent enough: its time differs from now by at most
// the limit, in either direction, since clocks differ.
func Fresh(at, now time.Time, most time.Duration) bool { return now.Sub(at).Abs() <= most }

// outdated refuses observations that other sites sent too long ago, or before they last changed their servers.
func (in Input) outdated(seen *Observations) hcl.Diagnostics {
	var diags hcl.Diagnostics
	ages := seen.Ages(in.Config)
	for _, s := range in.Config.Settings.Sites {
		age, sent := ages[s.Name]
		if at, changed := in.Changed[s.Name]; sent && changed && age.At.Before(at) {
			ahead := ""
			if at.After(in.now()) { // by its own clock
				ahead = fmt.Sprintf(" That is in the future: compare the clocks of both sites. What %s sends before then does "+
					"not count.", s.Name)
			}
			diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Observations from before a change",
				Subject: s.Range.Ptr(), Extra: ofOtherSite{},
				Detail: fmt.Sprintf("What site %q sent of its servers is of %s, and it may have carried out steps there until "+
					"%s. %[1]s has to send again, once the run has ended: syncctl send.%[4]s", s.Name,
					age.At.UTC().Format(time.RFC3339), at.UTC().Format(time.RFC3339), ahead)})
			continue
		}
		if !sent || Fresh(age.At, in.now(), s.MaxAge) {
			continue
		}
		diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Observations are too old",
			Subject: s.Range.Ptr(), Extra: ofOtherSite{},
			Detail: fmt.Sprintf("What site %q sent of its servers is of %s, and its max_age is %s. "+
				"%s has to send again: syncctl send.", s.Name, age.At.UTC().Format(time.RFC3339), s.MaxAge, s.Name)})
	}
	return diags
}

// notSent reports the observations that other sites have not sent, one diagnostic per site.
func notSent(in Input, absent map[string][]Need) hcl.Diagnostics {
	bySite := map[string][]string{}
	for _, server := range slices.Sorted(maps.Keys(absent)) {
		addr, _ := schema.ParseAddr(server) // elsewhere has parsed it already
		site := in.Config.Lookup(addr).Site
		needs := absent[server]
		slices.SortFunc(needs, Need.compare)
		for _, n := range slices.Compact(needs) {
			bySite[site] = append(bySite[site], schema.SanitizeLine(shortened(n.String())))
		}
	}
	var diags hcl.Diagnostics
	for _, s := range in.Config.Settings.Sites {
		if what := bySite[s.Name]; len(what) > 0 {
			more := ""
			if len(what) > mostNamed {
				more = fmt.Sprintf(", and %d more", len(what)-mostNamed)
				what = what[:mostNamed]
			}
			diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Not sent by the other site",
				Subject: s.Range.Ptr(), Extra: ofOtherSite{},
				Detail: fmt.Sprintf("The plan needs what servers of site %q show: %s%s. Only a process "+
					"of that site can read them: %s has to run `syncctl send` (with what it has received from here), and its "+
					"bundle is taken with `syncctl receive`.", s.Name, strings.Join(what, ", "), more, s.Name)})
		}
	}
	return diags
}

// ofOtherSite is the Extra of errors that are resolved when another site sends observations of its servers.
type ofOtherSite struct{}

// Lacking reports whether a plan could not be made only because other sites still have to send observations of their
// servers.
func Lacking(diags hcl.Diagnostics) bool {
	lacking := false
	for _, d := range diags {
		if d.Severity != hcl.DiagError {
			continue
		}
		if _, ok := hcl.DiagnosticExtra[ofOtherSite](d); !ok {
			return false
		}
		lacking = true
	}
	return lacking
}

// shortened returns the beginning of a text if it is too long for a message.
func shortened(text string) string {
	const most = 200
	if all := []rune(text); len(all) > most {
		return string(all[:most]) + "…"
	}
	return text
}

// mostNamed is the maximum number of observations that a message names.
const mostNamed = 5
