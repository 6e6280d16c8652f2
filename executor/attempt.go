package executor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/syncctl/syncctl/fault"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
)

// attempt is one attempt of one process at one step.
type attempt struct {
	*run
	s      *planner.Step
	t      *Task
	d      Driver
	how    How
	before journal.Entry // the step's last entry when the attempt began
	again  bool          // it was done before and is carried out again
	renew  bool          // it is a check that is verified again for another site
	until  time.Time     // until when the guards of other sites are fresh; zero: no limit
	free   func()        // lets another step begin: only entries of this one remain to be written
}

// take carries the step out as the table of Next says. The error means that the journal could not be written.
func (a *attempt) take(ctx context.Context) error {
	if a.how == HowVerify && a.s.Mark != planner.MarkCheck {
		if a.s.Repeat != planner.Idempotent {
			return a.settle(ctx, ctx, nil)
		}
		a.how = HowVerifyFirst // if its effect was lost, it is carried out again
	}
	var v Verdict
	if a.how == HowVerifyFirst || a.how == HowVerifyOnce {
		var err error
		if v, err = a.look(ctx); err != nil {
			return a.refuse(ctx, fmt.Errorf("checking whether it is already done: %w", err))
		}
		reopened := a.before.Event == EventReopened // a person has checked, and wants it carried out
		unsure := v.State == Partial && !reopened || a.how == HowVerifyOnce && v.State == Unknown
		switch {
		case v.State == Done:
			return a.done(ctx, a.s, outcome{event: EventAlready, note: v.Why, outputs: v.Outputs})
		case unsure && a.s.Repeat == planner.Once && a.s.Manual == nil:
			return a.stuck(ctx, v)
		}
	}
	if err := a.checkFacts(ctx); err != nil {
		return a.refuse(ctx, err)
	}
	if err := a.checkGuards(ctx); err != nil {
		return a.refuse(ctx, err)
	}
	switch {
	case a.s.Manual != nil:
		return a.person(ctx, v)
	case a.s.Mark == planner.MarkCheck:
		return a.check(ctx)
	}
	return a.execute(ctx)
}

// refuse ends an attempt before it did anything. An earlier attempt may still have been sent: checking again does not
// change that.
func (a *attempt) refuse(ctx context.Context, err error) error {
	return a.fail(ctx, a.s, Failure{Err: err, Unsent: !diedInside(a.before)})
}

func (a *attempt) stuck(ctx context.Context, v Verdict) error {
	why := "it is unknown whether it was carried out"
	if a.how == HowVerifyFirst {
		why = "it is partly done, and not by this run"
		if a.t.HasBegun(a.s.Op) {
			why = "it is partly done, and this run has begun it before"
		}
	}
	if v.Why != "" {
		why += ": " + v.Why
	}
	if err := a.write(ctx, a.s, EventStuck, map[string]string{dataError: why}); err != nil {
		return err
	}
	a.tell(EventStuck, a.s, why)
	return nil
}

// start records the start of the step, with data. It does nothing and returns false if the run was asked to stop while
// facts and guards were checked: nothing is started after that.
func (a *attempt) start(ctx context.Context, data map[string]string) (bool, error) {
	select {
	case <-a.Stop:
		return false, nil
	case <-ctx.Done():
		return false, nil
	default:
	}
	if err := a.write(ctx, a.s, EventStarted, data); err != nil {
		return false, err
	}
	a.tell(EventStarted, a.s, "")
	return true, nil
}

// check carries out a step that only verifies.
func (a *attempt) check(ctx context.Context) error {
	if a.renew {
		return a.verifyAgain(ctx)
	}
	if ok, err := a.start(ctx, nil); !ok {
		return err
	}
	return a.settle(ctx, ctx, nil)
}

// execute is the core: record, act, record, verify. The last two run at the same time.
func (a *attempt) execute(ctx context.Context) error {
	if ok, err := a.start(ctx, nil); !ok {
		return err
	}
	res, err := a.d.Execute(ctx, a.t)
	if err != nil {
		if WasNotSent(err) || isLater(err) {
			return a.fail(ctx, a.s, Failure{Err: err, Unsent: true})
		}
		if MayContinue(err) {
			return a.fail(ctx, a.s, Failure{Err: err})
		}
		return a.afterDoubt(ctx, err)
	}
	data := map[string]string{}
	for k, v := range res.Outputs {
		data[outputPrefix+k] = v
	}
	if res.Note != "" {
		data[dataNote] = res.Note
	}
	own := a.t.Past(a.s.Op)
	own.Outputs = merge(own.Outputs, res.Outputs)
	a.t.Remember(a.s.Op, own)
	look, recorded, err := a.recording(ctx, EventExecuted, data)
	if err != nil {
		return err
	}
	defer func() { _ = recorded(true) }() // also if verifying panics
	return a.settle(ctx, look, recorded)
}

// recording writes a journal entry while the server is verified with the context look, which is safe since verifying
// changes nothing. Entries that are written after it are durable only if it is, too. If it cannot be written, look is
// canceled, and recorded returns why. With wait, recorded waits until that is known; it must be called so in the end.
func (a *attempt) recording(ctx context.Context, event string, data map[string]string) (
	look context.Context, recorded func(wait bool) error, _ error,
) {
	durable, err := a.Journal.Add(context.WithoutCancel(ctx), a.s.ID, event, a.redacted(data))
	if err != nil {
		return nil, nil, err
	}
	look, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer func() {
			close(ended)
			if err != nil {
				stop()
			}
		}()
		defer fault.Catch(&err)
		err = durable()
	}()
	return look, func(wait bool) error {
		if wait {
			<-ended
			stop()
		}
		select {
		case <-ended:
			fault.Raise(err)
			return err
		default:
			return nil
		}
	}, nil
}

// afterDoubt asks the server whether the request was carried out even though its answer was lost.
func (a *attempt) afterDoubt(ctx context.Context, cause error) error {
	if ctx.Err() == nil {
		v, err := a.d.Verify(ctx, a.t)
		if err == nil && v.State == Done {
			return a.done(ctx, a.s, outcome{event: EventDone, outputs: v.Outputs,
				note: "the answer was lost, but the server shows that the step was carried out: " + v.Why})
		}
	}
	return a.fail(ctx, a.s, Failure{Err: cause})
}

// person asks the operator until the work is verified or deferred.
func (a *attempt) person(ctx context.Context, first Verdict) error {
	for _, v := range a.s.Manual.Values {
		if v.File && !safeName(v.Value) { // otherwise a person or their program would be given any file of this machine
			return a.refuse(ctx, fmt.Errorf("the value %s is the file %q: %w", v.Name, v.Value, errUnsafe))
		}
	}
	script, err := a.script(ctx)
	if err != nil {
		return a.refuse(ctx, err)
	}
	ask := Ask{Step: *a.s, Files: map[string]string{}, Missing: a.Redact(first.Why)}
	data := map[string]string{}
	if script.Name != "" {
		ask.Script = a.Files.Path(script.Name)
		data[dataScript], data[dataScriptSum] = script.Name, script.SHA256
	}
	if ok, err := a.start(ctx, data); !ok {
		return err
	}
	last := first.State
	for _, v := range a.s.Manual.Values {
		if v.File {
			ask.Files[v.Name] = a.Files.Path(v.Value)
		}
	}
	for ; ; ask.Attempt++ {
		a.Observe(Event{Name: EventAsked, Step: a.s, Message: ask.Missing, Script: ask.Script})
		reply, err := a.Operator.Perform(ctx, ask)
		if err != nil {
			return a.fail(ctx, a.s, Failure{Err: fmt.Errorf("asking a person: %w", err), Unsent: true})
		}
		if !reply.Done {
			return a.wait(ctx, ask, last, reply.By)
		}
		if err := a.sameScript(script); err != nil {
			return a.fail(ctx, a.s, Failure{Err: err})
		}
		a.t.Executed = true
		v, err := a.await(ctx)
		var missing *unverified
		switch {
		case err == nil:
			return a.done(ctx, a.s, outcome{event: EventDone, note: v.Why, by: reply.By, outputs: v.Outputs})
		case v.State == Unknown && attested(a.s) && errors.As(err, &missing):
			note := "a person confirmed: " + a.s.Manual.Attest
			return a.done(ctx, a.s, outcome{event: EventDone, note: note, by: reply.By, outputs: v.Outputs})
		case !errors.As(err, &missing):
			return a.fail(ctx, a.s, Failure{Err: err})
		}
		ask.Missing, last = a.Redact(err.Error()), v.State
	}
}

// wait records that a person has not done the step yet, and who says so.
func (a *attempt) wait(ctx context.Context, ask Ask, last State, by string) error {
	why := "a person does this: " + a.s.Summary
	if ask.Missing != "" {
		why += " (" + ask.Missing + ")"
	}
	data := map[string]string{dataError: why, dataVerdict: string(last)}
	if by != "" {
		data[dataBy] = by
	}
	if err := a.write(ctx, a.s, EventWaiting, data); err != nil {
		return err
	}
	a.tell(EventWaiting, a.s, why)
	return nil
}

// attested reports whether the person's word counts because no interface can verify the step.
func attested(s *planner.Step) bool { return s.Manual != nil && s.Manual.Attest != "" }

// checkGuards verifies the step's guards again: nothing is deleted without a fresh verification.
func (a *attempt) checkGuards(ctx context.Context) error {
	for _, id := range a.s.Guards {
		g := a.steps[id]
		if g == nil {
			return fmt.Errorf("its guard %s is not in the plan", id)
		}
		if g.Site != a.s.Site {
			continue // its own site verified it, recently enough when this attempt began
		}
		t := *a.t
		t.Step, t.Executed = *g, true
		v, err := a.d.Verify(ctx, &t)
		switch {
		case err == nil && v.State == Done:
			continue
		case err != nil && !errors.As(err, new(*finalError)):
			return fmt.Errorf("verifying its guard %s: %w", id, err) // a guard that could not be verified did not refuse
		}
		a.refused.mark(a.s.ID)
		if err != nil {
			return fmt.Errorf("refused by its guard %s: %w", id, err)
		}
		return fmt.Errorf("refused by its guard %s: %s", id, v.Why)
	}
	if !a.until.IsZero() && isPast(a.until, a.Clock.Now()) { // checking facts and guards took too long
		return errors.New("what another site has verified for it is too old by now, or of no known time: that site has to " +
			"verify it again, with `syncctl apply`")
	}
	return nil
}

// isPast reports whether a time is past, by either clock: the one that people may set back, or the monotonic one, which
// may stand still while the machine sleeps.
func isPast(t, now time.Time) bool { return now.After(t) || now.Round(0).After(t.Round(0)) }

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
