package executor

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

func (c *fastClock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// TestClocksMakeNothingFresh checks that what another site has verified is too old after its max_age of a day, also if
// the clock here was set back since, or if the clock there was ahead.
func TestClocksMakeNothingFresh(t *testing.T) {
	for name, c := range map[string]struct {
		ahead   time.Duration   // of the clock of b
		waits   []time.Duration // of a, one after the other, before it applies
		deleted bool
	}{
		"in time":           {0, []time.Duration{20 * time.Hour}, true},
		"late":              {0, []time.Duration{25 * time.Hour}, false},
		"set back":          {0, []time.Duration{25 * time.Hour, -20 * time.Hour}, false},
		"set back, to then": {0, []time.Duration{25 * time.Hour, -25 * time.Hour}, false},
		"it ages on then":   {0, []time.Duration{23 * time.Hour, -20 * time.Hour, 6 * time.Hour}, false},
		"still young then":  {0, []time.Duration{10 * time.Hour, -8 * time.Hour, 6 * time.Hour}, true},
		"set back twice":    {0, []time.Duration{9 * time.Hour, -5 * time.Hour, 9 * time.Hour, -5 * time.Hour, 9 * time.Hour}, false},
		"ahead":             {10 * time.Hour, []time.Duration{20 * time.Hour}, true},
		"ahead, late":       {10 * time.Hour, []time.Duration{25 * time.Hour}, false},
		"far ahead":         {30 * time.Hour, []time.Duration{0}, false},
		"far ahead, later":  {30 * time.Hour, []time.Duration{7 * time.Hour}, false},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := sitesConfig()
			a, b := twoCompanies()
			b.clock = &fastClock{now: a.clock.now.Add(c.ahead)}
			b.store.Now = b.clock.Now
			b.begin(t, overTwo())
			for range 2 {
				b.apply(t, cfg)
				b.sendTo(t, a)
				a.apply(t, cfg)
				a.sendTo(t, b)
			}
			b.apply(t, cfg) // it verifies
			b.sendTo(t, a)
			a.depot.refuse[addr+"/delete_a"] = errors.New("busy") // only the last process gets that far
			for i, d := range c.waits {
				if a.clock.move(d); i == len(c.waits)-1 {
					delete(a.depot.refuse, addr+"/delete_a")
				}
				a.apply(t, cfg)
			}
			if got := a.depot.thrown[addr+"/delete_a"] == 1; got != c.deleted {
				t.Errorf("deleted: %v", got)
			}
			if c.deleted {
				return
			}
			a.clock.move(25*time.Hour + c.ahead) // both clocks are right again, and b verifies again
			b.clock.move(50*time.Hour + a.clock.Now().Sub(b.clock.Now()))
			a.clock.move(50 * time.Hour)
			a.sendTo(t, b)
			b.apply(t, cfg)
			b.sendTo(t, a)
			a.apply(t, cfg)
			if a.depot.thrown[addr+"/delete_a"] != 1 {
				t.Errorf("a does not go on: %v", a.depot.thrown)
			}
		})
	}
}

// TestClockSetBackWhileItRuns: until is a limit by the clock as it is set, and one that is set back later in the same
// process does not move it. Entries of the same process count by the clock that people set as well.
func TestClockSetBackWhileItRuns(t *testing.T) {
	p := overTwo()
	now := time.Now() // with a monotonic reading
	at := func(d time.Duration) time.Time { return now.Round(0).Add(d) }
	entries := []journal.Entry{
		{Site: "b", Own: 1, Key: addr + "/verify_b", Event: EventDone, Time: at(-20 * time.Hour)},
		{Site: "a", Own: 1, Key: RunKey, Event: EventReceived, Time: at(-20 * time.Hour),
			Data: ReceivedData{Site: "b", Entries: 1}.data()},
		{Site: "a", Own: 2, Key: addr + "/stop_a", Event: EventDone, Time: at(3 * time.Hour)},
	}
	h, s := historyOf(p, entries, "a"), p.Step(addr+"/delete_a")
	if got, want := h.until(s, now), now.Add(time.Hour); got != want { // now is 3 hours before the last entry
		t.Errorf("until %v, want %v", got, want)
	}
	h.add(journal.Entry{Site: "a", Own: 3, Key: addr + "/stop_a", Event: EventDone, Time: now})
	if got, want := h.until(s, now), now.Add(time.Hour); got != want {
		t.Errorf("after an entry of this process: until %v, want %v", got, want)
	}
	if got := h.until(s, now.Add(2*time.Hour)); !got.Before(now.Add(2 * time.Hour)) {
		t.Errorf("when it is too old: until %v", got)
	}
}

// TestReceiptWithoutAnEntry: a process that is killed after it has stored another site's journal, and before it has
// recorded that, leaves what counts as not received. Receiving the same again records it.
func TestReceiptWithoutAnEntry(t *testing.T) {
	cfg := sitesConfig()
	a, b := twoCompanies()
	b.begin(t, overTwo())
	for range 2 {
		b.apply(t, cfg)
		b.sendTo(t, a)
		a.apply(t, cfg)
		a.sendTo(t, b)
	}
	b.apply(t, cfg)
	last := b.pack(t)
	r := a.run(t)
	key, err := a.store.keyOf(r.ID)
	if err == nil {
		err = journal.Write(a.store.Fs, r.chainPath("b"), last.cargo.Chain, siteKey(key, "b"))
	}
	if err != nil {
		t.Fatal(err)
	}
	deletes := func() StepReport {
		t.Helper()
		rep := a.apply(t, cfg)
		return rep.Steps[slices.IndexFunc(rep.Steps, func(s StepReport) bool { return s.Step.Op == "delete_a" })]
	}
	if got := deletes(); got.Phase != PhaseBlocked || !slices.Equal(got.WaitFor, []string{"b"}) {
		t.Errorf("without a receipt: %+v", got)
	}
	if err := a.receive(last); err != nil {
		t.Fatal(err)
	}
	if got := deletes(); got.Phase != PhaseDone {
		t.Errorf("with its receipt: %+v", got)
	}
}

// TestReceiptsTakeWhatTheyHave: a receipt takes what the other site has verified up to it. What was verified again
// since, or later, waits for the next one.
func TestReceiptsTakeWhatTheyHave(t *testing.T) {
	p := &planner.Plan{Sites: []planner.PlanSite{{Name: "a"}, {Name: "b", MaxAge: planner.Duration(time.Hour)}},
		Steps: []planner.Step{{ID: "x", Site: "b", Mark: planner.MarkCheck}, {ID: "y", Site: "b", Mark: planner.MarkCheck},
			{ID: "z", Site: "b", Mark: planner.MarkCheck},
			{ID: "end", Site: "a", Guards: []string{"x", "y", "z"}}}}
	h := historyOf(p, nil, "a")
	now := time.Date(2027, 2, 4, 0, 0, 0, 0, time.UTC)
	own := 0
	received := func() (out []string) {
		for _, id := range []string{"x", "y", "z"} {
			if h.of(id).fresh.received {
				out = append(out, id)
			}
		}
		return out
	}
	for i, c := range []struct {
		entries int      // of the receipt
		steps   []string // verified before it, one after the other
		want    []string
	}{{2, []string{"x", "y", "z", "x"}, []string{"y"}}, {3, nil, []string{"y", "z"}}, {4, nil, []string{"x", "y", "z"}},
		{4, []string{"y"}, []string{"x", "z"}}, {9, nil, []string{"x", "y", "z"}}} {
		for _, id := range c.steps {
			own++
			h.add(journal.Entry{Site: "b", Own: own, Key: id, Event: EventDone, Time: now})
		}
		h.add(journal.Entry{Site: "a", Key: RunKey, Event: EventReceived, Time: now,
			Data: ReceivedData{Site: "b", Entries: c.entries}.data()})
		if got := received(); !slices.Equal(got, c.want) {
			t.Errorf("receipt %d: %q, want %q", i, got, c.want)
		}
	}
}

// TestOwnStepAfterAnUnrecordedReceipt: a step of this site that needs what has come without a recorded receipt waits
// for the receipt, and work ends.
func TestOwnStepAfterAnUnrecordedReceipt(t *testing.T) {
	p := plan(planner.Step{Op: "first", Site: "b"}, planner.Step{Op: "then", Site: "a", Repeat: planner.Idempotent})
	p.Steps[1].Needs = []string{p.Steps[0].ID}
	p.Sites = []planner.PlanSite{{Name: "a"}, {Name: "b", MaxAge: planner.Duration(time.Hour)}}
	chain := []journal.Entry{{Seq: 1, Key: p.Steps[0].ID, Event: EventDone, Time: time.Now()}}
	for _, receipt := range []bool{false, true} {
		j, err := journal.Open(afero.NewMemMapFs(), "journal", journal.Options{Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		if receipt {
			_, err = j.Append(t.Context(), RunKey, EventReceived, map[string]string{dataSite: "b", dataEntries: "1"})
			if err != nil {
				t.Fatal(err)
			}
		}
		r := &Run{Plan: p, Site: "a", Chains: map[string][]journal.Entry{"b": chain}}
		rep, err := Carry(t.Context(), Options{Plan: p, Config: config(t), Site: "a", Clock: bubbleClock{}, Parallelism: 1,
			Drivers: func(schema.Addr) Driver { return idle{} }, Journal: r.United(j)})
		if err != nil || (rep.Steps[1].Phase == PhaseDone) != receipt {
			t.Errorf("receipt %t: %v, %v", receipt, rep.Steps[1].Phase, err)
		}
	}
}

// TestIsPast: a time is past if the clock that people set says so, and if the monotonic one does.
func TestIsPast(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		t, now time.Time
		past   bool
	}{
		{now, now, false},
		{now, now.Add(time.Second), true},
		{now.Add(time.Second), now, false},
		{now, now.Round(0).Add(time.Second), true},
		{now.Round(0), now.Add(-time.Second), false},
	} {
		if isPast(c.t, c.now) != c.past {
			t.Errorf("%v at %v", c.t, c.now)
		}
	}
}
