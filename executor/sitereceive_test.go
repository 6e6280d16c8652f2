package executor

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"
	"pgregory.net/rapid"

	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
)

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
			b.begin(t, overTwo())
			b.apply(t, cfg)
			b.sendTo(t, a)
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
		b.begin(t, overTwo())
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
			b.begin(t, overTwo())
			b.apply(t, sitesConfig())
			b.sendTo(t, a)
			a.apply(t, sitesConfig())
			a.sendTo(t, b)
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
	b.begin(t, overTwo())
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
	b.begin(t, overTwo())
	b.apply(t, cfg)
	b.sendTo(t, a)
	if err := b.receive(a.pack(t)); err != nil { // before the file is written
		t.Fatal(err)
	}
	b.sendTo(t, a)
	a.apply(t, cfg)
	if got := a.run(t).HadBy("b"); len(got) != 0 {
		t.Errorf("before it was sent: %v", got)
	}
	a.sendTo(t, b)
	if got := a.run(t).HadBy("b"); len(got) != 0 {
		t.Errorf("before b has said so: %v", got)
	}
	b.sendTo(t, a)
	if got := a.run(t).HadBy("b"); !got["a.json"] {
		t.Errorf("when b has said so: %v", got)
	}
}

// What is left of receiving a run goes when it is discarded, and when another is received.
func TestIncomingFilesGo(t *testing.T) {
	cfg := sitesConfig()
	a, b := twoCompanies()
	b.begin(t, overTwo())
	b.apply(t, cfg)
	b.sendTo(t, a)
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
	b.begin(t, overTwo())
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
