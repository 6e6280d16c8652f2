package survey

import "testing"

// TestCollides checks that two resources are the same project if both have the same project ID or name.
func TestCollides(t *testing.T) {
	for _, c := range []struct{ project, name, otherProject, otherName, want string }{
		{"P", "Engine", "P", "Motor", "project id"},
		{"", "Engine", "", "Engine", "name"},
		{"", "Engine", "", "Motor", ""},
		{"", "", "", "", ""}, // two that cannot be read
	} {
		if got := collides("1", c.project, c.name, "2", c.otherProject, c.otherName); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
	if got := collides("1", "P", "Engine", "1", "P", "Engine"); got != "" {
		t.Errorf("one resource and itself: %q", got)
	}
}
