package drift

import (
	"time"

	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

const ruleExpired = "drift/ignore-expired"

// expired returns findings for the ignored drift whose time has passed.
func expired(res *schema.Resource, now time.Time) []planner.Finding {
	var out []planner.Finding
	for i := range res.IgnoredDrift {
		ig := &res.IgnoredDrift[i]
		if now.Before(ig.Until) {
			continue
		}
		what := "all of it"
		if ig.Argument != "" {
			what = ig.Argument
		}
		out = append(out, planner.Finding{Rule: ruleExpired, Severity: planner.Warn, Addr: res.Addr.String(),
			Summary: "drift of " + what + " was ignored until " + ig.Day() + ", and counts again: " + ig.Reason})
	}
	return out
}

// Rules returns the rules of the findings of a report.
func Rules() []planner.Rule {
	return []planner.Rule{planner.FindingRule(ruleExpired,
		"Drift was ignored until a day that is over. It counts again.",
		"The lifecycle block of a declaration has ignore_drift, whose last day, in UTC, is past.",
		"Ask whether the reason still holds. Remove the block, or give it another day.", planner.Warn)}
}
