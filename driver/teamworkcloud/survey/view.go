package survey

import (
	"context"
	"fmt"

	"github.com/syncctl/syncctl/fault"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
	"golang.org/x/sync/errgroup"
)

// View looks at observations for a plan or a verification. What it is asked for and has not been observed yet it
// remembers, so that one function both names the observations that it needs and works with them: it is called again
// until nothing is missing.
type View struct {
	seen    *planner.Observations
	asked   map[planner.Need]bool
	needs   []planner.Need // all that were asked for, in order
	missing []planner.Need
	err     error

	selections map[*Sync]*Selection // those that are complete
	alone      bool                 // see Observer

	scope   Scope
	doubted map[string]bool // servers, by address, that are read as a whole because something was not as it was listed
	doubts  bool            // another one came to be doubted
	strict  bool            // see Strictly
}

// Scope is how much of a server is read for a look.
type Scope int

// The scopes. In each of them all that a step's end rests upon is read for the look, and where something is not as the
// process has listed it before, the whole server.
const (
	Whole  Scope = iota // all that a server has
	Recent              // which resources and categories it has, and what is new; nothing irreversible rests upon it
	Near                // what is selected
)

// NewView looks at what has been observed so far.
func NewView(seen *planner.Observations) *View {
	return &View{seen: seen, asked: map[planner.Need]bool{}, selections: map[*Sync]*Selection{},
		doubted: map[string]bool{}}
}

// Look returns an observation, nil where it has not been made yet.
func Look[T any](v *View, server *schema.Resource, what, of string) *T {
	n := planner.Need{Server: server.Addr.String(), What: what, Of: of}
	if !v.asked[n] {
		v.asked[n] = true
		v.needs = append(v.needs, n)
		if !v.seen.Has(n) {
			v.missing = append(v.missing, n)
		}
	}
	if !v.seen.Has(n) {
		return nil
	}
	body, err := planner.Observed[T](v.seen, n)
	if err != nil {
		v.Fail(err)
		return nil
	}
	return body
}

// Fail notes that the observations cannot be used. The first failure counts.
func (v *View) Fail(err error) {
	if v.err == nil {
		v.err = err
	}
}

// Needs are all observations that were asked for.
func (v *View) Needs() []planner.Need { return v.needs }

// Lacks tells whether an observation that was asked for has not been made yet.
func (v *View) Lacks() bool { return len(v.missing) > 0 }

// Err is why no plan can be made from what was looked at: a failure, or an observation that has not been made.
func (v *View) Err() error {
	if v.err == nil && v.Lacks() {
		return fmt.Errorf("%s: %w", v.missing[0], planner.ErrNotObserved)
	}
	return v.err
}

// atOnce is how many observations are made at a time.
const atOnce = 8

// Gather makes all observations that look asks for, round by round, and calls it with them for the last time.
func Gather(ctx context.Context, o Observer, look func(*View)) error {
	_, err := gather(ctx, o, look)
	return err
}

func gather(ctx context.Context, o Observer, look func(*View)) (*planner.Observations, error) {
	seen, err := o.begin()
	if err != nil {
		return nil, err
	}
	doubted := map[string]bool{}
	for {
		v := NewView(seen)
		v.alone, v.scope, v.doubted = o.Alone, o.Scope, doubted
		look(v)
		if !v.doubts && (v.err != nil || !v.Lacks()) {
			return seen, v.err
		}
		g, gctx := errgroup.WithContext(ctx)
		g.SetLimit(atOnce)
		for _, n := range v.missing {
			g.Go(func() (err error) {
				defer fault.Catch(&err)
				body, err := o.Ask(gctx, n)
				if err == nil {
					seen.Put(n, never, "", body)
				}
				return err
			})
		}
		if err := g.Wait(); err != nil {
			return nil, err
		}
	}
}
