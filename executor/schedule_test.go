package executor

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
	"pgregory.net/rapid"
)

// drawPlan draws steps of all kinds, with needs that may be named twice, stand later or are not there.
func drawPlan(t *rapid.T) *planner.Plan {
	p := &planner.Plan{}
	n := rapid.IntRange(1, 9).Draw(t, "steps")
	for i := range n {
		s := planner.Step{Addr: fmt.Sprint("a", i/3), ID: fmt.Sprint("s", i), Repeat: rapid.SampledFrom(
			[]planner.Repeat{planner.Idempotent, planner.CheckFirst, planner.Once}).Draw(t, "repeat")}
		for j := range n + 1 {
			if j < i && rapid.IntRange(0, 2).Draw(t, "needs") == 0 || rapid.IntRange(0, 40).Draw(t, "needs later") == 0 {
				s.Needs = append(s.Needs, fmt.Sprint("s", j))
			}
		}
		switch rapid.IntRange(0, 3).Draw(t, "kind") {
		case 0:
			s.Mark = planner.MarkCheck
		case 1:
			s.Manual = &planner.Manual{}
		case 2:
			s.Effect = &planner.Effect{Irreversible: true}
		}
		s.Exclusive = rapid.SliceOfN(rapid.SampledFrom([]string{"x", "y", "z"}), 0, 2).Draw(t, "exclusive")
		p.Steps = append(p.Steps, s)
	}
	return p
}

// drawSites has some plans carried out over two sites, and returns the one whose process it is.
func drawSites(t *rapid.T, p *planner.Plan) string {
	if rapid.Bool().Draw(t, "one process") {
		return ""
	}
	p.Sites = []planner.PlanSite{{Name: "a", MaxAge: planner.Duration(time.Hour)}, {Name: "b",
		MaxAge: planner.Duration(time.Hour)}}
	for i := range p.Steps {
		s := &p.Steps[i]
		s.Site = rapid.SampledFrom([]string{"a", "a", "b"}).Draw(t, "site")
		if s.Effect != nil {
			s.Approvals = []string{"a", "b"}
		}
		if s.Mark != planner.MarkCheck {
			for j := range i {
				if p.Steps[j].Mark == planner.MarkCheck && rapid.Bool().Draw(t, "guard") {
					s.Guards = append(s.Guards, p.Steps[j].ID)
				}
			}
		}
	}
	return "a"
}

// ledger draws entries and keeps them.
type ledger struct {
	site    string
	entries []journal.Entry
	now     time.Time
	at      map[string]string // the site of each step
	own     map[string]int    // how many entries each site has
	again   bool              // a step waits, or has waited, for a time
}

// place puts an entry of a run over sites into the journal of its site, which knows of all that the others have.
func (l *ledger) place(e *journal.Entry) {
	if l.site == "" {
		return
	}
	if e.Site == "" {
		e.Site = l.site
	}
	if at := l.at[e.Key]; at != "" {
		e.Site = at
	}
	e.Knows = maps.Clone(l.own)
	l.own[e.Site]++
	e.Own = l.own[e.Site]
}

// receive has the site receive what the other one has, or a part of it.
func (l *ledger) receive(t *rapid.T) {
	e := journal.Entry{Seq: len(l.entries) + 1, Key: RunKey, Event: EventReceived, Time: l.now,
		Data: ReceivedData{Site: "b", Entries: rapid.IntRange(0, l.own["b"]).Draw(t, "received")}.data()}
	l.place(&e)
	l.entries = append(l.entries, e)
}

// pass lets some time pass, or sets the clock back.
func (l *ledger) pass(t *rapid.T, minutes ...int) {
	l.now = l.now.Add(time.Duration(rapid.SampledFrom(minutes).Draw(t, "minutes")) * time.Minute)
}

func (l *ledger) write(t *rapid.T, key, event string) {
	e := journal.Entry{Seq: len(l.entries) + 1, Key: key, Event: event, Data: map[string]string{}, Time: l.now}
	l.place(&e)
	if rapid.IntRange(0, 2).Draw(t, "output") == 0 {
		e.Data[outputPrefix+"n"] = fmt.Sprint(e.Seq)
	}
	if event == EventFailed {
		f := Failure{Err: fmt.Errorf("failure %d", e.Seq), Unsent: rapid.Bool().Draw(t, "unsent"),
			Executed: rapid.Bool().Draw(t, "executed")}
		if wait := rapid.IntRange(-1, 3).Draw(t, "again after"); wait >= 0 {
			f.Again, l.again = l.now.Add(time.Duration(wait)*time.Second), true
		}
		e.Data = f.data()
	}
	l.entries = append(l.entries, e)
}

var stepEvents = []string{EventStarted, EventExecuted, EventDone, EventDone, EventFailed, EventWaiting, EventStuck,
	EventResolved, EventReopened}

// TestScheduleIsNext: whatever earlier processes have written, and however this one's steps end, in whatever order and
// time, the schedule says what Next says of the same journal.
func TestScheduleIsNext(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := drawPlan(rt)
		l := &ledger{site: drawSites(rt, p), now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), at: map[string]string{},
			own: map[string]int{}}
		for _, s := range p.Steps {
			l.at[s.ID] = s.Site
		}
		id := func() string { return p.Steps[rapid.IntRange(0, len(p.Steps)-1).Draw(rt, "step")].ID }
		for range rapid.IntRange(0, 25).Draw(rt, "entries before") {
			if rapid.IntRange(0, 9).Draw(rt, "opened") == 0 {
				l.write(rt, RunKey, EventOpened)
				continue
			}
			l.write(rt, id(), rapid.SampledFrom(stepEvents).Draw(rt, "event"))
			if l.site != "" && rapid.Bool().Draw(rt, "receipt") {
				l.receive(rt)
			}
			l.pass(rt, 0, 0, 0, 10, -10)
		}
		for _, site := range []string{"a", "b"} {
			if l.site != "" && rapid.Bool().Draw(rt, "approved") {
				e := approval(rt, p, journal.Entry{Seq: len(l.entries) + 1, Site: site, Time: l.now})
				l.place(&e)
				l.entries = append(l.entries, e)
			}
		}
		l.pass(rt, 0, 0, 50, 90, -30)
		l.write(rt, RunKey, EventOpened)
		s := newSchedule(p, l.entries, l.site, l.now)
		active := map[int]bool{}
		for range rapid.IntRange(1, 25).Draw(rt, "turns") {
			compare(rt, p, l, s, active)
			for range rapid.IntRange(0, 4).Draw(rt, "free places") {
				want := startable(rt, p, l, active)
				i, ok := s.start()
				if ok != (len(want) > 0) || ok && p.Steps[i].ID != want[0] {
					rt.Fatalf("it starts %d, %v, want one of %v", i, ok, want)
				}
				if !ok {
					break
				}
				active[i] = true
				compare(rt, p, l, s, active)
			}
			l.now = l.now.Add(time.Duration(rapid.IntRange(0, 2).Draw(rt, "seconds")) * time.Second)
			if rapid.IntRange(0, 3).Draw(rt, "a person takes long") == 0 {
				l.pass(rt, 20, 40, 90)
				if !l.again && rapid.Bool().Draw(rt, "set back") { // what waits for a time waits by no clock that people set
					l.pass(rt, -10, -30, -80)
				}
			}
			if len(active) == 0 {
				if at := s.wake(); at.After(l.now) {
					l.now = at
				}
				s.read(l.entries, l.now)
				continue
			}
			var left []int
			for i := range p.Steps {
				if !active[i] {
					continue
				}
				left = append(left, i)
				for _, event := range []string{EventStarted, EventExecuted} {
					if rapid.IntRange(0, 2).Draw(rt, event) == 0 {
						l.write(rt, p.Steps[i].ID, event)
					}
				}
			}
			i := rapid.SampledFrom(left).Draw(rt, "ends")
			if event := rapid.SampledFrom([]string{"", EventDone, EventDone, EventDone, EventFailed, EventWaiting, EventStuck}).
				Draw(rt, "end"); event != "" {
				l.write(rt, p.Steps[i].ID, event)
			} else if Next(p, l.entries, l.site, l.now).Steps[p.Steps[i].ID].Phase == PhaseRunning {
				l.write(rt, p.Steps[i].ID, EventFailed) // a step that has started is not left without an end
			}
			s.read(l.entries, l.now)
			s.end(i)
			delete(active, i)
		}
	})
}

// What time alone changes is looked at where it changes, and what stays as it is is recorded once.
func TestAging(t *testing.T) {
	p := overTwo()
	var entries []journal.Entry
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range p.Steps[:7] {
		entries = append(entries, journal.Entry{Seq: len(entries) + 1, Site: p.Steps[i].Site, Key: p.Steps[i].ID,
			Event: EventDone, Time: now})
	}
	s := newSchedule(p, entries, "a", now)
	for range 100 {
		now = now.Add(time.Hour)
		s.read(entries, now)
	}
	for id, all := range s.pasts.of {
		if len(all) > 1 {
			t.Errorf("%s is recorded %d times", id, len(all))
		}
	}
	if st := s.steps[s.place[addr+"/verify_a"]].state; !st.Renew {
		t.Errorf("what another site's step rests on is not verified again: %+v", st)
	}
}

// approval is an entry that approves a plan.
func approval(t *rapid.T, p *planner.Plan, e journal.Entry) journal.Entry {
	hash, err := p.Hash()
	if err != nil {
		t.Fatal(err)
	}
	e.Key, e.Event, e.Data = RunKey, EventApproved, map[string]string{dataPlan: hash}
	return e
}

// startable are the steps that may start beside active ones: those that Next names, but for what is exclusive.
func startable(t *rapid.T, p *planner.Plan, l *ledger, active map[int]bool) []string {
	used := map[string]bool{}
	for i := range active {
		for _, w := range p.Steps[i].Exclusive {
			used[w] = true
		}
	}
	free := &planner.Plan{Steps: slices.Clone(p.Steps), Sites: p.Sites}
	for i := range free.Steps {
		free.Steps[i].Exclusive = nil
	}
	entries := slices.Clone(l.entries)
	for i, e := range entries {
		if e.Event == EventApproved {
			entries[i] = approval(t, free, e)
		}
	}
	start := Next(free, entries, l.site, l.now).Start
	var out []string
	for i, s := range p.Steps {
		taken := active[i] || !slices.Contains(start, s.ID)
		if taken || slices.ContainsFunc(s.Exclusive, func(w string) bool { return used[w] }) {
			continue
		}
		for _, w := range s.Exclusive {
			used[w] = true
		}
		out = append(out, s.ID)
	}
	return out
}

// compare holds all that the schedule says against Next.
func compare(t *rapid.T, p *planner.Plan, l *ledger, s *schedule, active map[int]bool) {
	d := Next(p, l.entries[:s.seen], l.site, s.now)
	unbegun := func(i int) bool { return d.Steps[p.Steps[i].ID].Phase != PhaseRunning }
	if !slices.ContainsFunc(slices.Collect(maps.Keys(active)), unbegun) && s.now.Equal(l.now) && s.seen == len(l.entries) {
		if want := startable(t, p, l, active); !slices.Equal(d.Start, want) {
			t.Fatalf("Next starts %v, want %v", d.Start, want)
		}
	}
	if len(active) == 0 && !s.wake().Equal(d.Wake) || (s.undone == 0) != d.Finished {
		t.Fatalf("wakes at %v, want %v; %d are not done, finished: %v", s.wake(), d.Wake, s.undone, d.Finished)
	}
	for i := range s.steps {
		want, got := d.Steps[s.steps[i].ID], s.steps[i].state
		if at := want.Phase; at == PhaseBlocked && s.steps[i].open == 0 {
			want.Phase, want.Why = PhaseReady, got.Why // another one uses what is exclusive
		} else if at == PhaseBlocked {
			want.Why, want.How, want.Renew, want.WaitFor = got.Why, got.How, got.Renew, got.WaitFor
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("step %d:\n%s", i, diff)
		}
		past := s.task(i).past(s.steps[i].ID)
		before := historyOf(p, l.entries[:s.seen], l.site).of(s.steps[i].ID)
		if past.Begun != before.begun || past.Done != want.WasDone || !cmp.Equal(past.Outputs, want.Outputs) {
			t.Fatalf("step %d: %+v, want %+v", i, past, want)
		}
	}
}

// TestExclusiveFromItsTurnOn: a step that still looks at its facts keeps others from what it will use alone, also one
// that stands before it in the plan and becomes ready meanwhile.
func TestExclusiveFromItsTurnOn(t *testing.T) {
	fact := []planner.Fact{{Name: "x"}}
	p := plan(
		planner.Step{Op: "prepare", Repeat: planner.Idempotent},
		planner.Step{Op: "first", Repeat: planner.Idempotent, Needs: []string{"prepare"}, Exclusive: []string{"the machine"}},
		planner.Step{Op: "beside", Repeat: planner.Idempotent, Needs: []string{"prepare"}},
		planner.Step{Op: "second", Repeat: planner.Idempotent, Facts: fact, Exclusive: []string{"the machine"}},
	)
	reads, beside := make(chan struct{}), make(chan struct{})
	var mu sync.Mutex
	var order []string
	d := &talker{
		facts: func() (map[string]string, error) {
			close(reads)
			<-beside
			return map[string]string{"x": ""}, nil
		},
		execute: func(s *Task) (Result, error) {
			switch s.Step.Op {
			case "prepare":
				<-reads // the second one has its turn
			case "beside":
				close(beside)
			default:
				mu.Lock()
				defer mu.Unlock()
				order = append(order, s.Step.Op)
			}
			return Result{}, nil
		},
		verify: func(*Task) (Verdict, error) { return Verdict{State: Done}, nil },
	}
	j, err := journal.Open(afero.NewMemMapFs(), "journal", journal.Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	rep, err := Carry(t.Context(), Options{Plan: p, Config: config(t), Drivers: func(schema.Addr) Driver { return d },
		Journal: j, Clock: &fastClock{}, Parallelism: 4})
	if err != nil || !rep.Finished || !slices.Equal(order, []string{"second", "first"}) {
		t.Errorf("%v, %+v, %v", err, rep, order)
	}
}
