package depot

import (
	"context"
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

// box is a box as the depot shows it.
type box struct {
	Color string `json:"color"`
	Label string `json:"label"`
}

func (b *box) String() string { return fmt.Sprintf("it is %s and its label says %q", b.Color, b.Label) }

// observedBox is the body of an observation: it can be written to a file and read again.
type observedBox struct {
	Box *box `json:"box"` // nil: the depot has none of that name
}

// boxNeed names the observation of a box.
func boxNeed(server *schema.Resource, name string) planner.Need {
	return planner.Need{Server: server.Addr.String(), What: "box", Of: name}
}

// Needs are the observations that a plan is made from: the declared box, and the one that it replaces.
func (d *Driver) Needs(r *schema.Resource, _ *planner.Observations) ([]planner.Need, hcl.Diagnostics) {
	if r.Addr.Kind == schema.Server {
		return nil, nil
	}
	b, diags := decodeBox(r)
	if diags.HasErrors() {
		return nil, diags
	}
	needs := []planner.Need{boxNeed(b.Server, b.Box)}
	if b.Replaces != "" {
		needs = append(needs, boxNeed(b.Server, b.Replaces))
	}
	return needs, nil
}

// Observe asks a server for one of them.
func (d *Driver) Observe(ctx context.Context, server *schema.Resource, n planner.Need) (any, error) {
	c, err := d.reader(server)
	if err != nil {
		return nil, err
	}
	b, err := c.box(ctx, n.Of)
	if err != nil {
		return nil, err
	}
	return &observedBox{b}, nil
}

// state is a declared box beside what was observed of it.
type state struct {
	*declaredBox

	now *box // nil: it is missing
	old *box // the one it replaces; nil: there is none
}

func observed(c planner.Change) (state, hcl.Diagnostics) {
	b, diags := decodeBox(c.Resource)
	if diags.HasErrors() {
		return state{}, diags
	}
	s := state{declaredBox: b}
	now, err := planner.Observed[observedBox](c.Seen, boxNeed(b.Server, b.Box))
	if err != nil {
		return s, hcl.Diagnostics{b.Problem("Cannot plan", err.Error())}
	}
	s.now = now.Box
	if b.Replaces != "" {
		old, err := planner.Observed[observedBox](c.Seen, boxNeed(b.Server, b.Replaces))
		if err != nil {
			return s, hcl.Diagnostics{b.Problem("Cannot plan", err.Error())}
		}
		s.old = old.Box
	}
	return s, nil
}

// actual is what was observed in the shape of the declaration, so that syncctl can show the drift. What it
// leaves out is not compared.
func (s state) actual() cty.Value {
	if s.now == nil {
		return cty.NullVal(cty.DynamicPseudoType)
	}
	return cty.ObjectVal(map[string]cty.Value{"color": cty.StringVal(s.now.Color), "label": cty.StringVal(s.now.Label)})
}
