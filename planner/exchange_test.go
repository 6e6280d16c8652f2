package planner_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
	"pgregory.net/rapid"
)

const siteKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAMoMNpEmejrB+C7Ai2bKqu6erO9RPfBTx7hbTen/mS5 admin@acme"

// overSites has a server in each of three sites, and one synchronization.
var overSites = func() string {
	text := "sync \"depot\" \"s\" {}\n"
	for _, site := range []string{"a", "b", "c"} {
		text += fmt.Sprintf("site %q {\n  signers = [%q]\n}\nserver \"depot\" %q {\n  site = %q\n}\n", site, siteKey, site,
			site)
	}
	return text
}()

func loadAt(t fataler, site, text string) *schema.Config {
	t.Helper()
	fs := afero.NewMemMapFs()
	if err := afero.WriteFile(fs, "conf/main.sync.hcl", []byte(text), 0o600); err != nil {
		t.Fatalf("%v", err)
	}
	cfg, diags := schema.Load(context.Background(), schema.Options{Fs: fs, Dir: "conf", Catalog: catalog, Site: site})
	if diags.HasErrors() {
		t.Fatalf("%v\n%s", diags, text)
	}
	return cfg
}

// sitesInput is the input of a plan with what all servers show.
func sitesInput(cfg *schema.Config, d *depot) planner.Input {
	in := input(cfg, d)
	in.Observations = planner.NewObservations()
	for _, site := range []string{"a", "b", "c"} {
		in.Observations.Put(planner.Need{Server: "server.depot." + site, What: "box"}, time.Now(), "", &box{})
	}
	return in
}

// fewest counts by trial the least number of exchanges, from a site on.
func fewest(steps []planner.Step, first string, sites []string) int {
	place := map[string]int{}
	for i, s := range steps {
		place[s.ID] = i
	}
	type state struct {
		done int
		site string
	}
	now := map[state]bool{{0, first}: true}
	for n := 0; ; n++ {
		for grows := true; grows; { // whatever the sites that have the turn can do, each alone
			grows = false
			for st := range now {
				for i, s := range steps {
					free := st.done&(1<<i) == 0 && (siteOf(s) == "" || siteOf(s) == st.site)
					for _, id := range s.Needs {
						free = free && st.done&(1<<place[id]) != 0
					}
					next := state{st.done | 1<<i, st.site}
					if free && !now[next] {
						now[next], grows = true, true
					}
				}
			}
		}
		handed := map[state]bool{}
		for st := range now {
			if st.done == 1<<len(steps)-1 {
				return n
			}
			for _, site := range sites {
				handed[state{st.done, site}] = true
			}
		}
		now = handed
	}
}

func siteOf(s planner.Step) string {
	if len(s.Servers) == 0 {
		return ""
	}
	return strings.TrimPrefix(s.Servers[0], "server.depot.")
}

func TestExchangesAreTheFewest(t *testing.T) {
	const addr = "sync.depot.s"
	configs := map[string]*schema.Config{}
	for _, site := range []string{"a", "b", "c"} {
		configs[site] = loadAt(t, site, overSites)
	}
	rapid.Check(t, func(t *rapid.T) {
		sites := []string{"a", "b", "c"}[:rapid.IntRange(2, 3).Draw(t, "sites")]
		first := rapid.SampledFrom(sites).Draw(t, "first")
		var steps []planner.Step
		for i := range rapid.IntRange(1, 8).Draw(t, "steps") {
			s := step(addr, fmt.Sprintf("s%d", i))
			for j := range i {
				if rapid.IntRange(0, 2).Draw(t, "needs") == 0 {
					s.Needs = append(s.Needs, planner.StepID(addr, fmt.Sprintf("s%d", j)))
				}
			}
			if server := rapid.SampledFrom(append([]string{""}, sites...)).Draw(t, "at"); server != "" {
				s.Servers = []string{"server.depot." + server}
			}
			steps = append(steps, s)
		}
		d := &depot{outlines: map[string]planner.Outline{addr: update(steps...)}}
		p := made(t, sitesInput(configs[first], d))
		if got, want := p.Exchanges(), fewest(p.Steps, first, sites); got != want {
			t.Fatalf("%d exchanges, and %d are enough", got, want)
		}
		at, seen := 0, map[string]bool{}
		for i, turn := range p.Turns {
			if i > 0 && (turn.Steps == 0 || turn.Site == p.Turns[i-1].Site) || i == 0 && turn.Site != first {
				t.Fatalf("turn %d is %+v", i, turn)
			}
			for _, s := range p.Steps[at : at+turn.Steps] {
				if s.Site != turn.Site || siteOf(s) != "" && siteOf(s) != s.Site {
					t.Fatalf("%s of %q is carried out by %q", s.ID, siteOf(s), s.Site)
				}
				for _, n := range s.Needs {
					if !seen[n] {
						t.Fatalf("%s stands before %s", s.ID, n)
					}
				}
				seen[s.ID] = true
			}
			at += turn.Steps
		}
		if at != len(steps) {
			t.Fatalf("the turns have %d of %d steps", at, len(steps))
		}
		if again, err := planner.Decode(strings.NewReader(encoded(t, p))); err != nil || encoded(t, again) != encoded(t, p) {
			t.Fatalf("written and read again it is another one: %v", err)
		}
	})
}

func TestStepOfTwoSites(t *testing.T) {
	const addr = "sync.depot.s"
	s := step(addr, "both")
	s.Servers = []string{"server.depot.a", "server.depot.b"}
	d := &depot{outlines: map[string]planner.Outline{addr: update(s)}}
	_, diags := planner.Make(t.Context(), sitesInput(loadAt(t, "a", overSites), d))
	if len(diags) != 1 || diags[0].Summary != "A step of two sites" {
		t.Errorf("got %v", diags)
	}
}

func TestApprovalsOfIrreversibleSteps(t *testing.T) {
	const addr = "sync.depot.s"
	check, final := step(addr, "check"), planner.Final("delete", "delete it", 1, "one box", planner.StepID(addr, "check"))
	final.Because, final.Needs = "it is told to", []string{planner.StepID(addr, "check")}
	check.Servers, final.Servers = []string{"server.depot.a"}, []string{"server.depot.b"}
	d := &depot{outlines: map[string]planner.Outline{addr: update(check, final)}}
	p := made(t, sitesInput(loadAt(t, "a", overSites), d))
	if got := p.Step(addr + "/delete").Approvals; !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("it needs the approvals of %q", got)
	}
	if len(p.Sites) != 2 || p.SiteOf("b") == nil || time.Duration(p.SiteOf("b").MaxAge) != 24*time.Hour {
		t.Errorf("the sites are %+v", p.Sites)
	}
}

// Ten thousand steps of two sites, and of three, are put into order in no time.
func TestManySteps(t *testing.T) {
	const addr = "sync.depot.s"
	for _, sites := range [][]string{{"a", "b"}, {"a", "b", "c"}} {
		var steps []planner.Step
		for i := range 10_000 {
			s := step(addr, fmt.Sprintf("s%d", i))
			if i >= 100 {
				s.Needs = []string{planner.StepID(addr, fmt.Sprintf("s%d", i-100))}
			}
			s.Servers = []string{"server.depot." + sites[(i*7919/100)%len(sites)]}
			steps = append(steps, s)
		}
		d := &depot{outlines: map[string]planner.Outline{addr: update(steps...)}}
		began := time.Now()
		p := made(t, sitesInput(loadAt(t, "a", overSites), d))
		t.Logf("%d sites: %d exchanges in %s", len(sites), p.Exchanges(), time.Since(began))
	}
}

// apart observes servers, as a synchronization needs both of.
type apart struct {
	mu    sync.Mutex
	asked []string
}

func (d *apart) Needs(r *schema.Resource, _ *planner.Observations) ([]planner.Need, hcl.Diagnostics) {
	if r.Addr.Kind != schema.Sync {
		return nil, nil
	}
	var needs []planner.Need
	for _, site := range []string{"a", "b"} {
		needs = append(needs, planner.Need{Server: "server.depot." + site, What: "box"})
	}
	return needs, nil
}

func (d *apart) Observe(_ context.Context, r *schema.Resource, _ planner.Need) (any, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked = append(d.asked, r.Addr.Name)
	return &box{}, nil
}

func (d *apart) Plan(c planner.Change) (planner.Outline, hcl.Diagnostics) {
	if c.Resource.Addr.Kind != schema.Sync {
		return planner.Outline{}, nil
	}
	_, err := planner.Observed[box](c.Seen, planner.Need{Server: "server.depot.b", What: "box"})
	if err != nil {
		return planner.Outline{}, hcl.Diagnostics{{Severity: hcl.DiagError, Summary: err.Error()}}
	}
	do := step("sync.depot.s", "do")
	do.Servers = []string{"server.depot.b"}
	return update(do), nil
}

func TestOtherSitesSendWhatTheyShow(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	in := func(site string, d *apart) planner.Input {
		i := input(loadAt(t, site, overSites), nil)
		i.Drivers = func(schema.Addr) planner.Driver { return d }
		i.Now, i.By = func() time.Time { return now }, "somebody"
		return i
	}
	here := &apart{}
	_, diags := planner.Make(t.Context(), in("a", here))
	if len(diags) != 1 || diags[0].Summary != "Not sent by the other site" || !strings.Contains(diags[0].Detail, "\"b\"") {
		t.Fatalf("without what b shows: %v", diags)
	}
	there := &apart{}
	sent, diags := planner.Look(t.Context(), in("b", there))
	if diags.HasErrors() || slices.Contains(there.asked, "a") {
		t.Fatalf("b asked %q: %v", there.asked, diags)
	}
	if _, err := planner.Observed[box](sent, planner.Need{Server: "server.depot.a", What: "box"}); !errors.Is(err,
		planner.ErrNotObserved) {
		t.Errorf("b sends what it cannot know: %v", err)
	}
	again := in("a", &apart{})
	again.Observations = sent
	p, diags := planner.Make(t.Context(), again)
	if diags.HasErrors() || len(p.Steps) != 1 {
		t.Fatalf("with what b shows: %v", diags)
	}
	if ages := sent.Ages(again.Config); len(ages) != 1 || ages["b"].By != "somebody" || !ages["b"].At.Equal(now) {
		t.Errorf("the ages are %v", ages)
	}
	if b := p.SiteOf("b"); b == nil || b.Observed == nil || !b.Observed.At.Equal(now) || p.SiteOf("a").Observed != nil {
		t.Errorf("in the plan: %+v", p.Sites)
	}
	hash := func() string {
		h, err := p.Hash()
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	was := hash()
	if p.SiteOf("b").Observed.By = "somebody else"; hash() != was || p.SiteOf("b").Observed == nil {
		t.Error("the hash covers when servers were seen, and by whom")
	}
	for changed, ok := range map[time.Time]bool{now: true, now.Add(time.Nanosecond): false} {
		again = in("a", &apart{})
		again.Observations, again.Changed = sent, map[string]time.Time{"b": changed}
		if _, diags = planner.Make(t.Context(), again); diags.HasErrors() == ok || !ok && !planner.Lacking(diags) {
			t.Errorf("b has changed something at %v, and shown it at %v: %v", changed, now, diags)
		}
		if !ok && !strings.Contains(diags.Error(), "compare the clocks") {
			t.Errorf("no word of the clocks, and b has changed something at %v, which is after %v", changed, now)
		}
	}
	again = in("a", &apart{})
	again.Observations, again.Changed = planner.NewObservations(), map[string]time.Time{"b": now.Add(time.Nanosecond)}
	again.Observations.Take(sent)
	again.Observations.Put(planner.Need{Server: "server.depot.b", What: "lid"}, now.Add(time.Hour), "somebody", &box{})
	if _, diags = planner.Make(t.Context(), again); !planner.Lacking(diags) {
		t.Errorf("b has shown only something else since it changed something: %v", diags)
	}
	now = now.Add(25 * time.Hour)
	again = in("a", &apart{})
	again.Observations, again.Changed = sent, map[string]time.Time{"b": now.Add(-time.Hour)}
	if _, diags = planner.Make(t.Context(), again); strings.Contains(diags.Error(), "compare the clocks") {
		t.Errorf("the clocks are right: %v", diags)
	}
	again = in("a", &apart{})
	again.Observations = sent
	if _, diags = planner.Make(t.Context(), again); len(diags) != 1 || diags[0].Summary != "Observations are too old" {
		t.Errorf("a day later: %v", diags)
	}
	again = in("a", &apart{})
	again.Observations = sent
	if _, diags = planner.Look(t.Context(), again); diags.HasErrors() {
		t.Errorf("a day later, only looking: %v", diags)
	}
}

// TestPlanWithoutSites: nothing of sites stands in a plan without them.
func TestPlanWithoutSites(t *testing.T) {
	text := encoded(t, made(t, input(load(t, moving), movingDepot())))
	for _, word := range []string{"site", "turns", "approvals", "reads", "writes"} {
		if strings.Contains(text, "\""+word) {
			t.Errorf("%q stands in it:\n%s", word, text)
		}
	}
}

// TestDeclaredSite: pictures have the site of each server, also of types without an argument for it.
func TestDeclaredSite(t *testing.T) {
	p := made(t, sitesInput(loadAt(t, "a", overSites), &depot{}))
	got := map[string]string{}
	for _, d := range p.Declared {
		got[d.Addr] = d.Site
	}
	for _, site := range []string{"a", "b", "c"} {
		if got["server.depot."+site] != site {
			t.Errorf("%v", got)
		}
	}
}
