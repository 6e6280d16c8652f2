package survey

import (
	"strings"
	"testing"

	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
)

// TestSoughtIsKnown checks that unknown values of a selected resource do not match unknown values of others.
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

// TestWantedIsMeant checks that what is sent of a source has the names of selected resources only, and not of others
// with the same name or brought by a hop.
func TestWantedIsMeant(t *testing.T) {
	inv := func() *Inventory {
		return newInventory([]osmc.Category{{ID: "c1", Name: "Shared"}, {ID: "c2", Name: "Secret"},
			{ID: "c3", Name: "Shared", Parent: "c2"}, {ID: "c4", Name: "Twin"}, {ID: "c5", Name: "Hidden"},
			{ID: "c6", Name: "Own", Parent: "c5"}, {ID: "c7", Name: "Twins", Parent: "c4"},
			{ID: "c8", Name: "Twins", Parent: "c2"}, {ID: "c9", Name: "From A", Resources: []string{"r5"}}},
			[]osmc.Resource{{ID: "r1", Name: "Engine", Category: "c1"}, {ID: "r2", Name: "Skunk", Category: "c3"},
				{ID: "r3", Name: "Shared/Engine", Category: "c2"}, {ID: "r4", Name: "Engine", Category: "c6", Removed: true},
				{ID: "r5", Name: "Copy", Category: "c9"}, {ID: "r6", Name: "Gone", Category: "c6", Removed: true},
				{ID: "r7", Name: "One", Category: "c7"}, {ID: "r8", Name: "Two", Category: "c6"}})
	}
	for name, c := range map[string]struct {
		of         wanted
		resources  string // with a name
		categories string
	}{
		"a category by path":         {wanted{Categories: []string{"Shared"}}, "Engine", "Shared"},
		"by name":                    {wanted{Categories: []string{"Own"}}, "Two", "Hidden Own"},
		"two of a name":              {wanted{Categories: []string{"Twins"}}, "", "Secret Twins Twin Twins"},
		"a resource by path":         {wanted{Resources: []string{"Shared/Engine"}}, "Engine", "Shared"},
		"by name, without a removed": {wanted{Resources: []string{"Engine"}}, "Engine", "Shared"},
		"a removed one":              {wanted{Resources: []string{"Gone"}}, "Gone", "Hidden Own"},
		"where a hop puts its":       {wanted{Resources: []string{"Engine"}, Into: "From A"}, "Engine", "From A Shared"},
		"and it is meant":            {wanted{Categories: []string{"From A"}, Into: "From A"}, "Copy", "From A"},
	} {
		out := inv().wanted(c.of)
		if len(out.Resources) != 8 {
			t.Errorf("%s: %d resources", name, len(out.Resources))
		}
		var resources, categories []string
		for i := range out.Resources {
			if r := &out.Resources[i]; r.Name != r.ID {
				resources = append(resources, r.Name)
			}
		}
		for i := range out.Categories {
			categories = append(categories, out.Categories[i].Name)
		}
		if got := strings.Join(resources, " "); got != c.resources {
			t.Errorf("%s: resources %q", name, got)
		}
		if got := strings.Join(categories, " "); got != c.categories {
			t.Errorf("%s: categories %q", name, got)
		}
	}
}
