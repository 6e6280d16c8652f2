package executor

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// shapes are plans of so many steps, in declarations of four steps each, by name.
var shapes = map[string]func(i, n int) planner.Step{
	"apart":     func(int, int) planner.Step { return planner.Step{} },
	"exclusive": func(int, int) planner.Step { return planner.Step{Exclusive: []string{"the machine"}} },
	"chain": func(i, _ int) planner.Step {
		if i == 0 {
			return planner.Step{}
		}
		return planner.Step{Needs: []string{stepOf(i - 1)}}
	},
	"fan": func(i, n int) planner.Step { // the first, then all, then the last
		switch i {
		case 0:
			return planner.Step{}
		case n - 1:
			var all []string
			for j := range n - 1 {
				all = append(all, stepOf(j))
			}
			return planner.Step{Needs: all}
		}
		return planner.Step{Needs: []string{stepOf(0)}}
	},
}

func declared(i int) string { return fmt.Sprintf("migration.depot.m%d", i/4) }

func stepOf(i int) string { return planner.StepID(declared(i), fmt.Sprint("s", i%4)) }

func shaped(name string, n int) *planner.Plan {
	p := &planner.Plan{}
	for i := range n {
		s := shapes[name](i, n)
		s.Addr, s.Op, s.ID, s.Repeat = declared(i), fmt.Sprint("s", i%4), stepOf(i), planner.Idempotent
		p.Steps = append(p.Steps, s)
	}
	return p
}

// BenchmarkCarry carries plans out whose steps cost nothing: time and allocations must grow with their number.
func BenchmarkCarry(b *testing.B) {
	for _, name := range []string{"apart", "chain", "exclusive", "fan"} {
		for _, n := range []int{200, 2000} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				var text strings.Builder
				for i := 0; i < n; i += 4 {
					fmt.Fprintf(&text, "migration \"depot\" \"m%d\" {}\n", i/4)
				}
				p, cfg, d := shaped(name, n), configOf(b, text.String()), idle{}
				b.ReportAllocs()
				for b.Loop() {
					clock := &fastClock{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
					j, err := journal.Open(afero.NewMemMapFs(), "journal", journal.Options{Now: clock.Now})
					if err != nil {
						b.Fatal(err)
					}
					rep, err := Carry(b.Context(), Options{Plan: p, Config: cfg, Journal: j, Clock: clock, Parallelism: 10,
						Drivers: func(schema.Addr) Driver { return d }})
					if err != nil || !rep.Finished {
						b.Fatalf("%v, %d done", err, rep.Count(PhaseDone))
					}
				}
			})
		}
	}
}

// idle is a driver that has always done everything.
type idle struct{}

func (idle) Facts(context.Context, *schema.Resource, []string) (map[string]string, error) {
	return nil, nil
}
func (idle) Execute(context.Context, *Task) (Result, error) {
	return Result{Outputs: map[string]string{"n": "1"}}, nil
}
func (idle) Verify(context.Context, *Task) (Verdict, error) { return Verdict{State: Done}, nil }
