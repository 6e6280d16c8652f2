package planner_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/planner"
)

// BenchmarkMake plans declarations with two steps each, a quarter of them in chains: its time and memory must grow
// with their number.
func BenchmarkMake(b *testing.B) {
	for _, n := range []int{1000, 4000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
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
			in := input(load(b, text.String()), busy(addrs...))
			b.ReportAllocs()
			for b.Loop() {
				if _, diags := planner.Make(context.Background(), in); diags.HasErrors() {
					b.Fatal(diags)
				}
			}
		})
	}
}
