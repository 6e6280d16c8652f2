package backbone

import (
	"context"
	"fmt"
	"strconv"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// resync is the verb that makes a connector send all its issues again, with the summary field only.
var resync = driver.Verb[*Driver]{Name: opResync, Execute: (*Driver).resync, Verify: (*Driver).verifyResynced}

func (s *standing) resync(end string) planner.Step {
	step := planner.Act("", planner.MarkChange, planner.CheckFirst,
		fmt.Sprintf("resync from the %s connector (%s), the summary field only", end, s.to.end(end).Project))
	step.Because = guide + ", step 4.2: it recreates the information in the sync info panel"
	step.Within, step.Exclusive, step.Effect = planner.Duration(s.within), exclusive(s.stay()), &planner.Effect{}
	return at(forEnd(step, opResync, end), s.stay())
}

// resync asks for the summary field alone. It looks up the ID of its mapping in the live configuration.
func (d *Driver) resync(ctx context.Context, t *executor.Task) (executor.Result, error) {
	end := t.Step.Args[endArg]
	l, err := d.locateExisting(ctx, t, end)
	if err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	_, conf, err := l.client.integration(ctx, l.Key)
	if err == nil && conf.SummaryID == "" {
		err = fmt.Errorf("looking up the field mapping of summary in %s: none can be made out, so a resync of the "+
			"summary alone cannot be asked for: "+
			"map summary to summary, or resync from %s on the web page with the summary field only and then say: "+
			"syncctl resolve %s -done",
			l.Key, l.connector(end), planner.TypedID(t.Step.Addr, t.Step.Op))
	}
	if err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	w, err := d.writer(l.end.server)
	if err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	return executor.Result{}, w.resync(ctx, l.connector(end), conf.SummaryID)
}

// verifyResynced checks the progress by message numbers, because the interface shows neither a job nor its progress.
// Every message that is sent raises the issue's message number (ASSUMED, from the vendor's samples). So the sum of
// the numbers shows how many messages were sent since pairing.
func (d *Driver) verifyResynced(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	end := t.Step.Args[endArg]
	l, err := d.locateExisting(ctx, t, end)
	if err != nil {
		return executor.Verdict{}, err
	}
	h, err := l.health(ctx)
	if err == nil {
		err = h.errors(l.Key)
	}
	if err != nil {
		return executor.Verdict{}, err
	}
	before := t.Output(pairOp(end), sentOutput)
	if before == "" {
		before = t.Output(opPair, end+"_"+sentOutput)
	}
	base, err := strconv.ParseInt(before, 10, 64)
	if err != nil {
		return executor.Unknown.Because("it is not recorded how many messages had been sent before"), nil
	}
	tally, err := l.client.tally(ctx, l.connector(end))
	if err != nil {
		return executor.Verdict{}, err
	}
	sent, known := tally.Sent()
	if !known {
		return executor.Unknown.Because("how many messages %s has sent is unknown: %s without a message number",
			l.connector(end), wording.Plural(tally.Unsummed, "entry")), nil
	}
	return resynced(l.connector(end), sent-base, int64(tally.Pairs), h, t.Executed), nil
}

func resynced(connector string, sent, pairs int64, h health, executed bool) executor.Verdict {
	issues := wording.Plural(int(pairs), "issue")
	all := sent >= pairs
	switch {
	case sent <= 0 && pairs > 0:
		return executor.NotDone.Because("%s has sent nothing yet", connector)
	case h.Idle == nil && !all:
		return executor.Unknown.Because("%d of %s sent; whether it is still working cannot be read", sent, issues)
	case h.Idle == nil: // a person confirms before the verification that it has ended
		return executor.Done.Because("%s for %s", wording.Plural(int(sent), "message"), wording.Plural(int(pairs),
			"pair"))
	case !*h.Idle:
		v := executor.Partial.Because("%d of %s sent, still working", sent, issues)
		v.Working = true
		return v
	case all || executed: // a filter may leave issues out, so it has ended once it is idle
		return executor.Done.Because("%s for %s, and idle", wording.Plural(int(sent), "message"),
			wording.Plural(int(pairs), "pair"))
	}
	return executor.Partial.Because("%d of %s sent", sent, issues)
}
