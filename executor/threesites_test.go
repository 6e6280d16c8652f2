package executor

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"
	"pgregory.net/rapid"

	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// threeCompanies returns three sites, their configuration, and a run that c has begun: what a removes for good rests on
// what b and c verify.
func threeCompanies(t *testing.T) (a, b, c *company, cfg *schema.Config) {
	t.Helper()
	site := strings.ReplaceAll(twoSites[strings.Index(twoSites, "site \"b\""):strings.Index(twoSites, "server")], `"b"`,
		`"c"`)
	fsys := afero.NewMemMapFs()
	text := twoSites + site + "server \"depot\" \"c\" {\n  site = \"c\"\n}\n"
	if err := afero.WriteFile(fsys, "d/main.sync.hcl", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, diags := schema.Load(t.Context(), schema.Options{Fs: fsys, Dir: "d", Site: "c",
		Catalog: schema.Catalog{{Kind: schema.Migration, Name: "depot"}, {Kind: schema.Server, Name: "depot"}}})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	at := func(site string) []string { return []string{"server.depot." + site} }
	steps := plan([]planner.Step{
		{Op: "write_a", Servers: at("a"), Mark: planner.MarkAdd},
		{Op: "verify_b", Servers: at("b"), Mark: planner.MarkCheck, Needs: []string{"write_a"}},
		{Op: "verify_c", Servers: at("c"), Mark: planner.MarkCheck, Needs: []string{"write_a"}},
		{Op: "delete_a", Servers: at("a"), Mark: planner.MarkFinal, Repeat: planner.Once,
			Needs: []string{"verify_b", "verify_c"}, Guards: []string{"verify_b", "verify_c"},
			Effect: &planner.Effect{Irreversible: true}},
	}...).Steps
	p, diags := planner.Make(context.Background(), planner.Input{Config: cfg, Drivers: func(a schema.Addr) planner.Driver {
		if a.Kind == schema.Migration {
			return outliner(steps)
		}
		return outliner(nil)
	}})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	a, b = twoCompanies()
	c = &company{name: "c", depot: a.depot, clock: a.clock, store: &Store{Fs: afero.NewMemMapFs(), Dir: "data/runs",
		Now: a.clock.Now, Site: "c", Key: func() ([]byte, error) { return []byte("the key of c"), nil }}}
	a.begin(t, p)
	return a, b, c, cfg
}

// threeBegun returns three companies of which the first has begun, told the others, and the second has gone on.
func threeBegun(t *testing.T) (a, b, c *company, cfg *schema.Config) {
	t.Helper()
	a, b, c, cfg = threeCompanies(t)
	a.apply(t, cfg)
	a.sendTo(t, b)
	a.sendTo(t, c)
	b.apply(t, cfg)
	return a, b, c, cfg
}

// TestTwoJournalsOfOneSite: a site that sends one journal to here and another to a third site is found out as soon as
// those two have heard of each other, whoever is heard first, and nothing is removed.
func TestTwoJournalsOfOneSite(t *testing.T) {
	for _, order := range []string{"b, c", "c, b", "honest"} {
		a, b, c, cfg := threeBegun(t)
		toA, toC := b.pack(t), b.pack(t)
		if order != "honest" {
			chain := toC.cargo.Chain
			last := chain[len(chain)-1]
			chain[len(chain)-1].Time = last.Time.Add(time.Second)
			toC.rechain(t, chain)
		}
		if err := c.receive(toC); err != nil {
			t.Fatal(err)
		}
		c.apply(t, cfg)
		parcels := []*parcel{toA, c.pack(t)}
		if order == "c, b" {
			parcels[0], parcels[1] = parcels[1], parcels[0]
		}
		if err := a.receive(parcels[0]); err != nil {
			t.Fatalf("%s: %v", order, err)
		}
		known := len(a.run(t).Entries)
		if err := a.receive(parcels[1]); (err == nil) != (order == "honest") {
			t.Errorf("%s: %v", order, err)
		}
		if grown := len(a.run(t).Entries) > known; grown != (order == "honest") {
			t.Errorf("%s: what was refused is taken in", order)
		}
		a.apply(t, cfg)
		if deleted := a.depot.thrown[addr+"/delete_a"] > 0; deleted != (order == "honest") {
			t.Errorf("%s: deleted: %v", order, deleted)
		}
	}
}

// TestClaimsOfAThirdSite: what a site says it has received of a third one, which never writes as much, neither counts
// as done nor keeps the third one's own journal out, and the run still ends.
func TestClaimsOfAThirdSite(t *testing.T) {
	a, b, c, cfg := threeBegun(t)
	lie := b.pack(t)
	chain := lie.cargo.Chain
	lie.rechain(t, append(chain, journal.Entry{Seq: len(chain) + 1, Key: RunKey, Event: EventReceived,
		Data: ReceivedData{Site: "c", Entries: 1000, Head: "x"}.data()}))
	if err := a.receive(lie); err != nil {
		t.Fatal(err)
	}
	a.apply(t, cfg)
	if a.depot.thrown[addr+"/delete_a"] > 0 {
		t.Error("it is deleted without the word of c")
	}
	c.apply(t, cfg)
	if err := a.receive(c.pack(t)); err != nil {
		t.Fatal(err)
	}
	a.apply(t, cfg)
	if a.depot.thrown[addr+"/delete_a"] != 1 {
		t.Errorf("%v", a.depot.thrown)
	}
}

// TestThreeSitesAndACourier: whatever is lost, repeated or late, three sites that say what is so never refuse each
// other, and the run ends with everything done once.
func TestThreeSitesAndACourier(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		a, b, c, cfg := threeCompanies(t)
		all := map[string]*company{"a": a, "b": b, "c": c}
		type letter struct {
			to string
			p  *parcel
		}
		var mail []letter
		names := rapid.SampledFrom([]string{"a", "b", "c"})
		for range rapid.IntRange(0, 30).Draw(rt, "events") {
			switch rapid.SampledFrom([]string{"acts", "sends", "arrives", "arrives", "hours"}).Draw(rt, "what") {
			case "acts":
				all[names.Draw(rt, "site")].apply(rt, cfg)
			case "sends":
				if from, to := names.Draw(rt, "from"), names.Draw(rt, "to"); from != to {
					if p := all[from].pack(rt); p != nil {
						mail = append(mail, letter{to, p})
					}
				}
			case "hours":
				a.clock.mu.Lock()
				a.clock.now = a.clock.now.Add(7 * time.Hour)
				a.clock.mu.Unlock()
			case "arrives":
				if len(mail) > 0 {
					l := rapid.SampledFrom(mail).Draw(rt, "letter")
					if err := all[l.to].receive(l.p); err != nil {
						rt.Fatalf("%v", err)
					}
				}
			}
		}
		for range 6 {
			for _, site := range []string{"a", "b", "c"} {
				all[site].apply(rt, cfg)
				p := all[site].pack(rt)
				for to, other := range all {
					if p != nil && to != site {
						if err := other.receive(p); err != nil {
							rt.Fatalf("%v", err)
						}
					}
				}
			}
		}
		for name, of := range all {
			if !of.run(rt).Finished() {
				rt.Fatalf("%s is not at its end", name)
			}
		}
		for id, n := range a.depot.thrown {
			if n != 1 {
				rt.Fatalf("%s was done %d times", id, n)
			}
		}
	})
}
