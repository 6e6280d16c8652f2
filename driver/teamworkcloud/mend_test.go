package teamworkcloud_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/driver/drivertest"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// TestMended checks what can still be corrected in the files after steps of an offload are done, with the same
// observations.
func TestMended(t *testing.T) {
	t.Parallel()
	o := newOffload(removing)
	o.servers["a"]["users"] = append(o.servers["a"]["users"].([]any), j{"name": "zoe", "password": "z"})
	c := o.kase(t)
	text, err := os.ReadFile(filepath.Join(c.Dir, "main.sync.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	s := openCase(t, drivertest.Case{Name: c.Name, Dir: c.Dir, Seed: c.Seed})
	s.text = func(hcl string) string { return hcl }
	seen := planner.NewObservations()
	plan := func(hcl string) (*planner.Plan, *planner.Basis) {
		cfg, d := s.load(hcl)
		defer s.close(d)
		p, diags := planner.Make(t.Context(), planner.Input{Config: cfg, Version: "test", Observations: seen,
			Drivers: func(schema.Addr) planner.Driver { return d }})
		if diags.HasErrors() || len(p.Steps) == 0 {
			t.Fatal(diags)
		}
		return p, planner.NewBasis(cfg, planner.Selection{})
	}
	p, was := plan(string(text))
	const migration, host = "migration \"teamwork_cloud_offload\" \"cars\" {", "  host {\n"
	for name, c := range map[string]struct {
		until, old, with string // the last step that is done; what is mended
		mends            bool
	}{
		"copies take longer": {"configure", "target_category =", "verify { within = \"3h\" }\n  target_category =",
			true},
		"somebody stays logged in":  {"idle_source", migration, migration + "\n  allow_logged_in = true", false},
		"somebody is logged in":     {"remove_configuration", migration, migration + "\n  allow_logged_in = true", true},
		"Data Manager is elsewhere": {"stop_source", host, host + "    datamanager = [\"/opt/dm\"]\n", false},
		"another command to stop":   {"remove_configuration", host, host + "    stop = [[\"halt\"]]\n", true},
		"the database's program": {"backup_source", host, host + "    database = [\"/opt/nodetool\", \"status\"]\n",
			false},
		"another order":    {"configure", migration, migration + "\n  order = \"as_documented\"", false},
		"more is selected": {"preflight", `["Cars"]`, `["Cars", "Bikes"]`, false},
	} {
		fixed := map[string]bool{}
		for i := range p.Steps {
			fixed[p.Steps[i].ID] = true
			if strings.HasPrefix(p.Steps[i].Op, c.until) {
				break
			}
		}
		mended := strings.Replace(string(text), c.old, c.with, 1)
		if mended == string(text) {
			t.Fatalf("%s: nothing is mended", name)
		}
		revised, is := plan(mended)
		r := planner.Revise(p, revised, was, is, fixed)
		if (len(r.Touched) == 0) != c.mends {
			t.Errorf("%s: %+v", name, r.Touched)
		}
		if !slices.ContainsFunc(p.Steps, func(s planner.Step) bool {
			return fixed[s.ID] && strings.HasPrefix(s.Op, c.until)
		}) {
			t.Errorf("%s: no step %s", name, c.until)
		}
	}
}
