package driver_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/drift"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/drivertest"
	"github.com/syncctl/syncctl/planner"
)

// TestRules checks that the IDs of every product's plans and examinations have rules.
func TestRules(t *testing.T) {
	t.Parallel()
	for dir, rules := range map[string][]planner.Rule{".": driver.Rules(), "../planner": planner.Rules(),
		"../drift": drift.Rules()} {
		product := "plan"
		if dir == "../drift" {
			product = "drift"
		}
		problems, err := drivertest.RuleProblems(rules, product, dir)
		if err != nil || len(problems) > 0 || len(rules) == 0 {
			t.Errorf("%s: %v, %q", dir, err, problems)
		}
		if !slices.IsSortedFunc(rules, func(a, b planner.Rule) int { return strings.Compare(a.ID, b.ID) }) {
			t.Errorf("the rules of %s are not sorted", dir)
		}
	}
}
