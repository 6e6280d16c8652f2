package teamworkcloud_test

import (
	"strings"
	"testing"

	"github.com/syncctl/syncctl/driver/drivertest"
)

// TestNamesInOtherForms checks that names in different Unicode forms are equal: a declaration is read in one form, but
// a server has names as they were entered. Nothing is missing, and no category is created twice.
func TestNamesInOtherForms(t *testing.T) {
	t.Parallel()
	const ohm, overseas = "\u2126-Meter", "U\u0308bersee" // NFC uses other characters for both
	for name, c := range map[string]struct{ target, ops string }{
		"the category is there":      {overseas, "configure configure arrived"},
		"a category within it":       {overseas + "/Neu", "create_category configure configure arrived"},
		"declared in the other form": {"\u00dcbersee", "configure configure arrived"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(strings.Replace(with(cars, `resources = ["Bikes/`+ohm+`"]`), "From A", c.target, 1))
			w.add("a", "resources", resource(ohm, "Bikes", "id", "0a000000-0000-4000-8000-000000000009"))
			w.add("b", "categories", j{"path": overseas})
			out := w.goes(t, drivertest.Rehearsal{})
			if got := ops(out.Plan); got != c.ops {
				t.Errorf("steps: %s, want %s", got, c.ops)
			}
			if s := out.Plan.Step("sync.teamwork_cloud.cars/create_category"); s != nil && s.Effect.Add != 1 {
				t.Errorf("%d categories are created, one is missing", s.Effect.Add)
			}
			if strings.Contains(string(out.State), "\u00dcbersee\"") {
				t.Error("the category has a twin")
			}
		})
	}
}
