package offload

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/teamworkcloud/machine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/revision"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

var unchanged = driver.Verb[*Offloading]{Name: opUnchanged, Verify: (*Offloading).verifyUnchanged}

func (o *plan) unchangedStep() planner.Step {
	still := "; " + o.addr(atTarget) + " still has them as verified"
	if o.overSites() {
		still = ""
	}
	return planner.Step{
		Op: opUnchanged, Mark: planner.MarkCheck, Repeat: planner.Idempotent, Within: planner.Duration(lookWithin),
		Exclusive: machine.Exclusive(o.addr(atSource)),
		Summary: fmt.Sprintf("nothing of %s beyond what was verified in the database of %s, its services stopped",
			wording.Plural(len(o.present), "resource"), o.addr(atSource)) + still,
		Because: "somebody may have committed until the services stood, and a copy may have been deleted",
		Args:    o.args(atSource),
	}
}

// verifyUntouched checks, with the services stopped, that the database has nothing of the resources that was not
// verified: what somebody committed while the services were being stopped would be lost. strict means that nothing may
// be missing either. The caller sets it unless this run may have begun to remove them.
func verifyUntouched(
	ctx context.Context, m *machine.Machine, t *executor.Task, verified revision.Records, strict bool,
) (executor.Verdict, error) {
	held, err := m.Manager.Holds(ctx)
	if err != nil {
		return unreadableVerdict(err)
	}
	ids := verified.IDs()
	listed := held.Of(ids)
	if gone := len(ids) - len(listed); strict && gone > 0 {
		at := slices.IndexFunc(ids, func(id string) bool { return !held.Has(id) })
		return executor.Verdict{},
			executor.Final(fmt.Errorf("datamanager on %s does not list %s (%s) any more, and this run has not removed it%s",
				m.Host.Name(), verified[ids[at]].Name, ids[at], andMore(gone-1)))
	}
	for i, id := range listed {
		t.Report(executor.Progress{Done: int64(i), Total: int64(len(listed)), Unit: "resources"})
		v, err := untouched(ctx, m, id, verified[id], strict)
		if err != nil || v.State != executor.Done {
			return v, err
		}
	}
	return executor.Verdict{
		State: executor.Done, Outputs: map[string]string{witnessOutput: strings.Join(held.Others(ids, mostWitnesses), ",")},
		Why: fmt.Sprintf("the database has no branch and no revision of %s that was not verified",
			wording.Plural(len(listed), "resource")),
	}, nil
}

func andMore(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(", nor %d others", n)
}

// untouched checks one resource for verifyUntouched.
func untouched(
	ctx context.Context, m *machine.Machine, id string, was revision.Record, strict bool,
) (executor.Verdict, error) {
	known, err := was.VerifiedRevisions()
	if err != nil {
		return executor.Verdict{}, executor.Final(err)
	}
	branches, err := m.Manager.Branches(ctx, id)
	if err != nil {
		return unreadableVerdict(err)
	}
	called, want := map[string]*revision.BranchRecord{}, 0
	for i := range was.Source {
		called[strings.ToLower(was.Source[i].ID)] = &was.Source[i]
		if !was.Source[i].Deleted {
			want++
		}
	}
	found := 0
	for _, branch := range branches {
		if called[branch] == nil {
			return executor.Verdict{},
				executor.Final(fmt.Errorf("%s (%s) has a branch %s in the database of %s that was not verified: nothing of it "+
					"would be left. %s", was.Name, id, branch, m.Server, planAgain))
		}
		found++
		numbers, err := m.Manager.Revisions(ctx, id, branch)
		if err != nil {
			return unreadableVerdict(err)
		}
		for _, n := range slices.Backward(numbers) {
			if !known[n] {
				return executor.Verdict{},
					executor.Final(fmt.Errorf("%s (%s) has a revision %d on branch %s in the database of %s that was not "+
						"verified: it was committed since, and nothing of it would be left. %s", was.Name, id, n, called[branch].Name,
						m.Server, planAgain))
			}
		}
		own, err := called[branch].Numbers()
		if err != nil {
			return executor.Verdict{}, executor.Final(err)
		}
		at := slices.IndexFunc(own, func(n int) bool { return !slices.Contains(numbers, n) })
		if at >= 0 && (strict || len(numbers) > 0) {
			return executor.Verdict{State: executor.Unknown,
				Why: fmt.Sprintf("datamanager on %s does not list revision %d of branch %s of %s (%s), which the server had: "+
					"its listing cannot be relied on. %s",
					m.Host.Name(), own[at], called[branch].Name, was.Name, id, byHand)}, nil
		}
	}
	if strict && found < want || found == 0 && want > 0 {
		return executor.Verdict{State: executor.Unknown,
			Why: fmt.Sprintf("datamanager on %s lists %s of %s (%s), the server had %d: its listing cannot be relied on. %s",
				m.Host.Name(), wording.Plural(found, "branch"), was.Name, id, want, byHand)}, nil
	}
	return executor.Verdict{State: executor.Done}, nil
}

// byHand says what to do if datamanager's listings cannot be read.
const byHand = "Look by hand; if all is well, remove the resources by hand and say so: syncctl resolve STEP -done, " +
	"with the step that removes them"

// unreadableVerdict returns Unknown if a listing proves nothing. Any other error is returned.
func unreadableVerdict(err error) (executor.Verdict, error) {
	if machine.IsUnreadable(err) {
		return executor.Verdict{State: executor.Unknown, Why: err.Error()}, nil
	}
	return executor.Verdict{}, err
}

// witnessOutput is the name under which resources are journaled that the database lists and that stay. A listing
// without any of them does not count.
const (
	witnessOutput = "witnesses"
	mostWitnesses = 5
)

// verifyUnchanged guards the removal. Whatever it finds, it tells people that the services are stopped.
func (w *Offloading) verifyUnchanged(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	m, err := w.reach(atSource, t.Step.Args[argRelease])
	if err != nil {
		return executor.Verdict{}, err
	}
	v, err := w.unchanged(ctx, t, m)
	standstill := fmt.Sprintf("; if the services of %s are stopped, syncctl apply resumes here, or start them by "+
		"hand: %s", m.Server, machine.JoinLines(m.Start...))
	switch {
	case err != nil:
		return v, fmt.Errorf("%w%s", err, standstill)
	case v.State != executor.Done:
		v.Why += standstill
	}
	return v, nil
}

// unchanged verifies, with the services of the source stopped, that its database has nothing that was not verified,
// and that the target still has what was verified.
func (w *Offloading) unchanged(ctx context.Context, t *executor.Task, m *machine.Machine) (executor.Verdict, error) {
	verified, err := verifiedHere(t)
	if err != nil || len(verified) == 0 {
		return executor.Verdict{State: executor.NotDone, Why: errNothingVerified.Error()}, err
	}
	if v, err := m.VerifyStopped(ctx); err != nil || v.State != executor.Done {
		if v.State == executor.NotDone && t.IsDone(opStop+atSource) {
			v.Why += fmt.Sprintf("; somebody has started them: have them stopped again: syncctl resolve %s -retry",
				planner.TypedID(t.Step.Addr, opStop+atSource))
		}
		return v, err
	}
	if why, err := m.DatabaseProblem(ctx); err != nil || why != "" {
		return executor.Verdict{State: executor.NotDone, Why: why}, err
	}
	if !w.sync().OverSites() { // over sites, the step's other guard has checked it in the target's site
		if err := w.kept(ctx, verified, changed); err != nil {
			return executor.Verdict{}, err
		}
	}
	return verifyUntouched(ctx, m, t, verified, !t.HasBegun(opRemove))
}
