package teamworkcloud_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/drivertest"
	"github.com/syncctl/syncctl/driver/teamworkcloud"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/sandbox"
)

// twc is the product with its simulator.
func twc() drivertest.Bench {
	return drivertest.Bench{
		Product: "teamwork_cloud",
		New: func(env driver.Env) driver.Driver {
			env.Sleep = nil // a server that starts takes its time: a request that is repeated at once does not meet it
			return teamworkcloud.New(env)
		},
		Simulator: func(seed []byte) (sandbox.World, error) { return twcsim.Open(seed) },
	}
}

// sampled returns all of a table of whole flows, and with -short a third of it, by chance.
func sampled[T any](t *testing.T, table map[string]T) map[string]T {
	t.Helper()
	out := map[string]T{}
	for _, name := range drivertest.Sample(drivertest.Random(t), slices.Sorted(maps.Keys(table)), len(table)) {
		out[name] = table[name]
	}
	return out
}

// example is a folder in examples with its seed.
func example(t *testing.T, name string, refused bool) drivertest.Case {
	t.Helper()
	dir := filepath.Join("..", "..", "examples", name)
	seed, err := os.ReadFile(filepath.Join(dir, "sandbox.json"))
	if err != nil {
		t.Fatal(err)
	}
	return drivertest.Case{Name: name, Dir: dir, Seed: seed, Refused: refused}
}

// j is a JSON object in a seed.
type j = map[string]any

// world is a seed with two servers, a and b, which tests change before it is encoded, and the text of a configuration.
type world struct {
	servers map[string]j
	hcl     string
}

// newWorld has two resources in category Cars on a, which the user reader may read, and an empty b with a user who has
// all rights.
func newWorld(hcl string) *world {
	w := &world{servers: map[string]j{}, hcl: hcl}
	for _, name := range []string{"a", "b", "c"} {
		upper := strings.ToUpper(name)
		w.servers[name] = j{
			"version": "2024x Refresh3",
			"env": j{"url": upper + "_URL", "user": upper + "_USER", "password": upper + "_PASSWORD",
				"account": "syncctl"},
			"sync_address": "twc." + name + ".example",
			"users": []any{j{"name": "syncctl", "password": "geheim-" + name, "roles": []any{
				j{"role": "Resource Manager"}, j{"role": "Server Administrator"}, j{"role": "Security Manager"},
				j{"role": "Resource Creator"}, j{"role": "Resource Synchronization Manager"},
			}}},
			"categories": []any{},
			"resources":  []any{},
		}
	}
	w.add("a", "categories", j{"path": "Cars"}, j{"path": "Bikes"})
	w.add("a", "resources", resource("Engine", "Cars", "branches", []any{j{"name": "trunk"}, j{"name": "dev", "from": 2}},
		"revisions", []any{rev(1, "", "ann"), rev(2, "", "bob"), rev(3, "dev", "ann"), rev(5, "", "bob"),
			rev(6, "dev", "eve")},
		"tags", []any{j{"name": "R1", "revision": 2}}),
		resource("Gearbox", "Cars"), resource("Frame", "Bikes"))
	return w
}

func rev(n int, branch, author string) j {
	return j{"n": n, "branch": branch, "author": author, "created": fmt.Sprintf("2025-03-%02dT10:00:00Z", n),
		"description": fmt.Sprint("change ", n)}
}

// ids holds the IDs of the resources by name.
var ids = map[string]string{
	"Engine": "0a000000-0000-4000-8000-000000000001", "Gearbox": "0a000000-0000-4000-8000-000000000002",
	"Frame": "0a000000-0000-4000-8000-000000000003",
}

// resource has four revisions by default. more is a list of names and values.
func resource(name, category string, more ...any) j {
	r := j{"id": ids[name], "project_id": "PROJECT-" + name, "name": name, "category": category}
	for i := 0; i < len(more); i += 2 {
		r[more[i].(string)] = more[i+1]
	}
	if r["id"] == "" {
		delete(r, "id")
	}
	if r["revisions"] == nil {
		r["generate"] = j{"revisions": 4, "authors": []any{"ann"}, "start": "2025-01-06T08:00:00Z", "every": "24h"}
	}
	return r
}

func (w *world) add(server, list string, more ...j) *world {
	all := w.servers[server][list].([]any)
	for _, m := range more {
		all = append(all, m)
	}
	w.servers[server][list] = all
	return w
}

func (w *world) set(server, name string, value any) *world {
	w.servers[server][name] = value
	return w
}

// roles sets the roles of a server's user: "Role", or "Role@category".
func (w *world) roles(server string, roles ...string) *world {
	var all []any
	for _, r := range roles {
		role, category, on := strings.Cut(r, "@")
		one := j{"role": role}
		if on {
			one["categories"] = []any{category}
		}
		all = append(all, one)
	}
	w.servers[server]["users"].([]any)[0].(j)["roles"] = all
	return w
}

// everything is the roles for all rights except synchronizing.
var everything = []string{"Resource Manager", "Server Administrator", "Security Manager", "Resource Creator"}

// versions sets the release of all servers.
func (w *world) versions(text string) *world {
	for _, s := range w.servers {
		s["version"] = text
	}
	return w
}

// servers is the beginning of every configuration here. Tests replace SYNC_A and the like.
const servers = `
server "teamwork_cloud" "a" {
  url          = env("A_URL")
  sync_address = "twc.a.example"
  user         = env("A_USER")
  password     = env("A_PASSWORD")
  ca_file      = env("SYNCCTL_SANDBOX_CA_FILE")
}
server "teamwork_cloud" "b" {
  url          = env("B_URL")
  sync_address = "twc.b.example"
  user         = env("B_USER")
  password     = env("B_PASSWORD")
  ca_file      = env("SYNCCTL_SANDBOX_CA_FILE")
}
server "teamwork_cloud" "c" {
  url          = env("C_URL")
  sync_address = "twc.c.example"
  user         = env("C_USER")
  password     = env("C_PASSWORD")
  ca_file      = env("SYNCCTL_SANDBOX_CA_FILE")
}
`

// cars is a sync of a category. Tests add lines at MORE.
const cars = `
sync "teamwork_cloud" "cars" {
  source          = server.teamwork_cloud.a
  target          = server.teamwork_cloud.b
  categories      = ["Cars"]
  target_category = "From A"
  MORE
}
`

func with(text string, more ...string) string {
	return strings.Replace(text, "MORE", strings.Join(more, "\n  "), 1)
}

func (w *world) kase(t *testing.T) drivertest.Case {
	t.Helper()
	seed, err := json.Marshal(j{"teamwork_cloud": j{"now": "2026-03-02T08:00:00Z", "servers": w.servers}})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.sync.hcl"), []byte(servers+with(w.hcl)), 0o600); err != nil {
		t.Fatal(err)
	}
	return drivertest.Case{Name: t.Name(), Dir: dir, Seed: seed}
}

func (w *world) rehearse(t *testing.T, o drivertest.Rehearsal) drivertest.Outcome {
	t.Helper()
	return drivertest.Rehearse(t, twc(), w.kase(t), o)
}

// goes applies the world's configuration completely; the second plan has no steps.
func (w *world) goes(t *testing.T, o drivertest.Rehearsal) drivertest.Outcome {
	t.Helper()
	return carriedOut(t, w.rehearse(t, o))
}

// carriedOut fails unless the run was completed and nothing is left to do.
func carriedOut(t *testing.T, out drivertest.Outcome) drivertest.Outcome {
	t.Helper()
	if out.Plan == nil {
		t.Fatal(out.Diags)
	}
	if r := out.Plan.Refusals(); len(r) > 0 {
		t.Fatalf("refused: %+v", r)
	}
	if !out.Report.Finished {
		t.Fatalf("not finished:\n%s", ended(out))
	}
	if out.Again == nil || len(out.Again.Steps)+len(out.Again.Refusals()) > 0 {
		t.Fatalf("the second plan is not empty: %s\n%+v", ops(out.Again), out.Again.Findings)
	}
	return out
}

// plans makes a plan without applying it.
func (w *world) plans(t *testing.T) *planner.Plan {
	t.Helper()
	return w.open(t).plan(w.hcl)
}

// ended describes how each step ended.
func ended(out drivertest.Outcome) string {
	var b strings.Builder
	for i := range out.Report.Steps {
		s := &out.Report.Steps[i]
		fmt.Fprintf(&b, "%s %s: %s\n", s.Step.ID, s.Phase, s.Why)
	}
	return b.String()
}

// ops returns the names of a plan's steps in short: configurations without their fingerprints.
func ops(p *planner.Plan) string {
	var out []string
	for i := range p.Steps {
		op := p.Steps[i].Op
		for _, prefix := range []string{"configure_", "remove_configuration_"} {
			if strings.HasPrefix(op, prefix) {
				op = strings.TrimSuffix(prefix, "_")
			}
		}
		out = append(out, op)
	}
	return strings.Join(out, " ")
}

// finding returns the finding of a rule, or nil if there is none.
func finding(p *planner.Plan, rule string) *planner.Finding {
	i := slices.IndexFunc(p.Findings, func(f planner.Finding) bool { return f.Rule == "teamwork_cloud/"+rule })
	if i < 0 {
		return nil
	}
	return &p.Findings[i]
}

// step returns the first step whose name begins with op.
func step(t *testing.T, p *planner.Plan, op string) *planner.Step {
	t.Helper()
	for i := range p.Steps {
		if strings.HasPrefix(p.Steps[i].Op, op) {
			return &p.Steps[i]
		}
	}
	t.Fatalf("no step %s among %s", op, ops(p))
	return nil
}
