package planner_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/syncctl/syncctl/planner"
)

// A declaration's plan knows which of its own person's steps earlier runs have done, and nobody else's.
func TestConfirmed(t *testing.T) {
	d := busy("sync.depot.a", "sync.depot.ab")
	in := input(load(t, "sync \"depot\" \"a\" {}\nsync \"depot\" \"ab\" {}\nsync \"depot\" \"c\" {}\n"), d)
	first, second := planner.Confirmation{Run: "20260101T000000.000Z-aaaaaa", Seq: 7},
		planner.Confirmation{Run: "20260102T000000.000Z-bbbbbb", Seq: 3}
	in.Confirmed = map[string]planner.Confirmation{
		"sync.depot.a/configure_12ab": first, "sync.depot.a/gone": second, "sync.depot.ab/configure_12ab": second,
		"server.depot.a/configure_12ab": second, "sync.depot.x/configure_12ab": second,
	}
	plan := made(t, in)
	for addr, want := range map[string]map[string]planner.Confirmation{
		"sync.depot.a":  {"configure_12ab": first, "gone": second},
		"sync.depot.ab": {"configure_12ab": second},
		"sync.depot.c":  nil,
	} {
		if diff := cmp.Diff(want, d.seen[addr].Confirmed); diff != "" {
			t.Errorf("%s: %s", addr, diff)
		}
	}
	// What was confirmed is told to the driver; of itself it changes no plan.
	in.Confirmed = nil
	if again := made(t, in); encoded(t, again) != encoded(t, plan) {
		t.Errorf("the plan differs:\n%s\n%s", encoded(t, plan), encoded(t, again))
	}
	if got := d.seen["sync.depot.a"].Confirmed; len(got) != 0 {
		t.Errorf("nothing was confirmed: %v", got)
	}
}

func TestConfirmationAfter(t *testing.T) {
	at := func(run string, seq int) planner.Confirmation { return planner.Confirmation{Run: run, Seq: seq} }
	for _, c := range []struct {
		a, b planner.Confirmation
		want bool
	}{
		{at("2026-a", 2), at("2026-a", 1), true},
		{at("2026-a", 1), at("2026-a", 2), false},
		{at("2026-a", 1), at("2026-a", 1), false},
		{at("2026-b", 1), at("2026-a", 9), true},
		{at("2026-a", 9), at("2026-b", 1), false},
		{at("2026-a", 1), planner.Confirmation{}, true},
		{planner.Confirmation{}, planner.Confirmation{}, false},
	} {
		if got := c.a.After(c.b); got != c.want {
			t.Errorf("%v after %v: %v", c.a, c.b, got)
		}
	}
}
