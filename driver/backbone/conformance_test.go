package backbone_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/driver/backbone"
	"github.com/syncctl/syncctl/driver/backbone/backbonesim"
	"github.com/syncctl/syncctl/driver/drivertest"
	"github.com/syncctl/syncctl/sandbox"
)

func TestMain(m *testing.M) { drivertest.Main(m) }

// TestConformance runs the conformance kit for drivers.
func TestConformance(t *testing.T) {
	t.Parallel()
	example := func(name string, refused bool) drivertest.Case {
		return drivertest.Case{Name: name, Dir: filepath.Join("..", "..", "examples", name), Seed: smaller(t, name),
			Refused: refused}
	}
	byPerson := func(name string) drivertest.Case {
		b := edited(t, name)
		b.rewrite(`migrating = "master"`, "migrating = \"master\"\n  pair      = \"person\"")
		return drivertest.Case{Name: name + ", paired by a person", Dir: b.dir, Seed: smaller(t, name)}
	}
	declared := func(name, hcl string) drivertest.Case {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "main.sync.hcl"), []byte(servers+hcl), 0o600); err != nil {
			t.Fatal(err)
		}
		return drivertest.Case{Name: name, Dir: dir, Seed: smaller(t, "behind-firewall-master")}
	}
	drivertest.Run(t, drivertest.Bench{
		Product:   "backbone",
		New:       backbone.New,
		Simulator: func(seed []byte) (sandbox.World, error) { return backbonesim.Open(seed) },
		// These are planned if servers do not say how they are (TestPersonsWord), or if only one half is left
		// (TestOneHalfIsLeft).
		Elsewhere: []string{"no_errors", "stop_by_hand", "start_by_hand", "still_stopped", "gone", "verify_rest"},
		Cases: []drivertest.Case{
			example("behind-firewall-master", false),
			example("behind-firewall-slave", false),
			byPerson("behind-firewall-master"),
			example("email-in-error", true),
			declared("a direct synchronization alone", strings.NewReplacer("COMMENTS", "true", "STATE",
				"stopped").Replace(directSync)),
			declared("a file synchronization alone", strings.Replace(fileSync, "STATE", "stopped", 1)),
		},
	})
}
