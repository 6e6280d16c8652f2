package backbone

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/syncctl/syncctl/driver/backbone/syncinfo"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// live are the pairs of a connector, read anew at each use. The tally counts the last reading.
func live(ctx context.Context, c *reader, connector string) syncinfo.Source {
	return syncinfo.Source{
		Name: "connector " + connector, Array: true,
		Open: func() (io.ReadCloser, error) { return c.syncInformation(ctx, connector) },
	}
}

// verifyPairs reads a connector's pairs back: all of them, no more and no fewer.
func (d *Driver) verifyPairs(ctx context.Context, t *executor.Task, end string) (executor.Verdict, error) {
	l, err := d.locate(ctx, t, end)
	if err != nil {
		return executor.Verdict{}, err
	}
	if l.integration == nil {
		return notDone("%s is not there", syncName(l.sync)), nil
	}
	return comparePairs(ctx, t, l, end)
}

func comparePairs(ctx context.Context, t *executor.Task, l *located, end string) (executor.Verdict, error) {
	connector := l.connectorOf(end)
	if err := intact(ctx, t, mergedFile); err != nil {
		return executor.Verdict{}, err
	}
	diff, err := syncinfo.ComparePairs(ctx, wanted(t, end), live(ctx, l.client, connector))
	if err != nil {
		return executor.Verdict{}, err
	}
	more := number(t.Resource, 0, "verify", "new_pairs")
	if diff.Missing == 0 && diff.GotTwice == 0 && diff.Extra <= more {
		v := done(fmt.Sprintf("%s has all %s", connector, plural(diff.WantPairs, "pair")))
		switch {
		case diff.Extra > 0:
			v.Why += fmt.Sprintf(" and %s made since", plural(diff.Extra, "pair"))
		case t.Step.Op == opVerify:
			v.Why += ", no more and no fewer"
		}
		tally, err := l.client.tally(ctx, connector)
		if err != nil {
			return executor.Verdict{}, err
		}
		v.Outputs = map[string]string{"pairs": strconv.Itoa(diff.WantPairs), sentOutput: strconv.FormatInt(tally.SumOutgoing, 10)}
		return v, nil
	}
	v := executor.Verdict{State: executor.Partial, Why: fmt.Sprintf("%s; if these pairs are of no use, delete %s on the web page and have it made anew: syncctl resolve %s -retry",
		oneLine(diff.String()), l.Key, planner.StepID(t.Step.Addr, opCreate))}
	switch {
	case diff.GotPairs == 0:
		return notDone("%s has none of the %s yet", connector, plural(diff.WantPairs, "pair")), nil
	case diff.Missing == 0 && diff.GotTwice == 0 && t.Step.Op == opVerify: // waiting makes them no fewer
		return v, executor.Final(fmt.Errorf("%s: issues were created since the start. If that is as it should be, give the run up (syncctl resolve -abandon), write verify { new_pairs = %d } or more into %s, and apply again", v.Why, diff.Extra, t.Resource.Addr))
	}
	return v, nil
}

// oneLine joins the lines of a list.
func oneLine(s string) string {
	var parts []string
	for _, l := range strings.Split(s, "\n") {
		if l = strings.TrimSpace(l); l != "" {
			parts = append(parts, l)
		}
	}
	return strings.Join(parts, "; ")
}

func (d *Driver) verifyBothPairs(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	outputs := map[string]string{}
	var whys []string
	for _, end := range []string{first, second} {
		v, err := d.verifyPairs(ctx, t, end)
		if err != nil || v.State != executor.Done {
			return v, err
		}
		whys = append(whys, v.Why)
		outputs[end+"_"+sentOutput] = v.Outputs[sentOutput]
	}
	return executor.Verdict{State: executor.Done, Why: strings.Join(whys, "; "), Outputs: outputs}, nil
}

// sentOutput is the sum of all message numbers sent by a connector when its pairs were read back: what a resync raises.
const sentOutput = "sent"

// verifyResync: the interface knows no job and no progress of a resync. Every message that is sent raises the issue's
// message number (ASSUMED, from the vendor's samples), so the sum of the numbers tells how many were sent since pairing.
func (d *Driver) verifyResync(ctx context.Context, t *executor.Task, end string) (executor.Verdict, error) {
	l, err := d.locateExisting(ctx, t, end)
	if err != nil {
		return executor.Verdict{}, err
	}
	s, err := l.client.status(ctx, l.Key)
	if err != nil {
		return executor.Verdict{}, err
	}
	if n := s.inError(); n > 0 {
		return executor.Verdict{}, executor.Final(fmt.Errorf("%s in error on %s: open its troubleshooting tab", plural(n, "issue"), l.Key))
	}
	before := t.Output(opPair+end, sentOutput)
	if before == "" {
		before = t.Output(opPairAll, end+"_"+sentOutput)
	}
	base, err := strconv.ParseInt(before, 10, 64)
	if err != nil {
		return executor.Verdict{State: executor.Unknown, Why: "what was sent before is not known"}, nil
	}
	tally, err := l.client.tally(ctx, l.connectorOf(end))
	if err != nil {
		return executor.Verdict{}, err
	}
	sent := tally.SumOutgoing - base
	all := sent >= int64(tally.Pairs)
	switch {
	case sent <= 0 && tally.Pairs > 0:
		return notDone("%s has sent nothing yet", l.connectorOf(end)), nil
	case !s.idle():
		return executor.Verdict{State: executor.Partial, Working: true, Why: fmt.Sprintf("%d of %s sent, still working", sent, plural(tally.Pairs, "issue"))}, nil
	case all || t.Executed: // a filter may leave issues out: idle is then the end
		return done(fmt.Sprintf("%s for %s, and idle", plural(int(sent), "message"), plural(tally.Pairs, "pair"))), nil
	}
	return executor.Verdict{State: executor.Partial, Why: fmt.Sprintf("%d of %s sent", sent, plural(tally.Pairs, "issue"))}, nil
}

// verifyAll is the verification that the end of the original rests on.
func (d *Driver) verifyAll(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	if err := exportsAgree(ctx, t); err != nil {
		return executor.Verdict{}, err
	}
	if v, err := d.originalAsExported(ctx, t); err != nil || v.State != executor.Done {
		return v, err
	}
	v, err := d.verifyConfigured(ctx, t)
	if err != nil {
		return v, err
	}
	if v.State == executor.NotDone {
		return v, executor.Final(fmt.Errorf("the configuration is not as declared: %s; mend it on the web page", v.Why))
	}
	l, err := d.locateExisting(ctx, t, first)
	if err != nil {
		return executor.Verdict{}, err
	}
	s, err := l.client.status(ctx, l.Key)
	if err != nil {
		return executor.Verdict{}, err
	}
	if s.word() != "RUNNING" {
		return notDone("%s is %s", l.Key, s.word()), nil
	}
	if n := s.inError(); n > 0 {
		return executor.Verdict{}, executor.Final(fmt.Errorf("%s in error on %s: open its troubleshooting tab", plural(n, "issue"), l.Key))
	}
	if !s.idle() {
		return notDone("%s is still working", l.Key), nil
	}
	var pairs []string
	for _, end := range []string{first, second} {
		v, err := comparePairs(ctx, t, l, end)
		if err != nil || v.State != executor.Done {
			return v, err
		}
		pairs = append(pairs, v.Why)
	}
	n, differ, err := d.compareSummaries(ctx, t, l)
	if err != nil {
		return executor.Verdict{}, err
	}
	if len(differ) > 0 {
		return notDone("%s", strings.Join(differ, "; ")), nil
	}
	return done(fmt.Sprintf("%s runs, no issue in error; %s; the summaries of %s compared, all equal", l.Key, strings.Join(pairs, "; "), plural(n, "pair"))), nil
}

// exportsAgree: what was uploaded is what was exported, whatever happened to the run's files since. The section of the
// merged file must have the pairs of the export it was made from.
func exportsAgree(ctx context.Context, t *executor.Task) error {
	if err := intact(ctx, t, exportFile(master), exportFile(slave), mergedFile); err != nil {
		return err
	}
	staying := other(t.Resource.Text("migrating"))
	for end, role := range map[string]string{first: staying, second: other(staying)} {
		diff, err := syncinfo.ComparePairs(ctx, exported(t, role), wanted(t, end))
		if err != nil {
			return err
		}
		if !diff.Same() {
			return executor.Final(fmt.Errorf("%s does not have the pairs of %s: %s", mergedFile, exportFile(role), oneLine(diff.String())))
		}
	}
	return nil
}

// compareSummaries reads a sample of pairs on both Jiras.
func (d *Driver) compareSummaries(ctx context.Context, t *executor.Task, l *located) (int, []string, error) {
	n, err := strconv.Atoi(t.Step.Args["sample"])
	if err != nil {
		return 0, nil, fmt.Errorf("reading the sample's size: %w", err)
	}
	staying := other(t.Resource.Text("migrating"))
	keys, err := sampleKeys(t.Files, exportFile(staying), n)
	if err != nil {
		return 0, nil, err
	}
	there, err := d.reader(l.sync.Ref(second, "server"))
	if err != nil {
		return 0, nil, err
	}
	var local, remote []string
	for _, k := range keys {
		local, remote = append(local, k.local), append(remote, k.remote)
	}
	here, err := l.client.summaries(ctx, local)
	if err != nil {
		return 0, nil, err
	}
	partner, err := there.summaries(ctx, remote)
	if err != nil {
		return 0, nil, err
	}
	var differ []string
	for _, k := range keys {
		a, okA := here[k.local]
		b, okB := partner[k.remote]
		switch {
		case !okA || !okB:
			differ = append(differ, fmt.Sprintf("%s and %s are not both there", k.local, k.remote))
		case a != b:
			differ = append(differ, fmt.Sprintf("the summaries of %s and %s differ", k.local, k.remote))
		}
	}
	return len(keys), differ, nil
}
