package drivertest

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

// checkAlone carries out the case while only the servers that the current step names are reachable. If a step
// contacts another server, the run does not end.
func checkAlone(t *testing.T, b Bench, c Case) {
	w := open(t, b, c)
	r, err := w.store.Create(w.plan(), nil)
	if err != nil {
		t.Fatal(err)
	}
	cfg, _ := w.load()
	w.parallelism = 1
	rep := w.carry(t.Context(), r, func(d executor.Driver, o executor.Operator) (executor.Driver, executor.Operator) {
		return &isolated{Driver: d, w: w, plan: r.Plan, names: w.serversOf(cfg)}, o
	})
	if !rep.Finished {
		t.Errorf("with the servers that no step names out of reach, the run does not end:%s", unfinished(rep))
	}
}

// isolated is a driver that reaches only the servers of the current step.
type isolated struct {
	executor.Driver
	w     *world
	plan  *planner.Plan
	names map[string][]string // of simulated servers, by the address of the declaration
}

func (x *isolated) Execute(ctx context.Context, t *executor.Task) (executor.Result, error) {
	defer x.reach(t.Step.Servers)()
	return x.Driver.Execute(ctx, t)
}

func (x *isolated) Verify(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	defer x.reach(t.Step.Servers)()
	return x.Driver.Verify(ctx, t)
}

// Facts is not told for which step facts are read again. It looks for the step with exactly these facts.
func (x *isolated) Facts(ctx context.Context, r *schema.Resource, names []string) (map[string]string, error) {
	for i := range x.plan.Steps {
		s := &x.plan.Steps[i]
		has := func(name string) bool {
			return slices.ContainsFunc(s.Facts, func(f planner.Fact) bool { return f.Name == name })
		}
		if s.Addr == r.Addr.String() && len(s.Facts) == len(names) &&
			!slices.ContainsFunc(names, func(n string) bool { return !has(n) }) {
			defer x.reach(s.Servers)()
			break
		}
	}
	return x.Driver.Facts(ctx, r, names)
}

// reach makes only the servers of the given declarations reachable, until the returned function is called.
func (x *isolated) reach(servers []string) (release func()) {
	names := []string{}
	for _, addr := range servers {
		names = append(names, x.names[addr]...)
	}
	x.w.box.Isolate(names)
	return func() { x.w.box.Isolate(nil) }
}

// serversOf returns the simulated servers and machines whose addresses a declaration contains, by the declaration's
// address.
func (w *world) serversOf(cfg *schema.Config) map[string][]string {
	byText := map[string]string{}
	for _, s := range w.box.Servers() {
		byText[strings.TrimRight(s.URL, "/")] = s.Name
	}
	for _, m := range w.box.Machines() {
		byText[m.Address] = m.Name
	}
	out := map[string][]string{}
	for _, r := range cfg.Resources {
		if r.Addr.Kind != schema.Server && r.Addr.Kind != schema.Keystore {
			continue
		}
		_ = cty.Walk(schema.Reveal(r.Value), func(_ cty.Path, v cty.Value) (bool, error) {
			if v.Type() != cty.String || v.IsNull() || !v.IsKnown() {
				return true, nil
			}
			if name, ok := byText[strings.TrimRight(v.AsString(), "/")]; ok && !slices.Contains(out[r.Addr.String()], name) {
				out[r.Addr.String()] = append(out[r.Addr.String()], name)
			}
			return true, nil
		})
	}
	return out
}
