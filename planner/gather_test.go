package planner_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// TestSlowServer: while north has not answered, all that does not need it is read, however many answers that takes.
func TestSlowServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		read := make(chan struct{})
		y := &yard{needs: func(r *schema.Resource, seen *planner.Observations) []planner.Need {
			if r.Addr.String() == "sync.depot.a" {
				return []planner.Need{{Server: north, What: "x"}}
			}
			if r.Addr.String() != "sync.depot.b" {
				return nil
			}
			for part := range 3 {
				if n := (planner.Need{Server: south, What: "part", Of: fmt.Sprint(part)}); !seen.Has(n) {
					return []planner.Need{n}
				}
			}
			close(read)
			return nil
		}, observe: func(_ context.Context, n planner.Need) (any, error) {
			if n.Server == north {
				<-read // it would be a deadlock otherwise
			}
			return &box{}, nil
		}}
		made(t, yardInput(t, y))
	})
}

// TestFailedOnce: what has failed is not asked for again by a declaration that needs it in the same round.
func TestFailedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failed := make(chan struct{})
		fail := sync.OnceFunc(func() { close(failed) })
		down := planner.Need{Server: north, What: "down"}
		first := map[string]planner.Need{"a": {Server: north, What: "list"}, "b": {Server: south, What: "list"}}
		y := &yard{needs: func(r *schema.Resource, seen *planner.Observations) []planner.Need {
			if r.Addr.Kind == schema.Server {
				return nil
			}
			if list := first[r.Addr.Name]; !seen.Has(list) {
				return []planner.Need{list}
			}
			return []planner.Need{down}
		}, observe: func(_ context.Context, n planner.Need) (any, error) {
			switch {
			case n == down:
				fail()
				return nil, errors.New("no answer")
			case n.Server == south:
				<-failed
				synctest.Wait() // that is known
			}
			return &box{}, nil
		}}
		_, diags := planner.Make(t.Context(), yardInput(t, y))
		if len(diags) != 1 || len(y.made) != 3 {
			t.Errorf("%v; asked for %q", diags, y.made)
		}
	})
}

// errand is a declaration's needs, round by round, each after all of the one before.
type errand [][]planner.Need

// TestWhoAnswersFirst: in whatever order servers answer, what is observed and what is reported is the same as if one
// observation were made after the other, round by round.
func TestWhoAnswersFirst(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 7))
		var errands [2]errand
		fails := map[planner.Need]bool{}
		for i := range errands {
			for round := range random.IntN(4) {
				var needs []planner.Need
				for range random.IntN(12) {
					n := planner.Need{Server: []string{north, south}[random.IntN(2)], What: fmt.Sprint(round),
						Of: fmt.Sprint(random.IntN(30))}
					needs = append(needs, n)
					if random.IntN(40) == 0 {
						fails[n] = true
					}
				}
				errands[i] = append(errands[i], needs)
			}
		}
		observed, reported := inRounds(errands, fails)
		for range 3 {
			seen, diags := inAnyOrder(t, random, errands, fails)
			if diags != reported || reported == "" && seen != observed {
				t.Fatalf("%d: reported %q, want %q; observed\n%s\nwant\n%s", seed, diags, reported, seen, observed)
			}
		}
	}
}

// inRounds makes all observations of a round, one after the other, before it looks at the next one. It says what was
// observed, and the first failure of each server in the first round that has one.
func inRounds(errands [2]errand, fails map[planner.Need]bool) (observed, reported string) {
	var all []string
	for round := range 4 {
		var needs []planner.Need
		for _, e := range errands {
			if round < len(e) {
				needs = append(needs, e[round]...)
			}
		}
		slices.SortFunc(needs, func(a, b planner.Need) int {
			return cmp.Or(strings.Compare(a.Server, b.Server), strings.Compare(a.Of, b.Of))
		})
		var failed []string
		last := ""
		for _, n := range slices.Compact(needs) {
			if all = append(all, n.String()); fails[n] && n.Server != last {
				failed, last = append(failed, n.String()), n.Server
			}
		}
		if len(failed) > 0 {
			return "", strings.Join(failed, ", ")
		}
	}
	slices.Sort(all)
	return strings.Join(all, "\n"), ""
}

// inAnyOrder has a plan made of the errands by servers that answer in any order.
func inAnyOrder(t *testing.T, random *rand.Rand, errands [2]errand, fails map[planner.Need]bool) (seen, diags string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		asked := make(chan chan struct{}, 100)
		y := &yard{needs: func(r *schema.Resource, seen *planner.Observations) []planner.Need {
			if r.Addr.Kind == schema.Server {
				return nil
			}
			for _, needs := range errands[r.Addr.Name[0]-'a'] {
				if slices.ContainsFunc(needs, func(n planner.Need) bool { return !seen.Has(n) }) {
					return needs
				}
			}
			return nil
		}, observe: func(ctx context.Context, n planner.Need) (any, error) {
			answer := make(chan struct{})
			asked <- answer
			select {
			case <-answer:
			case <-ctx.Done():
				return nil, ctx.Err()
			}
			if fails[n] {
				return nil, errors.New(n.String())
			}
			return &box{}, nil
		}}
		in := yardInput(t, y)
		in.Observations, in.Now = planner.NewObservations(), func() time.Time { return time.Time{} }
		ended := make(chan hcl.Diagnostics)
		go func() {
			_, diags := planner.Make(t.Context(), in)
			ended <- diags
		}()
		seen, diags = y.answered(random, in, asked, ended)
	})
	return seen, diags
}

// answered answers one observation after the other, any of those that wait, until the plan is made.
func (y *yard) answered(random *rand.Rand, in planner.Input, asked <-chan chan struct{},
	ended <-chan hcl.Diagnostics) (seen, reported string) {
	var waiting []chan struct{}
	for {
		synctest.Wait()
		for len(asked) > 0 {
			waiting = append(waiting, <-asked)
		}
		select {
		case diags := <-ended:
			var failed []string
			for _, d := range diags {
				failed = append(failed, d.Detail)
			}
			var file bytes.Buffer
			if err := in.Observations.Encode(&file); err != nil {
				return err.Error(), ""
			}
			slices.Sort(y.made)
			return strings.Join(y.made, "\n"), strings.Join(failed, ", ")
		default:
		}
		i := random.IntN(len(waiting))
		close(waiting[i])
		waiting = slices.Delete(waiting, i, i+1)
	}
}
