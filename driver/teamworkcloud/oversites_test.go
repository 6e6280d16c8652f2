package teamworkcloud_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/drivertest"
	"github.com/syncctl/syncctl/driver/teamworkcloud"
	"github.com/syncctl/syncctl/driver/teamworkcloud/revision"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/sandbox"
	"github.com/syncctl/syncctl/schema"
)

// company is one of several companies. It has its own folder, and no secrets of others.
type company struct {
	*site
	name  string
	store *executor.Store
	sent  []byte                           // all that it has sent
	seen  map[string]*planner.Observations // by company, what it has received
}

// companies makes each server of the world a site, and companies of those named, each with only its own secrets.
func companies(t *testing.T, c drivertest.Case, names ...string) map[string]*company {
	t.Helper()
	box := openCase(t, c)
	text, err := os.ReadFile(filepath.Join(c.Dir, "main.sync.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	config := string(text)
	for _, name := range []string{"a", "b", "c"} {
		config = strings.Replace(config, "  sync_address = \"twc."+name+".example\"\n",
			"  sync_address = \"twc."+name+".example\"\n  site = site."+name+"\n", 1)
		config += "site \"" + name + "\" {\n  signers = [\"ssh-ed25519 " +
			"AAAAC3NzaC1lZDI1NTE5AAAAIAMoMNpEmejrB+C7Ai2bKqu6erO9RPfBTx7hbTen/mS5 admin@acme\"]\n}\n"
	}
	out := map[string]*company{}
	for _, name := range names {
		own := *box
		own.env, own.text = maps.Clone(box.env), func(string) string { return config }
		for variable := range box.env {
			of, _, _ := strings.Cut(variable, "_")
			foreign := slices.Contains(names, strings.ToLower(of)) && of != strings.ToUpper(name)
			if foreign && !strings.HasSuffix(variable, "_URL") { // addresses are known
				delete(own.env, variable)
			}
		}
		out[name] = &company{site: &own, name: name, seen: map[string]*planner.Observations{},
			store: &executor.Store{Fs: afero.NewOsFs(), Now: time.Now, Site: name,
				Dir: filepath.Join(t.TempDir(), "runs")}}
	}
	return out
}

func (c *company) load() (*schema.Config, driver.Driver) {
	c.t.Helper()
	if err := os.WriteFile(filepath.Join(c.dir, "main.sync.hcl"), []byte(c.text("")), 0o600); err != nil {
		c.t.Fatal(err)
	}
	d := teamworkcloud.New(driver.Env{Fs: afero.NewOsFs(), Log: hclog.NewNullLogger(), Version: "test", Now: time.Now})
	cfg, diags := schema.Load(c.t.Context(), schema.Options{Fs: afero.NewOsFs(), Dir: c.dir, Catalog: d.Types(),
		Site: c.name, Env: func(name string) (string, bool) { v, ok := c.env[name]; return v, ok }})
	if diags.HasErrors() {
		c.t.Fatal(c.name, diags)
	}
	return cfg, d
}

// alone checks that a company contacts only its own servers while it works.
func (c *company) alone(work func()) {
	c.t.Helper()
	before := len(c.log.lines(c.t))
	work()
	for _, line := range c.log.lines(c.t)[before:] {
		if line.Server != c.name {
			c.t.Fatalf("%s contacts %s: %s %s", c.name, line.Server, line.Method, line.Path)
		}
	}
}

func (c *company) received() *planner.Observations {
	all := planner.NewObservations()
	for _, o := range c.seen {
		all.Take(o)
	}
	return all
}

// look sends observations of the company's servers to the others.
func (c *company) look(others ...*company) {
	c.t.Helper()
	c.alone(func() {
		cfg, d := c.load()
		defer c.close(d)
		own, diags := planner.Look(c.t.Context(), planner.Input{Config: cfg, Observations: c.received(),
			Drivers: func(schema.Addr) planner.Driver { return d }})
		if diags.HasErrors() {
			c.t.Fatal(c.name, diags)
		}
		var b bytes.Buffer
		if err := own.Encode(&b); err != nil {
			c.t.Fatal(err)
		}
		c.sent = append(c.sent, b.Bytes()...)
		for _, to := range others {
			in, err := planner.DecodeObservations(bytes.NewReader(b.Bytes()))
			if err != nil {
				c.t.Fatal(err)
			}
			to.seen[c.name] = in
		}
	})
}

func (c *company) planNow() (p *planner.Plan) {
	c.t.Helper()
	c.alone(func() {
		cfg, d := c.load()
		defer c.close(d)
		earlier, err := c.store.Earlier("")
		if err != nil {
			c.t.Fatal(err)
		}
		made, diags := planner.Make(c.t.Context(), planner.Input{Config: cfg, Observations: c.received(), Version: "test",
			Drivers: func(schema.Addr) planner.Driver { return d }, Confirmed: earlier.Confirmed, Retired: earlier.Retired})
		if diags.HasErrors() {
			c.t.Fatal(c.name, diags)
		}
		p = made
	})
	return p
}

// run returns the company's run, or nil if it has none yet.
func (c *company) run() *executor.Run {
	c.t.Helper()
	ids, err := c.store.IDs()
	if err != nil {
		c.t.Fatal(err)
	}
	if len(ids) == 0 {
		return nil
	}
	r, err := c.store.Load(ids[len(ids)-1])
	if err != nil || r.Damage != nil {
		c.t.Fatal(c.name, err, r)
	}
	return r
}

// carryOn executes what the company can. With approve, it first approves the plan.
func (c *company) carryOn(approve bool) (rep *executor.Report) {
	c.t.Helper()
	c.alone(func() {
		r := c.run()
		cfg, d := c.load()
		defer c.close(d)
		j, err := c.store.Journal(r, journal.Options{Now: c.clock.Now})
		if err != nil {
			c.t.Fatal(err)
		}
		defer j.Close()
		if approve && !r.Approved(c.name) {
			if err := executor.Approve(c.t.Context(), r, j, "somebody"); err != nil {
				c.t.Fatal(err)
			}
		}
		if rep, err = executor.Carry(c.t.Context(), executor.Options{
			Run: r.ID, Plan: r.Plan, Config: cfg, Drivers: func(schema.Addr) executor.Driver { return d }, Site: c.name,
			Files: c.store.Files(r), Journal: r.United(j), Operator: c.site, Clock: c.clock,
			Poll: executor.Poll{First: 5 * time.Millisecond, Most: 50 * time.Millisecond, Within: 20 * time.Second},
		}); err != nil {
			c.t.Fatal(err)
		}
	})
	return rep
}

// carryWell is carryOn, but fails the test on errors.
func (c *company) carryWell() *executor.Report {
	c.t.Helper()
	rep := c.carryOn(true)
	for _, s := range rep.Steps {
		if s.Phase == executor.PhaseFailed || s.Phase == executor.PhaseStuck || s.Phase == executor.PhaseWaiting {
			c.t.Fatalf("%s: %s is %s: %s", c.name, s.Step.ID, s.Phase, s.Why)
		}
	}
	return rep
}

// hand sends the others what they lack.
func (c *company) hand(others ...*company) {
	c.t.Helper()
	r := c.run()
	for _, to := range others {
		h, cargo, err := c.store.Handover(r)
		if err != nil {
			c.t.Fatal(err)
		}
		b, err := json.Marshal(cargo.Chain)
		if err != nil {
			c.t.Fatal(err)
		}
		c.sent = append(c.sent, b...)
		in, err := to.store.Receive(h, cargo)
		if err != nil {
			c.t.Fatal(err)
		}
		wants, err := in.Wants(c.t.Context())
		if err != nil {
			c.t.Fatal(err)
		}
		for _, f := range wants {
			content, err := afero.ReadFile(afero.NewOsFs(), c.store.Files(r).Path(f.Name))
			if err == nil {
				c.sent = append(c.sent, content...)
				err = in.File(c.t.Context(), f, bytes.NewReader(content))
			}
			if err != nil {
				c.t.Fatal(err)
			}
		}
		if _, err := in.Commit(c.t.Context(), "signed", journal.Options{Now: c.clock.Now}); err != nil {
			c.t.Fatal(err)
		}
	}
}

// together has several companies apply a plan of one of them, with no more exchanges than the plan says, until a
// second plan is empty. order is the order of their observations: what one needs may depend on what earlier ones show.
func together(t *testing.T, all map[string]*company, plans string, order ...string) *planner.Plan {
	t.Helper()
	others := func(name string) []*company {
		var out []*company
		for _, n := range slices.Sorted(maps.Keys(all)) {
			if n != name {
				out = append(out, all[n])
			}
		}
		return out
	}
	for _, name := range order {
		all[name].look(others(name)...)
	}
	at := all[plans]
	at.look()
	p := at.planNow()
	if r := p.Refusals(); len(r) > 0 {
		t.Fatalf("refused: %+v", r)
	}
	for i := range p.Steps {
		if len(p.Steps[i].Servers) > 1 {
			t.Errorf("%s contacts %q", p.Steps[i].ID, p.Steps[i].Servers)
		}
	}
	if _, err := at.store.Create(p, nil); err != nil {
		t.Fatal(err)
	}
	for i, turn := range p.Turns {
		at = all[turn.Site]
		rep := at.carryWell()
		if last := i == len(p.Turns)-1; rep.Finished != last {
			t.Fatalf("turn %d, of %s: finished: %v, of %d turns", i+1, turn.Site, rep.Finished, len(p.Turns))
		}
		at.hand(others(at.name)...)
	}
	t.Logf("%d exchanges, %s", p.Exchanges(), ops(p))
	for name, c := range all {
		if !c.run().Finished() {
			t.Errorf("%s does not know that all is done", name)
		}
	}
	for _, name := range order {
		all[name].look(others(name)...)
	}
	all[plans].look()
	if again := all[plans].planNow(); len(again.Steps)+len(again.Refusals()) > 0 {
		t.Errorf("a second plan has steps: %s %+v", ops(again), again.Findings)
	}
	return p
}

// TestArchiveOfAnotherCompany offloads into the archive of another company, planned by either of them, with and
// without access to the machines.
func TestArchiveOfAnotherCompany(t *testing.T) {
	for name, c := range map[string]struct {
		plans, hosts string
		lines        []string
		exchanges    int
	}{
		"the source plans":            {"a", "ab", []string{removing}, 3},
		"the archive plans":           {"b", "ab", []string{removing, reactivating}, 4},
		"by hand":                     {"a", "", []string{removing, reactivating}, 3},
		"as documented":               {"a", "ab", []string{removing, asDocumented}, 3},
		"the source keeps everything": {"a", "ab", nil, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all := companies(t, newOffload(c.lines...).reach(c.hosts).kase(t), "a", "b")
			p := together(t, all, c.plans, "a", "b")
			if p.Exchanges() != c.exchanges {
				t.Errorf("%d exchanges, want %d", p.Exchanges(), c.exchanges)
			}
			for _, s := range p.Steps {
				if !s.Irreversible() {
					continue
				}
				if !slices.Equal(s.Approvals, []string{"a", "b"}) {
					t.Errorf("%s needs the approvals of %q", s.ID, s.Approvals)
				}
				var of []string
				for _, g := range s.Guards {
					of = append(of, p.Step(g).Site)
				}
				if slices.Sort(of); !slices.Equal(of, []string{"a", "b"}) {
					t.Errorf("%s is guarded by %q of %q", s.ID, s.Guards, of)
				}
			}
		})
	}
}

// TestDeletionIsGuarded checks that nothing is removed from the source without the other company's approval, after a
// commit that was not verified, or if the archive's verification is old and not repeated. It is not repeated
// successfully if the copy is gone.
func TestDeletionIsGuarded(t *testing.T) {
	begin := func(t *testing.T, plans string) (a, b *company) {
		t.Helper()
		o := newOffload(removing)
		o.hcl = with(cars, `verify { within = "1s" }`)
		all := companies(t, o.kase(t), "a", "b")
		a, b = all["a"], all["b"]
		a.look(b)
		b.look(a)
		if _, err := all[plans].store.Create(all[plans].planNow(), nil); err != nil {
			t.Fatal(err)
		}
		if plans == "a" {
			a.carryWell()
			a.hand(b)
		}
		return a, b
	}
	ends := func(t *testing.T, c *company, op string, rep *executor.Report, phase executor.Phase, why string) {
		t.Helper()
		for _, s := range rep.Steps {
			switch {
			case s.Step.Op == "remove" && s.Phase == executor.PhaseDone:
				t.Error("it is removed")
			case s.Step.Op == op && (s.Phase != phase || !strings.Contains(s.Why, why)):
				t.Errorf("%s at %s is %s: %s", op, c.name, s.Phase, s.Why)
			}
		}
		for _, line := range c.log.lines(t) {
			if line.Method == sandbox.MethodExec && strings.Contains(line.Path, " -dr ") {
				t.Errorf("ran %s", line.Path)
			}
		}
	}
	t.Run("not approved", func(t *testing.T) {
		t.Parallel()
		a, b := begin(t, "a")
		b.carryOn(false)
		b.hand(a)
		ends(t, a, "remove", a.carryOn(true), executor.PhaseAway, "not yet approved by b")
	})
	t.Run("a late commit", func(t *testing.T) {
		t.Parallel()
		a, b := begin(t, "a")
		b.carryWell()
		b.hand(a)
		a.person("commit", "server", "a", "resource", "Engine", "author", "ann", "description", "late")
		ends(t, a, "idle_source", a.carryOn(true), executor.PhaseFailed, "has changed on server.teamwork_cloud.a since")
	})
	t.Run("a late commit, verified again", func(t *testing.T) {
		t.Parallel()
		all := companies(t, newOffload(removing, asDocumented).kase(t), "a", "b")
		a, b := all["a"], all["b"]
		a.look(b)
		b.look(a)
		if _, err := a.store.Create(a.planNow(), nil); err != nil {
			t.Fatal(err)
		}
		a.carryWell()
		a.hand(b)
		b.carryWell()
		b.hand(a)
		a.person("commit", "server", "a", "resource", "Engine", "author", "ann", "description", "late")
		again := "migration.teamwork_cloud_offload.cars/originals"
		ends(t, a, "idle_source", a.carryOn(true), executor.PhaseFailed, again+" -retry")
		a.reopen(again)
		for _, c := range []*company{a, b, a, b} {
			c.carryWell()
			c.hand(map[bool]*company{true: b, false: a}[c == a])
		}
		if !a.run().Finished() {
			t.Error("not finished")
		}
	})
	t.Run("the other site says more than the source had", func(t *testing.T) {
		t.Parallel()
		a, b := begin(t, "a")
		b.carryWell()
		b.forge()
		b.carryWell()
		b.hand(a)
		ends(t, a, "idle_source", a.carryOn(true), executor.PhaseFailed, "branches, revisions or tags are not those")
	})
	t.Run("an old verification", func(t *testing.T) {
		t.Parallel()
		a, b := begin(t, "a")
		b.carryWell()
		b.hand(a)
		a.clock, b.clock = later{}, later{}
		ends(t, a, "stop_source", a.carryOn(true), executor.PhaseAway, "b has to verify it again")
		a.hand(b)
		b.person("tamper", "server", "b", "resource", "Engine", "what", "gone")
		ends(t, b, "arrived", b.carryOn(true), executor.PhaseFailed, "missing")
		b.hand(a)
		ends(t, a, "arrived", a.carryOn(true), executor.PhaseAway, "by b, where it failed")
	})
	t.Run("a file that is not the one", func(t *testing.T) {
		t.Parallel()
		_, b := begin(t, "a")
		name := b.store.Files(b.run()).Path(b.run().Plan.Step("migration.teamwork_cloud_offload.cars/originals").Writes[0])
		content, err := os.ReadFile(name)
		if err == nil {
			err = os.WriteFile(name, bytes.Replace(content, []byte("Engine"), []byte("engine"), 1), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		ends(t, b, "preflight_target", b.carryOn(true), executor.PhaseFailed, "is not the one that was written")
	})
}

// forge changes the company's journal so that the source had one more revision than the copies were compared with.
func (c *company) forge() {
	c.t.Helper()
	r := c.run()
	const id = "migration.teamwork_cloud_offload.cars/arrived"
	var all revision.Records
	for _, e := range r.Entries {
		if out := e.Data["out."+revision.RecordsOutput]; e.Key == id && out != "" {
			var err error
			if all, err = revision.DecodeRecords(out); err != nil {
				c.t.Fatal(err)
			}
		}
	}
	record := all[ids["Engine"]]
	record.Source[0].Revisions += ",99"
	all[ids["Engine"]] = record
	out, err := all.Outputs()
	if err != nil {
		c.t.Fatal(err)
	}
	j, err := c.store.Journal(r, journal.Options{Now: c.clock.Now})
	if err == nil {
		_, err = j.Append(c.t.Context(), id, executor.EventDone,
			map[string]string{"out." + revision.RecordsOutput: out[revision.RecordsOutput]})
	}
	if err = errors.Join(err, j.Close()); err != nil {
		c.t.Fatal(err)
	}
}

// reopen has a step executed again.
func (c *company) reopen(id string) {
	c.t.Helper()
	j, err := c.store.Journal(c.run(), journal.Options{Now: c.clock.Now})
	if err == nil {
		_, err = j.Append(c.t.Context(), id, executor.EventReopened, nil)
	}
	if err = errors.Join(err, j.Close()); err != nil {
		c.t.Fatal(err)
	}
}

// later is a clock that is a day and an hour ahead.
type later struct{}

func (later) Now() time.Time                         { return time.Now().Add(25 * time.Hour) }
func (later) After(d time.Duration) <-chan time.Time { return time.After(d) }

// TestLeast checks that what a company sends contains nothing about what is not moved, and only IDs, numbers and
// digests of what is moved. The sample has everything that must never be sent: names of other resources and
// categories, authors, descriptions, tags, users, secrets.
func TestLeast(t *testing.T) {
	w := newOffload(removing, reactivating)
	w.hcl = cars
	w.add("a", "categories", j{"path": "Secret Category"}).add("a", "resources", resource("Skunk", "Secret Category"))
	w.add("b", "categories", j{"path": "Archive of others"}, j{"path": "From A"}).
		add("b", "resources", resource("Stranger", "Archive of others"), resource("Neighbour", "From A"))
	for _, server := range []string{"a", "b"} {
		w.set(server, "users", append(w.servers[server]["users"].([]any), j{"name": "gertrude", "password": "wilma"}))
	}
	all := companies(t, w.kase(t), "a", "b")
	p := together(t, all, "b", "a", "b")
	plan, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	never := []string{"Skunk", "Secret Category", "Frame", "Bikes", "Stranger", "Archive of others", "Neighbour", "ann",
		"bob", "eve", "change 1", "R1", "gertrude", "wilma", "geheim"}
	for name, c := range all {
		if !bytes.Contains(c.sent, []byte(ids["Engine"])) {
			t.Errorf("%s has sent nothing of Engine", name)
		}
		for _, of := range regexp.MustCompile(`"what":"prints","of":"([^"]*)"`).FindAllSubmatch(c.sent, -1) {
			if !slices.Contains([]string{ids["Engine"], ids["Gearbox"]}, string(of[1])) {
				t.Errorf("%s has sent the history of %s", name, of[1])
			}
		}
		for _, word := range never {
			if strings.Contains(string(c.sent), `"`+word+`"`) || strings.Contains(string(c.sent), " "+word+" ") {
				t.Errorf("%s has sent %q", name, word)
			}
			if strings.Contains(string(plan), word) && len(word) > 3 {
				t.Errorf("the plan has %q", word)
			}
		}
	}
}

// TestThreeCompanies copies over a neutral server. Each company has only its own secrets.
func TestThreeCompanies(t *testing.T) {
	for name, c := range map[string]struct {
		hcl       string
		plans     string
		exchanges int
	}{
		"the source plans": {cars + hop(), "a", 2},
		"the target plans": {cars + hop(), "c", 3},
		"by hand": {with(cars, `trigger = "manual"`) + strings.Replace(hop(), "upstream ",
			"trigger = \"manual\"\n  upstream ", 1), "b", 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all := companies(t, newWorld(c.hcl).kase(t), "a", "b", "c")
			if p := together(t, all, c.plans, "a", "b", "c"); p.Exchanges() != c.exchanges {
				t.Errorf("%d exchanges, want %d", p.Exchanges(), c.exchanges)
			}
			for name, want := range map[string]int{"a": 1, "b": 2, "c": 1} { // what it has written, and what it reads
				files := all[name].store.Files(all[name].run())
				if got, err := filepath.Glob(files.Path("originals-*")); err != nil || len(got) != want {
					t.Errorf("%s has %q, %v", name, got, err)
				}
			}
		})
	}
}
