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

// The environment variables of tests that repeat a whole flow many times.
const (
	// AllVariable set to 1 has them repeat it in every way there is, which takes hours.
	AllVariable = "SYNCCTL_TEST_ALL"
	// SeedVariable is the seed of what they choose otherwise. Each run logs its own.
	SeedVariable = "SYNCCTL_TEST_SEED"
)

// TestsAll tells whether nothing is left out.
func TestsAll() bool { return os.Getenv(AllVariable) == "1" }

// Random is where a test's choices come from. The seed is logged, and can be given.
func Random(t *testing.T) *rand.Rand {
	t.Helper()
	seed, err := strconv.ParseUint(os.Getenv(SeedVariable), 10, 64)
	if err != nil {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("chosen by %s=%d; %s=1 leaves nothing out", SeedVariable, seed, AllVariable)
	return rand.New(rand.NewPCG(seed, 0))
}

// Sample chooses so many of a list, in its order; all of them if TestsAll.
func Sample[T any](random *rand.Rand, list []T, most int) []T {
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

// atATime is how many tests of flows run at a time.
const atATime = 6

// Main is for TestMain. It runs the tests, more of them at a time than there are processors, because flows in front of
// simulated servers mostly wait. Whoever gives -parallel has the last word.
func Main(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given {
		_ = flag.Set("test.parallel", strconv.Itoa(max(atATime, runtime.GOMAXPROCS(0)))) // it is a number
	}
	m.Run()
}
