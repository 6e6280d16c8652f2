package depot

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/driver/drivertest"
	"github.com/syncctl/syncctl/sandbox"
)

// TestConformance runs the kit that every driver passes.
func TestConformance(t *testing.T) {
	example := filepath.Join("..", "example")
	seed, err := os.ReadFile(filepath.Join(example, "sandbox.json"))
	if err != nil {
		t.Fatal(err)
	}
	transparent := t.TempDir()
	src, err := os.ReadFile(filepath.Join(example, "main.sync.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	src = []byte(strings.ReplaceAll(string(src), `"red"`, `"transparent"`))
	if err := os.WriteFile(filepath.Join(transparent, "main.sync.hcl"), src, 0o600); err != nil {
		t.Fatal(err)
	}
	drivertest.Run(t, drivertest.Bench{
		Product: Product.Name, New: Product.Driver, Simulator: Product.Simulator,
		Cases: []drivertest.Case{
			{Name: "replaced", Dir: example, Seed: seed},
			{Name: "added", Dir: example, Seed: []byte(
				`{"depot": {"north": {"password": "keeper-pass", "boxes": {"old": {"color": "grey"}}}}}`)},
			{Name: "transparent", Dir: transparent, Seed: seed, Refused: true},
		},
		Reads: func(l sandbox.AccessLine) bool { return l.Path == sessionsPath },
	})
}
