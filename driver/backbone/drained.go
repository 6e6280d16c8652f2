package backbone

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/backbone/syncinfo"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// drained is the verb that checks that nothing is in flight between the two stopped halves.
var drained = driver.Verb[*Driver]{Name: opDrained, Verify: (*Driver).verifyDrained}

func (s *standing) drained() planner.Step {
	step := planner.Check(opDrained, "nothing is in flight: for every issue, what one end sent the other has "+
		"applied (message sequence ids)", 20*time.Second)
	step.Because = "a message that is still under way when the pairs are taken away is lost"
	return at(step, s.from.one.server, s.from.two.server)
}

// verifyDrained checks that both halves are stopped and that their message numbers agree. A restart of Jira starts
// stopped synchronizations again (HC/5.0/server/system-properties), so their status is checked here once more.
func (d *Driver) verifyDrained(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	m, err := declared(decodeMigration, t.Resource)
	if err != nil {
		return executor.Verdict{}, err
	}
	if t.Step.Args[fromExports] != "" {
		return d.verifyDrainedExports(ctx, t, m)
	}
	halves := map[string]*located{}
	for _, role := range roles {
		l, v, err := d.stoppedHalf(ctx, t, role, op(opStopByHand, role))
		if err != nil || v.State != executor.Done {
			return v, err
		}
		halves[role] = l
	}
	a, b := halves[master], halves[slave]
	drain, err := compareConnectors(ctx, a.client, a.First.Key, b.client, b.First.Key)
	if err != nil {
		return executor.Verdict{}, err
	}
	return inFlight(m, drain, ""), nil
}

// inFlight judges by the message numbers of both halves whether anything is in flight. also is what a person has to
// do besides letting the messages through.
func inFlight(m *migration, drain *syncinfo.Drain, also string) executor.Verdict {
	again := "start both halves again, let the messages through (move the files, fetch the mail), and stop them" + also
	switch {
	case !drain.Empty():
		return executor.NotDone.Because("%s; %s", oneLine(drain.String()), again)
	case drain.Unpaired > 0 && !m.allows(syncinfo.Unmatched):
		return executor.NotDone.Because("%s without a mirror on the other end, where it may be under way; %s",
			wording.Plural(drain.Unpaired, "pair"), again)
	case drain.Uncompared > 0 && !m.allows(syncinfo.SeqDiffer):
		return executor.Unknown.Because("whether messages are in flight cannot be told: %s", oneLine(drain.String()))
	}
	why := fmt.Sprintf("nothing is in flight between %s", wording.Plural(drain.Pairs, "pair"))
	if left := drain.Uncompared + drain.Unpaired; left > 0 {
		why += fmt.Sprintf(", as far as can be told: %s could not be compared, which the declaration allows",
			wording.Plural(left, "pair"))
	}
	return executor.Done.Because("%s", why)
}

// stoppedHalf finds a half of the original and reports whether it is stopped. word is the op of the step in which a
// person confirms it.
func (d *Driver) stoppedHalf(ctx context.Context, t *executor.Task, role, word string) (*located,
	executor.Verdict, error) {
	l, err := d.locate(ctx, t, role)
	if err != nil {
		return nil, executor.Verdict{}, err
	}
	if !l.found() {
		return l, executor.NotDone.Because("the %s's half was not found", role), nil
	}
	h, err := l.health(ctx)
	if err != nil {
		return nil, executor.Verdict{}, err
	}
	switch state := isStopped(t, h, word); state {
	case executor.Done:
		return l, executor.Done.Because("%s is stopped", l.Key), nil
	case executor.Unknown:
		return l, state.Because("whether the %s's half %s of the original is stopped cannot be read", role, l.Key), nil
	default:
		return l, state.Because("the %s's half %s of the original is %s: it must stay stopped until it is deleted; %s", role,
			l.Key, h.Status, stopAgain(t, role)), nil
	}
}

// stopAgain says how to stop a half again that somebody has started.
func stopAgain(t *executor.Task, role string) string {
	for _, verb := range []string{opStop, opStopByHand} {
		if t.IsDone(op(verb, role)) {
			return "stop it again: syncctl resolve " + planner.TypedID(t.Step.Addr, op(verb, role)) + " -retry"
		}
	}
	return "stop it on the web page"
}

// compareConnectors reads the pairs of two connectors, one connector after the other, and compares their message
// numbers.
func compareConnectors(ctx context.Context, a *reader, connectorA string, b *reader,
	connectorB string) (*syncinfo.Drain, error) {
	one := &lazyBody{open: opening(ctx, a, connectorA)}
	two := &lazyBody{open: opening(ctx, b, connectorB)}
	drain, err := syncinfo.Drained(ctx, syncinfo.NewArrayReader(connectorA, one), syncinfo.NewArrayReader(connectorB,
		two))
	return drain, errors.Join(err, one.Close(), two.Close())
}

// lazyBody opens its data at the first Read, so that no answer waits unread while another one is read.
type lazyBody struct {
	open func() (io.ReadCloser, error)
	body io.ReadCloser
}

func opening(ctx context.Context, c *reader, connector string) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return c.syncInformation(ctx, connector) }
}

func (l *lazyBody) Read(p []byte) (int, error) {
	if l.body == nil {
		body, err := l.open()
		if err != nil {
			return 0, err
		}
		l.body = body
	}
	return l.body.Read(p)
}

func (l *lazyBody) Close() error {
	if l.body == nil {
		return nil
	}
	return l.body.Close()
}
