package executor

import (
	"container/heap"
	"slices"
	"sync"
	"time"

	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
)

// schedule is an incremental version of Next for a run that this process carries out. A new entry updates only its own
// step and the steps that need it. Tests check that it agrees with Next.
type schedule struct {
	*history

	steps  []scheduled // in plan order
	place  map[string]int
	seen   int // number of entries read
	now    time.Time
	undone int
	turns  turns
	later  []wait // by time, the next one first
	aging  aging
	backed time.Duration // see setBack
	pasts  pasts
}

// scheduled is a step and its state. Only needs that come before the step in the plan count, as in Next.
type scheduled struct {
	*planner.Step

	state           StepState // without Exclusive; Why and How are not updated while it is blocked
	needs, neededBy []int
	open            int    // how many of the steps that it needs are not done
	newest          latest // the last entry of all steps that it needs
	loose           int    // how many of the steps that need it are not settled
	settled         bool   // it is irreversible and done, or past
	taken           bool   // it was started and has not ended
}

// past reports whether all steps that need it are settled; see history.state.
func (s *scheduled) past() bool { return len(s.neededBy) > 0 && s.loose == 0 }

// wait is a step that may start again at a given time.
type wait struct {
	at time.Time
	i  int
}

// newSchedule starts with the entries of a journal that this process has opened.
func newSchedule(p *planner.Plan, entries []journal.Entry, site string, now time.Time) *schedule {
	s := &schedule{
		history: historyOf(p, entries, site), steps: make([]scheduled, len(p.Steps)),
		place: make(map[string]int, len(p.Steps)),
		seen:  len(entries), now: now, undone: len(p.Steps), pasts: pasts{of: map[string][]pastSince{}},
	}
	for i := range p.Steps {
		x := &s.steps[i]
		x.Step, x.state.Phase = &p.Steps[i], PhaseBlocked
		for _, id := range x.Needs {
			if n, ok := s.place[id]; ok {
				x.needs = append(x.needs, n)
				s.steps[n].neededBy = append(s.steps[n].neededBy, i)
			}
		}
		x.open = len(x.Needs)
		s.place[x.ID] = i
	}
	for i := range s.steps {
		s.steps[i].loose = len(s.steps[i].neededBy)
	}
	s.turns = turns{words: func(i int) []string { return s.steps[i].Exclusive }, users: map[string]bool{},
		waiting: map[string]*places{}}
	for i := range slices.Backward(s.steps) {
		s.settle(i)
	}
	for i := range s.steps {
		s.update(i)
	}
	for _, g := range s.guards {
		s.aging.put(g.ID, s.turnsAt(g, now))
	}
	s.backed = s.setBack(now)
	return s
}

// aging says when checks that guard steps change their state by time alone, in a run over sites.
type aging struct {
	list []turning            // a heap, the next one first; may contain outdated ones
	next map[string]time.Time // by check
}

type turning struct {
	at    time.Time
	check string
}

// put sets when a check changes next; zero means never.
func (a *aging) put(check string, at time.Time) {
	if a.next[check].Equal(at) {
		return
	}
	if a.next == nil {
		a.next = map[string]time.Time{}
	}
	if a.next[check] = at; !at.IsZero() {
		heap.Push(a, turning{at, check})
	}
}

// take removes and returns a check that has changed by now, or returns "" if there is none.
func (a *aging) take(now time.Time) string {
	for len(a.list) > 0 && !a.list[0].at.After(now) {
		t := heap.Pop(a).(turning)
		if a.next[t.check].Equal(t.at) {
			delete(a.next, t.check)
			return t.check
		}
	}
	return ""
}

func (a *aging) Len() int           { return len(a.list) }
func (a *aging) Less(i, j int) bool { return a.list[i].at.Before(a.list[j].at) }
func (a *aging) Swap(i, j int)      { a.list[i], a.list[j] = a.list[j], a.list[i] }
func (a *aging) Push(x any)         { a.list = append(a.list, x.(turning)) }
func (a *aging) Pop() any {
	last := a.list[len(a.list)-1]
	a.list = a.list[:len(a.list)-1]
	return last
}

// first returns the earlier of two times; zero means none.
func first(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// read processes the new entries of a journal, and the steps that may start again by now.
func (s *schedule) read(entries []journal.Entry, now time.Time) {
	was := s.now
	s.now = now
	for _, e := range entries[s.seen:] {
		s.add(e)
		if i, ok := s.place[e.Key]; ok {
			s.settle(i)
			s.update(i)
		}
		if g := s.guards[e.Key]; g != nil {
			s.aging.put(g.ID, s.turnsAt(g, now))
		}
	}
	s.seen = len(entries)
	s.age(was)
	for len(s.later) > 0 && !s.later[0].at.After(now) {
		i := s.later[0].i
		s.later = s.later[1:]
		s.update(i)
	}
}

// update updates the state of a step, and of the steps that need it.
func (s *schedule) update(i int) {
	x := &s.steps[i]
	before := x.state
	x.state = s.state(x.Step, &x.newest, x.past(), s.now)
	if x.open > 0 && x.state.mayBeBlocked() {
		x.state.Phase = PhaseBlocked
	}
	switch again := x.state.Failure().Again; {
	case x.state.Phase == PhaseReady && !x.taken:
		s.turns.offer(i)
	case x.state.Phase == PhaseFailed && !again.IsZero():
		at, _ := slices.BinarySearchFunc(s.later, again, func(w wait, t time.Time) int { return w.at.Compare(t) })
		s.later = slices.Insert(s.later, at, wait{again, i})
	}
	closed := count(x.state.Phase == PhaseDone) - count(before.Phase == PhaseDone)
	s.undone -= closed
	s.pasts.put(x.ID, s.recorded(x))
	if closed == 0 && before.Entry.Seq == x.state.Entry.Seq {
		return
	}
	for _, m := range x.neededBy {
		y := &s.steps[m]
		open := y.open
		y.open -= closed
		y.newest.take(x.state.Entry)
		if open == 0 || y.open == 0 { // otherwise it is blocked before and after
			s.update(m)
		}
	}
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

// settle updates whether a step is settled, and so the steps that it needs.
func (s *schedule) settle(i int) {
	x := &s.steps[i]
	before := x.settled
	x.settled = s.final(x.Step) || x.past()
	change := count(x.settled) - count(before)
	if change == 0 {
		return
	}
	for _, n := range x.needs {
		y := &s.steps[n]
		past := y.past()
		y.loose -= change
		if y.past() != past {
			s.settle(n)
			s.update(n)
		}
	}
}

// age updates the steps that changed by time alone: a verification that was fresh has become stale. If the clock was
// set back since it was read last, at was, that may be any.
func (s *schedule) age(was time.Time) {
	if back := s.setBack(s.now); back != s.backed || s.now.Round(0).Before(was.Round(0)) {
		s.backed = back
		for id := range s.guards {
			s.turn(id)
		}
	}
	for id := s.aging.take(s.now); id != ""; id = s.aging.take(s.now) {
		s.turn(id)
	}
}

// turn updates a check whose freshness may have changed, and the steps that it guards.
func (s *schedule) turn(id string) {
	s.aging.put(id, s.turnsAt(s.guards[id], s.now))
	s.update(s.place[id])
	for _, rests := range s.guarding[id] {
		s.update(s.place[rests.ID])
	}
}

// start returns the next step that may start, the first one in the plan, and marks it as taken.
func (s *schedule) start() (i int, ok bool) {
	i, ok = s.turns.next(func(i int) bool { return s.steps[i].state.Phase == PhaseReady && !s.steps[i].taken })
	if ok {
		s.steps[i].taken = true
	}
	return i, ok
}

// end marks a step as ended.
func (s *schedule) end(i int) {
	s.steps[i].taken = false
	s.turns.end(i)
	if s.steps[i].state.Phase == PhaseReady {
		s.turns.offer(i)
	}
}

// wake returns the next time at which a failed step may start again, or zero if there is none.
func (s *schedule) wake() time.Time {
	for len(s.later) > 0 {
		next := s.later[0]
		if st := s.steps[next.i].state; st.Phase == PhaseFailed && st.Failure().Again.Equal(next.at) {
			return next.at
		}
		s.later = s.later[1:]
	}
	return time.Time{}
}

// task returns the task of a step, with what is recorded up to now.
func (s *schedule) task(i int) *Task {
	x := &s.steps[i]
	own, now := s.recorded(x), s.pasts.now
	own.Outputs = x.state.Outputs // also those of an interrupted attempt
	return &Task{Step: *x.Step, past: func(id string) Past {
		if id == x.ID {
			return own
		}
		return s.pasts.at(now, id)
	}}
}

// recorded returns what is recorded of a step.
func (s *schedule) recorded(x *scheduled) Past {
	out := Past{Done: x.state.WasDone, Begun: s.of(x.ID).begun}
	if x.state.Phase == PhaseDone {
		out.Outputs = x.state.Outputs
	}
	return out
}

// pasts holds what was recorded of each step over time. So each task sees the records as of its start, without copying
// them.
type pasts struct {
	mu  sync.Mutex
	now int // increases with every change
	of  map[string][]pastSince
}

type pastSince struct {
	time int
	past Past
}

// put sets what is recorded of a step from now on.
func (p *pasts) put(id string, past Past) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if all := p.of[id]; len(all) > 0 && all[len(all)-1].past.equal(past) {
		return
	}
	p.now++
	p.of[id] = append(p.of[id], pastSince{p.now, past})
}

// at returns what was recorded of a step at the given time.
func (p *pasts) at(time int, id string) Past {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, since := range slices.Backward(p.of[id]) {
		if since.time <= time {
			return since.past
		}
	}
	return Past{}
}

// turns selects the ready steps that may start: first in the plan first, and one at a time of those that share a word.
type turns struct {
	words   func(i int) []string
	users   map[string]bool    // words used by running steps
	ready   places             // may contain duplicates and steps that are no longer ready
	waiting map[string]*places // steps that wait for a word in use, by word
}

// offer adds a ready step.
func (t *turns) offer(i int) { heap.Push(&t.ready, i) }

// next returns the next step that may start. ready reports whether a step is still ready.
func (t *turns) next(ready func(i int) bool) (int, bool) {
	for len(t.ready) > 0 {
		i := heap.Pop(&t.ready).(int)
		if !ready(i) {
			t.recall(i)
			continue
		}
		used := slices.IndexFunc(t.words(i), func(w string) bool { return t.users[w] })
		if used < 0 {
			for _, w := range t.words(i) {
				t.users[w] = true
			}
			return i, true
		}
		word := t.words(i)[used]
		if t.waiting[word] == nil {
			t.waiting[word] = &places{}
		}
		heap.Push(t.waiting[word], i)
		t.recall(i)
	}
	return 0, false
}

// end marks a step as ended: others may use its words.
func (t *turns) end(i int) {
	for _, w := range t.words(i) {
		delete(t.users, w)
	}
	t.recall(i)
}

// recall offers again the first step that waits for each of the step's words, if the word is free.
func (t *turns) recall(i int) {
	for _, w := range t.words(i) {
		if list := t.waiting[w]; !t.users[w] && list != nil && len(*list) > 0 {
			heap.Push(&t.ready, heap.Pop(list))
		}
	}
}

// places is a heap of positions in the plan, the first on top.
type places []int

func (p places) Len() int           { return len(p) }
func (p places) Less(i, j int) bool { return p[i] < p[j] }
func (p places) Swap(i, j int)      { p[i], p[j] = p[j], p[i] }
func (p *places) Push(x any)        { *p = append(*p, x.(int)) }
func (p *places) Pop() any {
	last := (*p)[len(*p)-1]
	*p = (*p)[:len(*p)-1]
	return last
}
