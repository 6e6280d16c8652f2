package planner_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// replacing is a depot whose synchronizations can be made again, but for one.
type replacing struct {
	*depot

	asked []string // to be made again, in plans
}

func (d *replacing) Replaces(of schema.Addr) bool { return of.Type == "depot" }

func (d *replacing) Irreplaceable(r *schema.Resource, users []schema.Addr) string {
	if (r.Addr.Name == "base" || r.Addr.Name == "forever") && len(users) == 0 {
		return r.Addr.Name + " is for ever"
	}
	return ""
}

func (d *replacing) Plan(c planner.Change) (planner.Outline, hcl.Diagnostics) {
	if c.Replace {
		d.asked = append(d.asked, c.Resource.Addr.String())
	}
	return d.depot.Plan(c)
}

// TestReplace: what is named is planned again, and nothing else; what cannot be, or is left out, is refused where it is
// declared.
func TestReplace(t *testing.T) {
	cfg := load(t, moving+"sync \"depot\" \"safe\" {\n  lifecycle {\n    prevent_destroy = true\n  }\n}\n"+
		"sync \"depot\" \"forever\" {\n  lifecycle {\n    prevent_destroy = true\n  }\n}\n")
	addr := func(text string) schema.Addr {
		a, err := schema.ParseAddr(text)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	for name, c := range map[string]struct {
		replace, target string
		refused         string
	}{
		"what can be":               {"sync.depot.apart", "", ""},
		"the driver says no":        {"sync.depot.base", "", "base is for ever"},
		"a server":                  {"server.depot.north", "", "none is made"},
		"a migration":               {"migration.depot_move.m", "", "resolve -abandon"},
		"what a migration owns":     {"sync.depot.new", "", "migration.depot_move.m"},
		"what is protected":         {"sync.depot.safe", "", "prevent_destroy"},
		"protected, and a no":       {"sync.depot.forever", "", "forever is for ever"},
		"what a target leaves out":  {"sync.depot.apart", "sync.depot.base", "left out"},
		"what is not declared":      {"sync.depot.aprat", "", "sync.depot.aprat"},
		"what a target takes along": {"sync.depot.apart", "sync.depot.apart", ""},
	} {
		d := &replacing{depot: movingDepot()}
		in := input(cfg, d.depot)
		in.Drivers = func(schema.Addr) planner.Driver { return d }
		in.Replace = []schema.Addr{addr(c.replace)}
		if c.target != "" {
			in.Targets = []schema.Addr{addr(c.target)}
		}
		p, diags := planner.Make(t.Context(), in)
		if c.refused != "" {
			if p != nil || len(diags) != 1 || !strings.Contains(diags[0].Detail, c.refused) || len(d.asked) > 0 {
				t.Errorf("%s: %v, asked %v", name, diags, d.asked)
			}
			continue
		}
		if diags.HasErrors() || !slices.Equal(d.asked, []string{c.replace}) {
			t.Errorf("%s: %v, asked %v", name, diags, d.asked)
			continue
		}
		for _, change := range p.Changes {
			if want := change.Addr == c.replace; want != (change.Action == planner.Replace) {
				t.Errorf("%s: %s is %s", name, change.Addr, change.Action)
			}
		}
	}
	in := input(cfg, movingDepot()) // which replaces nothing
	in.Replace = []schema.Addr{addr("sync.depot.apart")}
	if p, diags := planner.Make(t.Context(), in); p != nil || len(diags) != 1 {
		t.Errorf("%v", diags)
	}
}

// TestSelectReplaced: a whole address is needed, which no pattern is.
func TestSelectReplaced(t *testing.T) {
	cfg := load(t, moving)
	got, err := planner.SelectReplaced(cfg, planner.Selection{Replaces: []string{"sync.depot.apart", "sync.depot.apart"}})
	if err != nil || len(got) != 1 || got[0].String() != "sync.depot.apart" {
		t.Errorf("%v, %v", got, err)
	}
	for _, text := range []string{"", "*", "sync.depot.*", "sync.depot.aprat", "apart"} {
		var none *planner.NoMatchError
		if _, err := planner.SelectReplaced(cfg, planner.Selection{Replaces: []string{text}}); !errors.As(err, &none) ||
			none.Flag != planner.ReplaceFlag || none.Pattern != text {
			t.Errorf("%q: %v", text, err)
		}
	}
}
