package cli

import (
	"runtime"
	"runtime/metrics"
	"testing"
	"time"
)

// TestUnusedMemory: who says how memory is collected gets no more than that.
func TestUnusedMemory(t *testing.T) {
	for name, want := range map[string]int{"": unusedSize, "GOGC": 0, "GOMEMLIMIT": 0} {
		got := unusedMemory(func(asked string) (string, bool) { return map[string]string{name: "100"}[asked], asked == name })
		if len(got) != want {
			t.Errorf("%q: %d", name, len(got))
		}
	}
	afterFirstCollection(t)
}

// TestUnusedMemoryBeginsNoCollection: a start takes none, and the first one makes the next ones usual.
func TestUnusedMemoryBeginsNoCollection(t *testing.T) {
	runtime.GC()
	before := metric("/gc/cycles/total:gc-cycles")
	unused := unusedMemory(func(string) (string, bool) { return "", false })
	time.Sleep(100 * time.Millisecond) // a collection runs beside
	if n := metric("/gc/cycles/total:gc-cycles") - before; n != 0 {
		t.Errorf("%d collections", n)
	}
	runtime.KeepAlive(unused)
	afterFirstCollection(t)
}

// afterFirstCollection waits until memory is collected as usual again.
func afterFirstCollection(t *testing.T) {
	t.Helper()
	for range 1000 {
		if runtime.GC(); metric("/gc/gogc:percent") == 100 {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatal("collections stay rare")
}

func metric(name string) uint64 {
	sample := []metrics.Sample{{Name: name}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
