package planner

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// drawBasis draws declarations of two types that refer to each other in any way.
func drawBasis(t *rapid.T) *Basis {
	addr := rapid.SampledFrom([]string{"sync.a.x", "sync.a.y", "sync.a.x2", "sync.b.x", "sync.b.y", "server.c.x",
		`sync.a.x["k.l"]`})
	b := &Basis{Declared: map[string]Declaration{}}
	for range rapid.IntRange(0, 6).Draw(t, "declarations") {
		b.Declared[addr.Draw(t, "addr")] = Declaration{
			Arguments: rapid.MapOf(rapid.SampledFrom([]string{"m", "n", "n.o"}), rapid.SampledFrom([]string{"1", "2"})).
				Draw(t, "arguments"),
			Refs: rapid.SliceOfN(addr, 0, 2).Draw(t, "refs"),
		}
	}
	return b
}

// TestAffecting: the arguments that a step depends on are those under a declaration around its own or its servers, but
// for those that it says it is unaffected by.
func TestAffecting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		was, is := drawBasis(t), drawBasis(t)
		r := &Revision{Arguments: was.Changed(is)}
		for range 4 { // what one step was told must not change what the next one is told
			s := &Step{Addr: rapid.SampledFrom([]string{"sync.a.x", "sync.a.y", "sync.b.x"}).Draw(t, "addr"),
				Servers: rapid.SliceOfN(rapid.SampledFrom([]string{"server.c.x", "server.c.y"}), 0, 2).Draw(t, "servers"),
				UnaffectedBy: rapid.SliceOfN(rapid.SampledFrom([]string{Peers, "sync.a.x.n", "sync.b.x"}), 0, 2).
					Draw(t, "unaffected by")}
			peers := !slices.Contains(s.UnaffectedBy, Peers)
			var around []map[string]bool
			for _, addr := range append([]string{s.Addr}, s.Servers...) {
				around = append(around, map[string]bool{})
				was.around(addr, peers, around[len(around)-1])
			}
			var want []string
			for _, argument := range r.Arguments {
				owned := false
				for _, near := range around {
					for addr := range near {
						owned = owned || under(argument, addr)
					}
				}
				if owned && !slices.ContainsFunc(s.UnaffectedBy, func(name string) bool { return under(argument, name) }) {
					want = append(want, argument)
				}
			}
			if diff := cmp.Diff(want, r.affecting(s, was)); diff != "" {
				t.Fatal(diff)
			}
		}
	})
}

// BenchmarkRevise compares plans of declarations with three steps each, of which one has changed.
func BenchmarkRevise(b *testing.B) {
	for _, n := range []int{300, 3000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p, was, is := &Plan{}, &Basis{Declared: map[string]Declaration{}}, &Basis{Declared: map[string]Declaration{}}
			for i := range n {
				addr := fmt.Sprintf("sync.depot.s%d", i)
				was.Declared[addr] = Declaration{Arguments: map[string]string{"n": "1"}}
				is.Declared[addr] = Declaration{Arguments: map[string]string{"n": fmt.Sprint(1 + i/(n-1))}}
				for op := range 3 {
					p.Steps = append(p.Steps, Step{ID: StepID(addr, fmt.Sprint(op)), Addr: addr})
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				if r := Revise(p, p, was, is, nil); len(r.Changed) != 3*n {
					b.Fatal(len(r.Changed))
				}
			}
		})
	}
}
