package executor

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/fault"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// slowJournal has something happen before an entry is written.
type slowJournal struct {
	Journal

	before func(key, event string) error
	added  *sync.Map // by key: a channel, closed once it is durable; what is appended after it is not durable before
}

func (j slowJournal) Append(
	ctx context.Context, key, event string, data map[string]string,
) (journal.Entry, error) {
	if durable, ok := j.added.Load(key); ok {
		<-durable.(chan struct{})
	}
	return j.write(ctx, key, event, data)
}

func (j slowJournal) write(
	ctx context.Context, key, event string, data map[string]string,
) (journal.Entry, error) {
	if err := j.before(key, event); err != nil {
		return journal.Entry{}, err
	}
	return j.Journal.Append(ctx, key, event, data)
}

func (j slowJournal) Add(ctx context.Context, key, event string, data map[string]string) (func() error, error) {
	durable := make(chan struct{})
	j.added.Store(key, durable)
	return func() error {
		defer close(durable)
		_, err := j.write(ctx, key, event, data)
		return err
	}, nil
}

// carryBeside carries steps that do not need each other out, and returns what is in the journal in the end.
func carryBeside(t *testing.T, atOnce int, d Driver, before func(key, event string) error,
	ops ...string) ([]journal.Entry, error) {
	t.Helper()
	var steps []planner.Step
	for _, op := range ops {
		steps = append(steps, planner.Step{Op: op, Repeat: planner.Idempotent})
	}
	j, err := journal.Open(afero.NewMemMapFs(), "journal", journal.Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	_, err = Carry(t.Context(), Options{Plan: plan(steps...), Config: config(t),
		Journal: slowJournal{j, before, &sync.Map{}}, Drivers: func(schema.Addr) Driver { return d },
		Clock: &fastClock{}, Parallelism: atOnce})
	return j.Entries(), err
}

// TestVerifiedWhileWritten: the entry that a step was carried out is written while it is verified, and before the one
// that it is done.
func TestVerifiedWhileWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		verified := make(chan struct{})
		d := &talker{
			execute: func(*Task) (Result, error) { return Result{}, nil },
			verify:  func(*Task) (Verdict, error) { close(verified); return Verdict{State: Done}, nil },
		}
		entries, err := carryBeside(t, 1, d, func(_, event string) error {
			if event == EventExecuted {
				<-verified // it would be a deadlock otherwise
			}
			return nil
		}, "one")
		var events []string
		for _, e := range entries {
			events = append(events, e.Event)
		}
		want := []string{EventOpened, EventStarted, EventExecuted, EventDone, EventFinished}
		if err != nil || !slices.Equal(events, want) {
			t.Errorf("%v, %v", events, err)
		}
	})
}

// TestNotWrittenWhileVerified: where the entry that a step was carried out cannot be written, looking at the server
// ends, and nothing more is written.
func TestNotWrittenWhileVerified(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		full := errors.New("no space left")
		looking := lookingFor{&talker{execute: func(*Task) (Result, error) { return Result{}, nil }}}
		entries, err := carryBeside(t, 1, looking, func(_, event string) error {
			if event == EventExecuted {
				return full
			}
			return nil
		}, "one", "two")
		if !errors.Is(err, full) || entries[len(entries)-1].Event != EventStarted || len(entries) != 2 {
			t.Errorf("%v, %+v", err, entries)
		}
	})
}

// lookingFor verifies for as long as it may.
type lookingFor struct{ *talker }

func (lookingFor) Verify(ctx context.Context, _ *Task) (Verdict, error) {
	<-ctx.Done()
	return Verdict{}, ctx.Err()
}

// TestOthersBeginWhileWritten: while it is written down that a step is done, another one takes its place; where steps
// are carried out one after the other, none does.
func TestOthersBeginWhileWritten(t *testing.T) {
	for _, atOnce := range []int{1, 2} {
		synctest.Test(t, func(t *testing.T) {
			third := make(chan struct{})
			d := &talker{
				execute: func(task *Task) (Result, error) {
					switch {
					case task.Step.Op == "three":
						close(third)
					case task.Step.Op == "two" && atOnce > 1:
						<-third // it keeps the other place
					}
					return Result{}, nil
				},
				verify: func(*Task) (Verdict, error) { return Verdict{State: Done}, nil },
			}
			one := planner.StepID(addr, "one")
			var begun atomic.Bool
			_, err := carryBeside(t, atOnce, d, func(key, event string) error {
				switch {
				case key == one && event == EventDone && atOnce > 1:
					<-third // it would be a deadlock otherwise
				case key == one && event == EventDone:
					synctest.Wait() // whoever may begin has begun
					if begun.Load() {
						t.Error("another step has begun")
					}
				case key != one && event == EventStarted:
					begun.Store(true)
				}
				return nil
			}, "one", "two", "three")
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// TestFaultWhileVerified: a fault in writing that a step was carried out ends looking at the server, too.
func TestFaultWhileVerified(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		looking := lookingFor{&talker{execute: func(*Task) (Result, error) { return Result{}, nil }}}
		_, err := carryBeside(t, 1, looking, func(_, event string) error {
			if event == EventExecuted {
				panic("impossible")
			}
			return nil
		}, "one")
		if !fault.Is(err) {
			t.Error(err)
		}
	})
}

// TestNotLookedForLonger: a driver that does not heed the end of the context is not asked again and again.
func TestNotLookedForLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		full, failed, looks := errors.New("no space left"), make(chan struct{}), 0
		d := &talker{
			execute: func(*Task) (Result, error) { return Result{}, nil },
			verify: func(*Task) (Verdict, error) {
				looks++
				<-failed
				synctest.Wait() // the look has ended
				return Verdict{State: NotDone}, nil
			},
		}
		_, err := carryBeside(t, 1, d, func(_, event string) error {
			if event != EventExecuted {
				return nil
			}
			close(failed)
			return full
		}, "one")
		if !errors.Is(err, full) || looks != 1 {
			t.Errorf("%v, looked %d times", err, looks)
		}
	})
}

// TestTimePassesWhileCarriedOut: a step that may begin where another one leaves its place begins by what is true then:
// it waits for a site whose verification has become too old meanwhile, and does not fail.
func TestTimePassesWhileCarriedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := plan(planner.Step{Op: "check", Mark: planner.MarkCheck, Site: "b"}, planner.Step{Op: "one", Site: "a"},
			planner.Step{Op: "two", Site: "a"}, planner.Step{Op: "three", Site: "a", Guards: []string{"check"}})
		p.Sites = []planner.PlanSite{{Name: "a"}, {Name: "b", MaxAge: planner.Duration(4 * time.Hour)}}
		j, err := journal.Open(afero.NewMemMapFs(), "journal", journal.Options{Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := j.Append(t.Context(), RunKey, EventReceived,
			map[string]string{dataSite: "b", dataEntries: "1"}); err != nil {
			t.Fatal(err)
		}
		r := &Run{Plan: p, Site: "a", Chains: map[string][]journal.Entry{
			"b": {{Seq: 1, Key: p.Steps[0].ID, Event: EventDone, Time: time.Now()}}}}
		release := make(chan struct{})
		d := &talker{
			execute: func(task *Task) (Result, error) {
				if task.Step.Op == "one" {
					time.Sleep(5 * time.Hour)
				} else {
					<-release
				}
				return Result{}, nil
			},
			verify: func(task *Task) (Verdict, error) {
				if !task.Executed {
					return Verdict{State: NotDone}, nil
				}
				return Verdict{State: Done}, nil
			},
		}
		rep, err := Carry(t.Context(), Options{Plan: p, Config: config(t), Site: "a", Clock: bubbleClock{}, Parallelism: 2,
			Drivers: func(schema.Addr) Driver { return d },
			Journal: slowJournal{r.United(j), func(key, event string) error {
				if key == p.Steps[1].ID && event == EventDone {
					synctest.Wait() // whoever may begin has begun
					close(release)
				}
				return nil
			}, &sync.Map{}}})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range rep.Steps {
			want := PhaseDone
			if s.Step.Op == "three" {
				want = PhaseAway
			}
			if s.Phase != want {
				t.Errorf("%s is %s: %s", s.Step.Op, s.Phase, s.Why)
			}
		}
	})
}

// bubbleClock is the clock of a synctest bubble.
type bubbleClock struct{}

func (bubbleClock) Now() time.Time                         { return time.Now() }
func (bubbleClock) After(d time.Duration) <-chan time.Time { return time.After(d) }
