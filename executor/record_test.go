package executor

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// talker is a driver that answers as it is told to, and notes the task's own outputs at every call.
type talker struct {
	mu      sync.Mutex
	execute func(t *Task) (Result, error)
	verify  func(t *Task) (Verdict, error)
	facts   func() (map[string]string, error)
	seen    []map[string]string
}

func (d *talker) Facts(context.Context, *schema.Resource, []string) (map[string]string, error) {
	return d.facts()
}

func (d *talker) Execute(_ context.Context, t *Task) (Result, error) {
	d.note(t)
	return d.execute(t)
}

func (d *talker) Verify(_ context.Context, t *Task) (Verdict, error) {
	d.note(t)
	return d.verify(t)
}

func (d *talker) note(t *Task) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.seen = append(d.seen, t.Past(t.Step.Op).Outputs)
}

// carryWith carries a plan out with a driver of any kind.
func carryWith(t *testing.T, fsys afero.Fs, o Options) *Report {
	t.Helper()
	clock := &fastClock{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	j, err := journal.Open(fsys, "journal", journal.Options{Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	o.Journal, o.Clock, o.Config, o.Parallelism, o.Poll = j, clock, config(t), 1, Poll{Within: time.Second}
	rep, err := Carry(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

// TestOutputsOfAnInterruptedTry: what a try has recorded before it broke off is known to the next one, and so is what
// its own Execute has recorded to the verification that follows.
func TestOutputsOfAnInterruptedTry(t *testing.T) {
	t.Parallel()
	for _, repeat := range []planner.Repeat{planner.Idempotent, planner.CheckFirst, planner.Once} {
		fsys := afero.NewMemMapFs()
		d := &talker{
			execute: func(*Task) (Result, error) { return Result{Outputs: map[string]string{"job": "17"}}, nil },
			verify:  func(*Task) (Verdict, error) { return Verdict{State: NotDone, Why: "the job runs"}, nil },
		}
		o := Options{
			Plan:    plan(planner.Step{Op: "send", Mark: planner.MarkAdd, Repeat: repeat}),
			Drivers: func(schema.Addr) Driver { return d },
		}
		if rep := carryWith(t, fsys, o); rep.Finished || rep.Count(PhaseFailed) != 1 {
			t.Fatalf("%s: %+v", repeat, rep)
		}
		want := map[string]string{"job": "17"}
		if last := d.seen[len(d.seen)-1]; !cmp.Equal(last, want) {
			t.Errorf("%s: the verification after Execute was given the outputs %v, want %v", repeat, last, want)
		}
		d.seen, d.verify = nil, func(*Task) (Verdict, error) { return Verdict{State: Done}, nil }
		if rep := carryWith(t, fsys, o); !rep.Finished {
			t.Fatalf("%s: %+v", repeat, rep)
		}
		if len(d.seen) == 0 || !cmp.Equal(d.seen[0], want) {
			t.Errorf("%s: the next try was given the outputs %v, want %v first", repeat, d.seen, want)
		}
	}
}

// TestNoSecretIsJournaled: whatever a driver or an operator says, in whatever way a step ends, passes Redact before
// it is journaled or told.
func TestNoSecretIsJournaled(t *testing.T) {
	t.Parallel()
	const secret = "open-sesame-4711"
	said := errors.New("the server answered " + secret)
	ok := func(work *Task) (Result, error) {
		if text := work.Redacted("a file with " + secret); strings.Contains(text, secret) {
			t.Errorf("a step would write %q into a file", text)
		}
		return Result{Note: "sent " + secret, Outputs: map[string]string{"executed": secret}}, nil
	}
	verdict := func(s State) func(*Task) (Verdict, error) {
		return func(t *Task) (Verdict, error) {
			if s == Done && !t.Executed {
				return Verdict{State: NotDone, Why: "not yet " + secret}, nil
			}
			return Verdict{State: s, Why: "it shows " + secret, Outputs: map[string]string{"verified": secret}}, nil
		}
	}
	refuse := func(error) func(*Task) (Verdict, error) {
		return func(*Task) (Verdict, error) { return Verdict{}, Final(said) }
	}
	step := planner.Step{Op: "send", Mark: planner.MarkAdd}
	once := planner.Step{Op: "send", Mark: planner.MarkAdd, Repeat: planner.Once}
	check := planner.Step{Op: "send", Mark: planner.MarkCheck}
	fact := planner.Step{Op: "send", Mark: planner.MarkAdd, Facts: []planner.Fact{{Name: "major", Value: "1"}}}
	person := planner.Step{Op: "send", Mark: planner.MarkPerson, Manual: &planner.Manual{}}
	for name, c := range map[string]struct {
		step    planner.Step
		execute func(*Task) (Result, error)
		verify  func(*Task) (Verdict, error)
		op      Operator
		phase   Phase
	}{
		"done": {step, ok, verdict(Done), nil, PhaseDone},
		"not sent": {step, func(*Task) (Result, error) { return Result{}, NotSent(said) }, verdict(NotDone), nil,
			PhaseFailed},
		"perhaps sent": {step, func(*Task) (Result, error) { return Result{}, said }, verdict(NotDone), nil,
			PhaseFailed},
		"never seen":         {step, ok, verdict(NotDone), nil, PhaseFailed},
		"in part, already":   {once, ok, verdict(Partial), nil, PhaseStuck},
		"a check refuses":    {check, nil, refuse(said), nil, PhaseFailed},
		"looking fails":      {step, nil, func(*Task) (Verdict, error) { return Verdict{}, said }, nil, PhaseFailed},
		"facts fail":         {fact, nil, verdict(NotDone), nil, PhaseFailed},
		"a person puts off":  {person, nil, verdict(NotDone), deferring{}, PhaseWaiting},
		"asking fails":       {person, nil, verdict(NotDone), broken{said}, PhaseFailed},
		"a person has done":  {person, nil, verdict(Done), performing{}, PhaseDone},
		"a person's work no": {person, nil, refuse(said), performing{}, PhaseFailed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var told []string
			fsys := afero.NewMemMapFs()
			d := &talker{execute: c.execute, verify: c.verify, facts: func() (map[string]string, error) { return nil, said }}
			rep := carryWith(t, fsys, Options{
				Plan: plan(c.step), Drivers: func(schema.Addr) Driver { return d }, Operator: c.op,
				Redact:  func(s string) string { return strings.ReplaceAll(s, secret, "(sensitive value)") },
				Observe: func(e Event) { told = append(told, e.Message) },
			})
			if got := rep.Steps[0].Phase; got != c.phase {
				t.Errorf("the step is %s, want %s", got, c.phase)
			}
			record, err := afero.ReadFile(fsys, "journal")
			if err != nil {
				t.Fatal(err)
			}
			for where, text := range map[string]string{"the journal": string(record), "what is told": strings.Join(told, "\n")} {
				if strings.Contains(text, secret) {
					t.Errorf("a secret is in %s:\n%s", where, text)
				}
				if !strings.Contains(text, "(sensitive value)") {
					t.Errorf("nothing was taken out of %s: is this test able to fail?\n%s", where, text)
				}
			}
		})
	}
}

// broken is an operator that cannot be asked.
type broken struct{ err error }

func (b broken) Perform(context.Context, Ask) (Reply, error) { return Reply{}, b.err }

// performing is a person who says that everything is done.
type performing struct{}

func (performing) Perform(context.Context, Ask) (Reply, error) { return Performed, nil }

// TestFactsOfAStepCarriedOutAgain: a step that was done, and that a person has carried out again, does not rest on the
// facts of the plan any more, which it may have changed itself; an irreversible one does.
func TestFactsOfAStepCarriedOutAgain(t *testing.T) {
	t.Parallel()
	for _, irreversible := range []bool{false, true} {
		fsys := afero.NewMemMapFs()
		fact, executed := "blue", 0
		d := &talker{
			facts: func() (map[string]string, error) { return map[string]string{"color": fact}, nil },
			execute: func(*Task) (Result, error) {
				executed++
				fact = "red"
				return Result{}, nil
			},
			verify: func(*Task) (Verdict, error) {
				if fact == "red" {
					return Verdict{State: Done}, nil
				}
				return Verdict{State: NotDone}, nil
			},
		}
		step := planner.Step{Op: "paint", Mark: planner.MarkChange, Repeat: planner.CheckFirst,
			Facts: []planner.Fact{{Name: "color", Value: "blue"}}}
		if irreversible {
			step.Effect = &planner.Effect{Irreversible: true}
		}
		o := Options{Plan: plan(step), Drivers: func(schema.Addr) Driver { return d }}
		if rep := carryWith(t, fsys, o); !rep.Finished {
			t.Fatalf("%+v", rep)
		}
		fact = "green" // somebody
		j, err := journal.Open(fsys, "journal", journal.Options{Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := j.Append(t.Context(), o.Plan.Steps[0].ID, EventReopened, nil); err != nil {
			t.Fatal(err)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		rep := carryWith(t, fsys, o)
		entries, err := journal.Read(fsys, "journal", nil)
		if err != nil {
			t.Fatal(err)
		}
		st := Next(o.Plan, entries, "", time.Time{}).Steps[o.Plan.Steps[0].ID]
		if st.Failure().Moved != irreversible { // so that it can be told later, too
			t.Errorf("irreversible %v: %+v", irreversible, st)
		}
		if rep.Finished == irreversible || rep.Steps[0].Moved != irreversible || !rep.Steps[0].Before ||
			executed != map[bool]int{false: 2, true: 1}[irreversible] {
			t.Errorf("irreversible %v: executed %d times, %+v", irreversible, executed, rep)
		}
	}
}

// TestPartlyDoneByWhom: a step that is found partly done is called somebody else's work only where this run has never
// begun it.
func TestPartlyDoneByWhom(t *testing.T) {
	t.Parallel()
	for _, begun := range []bool{false, true} {
		fsys := afero.NewMemMapFs()
		d := &talker{verify: func(*Task) (Verdict, error) { return Verdict{State: Partial}, nil }}
		o := Options{
			Plan:    plan(planner.Step{Op: "send", Mark: planner.MarkAdd, Repeat: planner.Once}),
			Drivers: func(schema.Addr) Driver { return d },
		}
		j, err := journal.Open(fsys, "journal", journal.Options{Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		if begun {
			for _, data := range []map[string]string{{}, {dataSent: "no"}} { // perhaps sent, then certainly not
				if _, err := j.Append(t.Context(), o.Plan.Steps[0].ID, EventStarted, nil); err != nil {
					t.Fatal(err)
				}
				if _, err := j.Append(t.Context(), o.Plan.Steps[0].ID, EventFailed, data); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		rep := carryWith(t, fsys, o)
		why := rep.Steps[0].Why
		if rep.Count(PhaseStuck) != 1 || strings.Contains(why, "not by this run") == begun {
			t.Errorf("begun %v: %s: %s", begun, rep.Steps[0].Phase, why)
		}
	}
}
