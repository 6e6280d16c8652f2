package teamworkcloud_test

import (
	"encoding/json"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// byPort matches what differs because simulated servers use other ports each time.
var byPort = regexp.MustCompile(`127\.0\.0\.1:\d+|"print": "\w+"`)

// TestListsOfResources checks that a plan does not depend on whether servers list resources as a container or an array
// of IDs.
func TestListsOfResources(t *testing.T) {
	plan := func(form string) string {
		w := newWorld(with(cars))
		for _, name := range []string{"a", "b"} {
			w.set(name, "resource_list", form)
		}
		w.add("a", "resources", resource("Old", "Cars", "id", "0a000000-0000-4000-8000-000000000009", "removed", true))
		p := w.plans(t)
		text, err := json.MarshalIndent([]any{p.Changes, p.Steps, p.Findings}, "", " ")
		if err != nil || len(p.Steps) == 0 {
			t.Fatalf("%v: %s", err, text)
		}
		return byPort.ReplaceAllString(string(text), "")
	}
	if diff := cmp.Diff(plan("container"), plan("array")); diff != "" {
		t.Error(diff)
	}
}
