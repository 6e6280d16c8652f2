package backbone

import (
	"strings"
	"testing"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/planner"
)

// TestAcceptancesAreParts checks that what is explained can be accepted, and that each kind of part is explained.
func TestAcceptancesAreParts(t *testing.T) {
	t.Parallel()
	rules := New(driver.Env{}).Rules()
	explained := map[string]bool{}
	for _, r := range rules {
		if r.Kind != planner.KindAcceptance {
			continue
		}
		explained[r.ID] = true
		if !isPart(strings.ReplaceAll(r.ID, "NAME", "summary")) {
			t.Errorf("%s is explained and cannot be accepted", r.ID)
		}
	}
	for _, part := range []string{commentsPart, attachmentsPart, first + jqlPart, second + jqlPart, fieldPart,
		fieldPart + ".NAME", issueTypesPart, issueTypesPart + ".NAME"} {
		if !explained[part] {
			t.Errorf("%s can be accepted and is not explained", part)
		}
	}
}
