package executor

import (
	"context"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// company is one site: a folder of its own, and a process that reaches its own servers only.
type company struct {
	name  string
	store *Store
	clock *fastClock
	depot *depot // the servers of both; the test looks that only own steps are thrown

	verifies func(*Task) // is told before its process verifies a step; nil: nobody
}

// overTwo is a plan of two sites, whose last step removes something for good; with further steps.
func overTwo(further ...planner.Step) *planner.Plan {
	atA, atB := []string{"server.depot.a"}, []string{"server.depot.b"}
	p := plan(append([]planner.Step{
		{Op: "stop_a", Servers: atA, Mark: planner.MarkChange},
		{Op: "stop_b", Servers: atB, Mark: planner.MarkChange},
		{Op: "export_a", Servers: atA, Mark: planner.MarkAdd, Needs: []string{"stop_a"},
			Writes: []string{"a.json"}},
		{Op: "merge", Servers: atB, Mark: planner.MarkAdd, Needs: []string{"stop_b", "export_a"},
			Reads: []string{"a.json"}, Repeat: planner.Once},
		{Op: "person", Servers: atA, Mark: planner.MarkPerson, Manual: &planner.Manual{},
			Needs: []string{"merge"}},
		{Op: "verify_a", Servers: atA, Mark: planner.MarkCheck, Needs: []string{"person"}},
		{Op: "verify_b", Servers: atB, Mark: planner.MarkCheck, Needs: []string{"person"}},
		{Op: "delete_a", Servers: atA, Mark: planner.MarkFinal, Repeat: planner.Once,
			Needs: []string{"verify_a", "verify_b"}, Guards: []string{"verify_a", "verify_b"},
			Effect: &planner.Effect{Irreversible: true}},
		{Op: "delete_b", Servers: atB, Mark: planner.MarkFinal, Repeat: planner.Once,
			Needs: []string{"delete_a"}, Guards: []string{"verify_a", "verify_b"}, Effect: &planner.Effect{Irreversible: true}},
	}, further...)...)
	out, diags := planner.Make(context.Background(), planner.Input{Config: sitesConfig(),
		Drivers: func(a schema.Addr) planner.Driver {
			if a.Kind == schema.Migration {
				return outliner(p.Steps)
			}
			return outliner(nil)
		}})
	if diags.HasErrors() {
		panic(diags)
	}
	return out
}

func twoCompanies() (a, b *company) {
	d := newDepot()
	clock := &fastClock{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	of := func(name string) *company {
		key := []byte("the key of " + name)
		return &company{name: name, depot: d, clock: clock, store: &Store{Fs: afero.NewMemMapFs(), Dir: "data/runs",
			Now: clock.Now, Site: name, Key: func() ([]byte, error) { return key, nil }}}
	}
	return of("a"), of("b")
}

// files writes the file of a step that exports one.
type exporting struct {
	*depot
	site     string
	verifies func(*Task)
}

// fataler is *testing.T or *rapid.T.
type fataler interface {
	Helper()
	Fatalf(string, ...any)
}

func (d exporting) Execute(ctx context.Context, t *Task) (Result, error) {
	if t.Step.Site != d.site {
		return Result{}, fmt.Errorf("the process of %s carries out %s", d.site, t.Step.ID)
	}
	for _, name := range t.Step.Writes {
		_, err := t.Files.Create(ctx, name, func(w io.Writer) error {
			_, err := fmt.Fprintf(w, "written by %s", t.Step.ID)
			return err
		})
		if err != nil {
			return Result{}, err
		}
	}
	for _, name := range t.Step.Reads {
		f, err := t.Files.Open(name)
		if err != nil {
			return Result{}, NotSent(err)
		}
		_ = f.Close()
	}
	return d.depot.Execute(ctx, t)
}

func (d exporting) Verify(ctx context.Context, t *Task) (Verdict, error) {
	if t.Step.Site != d.site {
		return Verdict{}, fmt.Errorf("the process of %s verifies %s", d.site, t.Step.ID)
	}
	if d.verifies != nil {
		d.verifies(t)
	}
	return d.depot.Verify(ctx, t)
}

// run is the company's run; nil where there is none.
func (c *company) run(t fataler) *Run {
	t.Helper()
	ids, err := c.store.IDs()
	if err != nil || len(ids) == 0 {
		return nil
	}
	r, err := c.store.Load(ids[0])
	if err != nil || r.Damage != nil {
		t.Fatalf("%s: %v, %v", c.name, err, r)
	}
	looked, err := c.store.Look(ids[0], 1)
	if err != nil || !reflect.DeepEqual(looked.Entries, r.Entries) || !reflect.DeepEqual(looked.Chains, r.Chains) {
		t.Fatalf("%s: only looked at, it is %+v (%v), not %+v", c.name, looked, err, r)
	}
	return r
}

// apply carries out what the company can.
func (c *company) apply(t fataler, cfg *schema.Config) *Report {
	t.Helper()
	r := c.run(t)
	if r == nil || r.Finished() {
		return nil
	}
	j, err := c.store.Journal(r, journal.Options{Now: c.clock.Now})
	if err != nil {
		t.Fatalf("%v", err)
	}
	defer func() { _ = j.Close() }()
	if !r.Approved(c.name) {
		if err := Approve(context.Background(), r, j, "somebody of "+c.name); err != nil {
			t.Fatalf("%v", err)
		}
	}
	rep, err := Carry(context.Background(), Options{
		Run: r.ID, Plan: r.Plan, Config: cfg,
		Drivers: func(schema.Addr) Driver { return exporting{c.depot, c.name, c.verifies} },
		Journal: r.United(j), Site: r.Site, Files: c.store.Files(r), Operator: c.depot, Clock: c.clock, Parallelism: 1,
		Poll: Poll{Within: time.Second},
	})
	if err != nil {
		t.Fatalf("%v", err)
	}
	return rep
}

// parcel is what a company hands over, as it was at that time.
type parcel struct {
	h     *Handover
	cargo *Cargo
	files map[string]string
}

func (c *company) pack(t fataler) *parcel {
	t.Helper()
	r := c.run(t)
	if r == nil {
		return nil
	}
	h, cargo, err := c.store.Handover(r)
	if err != nil {
		t.Fatalf("%v", err)
	}
	p := &parcel{h, cargo, map[string]string{}}
	for _, f := range h.Files {
		src, err := afero.ReadFile(c.store.Fs, filepath.Join(r.Dir, filesName, f.Name))
		if err != nil {
			t.Fatalf("%v", err)
		}
		p.files[f.Name] = string(src)
	}
	return p
}

// begin begins a run here.
func (c *company) begin(t fataler, p *planner.Plan) {
	t.Helper()
	if _, err := c.store.Create(p, nil); err != nil {
		t.Fatalf("%v", err)
	}
}

// sendTo hands over what there is, and the other company receives it.
func (c *company) sendTo(t fataler, to *company) {
	t.Helper()
	if err := to.receive(c.pack(t)); err != nil {
		t.Fatalf("%v", err)
	}
}

func (c *company) receive(p *parcel) error {
	in, err := c.store.Receive(p.h, p.cargo)
	if err != nil {
		return err
	}
	wants, err := in.Wants(context.Background())
	if err != nil {
		return err
	}
	for _, f := range wants {
		if err := in.File(context.Background(), f, strings.NewReader(p.files[f.Name])); err != nil {
			return err
		}
	}
	_, err = in.Commit(context.Background(), "signed", journal.Options{Now: c.clock.Now})
	return err
}

const twoSites = `
migration "depot" "all" {}
site "a" {
  signers = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAMoMNpEmejrB+C7Ai2bKqu6erO9RPfBTx7hbTen/mS5 admin@acme"]
}
site "b" {
  signers = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAMoMNpEmejrB+C7Ai2bKqu6erO9RPfBTx7hbTen/mS5 admin@acme"]
}
server "depot" "a" {
  site = "a"
}
server "depot" "b" {
  site = "b"
}
`

func sitesConfig() *schema.Config {
	fsys := afero.NewMemMapFs()
	if err := afero.WriteFile(fsys, "d/main.sync.hcl", []byte(twoSites), 0o600); err != nil {
		panic(err)
	}
	cfg, diags := schema.Load(context.Background(), schema.Options{Fs: fsys, Dir: "d", Site: "b",
		Catalog: schema.Catalog{{Kind: schema.Migration, Name: "depot"}, {Kind: schema.Server, Name: "depot"}}})
	if diags.HasErrors() {
		panic(diags)
	}
	return cfg
}

// The run of two sites from its beginning to its end, with what each side sees between.
func TestRunOfTwoSites(t *testing.T) {
	a, b := twoCompanies()
	cfg := sitesConfig()
	b.begin(t, overTwo())
	away := func(r *Report, step string) bool {
		return slices.ContainsFunc(r.Steps, func(s StepReport) bool {
			return s.Step.Op == step && s.Phase == PhaseAway && len(s.WaitFor) > 0
		})
	}
	if rep := b.apply(t, cfg); rep.Count(PhaseDone) != 1 || !away(rep, "stop_a") {
		t.Fatalf("b alone: %+v", rep)
	}
	b.sendTo(t, a)
	if rep := a.apply(t, cfg); rep.Count(PhaseDone) != 3 || !away(rep, "merge") {
		t.Fatalf("a: %+v", rep)
	}
	a.sendTo(t, b)
	if rep := b.apply(t, cfg); rep.Count(PhaseDone) != 4 {
		t.Fatalf("b merges: %+v", rep)
	}
	b.sendTo(t, a)
	if rep := a.apply(t, cfg); rep.Count(PhaseDone) != 6 || !away(rep, "verify_b") {
		t.Fatalf("a's person and its verification: %+v", rep)
	}
	a.sendTo(t, b)
	b.apply(t, cfg)
	a.clock.mu.Lock()
	a.clock.now = a.clock.now.Add(30 * time.Hour) // the mail takes its time
	a.clock.mu.Unlock()
	b.sendTo(t, a)
	if rep := a.apply(t, cfg); !away(rep, "delete_a") || a.depot.thrown[addr+"/delete_a"] != 0 {
		t.Fatalf("what b has verified is too old: %+v", rep)
	}
	a.sendTo(t, b)
	b.apply(t, cfg) // it verifies again
	b.sendTo(t, a)
	if rep := a.apply(t, cfg); a.depot.thrown[addr+"/delete_a"] != 1 || rep.Finished {
		t.Fatalf("a deletes: %+v", rep)
	}
	a.sendTo(t, b)
	if rep := b.apply(t, cfg); !rep.Finished {
		t.Fatalf("b deletes: %+v", rep)
	}
	r := b.run(t)
	changed := map[string]time.Time{"a": r.LastChange("a"), "b": r.LastChange("b")}
	end, err := b.store.Brief(r.ID)
	if err != nil || end.Run != nil || !maps.EqualFunc(end.End.Changed, changed, time.Time.Equal) {
		t.Errorf("%+v, %v and not %v", end, err, changed)
	}
	if b.run(t).KnowsEnd("a") {
		t.Error("b takes it that a knows the end")
	}
	b.sendTo(t, a)
	if r := a.run(t); !r.Finished() || !r.ended() || !r.KnowsEnd("b") {
		t.Error("a does not know that all is done, or that b knows it")
	}
	a.sendTo(t, b)
	if !b.run(t).KnowsEnd("a") {
		t.Error("b does not know that a knows the end")
	}
	for id, n := range a.depot.thrown {
		if n != 1 {
			t.Errorf("%s was done %d times", id, n)
		}
	}
}
