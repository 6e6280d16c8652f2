package executor

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/syncctl/syncctl/fault"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// Options configures a run.
type Options struct {
	Run         string // the run's ID, used to mark what a run leaves on servers for a while
	Plan        *planner.Plan
	Config      *schema.Config
	Drivers     func(schema.Addr) Driver
	Files       Files
	Journal     Journal
	Site        string // the site that the process acts for, in a run over sites; otherwise ""
	Operator    Operator
	Clock       Clock
	Log         hclog.Logger
	Observe     func(Event)         // called from several goroutines; may be nil
	Redact      func(string) string // removes secrets from what is journaled and reported; may be nil
	Parallelism int                 // maximum number of steps at the same time; 0: 4
	Stop        <-chan struct{}     // closed to stop: nothing more is started, running steps are finished
	Poll        Poll
}

// Journal is where a run's entries are written; see journal.Journal. Entries returns all that are durable; in a run
// over sites also other sites' entries.
type Journal interface {
	Append(ctx context.Context, key, event string, data map[string]string) (journal.Entry, error)
	Add(ctx context.Context, key, event string, data map[string]string) (durable func() error, err error)
	Entries() []journal.Entry
}

// Poll says how often a step is verified until it is done.
type Poll struct {
	First, Most time.Duration // the first and the longest pause; 0: 250 ms and 10 s
	Within      time.Duration // the time limit if the step has none; 0: 2 min
}

// Carry carries out the plan as far as possible: it starts what Next allows until nothing more may start. Steps that
// failed or wait are in the report, not in the error. An error means that the journal could not be written, or that
// the program or the driver has a fault (fault.Error): the step in which it happened is then treated as interrupted.
func Carry(ctx context.Context, o Options) (*Report, error) {
	x := newRun(o)
	if _, err := x.Journal.Append(ctx, RunKey, EventOpened, x.own(nil)); err != nil {
		return nil, err
	}
	err := x.loop(ctx)
	d := Next(x.Plan, x.Journal.Entries(), x.Site, x.Clock.Now())
	if err == nil && d.Finished {
		err = x.finish(ctx, d)
	}
	return x.report(d), err
}

// finish journals that the run has ended, together with its End.
func (x *run) finish(ctx context.Context, d Decision) error {
	data, err := endData(x.Plan, x.Journal.Entries(), chainsOf(x.Journal), d)
	if err != nil {
		return err
	}
	_, err = x.Journal.Append(context.WithoutCancel(ctx), RunKey, EventFinished, x.own(data))
	return err
}

// own adds the site of the journal to the data of an entry about the run, if there are sites.
func (x *run) own(data map[string]string) map[string]string {
	if x.Site != "" {
		data = merge(data, map[string]string{dataOwn: x.Site})
	}
	return data
}

func newRun(o Options) *run {
	if o.Parallelism <= 0 {
		o.Parallelism = 4
	}
	if o.Observe == nil {
		o.Observe = func(Event) {}
	}
	if o.Redact == nil {
		o.Redact = func(s string) string { return s }
	}
	if o.Log == nil {
		o.Log = hclog.NewNullLogger()
	}
	if o.Poll.First <= 0 {
		o.Poll.First = 250 * time.Millisecond
	}
	if o.Poll.Most <= 0 {
		o.Poll.Most = 10 * time.Second
	}
	if o.Poll.Within <= 0 {
		o.Poll.Within = 2 * time.Minute
	}
	x := &run{Options: o, steps: make(map[string]*planner.Step, len(o.Plan.Steps)), putOff: map[string]int{}}
	for i := range o.Plan.Steps {
		x.steps[o.Plan.Steps[i].ID] = &o.Plan.Steps[i]
	}
	return x
}

type run struct {
	Options
	steps   map[string]*planner.Step // by ID
	moved   marked                   // steps whose facts have changed since the plan was made
	refused marked                   // steps that a guard refused

	mu     sync.Mutex
	putOff map[string]int // how often this process has postponed a step because a server asked for it
}

// loop is the scheduler: it starts the steps that may start, and waits until one ends.
func (x *run) loop(ctx context.Context) error {
	sched := newSchedule(x.Plan, x.Journal.Entries(), x.Site, x.Clock.Now())
	active, busy := 0, 0 // steps that have begun and not ended; those among them that occupy a place
	ended, freed := make(chan stepEnd), make(chan struct{})
	stop, done := x.Stop, ctx.Done()
	idle := make(workers)
	defer close(idle)
	stopping := false
	var broken error
	for {
		goesOn := !stopping && broken == nil && ctx.Err() == nil
		for goesOn && busy < x.Parallelism {
			i, ok := sched.start()
			if !ok {
				break
			}
			active++
			busy++
			s, st, t := sched.steps[i].Step, sched.steps[i].state, sched.task(i)
			until := sched.until(s, sched.now)
			idle.do(func() {
				end := stepEnd{i: i}
				end.err = x.step(ctx, s, st, t, until, func() {
					if x.Parallelism > 1 && !end.freed { // without parallelism, a step begins only when the one before has ended
						end.freed = true
						freed <- struct{}{}
					}
				})
				ended <- end
			})
		}
		var wake <-chan time.Time
		if active == 0 {
			at := sched.wake()
			if !goesOn || at.IsZero() {
				return broken
			}
			wake = x.Clock.After(at.Sub(x.Clock.Now()))
		}
		select {
		case <-freed:
			busy--
			sched.read(x.Journal.Entries(), x.Clock.Now()) // time may have changed whose turn it is
		case e := <-ended:
			active--
			if !e.freed {
				busy--
			}
			broken = graver(broken, e.err)
			sched.read(x.Journal.Entries(), x.Clock.Now())
			sched.end(e.i)
		case <-wake:
			sched.read(x.Journal.Entries(), x.Clock.Now())
		case <-stop:
			stopping, stop = true, nil
		case <-done: // also while nothing runs, because steps were put off
			done = nil
		}
	}
}

// workers are goroutines that do one thing after the other. A worker costs less than a new goroutine for each step,
// whose stack would have to grow first.
type workers chan func()

// do has a worker that is idle do something, or a new one.
func (w workers) do(what func()) {
	select {
	case w <- what:
	default:
		go func() {
			what()
			for what := range w {
				what()
			}
		}()
	}
}

// graver returns the error to report out of two: the first one, unless the second is a fault and the first is not.
func graver(was, is error) error {
	if was == nil || fault.Is(is) && !fault.Is(was) {
		return is
	}
	return was
}

// stepEnd is the end of a step's turn.
type stepEnd struct {
	i     int
	err   error // the journal could not be written, or there was a fault
	freed bool  // its place was freed before its end
}

// step carries out one step as far as possible and journals how it ended. t is its task; it must not start later than
// until. free may be called once the driver has nothing more to do for it.
func (x *run) step(ctx context.Context, s *planner.Step, st StepState, t *Task, until time.Time,
	free func()) (err error) {
	defer fault.Catch(&err) // also for a fault while reporting the first one
	defer func() {
		if f, ok := errors.AsType[*fault.Error](err); ok {
			x.tell(EventFailed, s, f.Error())
		}
	}()
	defer fault.Catch(&err)
	addr, err := schema.ParseAddr(s.Addr)
	if err != nil {
		return err
	}
	t.Run, t.Resource, t.Files, t.Log = x.Run, x.Config.Lookup(addr), x.Files, x.Log.With("step", s.ID)
	t.Redact = x.Redact
	t.Progress = func(p Progress) { x.Observe(Event{Name: EventProgress, Step: s, Progress: &p}) }
	if t.Resource == nil {
		return x.fail(ctx, s, Failure{Err: fmt.Errorf("%s is no longer declared", s.Addr), Unsent: true})
	}
	a := &attempt{
		run: x, s: s, t: t, d: raising{x.Drivers(addr)}, how: st.How, before: st.Entry, again: st.Before, renew: st.Renew,
		until: until, free: free,
	}
	return a.take(ctx)
}

// write journals an entry of a step, even after an interrupt.
func (x *run) write(ctx context.Context, s *planner.Step, event string, data map[string]string) error {
	_, err := x.Journal.Append(context.WithoutCancel(ctx), s.ID, event, x.redacted(data))
	return err
}

func (x *run) redacted(data map[string]string) map[string]string {
	for k, v := range data {
		data[k] = x.Redact(v)
	}
	return data
}

// outcome says how a step was found to be done.
type outcome struct {
	event    string // the event to report
	note, by string // what was seen or confirmed, and who said that it is done; both may be ""
	outputs  map[string]string
}

// done journals that the step is done.
func (a *attempt) done(ctx context.Context, s *planner.Step, e outcome) error {
	data := map[string]string{}
	if e.note != "" {
		data[dataNote] = e.note
	}
	if e.by != "" {
		data[dataBy] = e.by
	}
	for k, v := range e.outputs {
		data[outputPrefix+k] = v
	}
	if err := a.nameFiles(ctx, s, data); err != nil {
		return a.fail(ctx, s, Failure{Err: err, Executed: true})
	}
	a.free()
	if err := a.write(ctx, s, EventDone, data); err != nil {
		return err
	}
	a.tell(e.event, s, e.note)
	return nil
}

// fail journals a failure.
func (x *run) fail(ctx context.Context, s *planner.Step, f Failure) error {
	f.Moved, f.Refused = x.moved.has(s.ID), x.refused.has(s.ID)
	f.Stopped = ctx.Err() != nil || errors.Is(f.Err, errStopped)
	if at, ok := x.later(s, f.Err); ok {
		f.Again = at
	}
	if err := x.write(ctx, s, EventFailed, f.data()); err != nil {
		return err
	}
	if f.Again.IsZero() {
		x.tell(EventFailed, s, f.Err.Error())
		return nil
	}
	wait := f.Again.Sub(x.Clock.Now()).Round(time.Second)
	x.tell(EventPutOff, s, fmt.Sprintf("trying again in %s: %v", wait, f.Err))
	return nil
}

// errStopped is wrapped by errors of attempts that ended because the run is to stop.
var errStopped = errors.New("interrupted")

// mostLater is how many times one process waits for a step because a server asks for it, or fails for now.
const mostLater = 5

// longestLater is the longest time that a process waits because a server asks for it. If it asks for more, the step
// fails at once.
const longestLater = 10 * time.Minute

func (x *run) later(s *planner.Step, cause error) (time.Time, bool) {
	after, ok := laterBy(cause)
	if !ok || after > longestLater {
		return time.Time{}, false
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	n := x.putOff[s.ID]
	if n < mostLater {
		x.putOff[s.ID]++
	}
	x.Log.Info("the step is tried again later", "step", s.ID, "for", after.String(), "time", strconv.Itoa(n+1))
	return x.Clock.Now().Add(after), n < mostLater
}

func (x *run) tell(event string, s *planner.Step, message string) {
	x.Observe(Event{Name: event, Step: s, Message: x.Redact(message)})
}
