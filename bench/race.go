package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"time"
)

// A race is a task, in several sizes, that several programs carry out. The first entrant is ours.
type race struct {
	name  string
	unit  string // what n counts
	sizes []int
	most  int // the largest size that there can be; 0: any
	// aim says what the first entrant should cost.
	aim string
	// prepare makes the inputs of size n in dir. Programs that cannot take part are left out.
	prepare func(ctx context.Context, t *tools, dir string, n int) ([]entrant, error)
}

// result holds the costs of all entrants of a race at one size.
type result struct {
	race  *race
	n     int
	names []string
	cost  map[string]figures
}

func (r *race) run(ctx context.Context, t *tools, dir string, o options, out io.Writer) ([]result, error) {
	var results []result
	for _, n := range r.sizes {
		if n = max(1, n*o.times/o.scale); r.most > 0 {
			n = min(n, r.most)
		}
		place := filepath.Join(dir, fmt.Sprint(n))
		if err := os.MkdirAll(place, 0o700); err != nil {
			return nil, err
		}
		entrants, err := r.prepare(ctx, t, place, n)
		if err != nil {
			return nil, fmt.Errorf("preparing %d %s: %w", n, r.unit, err)
		}
		res := result{race: r, n: n, cost: map[string]figures{}}
		all := map[string][]figures{}
		for range o.runs { // in turns, so that a disturbance affects all entrants
			for _, e := range entrants {
				f, err := e.measure(ctx)
				if err != nil {
					return nil, err
				}
				all[e.name] = append(all[e.name], f)
			}
		}
		for _, e := range entrants {
			res.names = append(res.names, e.name)
			res.cost[e.name] = median(all[e.name])
			c := res.cost[e.name]
			fmt.Fprintf(out, "%-28s %9d %-13s %-24s cpu %8.3f s  wall %8.3f s  %7.1f MiB\n", r.name, n, r.unit, e.name,
				c.cpu.Seconds(), c.wall.Seconds(), mib(c.peak))
		}
		results = append(results, res)
		if err := os.RemoveAll(place); err != nil { // exports are large
			return nil, err
		}
	}
	return results, nil
}

func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }

// exponent says how fast costs grow: 1 for linear, 2 for quadratic growth.
func exponent(small, large int, cheap, dear time.Duration) float64 {
	if small >= large || cheap <= 0 || dear <= 0 {
		return math.NaN()
	}
	return math.Log(dear.Seconds()/cheap.Seconds()) / math.Log(float64(large)/float64(small))
}
