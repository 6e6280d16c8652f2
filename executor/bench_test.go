package executor

import (
	"context"
	"fmt"
	"maps"
	"slices"
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

// carrying is a plan that is carried out again each time; its steps cost nothing.
func carrying(t testing.TB, shape string, n int) func() {
	t.Helper()
	var text strings.Builder
	for i := 0; i < n; i += 4 {
		fmt.Fprintf(&text, "migration \"depot\" \"m%d\" {}\n", i/4)
	}
	p, cfg, d := shaped(shape, n), configOf(t, text.String()), idle{}
	return func() {
		clock := &fastClock{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
		j, err := journal.Open(afero.NewMemMapFs(), "journal", journal.Options{Now: clock.Now})
		if err != nil {
			t.Fatal(err)
		}
		rep, err := Carry(t.Context(), Options{Plan: p, Config: cfg, Journal: j, Clock: clock, Parallelism: 10,
			Drivers: func(schema.Addr) Driver { return d }})
		if err != nil || !rep.Finished {
			t.Fatalf("%v, %d done", err, rep.Count(PhaseDone))
		}
	}
}

// BenchmarkCarry: time and allocations must grow with the number of steps.
func BenchmarkCarry(b *testing.B) {
	for _, shape := range slices.Sorted(maps.Keys(shapes)) {
		for _, n := range []int{200, 2000} {
			b.Run(fmt.Sprintf("%s/%d", shape, n), func(b *testing.B) {
				carry := carrying(b, shape, n)
				b.ReportAllocs()
				for b.Loop() {
					carry()
				}
			})
		}
	}
}

// TestAllocations: what a step costs beside its driver, at most, in plans of every shape.
func TestAllocations(t *testing.T) {
	const n, most = 400, 70
	if testing.Short() {
		t.Skip("counts the program as it is built: the race detector, which runs with -short, allocates too")
	}
	for shape := range shapes {
		if got := testing.AllocsPerRun(2, carrying(t, shape, n)) / n; got > most {
			t.Errorf("%s: %.0f allocations a step, at most %d", shape, got, most)
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
