package backbone

import "testing"

// TestUncompared checks that a status that cannot be read does not count as the declared one.
func TestUncompared(t *testing.T) {
	for _, r := range (&Driver{}).Rules() {
		want := r.ID == product+"/"+ruleStatusUnknown || r.ID == product+"/"+ruleStatus
		if r.Uncompared != want {
			t.Errorf("%s: %v", r.ID, r.Uncompared)
		}
	}
}
