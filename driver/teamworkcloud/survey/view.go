package survey

import (
	"context"
	"fmt"

	"github.com/syncctl/syncctl/fault"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
	"golang.org/x/sync/errgroup"
)

// View gives a function the observations that it needs for a plan or a verification. If one has not been made yet, the
// view records that and returns nothing, and the function is called again when it has been made. So one function both
// names the observations it needs and works with them. Each such call is a look.
type View struct {
	seen    *planner.Observations
	asked   map[planner.Need]bool
	needs   []planner.Need // all that were asked for, in order
	missing []planner.Need
	err     error

	selections map[*Sync]*Selection // the complete ones
	alone      bool                 // see Observer

	scope   Scope
	doubted map[string]bool // addresses of servers that are read as a whole because something differs from the listing
	doubts  bool            // a server was added to doubted in this look
	strict  bool            // see Strictly
}

// Scope says how much of a server is read for a look.
type Scope int

// The scopes. In each of them, everything that the result of a step depends on is read for the look. If something
// differs from the cached listing, the whole server is read.
const (
	Whole  Scope = iota // all that a server has
	Recent              // what exists, and the details of what is new; nothing irreversible may depend on it
	Near                // only what is selected
)

// NewView returns a view of the observations made so far.
func NewView(seen *planner.Observations) *View {
	return &View{seen: seen, asked: map[planner.Need]bool{}, selections: map[*Sync]*Selection{},
		doubted: map[string]bool{}}
}

// Look returns an observation, or nil if it has not been made yet.
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

// Fail records that the observations cannot be used. Only the first error is kept.
func (v *View) Fail(err error) {
	if v.err == nil {
		v.err = err
	}
}

// Needs returns all observations that were asked for, in order.
func (v *View) Needs() []planner.Need { return v.needs }

// Lacks reports whether an observation that was asked for has not been made yet.
func (v *View) Lacks() bool { return len(v.missing) > 0 }

// Err returns why no plan can be made: the first failure, or a missing observation. It returns nil if there is no
// reason.
func (v *View) Err() error {
	if v.err == nil && v.Lacks() {
		return fmt.Errorf("%s: %w", v.missing[0], planner.ErrNotObserved)
	}
	return v.err
}

// atOnce is how many observations are made at the same time.
const atOnce = 8

// Gather calls look until it has all observations it asks for, and makes the missing ones between the calls.
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
