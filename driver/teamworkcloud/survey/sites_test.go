package survey

import (
	"strings"
	"testing"

	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
)

// TestSoughtIsKnown: what is unknown of a selected resource is not the same as what is unknown of others.
func TestSoughtIsKnown(t *testing.T) {
	inv := newInventory(nil, []osmc.Resource{{ID: "1", Name: "Stranger"}, {ID: "2", ProjectID: "P"},
		{ID: "3", Name: "Engine", ProjectID: "Q"}})
	for want, r := range map[string]osmc.Resource{
		"":  {ID: "9", Name: "Skunk"},
		"2": {ID: "9", ProjectID: "P"},
		"3": {ID: "9", Name: "Engine"},
	} {
		digests := soughtOf(&r)
		var got []string
		for _, found := range inv.sought(sought{Category: "c", Resources: strings.Join(digests[:], "")}).Resources {
			got = append(got, found.ID)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%+v finds %q, want %q", r, got, want)
		}
	}
}
