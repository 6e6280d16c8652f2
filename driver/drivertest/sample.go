package drivertest

import (
	"flag"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"
)

// Environment variables of tests that repeat a whole flow many times.
const (
	// AllVariable, if set to 1, makes them repeat it in every possible way, which takes hours.
	AllVariable = "SYNCCTL_TEST_ALL"
	// SeedVariable is the seed of their random choices otherwise. Each run logs its seed.
	SeedVariable = "SYNCCTL_TEST_SEED"
)

// TestsAll reports whether nothing is left out.
func TestsAll() bool { return os.Getenv(AllVariable) == "1" }

// Random returns the source of a test's random choices. It logs the seed. SeedVariable sets it.
func Random(t *testing.T) *rand.Rand {
	t.Helper()
	seed, err := strconv.ParseUint(os.Getenv(SeedVariable), 10, 64)
	if err != nil {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("chosen by %s=%d; %s=1 leaves nothing out", SeedVariable, seed, AllVariable)
	return rand.New(rand.NewPCG(seed, 0))
}

// Sample returns a random selection of at most `most` items of a list, in the list's order, or all of them if
// TestsAll. With -short, as under the race detector of .ci/run, it is a third of that.
func Sample[T any](random *rand.Rand, list []T, most int) []T {
	if testing.Short() {
		most = (most + 2) / 3
	}
	if TestsAll() || len(list) <= most {
		return list
	}
	chosen := map[int]bool{}
	for _, i := range random.Perm(len(list))[:most] {
		chosen[i] = true
	}
	var out []T
	for i, one := range list {
		if chosen[i] {
			out = append(out, one)
		}
	}
	return out
}

// atATime is the minimum number of tests that run in parallel.
const atATime = 6

// Main is for TestMain. It runs more tests in parallel than there are processors, because flows mostly wait for
// simulated servers. The option -parallel takes precedence.
func Main(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given {
		_ = flag.Set("test.parallel", strconv.Itoa(max(atATime, runtime.GOMAXPROCS(0)))) // it is a number
	}
	m.Run()
}
