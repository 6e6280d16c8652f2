package executor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// attempt is one process's try at one step.
type attempt struct {
	*run
	s      *planner.Step
	t      *Task
	d      Driver
	how    How
	before journal.Entry // the step's last entry when the try began
}

// take follows the table of Next to the step's end. The error means that the journal could not be written.
func (a *attempt) take(ctx context.Context) error {
	if a.how == HowVerify && a.s.Mark != planner.MarkCheck {
		return a.settle(ctx)
	}
	if a.how == HowVerifyFirst || a.how == HowVerifyOnce {
		v, err := a.look(ctx)
		if err != nil {
			return a.fail(ctx, a.s, fmt.Errorf("looking whether it is done already: %w", err), a.sentBefore(), "")
		}
		unsure := v.State == Partial || a.how == HowVerifyOnce && v.State == Unknown
		switch {
		case v.State == Done:
			return a.done(ctx, a.s, Already, v.Why, v.Outputs)
		case unsure && a.s.Repeat == planner.Once && a.s.Manual == nil:
			return a.stuck(ctx, v)
		}
	}
	if err := a.checkFacts(ctx); err != nil {
		return a.fail(ctx, a.s, err, a.sentBefore(), "")
	}
	if err := a.checkGuards(ctx); err != nil {
		return a.fail(ctx, a.s, err, a.sentBefore(), "")
	}
	switch {
	case a.s.Manual != nil:
		return a.person(ctx)
	case a.s.Mark == planner.MarkCheck:
		return a.check(ctx)
	}
	return a.execute(ctx)
}

// sentBefore keeps what is known of an earlier try: looking again does not make it any less likely to have been sent.
func (a *attempt) sentBefore() string {
	inside := a.before.Event == EventStarted || a.before.Event == EventFailed && a.before.Data["sent"] != "no"
	if inside {
		return ""
	}
	return "no"
}

func (a *attempt) stuck(ctx context.Context, v Verdict) error {
	why := "it cannot be told whether it was carried out"
	if v.Why != "" {
		why += ": " + v.Why
	}
	if err := a.write(ctx, a.s, EventStuck, map[string]string{"error": why}); err != nil {
		return err
	}
	a.tell(Stuck, a.s, why)
	return nil
}

// check is a step that only verifies.
func (a *attempt) check(ctx context.Context) error {
	if err := a.write(ctx, a.s, EventStarted, nil); err != nil {
		return err
	}
	a.tell(Started, a.s, "")
	return a.settle(ctx)
}

// execute is the heart: record, act, record, verify.
func (a *attempt) execute(ctx context.Context) error {
	if err := a.write(ctx, a.s, EventStarted, nil); err != nil {
		return err
	}
	a.tell(Started, a.s, "")
	res, err := a.d.Execute(ctx, a.t)
	if err != nil {
		if WasNotSent(err) || isLater(err) {
			return a.fail(ctx, a.s, err, "no", "")
		}
		return a.afterDoubt(ctx, err)
	}
	data := map[string]string{}
	for k, v := range res.Outputs {
		data[outputPrefix+k] = v
	}
	if res.Note != "" {
		data["note"] = res.Note
	}
	if err := a.write(ctx, a.s, EventExecuted, data); err != nil {
		return err
	}
	a.t.Outputs[a.s.ID] = merge(a.t.Outputs[a.s.ID], res.Outputs)
	return a.settle(ctx)
}

// afterDoubt: the request may have been carried out although its answer was lost. The server knows.
func (a *attempt) afterDoubt(ctx context.Context, cause error) error {
	if ctx.Err() == nil {
		v, err := a.d.Verify(ctx, a.t)
		if err == nil && v.State == Done {
			return a.done(ctx, a.s, Finished, "the answer was lost, but the server shows that it was carried out: "+v.Why, v.Outputs)
		}
	}
	return a.fail(ctx, a.s, cause, "", "")
}

// settle waits until the server shows the step's end, and records it.
func (a *attempt) settle(ctx context.Context) error {
	a.t.Executed = true
	v, err := a.await(ctx)
	if err != nil {
		after := EventExecuted
		if a.s.Mark == planner.MarkCheck {
			after = ""
		}
		return a.fail(ctx, a.s, err, "", after)
	}
	return a.done(ctx, a.s, Finished, v.Why, v.Outputs)
}

// await verifies with growing pauses until the step's end is reached, its time is over, or the run is to stop.
func (a *attempt) await(ctx context.Context) (Verdict, error) {
	deadline := a.Clock.Now().Add(a.within())
	pause := a.pauses()
	for {
		v, err := a.d.Verify(ctx, a.t)
		switch {
		case err == nil && v.State == Done:
			return v, nil
		case err != nil && ctx.Err() != nil:
			return v, fmt.Errorf("interrupted while verifying: %w", ctx.Err())
		}
		missing := v.Why
		if err != nil {
			missing = err.Error()
		}
		next := pause.NextBackOff()
		final := errors.As(err, new(*finalError)) || err == nil && v.State == Unknown && attested(a.s)
		if final || !a.Clock.Now().Add(next).Before(deadline) {
			return v, &unverified{why: missing, state: v.State}
		}
		a.tell(Verifying, a.s, missing)
		select {
		case <-a.Clock.After(next):
		case <-ctx.Done():
		case <-a.Stop:
			return v, &unverified{why: "interrupted while waiting: " + missing, state: v.State}
		}
	}
}

func (a *attempt) pauses() *backoff.ExponentialBackOff {
	p := &backoff.ExponentialBackOff{InitialInterval: a.Poll.First, RandomizationFactor: 0, Multiplier: 1.6, MaxInterval: a.Poll.Most}
	p.Reset()
	return p
}

// look verifies before anything is done. What the server is still working on was asked for by an earlier try: it is
// waited for rather than asked for again.
func (a *attempt) look(ctx context.Context) (Verdict, error) {
	deadline := a.Clock.Now().Add(a.within())
	pause := a.pauses()
	for {
		v, err := a.d.Verify(ctx, a.t)
		if err != nil || !v.Working || v.State == Done || !a.Clock.Now().Before(deadline) {
			return v, err
		}
		a.tell(Verifying, a.s, v.Why)
		select {
		case <-a.Clock.After(pause.NextBackOff()):
		case <-ctx.Done():
			return v, ctx.Err()
		case <-a.Stop:
			return v, errors.New("interrupted while the server was still working")
		}
	}
}

func (a *attempt) within() time.Duration {
	if a.s.Within > 0 {
		return time.Duration(a.s.Within)
	}
	return a.Poll.Within
}

// unverified: the step's end was not seen in time.
type unverified struct {
	why   string
	state State
}

func (e *unverified) Error() string {
	if e.why == "" {
		return "not verified: the server shows " + strings.ReplaceAll(string(e.state), "_", " ")
	}
	return e.why
}

// finalError marks a verification error that waiting cannot mend.
type finalError struct{ error }

func (e *finalError) Unwrap() error { return e.error }

// Final marks an error of Verify that waiting cannot mend, such as an issue that is in error: the step fails at once.
func Final(err error) error { return &finalError{err} }

// person asks the operator until the work is seen, or is put off.
func (a *attempt) person(ctx context.Context) error {
	if err := a.write(ctx, a.s, EventStarted, nil); err != nil {
		return err
	}
	ask := Ask{Step: *a.s, Files: map[string]string{}}
	for _, v := range a.s.Manual.Values {
		if v.File {
			ask.Files[v.Name] = a.Files.Path(v.Value)
		}
	}
	for ; ; ask.Attempt++ {
		a.tell(Asked, a.s, ask.Missing)
		reply, err := a.Operator.Perform(ctx, ask)
		if err != nil {
			return a.fail(ctx, a.s, fmt.Errorf("asking a person: %w", err), "no", "")
		}
		if reply == Deferred {
			why := "a person does this: " + a.s.Summary
			if ask.Missing != "" {
				why += " (" + ask.Missing + ")"
			}
			if err := a.write(ctx, a.s, EventWaiting, map[string]string{"error": why}); err != nil {
				return err
			}
			a.tell(Waits, a.s, why)
			return nil
		}
		a.t.Executed = true
		v, err := a.await(ctx)
		var missing *unverified
		switch {
		case err == nil:
			return a.done(ctx, a.s, Finished, v.Why, v.Outputs)
		case v.State == Unknown && attested(a.s) && errors.As(err, &missing):
			return a.done(ctx, a.s, Finished, "a person confirmed: "+a.s.Manual.Attest, v.Outputs)
		case !errors.As(err, &missing):
			return a.fail(ctx, a.s, err, "", "")
		}
		ask.Missing = a.Redact(err.Error())
	}
}

// attested: where no interface can tell, the person's word counts.
func attested(s *planner.Step) bool { return s.Manual != nil && s.Manual.Attest != "" }

// checkFacts reads again what the step was planned from.
func (a *attempt) checkFacts(ctx context.Context) error {
	if len(a.s.Facts) == 0 {
		return nil
	}
	moved, err := movedFacts(ctx, a.d, a.t.Resource, a.s.Facts)
	if err != nil {
		return fmt.Errorf("reading again what the plan was made from: %w", err)
	}
	if len(moved) == 0 {
		return nil
	}
	a.moved.mark(a.s.ID)
	var lines []string
	for _, m := range moved {
		lines = append(lines, m.String())
	}
	return fmt.Errorf("the world has moved since the plan was made: %s", strings.Join(lines, "; "))
}

// checkGuards verifies once more what must hold before this step may start. Nothing is deleted on the strength of a
// verification that is not fresh.
func (a *attempt) checkGuards(ctx context.Context) error {
	for _, id := range a.s.Guards {
		g := a.Plan.Step(id)
		if g == nil {
			return fmt.Errorf("its guard %s is not in the plan", id)
		}
		t := *a.t
		t.Step, t.Executed = *g, true
		v, err := a.d.Verify(ctx, &t)
		if err == nil && v.State == Done {
			continue
		}
		a.refused.mark(a.s.ID)
		if err != nil {
			return fmt.Errorf("refused by its guard %s: %w", id, err)
		}
		return fmt.Errorf("refused by its guard %s: %s", id, v.Why)
	}
	return nil
}

// FactMoved is a fact that is not as it was when the plan was made.
type FactMoved struct {
	Step, Name, Planned, Now string
}

func (m FactMoved) String() string {
	if m.Now == "" {
		return fmt.Sprintf("%s was %s and can no longer be read", m.Name, m.Planned)
	}
	return fmt.Sprintf("%s was %s and is now %s", m.Name, m.Planned, m.Now)
}

// Moved reads the facts of all steps that are not done again and lists those that changed, in plan order.
func Moved(ctx context.Context, p *planner.Plan, entries []journal.Entry, cfg *schema.Config, drivers func(schema.Addr) Driver, now time.Time) ([]FactMoved, error) {
	d := Next(p, entries, now)
	byAddr := map[string][]planner.Fact{}
	step := map[string]string{}
	for i := range p.Steps {
		s := &p.Steps[i]
		if d.Steps[s.ID].Phase == PhaseDone {
			continue
		}
		for _, f := range s.Facts {
			if step[s.Addr+" "+f.Name] == "" {
				step[s.Addr+" "+f.Name] = s.ID
				byAddr[s.Addr] = append(byAddr[s.Addr], f)
			}
		}
	}
	var out []FactMoved
	for _, c := range p.Changes {
		facts := byAddr[c.Addr]
		addr, err := schema.ParseAddr(c.Addr)
		if err != nil || len(facts) == 0 {
			continue
		}
		moved, err := movedFacts(ctx, drivers(addr), cfg.Lookup(addr), facts)
		if err != nil {
			return nil, fmt.Errorf("reading again what the plan was made from: %w", err)
		}
		for _, m := range moved {
			m.Step = step[c.Addr+" "+m.Name]
			out = append(out, m)
		}
	}
	return out, nil
}

func movedFacts(ctx context.Context, d Driver, r *schema.Resource, facts []planner.Fact) ([]FactMoved, error) {
	names := make([]string, len(facts))
	for i, f := range facts {
		names[i] = f.Name
	}
	slices.Sort(names)
	now, err := d.Facts(ctx, r, slices.Compact(names))
	if err != nil {
		return nil, err
	}
	var out []FactMoved
	for _, f := range facts {
		if now[f.Name] != f.Value {
			out = append(out, FactMoved{Name: f.Name, Planned: f.Value, Now: now[f.Name]})
		}
	}
	return out, nil
}

// marked is a set of step ids that goroutines add to.
type marked struct {
	mu  sync.Mutex
	ids map[string]bool
}

func (m *marked) mark(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ids == nil {
		m.ids = map[string]bool{}
	}
	m.ids[id] = true
}

func laterBy(err error) (time.Duration, bool) {
	var l *Later
	if !errors.As(err, &l) {
		return 0, false
	}
	return l.After, true
}

func isLater(err error) bool {
	_, ok := laterBy(err)
	return ok
}

func merge(a, b map[string]string) map[string]string {
	out := map[string]string{}
	for k, v := range a {
		out[k] = v
	}
	for k, v := range b {
		out[k] = v
	}
	return out
}
