package teamworkcloud_test

import (
	"strings"
	"testing"

	"github.com/syncctl/syncctl/driver/drivertest"
	"github.com/syncctl/syncctl/planner"
)

// TestTriggers applies a synchronization with each of the three triggers.
func TestTriggers(t *testing.T) {
	for name, c := range map[string]struct {
		more []string
		ops  string
		rule string // a finding of the second plan
		says string
	}{
		"every commit": {nil, "create_category configure arrived", "", ""},
		"a commit tag": {[]string{`trigger = "commit_tag"`, `tag = "R1"`}, "create_category configure arrived", "waiting",
			"Engine: the target lacks revisions 3, 6 of branch dev; revision 5 of branch trunk"},
		"no tag yet": {[]string{`trigger = "commit_tag"`, `tag = "R9"`}, "create_category configure", "waiting",
			"Engine is missing (5 revisions); Gearbox is missing (4 revisions)"},
		"by hand":      {[]string{`trigger = "manual"`}, "create_category configure synchronize arrived", "", ""},
		"one resource": {[]string{`resources = ["Bikes/Frame"]`}, "create_category configure configure arrived", "", ""},
		"by its id": {[]string{`resources = ["` + ids["Frame"] + `"]`}, "create_category configure configure arrived",
			"", ""},
		"with an owner": {[]string{`verify { compare = ["author", "date"] }`}, "create_category configure arrived", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out := newWorld(with(cars, c.more...)).goes(t, drivertest.Rehearsal{})
			if got := ops(out.Plan); got != c.ops {
				t.Errorf("steps: %s, want %s", got, c.ops)
			}
			if c.rule == "" {
				if len(out.Again.Findings) > 0 {
					t.Errorf("the second plan says %+v", out.Again.Findings)
				}
				return
			}
			if f := finding(out.Again, c.rule); f == nil || !strings.Contains(f.Detail, c.says) || f.Severity != planner.Note {
				t.Errorf("want %s: %s, got %+v", c.rule, c.says, out.Again.Findings)
			}
		})
	}
}
