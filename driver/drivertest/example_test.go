package drivertest_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/drivertest"
	"github.com/syncctl/syncctl/sandbox"
)

// A driver's conformance_test.go passes the driver, its simulated servers, and cases that together have every kind of
// step.
func ExampleRun() {
	var (
		newDriver func(driver.Env) driver.Driver
		openWorld func(seed []byte) (sandbox.World, error)
	)
	_ = func(t *testing.T) { // func TestConformance
		drivertest.Run(t, drivertest.Bench{
			Product: "depot", New: newDriver, Simulator: openWorld,
			Cases: []drivertest.Case{{Name: "move", Dir: "testdata/move", Seed: []byte(`{"depot": {}}`)}},
		})
	}
}

// A test that repeats something many times takes a sample. SYNCCTL_TEST_ALL=1 leaves nothing out.
func ExampleSample() {
	random := rand.New(rand.NewPCG(7, 0)) // in a test: drivertest.Random(t), which logs its seed
	writes := []string{"half:1", "synced:1", "half:2", "synced:2", "half:3", "synced:3"}
	fmt.Println(len(drivertest.Sample(random, writes, 2)) <= 2 || drivertest.TestsAll())
	// Output:
	// true
}

// The states of two worlds are compared without what differs by chance.
func ExampleWithoutTimes() {
	fmt.Println(drivertest.WithoutTimes([]byte(`{"gates": 2, "closed": "2026-03-02T08:00:00Z"}`)))
	// Output:
	// {"gates": 2, "closed": "TIME"}
}
