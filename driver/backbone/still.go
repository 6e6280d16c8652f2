package backbone

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/backbone/syncinfo"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// still is the verb that checks that the original is still stopped and is what was exported. It guards the steps that
// build on the export. It also counts the comments of a sample, which the verification compares.
var still = driver.Verb[*Driver]{Name: opStill, Verify: (*Driver).verifyStill}

func (s *standing) still() planner.Step {
	step := planner.Check(opStill, "both halves of the original are still stopped, and are what was exported",
		20*time.Second)
	step.Because = "a restart of Jira starts synchronizations again (HC/5.0/server/system-properties); what they " +
		"do now would be missing in the new one, or done twice"
	step.Args = map[string]string{"sample": strconv.Itoa(s.sample)}
	return at(step, s.from.one.server, s.from.two.server, s.stay(), s.site())
}

func (d *Driver) verifyStill(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	if role := ofHalf(t); role != "" {
		return d.verifyStillHalf(ctx, t, role)
	}
	if err := intact(ctx, t, exportFile(master), exportFile(slave)); err != nil {
		return executor.Verdict{}, err
	}
	v, err := d.originalAsExported(ctx, t, opStopByHand, roles...)
	if err != nil || v.State != executor.Done {
		return v, err
	}
	m, err := declared(decodeMigration, t.Resource)
	if err != nil {
		return executor.Verdict{}, err
	}
	sample, err := d.sample(ctx, t, m)
	if err != nil {
		return executor.Verdict{}, err
	}
	v.Why = "both halves are stopped, and are what was exported"
	v.Outputs = map[string]string{commentsOutput: jsonText(commentCounts(sample))}
	return v, nil
}

// originalAsExported checks that the original is stopped and is what was exported. A restart of Jira starts
// synchronizations again (HC/5.0/server/system-properties), and what they do after the export would be lost. A half
// that this run has already deleted is skipped. word is the verb of the steps in which people confirm what cannot be
// read.
func (d *Driver) originalAsExported(ctx context.Context, t *executor.Task, word string,
	of ...string) (executor.Verdict, error) {
	again := fmt.Sprintf("stop both halves and export both again: syncctl resolve %s -retry, and the same with %s",
		planner.TypedID(t.Step.Addr, op(opExport, master)), planner.TypedID(t.Step.Addr, op(opExport, slave)))
	if anyDeleted(t) {
		again = leftOver
	}
	for _, role := range of {
		if t.IsDone(op(opDelete, role)) {
			continue
		}
		l, v, err := d.stoppedHalf(ctx, t, role, op(word, role))
		switch {
		case err != nil:
			return v, err
		case !l.found():
			return v, executor.Final(fmt.Errorf("the %s's half of the original is gone, and this run did not delete it",
				role))
		case v.State != executor.Done:
			return v, nil
		}
		if err := sameAsExported(ctx, t, role, l, again); err != nil {
			return executor.Verdict{}, err
		}
	}
	return executor.Done.Because("the original is what was exported"), nil
}

// sameAsExported checks that a half has the exported pairs, and has sent nothing since. The number of messages that
// it had sent must be recorded.
func sameAsExported(ctx context.Context, t *executor.Task, role string, l *located, again string) error {
	diff, err := syncinfo.ComparePairs(ctx, exported(t, role), livePairs(ctx, l.client, l.First.Key))
	if err != nil {
		return err
	}
	if !diff.Same() {
		return executor.Final(fmt.Errorf("the %s's half %s is not what was exported: %s; %s", role, l.Key,
			oneLine(diff.String()), again))
	}
	sent := sentBy(&diff.GotTally)
	if sent == "" { // two incomplete sums may be equal although messages were sent in between
		m, err := declared(decodeMigration, t.Resource)
		if err != nil || m.allows(syncinfo.SeqDiffer) {
			return err
		}
		return executor.Final(fmt.Errorf("whether the %s's half %s has sent messages since it was exported is unknown: "+
			"%s without a message number. If you know that nothing is in flight, allow = [%q] in the migration says so",
			role, l.Key, wording.Plural(diff.GotTally.Unsummed, "entry"), syncinfo.SeqDiffer))
	}
	switch before := t.Output(op(opExport, role), sentOutput); before {
	case sent:
		return nil
	case "":
		return executor.Final(fmt.Errorf("it is not recorded what the %s's half %s had sent when it was exported; %s",
			role, l.Key, again))
	}
	return executor.Final(fmt.Errorf("the %s's half %s has sent messages since it was exported: somebody started "+
		"it meanwhile; what they carried is not in the export; %s", role, l.Key, again))
}
