package teamworkcloud_test

import (
	"regexp"
	"slices"
	"testing"

	"github.com/syncctl/syncctl/driver/drivertest"
	"github.com/syncctl/syncctl/driver/teamworkcloud/encrypt"
	"github.com/syncctl/syncctl/driver/teamworkcloud/machine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/offload"
	"github.com/syncctl/syncctl/driver/teamworkcloud/share"
)

func TestMain(m *testing.M) { drivertest.Main(m) }

// TestConformance checks what every driver promises.
func TestConformance(t *testing.T) {
	named := func(name string, w *world) drivertest.Case {
		c := w.kase(t)
		c.Name = name
		return c
	}
	bench := twc()
	bench.Cases = []drivertest.Case{
		smaller(example(t, "twc-multi-hop", false)),
		smaller(example(t, "twc-version-mismatch", true)),
		named("by hand, with a role to give", newWorld(with(cars, `trigger = "manual"`)).roles("b", everything...)),
		named("by a tag", newWorld(with(cars, `trigger = "commit_tag"`, `tag = "R1"`))),
		named("removed", newWorld(with(cars, `state = "removed"`)).add("b", "categories", j{"path": "From A"}).
			set("b", "configurations", []any{j{"source": "a", "category": "Cars", "target_category": "From A",
				"user": "syncctl"}}).
			add("b", "resources", copied(), resource("Gearbox", "From A", "read_only", true))),
	}
	bench.Elsewhere = slices.Concat(offload.Verbs.Names(), encrypt.Verbs.Names(), machine.Verbs.Names(),
		[]string{share.VerbOriginals, share.VerbSecured, share.VerbEncrypt})
	drivertest.Run(t, bench)
}

var many = regexp.MustCompile(`"revisions": [0-9]{2,}`)

// smaller shortens the histories, because the case is run many times.
func smaller(c drivertest.Case) drivertest.Case {
	c.Seed = many.ReplaceAll(c.Seed, []byte(`"revisions": 5`))
	return c
}
