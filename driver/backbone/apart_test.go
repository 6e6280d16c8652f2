package backbone_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/backbone"
	"github.com/syncctl/syncctl/driver/drivertest"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/sandbox"
	"github.com/syncctl/syncctl/schema"
)

const siteBlocks = `
site "a" {
  signers = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAMoMNpEmejrB+C7Ai2bKqu6erO9RPfBTx7hbTen/mS5 admin@acme"]
}

site "b" {
  signers = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAMoMNpEmejrB+C7Ai2bKqu6erO9RPfBTx7hbTen/mS5 admin@acme"]
}
`

// party is one of two companies. It has its own folder, and no secrets of the other.
type party struct {
	*bench
	site  string
	store *executor.Store
}

// parties are the two sides of an example. cloud is the site of the cloud.
func parties(t *testing.T, example, cloud string, more ...any) map[string]*party {
	t.Helper()
	b := newBench(t, example, more...)
	text, err := os.ReadFile(filepath.Join(b.dir, "main.sync.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	config := strings.Replace(string(text)+siteBlocks, "  deployment = \"cloud\"\n",
		"  deployment = \"cloud\"\n  site       = site."+cloud+"\n", 1)
	b.dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(b.dir, "main.sync.hcl"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	out := map[string]*party{}
	for _, site := range []string{"a", "b"} {
		own := &bench{t: t, dir: b.dir, box: b.box, env: maps.Clone(b.env), ca: b.ca}
		for name := range b.env {
			other := strings.Contains(name, "jira_"+map[string]string{"a": "b", "b": "a"}[site]+"_")
			ofCloud := strings.Contains(name, "_cloud_")
			if other && (!ofCloud || cloud != site) {
				delete(own.env, name)
			}
		}
		out[site] = &party{bench: own, site: site, store: &executor.Store{Fs: afero.NewOsFs(), Now: time.Now, Site: site,
			Dir: filepath.Join(t.TempDir(), "runs")}}
	}
	return out
}

func (p *party) load() (*schema.Config, driver.Driver) {
	p.t.Helper()
	d := backbone.New(driver.Env{Fs: afero.NewOsFs(), Version: "test", Now: time.Now, Sleep: drivertest.NoSleep})
	cfg, diags := schema.Load(p.t.Context(), schema.Options{
		Fs: afero.NewOsFs(), Dir: p.dir, Catalog: d.Types(), Site: p.site,
		Env: func(name string) (string, bool) { v, ok := p.env[name]; return v, ok },
	})
	if diags.HasErrors() {
		p.t.Fatal(p.site, diags)
	}
	return cfg, d
}

// look returns what the party's servers show.
func (p *party) look(seen *planner.Observations) *planner.Observations {
	p.t.Helper()
	cfg, d := p.load()
	own, diags := planner.Look(p.t.Context(), planner.Input{Config: cfg, Observations: seen,
		Drivers: func(schema.Addr) planner.Driver { return d }})
	if diags.HasErrors() {
		p.t.Fatal(p.site, diags)
	}
	return own
}

func (p *party) planFrom(seen *planner.Observations) (*planner.Plan, hcl.Diagnostics) {
	cfg, d := p.load()
	return planner.Make(p.t.Context(), planner.Input{Config: cfg, Observations: seen, Version: "test",
		Drivers: func(schema.Addr) planner.Driver { return d }})
}

// run returns the party's run, or nil if it has none yet.
func (p *party) run() *executor.Run {
	p.t.Helper()
	ids, err := p.store.IDs()
	if err != nil {
		p.t.Fatal(err)
	}
	if len(ids) == 0 {
		return nil
	}
	r, err := p.store.Load(ids[0])
	if err != nil || r.Damage != nil {
		p.t.Fatal(p.site, err, r)
	}
	return r
}

// carry carries out what the party can. Nothing may fail.
func (p *party) carry() *executor.Report {
	p.t.Helper()
	rep := p.goOn()
	for _, s := range rep.Steps {
		if s.Phase == executor.PhaseFailed || s.Phase == executor.PhaseStuck || s.Phase == executor.PhaseWaiting {
			p.t.Fatalf("%s: %s is %s: %s", p.site, s.Step.ID, s.Phase, s.Why)
		}
	}
	return rep
}

// goOn carries out what the party can.
func (p *party) goOn() *executor.Report {
	p.t.Helper()
	r := p.run()
	cfg, d := p.load()
	j, err := p.store.Journal(r, journal.Options{Now: time.Now})
	if err != nil {
		p.t.Fatal(err)
	}
	defer j.Close()
	if !r.Approved(p.site) {
		if err := executor.Approve(p.t.Context(), r, j, "somebody"); err != nil {
			p.t.Fatal(err)
		}
	}
	rep, err := executor.Carry(p.t.Context(), executor.Options{
		Run: r.ID, Plan: r.Plan, Config: cfg, Drivers: onlyDriver(d), Site: p.site,
		Files: p.store.Files(r), Journal: r.United(j), Operator: p.bench, Clock: realClock{},
		Poll: executor.Poll{First: 5 * time.Millisecond, Most: 50 * time.Millisecond, Within: 20 * time.Second},
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return rep
}

// hand passes on what the other party does not have yet.
func (p *party) hand(to *party) {
	p.t.Helper()
	r := p.run()
	h, cargo, err := p.store.Handover(r)
	if err != nil {
		p.t.Fatal(err)
	}
	in, err := to.store.Receive(h, cargo)
	if err != nil {
		p.t.Fatal(err)
	}
	wants, err := in.Wants(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	for _, f := range wants {
		src, err := p.store.Files(r).Open(f.Name)
		if err == nil {
			err = in.File(p.t.Context(), f, src)
			_ = src.Close()
		}
		if err != nil {
			p.t.Fatal(err)
		}
	}
	if _, err := in.Commit(p.t.Context(), "signed", journal.Options{Now: time.Now}); err != nil {
		p.t.Fatal(err)
	}
}

// TestTwoCompanies checks both variants of the guide. Each company has only its own secrets. It takes as many
// exchanges as the plan says, and the second plan is empty.
func TestTwoCompanies(t *testing.T) {
	for name, row := range map[string]struct{ example, cloud, plans string }{
		"the master moves":                        {"behind-firewall-master", "a", "b"},
		"the master moves, and plans":             {"behind-firewall-master", "a", "a"},
		"the slave moves":                         {"behind-firewall-slave", "b", "a"},
		"the slave moves to a cloud of the other": {"behind-firewall-slave", "a", "a"},
	} {
		t.Run(name, func(t *testing.T) {
			all := parties(t, row.example, row.cloud)
			at := all[row.plans]
			other := all[map[string]string{"a": "b", "b": "a"}[row.plans]]
			seen := other.look(nil)
			mine := at.look(seen)
			again := other.look(mine) // it may need other things, depending on what the other shows
			again.Take(mine)
			p, diags := at.planFrom(again)
			if diags.HasErrors() || len(p.Refusals()) > 0 {
				t.Fatal(diags, p)
			}
			if _, err := at.store.Create(p, nil); err != nil {
				t.Fatal(err)
			}
			done := func(r *executor.Report) bool { return r.Finished }
			handed := 0
			for !done(at.carry()) {
				at.hand(other)
				if handed++; handed > p.Exchanges() {
					t.Fatalf("more than %d exchanges", p.Exchanges())
				}
				at, other = other, at
			}
			t.Logf("%d exchanges of %d, %d steps", handed, p.Exchanges(), len(p.Steps))
			at.hand(other)
			if !other.run().Finished() {
				t.Error("the other company does not know that all is done")
			}
			seen = other.look(at.look(nil))
			seen.Take(at.look(nil))
			if p, diags = at.planFrom(seen); diags.HasErrors() || len(p.Steps) > 0 {
				t.Errorf("a second plan has %d steps: %v", len(p.Steps), diags)
			}
		})
	}
}

// TestReconfiguredApart checks a half whose configuration is changed after the plan. It is not stopped, although
// nobody on its site knows how the other half is configured. Steps that build the new synchronization depend on both
// halves, wherever they are.
func TestReconfiguredApart(t *testing.T) {
	all := parties(t, "behind-firewall-master", "a")
	at, other := all["a"], all["b"]
	mine := at.look(other.look(nil))
	seen := other.look(mine)
	seen.Take(mine)
	p, diags := at.planFrom(seen)
	if diags.HasErrors() || len(p.Refusals()) > 0 {
		t.Fatal(diags, p)
	}
	built := 0
	for _, s := range p.Steps {
		if !strings.HasPrefix(s.Op, "pair_") && s.Op != "start" {
			continue
		}
		built++
		for _, role := range []string{"master", "slave"} {
			if !slices.ContainsFunc(s.Guards, func(id string) bool { return strings.HasSuffix(id, "still_"+role) }) {
				t.Errorf("%s is not guarded by the %s's half: %q", s.ID, role, s.Guards)
			}
		}
	}
	if built == 0 {
		t.Error("nothing is built")
	}
	if _, err := at.store.Create(p, nil); err != nil {
		t.Fatal(err)
	}
	at.person("configure_sync", "server", "a", "integration", "INT-4", "comments", "false")
	why := ""
	for _, s := range at.goOn().Steps {
		if s.Phase == executor.PhaseFailed {
			why += s.Step.Op + ": " + s.Why
		}
		if s.Step.Op == "stop_master" && s.Phase == executor.PhaseDone {
			t.Error("it is stopped")
		}
	}
	if !strings.Contains(why, "preflight_master") || !strings.Contains(why, "from.master.configuration was") {
		t.Errorf("stopped by %q", why)
	}
}

// TestReconfiguredUnseen checks that if a part of a configuration cannot be read, changes are noticed by the time of
// the last change, or if that cannot be read either, by a person.
func TestReconfiguredUnseen(t *testing.T) {
	hidden := func(member string) any {
		return sandbox.Hidden{Part: sandbox.Part{Method: "GET", Member: member,
			Route: "/plugins/servlet/backbone-issue-sync/api/*/integrations/*"}, Way: sandbox.Removed}
	}
	for name, hide := range map[string][]any{
		"by its time": {hidden("comments")}, "by a person": {hidden("comments"), hidden("lastModifiedDate")},
	} {
		t.Run(name, func(t *testing.T) {
			all := parties(t, "behind-firewall-master", "a", hide...)
			at, other := all["a"], all["b"]
			mine := at.look(other.look(nil))
			seen := other.look(mine)
			seen.Take(mine)
			p, diags := at.planFrom(seen)
			if diags.HasErrors() || len(p.Refusals()) > 0 {
				t.Fatal(diags, p)
			}
			asked := 0
			for _, s := range p.Steps {
				if s.Verb == "no_errors" && strings.Contains(s.Manual.Attest, "nobody has changed its configuration") {
					asked++
				}
			}
			if asked != 2*(len(hide)-1) {
				t.Errorf("%d words", asked)
			}
			if _, err := at.store.Create(p, nil); err != nil {
				t.Fatal(err)
			}
			if asked == 0 {
				at.person("configure_sync", "server", "a", "integration", "INT-4", "comments", "false")
			}
			why := ""
			for _, s := range at.goOn().Steps {
				if s.Phase == executor.PhaseFailed || s.Step.Op == "preflight_master" {
					why += string(s.Phase) + " " + s.Step.Op + ": " + s.Why
				}
				if s.Step.Op == "stop_master" && (s.Phase == executor.PhaseDone) != (asked > 0) {
					t.Error("stop_master is", s.Phase)
				}
			}
			want := map[bool]string{true: "done preflight_master", false: "from.master.configuration was"}[asked > 0]
			if !strings.Contains(why, want) {
				t.Errorf("it ends with %q", why)
			}
		})
	}
}

// TestRestApart checks a migration on two sites whose original is to be deleted by a later run. No process can verify
// what the deletion depends on, so the plan says what people do instead. Once they have done it, nothing is left to
// do.
func TestRestApart(t *testing.T) {
	all := parties(t, "behind-firewall-master", "a")
	at, other := all["a"], all["b"]
	name := filepath.Join(at.dir, "main.sync.hcl")
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	const block = "  delete_original {\n    allow = 2\n  }\n"
	if err := os.WriteFile(name, []byte(strings.Replace(string(whole), block, "", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	plan := func() (*planner.Plan, hcl.Diagnostics) {
		seen := other.look(at.look(other.look(nil)))
		seen.Take(at.look(seen))
		return at.planFrom(seen)
	}
	p, diags := plan()
	if diags.HasErrors() || len(p.Refusals()) > 0 {
		t.Fatal(diags, p)
	}
	if _, err := at.store.Create(p, nil); err != nil {
		t.Fatal(err)
	}
	for !at.carry().Finished {
		at.hand(other)
		at, other = other, at
	}
	at = all["a"]
	other = all["b"]
	if p, diags = plan(); diags.HasErrors() || len(p.Steps) > 0 {
		t.Fatal(diags, p)
	}
	if err := os.WriteFile(name, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ delete, key, want string }{
		{"a", "INT-4", "is INT-4 on server.backbone.a and INT-5 on server.backbone.b."},
		{"b", "INT-5", "is INT-5 on server.backbone.b."}, {"", "", ""},
	} {
		p, diags := plan()
		if c.want == "" && (diags.HasErrors() || len(p.Steps) > 0) || c.want != "" &&
			(!strings.Contains(diags.Error(), c.want) || !strings.Contains(diags.Error(), "by hand")) {
			t.Errorf("before %q is deleted: %v, %v", c.delete, diags, p)
		}
		if c.delete != "" {
			at.person("delete_sync", "server", c.delete, "integration", c.key)
		}
	}
}
