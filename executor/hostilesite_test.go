package executor

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/syncctl/syncctl/journal"
)

// TestHostileSite: whatever one of three sites writes into its journal, nothing is removed before the third site has
// verified, and what is refused is not taken in.
func TestHostileSite(t *testing.T) {
	events := []string{EventOpened, EventDone, EventDone, EventDone, EventResolved, EventStarted, EventExecuted,
		EventFailed, EventWaiting, EventStuck, EventFinished, EventApproved, EventVerified, EventRevised, EventReceived,
		"unknown"}
	keys := []string{RunKey, addr + "/write_a", addr + "/verify_b", addr + "/verify_c", addr + "/verify_c",
		addr + "/verify_c", addr + "/delete_a", "x"}
	rapid.Check(t, func(rt *rapid.T) {
		a, b, c, cfg := threeBegun(t)
		honest := b.pack(rt)
		hash := honest.h.Plan
		spoken := 0 // how much of c's journal a has
		for range rapid.IntRange(1, 6).Draw(rt, "rounds") {
			lie := b.pack(rt)
			chain := slices.Clone(lie.cargo.Chain)
			for range rapid.IntRange(1, 2).Draw(rt, "lies") {
				hours := rapid.IntRange(-40, 40).Draw(rt, "hours")
				e := journal.Entry{Key: rapid.SampledFrom(keys).Draw(rt, "key"),
					Event: rapid.SampledFrom(events).Draw(rt, "event"), Time: a.clock.Now().Add(time.Duration(hours) * time.Hour),
					Data: map[string]string{}}
				switch e.Event {
				case EventApproved:
					e.Data[dataPlan] = hash
				case EventReceived:
					e.Data = ReceivedData{Site: rapid.SampledFrom([]string{"a", "b", "c", "x"}).Draw(rt, "of"),
						Entries: rapid.IntRange(-1, 20).Draw(rt, "n"), Head: "x"}.data()
				}
				if rapid.Bool().Draw(rt, "own") {
					e.Data[dataOwn] = rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "at")
				}
				if at := rapid.IntRange(0, 4*len(chain)).Draw(rt, "at"); at < len(chain) {
					chain[at] = e
				} else {
					chain = append(chain, e)
				}
			}
			for i := range chain {
				chain[i].Seq = i + 1
			}
			lie.rechain(t, chain)
			before := len(a.run(rt).Chains["b"])
			if err := a.receive(lie); err != nil && len(a.run(rt).Chains["b"]) != before {
				rt.Fatalf("refused, and taken in: %v", err)
			}
			switch rapid.SampledFrom([]string{"waits", "approves", "acts"}).Draw(rt, "c") {
			case "approves":
				c.approve(rt)
			case "acts":
				c.apply(rt, cfg)
			}
			if rapid.Bool().Draw(rt, "c sends") {
				p := c.pack(rt)
				if err := a.receive(p); err == nil {
					spoken = len(p.cargo.Chain)
				}
			}
			a.apply(rt, cfg)
			verified := slices.ContainsFunc(c.run(rt).Chains["c"][:spoken], func(e journal.Entry) bool {
				return e.Key == addr+"/verify_c" && e.Event == EventDone
			})
			if a.depot.thrown[addr+"/delete_a"] > 0 && !verified {
				rt.Fatalf("removed on the word of one site: %v", a.depot.thrown)
			}
			for _, e := range a.run(rt).Chains["a"] {
				if e.Key != RunKey && a.run(rt).Plan.Step(e.Key).Site != "a" {
					rt.Fatalf("a writes of %s", e.Key)
				}
			}
		}
	})
}

// approve approves the plan, and carries nothing out.
func (c *company) approve(t fataler) {
	t.Helper()
	r := c.run(t)
	j, err := c.store.Journal(r, journal.Options{Now: c.clock.Now})
	if err != nil {
		t.Fatalf("%v", err)
	}
	if !r.Approved(c.name) {
		err = Approve(context.Background(), r, j, "somebody of "+c.name)
	}
	if err := errors.Join(err, j.Close()); err != nil {
		t.Fatalf("%v", err)
	}
}
