package survey

import (
	"testing"

	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
)

// TestGroupsNotSaid: a user whose groups the server does not say is not a user without groups.
func TestGroupsNotSaid(t *testing.T) {
	for name, groups := range map[string][]string{"not said": nil, "none": {}} {
		got, err := ownRoles(t.Context(), osmc.Reader{}, &osmc.User{Name: "anna", Groups: groups}, "r1")
		if err != nil || got.Unknown != (groups == nil) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}
