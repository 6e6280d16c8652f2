package planner_test

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/planner"
)

// making is a plan of n declarations that is made again each time: two steps each, a quarter of them in chains.
func making(t testing.TB, n int) func() {
	t.Helper()
	var text strings.Builder
	var addrs []string
	for i := range n {
		fmt.Fprintf(&text, "sync \"depot\" \"s%d\" {\n", i)
		if i%4 == 3 {
			fmt.Fprintf(&text, "  depends_on = [sync.depot.s%d]\n", i-1)
		}
		text.WriteString("}\n")
		addrs = append(addrs, fmt.Sprintf("sync.depot.s%d", i))
	}
	in := input(load(t, text.String()), busy(addrs...))
	return func() {
		if _, diags := planner.Make(context.Background(), in); diags.HasErrors() {
			t.Fatal(diags)
		}
	}
}

// BenchmarkMake: time and memory must grow with the number of declarations.
func BenchmarkMake(b *testing.B) {
	for _, n := range []int{1000, 4000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			make := making(b, n)
			b.ReportAllocs()
			for b.Loop() {
				make()
			}
		})
	}
}

// TestAllocations: what a declaration costs to plan beside its driver, at most.
func TestAllocations(t *testing.T) {
	const n, most = 400, 51
	if testing.Short() {
		t.Skip("counts the program as it is built: the race detector, which runs with -short, allocates too")
	}
	if got := testing.AllocsPerRun(2, making(t, n)) / n; got > most {
		t.Errorf("%.0f allocations a declaration, at most %d", got, most)
	}
}

// TestPieces: hashing and writing a plan make its text in pieces: three texts take less than the buffers of one did.
func TestPieces(t *testing.T) {
	if testing.Short() {
		t.Skip("counts the program as it is built: the race detector, which runs with -short, allocates too")
	}
	p := full(t)
	for len(p.Steps) < 2000 {
		p.Steps = append(p.Steps, p.Steps[0])
	}
	length := uint64(len(encoded(t, p)))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := p.Hash()
	if more := p.Encode(io.Discard); err != nil || more != nil {
		t.Fatal(err, more)
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 2*length {
		t.Errorf("%d bytes, of a text of %d", got, length)
	}
}
