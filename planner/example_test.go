package planner_test

import (
	"context"
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

// lamps is a product whose servers are lamps: they are on or off.
type lamps map[string]bool

// lamp is what is observed of one.
type lamp struct {
	On bool `json:"on"`
}

func (l lamps) Needs(r *schema.Resource, _ *planner.Observations) ([]planner.Need, hcl.Diagnostics) {
	return []planner.Need{{Server: r.Addr.String(), What: "lamp"}}, nil
}

func (l lamps) Observe(_ context.Context, r *schema.Resource, _ planner.Need) (any, error) {
	return &lamp{On: l[r.Addr.Name]}, nil
}

func (l lamps) Plan(c planner.Change) (planner.Outline, hcl.Diagnostics) {
	addr := c.Resource.Addr.String()
	seen, err := planner.Observed[lamp](c.Seen, planner.Need{Server: addr, What: "lamp"})
	if err != nil {
		return planner.Outline{}, hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Cannot plan", Detail: err.Error()}}
	}
	out := planner.Outline{Actual: cty.ObjectVal(map[string]cty.Value{"on": cty.BoolVal(seen.On)})}
	if want := c.Resource.Get("on").True(); want != seen.On {
		out.Action = planner.Update
		q := planner.Sequence{Addr: addr, Servers: []string{addr}}
		q.Then(planner.Act("switch", planner.MarkChange, planner.Idempotent, "switch "+addr))
		q.Then(planner.Check("lit", addr+" shines as declared", 0))
		out.Steps = q.Steps
	}
	return out, nil
}

// Make asks a driver what it needs of each server, has it observe that, and orders the steps that follow from it.
func ExampleMake() {
	fs := afero.NewMemMapFs()
	_ = afero.WriteFile(fs, "conf/main.sync.hcl", []byte(`
server "lamp" "desk" { on = true }
server "lamp" "hall" { on = false }
`), 0o600)
	catalog := schema.Catalog{{Kind: schema.Server, Name: "lamp", Body: schema.Body{Attributes: []schema.Attribute{
		{Name: "on", Type: cty.Bool, Required: true},
	}}}}
	cfg, diags := schema.Load(context.Background(), schema.Options{Fs: fs, Dir: "conf", Catalog: catalog})
	if diags.HasErrors() {
		fmt.Println(diags)
		return
	}
	p, diags := planner.Make(context.Background(), planner.Input{
		Config: cfg, Drivers: func(schema.Addr) planner.Driver { return lamps{"desk": false, "hall": false} },
	})
	if diags.HasErrors() {
		fmt.Println(diags)
		return
	}
	for _, c := range p.Changes {
		for _, d := range c.Diff {
			fmt.Println(c.Addr, d.Path, d.Actual, "->", d.Declared)
		}
	}
	for _, s := range p.Steps {
		fmt.Println(s.Mark, s.ID, s.Needs)
	}
	// Output:
	// server.lamp.desk on false -> true
	// ~ server.lamp.desk/switch []
	// = server.lamp.desk/lit [server.lamp.desk/switch]
}
