package executor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/fault"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const addr = "migration.depot.all"

// depot is a server with a switch for each step; it counts how often each was thrown.
type depot struct {
	mu     sync.Mutex
	thrown map[string]int
	facts  map[string]string
	lose   map[string]bool   // the request is carried out, the answer lost
	lost   func(error) error // what Execute makes of that error; nil: nothing
	refuse map[string]error  // Execute fails without doing anything
	verify func(id string, thrown int) (Verdict, error)
	broken func(id string) error // what Execute meets; nil: nothing
	read   func()                // is told that facts are read; nil for nobody
}

func newDepot() *depot {
	return &depot{thrown: map[string]int{}, facts: map[string]string{}, lose: map[string]bool{},
		refuse: map[string]error{}}
}

func (d *depot) Facts(_ context.Context, _ *schema.Resource, names []string) (map[string]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.read != nil {
		d.read()
	}
	out := map[string]string{}
	for _, n := range names {
		out[n] = d.facts[n]
	}
	return out, nil
}

func (d *depot) Execute(_ context.Context, t *Task) (Result, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	id := t.Step.ID
	if d.broken != nil {
		if err := d.broken(id); err != nil {
			return Result{}, err
		}
	}
	if err := d.refuse[id]; err != nil {
		return Result{}, err
	}
	d.thrown[id]++
	if d.lose[id] {
		err := errors.New("connection reset")
		if d.lost != nil {
			err = d.lost(err)
		}
		return Result{}, err
	}
	return Result{Outputs: map[string]string{"n": fmt.Sprint(d.thrown[id])}}, nil
}

func (d *depot) Verify(_ context.Context, t *Task) (Verdict, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := d.thrown[t.Step.ID]
	if d.verify != nil {
		return d.verify(t.Step.ID, n)
	}
	if t.Step.Mark == planner.MarkCheck || n > 0 {
		return Verdict{State: Done, Why: "seen"}, nil
	}
	return Verdict{State: NotDone, Why: "not yet"}, nil
}

// Perform: the depot's own person throws the switch.
func (d *depot) Perform(_ context.Context, ask Ask) (Reply, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.thrown[ask.Step.ID]++
	return Performed, nil
}

// fastClock lets every pause pass at once.
type fastClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *fastClock) Now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.now }

func (c *fastClock) After(d time.Duration) <-chan time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(max(d, time.Millisecond))
	ch := make(chan time.Time, 1)
	ch <- c.now
	return ch
}

func plan(steps ...planner.Step) *planner.Plan {
	p := &planner.Plan{Format: planner.Format}
	for _, s := range steps {
		s.Addr, s.ID = addr, planner.StepID(addr, s.Op)
		for i, n := range s.Needs {
			s.Needs[i] = planner.StepID(addr, n)
		}
		for i, n := range s.Guards {
			s.Guards[i] = planner.StepID(addr, n)
		}
		if s.Repeat == "" {
			s.Repeat = planner.CheckFirst
		}
		p.Steps = append(p.Steps, s)
	}
	return p
}

func config(t testing.TB) *schema.Config { return configOf(t, `migration "depot" "all" {}`) }

func configOf(t testing.TB, text string) *schema.Config {
	t.Helper()
	fsys := afero.NewMemMapFs()
	if err := afero.WriteFile(fsys, "d/main.sync.hcl", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, diags := schema.Load(t.Context(), schema.Options{Fs: fsys, Dir: "d",
		Catalog: schema.Catalog{{Kind: schema.Migration, Name: "depot"}}})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return cfg
}

// carry runs the plan on the depot with the journal of fsys.
func carry(t testing.TB, fsys afero.Fs, d *depot, p *planner.Plan, watch func(journal.Stage, journal.Entry),
	op Operator) *Report {
	t.Helper()
	clock := &fastClock{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	j, err := journal.Open(fsys, "journal", journal.Options{Now: clock.Now, Watch: watch})
	if err != nil {
		t.Fatal(err)
	}
	rep, err := Carry(t.Context(), Options{
		Plan: p, Config: config(t), Drivers: func(schema.Addr) Driver { return d }, Journal: j,
		Operator: op, Clock: clock, Parallelism: 1, Poll: Poll{Within: time.Second},
	})
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

func sample() *planner.Plan {
	return plan(
		planner.Step{Op: "check", Mark: planner.MarkCheck},
		planner.Step{Op: "stop", Mark: planner.MarkChange, Needs: []string{"check"}},
		planner.Step{Op: "person", Mark: planner.MarkPerson, Manual: &planner.Manual{}, Needs: []string{"stop"}},
		planner.Step{Op: "copy", Mark: planner.MarkAdd, Repeat: planner.Idempotent, Needs: []string{"stop"}},
		planner.Step{Op: "send", Mark: planner.MarkAdd, Repeat: planner.Once, Needs: []string{"person", "copy"}},
		planner.Step{Op: "verify", Mark: planner.MarkCheck, Needs: []string{"send"}},
		planner.Step{Op: "delete", Mark: planner.MarkFinal, Repeat: planner.Once, Needs: []string{"verify"},
			Guards: []string{"verify"}},
	)
}

func TestCarriesAPlanOut(t *testing.T) {
	d := newDepot()
	rep := carry(t, afero.NewMemMapFs(), d, sample(), nil, d)
	if !rep.Finished || rep.Count(PhaseDone) != 7 {
		t.Fatalf("%+v", rep)
	}
	for _, op := range []string{"stop", "person", "copy", "send", "delete"} {
		if n := d.thrown[planner.StepID(addr, op)]; n != 1 {
			t.Errorf("%s was done %d times", op, n)
		}
	}
}

// TestFault: a fault ends the run, and no step is said to have failed by it: it may have been carried out. What runs
// beside it is finished, and the next process goes on.
func TestFault(t *testing.T) {
	for name, meet := range map[string]func(f *fault.Error) error{
		"a panic":            func(f *fault.Error) error { panic(f.Text) },
		"of a goroutine":     func(f *fault.Error) error { return fmt.Errorf("copying: %w", f) },
		"certainly not sent": func(f *fault.Error) error { return NotSent(f) },
	} {
		d, clock, fsys := newDepot(), &fastClock{now: time.Now()}, afero.NewMemMapFs()
		id := planner.StepID(addr, "send")
		d.broken = func(step string) error {
			if step == id {
				return meet(&fault.Error{Text: "impossible"})
			}
			return nil
		}
		j, err := journal.Open(fsys, "journal", journal.Options{Now: clock.Now})
		if err != nil {
			t.Fatal(err)
		}
		rep, err := Carry(t.Context(), Options{
			Plan: sample(), Config: config(t), Drivers: func(schema.Addr) Driver { return d }, Journal: j,
			Operator: d, Clock: clock, Parallelism: 1, Poll: Poll{Within: time.Second},
		})
		var f *fault.Error
		if !errors.As(err, &f) || f.Text != "impossible" || rep == nil || rep.Count(PhaseDone) != 4 {
			t.Fatalf("%s: %v, %+v", name, err, rep)
		}
		if all := j.Entries(); all[len(all)-1].Event != EventStarted || all[len(all)-1].Key != id {
			t.Errorf("%s: the last entry is %+v", name, all[len(all)-1])
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		d.broken = nil
		if rep := carry(t, fsys, d, sample(), nil, d); !rep.Finished || d.thrown[id] != 1 {
			t.Errorf("%s: resumed: %+v, sent %d times", name, rep, d.thrown[id])
		}
	}
}

// TestFaultAfterAnError: an error of another step, even one of the journal, does not hide a fault.
func TestFaultAfterAnError(t *testing.T) {
	one, two, f := errors.New("one"), errors.New("two"), error(&fault.Error{Text: "impossible"})
	for _, c := range []struct{ was, is, want error }{
		{nil, one, one}, {one, nil, one}, {one, two, one}, {one, f, f}, {f, one, f}, {nil, f, f}, {f, nil, f},
	} {
		if got := graver(c.was, c.is); !errors.Is(got, c.want) {
			t.Errorf("of %v and %v %v counts, want %v", c.was, c.is, got, c.want)
		}
	}
}

func TestFailureStopsWhatNeedsIt(t *testing.T) {
	d := newDepot()
	fsys := afero.NewMemMapFs()
	id := planner.StepID(addr, "stop")
	d.refuse[id] = NotSent(errors.New("the server is away"))
	rep := carry(t, fsys, d, sample(), nil, d)
	if rep.Finished || rep.Steps[1].Phase != PhaseFailed || rep.Steps[1].Why != "the server is away" ||
		rep.Steps[2].Phase != PhaseBlocked {
		t.Fatalf("%+v", rep)
	}
	delete(d.refuse, id)
	if rep = carry(t, fsys, d, sample(), nil, d); !rep.Finished {
		t.Fatalf("it did not go on: %+v", rep)
	}
}

// deferring puts every person's step off.
type deferring struct{}

func (deferring) Perform(context.Context, Ask) (Reply, error) { return Deferred, nil }

func TestPersonsStepWaitsAndTheRestGoesOn(t *testing.T) {
	d := newDepot()
	fsys := afero.NewMemMapFs()
	rep := carry(t, fsys, d, sample(), nil, deferring{})
	if rep.Steps[2].Phase != PhaseWaiting || rep.Steps[3].Phase != PhaseDone || rep.Steps[4].Phase != PhaseBlocked {
		t.Fatalf("%+v", rep)
	}
	d.thrown[planner.StepID(addr, "person")]++ // the person does it meanwhile
	if rep = carry(t, fsys, d, sample(), nil, deferring{}); !rep.Finished {
		t.Fatalf("the person's work was not seen: %+v", rep)
	}
}

// signing is a person whose replies say who gave them.
type signing struct {
	*depot

	reply Reply
}

func (s signing) Perform(ctx context.Context, ask Ask) (Reply, error) {
	if s.reply.Done {
		_, err := s.depot.Perform(ctx, ask)
		return s.reply, err
	}
	return s.reply, nil
}

// TestWhoAnswered: the record says who put a person's step off, who did it, and who confirmed what cannot be verified.
func TestWhoAnswered(t *testing.T) {
	d := newDepot()
	fsys := afero.NewMemMapFs()
	entry := func(event string) journal.Entry {
		t.Helper()
		entries, err := journal.Read(fsys, "journal", nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range slices.Backward(entries) {
			if e.Key == planner.StepID(addr, "person") && e.Event == event {
				return e
			}
		}
		t.Fatalf("no %s in %+v", event, entries)
		return journal.Entry{}
	}
	carry(t, fsys, d, sample(), nil, signing{d, Reply{By: "ada"}})
	if by := entry(EventWaiting).Data["by"]; by != "ada" {
		t.Errorf("put off by %q", by)
	}
	carry(t, fsys, d, sample(), nil, signing{d, Reply{Done: true, By: "bob"}})
	if by := entry(EventDone).Data["by"]; by != "bob" {
		t.Errorf("done by %q", by)
	}
	fsys = afero.NewMemMapFs()
	d = newDepot()
	d.verify = func(id string, _ int) (Verdict, error) {
		if strings.HasSuffix(id, "/person") {
			return Verdict{State: Unknown}, nil
		}
		return Verdict{State: Done}, nil
	}
	p := sample()
	p.Steps[2].Manual.Attest = "the label sticks"
	carry(t, fsys, d, p, nil, signing{d, Reply{Done: true, By: "eve"}})
	if e := entry(EventDone); e.Data["by"] != "eve" || !strings.Contains(e.Data["note"], "the label sticks") {
		t.Errorf("confirmed: %+v", e)
	}
}

func TestGuardRefuses(t *testing.T) {
	d := newDepot()
	verified := 0
	d.verify = func(id string, n int) (Verdict, error) {
		if strings.HasSuffix(id, "/verify") {
			if verified++; verified > 1 { // the world moves between the verification and the deletion
				return Verdict{State: NotDone, Why: "2 of 3 pairs"}, nil
			}
			return Verdict{State: Done}, nil
		}
		if n > 0 || strings.HasSuffix(id, "/check") {
			return Verdict{State: Done}, nil
		}
		return Verdict{State: NotDone}, nil
	}
	rep := carry(t, afero.NewMemMapFs(), d, sample(), nil, d)
	last := rep.Steps[6]
	if last.Phase != PhaseFailed || !last.Refused || !strings.Contains(last.Why, "2 of 3 pairs") ||
		d.thrown[last.Step.ID] != 0 {
		t.Fatalf("%+v, deleted %d times", last, d.thrown[last.Step.ID])
	}
}

// TestNothingStartsAfterAStop: an interrupt that comes while a step is verified, or its facts or guards are, keeps
// the step from starting, and leaves it as it was.
func TestNothingStartsAfterAStop(t *testing.T) {
	for _, at := range []string{"check", "stop", "person", "copy", "send", "verify", "delete"} {
		t.Run(at, func(t *testing.T) {
			d, fsys, stop := newDepot(), afero.NewMemMapFs(), make(chan struct{})
			once := sync.OnceFunc(func() { close(stop) })
			watched := at
			if at == "delete" {
				watched = "verify" // its guard
			}
			asked := map[string]int{}
			d.verify = func(id string, n int) (Verdict, error) {
				op := strings.TrimPrefix(id, addr+"/")
				asked[op]++
				if op == watched && (at != "delete" || asked[op] == 2) {
					once()
				}
				if n > 0 || op == "check" || op == "verify" {
					return Done.Because("seen"), nil
				}
				return NotDone.Because("not yet"), nil
			}
			p := sample()
			if at == "check" || at == "verify" || at == "copy" { // these are not verified before they start
				p.Step(planner.StepID(addr, at)).Facts = []planner.Fact{{Name: "stop"}}
				d.read = func() { once() }
			}
			clock := &fastClock{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
			j, err := journal.Open(fsys, "journal", journal.Options{Now: clock.Now})
			if err != nil {
				t.Fatal(err)
			}
			rep, err := Carry(t.Context(), Options{
				Plan: p, Config: config(t), Drivers: func(schema.Addr) Driver { return d }, Journal: j, Operator: d, Clock: clock,
				Parallelism: 1, Poll: Poll{Within: time.Second}, Stop: stop,
			})
			if err != nil {
				t.Fatal(err)
			}
			id := planner.StepID(addr, at)
			for _, e := range j.Entries() {
				if e.Key == id {
					t.Errorf("after the interrupt the journal says %s of %s", e.Event, id)
				}
			}
			if d.thrown[id] != 0 || rep.Finished {
				t.Errorf("%s was carried out %d times", id, d.thrown[id])
			}
			d.verify, d.read = nil, nil
			if rep := carry(t, fsys, d, p, nil, d); !rep.Finished {
				t.Errorf("resumed, it does not end: %+v", rep)
			}
		})
	}
}

func TestMovedWorldStopsTheStep(t *testing.T) {
	d := newDepot()
	p := sample()
	p.Steps[1].Facts = []planner.Fact{{Name: "key", Value: "INT-1"}}
	d.facts["key"] = "INT-2"
	rep := carry(t, afero.NewMemMapFs(), d, p, nil, d)
	if s := rep.Steps[1]; !s.Moved || s.Why != "the servers have changed since the plan was made: key was INT-1 and "+
		"is now INT-2" {
		t.Fatalf("%+v", s)
	}
}

func TestPartialOnceIsForAPerson(t *testing.T) {
	d := newDepot()
	fsys := afero.NewMemMapFs()
	id := planner.StepID(addr, "send")
	d.verify = func(step string, n int) (Verdict, error) {
		switch {
		case step == id && n > 0:
			return Verdict{State: Partial, Why: "1 of 3"}, nil
		case n > 0 || strings.HasSuffix(step, "/check") || strings.HasSuffix(step, "/verify"):
			return Verdict{State: Done}, nil
		}
		return Verdict{State: NotDone}, nil
	}
	d.lose[id] = true
	carry(t, fsys, d, sample(), nil, d)
	rep := carry(t, fsys, d, sample(), nil, d)
	if s := rep.Steps[4]; s.Phase != PhaseStuck || d.thrown[id] != 1 {
		t.Fatalf("%+v, sent %d times", s, d.thrown[id])
	}
	// The person has looked, and wants it carried out: that is done, once.
	j, err := journal.Open(fsys, "journal", journal.Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.Append(t.Context(), id, EventReopened, nil); err != nil {
		t.Fatal(err)
	}
	carry(t, fsys, d, sample(), nil, d)
	if d.thrown[id] != 2 {
		t.Fatalf("after the person's word it was sent %d times in all, want 2", d.thrown[id])
	}
}

// Killed at every stage of every journal write, then run again: the end is the same, and what may not be repeated was
// not.
func TestKilledAtEveryWrite(t *testing.T) {
	d := newDepot()
	fsys := afero.NewMemMapFs()
	carry(t, fsys, d, sample(), nil, d)
	all, err := journal.Read(fsys, "journal", nil)
	if err != nil {
		t.Fatal(err)
	}
	for seq := 1; seq <= len(all); seq++ {
		for _, stage := range []journal.Stage{journal.Writing, journal.Half, journal.Written, journal.Synced} {
			t.Run(fmt.Sprintf("%d_%s", seq, stage), func(t *testing.T) {
				d, fsys := killedAt(t, stage, seq)
				rep := carry(t, fsys, d, sample(), nil, d)
				if rep == nil || !rep.Finished {
					t.Fatalf("it did not reach its end: %+v", rep)
				}
				for _, op := range []string{"send", "delete", "stop"} {
					if n := d.thrown[planner.StepID(addr, op)]; n != 1 {
						t.Errorf("%s was done %d times", op, n)
					}
				}
			})
		}
	}
}

// killedAt returns the world and the disk as they are when the process dies at that stage of that write.
func killedAt(t testing.TB, stage journal.Stage, seq int) (*depot, afero.Fs) {
	t.Helper()
	d, fsys := newDepot(), afero.NewMemMapFs()
	after, disk := newDepot(), afero.NewMemMapFs()
	carry(t, fsys, d, sample(), func(s journal.Stage, e journal.Entry) {
		if s != stage || e.Seq != seq {
			return
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		maps.Copy(after.thrown, d.thrown)
		src, err := afero.ReadFile(fsys, "journal")
		if err == nil {
			err = afero.WriteFile(disk, "journal", src, 0o600)
		}
		if err != nil {
			t.Error(err)
		}
	}, d)
	return after, disk
}

func TestFilesAreWholeOrNotThere(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		fsys := afero.NewMemMapFs()
		f := NewFiles(fsys, "files")
		old := rapid.SliceOf(rapid.Byte()).Draw(rt, "old")
		if _, err := f.Create(t.Context(), "x", func(w io.Writer) error { _, err := w.Write(old); return err }); err != nil {
			rt.Fatal(err)
		}
		_, err := f.Create(t.Context(), "x", func(w io.Writer) error {
			if _, err := w.Write([]byte("half")); err != nil {
				return err
			}
			return errors.New("the server went away")
		})
		if err == nil {
			rt.Fatal("a failed write was not reported")
		}
		got, err := afero.ReadFile(fsys, f.Path("x"))
		if err != nil || string(got) != string(old) {
			rt.Fatalf("after a failed write the file is %q, %v; it was %q", got, err, old)
		}
		if left, _ := afero.Glob(fsys, "files/*.part"); len(left) > 0 {
			rt.Fatalf("left behind: %v", left)
		}
	})
}

// TestFilesFollowNoLink: what has the name of the unfinished file is removed, whatever it is, and what it leads to is
// kept.
func TestFilesFollowNoLink(t *testing.T) {
	dir := t.TempDir()
	victim := filepath.Join(dir, "victim")
	if err := os.WriteFile(victim, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := NewFiles(afero.NewOsFs(), dir)
	if err := os.Symlink("victim", f.Path("x.part")); err != nil {
		t.Fatal(err)
	}
	_, err := f.Create(t.Context(), "x", func(w io.Writer) error { _, err := w.Write([]byte("new")); return err })
	kept, err2 := os.ReadFile(victim)
	info, err3 := os.Lstat(f.Path("x"))
	if err := errors.Join(err, err2, err3); err != nil || string(kept) != "precious" || !info.Mode().IsRegular() {
		t.Errorf("%v: %q, %v", err, kept, info)
	}
}
