package executor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
	"pgregory.net/rapid"
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
	if _, err := b.store.Create(overTwo(), nil); err != nil {
		t.Fatal(err)
	}
	away := func(r *Report, step string) bool {
		return slices.ContainsFunc(r.Steps, func(s StepReport) bool {
			return s.Step.Op == step && s.Phase == PhaseAway && len(s.WaitFor) > 0
		})
	}
	hand := func(from, to *company) {
		t.Helper()
		if err := to.receive(from.pack(t)); err != nil {
			t.Fatal(err)
		}
	}
	if rep := b.apply(t, cfg); rep.Count(PhaseDone) != 1 || !away(rep, "stop_a") {
		t.Fatalf("b alone: %+v", rep)
	}
	hand(b, a)
	if rep := a.apply(t, cfg); rep.Count(PhaseDone) != 3 || !away(rep, "merge") {
		t.Fatalf("a: %+v", rep)
	}
	hand(a, b)
	if rep := b.apply(t, cfg); rep.Count(PhaseDone) != 4 {
		t.Fatalf("b merges: %+v", rep)
	}
	hand(b, a)
	if rep := a.apply(t, cfg); rep.Count(PhaseDone) != 6 || !away(rep, "verify_b") {
		t.Fatalf("a's person and its verification: %+v", rep)
	}
	hand(a, b)
	b.apply(t, cfg)
	a.clock.mu.Lock()
	a.clock.now = a.clock.now.Add(30 * time.Hour) // the mail takes its time
	a.clock.mu.Unlock()
	hand(b, a)
	if rep := a.apply(t, cfg); !away(rep, "delete_a") || a.depot.thrown[addr+"/delete_a"] != 0 {
		t.Fatalf("what b has verified is too old: %+v", rep)
	}
	hand(a, b)
	b.apply(t, cfg) // it verifies again
	hand(b, a)
	if rep := a.apply(t, cfg); a.depot.thrown[addr+"/delete_a"] != 1 || rep.Finished {
		t.Fatalf("a deletes: %+v", rep)
	}
	hand(a, b)
	if rep := b.apply(t, cfg); !rep.Finished {
		t.Fatalf("b deletes: %+v", rep)
	}
	if b.run(t).KnowsEnd("a") {
		t.Error("b takes it that a knows the end")
	}
	hand(b, a)
	if r := a.run(t); !r.Finished() || !r.ended() || !r.KnowsEnd("b") {
		t.Error("a does not know that all is done, or that b knows it")
	}
	hand(a, b)
	if !b.run(t).KnowsEnd("a") {
		t.Error("b does not know that a knows the end")
	}
	for id, n := range a.depot.thrown {
		if n != 1 {
			t.Errorf("%s was done %d times", id, n)
		}
	}
}

// What another site has verified is still fresh when an irreversible step starts, however long it took to get there: a
// step that stood before it, or the verification of its own guards.
func TestFreshWhenItStarts(t *testing.T) {
	cfg := sitesConfig()
	for _, slow := range []string{"verify_a", "verify_a, as a guard"} {
		a, b := twoCompanies()
		if _, err := b.store.Create(overTwo(), nil); err != nil {
			t.Fatal(err)
		}
		a.verifies = func(task *Task) {
			if task.Step.Op == "verify_a" && (slow == "verify_a" || task.Executed) {
				a.clock.mu.Lock()
				defer a.clock.mu.Unlock()
				a.clock.now = a.clock.now.Add(25 * time.Hour)
			}
		}
		for range 3 {
			b.apply(t, cfg)
			if err := a.receive(b.pack(t)); err != nil {
				t.Fatal(err)
			}
			if b.run(t).Chains["b"] == nil {
				t.Fatal("b has written nothing")
			}
			a.apply(t, cfg)
			if err := b.receive(a.pack(t)); err != nil {
				t.Fatal(err)
			}
		}
		if n := a.depot.thrown[addr+"/delete_a"]; n != 0 {
			t.Errorf("%s is slow: it was deleted on what was verified a day before", slow)
		}
	}
}

// A step that begins what ends with one that cannot be undone does not start on what will soon be too old for that.
func TestTimeIsLeftForTheEnd(t *testing.T) {
	cfg := sitesConfig()
	a, b := twoCompanies()
	halt := planner.Step{Op: "halt_a", Mark: planner.MarkChange, Servers: []string{"server.depot.a"},
		Needs: []string{"verify_b"}, Guards: []string{"verify_b"}}
	erase := planner.Step{Op: "erase_a", Mark: planner.MarkFinal, Repeat: planner.Once,
		Servers: []string{"server.depot.a"}, Needs: []string{"halt_a"}, Guards: []string{"verify_b"},
		Effect: &planner.Effect{Irreversible: true}}
	if _, err := b.store.Create(overTwo(halt, erase), nil); err != nil {
		t.Fatal(err)
	}
	hand := func(from, to *company) {
		t.Helper()
		if err := to.receive(from.pack(t)); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		b.apply(t, cfg)
		hand(b, a)
		a.apply(t, cfg)
		hand(a, b)
	}
	b.apply(t, cfg)
	hand(b, a)
	a.clock.mu.Lock()
	a.clock.now = a.clock.now.Add(20 * time.Hour) // of the 24 that max_age is
	a.clock.mu.Unlock()
	a.apply(t, cfg)
	if a.depot.thrown[addr+"/halt_a"] != 0 {
		t.Error("a halts with four hours left")
	}
	hand(a, b)
	b.apply(t, cfg) // it verifies again
	hand(b, a)
	a.apply(t, cfg)
	if a.depot.thrown[addr+"/halt_a"] != 1 || a.depot.thrown[addr+"/erase_a"] != 1 {
		t.Errorf("a does not go on: %v", a.depot.thrown)
	}
}

// Time is left for the end of the same site only, and not for a step that is the end itself.
func TestTimeIsLeftForTheOwnEnd(t *testing.T) {
	step := func(id, site string, ends bool) planner.Step {
		return planner.Step{ID: id, Site: site, Guards: []string{"check"}, Effect: &planner.Effect{Irreversible: ends}}
	}
	p := &planner.Plan{
		Sites: []planner.PlanSite{{Name: "a"}, {Name: "b", MaxAge: planner.Duration(4 * time.Hour)}, {Name: "c"}},
		Steps: []planner.Step{{ID: "check", Site: "b"}, step("stop_a", "a", false), step("erase_a", "a", true),
			step("stop_c", "c", false)},
	}
	h := historyOf(p, nil, "a")
	for id, want := range map[string]string{"stop_a": "3h0m0s", "erase_a": "4h0m0s", "stop_c": "4h0m0s"} {
		if got := h.most(p.Step(id), h.guards["check"]).String(); got != want {
			t.Errorf("%s: %s, want %s", id, got, want)
		}
	}
}

// TestReliances: until when other sites' steps may rely on a check is what Next goes by when it starts them. A check
// that failed since, is retried, or needs a step that was retried holds no longer.
func TestReliances(t *testing.T) {
	step := func(id, site string, mark planner.Mark, ends bool, needs ...string) planner.Step {
		return planner.Step{ID: id, Op: id, Site: site, Mark: mark, Needs: needs, Guards: needs[len(needs)-1:],
			Effect: &planner.Effect{Irreversible: ends}}
	}
	p := &planner.Plan{
		Sites: []planner.PlanSite{{Name: "a", MaxAge: planner.Duration(time.Hour)},
			{Name: "b", MaxAge: planner.Duration(4 * time.Hour)}},
		Steps: []planner.Step{{ID: "first", Site: "b", Mark: planner.MarkChange},
			{ID: "check", Site: "b", Mark: planner.MarkCheck, Needs: []string{"first"}},
			step("stop", "a", planner.MarkChange, false, "check"), step("erase", "a", planner.MarkFinal, true, "stop", "check"),
			step("erase_b", "b", planner.MarkFinal, true, "check")},
	}
	at := time.Date(2027, 2, 4, 0, 0, 0, 0, time.UTC)
	var entries []journal.Entry
	own, knows := 0, map[string]int{} // of b
	for _, c := range []struct {
		key, event string
		at         time.Duration
		verified   time.Duration // negative: nothing
		holds      time.Duration
		next       string
	}{
		{"first", EventDone, 0, -1, 0, ""},
		{"check", EventDone, 0, -1, 0, ""},
		{RunKey, EventReceived, 0, 0, 3 * time.Hour, "stop"},
		{"check", EventVerified, time.Hour, -1, 0, ""}, // it is not known at the other site
		{RunKey, EventReceived, time.Hour, time.Hour, 4 * time.Hour, "stop"},
		{"check", EventFailed, time.Hour, -1, 0, ""},
		{"check", EventDone, 4 * time.Hour, -1, 0, ""}, // its clock is ahead
		{RunKey, EventReceived, 2 * time.Hour, 2 * time.Hour, 5 * time.Hour, "stop"},
		{"check", EventReopened, 2 * time.Hour, -1, 0, ""},
		{"check", EventDone, 9 * time.Hour, -1, 0, ""},
		{RunKey, EventReceived, 3 * time.Hour, -1, 0, ""}, // it was far ahead, so that its age is unknown
		{"check", EventDone, 3 * time.Hour, -1, 0, ""},
		{RunKey, EventReceived, 3 * time.Hour, 3 * time.Hour, 6 * time.Hour, "stop"},
		{"first", EventReopened, 3 * time.Hour, -1, 0, ""},
		{"first", EventDone, 3 * time.Hour, -1, 0, ""},
		{"check", EventDone, 4 * time.Hour, -1, 0, ""},
		{RunKey, EventReceived, 4 * time.Hour, 4 * time.Hour, 7 * time.Hour, "stop"},
		{"stop", EventDone, 5 * time.Hour, 4 * time.Hour, 8 * time.Hour, "erase"},
		{RunKey, EventOpened, 3 * time.Hour, 4 * time.Hour, 6 * time.Hour, "erase"}, // the clock of a was set back
		{"erase", EventDone, 6 * time.Hour, -1, 0, ""},
	} {
		e := journal.Entry{Seq: len(entries) + 1, Site: "a", Key: c.key, Event: c.event, Time: at.Add(c.at), Knows: knows}
		switch s := p.Step(c.key); {
		case s != nil && s.Site == "b":
			own++
			e.Site, e.Own, e.Knows = "b", own, nil
		case c.event == EventReceived:
			e.Data, knows = ReceivedData{Site: "b", Entries: own}.data(), map[string]int{"b": own}
			fallthrough
		default:
			e.Own = len(entries) + 1
		}
		entries = append(entries, e)
		want := map[string]Reliance{"b": {at.Add(c.verified), at.Add(c.holds)}}
		if c.verified < 0 {
			want = map[string]Reliance{}
		}
		got := Reliances(p, entries)
		if !maps.Equal(got, want) {
			t.Errorf("after %d, %s %s: %v, want %v", e.Seq, c.key, c.event, got, want)
			continue
		}
		if c.next == "" {
			continue
		}
		for late, starts := range map[time.Duration]bool{0: true, 1: false} {
			d := Next(p, entries, "a", got["b"].Until.Add(late))
			if slices.Contains(d.Start, c.next) != starts {
				t.Errorf("after %d, %v after it holds: %+v", e.Seq, late, d.Steps[c.next])
			}
		}
	}
	if got := Reliances(&planner.Plan{Steps: p.Steps}, entries); len(got) != 0 {
		t.Errorf("without sites: %v", got)
	}
}

// What was done and has to be looked at again, because a step that it needs was retried, is carried out on no old
// verification of another site, waits for none, and the run finishes.
func TestRetriedBeforeAnotherSitesGuard(t *testing.T) {
	cfg := sitesConfig()
	a, b := twoCompanies()
	rests := func(op string, mark planner.Mark, repeat planner.Repeat) planner.Step {
		return planner.Step{Op: op, Mark: mark, Repeat: repeat, Servers: []string{"server.depot.a"},
			Needs: []string{"prepare_a", "verify_b"}, Guards: []string{"verify_b"}}
	}
	prepare := planner.Step{Op: "prepare_a", Mark: planner.MarkChange, Repeat: planner.Idempotent,
		Servers: []string{"server.depot.a"}}
	change := rests("change_a", planner.MarkChange, planner.Idempotent)
	erase := rests("erase_a", planner.MarkFinal, planner.Once)
	erase.Effect = &planner.Effect{Irreversible: true}
	if _, err := b.store.Create(overTwo(prepare, change, erase), nil); err != nil {
		t.Fatal(err)
	}
	round := func() {
		t.Helper()
		b.apply(t, cfg)
		if err := a.receive(b.pack(t)); err != nil {
			t.Fatal(err)
		}
		a.apply(t, cfg)
	}
	back := func() {
		t.Helper()
		if err := b.receive(a.pack(t)); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		round()
		back()
	}
	round()
	thrown := func(op string) int { return a.depot.thrown[addr+"/"+op] }
	if thrown("change_a") != 1 || thrown("erase_a") != 1 || thrown("delete_b") != 0 {
		t.Fatalf("before: %v", a.depot.thrown)
	}
	r := a.run(t)
	j, err := a.store.Journal(r, journal.Options{Now: a.clock.Now})
	if err == nil {
		_, err = j.Append(t.Context(), addr+"/prepare_a", EventReopened, nil)
		err = errors.Join(err, j.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	a.clock.mu.Lock()
	a.clock.now = a.clock.now.Add(30 * time.Hour)
	a.clock.mu.Unlock()
	rep := a.apply(t, cfg)
	for _, s := range rep.Steps {
		want := map[string]Phase{"prepare_a": PhaseDone, "change_a": PhaseFailed, "erase_a": PhaseDone}[s.Step.Op]
		if want != "" && s.Phase != want {
			t.Errorf("%s is %s: %s", s.Step.Op, s.Phase, s.Why)
		}
	}
	if thrown("prepare_a") != 2 || thrown("change_a") != 1 {
		t.Errorf("after it was retried: %v", a.depot.thrown)
	}
	back()
	for range 2 {
		round()
		back()
	}
	if !a.run(t).Finished() || !b.run(t).Finished() {
		t.Error("the run does not finish")
	}
	if thrown("change_a") != 2 || thrown("erase_a") != 1 {
		t.Errorf("in the end: %v", a.depot.thrown)
	}
}

// What was carried out and only has to be looked at waits for no other site's verification.
func TestLookWithoutAnotherSitesGuard(t *testing.T) {
	p := overTwo(planner.Step{Op: "change_a", Servers: []string{"server.depot.a"}, Mark: planner.MarkChange,
		Repeat: planner.Idempotent, Needs: []string{"verify_b"}, Guards: []string{"verify_b"}})
	for event, want := range map[string]Phase{EventExecuted: PhaseReady, EventStarted: PhaseAway} {
		var entries []journal.Entry
		add := func(site, id, event string) {
			entries = append(entries, journal.Entry{Seq: len(entries) + 1, Site: site, Key: id, Event: event})
		}
		for i := range p.Steps {
			if s := &p.Steps[i]; s.Op != "change_a" && s.Mark != planner.MarkFinal {
				add(s.Site, s.ID, EventDone)
			}
		}
		add("a", addr+"/change_a", event)
		add("a", RunKey, EventOpened) // the next process
		if st := Next(p, entries, "a", time.Time{}.Add(30*time.Hour)).Steps[addr+"/change_a"]; st.Phase != want {
			t.Errorf("%s: it is %s: %s", event, st.Phase, st.Why)
		}
	}
}

// What cannot be undone waits for the approval of both.
func TestBothApproveWhatCannotBeUndone(t *testing.T) {
	p := overTwo()
	hash, err := p.Hash()
	if err != nil {
		t.Fatal(err)
	}
	entries := func(events ...[3]string) []journal.Entry {
		var out []journal.Entry
		for _, e := range events {
			data := map[string]string{dataPlan: hash}
			if e[2] == EventReceived {
				data = ReceivedData{Site: "b", Entries: len(out)}.data()
			}
			out = append(out, journal.Entry{Seq: len(out) + 1, Site: e[0], Key: e[1], Event: e[2], Data: data})
		}
		return out
	}
	var events [][3]string
	for i := range p.Steps[:7] {
		events = append(events, [3]string{p.Steps[i].Site, p.Steps[i].ID, EventDone})
	}
	events = append(events, [3]string{"a", RunKey, EventReceived})
	for _, row := range []struct {
		approved []string
		want     Phase
	}{{nil, PhaseAway}, {[]string{"a"}, PhaseAway}, {[]string{"a", "b"}, PhaseReady}} {
		all := slices.Clone(events)
		for _, site := range row.approved {
			all = append(all, [3]string{site, RunKey, EventApproved})
		}
		d := Next(p, entries(all...), "a", time.Time{})
		if got := d.Steps[addr+"/delete_a"].Phase; got != row.want {
			t.Errorf("approved by %q: %s, want %s", row.approved, got, row.want)
		}
		if d = Next(p, entries(all...), "a", time.Time{}.Add(25*time.Hour)); d.Steps[addr+"/delete_a"].Phase != PhaseAway &&
			d.Steps[addr+"/delete_a"].Phase != PhaseBlocked {
			t.Errorf("approved by %q, a day later: %s", row.approved, d.Steps[addr+"/delete_a"].Phase)
		}
	}
	for name, change := range map[string]func(*journal.Entry){
		"of another plan": func(e *journal.Entry) { e.Data = map[string]string{dataPlan: "sha256:0"} },
		"of no plan":      func(e *journal.Entry) { e.Data = nil },
		"of a step":       func(e *journal.Entry) { e.Key = addr + "/stop_b" },
	} {
		all := entries(append(slices.Clone(events), [3]string{"a", RunKey, EventApproved},
			[3]string{"b", RunKey, EventApproved})...)
		change(&all[len(all)-1])
		if got := Next(p, all, "a", time.Time{}).Steps[addr+"/delete_a"]; !slices.Equal(got.WaitFor, []string{"b"}) {
			t.Errorf("an approval %s counts: %+v", name, got)
		}
	}
}

// Whatever the courier does, and whoever acts when, the run ends as with one process, and nothing is done twice.
func TestCourierFaults(t *testing.T) {
	cfg := sitesConfig()
	rapid.Check(t, func(t *rapid.T) {
		a, b := twoCompanies()
		if _, err := b.store.Create(overTwo(), nil); err != nil {
			t.Fatalf("%v", err)
		}
		var mail []struct {
			to *company
			p  *parcel
		}
		send := func(from, to *company) {
			if p := from.pack(t); p != nil {
				mail = append(mail, struct {
					to *company
					p  *parcel
				}{to, p})
			}
		}
		for range rapid.IntRange(0, 25).Draw(t, "events") {
			switch rapid.SampledFrom([]string{"a", "b", "a sends", "b sends", "arrives", "arrives", "hours"}).Draw(t, "what") {
			case "a":
				a.apply(t, cfg)
			case "b":
				b.apply(t, cfg)
			case "a sends":
				send(a, b)
			case "b sends":
				send(b, a)
			case "hours":
				a.clock.mu.Lock()
				a.clock.now = a.clock.now.Add(7 * time.Hour)
				a.clock.mu.Unlock()
			case "arrives": // any, also again, and in any order
				if len(mail) > 0 {
					m := rapid.SampledFrom(mail).Draw(t, "parcel")
					if err := m.to.receive(m.p); err != nil {
						t.Fatalf("%v", err)
					}
				}
			}
		}
		for range 7 {
			for _, c := range [][2]*company{{b, a}, {a, b}} {
				c[0].apply(t, cfg)
				if err := c[1].receive(c[0].pack(t)); err != nil {
					t.Fatalf("%v", err)
				}
			}
		}
		for _, c := range []*company{a, b} {
			if !c.run(t).Finished() {
				t.Fatalf("%s is not at its end", c.name)
			}
		}
		for id, n := range a.depot.thrown {
			if n != 1 {
				t.Fatalf("%s was done %d times", id, n)
			}
		}
	})
}

// What does not fit is refused, and nothing is changed by it.
func TestReceiveRefuses(t *testing.T) {
	cfg := sitesConfig()
	for name, row := range map[string]struct {
		meddle func(t *testing.T, p *parcel, a, b *company)
		want   string
	}{
		"a changed entry":   {func(_ *testing.T, p *parcel, _, _ *company) { p.cargo.Chain[1].Event = EventFailed }, "was changed"},
		"a shortened chain": {func(_ *testing.T, p *parcel, _, _ *company) { p.cargo.Chain = p.cargo.Chain[:1] }, "not the one"},
		"another plan":      {func(_ *testing.T, p *parcel, _, _ *company) { p.cargo.Plan.Digest = "x" }, "not the one"},
		"itself":            {func(_ *testing.T, p *parcel, _, _ *company) { p.h.From = "b" }, "this one"},
		"a path":            {func(_ *testing.T, p *parcel, _, _ *company) { p.h.Run = "../../x" }, "form"},
		"an approval of a step": {func(t *testing.T, p *parcel, _, _ *company) {
			p.rechain(t, append(p.cargo.Chain, journal.Entry{Seq: len(p.cargo.Chain) + 1, Key: addr + "/stop_a",
				Event: EventApproved, Data: map[string]string{dataPlan: p.h.Plan}}))
		}, "said of a run"},
		"a foreign step": {func(t *testing.T, p *parcel, _, _ *company) {
			p.rechain(t, append(p.cargo.Chain, journal.Entry{Seq: len(p.cargo.Chain) + 1, Key: addr + "/stop_b",
				Event: EventDone}))
		}, "not a step of site"},
		"another approval": {func(t *testing.T, p *parcel, _, _ *company) {
			p.rechain(t, append(p.cargo.Chain, journal.Entry{Seq: len(p.cargo.Chain) + 1, Key: RunKey, Event: EventApproved,
				Data: map[string]string{dataPlan: "sha256:0"}}))
		}, "another plan"},
		"a journal that knows its own end": {func(t *testing.T, p *parcel, _, _ *company) {
			p.receives(t, "a", len(p.cargo.Chain)+1)
		}, "its own journal"},
		"a journal of nobody": {func(t *testing.T, p *parcel, _, _ *company) {
			p.receives(t, "x", 1)
		}, "no part in the plan"},
		"a fork": {func(t *testing.T, p *parcel, _, b *company) {
			if err := b.receive(p); err != nil {
				t.Fatal(err)
			}
			forked := slices.Clone(p.cargo.Chain)
			forked[1].Time = forked[1].Time.Add(time.Second)
			p.rechain(t, forked)
		}, "two journals"},
		"a restored folder": {func(t *testing.T, p *parcel, _, b *company) {
			r := b.run(t)
			own := r.Chains["b"]
			key, err := b.store.keyOf(r.ID)
			if err == nil {
				err = journal.Write(b.store.Fs, filepath.Join(r.Dir, journalName), own[:2], key)
			}
			if err != nil {
				t.Fatal(err)
			}
		}, "restored from an older state"},
		"a changed file": {func(_ *testing.T, p *parcel, _, _ *company) { p.files["a.json"] = "something" }, "not the one"},
		"a foreign file": {func(_ *testing.T, p *parcel, _, _ *company) {
			p.h.Files = append(p.h.Files, FileInfo{Name: "../x"})
		}, "alone write"},
		"a file of this site": {func(t *testing.T, p *parcel, _, _ *company) {
			p.name(t, "export_a", "merged.json")
		}, "alone write"},
		"a person's script": {func(t *testing.T, p *parcel, _, _ *company) {
			p.name(t, "stop_a", "person-0d5d5d5d.sh")
		}, "alone write"},
		"another step's file": {func(t *testing.T, p *parcel, _, _ *company) {
			p.name(t, "stop_a", "a.json")
		}, "journal names"},
		"a file listed twice": {func(_ *testing.T, p *parcel, _, _ *company) {
			p.h.Files = append(p.h.Files, p.h.Files...)
		}, "listed twice"},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := twoCompanies()
			if _, err := b.store.Create(overTwo(), nil); err != nil {
				t.Fatal(err)
			}
			b.apply(t, cfg)
			if err := a.receive(b.pack(t)); err != nil {
				t.Fatal(err)
			}
			a.apply(t, cfg)
			p := a.pack(t)
			row.meddle(t, p, a, b)
			before := b.run(t).Chains["a"]
			err := b.receive(p)
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Fatalf("want an error with %q, got %v", row.want, err)
			}
			if after := b.run(t).Chains["a"]; len(after) != len(before) {
				t.Errorf("it took in %d entries", len(after)-len(before))
			}
		})
	}
}

// Another site may abandon a run for all. That it is finished, each finds out by itself.
func TestFinishedElsewhere(t *testing.T) {
	for event, want := range map[string]bool{EventFinished: false, EventAbandoned: true} {
		a, b := twoCompanies()
		if _, err := b.store.Create(overTwo(), nil); err != nil {
			t.Fatal(err)
		}
		b.apply(t, sitesConfig())
		p := b.pack(t)
		p.rechain(t, append(p.cargo.Chain, journal.Entry{Seq: len(p.cargo.Chain) + 1, Key: RunKey, Event: event}))
		if err := a.receive(p); err != nil {
			t.Fatal(err)
		}
		if r := a.run(t); r.Finished() != want || r.Abandoned() != want {
			t.Errorf("b says %q: finished is %t, abandoned %t", event, r.Finished(), r.Abandoned())
		}
	}
}

// A journal that was restored from an older state, cut short or changed is noticed by what the other one says of it.
func TestJournalsFitTogether(t *testing.T) {
	for name, row := range map[string]struct {
		path func(*Run) string
		keep int
	}{
		"the other's, older":     {func(r *Run) string { return r.chainPath("a") }, 1},
		"the other's, removed":   {func(r *Run) string { return r.chainPath("a") }, -1},
		"the own one, older":     {func(r *Run) string { return filepath.Join(r.Dir, journalName) }, 1},
		"the own one, cut to 0":  {func(r *Run) string { return filepath.Join(r.Dir, journalName) }, 0},
		"nothing, all are there": {nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := twoCompanies()
			if _, err := b.store.Create(overTwo(), nil); err != nil {
				t.Fatal(err)
			}
			b.apply(t, sitesConfig())
			if err := a.receive(b.pack(t)); err != nil {
				t.Fatal(err)
			}
			a.apply(t, sitesConfig())
			if err := b.receive(a.pack(t)); err != nil {
				t.Fatal(err)
			}
			r := b.run(t)
			if row.path != nil {
				b.shorten(t, row.path(r), row.keep)
			}
			got, err := b.store.Load(r.ID)
			if err != nil || (got.Damage != nil) != (row.path != nil) {
				t.Errorf("%v, %v", err, got.Damage)
			}
		})
	}
}

// shorten cuts a file to its first lines, or removes it.
func (c *company) shorten(t *testing.T, path string, lines int) {
	t.Helper()
	if lines < 0 {
		if err := c.store.Fs.Remove(path); err != nil {
			t.Fatal(err)
		}
		return
	}
	src, err := afero.ReadFile(c.store.Fs, path)
	if err != nil {
		t.Fatal(err)
	}
	all := strings.SplitAfter(string(src), "\n")
	if err := afero.WriteFile(c.store.Fs, path, []byte(strings.Join(all[:lines], "")), 0o600); err != nil {
		t.Fatal(err)
	}
}

// A site without a part in a run of others takes what it needs for its own plans, and has no run for it.
func TestRunOfOthers(t *testing.T) {
	_, b := twoCompanies()
	if _, err := b.store.Create(overTwo(), nil); err != nil {
		t.Fatal(err)
	}
	b.apply(t, sitesConfig())
	p := b.pack(t)
	p.cargo.Observations = planner.NewObservations()
	p.cargo.Observations.Put(planner.Need{Server: "server.depot.b", What: "box"}, b.clock.Now(), "somebody",
		map[string]int{})
	c, _ := twoCompanies()
	c.name, c.store.Site = "c", "c"
	other := *p.h
	other.Plan = "sha256:0"
	if err := c.receive(&parcel{h: &other, cargo: p.cargo}); err == nil {
		t.Error("it takes a plan that is not the one that is named")
	}
	if err := c.receive(p); err != nil {
		t.Fatal(err)
	}
	if r := c.run(t); r != nil {
		t.Errorf("it has the run %s", r.ID)
	}
	if seen, err := c.store.Seen("b"); err != nil || seen == nil {
		t.Errorf("it has not taken the observations: %v", err)
	}
}

// rechain puts another chain into a parcel.
func (p *parcel) rechain(t *testing.T, entries []journal.Entry) {
	chain, err := journal.Rechain(entries, nil)
	if err != nil {
		t.Fatal(err)
	}
	p.cargo.Chain, p.h.Entries, p.h.Head = chain, len(chain), head(chain)
}

// receives has the sender's journal say that it has received so many entries of a site.
func (p *parcel) receives(t *testing.T, site string, entries int) {
	p.rechain(t, append(p.cargo.Chain, journal.Entry{Seq: len(p.cargo.Chain) + 1, Key: RunKey, Event: EventReceived,
		Data: ReceivedData{Site: site, Entries: entries}.data()}))
}

// name has the sender's journal name a file of a step, and hands it over.
func (p *parcel) name(t *testing.T, op, file string) {
	f := FileInfo{Name: file, Bytes: 4, SHA256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}
	p.rechain(t, append(p.cargo.Chain, journal.Entry{Seq: len(p.cargo.Chain) + 1, Key: addr + "/" + op, Event: EventDone,
		Data: map[string]string{filePrefix + file: f.SHA256 + " 4"}}))
	p.h.Files, p.files[file] = []FileInfo{f}, "test"
}

// Two journals that each claim to have been made after the other are an error, and not silently shorter.
func TestUnionOfContradictingJournals(t *testing.T) {
	received := func(seq int, site string, n int) journal.Entry {
		return journal.Entry{Seq: seq, Key: RunKey, Event: EventReceived, Data: ReceivedData{Site: site, Entries: n}.data()}
	}
	a := []journal.Entry{{Seq: 1, Key: RunKey, Event: EventOpened}, received(2, "b", 2)}
	b := []journal.Entry{{Seq: 1, Key: RunKey, Event: EventOpened}, received(2, "a", 2)}
	_, err := Union("a", map[string][]journal.Entry{"a": a, "b": b})
	if err == nil || !strings.Contains(err.Error(), `entry 2 of site "a" claims to know 2 entries of site "b"`) {
		t.Errorf("got %v", err)
	}
	if all, err := Union("a", map[string][]journal.Entry{"a": a, "b": b[:1]}); err != nil || len(all) != 2 {
		t.Errorf("got %v, %v", all, err)
	}
	store := &Store{Fs: afero.NewMemMapFs(), Site: "a"}
	in := &Incoming{Handover: &Handover{From: "b"}, cargo: &Cargo{Chain: b}, store: store,
		run: &Run{Chains: map[string][]journal.Entry{"a": a, "b": b[:1]}}}
	if err := in.checkOrder(); err == nil {
		t.Error("such a journal is received")
	}
}

// A site has a file once it says that it has received the journal up to the entry that names it.
func TestFilesThatAnotherSiteHas(t *testing.T) {
	cfg := sitesConfig()
	a, b := twoCompanies()
	if _, err := b.store.Create(overTwo(), nil); err != nil {
		t.Fatal(err)
	}
	hand := func(from, to *company) {
		t.Helper()
		if err := to.receive(from.pack(t)); err != nil {
			t.Fatal(err)
		}
	}
	b.apply(t, cfg)
	hand(b, a)
	if err := b.receive(a.pack(t)); err != nil { // before the file is written
		t.Fatal(err)
	}
	hand(b, a)
	a.apply(t, cfg)
	if got := a.run(t).HadBy("b"); len(got) != 0 {
		t.Errorf("before it was sent: %v", got)
	}
	hand(a, b)
	if got := a.run(t).HadBy("b"); len(got) != 0 {
		t.Errorf("before b has said so: %v", got)
	}
	hand(b, a)
	if got := a.run(t).HadBy("b"); !got["a.json"] {
		t.Errorf("when b has said so: %v", got)
	}
}

// What is left of receiving a run goes when it is discarded, and when another is received.
func TestIncomingFilesGo(t *testing.T) {
	cfg := sitesConfig()
	a, b := twoCompanies()
	if _, err := b.store.Create(overTwo(), nil); err != nil {
		t.Fatal(err)
	}
	b.apply(t, cfg)
	if err := a.receive(b.pack(t)); err != nil {
		t.Fatal(err)
	}
	a.apply(t, cfg)
	p := a.pack(t)
	other := filepath.Join(b.store.Dir, ".20260101T000000.000Z-abcdef"+incomingSuffix)
	if err := b.store.Fs.MkdirAll(other, 0o700); err != nil {
		t.Fatal(err)
	}
	in, err := b.store.Receive(p.h, p.cargo)
	if err == nil {
		err = in.File(t.Context(), p.h.Files[0], strings.NewReader(p.files["a.json"]))
	}
	if err != nil {
		t.Fatal(err)
	}
	there := func(path string) bool {
		found, err := afero.Exists(b.store.Fs, path)
		return found && err == nil
	}
	if there(other) || !there(in.stage.Path("a.json")) {
		t.Error("what was left of another run is there, or the file is not")
	}
	if err := in.Discard(); err != nil || there(in.stage.dir) {
		t.Errorf("what is discarded is there: %v", err)
	}
	if err := b.receive(p); err != nil {
		t.Error(err)
	}
}

// A folder is of one site.
func TestFolderOfAnotherSite(t *testing.T) {
	_, b := twoCompanies()
	if _, err := b.store.Create(overTwo(), nil); err != nil {
		t.Fatal(err)
	}
	b.apply(t, sitesConfig())
	b.store.Site = "a"
	if _, err := b.store.Unfinished(); err == nil || !strings.Contains(err.Error(), "a folder of its own") {
		t.Errorf("got %v", err)
	}
	b.store.Site = "" // status does not need it
	if r, err := b.store.Unfinished(); err != nil || r.Site != "b" {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestSeenOfOtherSitesIsKept(t *testing.T) {
	a, _ := twoCompanies()
	need := planner.Need{Server: "server.depot.b", What: "box"}
	at := func(hour int) *planner.Observations {
		o := planner.NewObservations()
		o.Put(need, time.Date(2026, 1, 1, hour, 0, 0, 0, time.UTC), "somebody",
			map[string]int{"hour": hour})
		return o
	}
	for _, hour := range []int{10, 11, 9} { // the sender's clock was set back: what came last counts
		if err := a.store.KeepSeen(t.Context(), "b", at(hour)); err != nil {
			t.Errorf("at %d: %v", hour, err)
		}
	}
	seen, err := a.store.Seen("b")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := planner.Observed[map[string]int](seen, need); err != nil || (*got)["hour"] != 9 {
		t.Errorf("%v, %v", got, err)
	}
	src, err := afero.ReadFile(a.store.Fs, a.store.seenPath("b"))
	if err == nil {
		err = afero.WriteFile(a.store.Fs, a.store.seenPath("b"), []byte(strings.Replace(string(src), "09", "08", 1)), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.store.Seen("b"); err == nil || errors.Is(err, context.Canceled) {
		t.Error("what was changed since is taken")
	}
}
